"""A tracker that knows fewer statuses than the others shows the nearest one, and changes nothing by that."""

from __future__ import annotations

from tests.unit.sync.world import World, outgoing
from ticssync.testing.fake_site import full, strong
from ticssync.testing.opening import FEW_STATUSES, TABLE
from ticssync.testing.wire import Fault


def few_and_many() -> World:
    behaviours = {
        "a": strong(),
        "b": full(nearest={"review": "doing", "wont_do": "done"}, statuses=("未着手", "対応中", "完了")),
    }
    world = World(behaviours=behaviours, tables={"a": TABLE, "b": FEW_STATUSES})
    world.settle()
    return world


def test_what_it_shows_as_the_nearest_is_no_change_of_it() -> None:
    world = few_and_many()
    world.person("T-01", "a", 状態="確認待ち")
    world.clock.advance(60)

    world.settle(wait=60)

    assert (world.issue("T-01", "a").fields["状態"], world.issue("T-01", "b").fields["状態"]) == (
        "確認待ち",
        "対応中",
    )
    assert world.hub("T-01")["status"] == "review"
    for _ in range(3):
        world.clock.advance(3600)
        assert outgoing(world.sync()) == []


def test_other_news_of_that_task_do_not_pull_the_status_down() -> None:
    """The row is read again because somebody changed another cell: its status still means what it meant."""
    world = few_and_many()
    world.person("T-01", "a", 状態="確認待ち")
    world.settle(wait=60)
    world.person("T-01", "b", 担当="1002")

    world.settle(wait=60)

    assert world.issue("T-01", "a").fields["状態"] == "確認待ち"
    assert world.hub("T-01")["status"] == "review"
    assert world.conflicts() == []


def test_a_write_of_it_whose_answer_was_lost_is_no_colleagues_edit() -> None:
    """What stands there then is what it shows of our own value, and not a decision to go back to it."""
    world = few_and_many()
    world.person("T-01", "a", 状態="確認待ち")
    world.server("b").fail_next("write", Fault.ANSWER_LOST)
    world.clock.advance(60)
    world.sync()
    assert world.issue("T-01", "b").fields["状態"] == "対応中"

    world.settle(wait=60)

    assert world.issue("T-01", "a").fields["状態"] == "確認待ち"
    assert world.hub("T-01")["status"] == "review"
    assert world.conflicts() == []


def test_somebody_who_sets_its_status_is_heard() -> None:
    world = few_and_many()
    world.person("T-01", "a", 状態="確認待ち")
    world.settle(wait=60)
    world.person("T-01", "b", 状態="完了")

    world.settle(wait=60)

    assert world.issue("T-01", "a").fields["状態"] == "完了"
    assert world.hub("T-01")["status"] == "done"
