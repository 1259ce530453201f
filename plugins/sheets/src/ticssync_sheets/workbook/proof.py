"""The proof that a written file says what was meant, and nothing else changed.  Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, datetime
from itertools import zip_longest

from ticssync.plugin import Cell, Grid, canonical_text, cell_name, cell_text
from ticssync_sheets.workbook.convert import Content
from ticssync_sheets.workbook.edit import Edited
from ticssync_sheets.workbook.layout import Layout
from ticssync_sheets.workbook.names import HIDDEN_SHEET
from ticssync_sheets.workbook.reading import Reading


class NotProven(Exception):  # noqa: N818 - an answer about a file
    """The file read back differs in a place that was not to change, or not as it was to change."""


def prove(before: Reading | None, after: Reading, made: Edited) -> None:
    """Compare cell by cell.  Raises NotProven with the first place that differs."""
    if not isinstance(after.layout, Layout):
        raise NotProven("table")
    table = after.grids[after.layout.sheet]
    for place, wanted in made.wanted.items():
        if not _says(table.at(*place), wanted):
            raise NotProven(f"{after.layout.sheet}!{cell_name(*place)}")
    if before is None:
        return
    for name, grid in before.grids.items():
        touched: AbstractSet[tuple[int, int]] = (
            made.wanted.keys() if name == after.layout.sheet else frozenset()
        )
        if name != HIDDEN_SHEET and (spot := _first_difference(grid, after.grids.get(name), touched)):
            raise NotProven(f"{name}!{cell_name(*spot)}")


def _says(cell: Cell, wanted: Content) -> bool:
    if wanted is None:
        return cell is None
    if isinstance(wanted, date):
        return (cell.date() if isinstance(cell, datetime) else cell) == wanted
    return canonical_text(cell_text(cell)) == wanted


def _first_difference(
    old: Grid, new: Grid | None, touched: AbstractSet[tuple[int, int]]
) -> tuple[int, int] | None:
    if new is None:
        return (0, 0)
    for row, (before, after) in enumerate(zip_longest(old.rows, new.rows, fillvalue=())):
        if before == after:
            continue
        for column in range(max(len(before), len(after))):
            if (row, column) not in touched and old.at(row, column) != new.at(row, column):
                return row, column
    return None
