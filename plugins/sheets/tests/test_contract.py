"""The workbook keeps the contract of a tracker; a person's edits come through openpyxl, an editor of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticssync.plugin import RemoteRef, Table, TrackerDriver
from ticssync.testing.contract import TrackerContract
from ticssync.testing.opening import TABLE, FakeMemory, opening
from ticssync.testing.site import TrackerSite
from ticssync_sheets.workbook.settings import WorkbookSettings
from ticssync_sheets.workbook.tracker import open_workbook

HEADS = {
    "number": "番号", "title": "項目", "body": "やること", "status": "対応状況", "assignee": "担当", "due": "期限",
    "evidence": "証跡", "from_office": "事務局から", "confirmation": "確認状況",
}  # fmt: skip
STATUSES = {"未着手": "todo", "対応中": "doing", "確認依頼": "review", "完了": "done", "対象外": "wont_do"}
FILE, SHEET = "課題一覧.xlsx", "表"


class WorkbookSite(TrackerSite):
    people = ("sato", "takasaki")

    def __init__(self, root: Path) -> None:
        self.root, self.memory = root, FakeMemory()
        self.table = Table(fields=HEADS, statuses=STATUSES, names=TABLE.names, marker_place="ticssync-id")

    def open(self) -> TrackerDriver:
        settings = WorkbookSettings(path=Path(FILE), sheet=SHEET)
        return open_workbook(
            opening("ledger", settings=settings, table=self.table, root=self.root, memory=self.memory)
        )

    def person_sets(self, ref: RemoteRef, field: str, value: Any) -> None:
        word = (
            next(remote for remote, known in STATUSES.items() if known == value)
            if field == "status"
            else value
        )
        self.person_types(ref, field, word)

    def person_types(self, ref: RemoteRef, field: str, text: Any) -> None:
        with self._row(ref) as (sheet, row, heads):
            sheet.cell(row, heads[HEADS[field]]).value = text

    def person_deletes(self, ref: RemoteRef) -> None:
        with self._row(ref) as (sheet, row, _heads):
            sheet.delete_rows(row)

    @contextmanager
    def _row(self, ref: RemoteRef) -> Iterator[tuple[Any, int, dict[Any, int]]]:
        book = openpyxl.load_workbook(self.root / FILE)
        sheet = book[SHEET]
        row = next(cells[0].row for cells in sheet.iter_rows() if any(cell.value == ref.id for cell in cells))
        heads = {
            cell.value: cell.column
            for cells in sheet.iter_rows()
            for cell in cells
            if cell.value in HEADS.values()
        }
        yield sheet, row, heads
        book.save(self.root / FILE)


class TestWorkbook(TrackerContract):
    @pytest.fixture
    def site(self, tmp_path: Path) -> WorkbookSite:
        return WorkbookSite(tmp_path)
