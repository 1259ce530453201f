"""What people settle: conflicts, deleted tasks, frozen fields, trackers that were renamed or given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ticssync.app.workspace import Workspace
from ticssync.errors import UsageError, say
from ticssync.model.binding import HUB, Base, BindingState, Origin
from ticssync.model.canonical import instant_text, plain
from ticssync.model.key import TaskKey
from ticssync.model.task import FieldValue
from ticssync.store import By, Event, Transaction
from ticssync.store.bindings import bases, bindings, put_base
from ticssync.store.hub import HubTask, hub_tasks, put_hub
from ticssync.store.scopes import scopes
from ticssync.store.working import LEFT, Conflict, conflicts, drop_flips, flips, read_days, refusals
from ticssync.yamlfile import nearest


def conflict_list(workspace: Workspace, *, everything: bool = False) -> dict[str, Any]:
    """Open conflicts (or all), with all sides' values."""
    with workspace.store.read() as tx:
        found = conflicts(tx, open_only=not everything)
    return {"items": [_conflict(one) for one in found]}


def _conflict(one: Conflict) -> dict[str, Any]:
    return {
        "id": one.id,
        "task": str(one.key),
        "field": one.field,
        "owner": one.owner,
        "base": plain(one.base),
        "values": plain(one.values),
        "taken": plain(one.taken),
        "at": one.at,
        "resolved_at": one.resolved_at,
        "resolved_by": one.resolved_by,
    }


def resolve(workspace: Workspace, conflict_id: str, take: str) -> dict[str, Any]:
    """Settle a conflict with one side's value: `local` is what is in force, `remote` the other side where there
    is one only, else a tracker's name.  The next sync writes it."""
    with workspace.store.write() as tx:
        found = {one.id: one for one in conflicts(tx)}
        one = found.get(conflict_id)
        if one is None:
            raise UsageError(
                say("there is no open conflict {id}", id=conflict_id), fix=say("ticssync conflicts list")
            )
        hub = hub_tasks(tx).get(one.key) or HubTask(one.key)
        value = _chosen(one, take, hub.values.get(one.field, one.taken), empty=one.field not in hub.values)
        decided = Origin(HUB, instant_text(tx.now), True)
        values, origins = {**hub.values, one.field: value}, {**hub.origins, one.field: decided}
        if one.owner != "ticssync":
            put_hub(tx, replace(hub, values=values, origins=origins))
        elif value != one.values.get(HUB, value):
            _leave(tx, one, workspace.by())
        _agree(tx, one)
        payload = {"id": one.id, "field": one.field, "taken": plain(value), "take": take}
        event = tx.append("conflict.resolved", str(one.key), workspace.by(), payload)
    return {"event": event.seq, "id": one.id, "task": str(one.key), "field": one.field, "taken": plain(value)}


def _chosen(one: Conflict, take: str, now: FieldValue, *, empty: bool = False) -> FieldValue:
    """`local` is what is in force now: somebody may have gone on since the conflict arose.  A store that was made anew
    (`empty`) may hold nothing that could be taken."""
    if take == "local" and not (empty and now is None and HUB not in one.values):
        return now
    others = {side: value for side, value in one.values.items() if side != HUB and value != one.taken}
    if take == "remote" and len(others) == 1:
        return next(iter(others.values()))
    if take in one.values:
        return one.values[take]
    sides = ", ".join(sorted(one.values))
    raise UsageError(
        say("{take} is no side of conflict {id}", take=take, id=one.id),
        fix=say("take one of: local, {sides}", sides=sides),
    )


def _leave(tx: Transaction, one: Conflict, by: By) -> None:
    """A field of ours is left as it stands there, until either side changes."""
    for tracker in sorted(set(one.values) - {HUB}):
        refusal: dict[str, Any] = {
            "tracker": tracker, "field": one.field, "wanted": plain(one.values[HUB]), "raw_found": plain(one.values[tracker]),
            "moves": [LEFT], "why": str(say("a person left it as it stands there")),
        }  # fmt: skip
        tx.append("refusal.opened", str(one.key), by, refusal)


def _agree(tx: Transaction, one: Conflict) -> None:
    """Where nothing was ever agreed, what each side showed becomes its base: from here on changes are seen."""
    for binding in bindings(tx):
        if binding.key == one.key and binding.ref.tracker in one.values:
            known = bases(tx, binding.ref.tracker).get(binding.ref, Base())
            if one.field not in known.fields:
                fields = {**known.fields, one.field: one.values[binding.ref.tracker]}
                put_base(tx, binding.ref, Base(fields, known.version), seen=fields, local={})


def find_task(tx: Transaction, name: str) -> TaskKey:
    """`tics/T-14` or `T-14` as a key that is bound or planned.  Raises UsageError with the nearest one."""
    known = {str(key): key for key in hub_tasks(tx)} | {str(one.key): one.key for one in bindings(tx)}
    found = {ref: key for ref, key in known.items() if name in (ref, ref.rpartition("/")[2])}
    if len(found) > 1:
        # One of them may be of a catalogue that is used no more.
        in_use = set(known_items(tx))
        found = {ref: key for ref, key in found.items() if key.criterion in in_use} or found
    _only_one(name, found)
    if found:
        return next(iter(found.values()))
    near = nearest(name, [*known, *(ref.rpartition("/")[2] for ref in known)])
    raise UsageError(
        say("there is no task {name}", name=name),
        fix=say("did you mean {near}?", near=near) if near else say("ticssync status"),
    )


def restore(workspace: Workspace, name: str) -> dict[str, Any]:
    """A deleted task is made again by the next sync, as a new generation."""
    with workspace.store.write() as tx:
        key = find_task(tx, name)
        hub = hub_tasks(tx).get(key) or HubTask(key)
        tomb = [one for one in bindings(tx) if one.key == key and one.state is BindingState.TOMB]
        if not tomb and not hub.dropped:
            raise UsageError(say("{task} was not deleted in any tracker", task=str(key)))
        event = tx.append(
            "task.restore", str(key), workspace.by(), {"generations": [one.generation for one in tomb]}
        )
        put_hub(tx, replace(hub, restore=bool(tomb), dropped=False))
    return {"event": event.seq, "task": str(key)}


def drop(workspace: Workspace, name: str, tracker: str = "") -> dict[str, Any]:
    """A task is let go: nothing is written to it any more and none is made again.  Nothing is deleted there.

    With `tracker` only its place there ends (after a route changed); the task itself goes on.
    """
    with workspace.store.write() as tx:
        key = find_task(tx, name)
        held = [
            one
            for one in bindings(tx)
            if one.key == key
            and one.state in (BindingState.LIVE, BindingState.LOST, BindingState.TOMB)
            and tracker in ("", one.ref.tracker)
        ]
        if tracker and not held:
            raise UsageError(say("{task} has no place in {tracker}", task=str(key), tracker=tracker))
        if tracker and any(one.role != "old" for one in held):
            # The next sync would take it up again.
            raise UsageError(
                say("a route still leads {task} to {tracker}", task=str(key), tracker=tracker),
                fix=say("change routes: in ticssync.yaml, then ticssync sync"),
            )
        event = tx.append("task.dropped", str(key), workspace.by(), {"tracker": tracker})
        _take_out_of_links(workspace, key, tracker)
        for one in held:
            payload = {
                "tracker": one.ref.tracker,
                "remote_id": one.ref.id,
                "from": one.state.value,
                "to": "detached",
                "why": "dropped",
            }
            event = tx.append("task.state", str(key), workspace.by(), payload)
        if not tracker:
            hub = hub_tasks(tx).get(key) or HubTask(key)
            put_hub(tx, replace(hub, dropped=True, restore=False))
    return {"event": event.seq, "task": str(key)}


def _take_out_of_links(workspace: Workspace, key: TaskKey, tracker: str) -> None:
    """A task that was adopted and is let go must not come back with the next store."""
    from ticssync.app.links import links_file, take_out

    if links_file(workspace.config).exists():
        take_out(links_file(workspace.config), key, tracker)


def unfreeze(workspace: Workspace, name: str) -> dict[str, Any]:
    """Fields that were frozen because something kept changing them are written again."""
    with workspace.store.write() as tx:
        key = find_task(tx, name)
        fields: list[str] = []
        for one in bindings(tx):
            if one.key == key:
                fields += [
                    field
                    for (remote, field), (_, since) in flips(tx, one.ref.tracker).items()
                    if remote == one.ref.id and since
                ]
                drop_flips(tx, one.ref)
        event = tx.append("task.unfrozen", str(key), workspace.by(), {"fields": fields})
        for refusal in refusals(tx):
            if refusal.key == key and refusal.field in fields:
                closed = {"tracker": refusal.tracker, "field": refusal.field}
                tx.append("refusal.closed", str(key), workspace.by(), closed)
    return {"event": event.seq, "task": str(key), "fields": fields}


def rename_tracker(workspace: Workspace, old: str, new: str) -> dict[str, Any]:
    """The tracker has another name in ticssync.yaml now: its links come along."""
    from ticssync.app.links import links_file
    from ticssync.app.links import rename_tracker as rename_links
    from ticssync.store.renames import rename

    if new not in workspace.config.trackers:
        raise UsageError(
            say("ticssync.yaml has no tracker {name}", name=new), fix=say("rename it there first")
        )
    with workspace.store.write() as tx:
        _must_be_known(tx, old)
        if new in {one.ref.tracker for one in bindings(tx)} | set(read_days(tx)):
            raise UsageError(
                say("tasks are bound to the tracker {name} already", name=new),
                fix=say("give it a name of its own"),
            )
        if old in workspace.config.trackers:
            raise UsageError(
                say("ticssync.yaml still names the tracker {name}", name=old),
                fix=say("rename it there first"),
            )
        event: Event = tx.append("tracker.renamed", old, workspace.by(), {"to": new})
        rename(tx, old, new)
        if links_file(workspace.config).exists():
            rename_links(links_file(workspace.config), old, new)
    return {"event": event.seq, "from": old, "to": new}


def drop_tracker(workspace: Workspace, name: str) -> dict[str, Any]:
    """The tracker is no longer used: its links end, its tasks are left as they are."""
    from ticssync.app.links import forget_tracker as forget_links
    from ticssync.app.links import links_file
    from ticssync.store.renames import forget_tracker

    with workspace.store.write() as tx:
        _must_be_known(tx, name)
        event = tx.append("tracker.dropped", name, workspace.by(), {})
        forget_tracker(tx, name)
        if links_file(workspace.config).exists():
            forget_links(links_file(workspace.config), name)
    return {"event": event.seq, "tracker": name}


def _must_be_known(tx: Transaction, name: str) -> None:
    known = sorted({one.ref.tracker for one in bindings(tx)} | set(read_days(tx)))
    if name not in known:
        raise UsageError(
            say("no task is bound to a tracker {name}", name=name),
            fix=say("there are: {known}", known=", ".join(known) or "-"),
        )


def known_items(tx: Transaction) -> dict[str, str]:
    """Item id or `scheme/id` → `scheme/id`, as last taken.  An id that two schemes have needs its scheme."""
    refs = [
        (item["id"], f"{scheme}/{item['id']}")
        for scheme, scope in scopes(tx).items()
        for item in scope["items"]
    ]
    counted = Counter(ident for ident, _ in refs)
    return {ref: ref for _, ref in refs} | {ident: ref for ident, ref in refs if counted[ident] == 1}


def _only_one(name: str, found: Collection[str]) -> None:
    if len(found) > 1:
        raise UsageError(
            say("{item} stands in several schemes", item=name),
            fix=say("there are: {known}", known=", ".join(sorted(found))),
        )


def find_criterion(tx: Transaction, name: str) -> str:
    """`T-14` as `tics/T-14`.  Raises UsageError with the nearest id."""
    known = known_items(tx)
    if name in known:
        return known[name]
    _only_one(name, [ref for ref in known if ref.endswith(f"/{name}")])
    near = nearest(name, sorted(known))
    if not known:
        raise UsageError(say("nothing has been taken in yet"), fix=say("ticssync sync"))
    raise UsageError(
        say("the catalogue has no item {item}", item=name),
        fix=say("did you mean {near}?", near=near) if near else say("ticssync catalog list"),
    )
