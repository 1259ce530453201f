"""The very-hidden sheet `_ticssync`: whose workbook this is, its serial, and the drop-downs' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ticssync_sheets.workbook.names import HIDDEN_SHEET, PEOPLE_LIST, STATUS_LIST, Names
from ticssync_sheets.workbook.package import Package, defined_name
from ticssync_sheets.workbook.reading import Identity
from ticssync_sheets.workbook.sheet_xml import SheetXml
from ticssync_sheets.workbook.xml import MAIN, RELATIONS, Element, child, element, parse, tag, to_bytes

FORMAT_VERSION: Final = 1
STATUS_COLUMN: Final = 3
PEOPLE_COLUMN: Final = 4
PART: Final = "xl/worksheets/ticssync.xml"

_TYPES: Final = "[Content_Types].xml"
_RELATIONS_PART: Final = "xl/_rels/workbook.xml.rels"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_EMPTY: Final = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'.encode()
# CT_Workbook's children come in a fixed order (ECMA-376 Part 1, 18.2.27).
_BEFORE_NAMES: Final = ("sheets", "functionGroups", "externalReferences")
_BEFORE_CALC: Final = (*_BEFORE_NAMES, "definedNames")


def identity_rows(identity: Identity) -> list[tuple[str, str | int]]:
    """The rows of the first two columns."""
    return [
        ("format", FORMAT_VERSION),
        ("workspace", identity.workspace),
        ("tracker", identity.tracker),
        ("serial", identity.serial),
    ]


def lists(names: Names) -> list[tuple[str, int, list[str]]]:
    """(defined name, column, words) of the two drop-downs."""
    return [
        (STATUS_LIST, STATUS_COLUMN, list(names.statuses)),
        (PEOPLE_LIST, PEOPLE_COLUMN, list(names.people.values())),
    ]


def list_reference(column: int, count: int) -> str:
    """What a list's defined name refers to."""
    letter = "ABCDE"[column]
    return f"{HIDDEN_SHEET}!${letter}$1:${letter}${max(count, 1)}"


def write_hidden(package: Package, book: Element, identity: Identity, names: Names) -> dict[str, bytes]:
    """The changed parts; `book` (workbook.xml) is changed in place, and stays with the caller."""
    part = package.sheets().get(HIDDEN_SHEET)
    changed = {} if part else _add_sheet(package, book)
    sheet = SheetXml(package.parts[part] if part else _EMPTY)
    for row, (key, value) in enumerate(identity_rows(identity)):
        sheet.put(row, 0, key)
        if isinstance(value, int):
            sheet.put_number(row, 1, value)
        else:
            sheet.put(row, 1, value)
    for name, column, words in lists(names):
        _write_list(sheet, column, words)
        _define(book, name, list_reference(column, len(words)))
    return {**changed, part or PART: sheet.to_bytes()}


def recalculate_on_load(book: Element) -> None:
    """Formulas of people may count our cells: their office program computes them anew when it opens."""
    calculation = book.find(tag("calcPr"))
    if calculation is None:
        calculation = _insert(book, "calcPr", _BEFORE_CALC)
    calculation.set("fullCalcOnLoad", "1")


def _write_list(sheet: SheetXml, column: int, words: Sequence[str]) -> None:
    for row in range(max(len(words), sheet.bottom() + 1)):
        sheet.put(row, column, words[row] if row < len(words) else None)


def _define(book: Element, name: str, reference: str) -> None:
    found = defined_name(book, name)
    if found is None:
        holder = book.find(tag("definedNames"))
        holder = _insert(book, "definedNames", _BEFORE_NAMES) if holder is None else holder
        found = child(holder, "definedName")
        found.set("name", name)
    found.text = reference


def _insert(book: Element, name: str, after: Sequence[str]) -> Element:
    made = element(name)
    before = [found for found in book if found.tag in {tag(other) for other in after}]
    before[-1].addnext(made)
    return made


def _add_sheet(package: Package, book: Element) -> dict[str, bytes]:
    sheets = book.find(tag("sheets"))
    for old in [sheet for sheet in sheets if sheet.get("name") == HIDDEN_SHEET]:
        sheets.remove(old)
    relation = _free_id(package)
    sheet = child(sheets, "sheet")
    sheet.set("name", HIDDEN_SHEET)
    sheet.set("sheetId", str(max((int(other.get("sheetId", 0)) for other in sheets), default=0) + 1))
    sheet.set("state", "veryHidden")
    sheet.set(f"{{{RELATIONS}}}id", relation)
    return {_TYPES: _with_type(package), _RELATIONS_PART: _with_relation(package, relation)}


def _free_id(package: Package) -> str:
    used = {relation.get("Id") for relation in parse(package.parts[_RELATIONS_PART])}
    return next(name for number in range(1, len(used) + 2) if (name := f"rIdTicssync{number}") not in used)


def _with_type(package: Package) -> bytes:
    root = parse(package.parts[_TYPES])
    names = {found.get("PartName") for found in root}
    if f"/{PART}" not in names:
        override = root.makeelement(root.tag.replace("Types", "Override"), nsmap=root.nsmap)
        override.set("PartName", f"/{PART}")
        override.set("ContentType", _SHEET_TYPE)
        root.append(override)
    return to_bytes(root)


def _with_relation(package: Package, relation: str) -> bytes:
    root = parse(package.parts[_RELATIONS_PART])
    made = root.makeelement(root.tag.replace("Relationships", "Relationship"), nsmap=root.nsmap)
    made.set("Id", relation)
    made.set("Type", f"{RELATIONS}/worksheet")
    made.set("Target", PART.partition("/")[2])
    root.append(made)
    return to_bytes(root)
