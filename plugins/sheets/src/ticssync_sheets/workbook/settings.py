"""What ticssync.yaml says of a workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

ENDINGS: Final = (".xlsx", ".xlsm")


class WorkbookSettings(BaseModel):
    """The part of ticssync.yaml under a tracker of kind `workbook`.

    `path` is relative to the configuration file.  `sheet` is the name of the sheet with the table; empty
    means `TICS課題一覧` (in English `TICS tasks`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="ブックの場所。設定ファイルからの相対パス、または絶対パス (.xlsx)")
    sheet: str = Field(default="", max_length=31, description="課題一覧のシート名。空欄なら TICS課題一覧")

    @field_validator("path")
    @classmethod
    def _a_workbook(cls, path: Path) -> Path:
        if path.suffix.lower() not in ENDINGS:
            raise ValueError("path must end in .xlsx")
        return path

    @field_validator("sheet")
    @classmethod
    def _a_sheet_name(cls, sheet: str) -> str:
        if set(sheet) & set("[]:*?/\\") or sheet.startswith("'") or sheet.endswith("'"):
            raise ValueError("a sheet name holds none of [ ] : * ? / \\ and neither begins nor ends with '")
        return sheet
