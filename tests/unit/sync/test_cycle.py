"""What one pass does, over a make-believe tracker that behaves."""

from __future__ import annotations

import pytest

from tests.unit.sync.world import World, key, outgoing
from ticssync.testing.fake_site import full, index, strong

KINDS = {"workbook-like": full, "redmine-like": strong, "jira-like": index}


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    return World(behaviours={"a": KINDS[request.param]()})


def test_a_first_sync_makes_each_task_once_and_a_second_writes_nothing(world: World) -> None:
    first = world.sync()
    second = world.sync()

    assert sorted(outgoing(first)) == ["a:create:T-01", "a:create:T-02", "a:create:T-03"]
    assert outgoing(second) == []
    assert [len(world.issues(item)) for item in world.items] == [1, 1, 1]


def test_an_idle_sync_commits_nothing_to_the_store(world: World) -> None:
    world.settle()
    for _ in range(3):
        world.clock.advance(120)
        world.sync()
    before = len(world.kinds())
    commits: list[str] = []
    world.store.watch = commits.append

    world.sync()

    assert (commits, len(world.kinds())) == ([], before)


def test_a_persons_status_is_taken_in_and_not_written_back(world: World) -> None:
    world.settle()
    world.person("T-02", 状態="完了")
    world.clock.advance(120)

    reports = world.sync()

    assert world.hub("T-02")["status"] == "done"
    assert [one.action for one in reports["a"].actions] == ["update"]
    assert outgoing(world.sync()) == []


def test_what_a_person_writes_over_in_a_field_of_ours_is_kept_in_the_log_and_put_back(world: World) -> None:
    world.settle()
    world.person("T-01", 件名="勝手な題名")
    world.clock.advance(120)

    world.settle(wait=1)

    assert world.issue("T-01").fields["件名"] == "T-01 項目"
    with world.store.read() as tx:
        (event,) = tx.events(kind="task.overwritten")
    assert event.data["to"] == "勝手な題名"


def test_a_new_title_is_written_to_the_one_task_it_concerns(world: World) -> None:
    world.settle()
    world.clock.advance(120)
    world.titles["T-03"] = "新しい題名"

    reports = world.sync()

    assert outgoing(reports) == ["a:update:T-03"]
    assert world.issue("T-03").fields["件名"] == "新しい題名"
    assert outgoing(world.sync()) == []


def test_a_plan_before_says_what_the_sync_then_does(world: World) -> None:
    for prepare in (
        lambda: None,
        lambda: world.person("T-01", 状態="対応中"),
        lambda: world.titles.update({"T-02": "改題"}),
    ):
        prepare()
        world.clock.advance(120)
        planned = world.sync(dry=True)
        done = world.sync()

        assert [one.plain() | {"key": ""} for one in planned["a"].actions] == [
            one.plain() | {"key": ""} for one in done["a"].actions
        ]


def test_a_plan_writes_nothing_anywhere(world: World) -> None:
    before = world.kinds()
    world.sync(dry=True)

    assert world.server().issues() == []
    assert world.kinds() == before


def test_a_deleted_task_becomes_a_tomb_and_is_not_made_again_by_itself(world: World) -> None:
    world.settle()
    world.clock.advance(120)
    world.server().delete(world.issue("T-02").id)
    world.clock.advance(90_000)

    world.settle(wait=60)

    assert [one.state for one in world.bound("T-02")] == ["tomb"]
    assert world.issues("T-02") == []


def test_a_hidden_task_is_lost_and_comes_back_by_itself(world: World) -> None:
    world.settle()
    world.clock.advance(120)
    issue = world.issue("T-02")
    world.server().hide(issue.id)
    world.clock.advance(90_000)
    world.settle(wait=60)
    states = [one.state for one in world.bound("T-02")]
    world.server().unhide(issue.id)
    world.clock.advance(90_000)
    world.settle(wait=60)

    assert states in (["lost"], ["tomb"])
    assert [one.state for one in world.bound("T-02")] == ["live"]


def test_a_copied_task_is_reported_as_a_copy_and_never_bound(world: World) -> None:
    world.settle()
    world.clock.advance(120)
    original = world.issue("T-01")
    world.server().copy(original.id)
    world.clock.advance(120)

    world.settle(wait=60)

    states = {one.ref.id: one.state for one in world.bound("T-01")}
    assert states[original.id] == "live"
    assert sorted(states.values()) == ["copy", "live"]


def test_a_tracker_that_asks_for_time_is_left_alone_until_then(world: World) -> None:
    world.settle()
    world.server().behaviour.throttled_until = world.server().now().replace(hour=5)
    world.titles["T-01"] = "x"
    world.sync()
    requests = world.server().request_count

    world.sync()

    assert world.server().request_count == requests


def test_an_expired_login_changes_no_state(world: World) -> None:
    world.settle()
    world.clock.advance(90_000)
    world.server().behaviour.anonymous = True

    report = world.sync()["a"]

    assert report.state == "credentials"
    assert all(one.state == "live" for item in world.items for one in world.bound(item))


def test_most_tasks_gone_at_once_stop_the_tracker_until_somebody_accepts_with_the_word() -> None:
    world = World(items=[f"T-{n:02d}" for n in range(1, 11)], behaviours={"a": full()})
    world.settle()
    for item in world.items[:6]:
        world.server().delete(world.issue(item).id)
    world.titles["T-10"] = "改題"

    stopped = world.sync()["a"]
    again = world.sync(accept="00000000")["a"]
    accepted = world.sync(accept=stopped.word)["a"]

    assert (stopped.state, again.state, accepted.state) == ("safety_stop", "safety_stop", "ok")
    assert [world.bound(item)[0].state for item in world.items[:6]] == ["tomb"] * 6
    assert world.issue("T-10").fields["件名"] == "改題"


def test_a_word_is_good_once() -> None:
    world = World(items=[f"T-{n:02d}" for n in range(1, 11)], behaviours={"a": full()})
    world.settle()
    for item in world.items:
        world.person(item, 説明=None)
    stopped = world.sync()["a"]
    world.sync(accept=stopped.word)
    for item in world.items:
        world.person(item, 説明=None)

    assert world.sync(accept=stopped.word)["a"].state == "safety_stop"


def test_a_veto_of_a_plugin_stops_the_writes_and_says_why(world: World) -> None:
    world.veto = "いまは月末の締めです"

    report = world.sync()["a"]

    assert (report.state, report.message) == ("safety_stop", "いまは月末の締めです")
    assert world.server().issues() == []


def test_a_field_that_is_silently_refused_is_shown_and_not_asked_again_until_something_changes() -> None:
    behaviour = strong()
    world = World(behaviours={"a": behaviour})
    world.settle()
    behaviour.refuses.add("件名")
    world.titles["T-01"] = "新しい題名"
    world.sync()
    requests = world.server().requests["update"]
    world.sync()

    assert [(one.field, one.found) for one in world.refusals()] == [("title", "T-01 項目")]
    assert world.server().requests["update"] == requests
    assert world.kinds().count("task.overwritten") == 0


def test_asked_again_a_field_that_is_taken_now_settles_its_refusal() -> None:
    behaviour = strong()
    world = World(behaviours={"a": behaviour})
    world.settle()
    behaviour.refuses.add("件名")
    world.titles["T-01"] = "新しい題名"
    world.sync()
    behaviour.refuses.clear()

    world.sync(retry_refused=True)

    assert world.issue("T-01").fields["件名"] == "新しい題名"
    assert world.refusals() == []


def test_a_task_that_left_the_scope_is_detached_and_left_as_it_is(world: World) -> None:
    world.settle()
    world.clock.advance(120)
    world.items = ("T-01", "T-03")

    world.settle(wait=60)

    assert [one.state for one in world.bound("T-02")] == ["detached"]
    assert world.issue("T-02").fields["状態"] == "未着手"


def test_a_field_that_keeps_coming_back_is_frozen_after_three_times() -> None:
    world = World(behaviours={"a": full()})
    world.settle()
    for _ in range(6):
        world.clock.advance(60)
        world.person("T-01", 件名="自動処理")
        world.sync()

    assert world.kinds().count("task.frozen") == 1
    assert world.issue("T-01").fields["件名"] == "自動処理"
    assert outgoing(world.sync()) == []


def test_an_automation_that_answers_each_write_is_frozen_and_makes_no_storm() -> None:
    behaviour = full()
    world = World(behaviours={"a": behaviour})
    world.settle()
    behaviour.automation = lambda _issue: {"件名": "自動処理"}
    world.titles["T-01"] = "新しい題名"
    written = [len(outgoing(world.sync())) for _ in range(6)]

    assert written == [1, 1, 1, 1, 0, 0]
    assert world.kinds().count("task.frozen") == 1


def test_two_trackers_share_a_status_through_the_hub() -> None:
    world = World(behaviours={"a": full(), "b": strong()})
    world.settle()
    world.person("T-01", tracker="b", 状態="対応中")
    world.clock.advance(120)
    world.settle(wait=1)

    assert world.issue("T-01", "a").fields["状態"] == "対応中"
    assert outgoing(world.sync()) == []


def test_both_sides_edit_one_field_and_the_loser_stands_in_a_conflict() -> None:
    world = World(behaviours={"a": full(), "b": strong()})
    world.settle()
    world.person("T-01", tracker="a", 状態="対応中")
    world.person("T-01", tracker="b", 状態="完了")
    world.settle(wait=1)

    (conflict,) = world.conflicts()
    assert (conflict.key, conflict.field, conflict.taken) == (key("T-01"), "status", "done")
    assert conflict.values == {"a": "doing", "b": "done"}
    assert world.issue("T-01", "a").fields["状態"] == "完了"


def test_one_tracker_that_is_down_does_not_stop_the_other() -> None:
    world = World(behaviours={"a": full(), "b": strong()})
    world.server("a").behaviour.down = True

    reports = world.sync()

    assert (reports["a"].state, reports["b"].state) == ("unavailable", "ok")
    assert len(world.server("b").issues()) == 3
