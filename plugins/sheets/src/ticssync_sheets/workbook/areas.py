"""Cell references: `A5:K50`, `$B$3`, `C:C`, `4:9`.  Rows and columns count from 0 here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from ticssync.plugin import cell_name

MAX_ROW: Final = 1_048_575
MAX_COLUMN: Final = 16_383

_END: Final = re.compile(r"\$?([A-Za-z]{1,3})?\$?([0-9]{1,7})?")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    def __contains__(self, cell: tuple[int, int]) -> bool:
        return self.top <= cell[0] <= self.bottom and self.left <= cell[1] <= self.right

    def crosses(self, other: Area) -> bool:
        """Whether the two have a cell in common."""
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    def down_to(self, bottom: int) -> Area:
        """The same columns, ending at another row."""
        return replace(self, bottom=bottom)

    def __str__(self) -> str:
        first, last = cell_name(self.top, self.left), cell_name(self.bottom, self.right)
        return first if first == last else f"{first}:{last}"


def parse_area(text: str) -> Area | None:
    """The area that a reference names, None where it is none (a name, a broken #REF!)."""
    first, _, last = text.partition(":")
    begin, end = _END.fullmatch(first), _END.fullmatch(last or first)
    if not begin or not end or not (begin[1] or begin[2]) or not (end[1] or end[2]):
        return None
    return Area(
        top=int(begin[2]) - 1 if begin[2] else 0,
        left=column_index(begin[1]) if begin[1] else 0,
        bottom=int(end[2]) - 1 if end[2] else MAX_ROW,
        right=column_index(end[1]) if end[1] else MAX_COLUMN,
    )


def column_index(letters: str) -> int:
    """0 for A, 27 for AB."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def place_of(name: str) -> tuple[int, int]:
    """(row, column) of `C5`.  Raises ValueError where it is no single cell."""
    area = parse_area(name)
    if area is None:
        raise ValueError(name)
    return area.top, area.left


def extend_list(text: str, within: Area, bottom: int) -> str:
    """A list of areas (`sqref`) with each one that ends on the last row of `within` led down to `bottom`."""
    return " ".join(_extend(part, within, bottom) for part in text.split())


def _extend(text: str, within: Area, bottom: int) -> str:
    area = parse_area(text)
    if area is None or area.bottom != within.bottom or not area.crosses(within):
        return text
    return str(area.down_to(bottom))
