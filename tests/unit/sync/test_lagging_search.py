"""A tracker whose search lags behind: what it still shows is old news, and what it does not show yet is not missed."""

from __future__ import annotations

import pytest

from tests.unit.sync.world import World, key
from ticssync.store.hub import Wish, put_wish
from ticssync.testing.fake_site import index

LAG_S = 60


@pytest.fixture
def world() -> World:
    world = World(items=("T-01",), behaviours={"a": index()})
    world.settle()
    world.clock.advance(3 * LAG_S)
    world.settle(wait=1)
    return world


def asks_for(world: World, status: str) -> None:
    with world.store.write() as tx:
        put_wish(tx, key("T-01"), "status", Wish(status, "2026-04-01T09:00:00.000000Z"))


def test_what_the_search_still_shows_of_a_task_that_we_wrote_is_nobodys_edit(world: World) -> None:
    """A colleague's edit of another field brings the task into the search as it was before our write."""
    world.person("T-01", 担当="1002")
    world.clock.advance(LAG_S / 2)
    asks_for(world, "doing")
    states = []
    for _ in range(8):
        world.sync()
        world.clock.advance(LAG_S / 4)
        states.append(world.hub()["status"])

    assert set(states) == {"doing"}
    assert world.issue("T-01").fields["状態"] == "対応中"
    assert (world.hub()["status"], world.hub()["assignee"]) == ("doing", "takasaki")
    assert world.conflicts() == []


def test_who_edits_right_after_our_write_is_heard_before_the_search_shows_it(world: World) -> None:
    """What we wrote a moment ago is looked at by itself until the search has caught up."""
    asks_for(world, "doing")
    world.sync()
    world.person("T-01", 担当="1002")
    world.clock.advance(LAG_S / 6)

    world.sync()

    assert world.hub()["assignee"] == "takasaki"
