"""The tables.  Their names and columns end up at customers: additions by migration only.

Every table carries `workspace_id`.  Times are UTC text of fixed width, JSON is canonical text, order is
made in Python (collations of SQLite and PostgreSQL differ).

Two families: what is *derived from events* (`DERIVED`: replaying the log fills them again) and what is
*working state* of one store (leases, intents, cursors, bases), which is rebuilt by looking at the trackers.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

REVISION: Final = "0002"
"""The newest migration.  Opening a store compares this constant with one select; Alembic is not imported."""

metadata: Final = MetaData()


def _table(name: str, *columns: Column[object] | Index | CheckConstraint, key: tuple[str, ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("workspace_id", Text, nullable=False),
        *columns,
        PrimaryKeyConstraint("workspace_id", *key, name=f"pk_{name}"),
    )


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=False)


def _maybe(name: str) -> Column[object]:
    return Column(name, Text, nullable=True)


def _number(name: str) -> Column[object]:
    return Column(name, Integer, nullable=False)


meta: Final = _table("meta", _text("name"), _text("value"), key=("name",))

event: Final = _table(
    "event",
    _number("seq"),
    _text("at"),
    _text("kind"),
    _text("subject"),
    _text("actor"),
    _maybe("claimed_by"),
    _text("channel"),
    _maybe("payload"),
    _maybe("salt"),
    _text("payload_hash"),
    _text("prev_hash"),
    _text("hash"),
    key=("seq",),
)
head: Final = _table("head", _number("seq"), _text("hash"), key=())

lease: Final = _table(
    "lease",
    _text("holder"),
    _text("host"),
    _number("pid"),
    _text("since"),
    _number("token"),
    _number("heartbeat"),
    _text("beat_at"),
    key=(),
)
request: Final = _table(
    "request",
    _text("id"),
    _text("kind"),
    _text("asked_at"),
    _text("payload"),
    _maybe("done_at"),
    _maybe("result"),
    key=("id",),
)

scope: Final = _table("scope", _text("scheme"), _text("payload"), _number("seq"), key=("scheme",))
profile_act: Final = _table(
    "profile_act",
    _text("scheme"),
    _text("profile_digest"),
    _text("payload"),
    _number("seq"),
    key=("scheme", "profile_digest"),
)
tracker: Final = _table("tracker", _text("name"), _text("kind"), _maybe("read_on"), key=("name",))
binding: Final = _table(
    "binding",
    _text("tracker"),
    _text("remote_id"),
    _text("task_key"),
    _text("state"),
    _number("generation"),
    _text("role"),
    _text("display_key"),
    _text("url"),
    _maybe("status"),
    _text("raw_status"),
    _maybe("updated_at"),
    _maybe("assignee"),
    _maybe("due"),
    _text("problems"),
    CheckConstraint("state in ('live','lost','tomb','copy','detached')", name="binding_state"),
    key=("tracker", "remote_id"),
)
Index(
    "one_live_binding",
    binding.c.workspace_id,
    binding.c.task_key,
    binding.c.tracker,
    unique=True,
    sqlite_where=binding.c.state == "live",
    postgresql_where=binding.c.state == "live",
)
base: Final = _table(
    "base",
    _text("tracker"),
    _text("remote_id"),
    _text("fields"),
    _maybe("version"),
    _text("agreed_hash"),
    _text("seen_hash"),
    _text("local_hash"),
    key=("tracker", "remote_id"),
)
Index(
    "dirty_base",
    base.c.workspace_id,
    base.c.tracker,
    sqlite_where=(base.c.agreed_hash != base.c.seen_hash) | (base.c.agreed_hash != base.c.local_hash),
    postgresql_where=(base.c.agreed_hash != base.c.seen_hash) | (base.c.agreed_hash != base.c.local_hash),
)
task: Final = _table("task", _text("task_key"), _text("fields"), _text("rendered_hash"), key=("task_key",))

intent: Final = _table(
    "intent",
    _text("id"),
    _text("task_key"),
    _text("tracker"),
    _text("op"),
    _text("payload"),
    _text("marker"),
    _text("presend"),
    _text("phase"),
    _text("at"),
    _number("tries"),
    _number("token"),
    CheckConstraint("phase in ('ready','sent')", name="intent_phase"),
    key=("id",),
)
hot: Final = _table("hot", _text("tracker"), _text("remote_id"), _text("until"), key=("tracker", "remote_id"))
refusal: Final = _table(
    "refusal",
    _text("task_key"),
    _text("tracker"),
    _text("field"),
    _text("wanted"),
    _text("raw_found"),
    _text("moves"),
    _text("why"),
    _text("at"),
    key=("task_key", "tracker", "field"),
)
conflict: Final = _table(
    "conflict",
    _text("id"),
    _text("task_key"),
    _text("field"),
    _text("owner"),
    _text("payload"),
    _text("taken"),
    _text("at"),
    _maybe("resolved_at"),
    _maybe("resolved_by"),
    key=("id",),
)
flip: Final = _table(
    "flip", _text("tracker"), _text("remote_id"), _text("field"), _text("payload"), _maybe("frozen_at"),
    key=("tracker", "remote_id", "field"),
)  # fmt: skip
cursor: Final = _table(
    "cursor", _text("tracker"), _text("scope"), _maybe("value"), _maybe("full_at"), key=("tracker", "scope")
)
failure: Final = _table(
    "failure", _text("cause"), _text("first_at"), _text("last_at"), _number("count"), _text("message"), _maybe("until"),
    key=("cause",),
)  # fmt: skip
memory: Final = _table("memory", _text("tracker"), _text("name"), _text("value"), key=("tracker", "name"))
collected: Final = _table(
    "collected",
    _text("tracker"),
    _text("remote_id"),
    _text("stamp"),
    _number("due"),
    key=("tracker", "remote_id"),
)
accepted: Final = _table("accepted", _text("tracker"), _text("word"), _text("at"), key=("tracker", "word"))

act: Final = _table(
    "confirmation", _number("seq"), _text("criterion"), _text("cycle"), _text("payload"), key=("seq",)
)
evidence: Final = _table(
    "evidence",
    _text("id"),
    _text("criterion"),
    _text("cycle"),
    _text("state"),
    _text("payload"),
    _number("seq"),
    key=("id",),
)
evidence_file: Final = _table(
    "evidence_file", _text("sha256"), _number("size"), _text("state"), _text("checked_at"), key=("sha256",)
)
source: Final = _table(
    "source",
    _text("tracker"),
    _text("remote_id"),
    _text("part"),
    _text("task_key"),
    _text("state"),
    _text("name"),
    _text("digest"),
    _text("evidence"),
    _text("why"),
    _maybe("gone_at"),
    CheckConstraint("state in ('taken','same','ours','refused')", name="source_state"),
    key=("tracker", "remote_id", "part"),
)
certificate: Final = _table("certificate", _text("id"), _text("payload"), key=("id",))
duty: Final = _table("duty", _text("id"), _text("state"), _text("payload"), key=("id",))
finding: Final = _table("finding", _text("id"), _text("state"), _text("payload"), key=("id",))
notice: Final = _table(
    "notice",
    _text("duty"),
    _text("person"),
    _text("step"),
    _text("due_on"),
    _maybe("claimed_at"),
    _maybe("sent_at"),
    _text("message_id"),
    _text("payload"),
    key=("duty", "person", "step"),
)

DERIVED: Final = (
    scope,
    profile_act,
    tracker,
    binding,
    conflict,
    refusal,
    act,
    evidence,
    source,
    certificate,
    duty,
    finding,
)
"""Filled from events alone: `store.replay` empties and refills them."""
