"""What people do at the very moment at which a pass is at work, and how often they may do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.unit.sync.world import World, key, outgoing
from ticssync.plugin import Change, Outcome
from ticssync.testing.fake_site import full, strong
from ticssync.testing.fake_tracker import FakeTracker


class Noting(FakeTracker):
    """Keeps the changes that it is asked for."""

    asked: Sequence[Change] = ()

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        type(self).asked = changes
        return super().update(changes)


def once(world: World, point: str, do: Callable[[], None]) -> None:
    """A person acts at this point of the next pass."""

    def watch(name: str) -> None:
        if name == point:
            world.server().watch = lambda _point: None
            do()

    world.server().watch = watch


def asks_for(world: World, item: str, status: str) -> None:
    from ticssync.store.hub import Wish, put_wish

    with world.store.write() as tx:
        put_wish(tx, key(item), "status", Wish(status, "2026-04-01T09:00:00.000000Z"))


def test_who_edits_right_after_our_write_is_not_overwritten_by_the_next_pass() -> None:
    """What is read back is then a third value: neither what stood there nor what we wrote."""
    world = World(behaviours={"a": strong()})
    world.settle()
    world.clock.advance(60)
    asks_for(world, "T-01", "doing")
    once(world, "after update", lambda: world.person("T-01", 状態="完了"))

    world.sync()
    world.settle(wait=60)

    assert world.issue("T-01").fields["状態"] == "完了"
    assert world.hub("T-01")["status"] == "done"
    assert world.refusals() == []


def test_who_edits_right_after_a_create_is_taken_in_by_the_next_pass() -> None:
    world = World(items=("T-01",), behaviours={"a": strong()})
    once(world, "after create", lambda: world.person("T-01", 状態="対応中"))

    world.sync()
    world.settle(wait=60)

    assert world.issue("T-01").fields["状態"] == "対応中"
    assert world.hub("T-01")["status"] == "doing"
    assert world.kinds().count("task.changed") >= 1


def test_each_change_says_what_it_expects_to_find() -> None:
    """A tracker that can compare writes over nothing that it did not show."""
    world = World(behaviours={"a": strong()}, drivers={"a": Noting})
    world.settle()
    world.clock.advance(60)
    world.titles["T-01"] = "新しい題名"

    world.sync()

    assert [dict(one.expect) for one in Noting.asked] == [{"title": "T-01 項目"}]


def test_who_edits_between_our_read_and_our_write_is_not_written_over_where_the_tracker_compares() -> None:
    world = World(behaviours={"a": strong(compares=True)})
    world.settle()
    world.clock.advance(60)
    asks_for(world, "T-01", "doing")
    once(world, "before presend", lambda: world.person("T-01", 状態="完了"))

    world.sync()

    assert world.issue("T-01").fields["状態"] == "完了"


def test_a_field_that_people_change_now_and_then_is_never_frozen() -> None:
    """Three times within an hour is an automation; three times in an afternoon is people."""
    world = World(behaviours={"a": full()})
    world.settle()
    for _ in range(8):
        world.clock.advance(31 * 60)
        world.person("T-01", 件名="別の題名")
        world.sync()

    assert world.kinds().count("task.frozen") == 0
    assert world.issue("T-01").fields["件名"] == "T-01 項目"


@pytest.mark.parametrize(("found", "written"), [("やり直し", True), ("T-01 項目", False)])
def test_what_was_refused_is_written_again_only_where_something_else_stands_there_now(
    found: str, written: bool
) -> None:
    behaviour = strong()
    world = World(behaviours={"a": behaviour})
    world.settle()
    behaviour.refuses.add("件名")
    world.titles["T-01"] = "新しい題名"
    world.sync()
    behaviour.refuses.clear()
    world.clock.advance(60)
    world.person("T-01", 件名=found, 説明="やること")

    reports = world.sync()

    assert ("a:update:T-01" in outgoing(reports)) is written
    assert (world.issue("T-01").fields["件名"] == "新しい題名") is written
