"""Edits of cells put into the package that is there.  Pure: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ticssync.plugin import Grid, cell_name, cell_text
from ticssync_sheets.workbook.areas import Area, extend_list, parse_area
from ticssync_sheets.workbook.convert import Content
from ticssync_sheets.workbook.heights import row_height
from ticssync_sheets.workbook.hidden import recalculate_on_load, write_hidden
from ticssync_sheets.workbook.layout import Layout
from ticssync_sheets.workbook.names import MARKER, Names
from ticssync_sheets.workbook.package import BOOK, Package
from ticssync_sheets.workbook.reading import Identity, Reading
from ticssync_sheets.workbook.sheet_xml import SheetXml
from ticssync_sheets.workbook.styles import Styles
from ticssync_sheets.workbook.xml import Element, parse, tag, to_bytes

_BUILT_IN: Final = "_xlnm."


@dataclass(frozen=True, slots=True)
class RowEdit:
    """New contents for one row, by field (or `marker`); `row` None: a new row."""

    row: int | None
    cells: Mapping[str, Content]


@dataclass(frozen=True, slots=True)
class Edited:
    """The new file, and what each cell that was put in must say when it is read back."""

    raw: bytes
    wanted: Mapping[tuple[int, int], Content]


@dataclass(frozen=True, slots=True)
class _Room:
    """Where new rows go: from `first` on; `body` is the table's data area; `grows`: whether it is led on."""

    first: int
    body: Area
    grows: bool


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts that are edited, parsed; `name` is the table's sheet."""

    package: Package
    layout: Layout
    name: str
    sheet: SheetXml
    book: Element
    styles_name: str | None
    styles: Styles | None

    def changed(self) -> dict[str, bytes]:
        """The edited parts as bytes."""
        found = {self.name: self.sheet.to_bytes(), BOOK: to_bytes(self.book)}
        if self.styles and self.styles_name and self.styles.changed:
            found[self.styles_name] = self.styles.to_bytes()
        return found


def edited(
    reading: Reading, layout: Layout, edits: Sequence[RowEdit], identity: Identity, *, names: Names
) -> Edited:
    """Apply edits and write the identity (with its new serial) into the hidden sheet."""
    parts = _open(reading, layout)
    new = sum(1 for edit in edits if edit.row is None)
    room = _room(reading, layout, parts.sheet, new)
    looks = _looks(reading, room, parts.sheet)
    wanted: dict[tuple[int, int], Content] = {}
    for edit, row in zip(edits, _place(edits, room), strict=True):
        if edit.row is None:
            parts.sheet.new_row(row, looks)
        put = _put(parts, edit, row)
        _fit(parts.sheet, reading.grids[layout.sheet], row, put)
        wanted |= put
    grown = _grow(parts, room, room.first + new - 1) if new and room.grows else {}
    recalculate_on_load(parts.book)
    hidden = write_hidden(parts.package, parts.book, identity, names)
    return Edited(parts.package.with_parts({**grown, **hidden, **parts.changed()}), wanted)


def _open(reading: Reading, layout: Layout) -> _Parts:
    package = reading.package
    name = package.sheets()[layout.sheet]
    styles_name = next(package.related(BOOK, "styles"), None)
    return _Parts(
        package=package,
        layout=layout,
        name=name,
        sheet=SheetXml(package.parts[name], date1904=reading.date1904),
        book=parse(package.parts[BOOK]),
        styles_name=styles_name,
        styles=Styles(package.parts[styles_name]) if styles_name else None,
    )


def _place(edits: Sequence[RowEdit], room: _Room) -> Iterator[int]:
    following = room.first
    for edit in edits:
        if edit.row is not None:
            yield edit.row
        else:
            yield following
            following += 1


def _put(parts: _Parts, edit: RowEdit, row: int) -> dict[tuple[int, int], Content]:
    wanted = {}
    for name, content in edit.cells.items():
        if name not in parts.layout.columns:
            continue
        column, style = parts.layout.columns[name], None
        if parts.styles and isinstance(content, date):
            style = parts.styles.for_days(parts.sheet.style(row, column))
        parts.sheet.put(row, column, content, style)
        wanted[row, column] = content
    return wanted


def _fit(sheet: SheetXml, grid: Grid, row: int, put: Mapping[tuple[int, int], Content]) -> None:
    if sheet.has_own_height(row) or not put:
        return
    used = (
        {column: cell_text(cell) for column, cell in enumerate(grid.rows[row])}
        if row < len(grid.rows)
        else {}
    )
    used |= {column: "" if content is None else str(content) for (_, column), content in put.items()}
    cells = [(text, sheet.width(column)) for column, text in used.items() if sheet.width(column)]
    sheet.set_height(row, row_height(cells))


def _room(reading: Reading, layout: Layout, sheet: SheetXml, new: int) -> _Room:
    left, right = min(layout.columns.values()), max(layout.columns.values())
    if reading.table:
        left, right = min(left, reading.table.left), max(right, reading.table.right)
    totals = _totals(reading, layout)
    marked = [row.index for row in reading.rows if row.marker]
    bottom = reading.table.bottom - totals if reading.table else max(marked, default=layout.header)
    body = Area(layout.header + 1, left, max(bottom, layout.header + 1), right)
    used = sheet.bottom_in(body) if reading.table else bottom
    first = max(used, layout.header) + 1
    beyond = Area(body.bottom + 1, left, first + new - 1, right)
    if beyond.bottom < beyond.top or not (totals or sheet.occupied(beyond)):
        return _Room(first, body, grows=True)
    # Something stands right below the table: the new rows go below it, and the table is not led over it.
    return _Room(max([sheet.bottom(), *(area.bottom for area in sheet.merged())]) + 1, body, grows=False)


def _totals(reading: Reading, layout: Layout) -> int:
    package = reading.package
    for table in package.related(package.sheets()[layout.sheet], "table"):
        root = parse(package.parts[table])
        if reading.table and parse_area(root.get("ref", "")) == reading.table:
            return int(root.get("totalsRowCount", 0))
    return 0


def _looks(reading: Reading, room: _Room, sheet: SheetXml) -> dict[int, int]:
    rows = [row.index for row in reading.rows if row.marker]
    pattern = max(rows, default=room.body.top)
    return {column: sheet.style(pattern, column) for column in range(room.body.left, room.body.right + 1)}


def _grow(parts: _Parts, room: _Room, bottom: int) -> dict[str, bytes]:
    if bottom <= room.body.bottom:
        return {}
    layout = parts.layout
    parts.sheet.extend(room.body, bottom)
    _grow_names(parts.book, layout.sheet, room.body, bottom)
    changed = {}
    for name in parts.package.related(parts.name, "table"):
        table = parse(parts.package.parts[name])
        area = parse_area(table.get("ref", ""))
        if area and area.top == layout.header and (layout.header, layout.columns[MARKER]) in area:
            for found in (table, *table.iterfind(tag("autoFilter"))):
                found.set("ref", extend_list(found.get("ref", ""), room.body, bottom))
            changed[name] = to_bytes(table)
    return changed


def _grow_names(book: Element, sheet: str, body: Area, bottom: int) -> None:
    """Filter and print areas are defined names with absolute references."""
    for name in book.iter(tag("definedName")):
        if not name.get("name", "").startswith(_BUILT_IN):
            continue
        where, _, reference = (name.text or "").rpartition("!")
        area = parse_area(reference)
        named = where.removeprefix("'").removesuffix("'").replace("''", "'")
        if area and named == sheet and area.bottom == body.bottom and area.crosses(body):
            name.text = f"{where}!{_absolute(area.down_to(bottom))}"


def _absolute(area: Area) -> str:
    ends = (cell_name(area.top, area.left), cell_name(area.bottom, area.right))
    letters = [end.rstrip("0123456789") for end in ends]
    return f"${letters[0]}${area.top + 1}:${letters[1]}${area.bottom + 1}"
