"""The lease: who may act outside (trackers, mail) for this workspace.  One row, a counter, a fencing token.

Clocks are not trusted: a standby takes over when the heartbeat counter has not moved for its own monotonic
time.  A holder on this very host whose process is gone is taken over at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from ticssync.errors import RetryLaterError, say
from ticssync.model.canonical import instant_text, parse_instant
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.store import Store, Transaction

TTL_S: Final = 60.0
"""Seconds without a heartbeat after which a lease has lapsed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: a name that no other process has, host and process id."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The row.  `since` and `beat_at` are UTC text; `token` rises with each holder and fences its writes."""

    holder: Holder
    since: str
    token: int
    heartbeat: int
    beat_at: str


def read_lease(tx: Transaction) -> Lease | None:
    """Who holds it, if anybody."""
    table = schema.lease
    row = (
        tx.connection.execute(select(table).where(table.c.workspace_id == tx.workspace))
        .mappings()
        .one_or_none()
    )
    if row is None or not row["holder"]:
        return None
    return Lease(
        Holder(row["holder"], row["host"], row["pid"]),
        row["since"],
        row["token"],
        row["heartbeat"],
        row["beat_at"],
    )


def _token(tx: Transaction) -> int:
    table = schema.lease
    return (
        tx.connection.execute(
            select(table.c.token).where(table.c.workspace_id == tx.workspace)
        ).scalar_one_or_none()
        or 0
    )


def acquire(
    store: Store,
    holder: Holder,
    *,
    alive: Callable[[int], bool],
    lapsed: Callable[[Lease], bool] = lambda _lease: False,
) -> Lease:
    """Take the lease.  Raises RetryLaterError naming host, process and since when, where another one lives.

    `alive` tells whether a process of this host runs; `lapsed` whether the caller has watched the counter
    stand still for TTL_S of its own monotonic time.
    """
    with store.write() as tx:
        current = read_lease(tx)
        if current is not None and not _may_take(current, holder, alive, lapsed):
            raise held(current)
        lease = Lease(holder, instant_text(tx.now), _token(tx) + 1, 0, instant_text(tx.now))
        _keep(tx, lease)
    return lease


def _may_take(
    current: Lease, holder: Holder, alive: Callable[[int], bool], lapsed: Callable[[Lease], bool]
) -> bool:
    same_host = current.holder.host == holder.host
    # One process runs one pass at a time, so a lease of our own process is left over from a pass that failed.
    if same_host and current.holder.pid == holder.pid:
        return True
    return (same_host and not alive(current.holder.pid)) or lapsed(current)


def held(current: Lease) -> RetryLaterError:
    """The error that names the holder."""
    one = current.holder
    return RetryLaterError(
        say(
            "another ticssync works on this workspace: {host}, process {pid}, since {since}",
            host=one.host,
            pid=one.pid,
            since=current.since,
        ),
        fix=say("wait until it is done; if that machine is gone, the lease lapses by itself in a minute"),
    )


def _keep(tx: Transaction, lease: Lease) -> None:
    values = {
        "holder": lease.holder.name, "host": lease.holder.host, "pid": lease.holder.pid, "since": lease.since,
        "token": lease.token, "heartbeat": lease.heartbeat, "beat_at": lease.beat_at,
    }  # fmt: skip
    put(tx.connection, schema.lease, tx.workspace, {}, values)


def beat(store: Store, lease: Lease) -> Lease:
    """Move the counter.  Raises RetryLaterError where the lease is no longer ours."""
    with store.write() as tx:
        current = read_lease(tx)
        if current is None or current.token != lease.token:
            raise lost(current)
        moved = Lease(lease.holder, lease.since, lease.token, current.heartbeat + 1, instant_text(tx.now))
        _keep(tx, moved)
    return moved


def check(store: Store, lease: Lease) -> None:
    """Directly before a send: raises RetryLaterError where another one has taken over."""
    with store.read() as tx:
        current = read_lease(tx)
    if current is None or current.token != lease.token:
        raise lost(current)


class LeaseLostError(RetryLaterError):
    """Another process acts for this workspace now: stop, nothing more is sent."""


def lost(current: Lease | None) -> LeaseLostError:
    """The error that says who took over."""
    who = f"{current.holder.host}/{current.holder.pid}" if current else "-"
    return LeaseLostError(say("the lease of this workspace went to {who}: stopped before sending", who=who))


def release(store: Store, lease: Lease) -> None:
    """Give it back; the token stays, so that the next one is higher."""
    with store.write() as tx:
        current = read_lease(tx)
        if current is not None and current.token == lease.token:
            _keep(
                tx,
                Lease(Holder("", "", 0), lease.since, lease.token, current.heartbeat, instant_text(tx.now)),
            )


def silent_for(lease: Lease, now: datetime) -> float:
    """Seconds since the last heartbeat by the wall clock: only a hint whether watching the counter is worth while."""
    return (now - parse_instant(lease.beat_at)).total_seconds()


def forget(tx: Transaction) -> None:
    """No lease at all (a moved store)."""
    tx.connection.execute(delete(schema.lease).where(schema.lease.c.workspace_id == tx.workspace))
