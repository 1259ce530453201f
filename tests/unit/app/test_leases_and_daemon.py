"""Who may act for a workspace: a lease that beats while it is held, and a daemon that knows when it has lost it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from tests.unit.app.office import Office
from ticssync import daemon as daemons
from ticssync.app import leasing
from ticssync.app.workspace import Workspace
from ticssync.daemon import Daemon
from ticssync.errors import RetryLaterError
from ticssync.store import Store, connection
from ticssync.store import lease as leases
from ticssync.store.lease import Holder, LeaseLostError
from ticssync.testing.clock import Clock

ALIVE, GONE = (lambda _pid: True), (lambda _pid: False)
ONE, OTHER, ELSEWHERE = (
    Holder("one", "pc", 100),
    Holder("other", "pc", 200),
    Holder("elsewhere", "server", 100),
)


@pytest.fixture
def store() -> Store:
    return Store.memory("k7m2q9wx4d", Clock())


class Rounds(threading.Event):
    """Ends a loop that waits between its rounds, after so many of them."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.rounds -= 1
        return self.rounds < 0


def now(store: Store) -> leases.Lease | None:
    with store.read() as tx:
        return leases.read_lease(tx)


def taken_over(store: Store, holder: Holder = OTHER) -> leases.Lease:
    """Somebody has watched the counter stand still and takes the lease."""
    return leases.acquire(store, holder, alive=ALIVE, lapsed=lambda _lease: True)


def test_a_living_process_of_this_host_keeps_its_lease_however_long_it_is_silent(store: Store) -> None:
    leases.acquire(store, ONE, alive=ALIVE)
    assert isinstance(store.clock, Clock)
    store.clock.advance(86_400)

    with pytest.raises(RetryLaterError) as held:
        leases.acquire(store, OTHER, alive=ALIVE)

    assert "pc, process 100" in str(held.value)


def test_the_lease_of_a_process_that_is_gone_is_taken_at_once_on_its_own_host_only(store: Store) -> None:
    leases.acquire(store, ONE, alive=ALIVE)
    with pytest.raises(RetryLaterError):
        leases.acquire(store, ELSEWHERE, alive=GONE)

    assert leases.acquire(store, OTHER, alive=GONE).token == 2


def test_a_held_lease_moves_its_counter_and_stops_when_another_has_it(store: Store) -> None:
    lease = leases.acquire(store, ONE, alive=ALIVE)
    leasing._keep_beating(store, lease, Rounds(3), 1)
    beaten = now(store)
    new = taken_over(store)
    rounds = Rounds(3)
    leasing._keep_beating(store, lease, rounds, 1)

    assert beaten is not None and beaten.heartbeat == 3
    assert (now(store), rounds.rounds) == (new, 2)


def test_whoever_lost_the_lease_sends_nothing_more(store: Store) -> None:
    lease = leases.acquire(store, ONE, alive=ALIVE)
    taken_over(store)

    with pytest.raises(LeaseLostError) as lost:
        leases.check(store, lease)

    assert (lost.value.exit_code, "pc/200" in str(lost.value)) == (3, True)


def test_a_command_beats_for_as_long_as_it_holds_the_lease(office: Office) -> None:
    before, beaten = threading.active_count(), threading.Event()
    with office.open() as workspace:
        with leasing.leased(workspace, leasing.Pace(beat_s=0.01)):
            workspace.store.watch = lambda _point: beaten.set()
            came = beaten.wait(30)
            held = now(workspace.store)
        after = now(workspace.store)

    assert came and held is not None and held.holder.pid == 4711
    assert (after, threading.active_count()) == (None, before)


def test_a_lease_is_given_back_only_when_the_last_beat_is_over(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[leases.Lease | None] = []

    def slow(store: Store, _lease: leases.Lease, stop: threading.Event, _every_s: float) -> None:
        stop.wait()
        beats.extend(now(store) for _ in range(50))

    monkeypatch.setattr(leasing, "_keep_beating", slow)
    with office.open() as workspace:
        with leasing.leased(workspace) as lease:
            pass
        found = [one.token if one else None for one in beats]

    assert found == [lease.token] * 50


def test_a_busy_store_ends_no_daemon(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_MS", 50)
    daemon = Daemon(office.around)
    with office.open() as workspace:
        lease = leases.acquire(workspace.store, ONE, alive=ALIVE)
        beat = daemon._beat(workspace, lease)
        with closing(sqlite3.connect(office.root / "ticssync.db", isolation_level=None)) as busy:
            busy.execute("BEGIN IMMEDIATE")
            beat()
            busy.execute("ROLLBACK")
        missed = now(workspace.store)
        beat()
        moved = now(workspace.store)

    assert (daemon.stopping.is_set(), daemon.exit_code) == (False, 0)
    assert missed is not None and moved is not None and (missed.heartbeat, moved.heartbeat) == (0, 1)


class Robbed(Daemon):
    """Its lease is taken in the middle of its first pass."""

    def _sync(self, workspace: Workspace) -> None:
        taken_over(workspace.store, ELSEWHERE)


def test_a_daemon_that_lost_its_lease_ends_by_itself_with_exit_3_and_leaves_the_new_holder_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemons, "BEAT_EVERY_S", 1)
    office.configure(trackers=(), route=())
    daemon = Robbed(office.around)

    code = daemon.run()

    with office.open() as workspace:
        holder = now(workspace.store)
    assert code == 3
    assert holder is not None and holder.holder == ELSEWHERE
