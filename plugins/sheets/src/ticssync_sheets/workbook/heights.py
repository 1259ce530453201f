"""How high a row must be for its texts.  Pure.

Excel and LibreOffice measure a row only when a person edits it, so a file that was written without them
carries heights; they are estimates, and a row keeps growing by itself because they are not marked as fixed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

LINE: Final = 13.5
"""Points of one line in the house font of 10 points."""

MARGIN: Final = 6.0
HIGHEST: Final = 409.0
"""Points; Excel's limit for a row."""

_WIDE: Final = 1.8
"""Column width that a full-width character takes, in digits of the house font."""


def row_height(cells: Iterable[tuple[str, float]]) -> float:
    """Points for a row with these (text, column width in digits), wrapped."""
    return min(max((lines(text, width) for text, width in cells), default=1) * LINE + MARGIN, HIGHEST)


def lines(text: str, width: float) -> int:
    """How many lines a text takes in a column of this width."""
    room = max(width - 1.0, 1.0)
    return sum(max(1, math.ceil(_width(line) / room)) for line in text.split("\n"))


def _width(line: str) -> float:
    return sum(_WIDE if ord(char) > 0x2E7F else 1.0 for char in line)
