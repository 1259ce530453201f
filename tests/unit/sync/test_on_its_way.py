"""What another process sent may still come to be: for a while not finding it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sync.giving import files_in, give_file, give_note, notes_in
from tests.unit.sync.world import WORKSPACE, World, key, outgoing
from ticssync.model.key import Marker
from ticssync.store import By, lease, working
from ticssync.store.bindings import bindings
from ticssync.store.fenced import ENDED, Fenced, count_from_here, sender_ended
from ticssync.store.lease import Holder, LeaseLostError
from ticssync.store.locker import Locker
from ticssync.store.working import Intent, add_intents, intents
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, run
from ticssync.testing.fake_site import full

OURS, THEIRS = 2, 1
WAIT_S = 120
REQUEST_S = 60
FIRST, SECOND = Holder("first", "pc", 100), Holder("second", "server", 200)


class Died(BaseException):
    """The process is gone, and its request went through or not."""


def sync(world: World, token: int = OURS) -> dict[str, TrackerReport]:
    hands = Hands(
        world.store, By("test@host", "sync"), token, lambda: None, lambda _name, _actions: None, world.locker, WAIT_S,
        REQUEST_S,
    )  # fmt: skip
    now = world.clock
    return run(Pass(world.sites(), world.wants(), world.display, hands, Order(), now().date(), now))


def sent(world: World) -> tuple[Intent, ...]:
    with world.store.read() as tx:
        return intents(tx, "a")


def dies_at(world: World, point: str) -> None:
    """The other process is gone at this point of its pass."""

    def watch(name: str) -> None:
        if name == point:
            raise Died(name)

    world.server().watch = watch
    with pytest.raises(Died):
        sync(world, THEIRS)
    world.server().watch = lambda _name: None


def arrives(world: World, item: str) -> None:
    """The tracker carries out what had been on its way."""
    marker = str(Marker(WORKSPACE, key(item), 1))
    world.server().create([{"件名": f"{item} 項目", "番号": item, "目印": marker}])


def test_a_create_of_another_process_is_waited_for_and_then_sent_again() -> None:
    world = World()
    dies_at(world, "before create")
    first = sync(world)["a"]
    world.clock.advance(WAIT_S - 1)
    second = sync(world)["a"]
    waited = len(world.issues("T-01"))
    world.clock.advance(1)
    third = sync(world)

    assert (first.waiting, second.waiting, waited) == (["tics/T-01"], ["tics/T-01"], 0)
    assert (outgoing(third), len(world.issues("T-01")), sent(world)) == (["a:create:T-01"], 1, ())


def test_one_that_arrives_meanwhile_is_taken_over_and_not_made_again() -> None:
    world = World()
    dies_at(world, "before create")
    sync(world)
    arrives(world, "T-01")
    report = sync(world)["a"]

    assert (report.waiting, len(world.issues("T-01")), sent(world)) == ([], 1, ())
    assert [one.state for one in world.bound("T-01")] == ["live"]


def test_one_that_arrives_after_all_is_a_copy_that_is_told_and_gone_from_the_count_once_it_is_deleted() -> (
    None
):
    world = World()
    dies_at(world, "before create")
    world.clock.advance(WAIT_S)
    sync(world)
    arrives(world, "T-01")
    world.clock.advance(1)
    told = sync(world)["a"].notices
    world.clock.advance(60)
    later = sync(world)["a"].notices
    (copied,) = [one for one in world.bound("T-01") if one.state == "copy"]
    assert [one["id"] for one in told] == ["copy"]
    assert copied.display_key in told[0]["message"]
    assert later == []

    world.server().delete(copied.ref.id)
    world.clock.advance(25 * 3600)
    sync(world)

    assert sorted(one.state for one in world.bound("T-01")) == ["detached", "live"]


@pytest.mark.parametrize("token", [ENDED, OURS])
def test_what_has_ended_and_what_we_sent_ourselves_is_waited_for_as_long_as_a_request_can_take(
    token: int,
) -> None:
    world = World()
    dies_at(world, "before create")
    with world.store.write() as tx:
        add_intents(tx, intents(tx, "a"), token)
    world.clock.advance(REQUEST_S - 1)
    early = sync(world)["a"].waiting
    world.clock.advance(1)

    assert early == ["tics/T-01"]
    assert sync(world)["a"].waiting == []
    assert len(world.issues("T-01")) == 1


def test_a_file_is_as_it_stands_and_is_not_waited_for() -> None:
    world = World(behaviours={"a": full()})
    dies_at(world, "before write")

    assert sync(world)["a"].waiting == []
    assert len(world.issues("T-01")) == 1


@pytest.mark.parametrize(("note", "file"), [(True, False), (False, True), (True, True)])
def test_a_note_and_a_file_of_another_process_are_not_given_twice(
    tmp_path: Path, note: bool, file: bool
) -> None:
    world = World(items=("T-01",), locker=Locker(tmp_path / "locker"))
    world.settle()
    words = ["期限を延ばしました"] if note else []
    for word in words:
        give_note(world, word)
    there = [give_file(world)] if file else []
    held: list[Callable[[], object]] = []
    ask = world.server().update
    world.server().update = lambda edits: held.append(lambda: ask(edits)) or _die()  # type: ignore[method-assign]
    with pytest.raises(Died):
        sync(world, THEIRS)
    world.server().update = ask  # type: ignore[method-assign]

    sync(world)
    assert (notes_in(world), files_in(world)) == ([], [])
    held[0]()
    world.clock.advance(1)
    sync(world)
    world.clock.advance(WAIT_S)
    for _ in range(2):
        sync(world)

    assert (notes_in(world), files_in(world), sent(world)) == (words, there, ())


def _die() -> None:
    raise Died


# ── the store in the hands of a holder ────────────────────────────────────────────────────────────────


def test_whoever_lost_the_lease_writes_nothing_more_and_people_still_do() -> None:
    store = World().store
    mine = lease.acquire(store, FIRST, alive=lambda _pid: True)
    held = Fenced(store, mine)
    with held.write() as tx:
        tx.put_meta("a", "written")
    lease.acquire(store, SECOND, alive=lambda _pid: True, lapsed=lambda _lease: True)

    with pytest.raises(LeaseLostError), held.write() as tx:
        tx.put_meta("b", "written")
    with store.write() as tx:
        tx.put_meta("c", "written")
    with held.read() as tx:
        assert [tx.meta(name) for name in "abc"] == ["written", None, "written"]


def test_a_store_handed_on_keeps_the_first_ones_watch_and_listener() -> None:
    store = World().store
    held = Fenced(Fenced(store, lease.acquire(store, FIRST, alive=lambda _pid: True)), lease.acquire(
        store, FIRST, alive=lambda _pid: True
    ))  # fmt: skip
    points: list[str] = []
    store.watch = points.append
    with held.write():
        pass

    assert (held.bare is store, points) == (True, ["before commit", "after commit"])


def test_a_sender_that_ended_and_one_that_went_silent_leave_it_in_the_intents() -> None:
    world = World()
    dies_at(world, "before create")
    at = sent(world)[0].at
    mine = lease.acquire(world.store, FIRST, alive=lambda _pid: True)
    assert mine.token == THEIRS
    world.clock.advance(50)
    held = Fenced(world.store, mine)
    count_from_here(held, THEIRS, world.clock())
    moved = sent(world)[0]
    sender_ended(held)
    ended = sent(world)[0]

    assert (at < moved.at, moved.token, ended.token, ended.at) == (True, THEIRS, ENDED, moved.at)


def test_a_pass_under_a_lost_lease_leaves_the_log_as_it_is() -> None:
    """Frozen while the tracker was answering, it wakes up and cannot record what it was answered."""
    world = World(items=("T-01",))
    bare = world.store
    mine = lease.acquire(bare, FIRST, alive=lambda _pid: True)
    world.store = Fenced(bare, mine)

    def frozen(name: str) -> None:
        if name == "after create":
            lease.acquire(bare, SECOND, alive=lambda _pid: True, lapsed=lambda _lease: True)

    world.server().watch = frozen
    with pytest.raises(LeaseLostError):
        sync(world, mine.token)

    with bare.read() as tx:
        assert (bindings(tx), [one.op for one in working.intents(tx, "a")]) == ((), ["create"])
