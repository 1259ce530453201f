"""Who acts outside: one at a time, on both stores; whoever was silent for too long learns of it before it sends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.servers.postgres import Cluster
from tests.servers.postgres_fixtures import OTHERS_OUT, administer, at_database

from ticssync.errors import RetryLaterError, TicssyncError
from ticssync.store import By, Store, session_lock
from ticssync.store import lease as leases
from ticssync.store.lease import Holder, Lease, LeaseLostError, Standby
from ticssync.testing.clock import Clock

pytest_plugins = ["tests.servers.postgres_fixtures"]

WORKSPACE = "contract00"
ONE, OTHER, THIRD = Holder("one", "pc", 100), Holder("other", "server", 200), Holder("third", "pc", 300)
Opens = Callable[[], Store]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs the three seconds here that a busy server may take to notice a death."""
    monkeypatch.setattr(session_lock, "PATIENCE_MS", 300)
    monkeypatch.setattr(session_lock, "AGAIN_MS", 100)


def alive(_pid: int) -> bool:
    return True


def row(token: int, heartbeat: int) -> Lease:
    return Lease(ONE, "", token, heartbeat, "")


@pytest.fixture
def opens(any_store_url: str) -> Iterator[Opens]:
    """Opens the same store again, as another process would."""
    stores = [Store.create(any_store_url, WORKSPACE, Clock())]

    def again() -> Store:
        stores.append(Store.open(any_store_url, WORKSPACE, Clock()))
        return stores[-1]

    yield again
    for one in stores:
        one.close()


def now(store: Store) -> Lease | None:
    with store.read() as tx:
        return leases.read_lease(tx)


# -- the counter, watched


def test_a_counter_lapses_only_after_the_watchers_own_time_and_any_beat_begins_it_anew():
    watch = Standby(60)

    assert [watch.observe(row(1, 5), at) for at in (100.0, 130.0, 159.9)] == [0.0, 30.0, pytest.approx(59.9)]
    assert (watch.lapsed(row(1, 5)), watch.left_s() > 0) == (False, True)
    assert (watch.observe(row(1, 6), 160.0), watch.lapsed(row(1, 6))) == (0.0, False)
    watch.observe(row(1, 6), 220.0)
    assert (watch.lapsed(row(1, 6)), watch.left_s()) == (True, 0.0)
    assert not watch.lapsed(row(1, 7)), "it has beaten between the last look and the taking"
    assert not watch.lapsed(row(2, 6)), "another one has taken it meanwhile"


@given(st.lists(st.tuples(st.floats(0.01, 100), st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_nothing_lapses_that_was_seen_to_move_within_the_time(steps: list[tuple[float, bool, bool]]):
    """However irregular the looks are; and what really stood still for the whole time has lapsed."""
    watch, at, token, heartbeat, since = Standby(60), 0.0, 1, 0, None
    for pause, beats, changes in steps:
        at += pause
        moved = since is None or beats or changes
        heartbeat, token = heartbeat + beats, token + changes
        since = at if moved else since
        watch.observe(row(token, heartbeat), at)
        assert since is not None
        assert watch.lapsed(row(token, heartbeat)) == (at - since >= 60)


def test_a_free_lease_and_one_that_was_freed_in_between_start_the_watch_anew():
    watch = Standby(60)
    watch.observe(row(1, 0), 0)
    watch.observe(None, 61)
    assert watch.observe(row(1, 0), 62) == 0.0


# -- taken, beaten, lost, given back


def test_one_holds_it_and_every_other_is_told_who(opens: Opens):
    held = leases.acquire(opens(), ONE, alive=alive)
    with pytest.raises(RetryLaterError) as refused:
        leases.acquire(opens(), OTHER, alive=alive)

    assert "pc, process 100" in str(refused.value)
    assert held.token == 1


def test_a_beat_moves_the_counter_and_a_check_agrees(opens: Opens):
    store = opens()
    lease = leases.acquire(store, ONE, alive=alive)
    for expected in (1, 2, 3):
        lease = leases.beat(store, lease)
        leases.check(store, lease)
        assert (lease.heartbeat, now(opens())) == (expected, lease)
    leases.release(store, lease)


def test_a_daemons_passes_ask_through_another_store_than_the_one_that_took_it(opens: Opens):
    lease = leases.acquire(opens(), ONE, alive=alive)
    leases.check(opens(), lease)
    assert leases.beat(opens(), lease).heartbeat == 1
    leases.release(opens(), lease)
    assert now(opens()) is None


def test_given_back_it_is_free_at_once_with_a_higher_token(opens: Opens):
    store = opens()
    leases.release(store, leases.acquire(store, ONE, alive=alive))

    assert now(store) is None
    assert leases.acquire(opens(), OTHER, alive=alive).token == 2
    with pytest.raises(RetryLaterError):
        leases.acquire(store, ONE, alive=alive)


def test_a_silent_holder_is_taken_over_from_and_stopped_at_its_next_step(opens: Opens):
    sleeper, waker = opens(), opens()
    lost = leases.acquire(sleeper, ONE, alive=alive)
    watch = Standby(60)
    for at in (0, 61):
        watch.observe(now(waker), at)
    new = leases.acquire(waker, OTHER, alive=alive, lapsed=watch.lapsed)

    for step in (leases.check, leases.beat):
        with pytest.raises(LeaseLostError) as told:
            step(sleeper, lost)
        assert "server/200" in str(told.value)
    leases.release(sleeper, lost)
    assert now(waker) == new
    leases.check(waker, new)
    assert leases.beat(waker, new).heartbeat == 1


def test_who_beats_at_the_last_moment_keeps_it(opens: Opens):
    holder, waker = opens(), opens()
    lease = leases.acquire(holder, ONE, alive=alive)
    watch = Standby(60)
    for at in (0, 61):
        watch.observe(now(waker), at)
    lease = leases.beat(holder, lease)
    with pytest.raises(RetryLaterError):
        leases.acquire(waker, OTHER, alive=alive, lapsed=watch.lapsed)

    leases.check(holder, lease)
    assert leases.beat(holder, lease).heartbeat == 2


def test_a_standby_waits_and_takes_it_when_the_counter_stood_still(opens: Opens):
    holder, waiting = opens(), opens()
    lease = leases.acquire(holder, ONE, alive=alive)
    moments, slept = iter(range(0, 1000, 7)), list[float]()

    def wait(seconds: float) -> bool:
        slept.append(seconds)
        if len(slept) == 3:
            leases.beat(holder, lease)
        return False

    taken = leases.stand_by(waiting, OTHER, alive=alive, monotonic=lambda: next(moments), wait=wait, ttl_s=60)

    assert taken is not None and taken.holder == OTHER and taken.token == 2
    assert len(slept) == 12, "three looks before the beat, then nine at intervals of seven seconds: 63 s"


def test_a_standby_that_is_told_to_stop_has_nothing(opens: Opens):
    leases.acquire(opens(), ONE, alive=alive)
    moments = iter(range(100))
    assert (
        leases.stand_by(opens(), OTHER, alive=alive, monotonic=lambda: next(moments), wait=lambda _s: True)
        is None
    )


def test_a_standby_takes_what_is_given_back(opens: Opens):
    holder = opens()
    lease = leases.acquire(holder, ONE, alive=alive)
    moments = iter(range(100))

    def wait(_seconds: float) -> bool:
        leases.release(holder, lease)
        return False

    taken = leases.stand_by(opens(), OTHER, alive=alive, monotonic=lambda: next(moments), wait=wait)
    assert taken is not None and taken.token == 2


def test_what_is_left_of_a_failed_pass_of_this_very_process_is_in_nobodys_way(opens: Opens):
    """Its store was closed, the lease was not given back."""
    failed = opens()
    leases.acquire(failed, ONE, alive=alive)
    failed.close()
    assert leases.acquire(opens(), Holder("again", "pc", 100), alive=alive).token == 2


# -- the session lock of PostgreSQL

FREEZES = """
import sys
from ticssync.store import By, Store, lease
from ticssync.testing.clock import Clock
store = Store.open(sys.argv[1], "contract00", Clock())
lease.acquire(store, lease.Holder("freezes", "pc", 300), alive=lambda pid: True)
try:
    with store.write() as tx:
        tx.append("task.note", "x", By("frozen"), {})
        print("held", flush=True)
        sys.stdin.readline()
except Exception as error:
    print(type(error).__name__, flush=True)
"""

DIES = """
import sys
from ticssync.store import Store, lease
from ticssync.testing.clock import Clock
store = Store.open(sys.argv[1], "contract00", Clock())
lease.acquire(store, lease.Holder("dies", "pc", 300), alive=lambda pid: True)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server_store(postgres_url: str) -> Iterator[Store]:
    store = Store.create(postgres_url, WORKSPACE, Clock())
    yield store
    store.close()


def test_a_holder_that_was_killed_leaves_no_lock_behind(server_store: Store, postgres_url: str):
    holder = subprocess.Popen(
        [sys.executable, "-c", DIES, postgres_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RetryLaterError):
        leases.acquire(server_store, OTHER, alive=lambda _pid: False)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()

    taken = leases.acquire(server_store, THIRD, alive=lambda _pid: False)
    assert taken.token == 2
    leases.release(server_store, taken)


def test_a_holder_that_was_frozen_in_the_middle_of_writing_is_in_nobodys_way_and_writes_nothing(
    server_store: Store, postgres_url: str
):
    """Its transaction would keep everybody waiting, and be committed when it wakes up."""
    with subprocess.Popen(
        [sys.executable, "-c", FREEZES, postgres_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as frozen:
        assert frozen.stdout is not None and frozen.stdin is not None
        assert frozen.stdout.readline() == "held\n"
        taken = leases.acquire(server_store, OTHER, alive=alive, lapsed=lambda _lease: True)
        with server_store.write() as tx:
            tx.append("task.note", "y", By("awake"), {})
        told, _ = frozen.communicate("\n", timeout=60)

    assert told == "RetryLaterError\n"
    with server_store.read() as tx:
        assert [event.actor for event in tx.events()] == ["awake"]
    leases.release(server_store, taken)


def test_two_machines_with_one_name_do_not_take_each_other_for_dead(server_store: Store):
    """Cloned machines, containers: the process is not to be seen there, or is even one's own number, and lives."""
    lease = leases.acquire(server_store, ONE, alive=alive)
    for holder in (Holder("twin", "pc", 100), Holder("other twin", "pc", 101)):
        with pytest.raises(RetryLaterError) as told:
            leases.acquire(server_store, holder, alive=lambda _pid: False)
        assert "pc, process 100" in str(told.value)
    leases.check(server_store, lease)
    leases.release(server_store, lease)


def test_a_row_that_somebody_emptied_does_not_make_two_holders(server_store: Store):
    lease = leases.acquire(server_store, ONE, alive=alive)
    with server_store.write() as tx:
        tx.connection.execute(text("UPDATE lease SET holder = ''"))
    with pytest.raises(RetryLaterError) as told:
        leases.acquire(server_store, OTHER, alive=alive)

    assert "right now" in str(told.value)
    leases.release(server_store, lease)


def test_a_server_that_was_started_anew_costs_the_holder_nothing(own_cluster: Cluster):
    store = Store.create(own_cluster.url(), WORKSPACE, Clock())
    lease = leases.acquire(store, ONE, alive=alive)
    own_cluster.stop()
    with pytest.raises(RetryLaterError) as told:
        leases.check(store, lease)
    assert not isinstance(told.value, LeaseLostError)
    with pytest.raises(RetryLaterError):
        leases.beat(store, lease)
    own_cluster.start()

    assert leases.beat(store, lease).heartbeat == 1
    leases.check(store, lease)
    with pytest.raises(RetryLaterError):
        leases.acquire(store, OTHER, alive=alive)
    leases.release(store, lease)
    store.close()


def test_a_lost_session_is_taken_up_again_unless_another_one_has_come(server_store: Store, postgres_url: str):
    lease = leases.acquire(server_store, ONE, alive=alive)
    administer(postgres_url, OTHERS_OUT)
    leases.check(server_store, lease)
    administer(postgres_url, OTHERS_OUT)
    other = leases.acquire(server_store, OTHER, alive=alive, lapsed=lambda _lease: True)

    for step in (leases.check, leases.beat):
        with pytest.raises(LeaseLostError):
            step(server_store, lease)
    leases.release(server_store, lease)
    leases.check(server_store, other)
    leases.release(server_store, other)


def test_a_former_session_that_the_server_has_not_missed_yet_is_not_in_the_holders_own_way(
    server_store: Store,
):
    """The network broke: the server believes that the old connection is still there."""
    lease = leases.acquire(server_store, ONE, alive=alive)
    assert lease.session is not None
    unreachable, lease.session._connection = lease.session._connection, None
    leases.check(server_store, lease)

    assert leases.beat(server_store, lease).heartbeat == 1
    leases.release(server_store, lease)
    assert unreachable is not None
    unreachable.close()


def test_workspaces_of_two_databases_are_in_nobodys_way(server_store: Store, new_database: Callable[[], str]):
    second = Store.create(new_database(), WORKSPACE, Clock())
    one, other = leases.acquire(server_store, ONE, alive=alive), leases.acquire(second, OTHER, alive=alive)

    leases.check(server_store, one)
    leases.check(second, other)
    leases.release(server_store, one)
    leases.release(second, other)
    second.close()


def test_an_account_that_may_not_end_the_silent_session_takes_nothing_over(
    postgres_server: str, postgres_url: str
):
    """The holder's account is another one: the holder must end by itself, or an administrator ends it."""
    store = Store.create(postgres_url, WORKSPACE, Clock())
    lease = leases.acquire(store, ONE, alive=alive)
    administer(
        postgres_url, "DROP ROLE IF EXISTS plain_other", "CREATE ROLE plain_other LOGIN PASSWORD 'canary-pw'"
    )
    administer(postgres_url, "GRANT ALL ON ALL TABLES IN SCHEMA public TO plain_other")
    url = at_database(postgres_server, postgres_url.rpartition("/")[2]).replace(
        "postgres@", "plain_other:canary-pw@"
    )
    other = Store.open(url, WORKSPACE, Clock())
    with pytest.raises(RetryLaterError):
        leases.acquire(other, OTHER, alive=alive, lapsed=lambda _lease: True)
    leases.check(store, lease)

    other.close()
    leases.release(store, lease)
    store.close()
    administer(postgres_url, "DROP OWNED BY plain_other", "DROP ROLE plain_other")


def test_after_it_was_given_back_nothing_takes_the_lock_again(server_store: Store):
    lease = leases.acquire(server_store, ONE, alive=alive)
    leases.release(server_store, lease)
    with pytest.raises(TicssyncError):
        leases.beat(server_store, lease)

    leases.release(server_store, leases.acquire(server_store, OTHER, alive=alive))
