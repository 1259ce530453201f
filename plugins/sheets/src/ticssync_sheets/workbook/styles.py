"""Cell styles: whether a style shows days, and one that does, made from one that does not.

Written from ECMA-376 Part 1, 18.8 (styles).
"""

from __future__ import annotations

import copy
import re
from typing import Final

from ticssync_sheets.workbook.xml import parse, tag, to_bytes

_BUILT_IN_DATES: Final = frozenset({*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)})
_SHORT_DATE: Final = 14
_NO_DATE: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|general|e[+-]', re.IGNORECASE)
_DATE: Final = re.compile("[yd]|ge|^e", re.IGNORECASE)


class Styles:
    """The part xl/styles.xml."""

    def __init__(self, raw: bytes) -> None:
        self._root = parse(raw)
        self._formats = self._root.find(tag("cellXfs"))
        self._made: dict[int, int] = {}
        self.changed = False

    def for_days(self, style: int) -> int:
        """A style that shows a day and else looks like `style`."""
        if style not in self._made:
            self._made[style] = style if self._shows_days(style) else self._with_date(style)
        return self._made[style]

    def to_bytes(self) -> bytes:
        """The part as it goes back into the package."""
        return to_bytes(self._root)

    def _shows_days(self, style: int) -> bool:
        if not 0 <= style < len(self._formats):
            return False
        number = int(self._formats[style].get("numFmtId", 0))
        for known in self._root.iter(tag("numFmt")):
            if known.get("numFmtId") == str(number) and known.getparent().tag == tag("numFmts"):
                return bool(_DATE.search(_NO_DATE.sub("", known.get("formatCode", ""))))
        return number in _BUILT_IN_DATES

    def _with_date(self, style: int) -> int:
        source = self._formats[style if 0 <= style < len(self._formats) else 0]
        made = copy.deepcopy(source)
        made.set("numFmtId", str(_SHORT_DATE))
        made.set("applyNumberFormat", "1")
        self._formats.append(made)
        self._formats.set("count", str(len(self._formats)))
        self.changed = True
        return len(self._formats) - 1
