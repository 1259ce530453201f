"""From events to rows: the only code that writes the derived tables.

Each kind of event has one function here.  The same functions run when an event is appended and when the
log is replayed, which is why a replayed store answers `status --json` with the same bytes.
An erased payload changes nothing on replay but for what it carried.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from ticssync.model.canonical import canonical_json
from ticssync.store import schema
from ticssync.store.events import Event
from ticssync.store.remote_ids import is_left, rename_ids

Project = Callable[[Connection, str, Event, Mapping[str, Any]], None]
PROJECTIONS: Final[dict[str, Project]] = {}


def _of(kind: str) -> Callable[[Project], Project]:
    def register(function: Project) -> Project:
        PROJECTIONS[kind] = function
        return function

    return register


def project(connection: Connection, workspace: str, event: Event) -> None:
    """Bring the derived tables up to this event.  Kinds that derive nothing are passed over."""
    function = PROJECTIONS.get(event.kind)
    if function is not None and event.payload is not None:
        function(connection, workspace, event, event.data)


def put(
    connection: Connection, table: Table, workspace: str, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Insert the row, or update it where its key stands already (both databases, no dialect's upsert)."""
    row = {"workspace_id": workspace, **key, **values}
    found = {f"_{name}": row[name] for name in ("workspace_id", *key)}
    if values and connection.execute(_update(table, tuple(key)), {**found, **values}).rowcount:
        return
    if not values:
        connection.execute(_delete(table, tuple(key)), found)
    connection.execute(inserting(table), row)


# Building a statement costs more than running it: a pass that takes in a thousand changes writes thousands of rows.


def _where(table: Table, key: Sequence[str]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"_{name}") for name in ("workspace_id", *key)]


@cache
def _update(table: Table, key: tuple[str, ...]) -> Update:
    # The columns to set are the ones that the parameters name.
    return update(table).where(*_where(table, key))


@cache
def _delete(table: Table, key: tuple[str, ...]) -> Delete:
    return delete(table).where(*_where(table, key))


@cache
def inserting(table: Table) -> Insert:
    """The statement that inserts a row; its columns are the ones that the parameters name."""
    return insert(table)


def _remove(connection: Connection, table: Table, workspace: str, **key: Any) -> None:
    where = [table.c.workspace_id == workspace, *(table.c[name] == value for name, value in key.items())]
    connection.execute(delete(table).where(*where))


@_of("scope.taken")
def _scope(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(
        connection,
        schema.scope,
        workspace,
        {"scheme": event.subject},
        {"payload": canonical_json(data), "seq": event.seq},
    )


@_of("profile.confirmed")
def _profile(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    key = {"scheme": event.subject, "profile_digest": data["profile_digest"]}
    put(connection, schema.profile_act, workspace, key, {"payload": canonical_json(data), "seq": event.seq})


@_of("tracker.read")
def _tracker(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(
        connection,
        schema.tracker,
        workspace,
        {"name": event.subject},
        {"kind": data["kind"], "read_on": data["on"]},
    )


@_of("tracker.renamed")
def _renamed(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    for table, column in (
        (schema.tracker, "name"), (schema.binding, "tracker"), (schema.refusal, "tracker"), (schema.source, "tracker"),
    ):  # fmt: skip
        connection.execute(
            update(table)
            .where(table.c.workspace_id == workspace, table.c[column] == event.subject)
            .values({column: data["to"]})
        )
    _rename_sides(connection, workspace, event.subject, data["to"])


def _rename_sides(connection: Connection, workspace: str, old: str, new: str) -> None:
    """A conflict is settled by a side's name: the one that the tracker has now."""
    table = schema.conflict
    rows = connection.execute(
        select(table.c.id, table.c.payload).where(table.c.workspace_id == workspace)
    ).all()
    for row in rows:
        payload = json.loads(row.payload)
        if old in payload["values"]:
            payload["values"] = {
                new if side == old else side: value for side, value in payload["values"].items()
            }
            put(connection, table, workspace, {"id": row.id}, {"payload": canonical_json(payload)})


@_of("tracker.dropped")
def _dropped(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _remove(connection, schema.tracker, workspace, name=event.subject)
    _remove(connection, schema.refusal, workspace, tracker=event.subject)
    # Another tracker that comes under this name counts its tasks and files anew.
    _remove(connection, schema.source, workspace, tracker=event.subject)
    connection.execute(
        update(schema.binding)
        .where(
            schema.binding.c.workspace_id == workspace,
            schema.binding.c.tracker == event.subject,
            schema.binding.c.state != "copy",
        )
        .values(state="detached", role="old")
    )


@_of("tracker.moved")
def _moved(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    """Tasks stand under other ids.  Notes and files have other ids there too: they are counted anew, but for
    those of tasks that did not come along."""
    left = {old: new for old, new in data["moves"].items() if is_left(new)}
    for ident in data["moves"].keys() - left.keys():
        _remove(connection, schema.source, workspace, tracker=event.subject, remote_id=ident)
    if left:
        rename_ids(connection, schema.source, workspace, event.subject, left)
    rename_ids(connection, schema.binding, workspace, event.subject, data["moves"])


@_of("store.copied")
def _copied(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    """The links belong to the workspace that this one was copied from."""
    for table in (schema.binding, schema.tracker, schema.conflict, schema.refusal, schema.source):
        connection.execute(delete(table).where(table.c.workspace_id == workspace))


@_of("scope.ended")
def _scope_ended(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _remove(connection, schema.scope, workspace, scheme=event.subject)


@_of("task.bound")
def _bound(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    key = {"tracker": data["tracker"], "remote_id": data["remote_id"]}
    values = {
        "task_key": event.subject,
        "state": data.get("state", "live"),
        "generation": data["generation"],
        "role": data["role"],
        "display_key": data["key"],
        "url": data["url"],
        "status": data.get("status"),
        "raw_status": data.get("raw_status", ""),
        "updated_at": data.get("updated_at"),
        "assignee": data.get("assignee"),
        "due": data.get("due"),
        "problems": "[]",
    }
    put(connection, schema.binding, workspace, key, values)


@_of("task.state")
def _state(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _update_binding(connection, workspace, data, {"state": data["to"]})


@_of("task.role")
def _role(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _update_binding(connection, workspace, data, {"role": data["to"]})


@_of("task.changed")
def _changed(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    values = {name: data[name] for name in ("raw_status", "updated_at", "display_key", "url") if name in data}
    fields = data.get("fields", {})
    values |= {name: fields[name]["to"] for name in ("status", "assignee", "due") if name in fields}
    if values:
        _update_binding(connection, workspace, data, values)


@_of("task.problems")
def _problems(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _update_binding(connection, workspace, data, {"problems": canonical_json(data["problems"])})


def _update_binding(
    connection: Connection, workspace: str, data: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    found = {"_workspace_id": workspace, "_tracker": data["tracker"], "_remote_id": data["remote_id"]}
    connection.execute(_update(schema.binding, ("tracker", "remote_id")), {**found, **values})


@_of("refusal.opened")
def _refused(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    key = {"task_key": event.subject, "tracker": data["tracker"], "field": data["field"]}
    values = {name: canonical_json(data[name]) for name in ("wanted", "raw_found", "moves")}
    put(connection, schema.refusal, workspace, key, {**values, "why": data["why"], "at": event.at})


@_of("refusal.closed")
def _unrefused(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _remove(
        connection,
        schema.refusal,
        workspace,
        task_key=event.subject,
        tracker=data["tracker"],
        field=data["field"],
    )


@_of("conflict.opened")
def _conflict(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    values = {
        "task_key": event.subject,
        "field": data["field"],
        "owner": data["owner"],
        "payload": canonical_json({"base": data["base"], "values": data["values"]}),
        "taken": canonical_json(data["taken"]),
        "at": event.at,
        "resolved_at": None,
        "resolved_by": None,
    }
    put(connection, schema.conflict, workspace, {"id": data["id"]}, values)


@_of("conflict.resolved")
def _settled(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    values = {"resolved_at": event.at, "resolved_by": event.actor, "taken": canonical_json(data["taken"])}
    put(connection, schema.conflict, workspace, {"id": data["id"]}, values)


@_of("act.recorded")
def _act(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    # What a bundle gave back was recorded when and by whom the bundle says.
    then = data.get("restored", {})
    recorded = {"at": then.get("at", event.at), "actor": then.get("actor", event.actor)}
    values = {
        "criterion": event.subject,
        "cycle": data["cycle"],
        "payload": canonical_json({**data, **recorded}),
    }
    put(connection, schema.act, workspace, {"seq": event.seq}, values)


@_of("evidence.added")
def _evidence(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    values = {
        "criterion": data["criterion"],
        "cycle": data["cycle"],
        "state": "held",
        "payload": canonical_json(data),
        "seq": event.seq,
    }
    put(connection, schema.evidence, workspace, {"id": event.subject}, values)
    origin = data.get("origin")
    if origin:
        taken = {"state": "taken", "name": data["name"], "evidence": event.subject, "why": ""}
        _put_source(connection, workspace, {**origin, **taken})


@_of("evidence.passed_over")
def _passed_over(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    _put_source(connection, workspace, {"task_key": event.subject, **data})


def _put_source(connection: Connection, workspace: str, data: Mapping[str, Any]) -> None:
    names = ("task_key", "state", "name", "digest", "evidence", "why")
    values = {name: data[name] for name in names} | {"gone_at": None}
    put(connection, schema.source, workspace, _source_key(data), values)


def _source_key(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("tracker", "remote_id", "part")}


@_of("evidence.source_gone")
def _source_gone(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(connection, schema.source, workspace, _source_key(data), {"gone_at": event.at})


@_of("evidence.source_back")
def _source_back(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(connection, schema.source, workspace, _source_key(data), {"gone_at": None})


@_of("evidence.state")
def _evidence_state(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    table = schema.evidence
    # Withdrawn (or back from it) the proof is another one; unreadable for a while it is the same as before, and
    # a file server that was away for a night must not undo a confirmation.
    changed = {"seq": event.seq} if "withdrawn" in (data["to"], data["from"]) else {}
    connection.execute(
        update(table)
        .where(table.c.workspace_id == workspace, table.c.id == event.subject)
        .values(state=data["to"], **changed)
    )


@_of("evidence.reviewed")
def _evidence_reviewed(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    # The row keeps its `seq`: a review changes nothing of the proof, and must not undo a confirmation.
    table = schema.evidence
    where = (table.c.workspace_id == workspace, table.c.id == event.subject)
    held = connection.execute(select(table.c.payload).where(*where)).scalar_one_or_none()
    if held is not None:
        payload = canonical_json({**json.loads(held), "reviewed_by": data["reviewed_by"]})
        connection.execute(update(table).where(*where).values(payload=payload))


@_of("certificate.taken")
def _certificate(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(connection, schema.certificate, workspace, {"id": event.subject}, {"payload": canonical_json(data)})


@_of("duty.done")
def _duty(connection: Connection, workspace: str, event: Event, data: Mapping[str, Any]) -> None:
    put(
        connection,
        schema.duty,
        workspace,
        {"id": event.subject},
        {"state": data["state"], "payload": canonical_json(data)},
    )
