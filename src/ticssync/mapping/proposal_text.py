"""A proposal as the text of a mapping file, with names and advice as comments.  Pure.

Whatever stands in a foreign name: the file reads back as YAML, with the very ids that were proposed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from ticssync.mapping.proposal import Line, Proposal
from ticssync.mapping.proposal_words import BODY, HEAD, MARKER_FIELD, WORDS

COMMENT_AT: Final = 40
"""Column where comments begin (a full-width character is two wide)."""

_PLAIN: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_-]*$", re.ASCII)
_TAKEN: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE: Final = re.compile(
    "[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
)


def mapping_text(proposal: Proposal, *, source: str = "", day: str = "") -> str:
    """The mapping file.  `source`: what was read, for the heading; `day`: when, as people write it."""
    return "\n".join([*_Writer(proposal).lines(source, day), ""])


def quoted(text: str) -> str:
    """A text in double quotes as YAML reads it back."""
    return _UNPRINTABLE.sub(_escaped, json.dumps(text, ensure_ascii=False))


def plain(text: str) -> str:
    """A text without quotes where YAML reads it back as the same text, else in quotes."""
    return text if _PLAIN.match(text) and text.lower() not in _TAKEN else quoted(text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def one_line(text: str) -> str:
    """A foreign name for a comment: nothing in it ends the line or disturbs YAML."""
    printable = _UNPRINTABLE.sub(" ", text)
    return " ".join(
        "".join(" " if unicodedata.category(one) in ("Zl", "Zp") else one for one in printable).split()
    )


def _noted(line: str, comment: str) -> str:
    if not comment:
        return line
    wide = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)
    return f"{line}{' ' * max(COMMENT_AT - wide, 2)}# {one_line(comment)}"


class _Writer:
    def __init__(self, proposal: Proposal) -> None:
        self._it = proposal
        self._lang = "en" if proposal.language == "en" else "ja"
        self._words = {name: words.in_language(self._lang) for name, words in WORDS.items()}

    def lines(self, source: str, day: str) -> Iterator[str]:
        """The whole file, line by line."""
        it, words = self._it, self._words
        for line in HEAD:
            yield f"# {one_line(line.in_language(self._lang).format(kind=it.kind, source=source or it.kind, day=day or '-'))}"
        yield from ("version: 1", f"kind: {plain(it.kind)}", f"language: {self._lang}")
        if it.has("number"):
            yield 'title: "{{ title }}"'
        else:
            yield _noted('title: "{{ number }} {{ title }}"', words["number"])
        yield "body: |"
        yield from (f"  {line}".rstrip() for line in BODY.in_language(self._lang).split("\n"))
        yield "labels: []"
        if it.priority:
            yield _noted(f"priority: {it.priority}", words["priority"])
        yield _noted("due: {anchor: planned, days: 90}", words["due"])
        yield _noted("assignee: role:owner", words["assignee"])
        yield from self._marker()
        yield from self._fields()
        yield from self._statuses()
        yield from self._values()
        yield from self._given()
        yield _noted("collect: {notes: true, private_notes: false, files: true}", words["collect"])
        yield _noted("on_confirm: null", words["on_confirm"])
        yield _noted(f"on_return: {it.on_return}", words["on_return"])
        yield f"# {words['confirm_when']}"
        yield "# confirm_when: {status: ID}"
        yield from self._left_over()

    def _comment(self, line: Line) -> str:
        name = line.name if line.name != line.value else ""
        marks = [self._words[word] for word, said in (("guess", line.guess), ("spare", line.spare)) if said]
        return f"{name} [{'; '.join(marks)}]" if marks else name

    def _block(self, head: str, said: str, lines: Iterable[Line], indent: str = "  ") -> Iterator[str]:
        yield _noted(head, said)
        for line in lines:
            yield _noted(f"{indent}{plain(line.key)}: {plain(line.value)}", self._comment(line))

    def _marker(self) -> Iterator[str]:
        it = self._it
        if not it.own_marker_field:
            advice = MARKER_FIELD.get(it.kind, MARKER_FIELD[""])
            yield from (f"# {line.in_language(self._lang)}" for line in advice)
        yield _noted(f"marker: {plain(it.marker.value)}", it.marker.name)

    def _fields(self) -> Iterator[str]:
        yield _noted("fields:", self._words["fields"])
        for line in self._it.fields:
            yield _noted(f"  {line.key}: {plain(line.value)}", self._comment(line))

    def _statuses(self) -> Iterator[str]:
        yield _noted("statuses:", self._words["statuses"])
        for line in self._it.statuses:
            yield _noted(f"  {quoted(line.key)}: {line.value}", self._comment(line))
        if self._it.moves:
            yield f"  # {self._words['moves']}"
        for here, there in self._it.moves:
            yield f"  #   {one_line(here)} → {one_line('、'.join(there)) or '-'}"

    def _values(self) -> Iterator[str]:
        it, words = self._it, self._words
        if it.values:
            yield _noted("values:", words["values"])
        for name, lines in it.values.items():
            yield from self._block(f"  {name}:", "", lines, "    ")
        if it.like_chapters:
            yield f"# {one_line(words['like'].format(place=it.chapter_place))}"
        for line in it.like_chapters:
            yield f"#     {plain(line.key)}: {one_line(quoted(line.value))}  # {one_line(line.name)}"

    def _given(self) -> Iterator[str]:
        if self._it.given:
            yield from self._block("given:", self._words["given"], self._it.given)
        if self._it.offered:
            yield f"  # {self._words['offered']}"
        for line in self._it.offered:
            yield f"  # {line.key}: {quoted(line.value)}  # {one_line(line.name)}"

    def _left_over(self) -> Iterator[str]:
        words = self._words
        if self._it.required:
            yield f"# {words['required']}"
            yield f"# {words['required_fix']}"
        for line in self._it.required:
            choices = f" ({words['choices']}: {one_line(line.value)})" if line.value else ""
            yield f"#   {one_line(line.key)}: {one_line(line.name)}{choices}"
        if self._it.unused:
            yield f"# {words['unused']}"
        for line in self._it.unused:
            yield f"#   {one_line(line.key)}: {one_line(line.name)}"
