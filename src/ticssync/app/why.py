"""`why`: the base, both sides, the rule that applied, and the log lines, in words an admin understands."""

from __future__ import annotations

from typing import Any

from ticssync.app.hand_out import waiting
from ticssync.app.ledger import read_ledger
from ticssync.app.settle import find_criterion, find_task
from ticssync.app.standing import standings
from ticssync.app.workspace import Workspace
from ticssync.errors import UsageError
from ticssync.model.canonical import plain
from ticssync.model.key import TaskKey
from ticssync.model.state import LABEL
from ticssync.store import Event, Transaction
from ticssync.store.bindings import bases, bindings
from ticssync.store.hub import HubTask, hub_tasks
from ticssync.store.working import conflicts, flips, intents, refusals


def why(workspace: Workspace, name: str, *, lines: int = 20) -> dict[str, Any]:
    """Everything about one criterion or task."""
    text = workspace.text
    with workspace.store.read() as tx:
        key, criterion = _found(tx, name)
        standing = next((one for one in standings(read_ledger(tx)) if one.ref == criterion), None)
        hub = hub_tasks(tx).get(key) if key else None
        return {
            "task": str(key) if key else None,
            "criterion": criterion,
            "state": standing.derived.state.value if standing else None,
            "state_label": LABEL[standing.derived.state].in_language(text.lang) if standing else None,
            "reason": text.said(standing.derived.reason) if standing else None,
            "hub": plain(hub.values) if hub else {},
            "wishes": {field: plain(wish.value) for field, wish in hub.wishes.items()} if hub else {},
            "waiting": waiting(tx, workspace, hub) if hub else [],
            "dropped": bool(hub and hub.dropped),
            "sides": _sides(tx, key) if key else {},
            "base": {side: fields["base"] for side, fields in _sides(tx, key).items()} if key else {},
            "rule": _rules(workspace, key),
            "origins": _origins(hub),
            "conflicts": [one.id for one in conflicts(tx) if one.key == key],
            "open_conflicts": [
                {"id": one.id, "field": one.field, "values": plain(one.values), "taken": plain(one.taken)}
                for one in conflicts(tx)
                if one.key == key
            ],
            "refusals": [
                {
                    "tracker": one.tracker,
                    "field": one.field,
                    "wanted": plain(one.wanted),
                    "found": plain(one.found),
                    "why": one.why,
                }
                for one in refusals(tx)
                if one.key == key
            ],
            "intents": [
                {"tracker": tracker, "op": one.op, "at": one.at}
                for tracker in workspace.config.trackers
                for one in intents(tx, tracker)
                if one.key == key
            ],
            "events": [_line(event) for event in _events(tx, key, criterion)[-lines:]],
        }


def _origins(hub: HubTask | None) -> dict[str, Any]:
    """Field → who set the value in force (a tracker, or `ticssync` for a person's act here), and when."""
    return {
        field: {"side": one.tracker, "at": one.at, "by_person": one.by_person}
        for field, one in (hub.origins if hub else {}).items()
    }


def _found(tx: Transaction, name: str) -> tuple[TaskKey | None, str]:
    try:
        key = find_task(tx, name)
    except UsageError:
        return None, find_criterion(tx, name)
    return key, key.criterion


def _sides(tx: Transaction, key: TaskKey) -> dict[str, Any]:
    found = {}
    for one in bindings(tx):
        if one.key != key:
            continue
        base = bases(tx, one.ref.tracker).get(one.ref)
        frozen = [
            field
            for (remote, field), (_, since) in flips(tx, one.ref.tracker).items()
            if remote == one.ref.id and since
        ]
        found[f"{one.ref.tracker}#{one.generation}" if one.generation > 1 else one.ref.tracker] = {
            "key": one.display_key,
            "url": one.url,
            "binding": one.state.value,
            "role": one.role,
            "raw_status": one.raw_status,
            "base": plain(base.fields) if base else {},
            "problems": list(one.problems),
            "frozen": frozen,
        }
    return found


def _rules(workspace: Workspace, key: TaskKey | None) -> dict[str, str]:
    """Field → who has the last word, by the mapping of the task's main tracker."""
    from ticssync.app.sync_once import load_mappings

    route = workspace.config.route(key.item) if key else None
    if route is None:
        return {}
    mapping = load_mappings(workspace)[route[0]]
    return {name: mapping.owner(name).value for name in mapping.fields}


def _events(tx: Transaction, key: TaskKey | None, criterion: str) -> list[Event]:
    subjects = {criterion, *([str(key)] if key else [])}
    return [
        event
        for event in tx.events()
        if event.subject in subjects or event.data.get("criterion") == criterion
    ]


def _line(event: Event) -> dict[str, Any]:
    data = {name: value for name, value in event.data.items() if name not in ("by", "fields")}
    changes = event.data.get("fields", {}) if event.kind == "task.changed" else {}
    return {
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "actor": event.actor,
        "claimed_by": event.claimed_by,
        "fields": changes,
        **{k: v for k, v in data.items() if not isinstance(v, (dict, list))},
    }
