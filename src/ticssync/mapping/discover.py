"""From what a live tracker offers to a mapping that fits it.  Pure.

Names decide first, whether a status closes second; what is neither certain nor harmless is marked as a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from ticssync.errors import Problem, Said, say
from ticssync.mapping.names import (
    FIELDS,
    ISSUE_TYPES,
    NEARLY,
    PRIORITIES,
    STATUSES,
    Manner,
    first_named,
    folded,
    holding,
    manner,
    meaning,
)
from ticssync.mapping.proposal import Line, Proposal
from ticssync.mapping.proposal_text import mapping_text
from ticssync.plugin import RemoteSchema

ORDER: Final = ("todo", "doing", "review", "done", "wont_do")
MARKER_NAME: Final = "ticssync"
"""A custom field with this in its name is there for the marker."""

LIKENESS: Final = 0.6
"""From here on two names resemble each other enough to be shown side by side."""


def propose(kind: str, schema: RemoteSchema, chapters: Mapping[str, str], language: str) -> Proposal:
    """A mapping for what the tracker shows.  `chapters`: id → title in `language` ("ja" or "en"), as templates
    write it.  `problems` is not empty where no mapping can be made."""
    return _Finding(kind, schema, chapters, language, manner(kind)).proposal()


def write_first(lines: Iterable[Line]) -> tuple[Line, ...]:
    """In the order of our statuses or priorities, sure ones before guesses; all but the first of a value spare."""
    from dataclasses import replace

    seen: set[str] = set()
    found = []
    order = (*ORDER, *PRIORITIES)
    for line in sorted(lines, key=lambda one: (order.index(one.value), one.guess)):
        found.append(replace(line, spare=line.value in seen))
        seen.add(line.value)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Finding:
    kind: str
    schema: RemoteSchema
    chapters: Mapping[str, str]
    language: str
    manner: Manner

    def proposal(self) -> Proposal:
        """All of it."""
        names = {one.id: one.name for one in self.schema.fields}
        marker = holding([MARKER_NAME], names)
        places = self._places({ident: name for ident, name in names.items() if ident != marker})
        chapter_place = places.get("chapter", ("", False))[0]
        statuses, priorities = self._statuses(), self._priorities(places)
        alike, nearly = self._chapters(chapter_place)
        for name in self._without_values(
            places, marker=bool(marker), priorities=bool(priorities), chapters=bool(alike)
        ):
            places.pop(name, None)
        fields = tuple(Line(ours, place, names[place], guess) for ours, (place, guess) in places.items())
        given = self._given()
        taken = {marker, *(one.value for one in fields), *(one.key for one in given)}
        return _noted(Proposal(
            kind=self.kind,
            language=self.language,
            fields=fields,
            statuses=statuses,
            values={key: lines for key, lines in (("priority", priorities), ("chapter", alike)) if lines},
            given=given,
            marker=Line("marker", marker, names[marker]) if marker else self._marker_without_field(names),
            own_marker_field=bool(marker),
            on_return="doing" if any(one.value == "doing" for one in statuses) else "todo",
            priority=next((one for one in ("normal", *PRIORITIES) if one in {p.value for p in priorities}), ""),
            chapter_place=chapter_place,
            like_chapters=nearly,
            offered=self._versions(),
            required=self._required(taken),
            unused=self._unused(taken),
            moves=self._moves(),
            people=dict(self.schema.people),
            problems=tuple(self._problems(fields)),
        ))  # fmt: skip

    def _without_values(
        self, places: Mapping[str, tuple[str, bool]], *, marker: bool, priorities: bool, chapters: bool
    ) -> Iterable[str]:
        """Fields that are better left out: nothing could be written there, or it would write over the markers."""
        if not priorities:
            yield "priority"
        if not chapters and self._is_choice(places.get("chapter", ("", False))[0]):
            yield "chapter"
        if not marker and self.manner.marker == places.get("labels", ("", False))[0]:
            yield "labels"

    def _versions(self) -> tuple[Line, ...]:
        place = self.manner.version
        return tuple(Line(place, ident, name) for ident, name in self._choices(place).items())

    def _unused(self, taken: set[str]) -> tuple[Line, ...]:
        custom = self.manner.custom
        found = [one for one in self.schema.fields if custom and one.id.startswith(custom)]
        return tuple(Line(one.id, "", one.name) for one in found if one.id not in taken and not one.required)

    def _choices(self, place: str) -> Mapping[str, str]:
        """What a field may hold, id → name."""
        listed = self.schema.choices.get(place)
        if listed is not None:
            return listed
        return next((one.options for one in self.schema.fields if one.id == place), {})

    def _is_choice(self, place: str) -> bool:
        """Whether a field takes one of a list, an empty one as well."""
        return place in self.schema.choices or any(
            one.id == place and (one.options or one.type == "list") for one in self.schema.fields
        )

    def _places(self, names: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
        found: dict[str, tuple[str, bool]] = {}
        for ours, words in FIELDS.items():
            free = {
                ident: name
                for ident, name in names.items()
                if ident not in {one for one, _ in found.values()}
            }
            place, guess = first_named(words, free), False
            if not place and ours in NEARLY:
                custom = {
                    ident: name for ident, name in free.items() if ident.startswith(self.manner.custom or "?")
                }
                place, guess = holding(NEARLY[ours], custom), True
            if place:
                found[ours] = (place, guess)
        return found

    def _statuses(self) -> tuple[Line, ...]:
        lines = [self._status(ident, name) for ident, name in self.schema.statuses.items()]
        if lines and not any(one.value == "todo" for one in lines):
            lines = _made(
                lines, "todo", next((i for i, one in enumerate(lines) if not self._closes(one.key)), 0)
            )
        if len(lines) > 1 and not any(one.value == "done" for one in lines):
            closing = [i for i, one in enumerate(lines) if self._closes(one.key) and one.value != "todo"]
            lines = _made(lines, "done", (closing or [len(lines) - 1])[-1])
        return write_first(lines)

    def _closes(self, status: str) -> bool:
        return status in self.schema.closed_statuses

    def _status(self, ident: str, name: str) -> Line:
        told = meaning(name, STATUSES)
        if told is None:
            return Line(ident, "done" if self._closes(ident) else "doing", name, guess=True)
        ours, guess = told
        if self._closes(ident) and ours not in ("done", "wont_do"):
            # Where 解決 ends a task, nobody will look at it again there.
            return Line(ident, "done", name, guess=True)
        return Line(ident, ours, name, guess or (ours == "done" and not self._closes(ident)))

    def _priorities(self, places: Mapping[str, tuple[str, bool]]) -> tuple[Line, ...]:
        lines = []
        for ident, name in self._choices(places.get("priority", ("", False))[0]).items():
            ours, guess = meaning(name, PRIORITIES) or ("normal", True)
            lines.append(Line(ident, ours, name, guess))
        return write_first(lines)

    def _chapters(self, place: str) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """(values with the very name of a chapter, values that resemble one)."""
        titles = {folded(title): title for title in self.chapters.values()}
        alike, nearly = [], []
        for ident, name in self._choices(place).items():
            title = titles.get(folded(name))
            if title is not None:
                alike.append(Line(ident, title, name))
                continue
            like = max(titles, key=lambda one: _likeness(one, folded(name)), default="")
            if like and _likeness(like, folded(name)) >= LIKENESS:
                nearly.append(Line(ident, titles[like], name, guess=True))
        return tuple(alike), tuple(nearly)

    def _given(self) -> tuple[Line, ...]:
        types = self._choices(self.manner.issue_type)
        if not types:
            return ()
        sure = first_named(ISSUE_TYPES, types)
        chosen = sure or next(iter(types))
        return (Line(self.manner.issue_type, chosen, types[chosen], guess=len(types) > 1),)

    def _marker_without_field(self, names: Mapping[str, str]) -> Line:
        place = (
            self.manner.marker or first_named(("marker", "目印"), names) or first_named(FIELDS["body"], names)
        )
        return Line("marker", place, names.get(place, ""))

    def _required(self, taken: set[str]) -> tuple[Line, ...]:
        return tuple(
            Line(one.id, "、".join(one.options.values()), one.name)
            for one in self.schema.fields
            if one.required and one.id not in taken
        )

    def _moves(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        names = self.schema.statuses
        return tuple(
            (names.get(here, here), tuple(names.get(one, one) for one in there if one != here))
            for here, there in self.schema.moves.items()
        )

    def _problems(self, fields: tuple[Line, ...]) -> Iterable[Problem]:
        for needed in ("title", "status"):
            if not any(one.key == needed for one in fields):
                yield Problem(say("the tracker shows no field for {field}", field=needed), place=self.kind)
        if len(self.schema.statuses) < len(("todo", "done")):
            yield Problem(
                say("the tracker shows {n} statuses; two are needed at least", n=len(self.schema.statuses)),
                place=self.kind,
            )


def _made(lines: list[Line], ours: str, number: int) -> list[Line]:
    """Something must stand for it: the likeliest is taken, as a guess."""
    line = lines[number]
    return [*lines[:number], Line(line.key, ours, line.name, guess=True), *lines[number + 1 :]]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _noted(proposal: Proposal) -> Proposal:
    from dataclasses import replace

    return replace(proposal, notes=tuple(_notes(proposal)))


def _notes(proposal: Proposal) -> Iterable[Said]:
    guessed = [one.name or one.key for one in proposal.guesses]
    if guessed:
        yield say(
            "{n} lines are guesses, please look at them: {names}",
            n=len(guessed),
            names=_listed(proposal, guessed),
        )
    if not proposal.own_marker_field:
        yield say(
            "no custom field “ticssync-id”: the marker goes into {place}; the mapping file says how to make one",
            place=proposal.marker.name or proposal.marker.value or "-",
        )
    if proposal.required:
        yield say(
            "the tracker insists on {names}: give them a value in the mapping file, or creating tasks fails",
            names=_listed(proposal, (one.name or one.key for one in proposal.required)),
        )
    if proposal.like_chapters:
        yield say(
            "categories that resemble a chapter are left out, please look: {names}",
            names=_listed(proposal, (one.name for one in proposal.like_chapters)),
        )


def _listed(proposal: Proposal, names: Iterable[str]) -> str:
    return (", " if proposal.language == "en" else "、").join(names)


__all__ = ["Line", "Proposal", "mapping_text", "propose"]
