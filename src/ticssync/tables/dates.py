"""Days as people write them in a cell: 2026/12/31, 2026年12月31日, 令和8年12月31日, R8.12.31, １２ in full width."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Final

from ticssync.errors import say
from ticssync.tables.read import Cell, cell_text

_ERAS: Final = {
    "令和": (date(2019, 5, 1), date(9999, 12, 31)),
    "平成": (date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (date(1926, 12, 25), date(1989, 1, 7)),
}
_LETTERS: Final = {"R": "令和", "H": "平成", "S": "昭和"}
_WESTERN: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_ERA: Final = re.compile(
    r"(令和|平成|昭和|[RHS])\s*(\d{1,2}|元)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.IGNORECASE
)
_NO_YEAR: Final = re.compile(r"\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")


class DateProblem(ValueError):  # noqa: N818 - an answer about a cell
    """This cell is no day that can be read without guessing; the message says why."""


def read_date(cell: Cell) -> date | None:
    """The day in a cell, None where it is empty.  Raises DateProblem; a missing year is never guessed."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    # NFKC for reading only: full-width digits and slashes.  The cell itself is left as it is.
    text = unicodedata.normalize("NFKC", cell_text(cell)).strip()
    if match := _ERA.fullmatch(text):
        return _era(match, text)
    if match := _WESTERN.fullmatch(text) or _COMPACT.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]), text)
    if _NO_YEAR.fullmatch(text):
        raise DateProblem(say("“{text}” has no year: write it as 2026-12-31", text=text))
    raise DateProblem(say("“{text}” is not a date: write it as 2026-12-31", text=text))


def _era(match: re.Match[str], text: str) -> date:
    name = _LETTERS.get(match[1].upper(), match[1])
    first, last = _ERAS[name]
    year = first.year - 1 + (1 if match[2] == "元" else int(match[2]))
    day = _day(year, int(match[3]), int(match[4]), text)
    if not first <= day <= last:
        raise DateProblem(say("“{text}”: there is no such day in the era {era}", text=text, era=name))
    return day


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateProblem(say("“{text}”: there is no such day", text=text)) from None
