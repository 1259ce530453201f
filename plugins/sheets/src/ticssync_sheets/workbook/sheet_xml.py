"""One sheet's XML, edited cell by cell: what is not edited stays as it is.

Written from ECMA-376 Part 1, 18.3 (worksheets).  Texts are put in as inline strings, so that the shared
strings with their furigana and formats need no change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from ticssync.plugin import cell_name
from ticssync_sheets.workbook.areas import Area, extend_list, parse_area, place_of
from ticssync_sheets.workbook.convert import Content
from ticssync_sheets.workbook.xml import EXCEL_2009, Element, child, element, parse, tag, to_bytes

_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_WIDTH: Final = 8.43
_EPOCH: Final = date(1899, 12, 30)
_EPOCH_1904: Final = date(1904, 1, 1)


class SheetXml:
    """A sheet that is read and edited.  Rows and columns count from 0."""

    def __init__(self, raw: bytes, *, date1904: bool = False) -> None:
        self._root = parse(raw)
        self._epoch = _EPOCH_1904 if date1904 else _EPOCH
        self._data = self._root.find(tag("sheetData"))
        self._rows: dict[int, Element] = {}
        self._cells: dict[tuple[int, int], Element] = {}
        self._last_row = -1
        self._number_all()

    def _number_all(self) -> None:
        # `r` is optional in rows and cells: without it they follow the one before.
        row_at = -1
        for row in self._data.iterfind(tag("row")):
            row_at = int(row.get("r")) - 1 if row.get("r") else row_at + 1
            row.set("r", str(row_at + 1))
            self._rows[row_at] = row
            self._last_row = max(self._last_row, row_at)
            column = -1
            for cell in row.iterfind(tag("c")):
                column = place_of(cell.get("r"))[1] if cell.get("r") else column + 1
                cell.set("r", cell_name(row_at, column))
                self._cells[row_at, column] = cell

    def formulas(self) -> frozenset[tuple[int, int]]:
        """Cells that hold a formula, or are inside an array formula."""
        return frozenset(self._formula_cells())

    def _formula_cells(self) -> Iterator[tuple[int, int]]:
        areas = []
        for place, cell in self._cells.items():
            formula = cell.find(tag("f"))
            if formula is None:
                continue
            yield place
            if formula.get("t") in {"array", "dataTable"} and (area := parse_area(formula.get("ref", ""))):
                areas.append(area)
        yield from (place for place in self._cells if any(place in area for area in areas))

    def errors(self) -> frozenset[tuple[int, int]]:
        """Cells that show an error (`#N/A`) or a formula without a value: what they say is not known."""
        return frozenset(place for place, cell in self._cells.items() if _says_nothing(cell))

    def merged(self) -> tuple[Area, ...]:
        """Areas of merged cells; only their first cell holds a value."""
        found = (parse_area(merge.get("ref", "")) for merge in self._root.iter(tag("mergeCell")))
        return tuple(area for area in found if area)

    def bottom(self) -> int:
        """The last row with a value anywhere on the sheet; -1 where there is none."""
        return max((row for (row, _), cell in self._cells.items() if len(cell)), default=-1)

    def bottom_in(self, area: Area) -> int:
        """The last row of the area with a value; -1 where there is none."""
        return max(
            (place[0] for place, cell in self._cells.items() if len(cell) and place in area), default=-1
        )

    def occupied(self, area: Area) -> bool:
        """Whether a cell in the area holds a value, or is part of merged cells."""
        return any(place in area and len(cell) for place, cell in self._cells.items()) or any(
            merge.crosses(area) for merge in self.merged()
        )

    def style(self, row: int, column: int) -> int:
        """The style index of a cell, of its row or of its column."""
        cell = self._cells.get((row, column))
        if cell is not None:
            return int(cell.get("s", 0))
        for columns in self._root.iter(tag("col")):
            if int(columns.get("min")) <= column + 1 <= int(columns.get("max")):
                return int(columns.get("style", 0))
        return 0

    def put(self, row: int, column: int, content: Content, style: int | None = None) -> None:
        """Set one cell; its style stays unless another is given."""
        cell = self._cell(row, column)
        for name in ("f", "v", "is"):
            for old in cell.findall(tag(name)):
                cell.remove(old)
        for name in ("t", "cm", "vm", "ph"):
            cell.attrib.pop(name, None)
        if style is not None:
            cell.set("s", str(style))
        if isinstance(content, date):
            _fill(cell, "v", str((content - self._epoch).days))
        elif content:
            _fill_text(cell, content)

    def put_number(self, row: int, column: int, number: int) -> None:
        """Set one cell to a whole number."""
        self.put(row, column, None)
        _fill(self._cell(row, column), "v", str(number))

    def new_row(self, row: int, styles: Mapping[int, int]) -> None:
        """Empty cells with these styles: a row that looks like the one it follows."""
        for column, style in sorted(styles.items()):
            self.put(row, column, None, style)

    def width(self, column: int) -> float:
        """The width of a column in digits of the default font; 0 where it is hidden."""
        for columns in self._root.iter(tag("col")):
            if int(columns.get("min")) <= column + 1 <= int(columns.get("max")):
                return 0.0 if columns.get("hidden") in {"1", "true"} else float(columns.get("width", _WIDTH))
        return _WIDTH

    def has_own_height(self, row: int) -> bool:
        """Whether a person drew the row to a height of their own."""
        return row in self._rows and self._rows[row].get("customHeight") in {"1", "true"}

    def set_height(self, row: int, points: float) -> None:
        """The height a row has until it is edited; not marked as fixed, so that it goes on growing."""
        found = self._row(row)
        found.set("ht", f"{points:g}")
        found.attrib.pop("customHeight", None)

    def extend(self, within: Area, bottom: int) -> None:
        """Drop-downs, colours and filters that end on the last row of `within` go on down to `bottom`."""
        for name in ("dataValidation", "conditionalFormatting"):
            for found in self._root.iter(tag(name)):
                found.set("sqref", extend_list(found.get("sqref", ""), within, bottom))
        for found in self._root.iter(f"{{{EXCEL_2009}}}sqref"):
            found.text = extend_list(found.text or "", within, bottom)
        for found in self._root.iterfind(tag("autoFilter")):
            found.set("ref", extend_list(found.get("ref", ""), within, bottom))

    def to_bytes(self) -> bytes:
        """The part as it goes back into the package."""
        self._measure()
        return to_bytes(self._root)

    def _measure(self) -> None:
        dimension = self._root.find(tag("dimension"))
        if dimension is None or not self._cells:
            return
        rows, columns = [row for row, _ in self._cells], [column for _, column in self._cells]
        dimension.set("ref", str(Area(min(rows), min(columns), max(rows), max(columns))))

    def _cell(self, row: int, column: int) -> Element:
        if (row, column) not in self._cells:
            parent = self._row(row)
            parent.attrib.pop("spans", None)
            cell = element("c")
            cell.set("r", cell_name(row, column))
            if style := self.style(row, column):
                cell.set("s", str(style))
            before = sum(1 for other in parent.iterfind(tag("c")) if place_of(other.get("r"))[1] < column)
            parent.insert(before, cell)
            self._cells[row, column] = cell
        return self._cells[row, column]

    def _row(self, row: int) -> Element:
        if row not in self._rows:
            found = element("row")
            found.set("r", str(row + 1))
            if row > self._last_row:
                self._data.append(found)
                self._last_row = row
            else:
                following = self._rows[min(other for other in self._rows if other > row)]
                following.addprevious(found)
            self._rows[row] = found
        return self._rows[row]


def _says_nothing(cell: Element) -> bool:
    if cell.get("t") == "e":
        return True
    value = cell.find(tag("v"))
    return cell.find(tag("f")) is not None and (value is None or not value.text) and cell.get("t") != "str"


def _fill(cell: Element, name: str, text: str) -> None:
    found = element(name)
    found.text = text
    cell.insert(0, found)


def _fill_text(cell: Element, text: str) -> None:
    cell.set("t", "inlineStr")
    holder = element("is")
    cell.insert(0, holder)
    found = child(holder, "t")
    found.set(_SPACE, "preserve")
    found.text = _ESCAPE.sub("_x005F_", text)
