"""What was taken from the tasks in the trackers: how far each task was collected (table `collected`, working
state), and what came of each note and file there (table `source`, derived from events)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, insert, select

from ticssync.model.canonical import storable_text
from ticssync.model.evidence import Evidence
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef
from ticssync.store import schema
from ticssync.store.events import By, Event
from ticssync.store.evidence import add_evidence
from ticssync.store.store import Transaction

FEW: Final = 400
"""So many places are named in one query; for more the whole tracker is read."""


@dataclass(frozen=True, slots=True)
class Part:
    """One note (`note:12`) or file (`attachment:45`) of a task.  `digest` is the SHA-256 of its text or bytes."""

    ref: RemoteRef
    part: str
    task_key: TaskKey
    name: str
    digest: str = ""

    @property
    def source(self) -> str:
        """Where it is, in one word: `factory:123:attachment:45`."""
        return f"{self.ref.tracker}:{self.ref.id}:{self.part}"

    def plain(self) -> dict[str, str]:
        """As an event holds it."""
        return {
            "tracker": self.ref.tracker, "remote_id": self.ref.id, "part": self.part,
            "task_key": str(self.task_key), "digest": self.digest,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """What came of a part: `taken` as `evidence`, `same` (its bytes stood already, as `evidence`), `ours` (we hung
    it there) or `refused` (`why`).  `gone_at`: UTC text since when the task no longer shows it."""

    part: Part
    state: str
    evidence: str = ""
    why: str = ""
    gone_at: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A live main binding: which task stands there, and what the tracker calls it."""

    ref: RemoteRef
    key: TaskKey
    display_key: str


def places(
    tx: Transaction, tracker: str, remote_ids: Collection[str] | None = None
) -> dict[RemoteRef, Place]:
    """The live main bindings of a tracker (at these ids)."""
    table = schema.binding
    query = select(table.c.remote_id, table.c.task_key, table.c.display_key).where(
        *_in(tx, table, tracker, remote_ids), table.c.state == "live", table.c.role == "main"
    )
    found = (
        Place(RemoteRef(tracker, row.remote_id), TaskKey.parse(row.task_key), row.display_key)
        for row in tx.connection.execute(query)
        if remote_ids is None or row.remote_id in remote_ids
    )
    return {one.ref: one for one in found}


def versions(tx: Transaction, tracker: str, remote_ids: Collection[str]) -> dict[RemoteRef, str]:
    """The tracker's own version of what was last agreed at these ids, where it has one."""
    table = schema.base
    query = select(table.c.remote_id, table.c.version).where(*_in(tx, table, tracker, remote_ids))
    return {
        RemoteRef(tracker, row.remote_id): str(row.version)
        for row in tx.connection.execute(query)
        if row.version and row.remote_id in remote_ids
    }


# --- how far each task was collected ----------------------------------------------------------------------


def stamps(tx: Transaction, tracker: str, remote_ids: Collection[str]) -> dict[RemoteRef, str]:
    """What each task was like when it was last collected."""
    table = schema.collected
    query = select(table.c.remote_id, table.c.stamp).where(*_in(tx, table, tracker, remote_ids))
    return {
        RemoteRef(tracker, row.remote_id): str(row.stamp)
        for row in tx.connection.execute(query)
        if row.remote_id in remote_ids
    }


def due(tx: Transaction, tracker: str) -> frozenset[RemoteRef]:
    """Tasks that an earlier pass saw changed and did not collect to the end."""
    table = schema.collected
    query = select(table.c.remote_id).where(*_in(tx, table, tracker, None), table.c.due == 1)
    return frozenset(RemoteRef(tracker, row.remote_id) for row in tx.connection.execute(query))


def put_stamps(tx: Transaction, tracker: str, collected: Mapping[RemoteRef, str]) -> None:
    """These were collected to the end."""
    _put(tx, tracker, {ref.id: (stamp, 0) for ref, stamp in collected.items()})


def put_due(tx: Transaction, tracker: str, refs: Collection[RemoteRef]) -> None:
    """These are still to be collected."""
    known = stamps(tx, tracker, {ref.id for ref in refs})
    _put(tx, tracker, {ref.id: (known.get(ref, ""), 1) for ref in refs})


def _put(tx: Transaction, tracker: str, rows: Mapping[str, tuple[str, int]]) -> None:
    table, ids = schema.collected, sorted(rows)
    for start in range(0, len(ids), FEW):
        some = ids[start : start + FEW]
        tx.connection.execute(delete(table).where(*_in(tx, table, tracker, some)))
        tx.connection.execute(
            insert(table),
            [
                {
                    "workspace_id": tx.workspace,
                    "tracker": tracker,
                    "remote_id": one,
                    "stamp": stamp,
                    "due": is_due,
                }
                for one in some
                for stamp, is_due in (rows[one],)
            ],
        )


# --- what came of each part -------------------------------------------------------------------------------


def sources(
    tx: Transaction, tracker: str, remote_ids: Collection[str] | None = None
) -> dict[tuple[RemoteRef, str], Source]:
    """(task, part) → what came of it, of a tracker (at these ids)."""
    return _sources(tx, *_in(tx, schema.source, tracker, remote_ids))


def open_sources(tx: Transaction, tracker: str) -> tuple[Source, ...]:
    """What a person should know: refused files that still hang there, and evidence whose file no longer does."""
    table, held = schema.source, schema.evidence
    withdrawn = set(
        tx.connection.execute(
            select(held.c.id).where(held.c.workspace_id == tx.workspace, held.c.state == "withdrawn")
        ).scalars()
    )
    found = _sources(
        tx,
        *_in(tx, table, tracker, None),
        ((table.c.state == "refused") & table.c.gone_at.is_(None))
        | ((table.c.state == "taken") & table.c.gone_at.is_not(None)),
    )
    return tuple(one for one in found.values() if one.evidence not in withdrawn)


def gone_evidence(tx: Transaction) -> dict[str, str]:
    """Evidence id → UTC text since when the task that it was taken from no longer shows it."""
    table = schema.source
    query = select(table.c.evidence, table.c.gone_at).where(
        table.c.workspace_id == tx.workspace, table.c.state == "taken", table.c.gone_at.is_not(None)
    )
    return {str(row.evidence): str(row.gone_at) for row in tx.connection.execute(query)}


def take_part(tx: Transaction, part: Part, piece: Evidence, by: By) -> Event:
    """The part becomes evidence (event `evidence.added` with its origin)."""
    return add_evidence(tx, piece, by, part.plain())


def pass_over(tx: Transaction, part: Part, state: str, by: By, *, evidence: str = "", why: str = "") -> Event:
    """The part is no evidence of its own (event `evidence.passed_over`): `same`, `ours` or `refused`."""
    payload = part.plain() | {
        "name": storable_text(part.name), "state": state, "evidence": evidence, "why": why,
    }  # fmt: skip
    del payload["task_key"]
    return tx.append("evidence.passed_over", str(part.task_key), by, payload)


def mark_gone(tx: Transaction, source: Source, by: By, *, gone: bool) -> Event:
    """The task no longer shows the file, or shows it again (`evidence.source_gone`, `evidence.source_back`).

    The evidence and its bytes stay as they are.
    """
    part = source.part
    payload = {
        "tracker": part.ref.tracker, "remote_id": part.ref.id, "part": part.part, "task": str(part.task_key),
        "attachment": part.part.partition(":")[2], "name": part.name,
    }  # fmt: skip
    kind = "evidence.source_gone" if gone else "evidence.source_back"
    return tx.append(kind, source.evidence or str(part.task_key), by, payload)


def _sources(tx: Transaction, *where: ColumnElement[bool]) -> dict[tuple[RemoteRef, str], Source]:
    rows = tx.connection.execute(select(schema.source).where(*where)).mappings()
    found = sorted(map(_source, rows), key=lambda one: (one.part.task_key, one.part.ref, one.part.part))
    return {(one.part.ref, one.part.part): one for one in found}


def _source(row: Any) -> Source:
    ref = RemoteRef(row["tracker"], row["remote_id"])
    part = Part(ref, row["part"], TaskKey.parse(row["task_key"]), row["name"], row["digest"])
    return Source(part, row["state"], row["evidence"], row["why"], row["gone_at"])


def _in(
    tx: Transaction, table: Table, tracker: str, remote_ids: Iterable[str] | None
) -> list[ColumnElement[bool]]:
    where = [table.c.workspace_id == tx.workspace, table.c.tracker == tracker]
    named = None if remote_ids is None else sorted(remote_ids)
    if named is not None and len(named) <= FEW:
        where.append(table.c.remote_id.in_(named))
    return where
