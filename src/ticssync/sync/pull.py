"""What the trackers' changes do to the hub.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ticssync.model.binding import HUB, Binding, BindingState, Origin
from ticssync.model.canonical import plain
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields, FieldValue, RemoteRef, RemoteTask
from ticssync.store.hub import HubTask, Wish
from ticssync.sync.identity import Fact, shown
from ticssync.sync.look import Seen, moment
from ticssync.sync.merge import MISSING, Maybe, Merged, Side, merge_field
from ticssync.sync.state import Known, Site, Want


@dataclass
class Pulled:
    """One task after the merge: the hub's values, the new bases, what to tell, and which fields are held."""

    hub: HubTask
    bases: dict[RemoteRef, Fields] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    changes: dict[RemoteRef, dict[str, tuple[FieldValue, FieldValue]]] = field(default_factory=dict)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    held: frozenset[str] = frozenset()
    bindings: dict[RemoteRef, Binding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoke:
    """One live place of a task in this cycle; `task` is None where it was not read."""

    binding: Binding
    site: Site
    task: RemoteTask | None
    base: Fields


def spokes_of(
    want: Want, bindings: Sequence[Binding], seens: Mapping[str, Seen], bases: Mapping[RemoteRef, Fields]
) -> list[Spoke]:
    """The task's live places, main first."""
    order = {name: number for number, name in enumerate(want.trackers)}
    live = [
        one
        for one in bindings
        if one.state is BindingState.LIVE and one.ref.tracker in order and one.ref.tracker in seens
    ]
    live.sort(key=lambda one: order[one.ref.tracker])
    return [
        Spoke(
            one, seens[one.ref.tracker].site, seens[one.ref.tracker].read.get(one.ref), bases.get(one.ref, {})
        )
        for one in live
    ]


def pull(want: Want, hub: HubTask, spokes: Sequence[Spoke], known: Known) -> Pulled:
    """Merge every two-way field, note what people overwrote of ours, and take over what was read as the base."""
    pulled = Pulled(hub)
    names = _two_way(spokes)
    values, origins, held = dict(hub.values), dict(hub.origins), set()
    kept: dict[str, Wish] = {name: wish for name, wish in hub.wishes.items() if name not in names}
    for name in names:
        if name in hub.wishes and not _readable(name, spokes):
            # What a person asked for waits until a tracker that can hold it has been read.
            kept[name] = hub.wishes[name]
            continue
        merged = _merge(name, want, hub, spokes, known)
        if merged.held:
            held.add(name)
            if name in hub.wishes:
                kept[name] = hub.wishes[name]
        if merged.value is not MISSING:
            if merged.came_from and merged.value != hub.values.get(name, MISSING):
                origins[name] = _origin(merged.came_from[0], hub.wishes.get(name), spokes)
            values[name] = merged.value
        if merged.losers:
            _conflict(pulled, want.key, name, _owner(name, spokes), hub.values.get(name), merged, known)
    held |= _unsettled(want.key, spokes, known)
    pulled.held = frozenset(held)
    pulled.hub = replace(hub, values=values, wishes=kept, origins=origins)
    for spoke in spokes:
        if spoke.task is not None:
            _take_over(pulled, spoke, pulled.held)
    return pulled


def _unsettled(key: TaskKey, spokes: Sequence[Spoke], known: Known) -> set[str]:
    """Fields of ours that showed something else when the store was made anew: nothing is agreed on them, and nothing
    is written, until a person settles it."""
    if not known.conflicts:
        return set()
    without = {
        (name, spoke.site.name)
        for spoke in spokes
        for name in (spoke.task.fields if spoke.task is not None else ())
        if name not in spoke.base and spoke.site.owners.get(name) == "ticssync"
    }
    return {
        name
        for name, tracker in without
        if any(one.key == key and one.field == name and tracker in one.values for one in known.conflicts)
    }


def _readable(name: str, spokes: Sequence[Spoke]) -> bool:
    return any(spoke.task is not None and name in spoke.task.fields for spoke in spokes)


def _owner(name: str, spokes: Sequence[Spoke]) -> str:
    """Who has the last word among those that may change it: in one tracker it may be ours alone."""
    owners = (spoke.site.owners[name] for spoke in spokes if name in spoke.site.owners)
    return next((owner for owner in owners if owner != "ticssync"), "merge")


def _two_way(spokes: Sequence[Spoke]) -> list[str]:
    """Fields that the main tracker's mapping leaves to trackers, in its order."""
    names: dict[str, None] = {}
    for spoke in spokes:
        names |= dict.fromkeys(name for name, owner in spoke.site.owners.items() if owner != "ticssync")
    return list(names)


def _merge(name: str, want: Want, hub: HubTask, spokes: Sequence[Spoke], known: Known) -> Merged:
    by_tracker = {spoke.site.name: spoke for spoke in spokes}
    sides = [
        _side(name, by_tracker[tracker], known)
        if tracker in by_tracker
        # One that was not read takes no part, but has its rank where the value in force came from there.
        else Side(tracker, MISSING, MISSING)
        for tracker in want.trackers
    ]
    wish, origin = hub.wishes.get(name), hub.origins.get(name)
    old: Maybe = hub.values.get(name, MISSING)
    if wish is None:
        return merge_field(old, sides, origin=origin)
    return merge_field(old, sides, wish=wish.value, wish_at=wish.at, origin=origin)


def _origin(side: str, wish: Wish | None, spokes: Sequence[Spoke]) -> Origin:
    """Who set the value that is in force from here on."""
    if side == HUB:
        return Origin(HUB, wish.at if wish is not None else None, True)
    task = next(spoke.task for spoke in spokes if spoke.site.name == side)
    assert task is not None
    return Origin(side, moment(task), task.changed_by_person)


def _side(name: str, spoke: Spoke, known: Known) -> Side:
    task, one = spoke.task, spoke.binding
    read: Maybe = task.fields[name] if task is not None and name in task.fields else MISSING
    base: Maybe = spoke.base.get(name, MISSING)

    def view(value: FieldValue) -> FieldValue:
        return spoke.site.driver.view(name, value)

    edited = moment(task) if task is not None else None
    refused = (one.key, one.ref.tracker, name) in known.refusals
    return Side(
        spoke.site.name, base, read, view, edited, task.changed_by_person if task is not None else None, refused,
    )  # fmt: skip


def _conflict(
    pulled: Pulled, key: TaskKey, name: str, owner: str, base: FieldValue, merged: Merged, known: Known
) -> None:
    taken = None if merged.value is MISSING else merged.value
    values = {**merged.losers, **dict.fromkeys(merged.came_from, taken)}
    if any(one.key == key and one.field == name and dict(one.values) == values for one in known.conflicts):
        return
    pulled.conflicts.append(
        {
            "task": str(key),
            "field": name,
            "owner": owner,
            "base": plain(base),
            "values": plain(values),
            "taken": plain(taken),
        }
    )


def _take_over(pulled: Pulled, spoke: Spoke, held: frozenset[str]) -> None:
    """What was read becomes the base; a field that was not readable keeps its old one."""
    task, one = spoke.task, spoke.binding
    assert task is not None
    changes = {
        name: (spoke.base.get(name), value)
        for name, value in task.fields.items()
        if name in spoke.base and spoke.base[name] != value
    }
    base = {**spoke.base, **{name: value for name, value in task.fields.items() if name not in held}}
    if base != spoke.base:
        pulled.bases[one.ref] = base
    if changes:
        pulled.changes[one.ref] = changes
    _show(pulled, spoke, task, changes)


def _show(
    pulled: Pulled, spoke: Spoke, task: RemoteTask, changes: Mapping[str, tuple[FieldValue, FieldValue]]
) -> None:
    """What `status` shows of this place, as one event where anything of it changed."""
    one, now = spoke.binding, shown(task)
    differs = {
        name: (getattr(one, name), value) for name, value in now.items() if getattr(one, name) != value
    }
    fields = {
        **{name: change for name, change in changes.items() if spoke.site.owners.get(name) != "ticssync"},
        **differs,
    }
    display = {"raw_status": task.raw_status, "display_key": task.key, "url": task.url}
    if fields or any(getattr(one, name) != value for name, value in display.items()):
        payload = {
            "tracker": one.ref.tracker, "remote_id": one.ref.id, "direction": "in", "updated_at": moment(task), **display,
            "fields": {name: {"from": plain(old), "to": plain(new)} for name, (old, new) in fields.items()},
        }  # fmt: skip
        pulled.facts.append(Fact("task.changed", str(one.key), payload))
    if tuple(task.problems) != one.problems:
        told = {"tracker": one.ref.tracker, "remote_id": one.ref.id, "problems": list(task.problems)}
        pulled.facts.append(Fact("task.problems", str(one.key), told))
    pulled.bindings[one.ref] = replace(
        one, status=now["status"], assignee=now["assignee"], due=now["due"], raw_status=task.raw_status,
        display_key=task.key, url=task.url, problems=tuple(task.problems),
    )  # fmt: skip
