"""Cells ↔ canonical values.  Pure.

Law: what `encode` writes, `decode` reads back as `view`, and `view(view(v)) == view(v)`.
An empty cell is None in every field.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, TypeAlias

from ticssync.plugin import Cell, DateProblem, FieldValue, canonical_text, cell_text, read_date
from ticssync_sheets.workbook.names import Names, same_text

Content: TypeAlias = str | date | None
"""What is put into a cell: text, a day, or nothing."""

DATES: Final = frozenset({"due", "start"})
CELL_MAX: Final = 32_767
"""UTF-16 units that a cell of Excel holds (Microsoft, "Excel specifications and limits")."""

# Excel counts a 29 February 1900 that never was; before this day its numbers and the calendar disagree.
_FIRST_DAY: Final = date(1900, 3, 1)
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BETWEEN: Final = re.compile(r"[、,;\n]")


class Undecodable(ValueError):  # noqa: N818 - an answer about a cell, not a failure
    """This cell says nothing that the field can hold; the message, in the reader's language, says why."""


def decode(field: str, cell: Cell, names: Names) -> FieldValue:
    """The canonical value of a cell.  Raises Undecodable; nothing is guessed."""
    if field in DATES:
        return _day(cell, names)
    text = clean_text(cell_text(cell))
    if not text.strip():
        return None
    if field == "status":
        return _status(text, names)
    if field == "assignee":
        return _person(text, names)
    if field == "labels":
        return tuple(sorted({part.strip() for part in _BETWEEN.split(text) if part.strip()})) or None
    return text


def encode(field: str, value: FieldValue, names: Names) -> Content:
    """What to put into the cell for a canonical value; None where the workbook cannot show it."""
    if value is None:
        return None
    if field in DATES:
        return _content_of_day(value)
    if field == "status":
        return names.table.remote_status(str(value))
    if field == "assignee":
        return names.people.get(str(value))
    if isinstance(value, tuple):
        return clean_text("、".join(sorted(value))) or None
    return clean_text(cell_text(value)) or None


def view(field: str, value: FieldValue, names: Names) -> FieldValue:
    """What the workbook can show of a value."""
    return decode(field, encode(field, value, names), names)


def clean_text(text: str) -> str:
    """Text as a cell can hold it: canonical, without characters that XML forbids, at most CELL_MAX units."""
    clean = canonical_text(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text))
    if len(clean) <= CELL_MAX // 2:
        return clean
    units = clean.encode("utf-16-le")
    if len(units) <= CELL_MAX * 2:
        return clean
    return canonical_text(units[: CELL_MAX * 2].decode("utf-16-le", "ignore"))


def _content_of_day(value: FieldValue) -> Content:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return None
    return day if day >= _FIRST_DAY else day.isoformat()


def _day(cell: Cell, names: Names) -> FieldValue:
    try:
        day = read_date(cell)
    except DateProblem as problem:
        raise Undecodable(names.text("{why}", why=problem.args[0])) from None
    return day.isoformat() if day else None


def _status(text: str, names: Names) -> str:
    if text in names.statuses:
        return names.statuses[text]
    meant = {known for word, known in names.statuses.items() if same_text(word) == same_text(text)}
    if len(meant) == 1:
        return meant.pop()
    raise Undecodable(
        names.text(
            "“{text}” is not a status: choose one of {known}", text=text, known=" · ".join(names.statuses)
        )
    )


def _person(text: str, names: Names) -> str:
    wanted = same_text(text)
    meant = [person for person, name in names.people.items() if same_text(name) == wanted]
    meant = meant or [person for person in names.people if same_text(person) == wanted]
    if len(meant) == 1:
        return meant[0]
    if len(meant) > 1:
        raise Undecodable(names.text("“{text}” is the name of several people", text=text))
    raise Undecodable(names.text("“{text}” is not in the list of people", text=text))
