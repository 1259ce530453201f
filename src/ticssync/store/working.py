"""What the engine keeps between cycles besides bindings: intents, cursors, hot tasks, refusals, conflicts,
flips, drivers' memory.  All of it can be lost without losing a fact: the next look rebuilds it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, delete, insert, select, update

from ticssync.model.canonical import canonical_json, instant_text
from ticssync.model.key import TaskKey
from ticssync.model.task import FieldValue, RemoteRef
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.store import Transaction


def _of(tx: Transaction, table: Table, **key: Any) -> list[Any]:
    return [table.c.workspace_id == tx.workspace, *(table.c[name] == value for name, value in key.items())]


def _delete(tx: Transaction, table: Table, **key: Any) -> None:
    tx.connection.execute(delete(table).where(*_of(tx, table, **key)))


# --- intents: written before what cannot be repeated -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Intent:
    """A create or a note that may have been sent.  `at` is UTC text; `presend` the driver's hint; `token` that of the
    lease under which it was sent (`store.fenced.ENDED`: its sender came to its end in order)."""

    id: str
    key: TaskKey
    tracker: str
    op: str
    marker: str
    presend: str
    at: str
    payload: Mapping[str, Any]
    tries: int = 1
    token: int = 0


def intents(tx: Transaction, tracker: str) -> tuple[Intent, ...]:
    """What was sent to this tracker and not yet answered for."""
    table = schema.intent
    rows = tx.connection.execute(
        select(table).where(*_of(tx, table, tracker=tracker), table.c.phase == "sent")
    ).mappings()
    found = [
        Intent(
            r["id"],
            TaskKey.parse(r["task_key"]),
            tracker,
            r["op"],
            r["marker"],
            r["presend"],
            r["at"],
            json.loads(r["payload"]),
            r["tries"],
            r["token"],
        )
        for r in rows
    ]
    return tuple(sorted(found, key=lambda one: one.id))


def add_intents(tx: Transaction, found: Iterable[Intent], token: int) -> None:
    """Commit the intents of one batch before it is sent."""
    for one in found:
        values = {
            "task_key": str(one.key), "tracker": one.tracker, "op": one.op, "payload": canonical_json(one.payload),
            "marker": one.marker, "presend": one.presend, "phase": "sent", "at": one.at, "tries": one.tries, "token": token,
        }  # fmt: skip
        put(tx.connection, schema.intent, tx.workspace, {"id": one.id}, values)


def drop_intent(tx: Transaction, intent_id: str) -> None:
    """The intent has been answered for."""
    _delete(tx, schema.intent, id=intent_id)


# --- cursors, hot tasks, memory, failures -----------------------------------------------------------------


def cursor(tx: Transaction, tracker: str) -> tuple[str | None, str | None]:
    """(where to continue reading, UTC text of the last full look)."""
    table = schema.cursor
    row = tx.connection.execute(
        select(table.c.value, table.c.full_at).where(*_of(tx, table, tracker=tracker, scope=""))
    ).one_or_none()
    return (row.value, row.full_at) if row else (None, None)


def put_cursor(tx: Transaction, tracker: str, value: str | None, full_at: str | None) -> None:
    """Continue here next time."""
    put(
        tx.connection,
        schema.cursor,
        tx.workspace,
        {"tracker": tracker, "scope": ""},
        {"value": value, "full_at": full_at},
    )


def hot(tx: Transaction, tracker: str) -> frozenset[RemoteRef]:
    """Tasks to look at strongly in this cycle: written lately, while the index may lag."""
    table = schema.hot
    rows = tx.connection.execute(select(table.c.remote_id).where(*_of(tx, table, tracker=tracker)))
    return frozenset(RemoteRef(tracker, row.remote_id) for row in rows)


def set_hot(tx: Transaction, refs: Iterable[RemoteRef], until: datetime) -> None:
    """Look at these again until then."""
    for ref in refs:
        put(
            tx.connection,
            schema.hot,
            tx.workspace,
            {"tracker": ref.tracker, "remote_id": ref.id},
            {"until": instant_text(until)},
        )


def cool(tx: Transaction, tracker: str, now: datetime) -> None:
    """Forget those whose time has passed."""
    table = schema.hot
    tx.connection.execute(
        delete(table).where(*_of(tx, table, tracker=tracker), table.c.until < instant_text(now))
    )


def memory(tx: Transaction, tracker: str) -> dict[str, str]:
    """What a driver put away."""
    table = schema.memory
    rows = tx.connection.execute(select(table.c.name, table.c.value).where(*_of(tx, table, tracker=tracker)))
    return {row.name: row.value for row in rows}


def put_memory(tx: Transaction, tracker: str, changes: Mapping[str, str | None]) -> None:
    """Keep what a driver put away; None forgets."""
    for name, value in changes.items():
        if value is None:
            _delete(tx, schema.memory, tracker=tracker, name=name)
        else:
            put(
                tx.connection,
                schema.memory,
                tx.workspace,
                {"tracker": tracker, "name": name},
                {"value": value},
            )


def not_before(tx: Transaction, tracker: str) -> str | None:
    """UTC text until which the tracker asked not to be called."""
    table = schema.failure
    return tx.connection.execute(
        select(table.c.until).where(*_of(tx, table, cause=f"tracker:{tracker}"))
    ).scalar_one_or_none()


def put_failure(tx: Transaction, tracker: str, message: str, until: datetime | None) -> None:
    """Remember a failing tracker: first and last time, how often, until when to leave it alone."""
    table, cause, now = schema.failure, f"tracker:{tracker}", instant_text(tx.now)
    values = {"last_at": now, "message": message, "until": instant_text(until) if until else None}
    changed = tx.connection.execute(
        update(table).where(*_of(tx, table, cause=cause)).values(**values, count=table.c.count + 1)
    )
    if not changed.rowcount:
        tx.connection.execute(
            insert(table).values(workspace_id=tx.workspace, cause=cause, first_at=now, count=1, **values)
        )


def clear_failure(tx: Transaction, tracker: str) -> None:
    """The tracker answers again."""
    _delete(tx, schema.failure, cause=f"tracker:{tracker}")


# --- refusals, conflicts, flips ---------------------------------------------------------------------------


LEFT: Final = "left"
"""The only one of a refusal's `moves` where no tracker refused anything: a person left the field as it stands there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that the tracker did not take.  It is not written again while wanted, found and moves stay."""

    key: TaskKey
    tracker: str
    field: str
    wanted: FieldValue
    found: FieldValue
    moves: tuple[str, ...]
    why: str
    at: str = ""

    @property
    def left(self) -> bool:
        """Whether a person decided so: it is settled, nobody needs to look at it, and it is not asked for again."""
        return self.moves == (LEFT,)


def _value(text: str) -> FieldValue:
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def refusals(tx: Transaction, tracker: str | None = None) -> tuple[Refusal, ...]:
    """Open refusals, by task, tracker and field."""
    table = schema.refusal
    key = {} if tracker is None else {"tracker": tracker}
    rows = tx.connection.execute(select(table).where(*_of(tx, table, **key))).mappings()
    found = [
        Refusal(
            TaskKey.parse(r["task_key"]),
            r["tracker"],
            r["field"],
            _value(r["wanted"]),
            _value(r["raw_found"]),
            tuple(json.loads(r["moves"])),
            r["why"],
            r["at"],
        )
        for r in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.key, one.tracker, one.field)))


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sides changed one field; `taken` is the value in force, `values` all sides' values."""

    id: str
    key: TaskKey
    field: str
    owner: str
    base: FieldValue
    values: Mapping[str, FieldValue]
    taken: FieldValue
    at: str
    resolved_at: str | None = None
    resolved_by: str | None = None


def conflicts(tx: Transaction, *, open_only: bool = True) -> tuple[Conflict, ...]:
    """Conflicts that a person has not settled (or all)."""
    table = schema.conflict
    rows = tx.connection.execute(select(table).where(*_of(tx, table))).mappings()
    found = [_conflict(row) for row in rows if not (open_only and row["resolved_at"])]
    return tuple(sorted(found, key=lambda one: one.id))


def _conflict(row: Any) -> Conflict:
    payload = json.loads(row["payload"])
    values = {side: tuple(v) if isinstance(v, list) else v for side, v in payload["values"].items()}
    return Conflict(
        row["id"], TaskKey.parse(row["task_key"]), row["field"], row["owner"], payload["base"], values,
        _value(row["taken"]), row["at"], row["resolved_at"], row["resolved_by"],
    )  # fmt: skip


def flips(tx: Transaction, tracker: str) -> dict[tuple[str, str], tuple[tuple[str, ...], str | None]]:
    """(remote id, field) → (UTC times of overwritten foreign changes, since when frozen)."""
    table = schema.flip
    rows = tx.connection.execute(select(table).where(*_of(tx, table, tracker=tracker))).mappings()
    return {(r["remote_id"], r["field"]): (tuple(json.loads(r["payload"])), r["frozen_at"]) for r in rows}


def put_flip(tx: Transaction, ref: RemoteRef, name: str, times: Iterable[str], frozen_at: str | None) -> None:
    """Keep the count of one field."""
    key = {"tracker": ref.tracker, "remote_id": ref.id, "field": name}
    put(
        tx.connection,
        schema.flip,
        tx.workspace,
        key,
        {"payload": canonical_json(list(times)), "frozen_at": frozen_at},
    )


def drop_flips(tx: Transaction, ref: RemoteRef) -> None:
    """A person unfroze the task."""
    _delete(tx, schema.flip, tracker=ref.tracker, remote_id=ref.id)


def read_days(tx: Transaction) -> dict[str, str | None]:
    """Tracker → the day (ISO, the company's zone) on which it was last read."""
    table = schema.tracker
    rows = tx.connection.execute(select(table.c.name, table.c.read_on).where(*_of(tx, table)))
    return {row.name: row.read_on for row in rows}
