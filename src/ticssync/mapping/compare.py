"""A mapping file against what the live tracker offers.  Pure; used by `mapping check` and by `doctor`.

`problems` are wrong for certain; `warnings` are what a person should know (a status that no line reads, a field that
looks required, a custom field that our account cannot see).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from ticssync.errors import Problem, Said, say
from ticssync.mapping.names import folded, manner
from ticssync.mapping.schema import FieldOwner
from ticssync.mapping.schema import Mapping as TaskMapping
from ticssync.plugin import FieldSchema, RemoteSchema
from ticssync.yamlfile import Located, nearest

TYPES: Final[Mapping[str, frozenset[str]]] = {
    "title": frozenset({"text"}),
    "body": frozenset({"text"}),
    "number": frozenset({"text"}),
    "confirmation": frozenset({"text"}),
    "from_office": frozenset({"text"}),
    "evidence": frozenset({"text"}),
    "status": frozenset({"list"}),
    "priority": frozenset({"list"}),
    "assignee": frozenset({"user", "list"}),
    "due": frozenset({"date"}),
    "start": frozenset({"date"}),
}
"""Field of ours → types of the tracker's field that can hold it; another field may go anywhere."""

MARKER_TYPES: Final = frozenset({"text"})
MARKER_LENGTH: Final = 120
"""Characters that a marker may have."""

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison found, each with line and column."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def compare(located: Located, mapping: TaskMapping, schema: RemoteSchema) -> Compared:
    """The mapping (as it stands in its file) against the live schema."""
    looking = _Looking(located, mapping, schema)
    found = list(
        chain(looking.fields(), looking.marker(), looking.statuses(), looking.values(), looking.given())
    )
    found += looking.required()
    return Compared(
        tuple(problem for problem, sure in found if sure),
        tuple(problem for problem, sure in found if not sure),
    )


Found = Iterator[tuple[Problem, bool]]


@dataclass(frozen=True, slots=True)
class _Looking:
    located: Located
    mapping: TaskMapping
    schema: RemoteSchema

    def _said(self, path: Place, message: str, fix: str = "", *, sure: bool = True) -> tuple[Problem, bool]:
        return self.located.problem(path, message, fix), sure

    def _field(self, place: str) -> FieldSchema | None:
        return next((one for one in self.schema.fields if one.id == place), None)

    def _choices(self, place: str) -> Mapping[str, str]:
        listed = self.schema.choices.get(place)
        if listed is not None:
            return listed
        field = self._field(place)
        return field.options if field else {}

    @property
    def _tells_types(self) -> bool:
        """A tracker that calls everything a text tells nothing."""
        return any(one.type not in ("", "text") for one in self.schema.fields)

    # -- places

    def fields(self) -> Found:
        """Places that do not exist, and places of another type."""
        for name, rule in self.mapping.fields.items():
            path: Place = ("fields", name)
            field = self._field(rule.to)
            if field is None:
                yield self._no_field(path, rule.to)
            elif name in TYPES and self._tells_types and field.type and field.type not in TYPES[name]:
                yield self._said(
                    path,
                    say(
                        "{name} goes to {place}, which is of the type {type}; it should be {wanted}",
                        name=name,
                        place=_shown(field.id, field.name),
                        type=field.type,
                        wanted=", ".join(sorted(TYPES[name])),
                    ),
                    say("choose another field, or have the administrator mend it"),
                )

    def _no_field(self, path: Place, place: str) -> tuple[Problem, bool]:
        custom = manner(self.mapping.kind).custom
        if (
            custom
            and place.startswith(custom)
            and not any(one.id.startswith(custom) for one in self.schema.fields)
        ):
            return self._said(
                path,
                say("{place} cannot be seen: the tracker shows no custom field to our account", place=place),
                say("have the administrator open it to the project, the issue type and our role"),
                sure=False,
            )
        names = {one.id: one.name for one in self.schema.fields}
        return self._said(
            path,
            say("the tracker has no field {place}", place=place),
            _near(place, names, custom if custom and place.startswith(custom) else ""),
        )

    def marker(self) -> Found:
        """Whether the marker has its place."""
        place = self.mapping.marker
        field = self._field(place)
        if not place:
            return
        if field is None:
            yield self._no_field(("marker",), place)
        elif self._tells_types and field.type and field.type not in MARKER_TYPES:
            yield self._said(
                ("marker",),
                say(
                    "the marker needs a field of text; {place} is of the type {type}",
                    place=_shown(place, field.name),
                    type=field.type,
                ),
                say(
                    "have the administrator make a field named ticssync-id; ticssync mapping suggest says how"
                ),
            )
        elif field.max_length is not None and field.max_length < MARKER_LENGTH:
            shown, length = _shown(place, field.name), field.max_length
            yield self._said(
                ("marker",),
                say(
                    "{place} takes {n} characters; the marker needs {wanted}",
                    place=shown,
                    n=length,
                    wanted=MARKER_LENGTH,
                ),
                say("have the administrator take the limit away"),
            )

    # -- values

    def statuses(self) -> Found:
        """Lines without a status, and statuses without a line."""
        known = self.schema.statuses
        if not known:
            return
        for status in self.mapping.statuses:
            if status not in known:
                yield self._said(
                    ("statuses", status),
                    say("the tracker has no status {name}", name=status),
                    _near(status, known),
                )
        for status, name in known.items():
            if status not in self.mapping.statuses:
                yield self._said(
                    ("statuses",),
                    say(
                        "the status {name} has no line: tasks in it cannot be read", name=_shown(status, name)
                    ),
                    say("add a line for it: todo, doing, review, done or wont_do"),
                    sure=False,
                )

    def values(self) -> Found:
        """Values that do not exist, and those that people may choose and no line reads."""
        for name, lines in self.mapping.values.items():
            rule = self.mapping.fields.get(name)
            known = self._choices(rule.to) if rule else {}
            if not known:
                continue
            yield from self._unknown(("values", name), lines, known)
            if self.mapping.owner(name) is FieldOwner.TICSSYNC:
                # What people choose there is written over anyway.
                continue
            for value, shown in known.items():
                if value not in lines:
                    yield self._said(
                        ("values", name),
                        say(
                            "the value {value} of {name} has no line: it cannot be read",
                            value=_shown(value, shown),
                            name=name,
                        ),
                        say("add a line for it"),
                        sure=False,
                    )

    def _unknown(self, path: Place, wanted: Collection[str], known: Mapping[str, str]) -> Found:
        for value in wanted:
            if value not in known:
                yield self._said(
                    (*path, value),
                    say("the tracker has no value {value} there", value=value),
                    _near(value, known),
                )

    def given(self) -> Found:
        """Fields and values given at creation."""
        for place, value in self.mapping.given.items():
            known = self._choices(place)
            if place not in self.schema.choices and self._field(place) is None:
                yield self._no_field(("given", place), place)
            elif known and value not in known:
                yield self._said(
                    ("given", place),
                    say("the tracker has no value {value} there", value=value),
                    _near(value, known),
                )

    def required(self) -> Found:
        """Fields that the tracker insists on and that nothing fills."""
        filled = (
            {rule.to for rule in self.mapping.fields.values()}
            | set(self.mapping.given)
            | {self.mapping.marker}
        )
        for field in self.schema.fields:
            if field.required and field.id not in filled:
                yield self._said(
                    ("given",) if self.mapping.given else ("fields",),
                    say(
                        "{place} looks required and nothing fills it: creating tasks may fail",
                        place=_shown(field.id, field.name),
                    ),
                    say("give it a value under given:, or have the administrator make it optional"),
                    sure=False,
                )


def _shown(ident: str, name: str) -> Said | str:
    return say("{name} ({id})", name=name, id=ident) if name and name != ident else ident


def _near(wanted: str, known: Mapping[str, str], custom: str = "") -> Said:
    """Somebody wrote a name where an id belongs, or an id that resembles one.  Numbers resemble each other by chance:
    what there is, is listed instead."""
    by_name = {folded(name): ident for ident, name in reversed(list(known.items()))}
    near = by_name.get(folded(wanted))
    if near is None and not wanted[-1:].isdigit():
        near = nearest(wanted, sorted(known)) or by_name.get(nearest(folded(wanted), sorted(by_name)))
    if near:
        return say("did you mean {near}?", near=_shown(near, known[near]))
    like = {ident: name for ident, name in known.items() if ident.startswith(custom)} if custom else known
    listed = ", ".join(f"{ident} ({name})" if name != ident else ident for ident, name in like.items())
    return say("the tracker has {known}", known=listed or "-")
