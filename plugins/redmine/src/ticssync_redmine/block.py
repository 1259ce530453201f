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
_END: Final = re.compile(r"^▲ [^\r\n]*ticssync[^\r\n]*$", re.MULTILINE)
_BEGIN: Final = re.compile(r"^▼ [^\r\n]*ticssync[^\r\n]*$", re.MULTILINE)
_MARKER: Final = re.compile(r"\[(ticssync\.[^\]\s]+)\]\s*$")
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
    """Take a description apart."""
    ends = list(_END.finditer(text))
    if not ends:
        return Description(before=text)
    # The last one: a line like it may stand in what we wrote ourselves.
    end = ends[-1]
    begins = list(_BEGIN.finditer(text, 0, end.start()))
    start = begins[0] if begins else None
    body = text[start.end() if start else 0 : end.start()]
    return Description(
        before=text[: start.start()] if start else "",
        body=canonical_text(_without_break(body) if start else body),
        after=text[end.end() :],
        marker=_marker(end.group()),
    )


def _without_break(text: str) -> str:
    first = _BREAK.match(text)
    return text[first.end() :] if first else text


def _marker(line: str) -> str | None:
    found = _MARKER.search(line)
    return found[1] if found and Marker.parse(found[1]) is not None else None


def compose(old: str, body: str | None, marker: str | None, lang: str) -> str:
    """The description with this body and marker in place of the old block; the text around it stays.

    Where the closing line was taken away but our text still stands at the top, that text is taken as the block.
    """
    parts = parse(old)
    before, after = parts.before, parts.after
    if parts.body is None and body and canonical_text(before).startswith(body):
        lines = _BREAK.split(before)
        before, after = "", "\n".join(["", *lines[body.count("\n") + 1 :]])
    end = END.get(lang, END["ja"]) + (f" [{marker}]" if marker else "")
    inner = f"{body}\n\n{end}" if body else end
    if not before.strip():
        return inner + after
    gap = "" if before.endswith(("\n", "\r")) else "\n\n"
    return f"{before}{gap}{BEGIN.get(lang, BEGIN['ja'])}\n{inner}{after}"
