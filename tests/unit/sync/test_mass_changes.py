"""One change in nearly all tasks at once is an accident until a person says that it is none."""

from __future__ import annotations

import pytest

from tests.unit.sync.world import World, key
from ticssync.testing.fake_site import strong

ITEMS = tuple(f"T-{number:02}" for number in range(1, 13))


@pytest.fixture
def world() -> World:
    world = World(items=ITEMS, behaviours={"a": strong()})
    world.settle()
    return world


def change_all(world: World, items: tuple[str, ...] = ITEMS, **fields: str | None) -> None:
    world.clock.advance(60)
    for item in items:
        world.person(item, **fields)


def test_a_field_that_is_emptied_nearly_everywhere_is_not_taken_in(world: World) -> None:
    """Somebody cleared a column, or a field was taken out of the tracker."""
    change_all(world, 担当=None)

    report = world.sync()["a"]

    assert report.state == "safety_stop"
    assert report.word
    assert {world.hub(item)["assignee"] for item in ITEMS} == {"sato"}


def test_a_field_of_ours_that_is_the_same_everywhere_is_not_written_over_without_a_question(
    world: World,
) -> None:
    change_all(world, 件名="やり直し")

    report = world.sync()["a"]

    assert report.state == "safety_stop"
    assert {one.fields["件名"] for one in world.server().issues()} == {"やり直し"}


def test_work_that_many_report_on_one_day_is_no_accident(world: World) -> None:
    """Everybody sets the own task to done before the audit: that is what the field is for."""
    change_all(world, 状態="完了")

    assert world.sync()["a"].state == "ok"
    assert {world.hub(item)["status"] for item in ITEMS} == {"done"}


def test_a_change_in_half_of_the_tasks_is_none_either(world: World) -> None:
    change_all(world, ITEMS[:6], 担当=None)

    assert world.sync()["a"].state == "ok"
    assert world.hub("T-01")["assignee"] is None
    assert world.hub("T-12")["assignee"] == "sato"


def test_only_the_word_for_just_this_accepts_it(world: World) -> None:
    change_all(world, 担当=None)
    word = world.sync()["a"].word

    assert world.sync(accept="00000000")["a"].state == "safety_stop"
    assert world.sync(accept=word)["a"].state == "ok"
    assert world.hub("T-01")["assignee"] is None


def test_one_task_that_is_deleted_stops_no_small_project() -> None:
    """One of three is a third of them, and one person's decision all the same."""
    world = World(behaviours={"a": strong()})
    world.settle()
    world.server().delete(world.issue("T-01").id)
    world.clock.advance(2 * 86400)

    assert world.sync()["a"].state == "ok"
    assert [one.state.value for one in world.bound("T-01")] == ["tomb"]
    assert key("T-01") not in {one.task for one in world.sync()["a"].actions if one.direction == "out"}
