"""data/index/index.xlsx: a row per criterion and per piece of evidence, and empty columns for the auditor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias
from unicodedata import east_asian_width

from ticssync.bundle.contents import Contents
from ticssync.bundle.documents import log_head
from ticssync.bundle.labels import label, purpose_label
from ticssync.bundle.report.shown import day_text, speak
from ticssync.bundle.report.view import (
    EvidenceRow,
    confirmation,
    evidence_rows,
    grouped_by_state,
    scopes_shown,
)
from ticssync.bundle.snapshot import Standing
from ticssync.model.canonical import storable_text
from ticssync.model.criterion import Words
from ticssync.tables import Book
from ticssync.tables.read import Cell

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Column: TypeAlias = tuple[str, float]
"""English message of the heading, width in characters."""

CELL_MAX: Final = 32_000
"""Excel holds 32,767 characters in a cell; what is longer stands in full in the JSON of the criterion."""
_TOP: Final = 3
_INK: Final = "#17426E"
_LINE: Final = "#C9D2DB"
_TONES: Final = {
    "confirmed": "#EAF6EF",
    "reported": "#FFF8E1",
    "in_progress": "#FFFFFF",
    "not_started": "#FFFFFF",
    "excluded": "#F4F7FA",
    "not_applicable": "#F4F7FA",
}
_AUDITOR: Final[Sequence[Column]] = (("Judgement", 8), ("Remarks", 28), ("Name, date", 13))
_CRITERIA: Final[Sequence[Column]] = (
    ("Official no.", 12),
    ("Item", 7),
    ("Chapter of the catalogue", 14),
    ("Title of the item", 32),
    ("State", 13),
    ("late", 6),
    ("Task in the tracker", 9),
    ("Evidence", 11),
    ("Evidence no.", 11),
    ("Confirmed by", 12),
    ("Day", 10.5),
    ("Way of the entry", 15),
    ("Remark on the confirmation", 10),
    ("Owner", 11),
    ("Due day", 10.5),
    ("Tickets", 9),
    ("Basis of the item", 17),
)
_EVIDENCE: Final[Sequence[Column]] = (
    ("Evidence no.", 9),
    ("Item", 7),
    ("Original name", 32),
    ("File", 25),
    ("How it is kept", 20),
    ("Confidentiality class", 9),
    ("Dated", 10.5),
    ("Valid until", 10.5),
    ("Past its date", 8),
    ("Handed in by", 11),
    ("Way of the entry", 14),
    ("Size in bytes", 10),
    ("SHA-256", 36),
    ("Note", 26),
)
_ABOUT: Final[Sequence[Column]] = (("", 28), ("", 96))


class _Pen:
    """One workbook in one language: headings, rows and the house's formats."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.lang = contents.snapshot.lang
        self.book = Book(title=f"TICS {contents.snapshot.as_of.isoformat()}")
        self.say = speak(contents.locales)
        edge = {"border": 1, "border_color": _LINE}
        self.cell = self.book.style(text_wrap=True, valign="top", font_size=9, **edge)
        self.blank = self.book.style(bg_color="#FFFDF3", text_wrap=True, valign="top", font_size=9, **edge)
        self.head = self.book.style(
            bold=True, font_color="#FFFFFF", bg_color=_INK, text_wrap=True, font_size=9, **edge
        )
        self.theirs = self.book.style(
            bold=True, font_color="#5C4300", bg_color="#F3E3AE", text_wrap=True, font_size=9, **edge
        )
        self.title = self.book.style(bold=True, font_size=14)
        self.soft = self.book.style(font_color="#5B6875", font_size=9)

    def text(self, message: str, **values: object) -> str:
        """A message in the workbook's language."""
        return self.words(self.say(message, **values))

    def words(self, words: Words) -> str:
        """Words in the workbook's language."""
        return words.in_language(self.lang)

    def code(self, table: str, code: object) -> str:
        """The word for a code in the workbook's language."""
        return self.words(label(table, code))

    def tone(self, state: str) -> Format:
        """The format of a state's cell."""
        color = _TONES.get(state, "#FFF4EC")
        format_: Format = self.book.style(
            text_wrap=True, valign="top", font_size=9, border=1, border_color=_LINE, bg_color=color, bold=True
        )
        return format_

    def sheet(
        self, name: str, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]
    ) -> Worksheet:
        """A sheet with title lines, a heading, these rows and the auditor's columns beside them."""
        sheet: Worksheet = self.book.sheet(name[:31])
        snapshot = self.contents.snapshot
        self.book.put(sheet, 0, 0, title, self.title)
        as_of = self.text(
            "{company} · as of {day} · {purpose}",
            company=snapshot.company,
            day=snapshot.as_of.isoformat(),
            purpose=purpose_label(snapshot.purpose),
        )
        self.book.put(sheet, 1, 0, cut(as_of), self.soft)
        first = len(columns)
        self.book.put(sheet, _TOP - 1, first, self.text("For the auditor"), self.theirs)
        for column, (message, width) in enumerate([*columns, *_AUDITOR]):
            sheet.set_column(column, column, width)
            self.book.put(
                sheet, _TOP, column, self.text(message), self.head if column < first else self.theirs
            )
        for row, values in enumerate(rows, _TOP + 1):
            sheet.set_row(row, row_height(values, columns))
            self.book.row(sheet, row, [cut(value) for value in values], self.cell)
            self.book.row(sheet, row, {first + column: None for column in range(len(_AUDITOR))}, self.blank)
        self._for_print(sheet, len(rows), first + len(_AUDITOR))
        return sheet

    def _for_print(self, sheet: Worksheet, rows: int, columns: int) -> None:
        sheet.freeze_panes(_TOP + 1, 2)
        sheet.autofilter(_TOP, 0, _TOP + max(rows, 1), columns - 1)
        sheet.set_landscape()
        sheet.set_paper(8)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_TOP)
        sheet.set_margins(0.4, 0.4, 0.5, 0.5)
        sheet.set_footer("&C&P / &N")


def index_book(contents: Contents) -> bytes:
    """The workbook: criteria with open items first, evidence, what it rests on.  Texts are always texts."""
    pen = _Pen(contents)
    ordered = [one for _, group in grouped_by_state(contents) for one in group]
    rows = [_criterion_row(pen, one) for one in ordered]
    sheet = pen.sheet(
        pen.text("Criteria"), pen.text("Index by criterion (open items first)"), _CRITERIA, rows
    )
    for row, one in enumerate(ordered, _TOP + 1):
        pen.book.put(sheet, row, 4, rows[row - _TOP - 1][4], pen.tone(one.state))
    evidence = [_evidence_row(pen, row) for row in evidence_rows(contents, contents.snapshot.evidence)]
    pen.sheet(pen.text("Evidence"), pen.text("Evidence"), _EVIDENCE, evidence)
    _about(pen)
    return pen.book.bytes()


def _criterion_row(pen: _Pen, one: Standing) -> list[Cell]:
    entry = one.entry
    return [
        ", ".join(one.official) or pen.text("official number not filled in"),
        one.id,
        pen.words(one.chapter),
        pen.words(one.title),
        pen.code("state", one.state),
        pen.text("late") if one.late else "",
        pen.code("task_status", entry.get("task_status")),
        pen.code("evidence_state", entry.get("evidence_state")),
        "\n".join(item.id for item in one.evidence),
        *_confirmation_cells(pen, one),
        str(entry.get("owner_name") or entry.get("owner") or ""),
        day_text(entry.get("due_on")),
        "\n".join(str(ticket.get("key") or "") for ticket in one.tickets),
        pen.code("basis", one.item.get("basis")),
    ]


def _confirmation_cells(pen: _Pen, one: Standing) -> list[Cell]:
    """Who, on which day, what and which way, and the flags that an auditor asks about."""
    act = confirmation(one)
    if act is None:
        return [None, None, None, None]
    flags = []
    if act.get("self_confirmed"):
        flags.append(pen.text("self-confirmed"))
    if act.get("on_behalf"):
        flags.append(pen.text("entered on behalf"))
    return [
        str(act.get("person_name") or act.get("person") or ""),
        day_text(act.get("on")),
        f"{pen.code('act', act.get('kind'))} ({pen.code('channel', act.get('channel'))})",
        "、".join(flags),
    ]


def _evidence_row(pen: _Pen, row: EvidenceRow) -> list[Cell]:
    item = row.item
    return [
        item.id,
        item.criterion.partition("/")[2] or item.criterion,
        row.name or pen.text("name withheld"),
        row.path,
        pen.words(row.why or label("keep_mode", item.keep_mode)),
        item.evidence_class,
        day_text(item.dated_on),
        day_text(item.valid_until),
        pen.text("past its date") if row.expired else "",
        item.handed_in_by,
        pen.code("channel", item.channel),
        item.size if item.sha256 else None,
        item.sha256,
        row.note,
    ]


def _about(pen: _Pen) -> None:
    sheet = pen.book.sheet(pen.text("About this list")[:31])
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 96)
    pen.book.put(sheet, 0, 0, pen.text("About this list"), pen.title)
    for row, (name, value) in enumerate(_facts(pen), 2):
        pen.book.put(sheet, row, 0, name, pen.head)
        pen.book.put(sheet, row, 1, cut(value), pen.cell)
        sheet.set_row(row, row_height((name, value), _ABOUT))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _facts(pen: _Pen) -> Iterable[tuple[str, Cell]]:
    snapshot = pen.contents.snapshot
    head = log_head(snapshot.events)
    yield pen.text("Company"), snapshot.company
    yield pen.text("As of"), snapshot.as_of.isoformat()
    yield pen.text("Handling class"), snapshot.handling_class or "—"
    yield (
        pen.text("What it shows"),
        pen.text(
            "This index shows what was reported, what evidence is held, and who confirmed what and how. "
            "It does not state the outcome of an audit."
        ),
    )
    for row in scopes_shown(pen.contents):
        yield (
            pen.text("Criteria"),
            f"{row['scope'].get('catalog') or row['scheme']} {row['scope'].get('edition') or ''}",
        )
        yield pen.text("Working catalogue, not the official text."), pen.words(row["basis"])
        yield pen.text("Digest of the criteria"), str(row["scope"].get("digest") or "—")
    yield pen.text("Last event of the log"), f"{head['seq']} · {head['hash']}"
    yield pen.text("Made by"), f"ticssync {snapshot.tool_version}"


def cut(value: Cell) -> Cell:
    """A cell as Excel can hold it: text over 32,000 characters ends in …, a lone surrogate becomes U+FFFD."""
    if not isinstance(value, str):
        return value
    text = storable_text(value)
    return text if len(text) <= CELL_MAX else text[:CELL_MAX] + "…"


def row_height(values: Sequence[Cell], columns: Sequence[Column]) -> float:
    """Height in points that shows every wrapped line; a Japanese character is two wide.

    Excel and LibreOffice do not agree on when to fit a row by themselves, so it is said here.
    """
    lines = [_lines(str(value), width) for value, (_, width) in zip(values, columns, strict=False) if value]
    return min(409.0, 5 + 12.5 * max(lines, default=1))


def _lines(text: str, width: float) -> int:
    room = max(width * 1.12, 1)  # widths count characters of 10 points, the cells have 9
    return sum(max(1, -(-_wide(line) // int(room))) for line in text[:CELL_MAX].split("\n"))


def _wide(line: str) -> int:
    return sum(2 if east_asian_width(char) in "WFA" else 1 for char in line)
