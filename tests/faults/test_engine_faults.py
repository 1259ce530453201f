"""Every crash point and every network fault of a whole scenario, enumerated, for three kinds of tracker.

A point is a store commit or a request, before and after.  At each one the process dies (or the network fails)
once; then the next passes must repair everything: one task per item, no lost edit, no false tomb, quiet in the
end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.unit.sync.world import World, outgoing
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.wire import Fault

KINDS: dict[str, Callable[[], Behaviour]] = {
    "workbook-like": full,
    "redmine-like": strong,
    "jira-like": index,
}
ITEMS = ("T-01", "T-02", "T-03", "T-04", "T-05")


class Death(BaseException):
    """The process is gone: nothing catches this."""


class Point:
    """Counts points, and dies at one of them."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.seen, self.names = at, 0, []

    def __call__(self, name: str) -> None:
        self.seen += 1
        self.names.append(name)
        if self.seen == self.at:
            raise Death(name)


def scenario(world: World) -> None:
    """A first sync; then both sides edit; then a sync that writes and takes in."""
    world.sync()
    world.clock.advance(120)
    if world.issues("T-02"):
        world.person("T-02", 状態="完了")
    world.titles["T-01"] = "新しい題名"
    world.clock.advance(120)
    world.sync()


def lives_through(world: World) -> None:
    with suppress(Death):
        scenario(world)


def repaired(world: World) -> None:
    """At most three more passes, and all is well."""
    world.store.watch = lambda _point: None
    world.server().watch = lambda _point: None
    world.titles["T-01"] = "新しい題名"
    for _ in range(4):
        world.clock.advance(120)
        reports = world.sync()
    assert outgoing(reports) == []
    assert {item: len(world.issues(item)) for item in ITEMS} == dict.fromkeys(ITEMS, 1)
    assert {item: [one.state for one in world.bound(item)] for item in ITEMS} == {
        item: ["live"] for item in ITEMS
    }
    assert world.issue("T-01").fields["件名"] == "新しい題名"
    done = world.issue("T-02").fields["状態"] == "完了"
    assert world.hub("T-02")["status"] == ("done" if done else "todo")


def new_world(kind: str) -> World:
    return World(items=ITEMS, behaviours={"a": KINDS[kind]()})


def points_of(kind: str) -> int:
    world, point = new_world(kind), Point()
    world.store.watch = world.server().watch = point
    scenario(world)
    return point.seen


@pytest.mark.parametrize("kind", KINDS)
def test_death_at_every_commit_and_request_leaves_one_task_per_item_and_no_lost_edit(kind: str) -> None:
    total = points_of(kind)

    for at in range(1, total + 1):
        world = new_world(kind)
        point = Point(at)
        world.store.watch = world.server().watch = point
        lives_through(world)
        assert point.seen == at
        repaired(world)

    assert total >= 20


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.ANSWER_LOST, Fault.GARBLED, Fault.UNAUTHORIZED])
def test_a_network_fault_at_every_request_leaves_one_task_per_item_and_no_lost_edit(
    kind: str, fault: Fault
) -> None:
    world = new_world(kind)
    scenario(world)
    total = world.server().request_count

    for number in range(1, total + 1):
        world = new_world(kind)
        world.server().fail_at(number, fault)
        scenario(world)
        repaired(world)


def test_the_harness_sees_a_tracker_that_drops_our_marker() -> None:
    """The checker checked: without a marker a lost answer makes doubles, and this test expects to see them."""
    from ticssync.testing.fake_tracker import FakeTracker

    class Forgetful(FakeTracker):
        def create(self, drafts):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            return super().create([replace(one, marker="") for one in drafts])

    world = World(items=ITEMS, behaviours={"a": strong()}, drivers={"a": Forgetful})
    world.server().fail_next("create", Fault.ANSWER_LOST)
    scenario(world)
    with pytest.raises(AssertionError):
        repaired(world)
