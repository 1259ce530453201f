"""One task in several trackers: what people do in one reaches the others, and nobody's edit is lost without a word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.sync.world import World, key, outgoing
from ticssync.app.conflict_words import conflict_note
from ticssync.model.canonical import instant_text
from ticssync.store.hub import Wish, put_wish
from ticssync.sync.state import Site
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong

KINDS = {"redmine-like": strong, "jira-like": index, "workbook-like": full}
PAIRS = [
    ("redmine-like", "workbook-like"),
    ("workbook-like", "redmine-like"),
    ("redmine-like", "jira-like"),
    ("jira-like", "redmine-like"),
]


def mirrored(*kinds: str) -> World:
    made = World(
        items=("T-01", "T-02"),
        behaviours={name: KINDS[kind]() for name, kind in zip("abc", kinds, strict=False)},
    )
    made.settle(wait=130)
    made.clock.advance(130)
    return made


def statuses(world: World, item: str = "T-01") -> dict[str, object]:
    return {name: world.issue(item, name).fields["状態"] for name in world.servers}


@pytest.mark.parametrize("pair", PAIRS, ids=" & ".join)
def test_one_pass_carries_a_change_from_one_tracker_into_the_other(pair: tuple[str, str]) -> None:
    world = mirrored(*pair)
    world.person("T-01", "a", 状態="対応中")
    world.person("T-02", "b", 状態="完了")
    world.clock.advance(130)
    written = outgoing(world.sync())
    world.clock.advance(130)

    assert sorted(written) == ["a:update:T-02", "b:update:T-01"]
    assert outgoing(world.sync()) == []


def test_one_look_more_reads_all_tasks_of_a_tracker_that_another_trackers_changes_lead_to() -> None:
    world = mirrored("redmine-like", "redmine-like", "redmine-like")
    world.person("T-01", "b", 状態="対応中")
    world.person("T-02", "b", 状態="完了")
    world.clock.advance(130)
    before = {name: world.server(name).request_count for name in "abc"}
    world.sync()

    # One listing each; in the others one look for both tasks, one question for the ways of their statuses and one
    # before sending, two writes, and one read of what came of them.
    assert {name: world.server(name).request_count - before[name] for name in "abc"} == {
        "a": 6,
        "b": 1,
        "c": 6,
    }


@pytest.fixture(params=PAIRS, ids=" & ".join)
def world(request: pytest.FixtureRequest) -> World:
    return mirrored(*request.param)


def test_what_people_change_in_different_fields_of_the_two_trackers_is_kept_on_both_sides(
    world: World,
) -> None:
    world.person("T-01", "a", 状態="対応中")
    world.person("T-01", "b", 優先度="高")
    world.settle(wait=130)

    assert statuses(world) == {"a": "対応中", "b": "対応中"}
    assert [world.issue("T-01", name).fields["優先度"] for name in "ab"] == ["高", "高"]
    assert world.conflicts() == []


def test_the_same_field_changed_in_both_trackers_takes_the_newest_and_keeps_the_other_value(
    world: World,
) -> None:
    world.person("T-01", "b", 状態="対応中")
    world.person("T-01", "a", 状態="完了")
    world.settle(wait=130)
    (conflict,) = world.conflicts()

    assert statuses(world) == {"a": "完了", "b": "完了"}
    assert (conflict.field, conflict.base, dict(conflict.values), conflict.taken) == (
        "status", "todo", {"a": "done", "b": "doing"}, "done",
    )  # fmt: skip


def test_the_same_value_set_in_both_trackers_is_no_conflict(world: World) -> None:
    world.person("T-01", "a", 状態="対応中")
    world.person("T-01", "b", 状態="対応中")
    world.settle(wait=130)

    assert (statuses(world), world.conflicts()) == ({"a": "対応中", "b": "対応中"}, [])


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("down", ["a", "b"])
def test_edits_of_one_field_that_lie_an_outage_apart_end_in_the_newest_and_a_conflict_with_both(
    world: World, first: str, down: str
) -> None:
    """The one that could not be read is read passes later, when the other's value is in force already."""
    words = {"a": ("完了", "done"), "b": ("対応中", "doing")}
    second = "b" if first == "a" else "a"
    world.person("T-01", first, 状態=words[first][0])
    world.person("T-01", second, 状態=words[second][0])
    world.server(down).behaviour.down = True
    for _ in range(3):
        world.clock.advance(130)
        world.sync()
    world.server(down).behaviour.down = False
    world.settle(wait=130)
    (conflict,) = world.conflicts()

    assert dict(conflict.values) == {"a": "done", "b": "doing"}
    assert conflict.taken == words[second][1]
    assert statuses(world) == {"a": words[second][0], "b": words[second][0]}


def test_an_older_edit_that_is_read_late_does_not_undo_what_somebody_decided_in_ticssync(
    world: World,
) -> None:
    world.person("T-01", "b", 状態="対応中")
    world.server("b").behaviour.down = True
    world.clock.advance(10)
    with world.store.write() as tx:
        put_wish(tx, key(), "status", Wish("review", instant_text(tx.now)))
    world.clock.advance(130)
    world.sync()
    world.server("b").behaviour.down = False
    world.settle(wait=130)
    (conflict,) = world.conflicts()

    assert dict(conflict.values) == {"ticssync": "review", "b": "doing"}
    assert (conflict.taken, statuses(world)) == ("review", {"a": "確認待ち", "b": "確認待ち"})


def test_a_tracker_that_comes_back_without_an_edit_of_its_own_is_no_conflict(world: World) -> None:
    world.server("b").behaviour.down = True
    world.person("T-01", "a", 状態="完了")
    world.clock.advance(130)
    world.sync()
    world.server("b").behaviour.down = False
    world.settle(wait=130)

    assert (statuses(world), world.conflicts()) == ({"a": "完了", "b": "完了"}, [])


def test_an_edit_in_the_mirror_after_it_has_shown_the_value_in_force_is_no_conflict(world: World) -> None:
    world.person("T-01", "a", 状態="対応中")
    world.settle(wait=130)
    world.person("T-01", "b", 状態="完了")
    world.settle(wait=130)

    assert (statuses(world), world.conflicts()) == ({"a": "完了", "b": "完了"}, [])


def test_a_mirror_that_refuses_the_value_keeps_its_own_and_its_next_edit_is_shown_beside_it() -> None:
    """Its people never saw the value of the other tracker: both are kept for a person to settle."""
    moves = {"未着手": ("対応中",), "対応中": ("未着手",)}
    world = World(items=("T-01",), behaviours={"a": strong(), "b": Behaviour(workflow=moves)})
    world.settle(wait=130)
    world.person("T-01", "a", 状態="完了")
    world.settle(wait=130)
    refused = [(one.tracker, one.field, one.wanted) for one in world.refusals()]
    world.person("T-01", "b", 状態="対応中")
    world.settle(wait=130)

    assert refused == [("b", "status", "done")]
    assert [dict(one.values) for one in world.conflicts()] == [{"a": "done", "b": "doing"}]


def test_a_field_that_one_tracker_owns_and_another_may_change_is_settled_as_somebody_decides() -> None:
    world = Owned(items=("T-01",), behaviours={"a": full(), "b": strong()})
    world.settle(wait=130)
    world.person("T-01", "a", 優先度="高")
    world.person("T-01", "b", 優先度="低")
    world.settle(wait=130)

    assert [one.owner for one in world.conflicts()] == ["merge"]


class Owned(World):
    """The mapping of `a` leaves the priority to ticssync, that of `b` to its people."""

    def sites(self) -> dict[str, Site]:
        found = super().sites()
        return found | {"a": replace(found["a"], owners={**found["a"].owners, "priority": "ticssync"})}


class Telling(World):
    """A world whose tickets are told of conflicts, as the mapping key `conflict_note: true` asks for."""

    def sites(self) -> dict[str, Site]:
        told = conflict_note("ja", {"sato": "佐藤 花子"})
        return {name: replace(site, conflict_note=told) for name, site in super().sites().items()}


def test_where_the_mapping_asks_for_it_the_main_task_is_told_of_a_conflict_once_and_in_the_same_pass() -> (
    None
):
    world = Telling(items=("T-01",), behaviours={"a": strong(), "b": full()})
    world.settle(wait=130)
    world.person("T-01", "b", 状態="対応中")
    world.person("T-01", "a", 状態="完了")
    world.clock.advance(130)
    world.sync()
    told = [one.text for one in world.issue("T-01", "a").comments]
    world.settle(wait=130)

    assert len(told) == 1
    assert (
        "「対応状況」がほぼ同じ時期に複数の場所で変更されました（a: 完了 / b: 対応中）。いまの値: 完了。"
        in told[0]
        or ("（b: 対応中 / a: 完了）。いまの値: 完了。" in told[0])
    )
    assert len(world.issue("T-01", "a").comments) == 1
    assert world.issue("T-01", "b").comments == ()


def test_after_every_history_above_an_idle_pass_writes_nothing(world: World) -> None:
    for name, word in (("a", "対応中"), ("b", "完了"), ("a", "未着手")):
        world.person("T-01", name, 状態=word)
        world.settle(wait=130)
    world.clock.advance(130)

    assert outgoing(world.sync()) == []
