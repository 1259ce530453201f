"""Which task stands where, and what was last agreed there (tables `binding` and `base`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, select

from ticssync.model.binding import Base, Binding, BindingState
from ticssync.model.canonical import canonical_json, digest, plain
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields, FieldValue, RemoteRef
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.store import Transaction


def bindings(tx: Transaction, tracker: str | None = None, key: TaskKey | None = None) -> tuple[Binding, ...]:
    """All bindings (of one tracker, of one key), in the order of task key, tracker and remote id."""
    table = schema.binding
    query = select(table).where(table.c.workspace_id == tx.workspace)
    if tracker is not None:
        query = query.where(table.c.tracker == tracker)
    if key is not None:
        query = query.where(table.c.task_key == str(key))
    found = [_binding(row) for row in tx.connection.execute(query).mappings()]
    return tuple(sorted(found, key=lambda one: (one.key, one.ref)))


def _binding(row: Any) -> Binding:
    return Binding(
        RemoteRef(row["tracker"], row["remote_id"]), TaskKey.parse(row["task_key"]), BindingState(row["state"]),
        row["generation"], row["role"], row["display_key"], row["url"], row["status"], row["raw_status"],
        row["updated_at"], row["assignee"], row["due"], tuple(json.loads(row["problems"])),
    )  # fmt: skip


def held(tx: Transaction, tracker: str, keys: Iterable[TaskKey]) -> frozenset[TaskKey]:
    """Those of these keys whose place in the tracker is taken by a task that is there (live or lost)."""
    table, wanted = schema.binding, {str(key): key for key in keys}
    rows = tx.connection.execute(
        select(table.c.task_key).where(
            table.c.workspace_id == tx.workspace,
            table.c.tracker == tracker,
            table.c.task_key.in_(sorted(wanted)),
            table.c.state.in_((BindingState.LIVE.value, BindingState.LOST.value)),
        )
    )
    return frozenset(wanted[row.task_key] for row in rows)


def bases(tx: Transaction, tracker: str) -> dict[RemoteRef, Base]:
    """What was last agreed, by place."""
    table = schema.base
    rows = tx.connection.execute(
        select(table.c.remote_id, table.c.fields, table.c.version).where(
            table.c.workspace_id == tx.workspace, table.c.tracker == tracker
        )
    )
    return {RemoteRef(tracker, row.remote_id): Base(fields_of(row.fields), row.version) for row in rows}


def dirty(tx: Transaction, tracker: str) -> frozenset[RemoteRef]:
    """Where something is still to be written: what is there differs from what should be shown there."""
    table = schema.base
    rows = tx.connection.execute(
        select(table.c.remote_id).where(
            table.c.workspace_id == tx.workspace,
            table.c.tracker == tracker,
            (table.c.agreed_hash != table.c.local_hash) | (table.c.agreed_hash != table.c.seen_hash),
        )
    )
    return frozenset(RemoteRef(tracker, row.remote_id) for row in rows)


def put_base(tx: Transaction, ref: RemoteRef, base: Base, *, seen: Fields, local: Fields) -> None:
    """Keep what was agreed; `seen` is what was read last, `local` what should be shown there."""
    values = {
        "fields": canonical_json(plain(base.fields)),
        "version": base.version,
        "agreed_hash": digest(plain(base.fields)),
        "seen_hash": digest(plain(seen)),
        "local_hash": digest(plain(local)),
    }
    tx.touched = True
    put(tx.connection, schema.base, tx.workspace, {"tracker": ref.tracker, "remote_id": ref.id}, values)


def drop_bases(tx: Transaction, refs: Iterable[RemoteRef]) -> None:
    """Forget what was agreed where nothing is bound any more."""
    table = schema.base
    for ref in refs:
        tx.connection.execute(
            delete(table).where(
                table.c.workspace_id == tx.workspace,
                table.c.tracker == ref.tracker,
                table.c.remote_id == ref.id,
            )
        )


def fields_of(text: str) -> dict[str, FieldValue]:
    """Canonical fields out of their stored JSON: lists are label tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
