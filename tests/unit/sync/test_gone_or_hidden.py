"""Deleted, hidden and copied tasks are told apart, and each is what it is in the states too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.sync.world import World
from ticssync.model.task import RemoteTask
from ticssync.plugin import Page
from ticssync.testing.fake_site import index, strong
from ticssync.testing.fake_tracker import FakeTracker

DAY_S = 90_000


class Careless(FakeTracker):
    """Its listing leaves out what somebody touched in that moment; asked for by itself it is there."""

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        for page in super().list_changed(cursor):
            yield replace(page, items=[one for one in page.items if one.fields.get("number") != "T-02"])


@pytest.fixture(params=[strong, index], ids=["redmine-like", "jira-like"])
def world(request: pytest.FixtureRequest) -> World:
    world = World(behaviours={"a": request.param()})
    world.settle()
    world.clock.advance(120)
    return world


def test_a_task_that_we_may_not_see_is_lost_and_not_deleted(world: World) -> None:
    """403 says that it is there: nobody is told that a colleague deleted it."""
    world.server().hide(world.issue("T-02").id)
    world.clock.advance(DAY_S)

    world.settle(wait=60)

    assert [one.state.value for one in world.bound("T-02")] == ["lost"]


def test_a_task_that_is_not_there_any_more_is_deleted_and_not_lost(world: World) -> None:
    world.server().delete(world.issue("T-02").id)
    world.clock.advance(DAY_S)

    world.settle(wait=60)

    assert [one.state.value for one in world.bound("T-02")] == ["tomb"]


def test_a_copied_task_loses_our_marker_and_the_first_one_keeps_it(world: World) -> None:
    """The copy is the colleague's own from then on: its text stays, and nothing takes it for ours again."""
    first = world.issue("T-01")
    copied = world.server().copy(first.id)
    world.server().person_sets(copied.id, {"件名": "別の仕事"})
    world.clock.advance(120)

    world.settle(wait=120)

    after = {one.id: one.fields for one in world.server().issues()}
    assert after[first.id]["目印"] == first.fields["目印"]
    assert (after[copied.id]["目印"] or "", after[copied.id]["件名"]) == ("", "別の仕事")


def test_a_task_that_a_whole_listing_leaves_out_is_not_deleted_by_that(world: World) -> None:
    """Only a look at the task itself proves that it is gone."""
    world.drivers = {"a": Careless}
    world.clock.advance(DAY_S)

    world.settle(wait=60)

    assert [one.state.value for one in world.bound("T-02")] == ["live"]
    assert world.kinds().count("task.state") == 0
