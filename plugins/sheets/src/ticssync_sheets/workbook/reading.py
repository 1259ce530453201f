"""One reading of the file: its rows, decoded, with the place of everything that could not be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ticssync.plugin import Cell, Fields, FieldValue, Grid, UnreadableTable, cell_text, read_grids
from ticssync_sheets.workbook.areas import Area, parse_area
from ticssync_sheets.workbook.convert import Undecodable, decode
from ticssync_sheets.workbook.layout import Layout, NoTable, find_layout
from ticssync_sheets.workbook.names import HIDDEN_SHEET, MARKER, Names
from ticssync_sheets.workbook.package import BOOK, Package, open_package
from ticssync_sheets.workbook.sheet_xml import SheetXml
from ticssync_sheets.workbook.xml import BadXml, parse, tag


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file.

    `marker` is the text of the hidden cell, "" where it is empty.  A field that could not be decoded is
    absent from `fields` and named in `problems`.  `locked` are fields whose cell holds a formula or is
    covered by merged cells: nothing is written there.
    """

    index: int
    marker: str
    fields: Fields
    raw_status: str = ""
    problems: tuple[str, ...] = ()
    locked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the hidden sheet says.  `serial` rises by one with each write of ours."""

    workspace: str
    tracker: str
    serial: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One file, read.  `digest` is the SHA-256 of its bytes; `table` the area of the Excel table around the
    header, None where there is none; `identity` None where the hidden sheet is gone."""

    digest: str
    package: Package
    grids: Mapping[str, Grid]
    layout: Layout | NoTable
    rows: tuple[Row, ...]
    table: Area | None
    identity: Identity | None
    date1904: bool


def read_workbook(raw: bytes, names: Names) -> Reading:
    """Read the bytes of a workbook.  Raises UnreadableTable."""
    grids = read_grids(raw)
    package = open_package(raw, names.text)
    try:
        return _read(raw, package, grids, names)
    except (BadXml, KeyError, ValueError, AttributeError) as error:
        raise UnreadableTable(names.text("this workbook was cut in half or is damaged")) from error


def _read(raw: bytes, package: Package, grids: Mapping[str, Grid], names: Names) -> Reading:
    layout = find_layout(grids, names)
    date1904 = is_1904(package)
    rows: tuple[Row, ...] = ()
    table = None
    if isinstance(layout, Layout):
        part = package.sheets()[layout.sheet]
        table = _table_area(package, part, layout)
        rows = _rows(grids[layout.sheet], SheetXml(package.parts[part], date1904=date1904), layout, names)
    return Reading(
        digest=hashlib.sha256(raw).hexdigest(),
        package=package,
        grids=grids,
        layout=layout,
        rows=rows,
        table=table,
        identity=_identity(grids.get(HIDDEN_SHEET)),
        date1904=date1904,
    )


def is_1904(package: Package) -> bool:
    """Whether days count from 1904 (workbooks that were born on an old Mac)."""
    properties = parse(package.parts[BOOK]).find(tag("workbookPr"))
    return properties is not None and properties.get("date1904") in {"1", "true"}


def row_version(marker: str, fields: Mapping[str, FieldValue]) -> str:
    """A hash of a row's values: the row's version."""
    value = json.dumps([marker, sorted(fields.items())], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _rows(grid: Grid, sheet: SheetXml, layout: Layout, names: Names) -> tuple[Row, ...]:
    blocked = _Blocked(sheet, layout, names)
    return tuple(
        _row(grid, index, layout, names, blocked)
        for index in range(layout.header + 1, len(grid.rows))
        if any(grid.at(index, column) is not None for column in layout.columns.values())
    )


class _Blocked:
    """Which cells of the table say nothing certain, or must not be written."""

    def __init__(self, sheet: SheetXml, layout: Layout, names: Names) -> None:
        self._formulas, self._errors, self._text = sheet.formulas(), sheet.errors(), names.text
        self._merged = [area for area in sheet.merged() if area.bottom > layout.header]

    def unreadable(self, place: tuple[int, int]) -> str:
        """Why the cell's value is not taken; empty where it is."""
        if self._covered(place):
            return self._text("this cell is covered by merged cells: unmerge them")
        if place in self._errors:
            return self._text("this cell shows an error or a formula without a value")
        return ""

    def unwritable(self, place: tuple[int, int]) -> str:
        """Why nothing is written into the cell; empty where it may be."""
        if self._covered(place):
            return self._text("this cell is covered by merged cells: unmerge them")
        if place in self._formulas:
            return self._text("this cell holds a formula, which ticssync does not overwrite")
        return ""

    def _covered(self, place: tuple[int, int]) -> bool:
        return any(place in area and place != (area.top, area.left) for area in self._merged)


def _row(grid: Grid, index: int, layout: Layout, names: Names, blocked: _Blocked) -> Row:
    fields: dict[str, FieldValue] = {}
    problems, locked = [], {}
    for name, column in layout.columns.items():
        if why := blocked.unwritable((index, column)):
            locked[name] = _said(name, index, layout, names, why)
        if name == MARKER:
            continue
        try:
            fields[name] = _value(grid.at(index, column), name, blocked.unreadable((index, column)), names)
        except Undecodable as problem:
            problems.append(_said(name, index, layout, names, str(problem)))
    marker = cell_text(grid.at(index, layout.columns[MARKER])).strip()
    raw = cell_text(grid.at(index, layout.columns["status"])) if "status" in layout.columns else ""
    problems += [said for name, said in locked.items() if name in fields and name != "evidence"]
    return Row(index, marker, fields, raw, tuple(problems), locked)


def _value(cell: Cell, name: str, why_not: str, names: Names) -> FieldValue:
    if why_not:
        raise Undecodable(why_not)
    return decode(name, cell, names)


def _said(name: str, row: int, layout: Layout, names: Names, why: str) -> str:
    head = names.heads.get(name, names.marker_head)
    return names.text("{cell} ({head}): {why}", cell=layout.cell(row, name), head=head, why=why)


def _table_area(package: Package, part: str, layout: Layout) -> Area | None:
    for table in package.related(part, "table"):
        area = parse_area(parse(package.parts[table]).get("ref", ""))
        if area and (layout.header, layout.columns[MARKER]) in area and area.top == layout.header:
            return area
    return None


def _identity(grid: Grid | None) -> Identity | None:
    if grid is None:
        return None
    known = {cell_text(row[0]): cell_text(row[1]) for row in grid.rows if len(row) > 1}
    serial = known.get("serial", "")
    if not known.get("workspace") or not serial.isdecimal():
        return None
    return Identity(known["workspace"], known.get("tracker", ""), int(serial))
