"""Where two tasks could come to be one item's: copies, restored tasks, answers that were lost, a store that was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.sync.world import WORKSPACE, World, key
from ticssync.model.key import Marker
from ticssync.model.task import RemoteTask
from ticssync.plugin import Page
from ticssync.store import Store
from ticssync.store.hub import hub_task, put_hub
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.wire import Fault

LAG_S = 60


class Narrow(FakeTracker):
    """Lists nothing, and finds all the same: our tasks were moved to another project."""

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        for page in super().list_changed(cursor):
            yield replace(page, items=(), complete=False)


def new_store(world: World) -> None:
    world.store = Store.memory(WORKSPACE, world.clock, salt=lambda: "0" * 32)


@pytest.mark.parametrize("ways", [strong, full])
def test_of_a_task_and_its_copy_a_new_store_takes_the_older_one(ways) -> None:
    """A copy carries our marker too; what people wrote stands in the first one."""
    world = World(behaviours={"a": ways()})
    world.settle()
    first = world.issue("T-01").id
    for _ in range(10):
        world.server().person_creates({"件名": "ほかの課題"})
    world.server().copy(first)
    new_store(world)

    world.sync()

    assert {one.ref.id: one.state.value for one in world.bound("T-01")}[first] == "live"
    assert sorted(one.state.value for one in world.bound("T-01")) == ["copy", "live"]


def test_a_restored_task_is_not_taken_for_the_deleted_one() -> None:
    """It carries a marker of its own: the next generation of the same key."""
    world = World(behaviours={"a": strong()})
    world.settle()
    world.server().delete(world.issue("T-01").id)
    world.clock.advance(2 * 86400)
    world.sync()
    with world.store.write() as tx:
        put_hub(tx, replace(hub_task(tx, key("T-01")), restore=True))

    world.settle(wait=60)

    assert world.issue("T-01").fields["目印"] == str(Marker(WORKSPACE, key("T-01"), 2))
    assert sorted((one.state.value, one.generation) for one in world.bound("T-01")) == [
        ("detached", 1),
        ("live", 2),
    ]


def test_a_create_whose_answer_was_lost_is_not_sent_again_before_the_search_can_show_it() -> None:
    """A search that lags a minute shows nothing for a minute: until then nothing is proven."""
    world = World(items=("T-01",), behaviours={"a": index()})
    world.server().fail_next("create", Fault.ANSWER_LOST)
    world.sync()
    for _ in range(5):
        world.clock.advance(LAG_S / 6)
        assert world.sync()["a"].waiting == [str(key("T-01"))]
        assert len(world.issues("T-01")) == 1

    world.clock.advance(LAG_S)
    world.sync()

    assert [one.state.value for one in world.bound("T-01")] == ["live"]
    assert len(world.issues("T-01")) == 1


@pytest.mark.parametrize("ways", [strong, index, full])
def test_a_create_that_never_arrived_is_sent_once_more(ways) -> None:
    world = World(items=("T-01",), behaviours={"a": ways()})
    world.server().fail_next("write" if ways is full else "create", Fault.NOT_SENT)
    world.sync()

    for _ in range(3):
        world.clock.advance(2 * LAG_S)
        world.sync()

    assert len(world.issues("T-01")) == 1


def test_a_new_store_looks_before_it_makes_anything() -> None:
    """An old backup was put back: everything that was made since stands there already."""
    world = World(behaviours={"a": strong()})
    world.settle()
    made = {one.id for one in world.server().issues()}
    new_store(world)

    world.settle()

    assert {one.id for one in world.server().issues()} == made
    assert world.server().requests["create"] == len(made)


def test_what_no_listing_shows_is_looked_for_by_its_marker_before_it_is_made() -> None:
    """An issue that was moved to another project is found there, and not made a second time beside it."""
    world = World(behaviours={"a": strong()})
    world.settle()
    made = {one.id for one in world.server().issues()}
    new_store(world)
    world.drivers = {"a": Narrow}

    world.settle(wait=60)

    assert {one.id for one in world.server().issues()} == made
    assert {one.ref.id for item in world.items for one in world.bound(item)} == made


def test_a_copy_that_another_workspace_took_over_keeps_that_ones_marker() -> None:
    world = World(behaviours={"a": strong()})
    world.settle(wait=1)
    world.clock.advance(130)
    copied = world.server().copy(world.issue("T-01").id).id
    world.settle(wait=1)
    theirs = str(Marker("somebody00", key("T-01"), 1))
    world.clock.advance(1)
    world.server().person_sets(copied, {"目印": theirs})
    for _ in range(2):
        # Every place that we know is read with the daily look.
        world.clock.advance(90_000)
        world.sync()

    assert world.server().issue(copied).fields["目印"] == theirs
