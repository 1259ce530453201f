"""The lease: who may act outside (trackers, mail) for this workspace.  One row, a counter, a fencing token.

Clocks are not trusted: a standby takes over when the heartbeat counter has not moved for its own monotonic
time (`Standby`).  A holder on this very host whose process is gone is taken over at once.

On PostgreSQL a holder also keeps a session advisory lock on a connection of its own (`store.session_lock`), asks and
beats on that very connection, and is thrown out of it by whoever takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection, delete, select, update

from ticssync.errors import RetryLaterError, say
from ticssync.model.canonical import instant_text, parse_instant
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.session_lock import NotOurs, SessionLock
from ticssync.store.store import Store, Transaction

TTL_S: Final = 60.0
"""Seconds without a heartbeat after which a lease has lapsed."""
Answer = TypeVar("Answer")
LOOK_EVERY_S: Final = 1.0
"""How often a standby looks at the counter."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: a name that no other process has, host and process id."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The row.  `since` and `beat_at` are UTC text; `token` rises with each holder and fences its writes.

    `session` is the lock that the holder itself keeps besides (PostgreSQL only); what is read has none.
    """

    holder: Holder
    since: str
    token: int
    heartbeat: int
    beat_at: str
    session: SessionLock | None = field(default=None, compare=False, repr=False)


def read_lease(tx: Transaction) -> Lease | None:
    """Who holds it, if anybody."""
    return _read(tx.connection, tx.workspace)


def _read(connection: Connection, workspace: str, *, lock: bool = False) -> Lease | None:
    table = schema.lease
    query = select(table).where(table.c.workspace_id == workspace)
    # Beats come without the head row: nothing may move the counter between looking at it and taking it.
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
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


class Standby:
    """Watches another holder's counter.  Moments are seconds of the watcher's own monotonic clock, handed in.

    Only what was read counts: a counter that reads the same at two looks has stood still between them, also where
    the watcher itself was frozen meanwhile.
    """

    def __init__(self, ttl_s: float = TTL_S) -> None:
        self.ttl_s = ttl_s
        self._beat: tuple[int, int] | None = None
        self._since = 0.0
        self._still_s = 0.0

    def observe(self, current: Lease | None, moment_s: float) -> float:
        """Take in what the row says at this moment; for how many seconds that beat has been the last one."""
        beat = None if current is None else (current.token, current.heartbeat)
        if beat is None or beat != self._beat:
            self._beat, self._since = beat, moment_s
        self._still_s = moment_s - self._since
        return self._still_s

    def left_s(self) -> float:
        """Seconds for which the counter must still stand, as of the last look."""
        return max(0.0, self.ttl_s - self._still_s)

    def lapsed(self, current: Lease) -> bool:
        """Whether exactly this beat was watched for the whole time: what `acquire` asks within its transaction."""
        return self._beat == (current.token, current.heartbeat) and self._still_s >= self.ttl_s


def stand_by(
    store: Store,
    holder: Holder,
    *,
    alive: Callable[[int], bool],
    monotonic: Callable[[], float],
    wait: Callable[[float], bool],
    ttl_s: float = TTL_S,
    every_s: float = LOOK_EVERY_S,
) -> Lease | None:
    """Wait until the lease is given back or its holder has gone silent, and take it.

    `wait` waits so many seconds and tells whether to stop (as `threading.Event.wait`): then None.  A store that
    does not answer for a while is waited for like a holder.
    """
    standby = Standby(ttl_s)
    while True:
        try:
            with store.read() as tx:
                current = read_lease(tx)
            standby.observe(current, monotonic())
            if current is None or _may_take(current, holder, alive, standby.lapsed):
                return acquire(store, holder, alive=alive, lapsed=standby.lapsed)
        except RetryLaterError:
            # Another one was faster, or the store is busy: the next look tells.
            pass
        if wait(every_s):
            return None


def acquire(
    store: Store,
    holder: Holder,
    *,
    alive: Callable[[int], bool],
    lapsed: Callable[[Lease], bool] = lambda _lease: False,
) -> Lease:
    """Take the lease.  Raises RetryLaterError naming host, process and since when, where another one lives.

    `alive` tells whether a process of this host runs; `lapsed` whether the caller has watched the counter
    stand still for TTL_S of its own monotonic time (`Standby.lapsed`).
    """
    if not store.on_server:
        return _take(store, holder, alive, lapsed, None)
    with store.read() as tx:
        current = read_lease(tx)
    if current is not None and not _may_take(current, holder, alive, lapsed):
        raise held(current)
    session = SessionLock(store.engine, store.workspace, store.where)
    if current is not None and lapsed(current):
        # A silent holder still has its session: it is ended, so that the holder learns of it when it wakes up.  A
        # process that seems to be gone is none of those: two machines may have one name.
        session.evict()
    if not session.take():
        raise held(current) if current is not None else _taking(store)
    try:
        lease = _take(store, holder, alive, lapsed, session)
    except BaseException:
        session.close()
        raise
    store.at_close.append(session.close)
    return lease


def _take(
    store: Store,
    holder: Holder,
    alive: Callable[[int], bool],
    lapsed: Callable[[Lease], bool],
    session: SessionLock | None,
) -> Lease:
    with store.write() as tx:
        current = _read(tx.connection, tx.workspace, lock=True)
        if current is not None and not _may_take(current, holder, alive, lapsed):
            raise held(current)
        lease = Lease(holder, instant_text(tx.now), _token(tx) + 1, 0, instant_text(tx.now), session)
        _keep(tx, lease)
    return lease


def _taking(store: Store) -> RetryLaterError:
    return RetryLaterError(
        say("another ticssync takes or gives back the lease of {where} right now", where=store.where),
        fix=say("run it again in a moment"),
    )


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
    if lease.session is not None:
        return _beat_on(lease.session, store, lease)
    with store.write() as tx:
        current = read_lease(tx)
        if current is None or current.token != lease.token:
            raise lost(current)
        moved = replace(lease, heartbeat=current.heartbeat + 1, beat_at=instant_text(tx.now))
        _keep(tx, moved)
    return moved


def _beat_on(session: SessionLock, store: Store, lease: Lease) -> Lease:
    """On the holder's own connection: one statement, and none of a long transaction's locks in its way."""
    table, at = schema.lease, instant_text(store.clock())
    mine = (table.c.workspace_id == store.workspace, table.c.token == lease.token, table.c.holder != "")
    moving = (
        update(table)
        .where(*mine)
        .values(heartbeat=table.c.heartbeat + 1, beat_at=at)
        .returning(table.c.heartbeat)
    )
    moved = _asked(session, store, lease, lambda connection: connection.execute(moving).scalar_one_or_none())
    if moved is None:
        raise lost(_now(store))
    return replace(lease, heartbeat=moved, beat_at=at)


def check(store: Store, lease: Lease) -> None:
    """Directly before a send: raises RetryLaterError where another one has taken over."""
    current = _last_known(store, lease)
    if current is None or current.token != lease.token:
        raise lost(current)


def _last_known(store: Store, lease: Lease) -> Lease | None:
    session = lease.session
    if session is None:
        return _now(store)
    # On the holder's own connection: that it still answers is half of the proof.
    return _asked(session, store, lease, lambda connection: _read(connection, store.workspace))


def _now(store: Store) -> Lease | None:
    with store.read() as tx:
        return read_lease(tx)


def _asked(session: SessionLock, store: Store, lease: Lease, ask: Callable[[Connection], Answer]) -> Answer:
    try:
        return session.run(ask)
    except NotOurs:
        # Its session was ended and the lock is another one's by now.
        current = _now(store)
        ours = current is not None and current.token == lease.token
        raise (_without_session() if ours else lost(current)) from None


class LeaseLostError(RetryLaterError):
    """Another process acts for this workspace now: stop, nothing more is sent."""


def lost(current: Lease | None) -> LeaseLostError:
    """The error that says who took over."""
    who = f"{current.holder.host}/{current.holder.pid}" if current else "-"
    return LeaseLostError(say("the lease of this workspace went to {who}: stopped before sending", who=who))


def _without_session() -> LeaseLostError:
    return LeaseLostError(
        say("the database session that held the lease of this workspace is gone: stopped before sending"),
        fix=say("ticssync doctor tells whether a pooler stands in front of the database"),
    )


def release(store: Store, lease: Lease) -> None:
    """Give it back; the token stays, so that the next one is higher."""
    try:
        with store.write() as tx:
            current = _read(tx.connection, tx.workspace, lock=True)
            if current is not None and current.token == lease.token:
                nobody = Holder("", "", 0)
                _keep(tx, Lease(nobody, lease.since, lease.token, current.heartbeat, instant_text(tx.now)))
    finally:
        if lease.session is not None:
            lease.session.close()


def silent_for(lease: Lease, now: datetime) -> float:
    """Seconds since the last heartbeat by the wall clock: only a hint whether watching the counter is worth while."""
    return (now - parse_instant(lease.beat_at)).total_seconds()


def forget(tx: Transaction) -> None:
    """No lease at all (a moved store)."""
    tx.connection.execute(delete(schema.lease).where(schema.lease.c.workspace_id == tx.workspace))
