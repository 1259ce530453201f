"""Our part of an issue's description.  Pure.

ticssync writes one block and leaves everything around it alone: people may write below it, and an issue that
was theirs before keeps its text above.  The block ends with a line that says so, and begins with one only where
other text stands above.  Without a custom field for the marker, the marker stands at the end of the closing line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ticssync.plugin import Marker, canonical_text

END: Final = {
    "ja": "▲ ここまでは ticssync が書きます。この行から下は自由にお書きください。",
    "en": "▲ Written by ticssync up to here. Below this line is yours.",
}
BEGIN: Final = {
    "ja": "▼ ここから下は ticssync が書きます。",
    "en": "▼ Written by ticssync from here on.",
}
_AT_END: Final = r"(?=\r|\n|\Z)"
_END: Final = re.compile(
    rf"^(?:{'|'.join(map(re.escape, END.values()))})(?: \[(?P<marker>ticssync\.[^\]\s]+)\])?[ \t]*{_AT_END}",
    re.MULTILINE,
)
_BEGIN: Final = re.compile(rf"^(?:{'|'.join(map(re.escape, BEGIN.values()))})[ \t]*{_AT_END}", re.MULTILINE)
_LIKE_OURS: Final = re.compile(
    rf"^( *)(?={'|'.join(map(re.escape, (*END.values(), *BEGIN.values())))})", re.MULTILINE
)
_BREAK: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Description:
    """A description in its parts.  `body` is None where no block of ours stands; `before` and `after` are kept
    byte for byte."""

    before: str = ""
    body: str | None = None
    after: str = ""
    marker: str | None = None


def parse(text: str) -> Description:
    """Take a description apart.  Only our own sentences count, whole: a person's line with ▲ is a person's."""
    end = _END.search(text)
    if end is None:
        return Description(before=text)
    start = next(reversed(list(_BEGIN.finditer(text, 0, end.start()))), None)
    body = text[start.end() if start else 0 : end.start()]
    return Description(
        before=text[: start.start()] if start else "",
        body=_shown(canonical_text(_without_break(body) if start else body)),
        after=text[end.end() :],
        marker=end["marker"] if end["marker"] and Marker.parse(end["marker"]) is not None else None,
    )


def _without_break(text: str) -> str:
    first = _BREAK.match(text)
    return text[first.end() :] if first else text


def _hidden(body: str) -> str:
    """A line of the body that looks like one of ours is set in by a blank, so that it ends no block."""
    return _LIKE_OURS.sub(r"\1 ", body)


def _shown(body: str) -> str:
    return _LIKE_OURS.sub(lambda found: found[1][:-1], body)


def compose(old: str, body: str | None, marker: str | None, lang: str) -> str:
    """The description with this body and marker in place of the old block; the text around it stays.

    Where the closing line was taken away but our text still stands at the top, that text is taken as the block.
    """
    parts = parse(old)
    before, after = parts.before, parts.after
    body = _hidden(body or "")
    if parts.body is None:
        ours = _ours_at_top(before, body)
        before, after = ("", before[ours:]) if ours else (before if before.strip() else "", "")
    end = END.get(lang, END["ja"]) + (f" [{marker}]" if marker else "")
    inner = f"{body}\n\n{end}" if body else end
    if not before:
        return inner + after
    gap = "" if before.endswith(("\n", "\r")) else "\n\n"
    return f"{before}{gap}{BEGIN.get(lang, BEGIN['ja'])}\n{inner}{after}"


def _ours_at_top(text: str, body: str) -> int:
    """How many characters at the top of a text are our body, line by line; 0 where it is not there."""
    wanted = body.split("\n") if body else []
    breaks = [*_BREAK.finditer(text), None]
    if not wanted or len(breaks) < len(wanted):
        return 0
    last = breaks[len(wanted) - 1]
    length = last.start() if last else len(text)
    return length if canonical_text(text[:length]).split("\n") == wanted else 0
