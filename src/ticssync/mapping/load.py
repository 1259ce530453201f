"""Reading a mapping file: the value and all problems, each with line and column."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ticssync.errors import Problem, UsageError, say
from ticssync.mapping.render import TEMPLATE_NAMES, template_problems
from ticssync.mapping.schema import NOTHING_TO_FILL, OWN_FIELDS, FieldOwner, Mapping
from ticssync.model.task import CORE_FIELDS, Status
from ticssync.shipped import shipped_mappings
from ticssync.yamlfile import Located, nearest, read_yaml, validate


def find_mapping(name: str, *, root: Path, scheme_pack: str, lang: str) -> Path:
    """The file that a tracker's `mapping:` names: a path, or a shipped starter (`workbook` → workbook.yaml).

    Raises UsageError where there is none, with the nearest starter.
    """
    if "/" in name or "\\" in name or name.endswith((".yaml", ".yml")):
        return root / name
    folder = shipped_mappings() / scheme_pack
    wanted = folder / (f"{name}.en.yaml" if lang == "en" else f"{name}.yaml")
    if wanted.is_file():
        return wanted
    known = sorted(
        path.name.removesuffix(".yaml")
        for path in folder.glob("*.yaml")
        if "." not in path.stem and path.stem != "catalog"
    )
    raise UsageError(
        say("there is no starter mapping named {name}", name=name),
        fix=say("use one of {known}, or the path of a file", known=", ".join(known)),
    )


def load_mapping(
    path: Path, *, item_ids: Collection[str] = (), places: Collection[str] | None = None
) -> tuple[Mapping | None, list[Problem]]:
    """(mapping, problems).  `item_ids`: the catalogue's ids; `places`: the tracker's live statuses, where known."""
    try:
        located = read_yaml(path)
    except UsageError as error:
        named = say(
            "mapping: in ticssync.yaml names this file; a starter goes by its name alone, such as workbook"
        )
        fix = error.fix if path.is_file() else named
        return None, list(error.problems) or [Problem(error.message, str(path), fix=fix)]
    mapping, problems = validate(located, Mapping)
    if mapping is None:
        return None, problems
    problems = [*problems, *_checks(located, mapping, item_ids, places)]
    return (None if problems else mapping), problems


def _checks(
    located: Located, mapping: Mapping, item_ids: Collection[str], places: Collection[str] | None
) -> Iterator[Problem]:
    for place, template in mapping.templates().items():
        yield from _template(located, place, template)
    yield from _fields(located, mapping)
    yield from _statuses(located, mapping, places)
    yield from _confirm_when(located, mapping)
    for item in mapping.overrides:
        if item_ids and item not in item_ids:
            near = nearest(item, sorted(item_ids))
            fix = say("did you mean {near}?", near=near) if near else ""
            yield located.problem(
                ("overrides", item), say("the catalogue has no item {item}", item=item), fix
            )


def _template(located: Located, place: tuple[str | int, ...], template: str) -> Iterator[Problem]:
    line, column = located.place(place)
    for offset, message, fix in template_problems(template):
        block = line is not None and "\n" in template
        yield Problem(message, located.file, line + offset if line and block else line, column, fix=fix)


def _fields(located: Located, mapping: Mapping) -> Iterator[Problem]:
    if "status" not in mapping.fields:
        yield located.problem(
            ("fields",), say("the field status is not mapped: nothing could ever be reported as done")
        )
    taken: dict[str, str] = {}
    for name, rule in mapping.fields.items():
        if rule.to in taken:
            yield located.problem(
                ("fields", name),
                say("{name} and {other} both go to {to}", name=name, other=taken[rule.to], to=rule.to),
            )
        taken.setdefault(rule.to, name)
        if mapping.owner(name) is FieldOwner.TICSSYNC and rule.value is None and name not in OWN_FIELDS:
            yield located.problem(("fields", name), NOTHING_TO_FILL)
        if rule.value is not None and mapping.owner(name) is not FieldOwner.TICSSYNC:
            yield located.problem(
                ("fields", name, "value"), say("value: is only for fields that ticssync owns")
            )
    if "marker" in mapping.fields:
        yield located.problem(("fields", "marker"), say("the marker has its own key: marker: PLACE"))


def _statuses(located: Located, mapping: Mapping, places: Collection[str] | None) -> Iterator[Problem]:
    known = set(mapping.statuses.values())
    for needed in (Status.TODO, Status.DONE):
        if needed not in known:
            yield located.problem(
                ("statuses",), say("no status of the tracker stands for {status}", status=needed.value)
            )
    for name, wanted in (("on_confirm", mapping.on_confirm), ("on_return", mapping.on_return)):
        if wanted is not None and wanted not in known:
            yield located.problem(
                (name,), say("no status of the tracker stands for {status}", status=wanted.value)
            )
    for remote in mapping.statuses:
        if places is not None and remote not in places:
            near = nearest(remote, sorted(places))
            fix = (
                say("did you mean {near}?", near=near)
                if near
                else say("the tracker has {known}", known=", ".join(sorted(places)))
            )
            yield located.problem(
                ("statuses", remote), say("the tracker has no status {name}", name=remote), fix
            )


def _confirm_when(located: Located, mapping: Mapping) -> Iterator[Problem]:
    """What means "confirmed" in the tracker must be read by this mapping, and must not be written over by it."""
    rule = mapping.confirm_when
    if rule is None:
        return
    if rule.status is not None:
        yield from _confirm_status(located, mapping, rule.status)
        return
    place = rule.field or ""
    name = next((name for name, field in mapping.fields.items() if field.to == place), None)
    if name is None:
        near = nearest(place, sorted(field.to for field in mapping.fields.values()))
        fix = say("fields: a name of your choice: {{to: {place}, owner: tracker}}", place=place)
        yield located.problem(
            ("confirm_when", "field"),
            say("no field of this mapping goes to {place}", place=place),
            say("did you mean {near}?", near=near) if near else fix,
        )
    elif name == "status":
        yield located.problem(
            ("confirm_when", "field"), say("{place} is the status: give confirm_when: status:", place=place)
        )
    elif mapping.owner(name) is FieldOwner.TICSSYNC:
        yield located.problem(
            ("confirm_when", "field"),
            say("ticssync owns {name} and would write over what the confirmer sets", name=name),
            say("owner: tracker"),
        )


def _confirm_status(located: Located, mapping: Mapping, status: str) -> Iterator[Problem]:
    stands_for = mapping.statuses.get(status)
    if stands_for is None:
        near = nearest(status, sorted(mapping.statuses))
        fix = say("did you mean {near}?", near=near) if near else say("add it under statuses:, as done")
        yield located.problem(
            ("confirm_when", "status"), say("statuses: does not name {status}", status=status), fix
        )
    elif stands_for is not Status.DONE:
        yield located.problem(
            ("confirm_when", "status"),
            say(
                "{status} stands for {canonical}: what is confirmed must be done",
                status=status,
                canonical=stands_for.value,
            ),
            say("statuses: {status}: done", status=status),
        )


__all__ = ["CORE_FIELDS", "TEMPLATE_NAMES", "find_mapping", "load_mapping"]
