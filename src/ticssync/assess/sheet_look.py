"""The 確認票 as it is handed out: A4 landscape, only the yellow cells can be written in."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, TypeAlias

from ticssync.assess.sheet_rows import (
    ANSWERED,
    FORM,
    HEADS,
    HIDDEN,
    HOLD,
    KIND,
    SIGNED,
    STATUS,
    VERDICTS,
    Proof,
    SheetRow,
    facts_digest,
    written,
)
from ticssync.model.assessment import ActKind
from ticssync.model.canonical import instant_text, storable_text
from ticssync.model.criterion import KeepMode, Words
from ticssync.model.person import Person
from ticssync.tables import Book
from ticssync.text import Text

Sheet: TypeAlias = Any
Format: TypeAlias = Any
"""XlsxWriter ships no types."""

Look: TypeAlias = str | int | bool

HEADER: Final = 5
"""The header row, counted from 0: the first answer is in G7."""

NAVY: Final = "#1F3A5F"
INK: Final = "#22303C"
SOFT: Final = "#5B6670"
LINE: Final = "#C9D2DB"
PAPER: Final = "#F4F7FA"
INPUT_HEAD: Final = "#B45F06"
INPUT: Final = "#FFF9E8"
AMBER: Final = "#7A4B00"
TONES: Final = {
    "confirm": ("#D3EBD8", "#1B5E2B"),
    "return": ("#F8D0CC", "#9C1C14"),
    "exclude": ("#E6E9EC", "#4A545D"),
}

_WIDTHS: Final = {
    "number": 8, "title": 23, "assignees": 12, "reported": 10, "evidence": 33, "notes": 24, "verdict": 10,
    "reason": 23, "on": 13,
}  # fmt: skip
_CENTRED: Final = frozenset({"number", "reported", "verdict", "on"})
_LAST: Final = len(_WIDTHS) - 1
_LINE: Final = 13.5
_LOWEST: Final = 44.0
"""Points of a row: room for an answer by hand on the printed page."""
_CELL_MAX: Final = 32_000
_NAME: Final = Words("確認票", "Confirmation sheet")
_MARKS: Final = {
    KeepMode.PAPER: Words("【紙】", "[paper] "),
    KeepMode.ON_SITE: Words("【現地】", "[on site] "),
}
_UNREADABLE: Final = Words("【読めません】", "[cannot be read] ")
_JOINT: Final = Words("・", " / ")
_DOT: Final = Words("・", "• ")
_NONE: Final = Words("（なし）", "(none)")


@dataclass(frozen=True, slots=True)
class _Form:
    """One sheet being written."""

    book: Book
    sheet: Sheet
    text: Text

    def word(self, words: Words) -> str:
        return words.in_language(self.text.lang)

    def line(
        self, row: int, content: str, height: float, columns: tuple[int, int] = (0, _LAST), **look: Look
    ) -> None:
        """One merged line."""
        style = self.book.style(**look)
        self.sheet.set_row(row, height)
        self.sheet.merge_range(row, columns[0], row, columns[1], "", style)
        self.book.put(self.sheet, row, columns[0], content, style)


def write_sheet(
    rows: Sequence[SheetRow],
    *,
    company: str,
    confirmer: Person,
    workspace: str,
    sheet_id: str,
    exported_at: datetime,
    zone: tzinfo,
    text: Text,
) -> bytes:
    """The workbook for one confirmer; equal input gives equal bytes.

    `exported_at` is an aware instant, shown as the day that it is in `zone`.  The language is that of `text`.
    """
    book = Book(title=_NAME.in_language(text.lang))
    form = _Form(book, book.sheet(_NAME.in_language(text.lang)), text)
    _head(form, len(rows), company, confirmer, exported_at.astimezone(zone))
    numbers = numbers_of(rows)
    heights = _table(form, rows, numbers, confirmer)
    bottom = HEADER + max(len(rows), 1)
    _answers(form, bottom)
    _foot(form, bottom + 1, sheet_id)
    _paper(form, bottom + 4, sheet_id)
    identity = {
        "workspace": workspace,
        "sheet": sheet_id,
        "exported_at": instant_text(exported_at),
        "person": confirmer.id,
        "name": confirmer.name,
    }
    _hidden(form, rows, numbers, identity)
    form.sheet.activate()
    return growing_rows(book.bytes(), heights)


def numbers_of(rows: Sequence[SheetRow]) -> tuple[str, ...]:
    """What stands in the number column: the item's id, with its scheme where two schemes have the same."""
    count = Counter(row.number for row in rows)
    return tuple(row.number if count[row.number] == 1 else row.ref for row in rows)


def _head(form: _Form, count: int, company: str, confirmer: Person, at: datetime) -> None:
    text = form.text
    title = form.word(_NAME) + (f"　{company}" if company else "")
    form.line(0, title, 36, bold=True, font_size=18, font_color="#FFFFFF", bg_color=NAVY, indent=1)
    about = text(
        "For: {name}     Issued: {day}     Items: {count}",
        name=confirmer.name,
        day=written(at.date()),
        count=count,
    )
    form.line(1, about, 26, bold=True, font_size=12, font_color=INK, bg_color=PAPER, indent=1)
    how = (
        text(
            "1. Look at the evidence of each row and choose a decision in the yellow column: {words}."
            " Blank and “{hold}” count as no answer.",
            words=form.word(_JOINT).join(form.word(words) for words in VERDICTS.values()),
            hold=form.word(HOLD),
        ),
        text(
            "2. “{returned}” and “{excluded}” need a reason. At the end write your name at the bottom, save,"
            " and give the file back to the office.",
            returned=form.word(VERDICTS[ActKind.RETURN]),
            excluded=form.word(VERDICTS[ActKind.EXCLUDE]),
        ),
    )
    for row, line in enumerate(how, start=2):
        form.line(row, line, 19, font_color=INK, bg_color=PAPER, indent=1)
    form.sheet.set_row(4, 8)


def _table(
    form: _Form, rows: Sequence[SheetRow], numbers: Sequence[str], confirmer: Person
) -> dict[int, float]:
    """Write head and rows; gives the heights by row (from 0)."""
    form.sheet.set_row(HEADER, 26)
    for column, (name, head) in enumerate(HEADS.items()):
        fill = INPUT_HEAD if name in ANSWERED else NAVY
        look = form.book.style(
            bold=True, font_color="#FFFFFF", bg_color=fill, border=1, border_color="#FFFFFF", align="center"
        )
        form.book.put(form.sheet, HEADER, column, form.word(head), look)
        form.sheet.set_column(column, column, _WIDTHS[name])
    if not rows:
        nothing = form.text("Nothing waits for your decision.")
        form.line(HEADER + 1, nothing, _LOWEST, (1, _LAST), border=1, border_color=LINE, align="center")
    heights = {}
    for index, (row, number) in enumerate(zip(rows, numbers, strict=True), start=HEADER + 1):
        shown = {"number": number, **_shown(form, row, confirmer)}
        for column, name in enumerate(HEADS):
            form.book.put(form.sheet, index, column, shown.get(name, "")[:_CELL_MAX], _style(form.book, name))
        heights[index] = _height(shown)
        form.sheet.set_row(index, heights[index])
    return heights


def _style(book: Book, name: str) -> Format:
    look: dict[str, Look] = {
        "border": 1,
        "border_color": LINE,
        "text_wrap": True,
        "font_color": INK,
        "valign": "vcenter",
    }
    look |= {"align": "center"} if name in _CENTRED else {"align": "left", "indent": 1}
    if name in {"number", "title", "verdict"}:
        look["bold"] = True
    if name == "notes":
        look["font_color"] = AMBER
    if name in ANSWERED:
        look |= {"bg_color": INPUT, "locked": False}
    look["num_format"] = "yyyy/mm/dd" if name == "on" else "General" if name in ANSWERED else "@"
    return book.style(**look)


def _shown(form: _Form, row: SheetRow, confirmer: Person) -> dict[str, str]:
    return {
        "title": storable_text(form.word(row.title)),
        "assignees": storable_text("\n".join(row.assignees)) or "—",
        "reported": "\n".join(_reported(form, row)),
        "evidence": storable_text("\n".join(_evidence(form, proof) for proof in row.proofs))
        or form.word(_NONE),
        "notes": storable_text("\n".join(_notes(form, row, confirmer))),
    }


def _reported(form: _Form, row: SheetRow) -> Iterator[str]:
    for status, count in Counter(row.statuses or (None,)).items():
        word = form.word(STATUS[status])
        yield word if len(row.statuses) < 2 else f"{word} × {count}"


def _evidence(form: _Form, proof: Proof) -> str:
    marks = form.word(_MARKS[KeepMode(proof.keep_mode)]) if proof.keep_mode in _MARKS else ""
    marks += "" if proof.readable else form.word(_UNREADABLE)
    day = written(proof.dated_on)
    if proof.valid_until is not None:
        until = written(proof.valid_until)
        line = form.text("{name} ({day}, valid until {until})", name=marks + proof.name, day=day, until=until)
    else:
        line = form.text("{name} ({day})", name=marks + proof.name, day=day)
    return form.word(_DOT) + line + (f"\n　{proof.note}" if proof.note else "")


def _notes(form: _Form, row: SheetRow, confirmer: Person) -> Iterator[str]:
    names = {confirmer.id, confirmer.mail, *confirmer.accounts.values()} - {""}
    yield from (form.text.said(note) for note in row.notes)
    if not names.isdisjoint({*row.working, *(proof.handed_in_by for proof in row.proofs)}):
        yield form.text("This is your own work: your confirmation is recorded as self-confirmed.")


def _height(shown: dict[str, str]) -> float:
    lines = max(_lines(content, _WIDTHS[name]) for name, content in shown.items())
    return min(max(lines * _LINE + 10, _LOWEST), 409.0)


def _lines(content: str, width: float) -> int:
    room = width - 2.5
    return sum(
        max(1, math.ceil(sum(1.8 if ord(char) > 0x2E7F else 1.0 for char in line) / room))
        for line in content.split("\n")
    )


def _answers(form: _Form, bottom: int) -> None:
    """The drop-down of the decision, and its colours."""
    column = list(HEADS).index("verdict")
    words = [form.word(words) for words in (*VERDICTS.values(), HOLD)]
    choice: dict[str, Any] = {
        "validate": "list", "source": words, "error_type": "stop", "error_title": form.word(HEADS["verdict"]),
        "error_message": form.text("Choose one of the words in the list."),
    }  # fmt: skip
    form.sheet.data_validation(HEADER + 1, column, bottom, column, choice)
    for kind, verdict in VERDICTS.items():
        fill, ink = TONES[kind.value]
        look = form.book.raw.add_format({"bg_color": fill, "font_color": ink})
        rule = {"type": "cell", "criteria": "==", "value": f'"{form.word(verdict)}"', "format": look}
        form.sheet.conditional_format(HEADER + 1, column, bottom, column, rule)


def _foot(form: _Form, row: int, sheet_id: str) -> None:
    form.sheet.set_row(row, 10)
    form.line(row + 1, form.word(SIGNED), 34, (4, 6), bold=True, font_color=INK, align="right", indent=1)
    look: dict[str, Look] = {
        "bg_color": INPUT,
        "border": 1,
        "border_color": INPUT_HEAD,
        "locked": False,
        "font_size": 12,
        "indent": 1,
    }
    form.line(row + 1, "", 34, (7, 8), **look)
    note = form.text(
        "Numbers and items are those of the working catalogue, not the official text."
        " No. of this sheet: {sheet}",
        sheet=sheet_id,
    )
    form.line(row + 2, note, 20, font_size=8, font_color=SOFT, indent=1)


def _paper(form: _Form, last: int, sheet_id: str) -> None:
    sheet = form.sheet
    sheet.protect("", {"format_cells": True, "format_columns": True, "format_rows": True})
    sheet.freeze_panes(HEADER + 1, 2)
    sheet.hide_gridlines(2)
    sheet.set_zoom(100)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.print_area(0, 0, last - 1, _LAST)
    sheet.repeat_rows(HEADER)
    sheet.center_horizontally()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer(f"&L&8&A  {sheet_id}&R&8&P / &N")
    sheet.set_selection(HEADER + 1, 6, HEADER + 1, 6)


def _hidden(form: _Form, rows: Sequence[SheetRow], numbers: Sequence[str], identity: dict[str, str]) -> None:
    """Whose sheet this is and what was shown, for reading it back."""
    sheet = form.book.sheet(HIDDEN)
    for index, pair in enumerate(
        {"kind": KIND, "form": str(FORM), **identity, "rows": str(len(rows))}.items()
    ):
        form.book.row(sheet, index, list(pair))
    for index, (row, number) in enumerate(zip(rows, numbers, strict=True), start=20):
        title = storable_text(form.word(row.title))[:_CELL_MAX]
        form.book.row(sheet, index, ["row", row.ref, number, title, facts_digest(row)])
    sheet.very_hidden()


def growing_rows(raw: bytes, heights: dict[int, float]) -> bytes:
    """The same workbook with rows that start at their height and still grow with what is written into them.

    XlsxWriter can only write heights that are fixed.  Source: ECMA-376 Part 1, 18.3.1.73 (`customHeight`).
    """
    part = "xl/worksheets/sheet1.xml"
    written_ = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as source,
        zipfile.ZipFile(written_, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for info in source.infolist():
            content = source.read(info)
            target.writestr(
                info, _ungrown(content, heights) if info.filename == part else content, zipfile.ZIP_DEFLATED
            )
    return written_.getvalue()


def _ungrown(xml: bytes, heights: dict[int, float]) -> bytes:
    wanted = {str(row + 1).encode() for row in heights}

    def free(match: re.Match[bytes]) -> bytes:
        return match[0].replace(b' customHeight="1"', b"") if match[1] in wanted else match[0]

    return re.sub(rb'<row r="(\d+)"[^>]*>', free, xml)
