"""A status that takes several moves in one tracker, cut off between any two of them, for two trackers of a task.

A person's status in the main tracker goes to the mirror, whose workflow asks for three moves.  Wherever the
process dies or the network fails, the status that is left half-way there is our own doing: it must not come
back as somebody's edit and undo what the person said.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.deaths import Death, Points
from tests.unit.sync.world import World
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import WORKFLOW, full, index, strong
from ticssync.testing.wire import Fault

MIRRORS: dict[str, Callable[[], Behaviour]] = {
    "jira-like": index,
    "redmine-like": lambda: strong(workflow=WORKFLOW),
    "one that tells no workflow": lambda: strong(workflow=WORKFLOW, tells_author=False),
}


pytestmark = pytest.mark.slow


def reported(mirror: str) -> World:
    """Two tasks in two trackers; a person set the first one to done in the main one, and it has been taken in."""
    world = World(items=("T-01", "T-02"), behaviours={"a": full(), "b": MIRRORS[mirror]()})
    world.settle(wait=130)
    world.person("T-01", "a", 状態="完了")
    world.clock.advance(130)
    world.sync()
    world.clock.advance(130)
    return world


def watch(world: World, points: Callable[[str], None]) -> None:
    world.store.watch = points
    for server in world.servers.values():
        server.watch = points


def holds(world: World) -> None:
    watch(world, lambda _point: None)
    world.settle(wait=130)
    assert [world.issue("T-01", name).fields["状態"] for name in ("a", "b")] == ["完了", "完了"]
    assert [world.issue("T-02", name).fields["状態"] for name in ("a", "b")] == ["未着手", "未着手"]
    assert (world.hub("T-01")["status"], world.conflicts()) == ("done", [])


@pytest.mark.parametrize("mirror", MIRRORS)
def test_a_way_that_death_cut_off_is_gone_on_with(mirror: str) -> None:
    world, points = reported(mirror), Points()
    watch(world, points)
    world.sync()
    total = points.seen
    for at in range(1, total + 1):
        world, points = reported(mirror), Points(at)
        watch(world, points)
        with pytest.raises(Death):
            world.sync()
        holds(world)

    assert total >= 20


@pytest.mark.parametrize("mirror", ["jira-like", "redmine-like"])
@pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.ANSWER_LOST])
def test_a_way_that_the_network_cut_off_is_gone_on_with(mirror: str, fault: Fault) -> None:
    world = reported(mirror)
    before = world.server("b").request_count
    world.sync()
    for number in range(before + 1, world.server("b").request_count + 1):
        world = reported(mirror)
        world.server("b").fail_at(number, fault)
        world.sync()
        holds(world)


@pytest.mark.parametrize("mirror", ["jira-like", "redmine-like"])
def test_a_person_who_sets_the_status_half_way_is_not_taken_for_us(mirror: str) -> None:
    """The moves were made, the process died, and before the next pass a person chose one of the statuses on the way."""
    world, points = reported(mirror), Points()
    watch(world, points)
    world.sync()
    at = next(number for number, name in enumerate(points.names, start=1) if name == "after update")
    world = reported(mirror)
    watch(world, Points(at))
    with pytest.raises(Death):
        world.sync()
    watch(world, lambda _point: None)
    world.person("T-01", "b", 状態="未着手")
    world.person("T-01", "b", 状態="対応中")
    world.settle(wait=130)

    assert world.hub("T-01")["status"] == "doing"
    assert [world.issue("T-01", name).fields["状態"] for name in ("a", "b")] == ["対応中", "対応中"]
