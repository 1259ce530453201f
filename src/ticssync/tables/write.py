"""Workbooks of ours: text always as text, the same input gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from ticssync.tables.read import Cell

FONT: Final = "BIZ UDPGothic"
"""Carried by Windows 10 and later; other systems fall back to their own Japanese font."""

_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a constant in a file's properties, so that equal input gives equal bytes


class Book:
    """A workbook being written in memory; `bytes()` ends it.

    `formats` are made once per set of properties.  XlsxWriter's own `write()` turns `=1+1` into a formula
    and an address into a link, so `put` writes every text with the type string.
    """

    def __init__(self, *, title: str = "", author: str = "ticssync") -> None:
        import xlsxwriter

        self._stream = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        }
        self.raw = xlsxwriter.Workbook(self._stream, options)
        self.raw.set_properties({"title": title, "author": author, "created": _EPOCH})
        self.raw.formats[0].set_font_name(FONT)
        self.raw.formats[0].set_font_size(10)
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **properties: Any) -> Any:
        """A format with these XlsxWriter properties on top of the house font."""
        wanted = {"font_name": FONT, "font_size": 10, "valign": "vcenter", **properties}
        key = tuple(sorted(wanted.items()))
        if key not in self._formats:
            self._formats[key] = self.raw.add_format(wanted)
        return self._formats[key]

    def sheet(self, name: str) -> Any:
        """A new sheet (XlsxWriter worksheet)."""
        return self.raw.add_worksheet(name)

    def put(self, sheet: Any, row: int, column: int, value: Cell, style: Any = None) -> None:
        """One cell, counted from 0.  None writes an empty cell that keeps its style."""
        if value is None or value == "":
            sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value, style)
        elif isinstance(value, (int, float)):
            sheet.write_number(row, column, value, style)
        elif isinstance(value, (datetime, date)):
            sheet.write_datetime(row, column, value, style)
        else:
            sheet.write_string(row, column, str(value), style)

    def row(
        self,
        sheet: Any,
        row: int,
        values: Mapping[int, Cell] | list[Cell] | tuple[Cell, ...],
        style: Any = None,
    ) -> None:
        """Several cells of one row; a list starts at column 0."""
        items = values.items() if isinstance(values, Mapping) else enumerate(values)
        for column, value in items:
            self.put(sheet, row, column, value, style)

    def bytes(self) -> bytes:
        """Finish and hand the file over."""
        self.raw.close()
        return self._stream.getvalue()
