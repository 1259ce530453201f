"""A workbook's sheets as grids of cells, with the places that people see ("C5")."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from ticssync.errors import say

Cell: TypeAlias = str | int | float | bool | date | datetime | time | timedelta | None
"""What a cell shows; None where it is empty.  A formula gives its cached value."""

_OLE: Final = b"\xd0\xcf\x11\xe0"
MAX_BYTES: Final = 64_000_000


class UnreadableTable(Exception):  # noqa: N818 - an answer about a file, not a failure of ours
    """Not a workbook, encrypted, cut in half, or too large.  The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet.  `rows` start at A1; rows and columns count from 0 here and from 1 in `cell_name`."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]

    def at(self, row: int, column: int) -> Cell:
        """The cell, None outside of what the sheet uses."""
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return None

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Where cells with exactly this text stand, in reading order."""
        for row, cells in enumerate(self.rows):
            for column, cell in enumerate(cells):
                if cell == text:
                    yield row, column


def read_grids(source: Path | bytes) -> Mapping[str, Grid]:
    """All sheets by name, in order.  Raises UnreadableTable; FileNotFoundError and PermissionError pass."""
    raw = source if isinstance(source, bytes) else source.read_bytes()
    _refuse(raw)
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        return {
            name: _grid(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in book.sheet_names
        }
    except (CalamineError, OSError, ValueError, KeyError) as error:
        raise UnreadableTable(
            say("this workbook cannot be read (cut in half or damaged): {why}", why=str(error)[:200])
        ) from error
    except BaseException as error:
        # A damaged file can make the Rust reader panic; pyo3's PanicException is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableTable(say("this workbook cannot be read (cut in half or damaged)")) from error


def _refuse(raw: bytes) -> None:
    if not raw:
        raise UnreadableTable(say("this file is empty (0 bytes)"))
    if len(raw) > MAX_BYTES:
        raise UnreadableTable(say("this file is larger than {limit} bytes", limit=MAX_BYTES))
    if raw.startswith(_OLE):
        if b"E\0n\0c\0r\0y\0p\0t" in raw:
            raise UnreadableTable(say("this workbook is encrypted with a password: save it without one"))
        raise UnreadableTable(say("this is an old .xls file: save it as .xlsx"))
    if not raw.startswith(b"PK"):
        raise UnreadableTable(say("this is not a workbook (.xlsx)"))
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            names = set(package.namelist())
    except zipfile.BadZipFile as error:
        raise UnreadableTable(say("this workbook was cut in half or is damaged")) from error
    if "[Content_Types].xml" not in names and "mimetype" not in names:
        raise UnreadableTable(say("this is not a workbook (.xlsx)"))


def _grid(name: str, rows: Sequence[Sequence[Cell]]) -> Grid:
    return Grid(name, tuple(tuple(None if cell == "" else cell for cell in row) for row in rows))


def cell_name(row: int, column: int) -> str:
    """`C5` for row 4, column 2."""
    letters, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def cell_text(cell: Cell) -> str:
    """A cell as the text that a person reads: whole numbers without `.0`, dates in ISO form."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
