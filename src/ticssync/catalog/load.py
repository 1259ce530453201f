"""Read a scheme pack and a company's overlay, with every problem of both files and its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ticssync.catalog.expression import parse_expression
from ticssync.errors import Problem, UsageError, say
from ticssync.model.criterion import Catalog
from ticssync.model.key import TaskKey, marker_too_long
from ticssync.shipped import shipped_mappings
from ticssync.yamlfile import Located, Path_, nearest, read_yaml, validate

if TYPE_CHECKING:
    from pydantic import BaseModel

LONGEST_CYCLE: Final = "2026-12-31"
"""The longest cycle that a key of ours carries: a marker must hold an item together with it."""


def shipped_catalog(name: str) -> Path:
    """The `catalog.yaml` of the shipped scheme pack `name`.  Raises UsageError with the nearest name."""
    known = sorted(path.parent.name for path in shipped_mappings().glob("*/catalog.yaml"))
    if name in known:
        return shipped_mappings() / name / "catalog.yaml"
    near = nearest(name, known)
    fix = say("did you mean {word}?", word=near) if near else say("there is: {words}", words=", ".join(known))
    raise UsageError(say("no scheme pack is called {name}", name=name), fix=fix)


def load_catalog(path: Path, overlay: Path | None = None) -> tuple[Catalog | None, list[Problem]]:
    """(catalogue, problems): the pack with the company's overlay laid over it; None with problems.

    Never raises for what stands in the files, nor for a missing one: that is a problem as well.
    """
    from ticssync.catalog.build import merged
    from ticssync.catalog.schema import OverlayFile, PackFile

    pack, problems = _read(path, PackFile)
    problems += _pack_problems(pack)
    if overlay is None:
        return (None, problems) if problems else (merged(pack.model, None), [])
    own, own_problems = _read(overlay, OverlayFile)
    own_problems = [_explained(problem) for problem in own_problems] + _overlay_problems(own, pack)
    problems += own_problems
    return (None, problems) if problems else (merged(pack.model, own.model), [])


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was read (`located.value` is a dict) and its model where the shape is right."""

    located: Located
    model: Any = None

    def part(self, name: str) -> object:
        return self.located.value.get(name)

    def items(self, name: str) -> Iterator[tuple[Path_, Mapping[str, Any]]]:
        """The entries of a list that are mappings at all, with their paths."""
        found = self.part(name)
        for index, item in enumerate(found if isinstance(found, list) else ()):
            if isinstance(item, dict):
                yield (name, index), item


def _read(path: Path, model: type[BaseModel]) -> tuple[_File, list[Problem]]:
    nothing = _File(Located(str(path), {}))
    try:
        located = read_yaml(path)
    except UsageError as error:
        return nothing, list(error.problems) or [Problem(error.message, str(path), fix=error.fix)]
    if located.value is None:
        located = replace(located, value={})
    if not isinstance(located.value, dict):
        return nothing, [Problem(say("names with values must stand here, such as “ja: …”"), str(path), 1, 1)]
    value, problems = validate(located, model, located.value)
    return _File(located, value), problems


def _pack_problems(pack: _File) -> list[Problem]:
    scheme, names = pack.part("scheme"), _Names.of(pack)
    entries = list(pack.items("items"))
    return [*_duplicates(pack, entries, {}), *_each(pack, entries, scheme, names)]


def _overlay_problems(own: _File, pack: _File) -> list[Problem]:
    if not pack.located.value:
        return []
    ids = _ids(pack)
    added = list(own.items("add"))
    return [
        *_other_catalog(own, pack),
        *_unknown_items(own, ids),
        *_duplicates(own, added, {name.casefold(): name for name in ids}),
        *_each(own, added, pack.part("scheme"), _Names.of(pack)),
    ]


@dataclass(frozen=True, slots=True)
class _Names:
    """What items of a pack may refer to."""

    chapters: tuple[str, ...]
    fields: tuple[str, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, pack: _File) -> _Names:
        parts = (pack.part(name) for name in ("chapters", "checklist_fields", "sources"))
        return cls(*(tuple(part) if isinstance(part, dict) else () for part in parts))


def _ids(pack: _File) -> list[str]:
    return [item["id"] for _, item in pack.items("items") if isinstance(item.get("id"), str)]


def _duplicates(
    file: _File, entries: Sequence[tuple[Path_, Mapping[str, Any]]], known: dict[str, str]
) -> Iterator[Problem]:
    """Ids that are taken.  Capitals do not tell two ids apart: folders on Windows are named by them."""
    seen = dict(known)
    for path, item in entries:
        name = item.get("id")
        if not isinstance(name, str):
            continue
        other = seen.get(name.casefold())
        seen.setdefault(name.casefold(), name)
        if other == name:
            yield file.located.problem((*path, "id"), say("the id {id} is already taken", id=name))
        elif other is not None:
            message = say("the id {id} differs from {other} only in capitals", id=name, other=other)
            yield file.located.problem((*path, "id"), message)


def _each(
    file: _File, entries: Sequence[tuple[Path_, Mapping[str, Any]]], scheme: object, names: _Names
) -> Iterator[Problem]:
    for path, item in entries:
        yield from _marker(file, path, item, scheme)
        if names.chapters:  # without any, the missing chapters are the problem, not each item
            yield from _unknown(file, (*path, "chapter"), item.get("chapter"), names.chapters)
        for name, known in (("checklist_fields", names.fields), ("source", names.sources)):
            listed = item.get(name)
            for index, word in enumerate(listed if isinstance(listed, list) else ()):
                yield from _unknown(file, (*path, name, index), word, known)
        yield from _condition(file, (*path, "applies_when"), item.get("applies_when"))


def _marker(file: _File, path: Path_, item: Mapping[str, Any], scheme: object) -> Iterator[Problem]:
    name = item.get("id")
    try:
        key = (
            TaskKey(scheme, name, "", LONGEST_CYCLE)
            if isinstance(name, str) and isinstance(scheme, str)
            else None
        )
    except ValueError:
        return  # the shape of the id is a problem of its own, already noted by the model
    if key and marker_too_long(key):
        message = say("the marker of {id} would be longer than trackers can hold", id=name)
        yield file.located.problem((*path, "id"), message, say("shorten the id"))


def _unknown(file: _File, path: Path_, word: object, known: Sequence[str]) -> Iterator[Problem]:
    if not isinstance(word, str) or word in known:
        return
    near = nearest(word, known)
    fix = say("did you mean {word}?", word=near) if near else say("there is: {words}", words=", ".join(known))
    yield file.located.problem(
        path, say("{name}: this file knows no {word}", name=_last_name(path), word=word), fix
    )


def _last_name(path: Path_) -> str:
    return next(part for part in reversed(path) if isinstance(part, str))


def _condition(file: _File, path: Path_, text: object) -> Iterator[Problem]:
    if not isinstance(text, str) or not text.strip():
        return
    line, start = _start_of(file.located, path, text)
    for problem in parse_expression(text)[1]:
        column = None if start is None else start + (problem.column or 1) - 1
        if column is None:
            line, column = file.located.place(path)
        yield replace(
            problem, file=file.located.file, line=line, column=column, place=".".join(map(str, path))
        )


def _start_of(located: Located, path: Path_, text: str) -> tuple[int | None, int | None]:
    """Where the first character of a one-line text stands; no column where it is folded or escaped."""
    line, column = located.place(path)
    if line is None or column is None:
        return line, None
    rest = located.text.split("\n")[line - 1][column - 1 :]
    quote = 1 if rest[:1] in ("'", '"') else 0
    return line, column + quote if rest[quote:].startswith(text) else None


def _other_catalog(own: _File, pack: _File) -> Iterator[Problem]:
    wanted, name = own.part("catalog"), pack.part("name")
    if isinstance(wanted, str) and wanted != name:
        message = say("this overlay is for {wanted}, but it was laid over {name}", wanted=wanted, name=name)
        yield own.located.problem(("catalog",), message)


def _unknown_items(own: _File, ids: Sequence[str]) -> Iterator[Problem]:
    items = own.part("items")
    for name in items if isinstance(items, dict) else ():
        if name in ids:
            continue
        near = nearest(name, ids)
        fix = (
            say("did you mean {word}?", word=near) if near else say("an item of your own belongs under “add”")
        )
        yield own.located.problem(("items", name), say("the catalogue has no item {id}", id=name), fix)


def _explained(problem: Problem) -> Problem:
    """An exclusion in the overlay is refused like any unknown key, with the way it is done."""
    values = getattr(problem.message, "values", {})
    if str(values.get("name", "")).endswith(".exclude"):
        return replace(
            problem, fix=say("a named person leaves an item out: ticssync exclude ID --by PERSON --reason …")
        )
    return problem
