"""People act whenever they like: what one pass does with acts, notes, refusals and old places, and never undoes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.sync.world import World, key, outgoing
from ticssync.model.binding import Base
from ticssync.model.canonical import instant_text
from ticssync.model.key import Marker, TaskKey
from ticssync.plugin import Capabilities
from ticssync.store import By
from ticssync.store.bindings import bases, put_base
from ticssync.store.hub import NOTE, HubTask, Wish, hub_tasks, put_hub, put_wish
from ticssync.sync.state import Want
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.wire import Fault

KINDS = {"workbook-like": full, "redmine-like": strong, "jira-like": index}


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """One tracker, one task, nothing to do."""
    # A pass that lists before it reads the store takes such an act up at once: here it comes in between.
    made = World(items=("T-01",), behaviours={"a": KINDS[request.param]()}, quiet=False)
    made.settle()
    made.clock.advance(120)
    return made


def two_trackers(*items: str) -> World:
    """`a` is main, `b` its mirror."""
    made = World(items=items or ("T-01",), behaviours={"a": full(), "b": strong()})
    made.settle(wait=1)
    made.clock.advance(120)
    return made


def wish(world: World, name: str, value: str, item: str = "T-01") -> None:
    with world.store.write() as tx:
        put_wish(tx, key(item), name, Wish(value, instant_text(tx.now)))


def note(world: World, words: str) -> None:
    """As a return or an exclusion leaves it: each under the moment of its act."""
    world.clock.advance(1)
    with world.store.write() as tx:
        at = instant_text(tx.now)
        put_wish(tx, key(), f"{NOTE}{at}", Wish(words, at))


def hub(world: World, item: str = "T-01") -> HubTask:
    with world.store.read() as tx:
        return hub_tasks(tx)[key(item)]


def once(world: World, point: str, act: Callable[[], None], tracker: str = "a") -> None:
    """Let somebody act the next time that a request of this kind is answered."""

    def watch(passed: str) -> None:
        if passed == point:
            world.server(tracker).watch = lambda _point: None
            act()

    world.server(tracker).watch = watch


def notes_in(world: World, tracker: str = "a") -> list[str]:
    return [one.text.split("\n")[0] for one in world.issue("T-01", tracker).comments]


# -- acts during a pass


def test_what_an_act_asks_for_while_a_pass_is_looking_is_written_by_the_next(world: World) -> None:
    world.person("T-01", 状態="完了")
    world.clock.advance(120)
    once(world, "after list", lambda: wish(world, "status", "doing"))

    world.sync()
    waiting = hub(world).wishes
    world.settle(wait=1)

    assert [one.value for one in waiting.values()] == ["doing"]
    assert world.issue().fields["状態"] == "対応中"
    assert hub(world).wishes == {}


def test_a_wish_that_a_pass_takes_up_leaves_a_newer_one_for_the_same_field_standing(world: World) -> None:
    wish(world, "status", "doing")
    world.clock.advance(1)
    once(world, "after list", lambda: wish(world, "status", "done"))

    world.sync()
    world.clock.advance(120)
    world.settle(wait=1)

    assert world.issue().fields["状態"] == "完了"
    assert world.hub()["status"] == "done"


def test_a_task_that_is_let_go_while_a_pass_is_looking_stays_let_go(world: World) -> None:
    def let_go() -> None:
        with world.store.write() as tx:
            put_hub(tx, replace(hub_tasks(tx)[key()], dropped=True))

    world.person("T-01", 状態="完了")
    world.clock.advance(120)
    once(world, "after list", let_go)
    world.sync()

    assert hub(world).dropped
    assert world.hub()["status"] == "done"


def test_a_value_that_is_settled_while_a_pass_is_looking_is_the_one_in_force(world: World) -> None:
    def settle() -> None:
        with world.store.write() as tx:
            task = hub_tasks(tx)[key()]
            put_hub(tx, replace(task, values={**task.values, "status": "review"}))

    world.person("T-01", 状態="対応中")
    world.clock.advance(120)
    once(world, "after list", settle)
    world.sync()
    world.settle(wait=1)

    assert world.hub()["status"] == "review"
    assert world.issue().fields["状態"] == "確認待ち"


def without_a_base(world: World) -> None:
    """Nobody knows any more what was agreed on the status: a store out of an old backup."""
    for name in world.servers:
        (one,) = world.bound(tracker=name)
        with world.store.write() as tx:
            fields = {
                name: value
                for name, value in bases(tx, one.ref.tracker)[one.ref].fields.items()
                if name != "status"
            }
            put_base(tx, one.ref, Base(fields, None), seen=fields, local={})


def test_a_wish_on_a_field_that_waits_for_a_person_waits_with_it() -> None:
    world = two_trackers()
    world.person("T-01", "b", 状態="対応中")
    without_a_base(world)
    world.clock.advance(120)
    wish(world, "status", "done")

    world.sync()

    assert [one.field for one in world.conflicts()] == ["status"]
    assert hub(world).wishes["status"].value == "done"
    assert (world.issue("T-01", "a").fields["状態"], world.issue("T-01", "b").fields["状態"]) == (
        "未着手",
        "対応中",
    )


# -- notes


def test_a_note_is_written_once_and_only_into_the_main_task() -> None:
    world = two_trackers()
    note(world, "名簿を足してください")

    world.settle(wait=1)

    assert (notes_in(world, "a"), notes_in(world, "b")) == (["名簿を足してください"], [])
    assert world.kinds().count("task.noted") == 1
    assert hub(world).wishes == {}


def test_a_note_waits_for_the_main_tracker_and_does_not_go_to_a_mirror_instead() -> None:
    world = two_trackers()
    world.server("a").behaviour.down = True
    note(world, "名簿を足してください")
    world.sync()
    meanwhile = notes_in(world, "b")
    world.server("a").behaviour.down = False
    world.settle(wait=60)

    assert (meanwhile, notes_in(world, "a"), notes_in(world, "b")) == ([], ["名簿を足してください"], [])


def test_two_notes_that_wait_are_both_written_the_older_first(world: World) -> None:
    note(world, "一つ目")
    note(world, "二つ目")

    world.settle(wait=1)

    assert notes_in(world) == ["一つ目", "二つ目"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_note_that_comes_while_another_is_being_sent_is_written_by_the_next_pass(kind: str) -> None:
    behaviour = KINDS[kind]()
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.settle()
    note(world, "一つ目")
    once(world, "after write" if behaviour.file_batch else "after update", lambda: note(world, "二つ目"))

    world.settle(wait=1)

    assert notes_in(world) == ["一つ目", "二つ目"]
    assert hub(world).wishes == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_note_whose_answer_was_lost_is_found_again_and_not_written_twice(kind: str) -> None:
    behaviour = KINDS[kind]()
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.settle()
    note(world, "一つ目")
    world.server().fail_next("write" if behaviour.file_batch else "update", Fault.ANSWER_LOST)
    world.sync()
    note(world, "二つ目")

    world.sync()
    world.settle(wait=1)

    assert notes_in(world) == ["一つ目", "二つ目"]
    assert world.kinds().count("task.noted") == 2


class WithoutComments(FakeTracker):
    """A tracker that has no place for comments, such as a workbook."""

    @property
    def caps(self) -> Capabilities:  # type: ignore[override]
        return replace(super().caps, comments=False)


def test_where_a_tracker_has_no_comments_no_note_is_kept_waiting_for_ever() -> None:
    world = World(items=("T-01",), behaviours={"a": full()}, drivers={"a": WithoutComments})
    world.settle()
    note(world, "名簿を足してください")

    world.sync()

    assert (hub(world).wishes, notes_in(world)) == ({}, [])
    assert outgoing(world.sync()) == []


# -- refusals


def refused(world: World) -> list[str]:
    return [one.field for one in world.refusals()]


def unwilling(name: str = "件名") -> World:
    """A tracker that says yes and leaves this field as it is."""
    world = World(items=("T-01",), behaviours={"a": strong()})
    world.settle()
    world.clock.advance(120)
    world.server().behaviour.refuses.add(name)
    return world


def test_a_refusal_is_settled_when_a_person_writes_the_wanted_value_there() -> None:
    world = unwilling()
    world.titles["T-01"] = "新しい題名"
    world.sync()
    before = refused(world)
    world.person("T-01", 件名="新しい題名")

    report = world.sync()["a"]

    assert (before, refused(world), report.refusals) == (["title"], [], [])


def test_a_refusal_is_settled_when_what_was_refused_is_wanted_no_more() -> None:
    world = unwilling()
    world.titles["T-01"] = "新しい題名"
    world.sync()
    before = refused(world)
    world.titles.clear()

    world.settle(wait=60)

    assert (before, refused(world)) == (["title"], [])


@pytest.mark.parametrize("end", ["left the scope", "let go"])
def test_a_refusal_is_settled_when_its_task_is_no_longer_ours_to_write(end: str) -> None:
    world = unwilling()
    world.titles["T-01"] = "新しい題名"
    world.sync()
    before = refused(world)
    if end == "left the scope":
        world.items = ()
    else:
        with world.store.write() as tx:
            put_hub(tx, replace(hub_tasks(tx)[key()], dropped=True))

    world.settle(wait=60)

    assert (before, refused(world)) == (["title"], [])


def test_a_reopening_that_is_silently_refused_is_no_change_in_the_log() -> None:
    world = unwilling("状態")
    world.person("T-01", 状態="完了")
    world.settle(wait=1)
    with world.store.read() as tx:
        since = tx.head()[0]
    world.clock.advance(10)
    wish(world, "status", "doing")

    world.sync()

    with world.store.read() as tx:
        assert tx.events(since=since, kind="task.changed") == []
    assert refused(world) == ["status"]


def test_a_tracker_that_was_not_reached_today_lets_no_other_be_asked_again_and_again() -> None:
    """A refused status is asked for once a day, where that tracker itself has not been read yet that day."""
    world = World(items=("T-01",), behaviours={"a": strong(), "b": full()})
    world.settle(wait=1)
    world.server("a").behaviour.refuses.add("状態")
    world.server("b").behaviour.down = True
    world.clock.advance(86_400)
    wish(world, "status", "doing")
    for _ in range(5):
        world.clock.advance(300)
        world.sync()
    first_day = world.kinds().count("refusal.opened")
    world.clock.advance(86_400)
    for _ in range(2):
        world.clock.advance(300)
        world.sync()

    assert (first_day, world.kinds().count("refusal.opened")) == (1, 2)


def test_a_frozen_field_stands_among_the_refusals_and_does_not_leave_them_by_itself() -> None:
    world = World(items=("T-01",), behaviours={"a": full()})
    world.settle()
    for number in range(6):
        world.clock.advance(60)
        world.person("T-01", 件名=f"自動処理{number}")
        report = world.sync()["a"]
    later = world.sync()["a"]
    # It stands right for a moment; nobody has said that it may go on.
    world.person("T-01", 件名="T-01 項目")
    right = world.sync()["a"]

    for one in (report, later, right):
        assert [(line["task"], line["field"]) for line in one.refusals] == [("tics/T-01", "title")]
        assert "unfreeze tics/T-01" in one.refusals[0]["why"]
    assert refused(world) == ["title"]


# -- what a tracker asks for, what a person asks for


@pytest.mark.parametrize("kind", KINDS)
def test_a_tracker_that_asks_for_time_in_the_middle_of_writing_is_left_alone_by_the_next_pass(
    kind: str,
) -> None:
    behaviour = KINDS[kind]()
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.settle()
    world.titles["T-01"] = "新しい題名"
    world.server().fail_next("write" if behaviour.file_batch else "update", Fault.BUSY)
    until = instant_text(world.clock() + timedelta(seconds=60))
    busy = world.sync()["a"]
    requests = world.server().request_count
    world.clock.advance(30)
    early = world.sync()["a"]
    asked = world.server().request_count - requests
    world.clock.advance(31)
    world.settle(wait=1)

    assert (busy.state, busy.until) == (early.state, early.until) == ("unavailable", until)
    assert asked == 0
    assert world.issue().fields["件名"] == "新しい題名"


def test_a_plan_for_some_tasks_says_what_a_sync_for_them_then_does() -> None:
    world = World(items=("T-01", "T-02", "T-03"), behaviours={"a": full()})
    world.settle()
    world.items = ("T-01", "T-02", "T-03", "T-04")
    world.titles |= {"T-01": "改題一", "T-02": "改題二"}
    only = frozenset({key("T-01"), key("T-04")})

    planned = world.sync(dry=True, only=only)
    done = world.sync(only=only)

    assert sorted(outgoing(planned)) == sorted(outgoing(done)) == ["a:create:T-04", "a:update:T-01"]


def test_a_task_that_was_let_go_and_belongs_to_another_workspace_now_is_not_taken_up_again() -> None:
    world = World(items=("T-01",), behaviours={"a": full()})
    world.settle()
    first = world.issue()
    payload = {"tracker": "a", "remote_id": first.id, "from": "live", "to": "detached", "why": "dropped"}
    with world.store.write() as tx:
        tx.append("task.state", str(key()), By("sato@pc"), payload)
    world.person("T-01", 目印=str(Marker("an0ther000", key(), 1)), 件名="別の会社の題名")
    world.clock.advance(120)

    world.settle(wait=1)

    other, ours = sorted(world.issues("T-01"), key=lambda one: one.number)
    assert (other.id, other.fields["件名"]) == (first.id, "別の会社の題名")
    assert ours.fields["目印"] == str(Marker(world.store.workspace, key(), 2))


# -- routes that change


class Routed(World):
    """`route` says which trackers the tasks go to, main first; the others are looked at and hold nothing new."""

    route: tuple[str, ...] = ("a",)

    def wants(self) -> dict[TaskKey, Want]:
        main, *mirrors = self.route
        return {
            one: replace(want, main=main, mirrors=tuple(mirrors)) for one, want in super().wants().items()
        }


def roles(world: World) -> dict[str, str]:
    return {name: one.role for name in world.servers for one in world.bound(tracker=name)}


def routed(*route: str) -> Routed:
    made = Routed(items=("T-01",), behaviours={"a": Behaviour(), "b": Behaviour()})
    made.route = route
    made.settle(wait=1)
    made.clock.advance(60)
    return made


def test_when_main_and_mirror_are_swapped_the_tasks_change_their_roles_and_nothing_is_made() -> None:
    world = routed("a", "b")
    before = roles(world)
    world.route = ("b", "a")

    reports = world.settle(wait=1)

    assert (before, roles(world)) == ({"a": "main", "b": "mirror"}, {"a": "mirror", "b": "main"})
    assert [line for one in reports for line in outgoing(one)] == []
    assert world.kinds().count("task.role") == 2


def test_when_a_route_moves_the_old_place_is_left_alone_and_told_until_it_is_ended() -> None:
    world = routed("a")
    world.person("T-01", 状態="完了")
    world.settle(wait=1)
    world.route = ("b",)
    reports = world.settle(wait=1)
    world.person("T-01", "a", 状態="対応中", 件名="自分の題名")
    later = world.settle(wait=60)

    assert roles(world) == {"a": "old", "b": "main"}
    assert world.issue("T-01", "b").fields["状態"] == "完了"
    assert world.issue("T-01", "a").fields["件名"] == "自分の題名"
    assert world.hub()["status"] == "done"
    for one in (reports[-1], later[-1]):
        assert [line["id"] for line in one["a"].notices] == ["old_place"]
        assert "task drop tics/T-01 --tracker a" in str(one["a"].notices[0]["fix"])
    assert outgoing(world.sync()) == []


def test_when_a_route_comes_back_the_old_place_is_the_main_one_again() -> None:
    world = routed("a")
    world.route = ("b",)
    world.settle(wait=1)
    world.route = ("a",)

    world.settle(wait=60)

    assert roles(world) == {"a": "main", "b": "old"}
    assert [len(world.server(name).issues()) for name in ("a", "b")] == [1, 1]
