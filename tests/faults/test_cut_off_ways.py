"""A status that takes several moves in one tracker, cut off between any two of them, for two trackers of a task.

A person's status in the main tracker goes to the mirror, whose workflow asks for three moves.  Wherever the
process dies or the network fails, the status that is left half-way there is our own doing: it must not come
back as somebody's edit and undo what the person said.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.deaths import Death, Points
from tests.faults.stories import NETWORK, Broken, doubles, false_tombs, quiet, world_waits
from tests.faults.table import PASSES, Harm, Tally, some
from tests.unit.sync.world import World, key
from ticssync.model.canonical import instant_text
from ticssync.store.hub import Wish, put_wish
from ticssync.store.working import intents
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import WORKFLOW, full, index, strong
from ticssync.testing.opening import FEW_STATUSES

MIRRORS: dict[str, Callable[[], Behaviour]] = {
    "jira-like": index,
    "redmine-like": lambda: strong(workflow=WORKFLOW),
    "one that tells no workflow": lambda: strong(workflow=WORKFLOW, tells_author=False),
}


pytestmark = pytest.mark.slow


def reported(mirror: str) -> World:
    """Two tasks in two trackers; a person set the first one to done in the main one, and no pass has read it yet."""
    world = World(items=("T-01", "T-02"), behaviours={"a": full(), "b": MIRRORS[mirror]()})
    world.settle(wait=130)
    world.person("T-01", "a", 状態="完了")
    world.clock.advance(130)
    return world


def watch(world: World, points: Callable[[str], None]) -> None:
    world.store.watch = points
    for server in world.servers.values():
        server.watch = points


def holds(world: World) -> tuple[int, Harm]:
    watch(world, lambda _point: None)
    storms, needed = world_waits(world), PASSES + 1
    for passes in range(PASSES + 1):
        world.clock.advance(130)
        if quiet(world.sync()):
            needed = passes
            break
    shown = [world.issue(item, name).fields["状態"] for item in ("T-01", "T-02") for name in ("a", "b")]
    wrong = sum(one != wanted for one, wanted in zip(shown, ["完了"] * 2 + ["未着手"] * 2, strict=True))
    wrong += world.hub("T-01")["status"] != "done" or world.conflicts() != []
    return needed, Harm(doubles(world), wrong, false_tombs(world), storms)


@pytest.mark.parametrize("mirror", MIRRORS)
def test_a_way_that_death_cut_off_is_gone_on_with(mirror: str) -> None:
    before = reported(mirror)
    world, points = before.fork(), Points()
    watch(world, points)
    world.sync()
    with Tally(f"fake, mirror {mirror}", "status over three moves", "death", found=points.seen) as tally:
        for at in some(points.seen, tally.seed, 3):
            world, dies = before.fork(), Points(at)
            watch(world, dies)
            with pytest.raises(Death):
                world.sync()
            tally.add(*holds(world), at)

    assert points.seen >= 20


@pytest.mark.parametrize("mirror", ["jira-like", "redmine-like"])
@pytest.mark.parametrize("fault", NETWORK)
def test_a_way_that_the_network_cut_off_is_gone_on_with(mirror: str, fault: str) -> None:
    before = reported(mirror)
    world = before.fork()
    since = world.server("b").request_count
    world.sync()
    total = world.server("b").request_count - since
    with Tally(f"fake, mirror {mirror}", "status over three moves", fault, found=total) as tally:
        for at in some(total, tally.seed, 5):
            world = before.fork()
            broken = world.server("b").watch = Broken(world, "b", at, NETWORK[fault])
            world.sync()
            assert broken.done
            tally.add(*holds(world), at)


def stopped_at_an_unknown_status() -> World:
    """The process died on the way to 完了, at 確認待ち, for which the mapping has no word."""
    world = World(items=("T-01",), behaviours={"a": index()}, tables={"a": FEW_STATUSES})
    world.settle(wait=130)
    world.clock.advance(130)
    wished(world, "done")
    moves: list[str] = []

    def dies(point: str) -> None:
        moves.append(point)
        if moves.count("after update") == 2:
            raise Death(point)

    world.server().watch = dies
    with pytest.raises(Death):
        world.sync()
    world.server().watch = lambda _point: None
    assert world.issue().fields["状態"] == "確認待ち"
    return world


def wished(world: World, status: str) -> None:
    with world.store.write() as tx:
        put_wish(tx, key(), "status", Wish(status, instant_text(tx.now)))


def test_a_way_that_was_cut_off_at_a_status_that_the_mapping_does_not_know_is_gone_on_with() -> None:
    world = stopped_at_an_unknown_status()
    world.settle(wait=130)

    assert world.issue().fields["状態"] == "完了"


def test_a_task_that_stopped_at_an_unknown_status_and_is_wanted_back_where_it_was_goes_back() -> None:
    world = stopped_at_an_unknown_status()
    wished(world, "todo")
    for _ in range(PASSES):
        world.clock.advance(130)
        world.sync()

    assert world.issue().fields["状態"] == "未着手"
    assert intents_left(world) == ()


def intents_left(world: World) -> tuple[object, ...]:
    with world.store.read() as tx:
        return intents(tx, "a")


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
