"""Where the table is on the sheet, found by its column heads, wherever they were moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ticssync.plugin import Grid, cell_name, cell_text
from ticssync_sheets.workbook.names import MARKER, Names, same_text


@dataclass(frozen=True, slots=True)
class Layout:
    """The table's place.  `columns`: field (and `marker`) → column, for those that are there.

    `missing`: heads of the mapping that no column has.  `doubled`: heads that stand twice; the left one
    counts.  `renamed`: the sheet has another name than the settings say.
    """

    sheet: str
    header: int
    columns: Mapping[str, int]
    missing: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    renamed: bool = False

    def cell(self, row: int, field: str) -> str:
        """The place of a field in a row, as people see it."""
        return cell_name(row, self.columns[field])


@dataclass(frozen=True, slots=True)
class NoTable:
    """The table was not found: `sheet` and `header` tell how far the search came."""

    sheet: str = ""
    header: int | None = None


def find_layout(grids: Mapping[str, Grid], names: Names) -> Layout | NoTable:
    """Find the header row.  Pure.  The sheet of the settings' name first, then any other one."""
    wanted = same_text(names.sheet)
    ordered = sorted(grids.values(), key=lambda grid: same_text(grid.name) != wanted)
    nearest = NoTable(sheet=ordered[0].name if ordered and same_text(ordered[0].name) == wanted else "")
    for grid in ordered:
        found = _in_grid(grid, names, renamed=same_text(grid.name) != wanted)
        if isinstance(found, Layout):
            return found
        if nearest.header is None and found.header is not None:
            nearest = found
    return nearest


def _in_grid(grid: Grid, names: Names, *, renamed: bool) -> Layout | NoTable:
    heads = {same_text(head): field for field, head in names.columns()}
    without_marker = NoTable()
    for row, cells in enumerate(grid.rows):
        texts = [same_text(cell_text(cell)) for cell in cells]
        known = [text for text in texts if text in heads]
        if len(set(known)) * 2 <= len(heads) and len(set(known)) < 3:
            continue
        if same_text(names.marker_head) in known:
            return _layout(grid.name, row, texts, names, renamed=renamed)
        without_marker = NoTable(grid.name, row) if without_marker.header is None else without_marker
    return without_marker


def _layout(sheet: str, header: int, texts: list[str], names: Names, *, renamed: bool) -> Layout:
    columns = {
        field: texts.index(same_text(head)) for field, head in names.columns() if same_text(head) in texts
    }
    return Layout(
        sheet=sheet,
        header=header,
        columns=columns,
        missing=tuple(head for field, head in names.columns() if field not in columns and field != MARKER),
        doubled=tuple(head for _, head in names.columns() if texts.count(same_text(head)) > 1),
        renamed=renamed,
    )
