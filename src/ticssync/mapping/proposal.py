"""What was found in a live tracker and what a mapping would make of it: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticssync.errors import Problem, Said


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mapping: `key: value`, with what the tracker calls it.

    `guess`: somebody should look.  `spare`: read, but not what is written (another line of the same value is first).
    """

    key: str
    value: str
    name: str = ""
    guess: bool = False
    spare: bool = False

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"key": self.key, "value": self.value, "name": self.name, "guess": self.guess}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping that is proposed.

    `fields`: ours → the tracker's.  `statuses`, `values`, `given`: as in the mapping file.  `like_chapters`: values
    of `chapter_place` that only resemble a chapter's name, for a person to decide.  `offered`: values that could be given, not proposed.
    `required`: fields that the tracker insists on and that nothing fills.  `unused`: further custom fields.
    `moves`: names, from → to, as far as known.  `problems`: why no mapping can be made.  `notes`: for the screen.
    """

    kind: str
    language: str
    fields: tuple[Line, ...] = ()
    statuses: tuple[Line, ...] = ()
    values: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    given: tuple[Line, ...] = ()
    marker: Line = field(default_factory=lambda: Line("marker", ""))
    own_marker_field: bool = False
    on_return: str = "doing"
    priority: str = ""
    chapter_place: str = ""
    like_chapters: tuple[Line, ...] = ()
    offered: tuple[Line, ...] = ()
    required: tuple[Line, ...] = ()
    unused: tuple[Line, ...] = ()
    moves: tuple[tuple[str, tuple[str, ...]], ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[Said, ...] = ()

    @property
    def guesses(self) -> tuple[Line, ...]:
        """Every line that somebody should look at."""
        lines = (
            *self.fields,
            *self.statuses,
            *(one for lines in self.values.values() for one in lines),
            *self.given,
        )
        return tuple(one for one in lines if one.guess)

    def has(self, field_name: str) -> bool:
        """Whether a field of ours has a place."""
        return any(one.key == field_name for one in self.fields)
