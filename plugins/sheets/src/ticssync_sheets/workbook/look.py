"""The first file: a workbook that people like to open.  Made once; from then on cells are edited in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from ticssync.plugin import Book, cell_name
from ticssync_sheets.workbook.convert import DATES, Content
from ticssync_sheets.workbook.guide import write_guide
from ticssync_sheets.workbook.heights import row_height
from ticssync_sheets.workbook.hidden import identity_rows, list_reference, lists
from ticssync_sheets.workbook.names import (
    HIDDEN_SHEET,
    MARKER,
    NUMBER,
    PEOPLE_LIST,
    PEOPLE_WRITE,
    STATUS_LIST,
    Names,
    word,
)
from ticssync_sheets.workbook.package import open_package
from ticssync_sheets.workbook.reading import Identity
from ticssync_sheets.workbook.sheet_xml import SheetXml

Sheet: TypeAlias = Any
Format: TypeAlias = Any
"""XlsxWriter ships no types."""

HEADER: Final = 4
"""The header row, counted from 0: title, how to use, progress and colours, a thin gap above it."""

NAVY: Final = "#1F3A5F"
INK: Final = "#22303C"
LINE: Final = "#C9D2DB"
PAPER: Final = "#F4F7FA"
INPUT_HEAD: Final = "#B45F06"
INPUT: Final = "#FFF9E8"
RED: Final = ("#F8D0CC", "#9C1C14")
AMBER: Final = ("#FDE8B8", "#7A4B00")
GREEN: Final = ("#D3EBD8", "#1B5E2B")
BLUE: Final = ("#D6E6F8", "#174A80")
GREY: Final = ("#E6E9EC", "#5B6670")

SOON_DAYS: Final = 14
_DEEP: Final = 5000
_A3: Final = 8
_WIDTHS: Final = {
    NUMBER: 9, "title": 30, "body": 52, "chapter": 18, "status": 12, "assignee": 14, "due": 13, "start": 13,
    "evidence": 32, "from_office": 28, "confirmation": 14, "priority": 9,
}  # fmt: skip
_WIDTH: Final = 20
_CENTRED: Final = frozenset({NUMBER, "status", "assignee", "due", "start", "confirmation", "priority"})


def first_file(rows: Sequence[Mapping[str, Content]], identity: Identity, names: Names) -> bytes:
    """The bytes of a new workbook with these rows (field or `marker` → content), at least one."""
    book = Book(title=names.label("title"))
    sheet = book.sheet(names.sheet)
    columns = list(names.columns())
    bottom = HEADER + max(len(rows), 1)
    _band(book, sheet, columns, names)
    _table(book, sheet, columns, rows)
    _drop_downs(sheet, columns, bottom, names)
    _colours(book, sheet, columns, bottom, names)
    _paper(sheet, names)
    write_guide(book, names)
    _hidden(book, identity, names)
    sheet.activate()
    return _with_heights(book.bytes(), rows, names)


def _with_heights(raw: bytes, rows: Sequence[Mapping[str, Content]], names: Names) -> bytes:
    # XlsxWriter can only write heights that are fixed, and a fixed row no longer grows with its text.
    package = open_package(raw, names.text)
    part = package.sheets()[names.sheet]
    sheet = SheetXml(package.parts[part])
    fields = [name for name, _ in names.columns() if name != MARKER]
    for index, row in enumerate(rows, start=HEADER + 1):
        cells = [(str(row.get(name) or ""), _WIDTHS.get(name, _WIDTH)) for name in fields]
        sheet.set_height(index, row_height(cells))
    return package.with_parts({part: sheet.to_bytes()})


def first_cells(rows: Sequence[Mapping[str, Content]], names: Names) -> dict[tuple[int, int], Content]:
    """What the cells of such a file must say when it is read back, by (row, column)."""
    return {
        (index, column): row.get(name)
        for index, row in enumerate(rows, start=HEADER + 1)
        for column, (name, _) in enumerate(names.columns())
    }


def _band(book: Book, sheet: Sheet, columns: Sequence[tuple[str, str]], names: Names) -> None:
    last = len(columns) - 1
    title = names.label("title") + (f"　{names.company}" if names.company else "")
    sheet.set_row(0, 36)
    sheet.set_row(1, 22)
    sheet.set_row(2, 22)
    sheet.set_row(3, 6)
    sheet.merge_range(0, 0, 0, last, "", book.style(bg_color=NAVY))
    book.put(
        sheet, 0, 0, title, book.style(bold=True, font_size=18, font_color="#FFFFFF", bg_color=NAVY, indent=1)
    )
    sheet.merge_range(1, 0, 1, last, "", book.style(bg_color=PAPER))
    book.put(sheet, 1, 0, _how(names), book.style(bg_color=PAPER, font_color=INK, indent=1))
    _progress(book, sheet, columns, names)


def _how(names: Names) -> str:
    own = [names.heads[name] for name in PEOPLE_WRITE if name in names.heads]
    return names.text(
        "Fill in the columns with the orange head ({heads}); ticssync keeps the others. Sort and"
        " filter with the"
        " arrows in the header row. More on the sheet “{guide}”.",
        heads=" · ".join(own),
        guide=names.label("guide"),
    )


def _progress(book: Book, sheet: Sheet, columns: Sequence[tuple[str, str]], names: Names) -> None:
    places = {name: index for index, (name, _) in enumerate(columns)}
    style = book.style(bold=True, font_color=INK, indent=1)
    if formula := _progress_formula(places, names):
        sheet.merge_range(2, 0, 2, min(places.get("title", 2), len(columns) - 1), "", style)
        sheet.write_formula(2, 0, formula, style, "")
    chips = [
        (word(names.text, "期限超過", "overdue"), RED),
        (names.text("due within {days} days", days=SOON_DAYS), AMBER),
        (word(names.text, "完了", "done"), GREEN),
        (names.label("confirmation_waiting"), BLUE),
    ]
    wanted = [places[name] for name in ("status", "assignee", "due", "confirmation") if name in places]
    for column, (chip, (fill, ink)) in zip(wanted, _in_order(chips, places), strict=False):
        look = book.style(
            bg_color=fill,
            font_color=ink,
            align="center",
            font_size=9,
            border=1,
            border_color="#FFFFFF",
            shrink=True,
        )
        book.put(sheet, 2, column, chip, look)


def _in_order(
    chips: list[tuple[str, tuple[str, str]]], places: Mapping[str, int]
) -> list[tuple[str, tuple[str, str]]]:
    overdue, soon, done, waiting = chips
    return [
        chip
        for name, chip in (("status", done), ("assignee", overdue), ("due", soon), ("confirmation", waiting))
        if name in places
    ]


def _progress_formula(places: Mapping[str, int], names: Names) -> str:
    if not {"status", NUMBER, "due"} <= places.keys() or not names.closed_words():
        return ""
    areas = {name: _deep(places[name]) for name in ("status", NUMBER, "due")}
    done = "+".join(f"COUNTIF({areas['status']},{_quoted(word)})" for word in names.closed_words())
    late = "".join(f',{areas["status"]},"<>"&{_quoted(word)}' for word in names.closed_words())
    overdue = f'COUNTIFS({areas["due"]},"<"&TODAY(),{areas["due"]},">0"{late})'
    first, middle, last = names.text("done {done} of {all}, overdue {late}").replace("{done}", "\0").replace(
        "{all}", "\0").replace("{late}", "\0").split("\0")[:3]  # fmt: skip
    return f"={_quoted(first)}&({done})&{_quoted(middle)}&COUNTA({areas[NUMBER]})&{_quoted(last)}&{overdue}"


def _deep(column: int) -> str:
    letters = cell_name(0, column)[:-1]
    return f"${letters}${HEADER + 2}:${letters}${_DEEP}"


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _table(
    book: Book, sheet: Sheet, columns: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Content]]
) -> None:
    heads = [{"header": head, "header_format": _head_style(book, name)} for name, head in columns]
    area = (HEADER, 0, HEADER + max(len(rows), 1), len(columns) - 1)
    sheet.set_row(HEADER, 26)
    sheet.add_table(*area, {"columns": heads, "name": "ticssync_tasks", "style": None, "autofilter": True})
    for column, (name, _) in enumerate(columns):
        style = _body_style(book, name)
        width = _WIDTHS.get(name, _WIDTH)
        sheet.set_column(column, column, width, None, {"hidden": True} if name == MARKER else None)
        for index, row in enumerate(rows or [{}], start=HEADER + 1):
            book.put(sheet, index, column, row.get(name), style)


def _head_style(book: Book, name: str) -> Format:
    fill = INPUT_HEAD if name in PEOPLE_WRITE else NAVY
    return book.style(
        bold=True,
        font_color="#FFFFFF",
        bg_color=fill,
        border=1,
        border_color="#FFFFFF",
        align="center",
        text_wrap=True,
    )


def _body_style(book: Book, name: str) -> Format:
    look: dict[str, Any] = {
        "border": 1,
        "border_color": LINE,
        "valign": "vcenter",
        "text_wrap": True,
        "font_color": INK,
    }
    if name in PEOPLE_WRITE:
        look["bg_color"] = INPUT
    if name in _CENTRED:
        look["align"] = "center"
    if name in DATES:
        look["num_format"] = "yyyy/mm/dd"
    elif name not in PEOPLE_WRITE:
        look["num_format"] = "@"
    if name in {NUMBER, "title"}:
        look["bold"] = True
    return book.style(**look)


def _drop_downs(sheet: Sheet, columns: Sequence[tuple[str, str]], bottom: int, names: Names) -> None:
    wanted = {
        "status": (STATUS_LIST, names.statuses, "stop", names.text("Choose one of the words in the list.")),
        "assignee": (
            PEOPLE_LIST, names.people, "warning",
            names.text("This name is not in the list of people. Ask the office to add it."),
        ),
    }  # fmt: skip
    for column, (name, head) in enumerate(columns):
        if name not in wanted or not wanted[name][1]:
            continue
        source, _, kind, message = wanted[name]
        rule = {
            "validate": "list", "source": f"={source}", "error_type": kind,
            "error_title": head[:32], "error_message": message[:255],
        }  # fmt: skip
        sheet.data_validation(HEADER + 1, column, bottom, column, rule)


def _colours(book: Book, sheet: Sheet, columns: Sequence[tuple[str, str]], bottom: int, names: Names) -> None:
    places = {name: index for index, (name, _) in enumerate(columns)}
    for name, formula, (fill, ink) in _rules(places, names):
        look = book.raw.add_format({"bg_color": fill, "font_color": ink})
        rule = {"type": "formula", "criteria": formula, "format": look, "stop_if_true": False}
        sheet.conditional_format(HEADER + 1, places[name], bottom, places[name], rule)


def _rules(places: Mapping[str, int], names: Names) -> list[tuple[str, str, tuple[str, str]]]:
    cells = {name: f"${cell_name(HEADER + 1, column)}" for name, column in places.items()}
    closed = ",".join(f"{cells.get('status')}={_quoted(word)}" for word in names.closed_words())
    is_open = f"NOT(OR({closed}))" if closed and "status" in cells else "TRUE"
    found = []
    if closed and "status" in cells:
        found.append(("status", f"=OR({closed})", GREEN))
    if "due" in cells:
        due = cells["due"]
        found.append(("due", f"=AND(ISNUMBER({due}),{due}<TODAY(),{is_open})", RED))
        found.append(
            ("due", f"=AND(ISNUMBER({due}),{due}>=TODAY(),{due}<=TODAY()+{SOON_DAYS},{is_open})", AMBER)
        )
    if "confirmation" in cells:
        for label, look in (("confirmation_waiting", BLUE), ("confirmation_done", GREEN)):
            quoted = _quoted(names.label(label))
            found.append(("confirmation", f"=ISNUMBER(FIND({quoted},{cells['confirmation']}))", look))
    if "from_office" in cells:
        found.append(("from_office", f"=LEN(TRIM({cells['from_office']}))>0", AMBER))
    return found


def _paper(sheet: Sheet, names: Names) -> None:
    visible = sum(1 for name in names.heads if name in {NUMBER, "title"})
    sheet.freeze_panes(HEADER + 1, visible + 1 if visible else 0)
    sheet.hide_gridlines(2)
    sheet.set_zoom(90)
    sheet.set_landscape()
    sheet.set_paper(_A3)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&L&9&F&C&9&P / &N&R&9&D")


def _hidden(book: Book, identity: Identity, names: Names) -> None:
    sheet = book.sheet(HIDDEN_SHEET)
    for row, (key, value) in enumerate(identity_rows(identity)):
        book.row(sheet, row, [key, value])
    for name, column, words in lists(names):
        for row, choice in enumerate(words):
            book.put(sheet, row, column, choice)
        book.raw.define_name(name, f"={list_reference(column, len(words))}")
    sheet.very_hidden()
