"""Rows of the failure matrix (docs/reference/failure-matrix.md) that the engine answers for, over a make-believe tracker."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest

from tests.unit.sync.world import WORKSPACE, World, key, outgoing
from ticssync.model.canonical import instant_text
from ticssync.model.key import Marker
from ticssync.model.task import FieldValue
from ticssync.store.hub import Wish, put_wish
from ticssync.store.working import cursor, put_cursor
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.opening import TABLE
from ticssync.testing.wire import Fault

DAY: Final = 90_000
LATENCY_S: Final = 0.2
COUNT: Final = 10_000 if os.environ.get("TICSSYNC_FAULTS") == "all" else 150
"""Tasks of the large company; `make faults` takes as many as the matrix says."""
MANY: Final = tuple(f"T-{number:02d}" for number in range(1, 6))
KINDS: Final = {"workbook-like": full, "redmine-like": strong, "jira-like": index}
BY_ID: Final = {"redmine-like": strong, "jira-like": index}


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """Three tasks, nothing to do."""
    made = World(behaviours={"a": KINDS[request.param]()})
    made.settle()
    made.clock.advance(120)
    return made


def wish(world: World, status: str, item: str = "T-01") -> None:
    """Somebody decides in ticssync how the task is to stand."""
    with world.store.write() as tx:
        put_wish(tx, key(item), "status", Wish(status, instant_text(tx.now)))


def states(world: World, item: str) -> list[str]:
    return sorted(one.state.value for one in world.bound(item))


def meanwhile(world: World, *points: str, do: Callable[[], object]) -> None:
    """Something happens right before the first request of these."""
    waiting = [do]

    def watch(point: str) -> None:
        if point in {f"before {one}" for one in points} and waiting:
            waiting.pop()()

    world.server().watch = watch


# ── 3: an answer is lost while the index lags ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("lag_s", [0, 5, 600])
def test_a_create_whose_answer_was_lost_is_waited_for_as_long_as_the_index_lags(lag_s: float) -> None:
    behaviour = index()
    behaviour.index_lag_s = lag_s
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.server().fail_next("create", Fault.ANSWER_LOST)
    waiting = [world.sync()["a"].waiting]
    for _ in range(3):
        world.clock.advance(lag_s / 4 + 0.1)
        waiting.append(world.sync()["a"].waiting)
        assert len(world.issues("T-01")) == 1
    world.clock.advance(2 * lag_s + 1)
    world.settle(wait=2 * lag_s + 1)

    assert waiting[0] == ["tics/T-01"]
    assert waiting[1] == (["tics/T-01"] if lag_s else []), "it is told that something waits"
    assert (states(world, "T-01"), len(world.issues("T-01"))) == (["live"], 1)


def test_a_create_that_never_arrived_is_sent_again_only_when_the_index_has_had_its_time() -> None:
    behaviour = index()
    behaviour.index_lag_s = 600
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.server().fail_next("create", Fault.NOT_SENT)
    world.sync()
    world.clock.advance(300)
    early = world.sync()["a"]
    before = len(world.issues("T-01"))
    world.clock.advance(301)
    world.settle(wait=700)

    assert (early.waiting, before) == (["tics/T-01"], 0)
    assert len(world.issues("T-01")) == 1


# ── 4: a batch of which some are refused ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_batch_the_refused_ones_are_told_by_their_own_names_and_the_others_are_made(kind: str) -> None:
    behaviour = KINDS[kind]()
    behaviour.create_max = 50
    world = World(items=MANY, behaviours={"a": behaviour}, titles={"T-01": "", "T-03": ""})
    first = world.sync()["a"]
    again = world.sync()["a"]

    assert [one["task"] for one in first.rejected] == ["tics/T-01", "tics/T-03"]
    assert {one["why"] for one in first.rejected} == {"件名を入力してください"}
    assert [len(world.issues(item)) for item in MANY] == [0, 1, 0, 1, 1]
    for item in ("T-02", "T-04", "T-05"):
        assert world.issue(item).fields["件名"] == f"{item} 項目"
    assert (outgoing({"a": again}), again.rejected) == ([], []), "not asked for again as it stands"
    world.titles.clear()
    world.settle(wait=120)

    assert [len(world.issues(item)) for item in MANY] == [1] * 5
    assert world.refusals() == []


def test_a_batch_that_is_refused_whole_is_told_task_by_task_and_stops_nothing_else() -> None:
    behaviour = index()
    behaviour.create_max = 50
    world = World(items=MANY[:3], behaviours={"a": behaviour})
    world.settle(wait=60)
    world.items = MANY
    world.titles.update({"T-04": "", "T-05": "", "T-01": "改題"})
    world.clock.advance(120)
    report = world.sync()["a"]

    assert [one["task"] for one in report.rejected] == ["tics/T-04", "tics/T-05"]
    assert (report.state, world.issue("T-01").fields["件名"]) == ("ok", "改題")


# ── 6: yes, and nothing happened ──────────────────────────────────────────────────────────────────────


def coerced(driver: type[FakeTracker], place: str, to: FieldValue) -> type[FakeTracker]:
    """A tracker that makes another value of what is written into that field, and says yes."""

    class Coercing(driver):  # type: ignore[valid-type,misc]
        def _edit(self, change):  # type: ignore[no-untyped-def]
            edit = super()._edit(change)
            return replace(edit, fields={n: to if n == place else v for n, v in edit.fields.items()})

    return Coercing


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_the_tracker_turns_into_another_is_known_as_it_is_and_not_written_for_ever(
    kind: str,
) -> None:
    driver = coerced(FakeTracker, "件名", "丸められた題名")
    world = World(behaviours={"a": KINDS[kind]()}, drivers={"a": driver})
    world.settle()
    world.clock.advance(120)
    world.titles["T-01"] = "新しい題名"
    first = outgoing(world.sync())
    for _ in range(3):
        world.clock.advance(120)
        assert outgoing(world.sync()) == []

    assert first == ["a:update:T-01"]
    assert [(one.wanted, one.found) for one in world.refusals()] == [("新しい題名", "丸められた題名")]
    assert "task.overwritten" not in world.kinds(), "nobody's edit"


# ── 9: one task moves ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", BY_ID)
def test_a_task_that_got_another_id_by_moving_stays_ours_under_the_new_one(kind: str) -> None:
    world = World(behaviours={"a": BY_ID[kind]()})
    world.settle()
    world.clock.advance(DAY)
    new = world.server().move(world.issue("T-02").id)
    world.clock.advance(DAY)
    world.settle(wait=60)
    world.person("T-02", 状態="完了")
    world.clock.advance(120)
    world.settle(wait=60)

    assert {one.ref.id for one in world.bound("T-02") if one.state == "live"} == {new.id}
    assert (world.hub("T-02")["status"], len(world.issues("T-02"))) == ("done", 1)


@pytest.mark.parametrize("kind", BY_ID)
def test_a_task_that_only_got_another_key_is_shown_under_it(kind: str) -> None:
    world = World(behaviours={"a": BY_ID[kind]()})
    world.settle()
    world.clock.advance(DAY)
    before = world.issue("T-02")
    world.server().rename(before.id, "OTHER-7")
    world.clock.advance(DAY)
    world.settle(wait=60)

    assert [(one.ref.id, one.display_key, one.state) for one in world.bound("T-02")] == [
        (before.id, "OTHER-7", "live")
    ]


# ── 10: somebody touches the marker ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("marker", [None, "ticssync.somebody.tics.T-99.0.0.g1.abcdef", "わからない"])
def test_a_marker_that_a_person_removed_or_altered_unbinds_nothing_and_is_written_again(
    world: World, marker: str | None
) -> None:
    issue = world.issue("T-01")
    right = issue.fields["目印"]
    world.person("T-01", 目印=marker, 状態="対応中")
    world.clock.advance(120)
    world.settle(wait=60)

    assert (states(world, "T-01"), world.bound("T-01")[0].ref.id) == (["live"], issue.id)
    assert (world.hub("T-01")["status"], len(world.server().issues())) == ("doing", 3)
    assert world.issue("T-01").fields["目印"] == right


def test_of_two_tasks_with_one_marker_the_first_stays_ours_and_the_other_is_told(world: World) -> None:
    """A person pastes the marker of one task into another that they made."""
    first = world.issue("T-01")
    world.server().person_creates({"件名": "だれかの課題", "目印": first.fields["目印"]})
    world.clock.advance(120)
    report = world.sync()["a"]
    world.settle(wait=60)

    assert [one.why for one in report.actions if one.direction == "in"] == ["copy"]
    assert [one.ref.id for one in world.bound("T-01") if one.state == "live"] == [first.id]
    assert states(world, "T-01") == ["copy", "live"]
    assert len(world.server().issues()) == 4


# ── 11: both sides ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["workbook-like main", "redmine-like main"])
def two(request: pytest.FixtureRequest) -> World:
    """`a` is main, `b` its mirror."""
    first, second = (full, strong) if request.param.startswith("workbook") else (strong, full)
    made = World(items=("T-01",), behaviours={"a": first(), "b": second()})
    made.settle(wait=1)
    made.clock.advance(120)
    return made


def test_different_fields_that_both_sides_edited_are_both_kept(two: World) -> None:
    two.person("T-01", "a", 状態="対応中")
    two.person("T-01", "b", 優先度="high")
    two.settle(wait=120)

    for name in ("a", "b"):
        fields = two.issue("T-01", name).fields
        assert (fields["状態"], fields["優先度"]) == ("対応中", "high")
    assert two.conflicts() == []


def test_the_same_value_on_both_sides_is_silent(two: World) -> None:
    two.person("T-01", "a", 状態="完了")
    two.person("T-01", "b", 状態="完了")
    done = two.settle(wait=120)

    assert [outgoing(one) for one in done] == [[]], "nothing to write"
    assert (two.hub("T-01")["status"], two.conflicts()) == ("done", [])


def test_the_same_field_on_both_sides_takes_the_newer_and_keeps_the_older_in_a_conflict(two: World) -> None:
    two.person("T-01", "b", 状態="完了")
    two.person("T-01", "a", 状態="対応中")
    two.settle(wait=120)
    (conflict,) = two.conflicts()

    assert (conflict.field, conflict.taken, conflict.values) == (
        "status",
        "doing",
        {"a": "doing", "b": "done"},
    )
    assert {two.issue("T-01", name).fields["状態"] for name in ("a", "b")} == {"対応中"}


def test_a_decision_here_and_an_edit_there_make_a_conflict_with_both_values(world: World) -> None:
    world.person("T-01", 状態="完了")
    world.clock.advance(10)
    wish(world, "wont_do")
    world.clock.advance(120)
    world.settle(wait=120)
    (conflict,) = world.conflicts()

    assert conflict.values == {"a": "done", "ticssync": "wont_do"}
    assert world.hub("T-01")["status"] == conflict.taken


# ── 12: an edit between our reading and our writing ───────────────────────────────────────────────────


def test_an_edit_of_another_field_between_our_reading_and_our_writing_is_taken_in(world: World) -> None:
    number = world.issue("T-01").id
    wish(world, "wont_do")
    meanwhile(world, "update", "write", do=lambda: world.server().person_sets(number, {"優先度": "high"}))
    world.sync()
    world.clock.advance(120)
    world.settle(wait=120)

    assert world.hub("T-01")["priority"] == "high"
    assert world.issue("T-01").fields["優先度"] == "high"
    assert world.hub("T-01")["status"] == "wont_do"


def test_an_edit_of_the_same_field_is_not_written_over_where_the_tracker_compares() -> None:
    """It looks once more before it writes: the person's word stands, ours is told as refused."""
    behaviour = strong()
    behaviour.compares = True
    world = World(behaviours={"a": behaviour})
    world.settle()
    number = world.issue("T-01").id
    world.clock.advance(120)
    wish(world, "wont_do")
    world.clock.advance(10)
    meanwhile(world, "fetch", do=lambda: world.server().person_sets(number, {"状態": "完了"}))
    world.sync()
    world.clock.advance(120)
    world.settle(wait=120)

    assert (world.issue("T-01").fields["状態"], world.hub("T-01")["status"]) == ("完了", "done")
    with world.store.read() as tx:
        (refused,) = tx.events(kind="refusal.opened")
    assert refused.data["wanted"] == "wont_do", "what lost stands in the log"


# ── 14: ways through a workflow ───────────────────────────────────────────────────────────────────────

LOOP = {
    "未着手": ("対応中",), "対応中": ("確認待ち",), "確認待ち": ("対応中", "未着手"), "完了": ("対応中",), "対象外": ("未着手",),
}  # fmt: skip


@pytest.mark.parametrize("aloud", [False, True], ids=["in silence", "aloud"])
@pytest.mark.parametrize("told", [False, True], ids=["move by move", "whole"])
def test_a_workflow_that_goes_round_in_circles_is_given_up_with_the_names(aloud: bool, told: bool) -> None:
    """No way leads to 完了: it is refused once, in words, and no request goes round."""
    behaviour = strong()
    behaviour.workflow, behaviour.aloud, behaviour.tells_workflow = LOOP, aloud, told
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.settle()
    world.clock.advance(120)
    wish(world, "done")
    before = world.server().requests["update"]
    for _ in range(4):
        world.sync()
        world.clock.advance(120)
    (refusal,) = world.refusals()

    assert "完了" in refusal.why
    assert (refusal.field, world.server().requests["update"] - before) == ("status", 0)
    assert world.hub("T-01")["status"] == "done", "what was decided here is not reverted"


@pytest.mark.parametrize("told", [False, True], ids=["move by move", "whole"])
def test_a_move_that_asks_for_a_field_is_refused_naming_the_field(told: bool) -> None:
    behaviour = strong()
    behaviour.workflow = {"未着手": ("対象外",)}
    behaviour.required, behaviour.tells_workflow = {"対象外": ("期日", "優先度")}, told
    world = World(items=("T-01",), behaviours={"a": behaviour})
    world.settle()
    world.clock.advance(120)
    wish(world, "wont_do")
    for _ in range(3):
        world.sync()
        world.clock.advance(120)
    (refusal,) = world.refusals()

    assert "優先度" in refusal.why
    assert world.issue("T-01").fields["状態"] == "未着手"


def test_a_status_that_was_deleted_there_is_refused_and_the_other_tasks_go_on() -> None:
    behaviour = strong()
    world = World(behaviours={"a": behaviour})
    world.settle()
    world.clock.advance(120)
    behaviour.statuses = tuple(one for one in behaviour.statuses if one != "対象外")
    wish(world, "wont_do")
    world.titles["T-02"] = "改題"
    world.sync()
    world.clock.advance(120)

    assert [(one.key, one.field) for one in world.refusals()] == [(key("T-01"), "status")]
    assert world.issue("T-02").fields["件名"] == "改題"
    assert outgoing(world.sync()) == []


def test_a_status_that_the_mapping_has_no_word_for_makes_no_storm_and_is_not_taken_back() -> None:
    """It is told there as near as there are words, once at most; what was decided here stands."""
    table = replace(TABLE, statuses={one: ours for one, ours in TABLE.statuses.items() if ours != "wont_do"})
    world = World(items=("T-01",), behaviours={"a": strong()}, tables={"a": table})
    world.settle()
    world.clock.advance(120)
    wish(world, "wont_do")
    written = []
    for _ in range(4):
        written.append(outgoing(world.sync()))
        world.clock.advance(120)

    assert written[1:] == [[], [], []]
    assert world.hub("T-01")["status"] == "wont_do"
    assert world.conflicts() == []


# ── 15: a tracker that asks for time ──────────────────────────────────────────────────────────────────


def test_a_tracker_that_asks_for_time_stops_no_other_one() -> None:
    world = World(items=MANY, behaviours={"a": strong(), "b": full()})
    world.server("a").behaviour.throttled_until = world.server("a").now() + timedelta(hours=1)
    first = world.sync()
    asked = world.server("a").request_count
    world.sync()

    assert (first["a"].state, first["b"].state) == ("unavailable", "ok")
    assert len(world.server("b").issues()) == len(MANY)
    assert world.server("a").request_count == asked, "left alone until then"
    world.clock.advance(3700)
    world.settle(wait=60)

    assert len(world.server("a").issues()) == len(MANY)


# ── 16: pages that shift ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", BY_ID)
def test_what_is_made_touched_or_deleted_between_two_pages_takes_no_other_with_it(kind: str) -> None:
    behaviour = BY_ID[kind]()
    behaviour.page_size = 3
    world = World(items=tuple(f"T-{n:02d}" for n in range(1, 11)), behaviours={"a": behaviour})
    world.settle(wait=60)
    world.clock.advance(120)
    server, pages = world.server(), [0]

    def shift(point: str) -> None:
        if point != "before list":
            return
        pages[0] += 1
        world.clock.advance(1)
        if pages[0] == 2:
            server.person_sets(world.issue("T-01").id, {"状態": "完了"})
        elif pages[0] == 3:
            server.delete(world.issue("T-02").id)
            server.person_creates({"件名": "だれかの課題"})

    server.watch = shift
    world.clock.advance(DAY)
    world.sync()
    server.watch = lambda _point: None
    world.clock.advance(DAY)
    world.settle(wait=120)

    assert pages[0] >= 4
    assert world.hub("T-01")["status"] == "done"
    assert states(world, "T-02") == ["tomb"]
    assert {item: states(world, item) for item in world.items if item != "T-02"} == {
        item: ["live"] for item in world.items if item != "T-02"
    }
    assert len(server.issues()) == 10


# ── 17, 18: clocks and cursors ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("skew_s", [-600, 600])
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_whose_clock_is_ten_minutes_off_hides_no_edit(kind: str, skew_s: float) -> None:
    behaviour = KINDS[kind]()
    behaviour.skew_s = skew_s
    world = World(behaviours={"a": behaviour})
    world.settle(wait=60)
    for number, (word, ours) in enumerate([("対応中", "doing"), ("完了", "done"), ("確認待ち", "review")]):
        world.person(f"T-0{number + 1}", 状態=word)
        world.clock.advance(61)
        world.settle(wait=61)
        assert world.hub(f"T-0{number + 1}")["status"] == ours
    assert world.conflicts() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_whose_clock_ran_a_year_ahead_misses_nothing_once_it_was_put_right(kind: str) -> None:
    world = World(behaviours={"a": KINDS[kind]()})
    world.settle(wait=60)
    right = world.clock.now
    world.clock.now = right + timedelta(days=365)
    world.settle(wait=60)
    # The last thing that it heard then was a request for time.
    world.server().fail_next("list", Fault.BUSY)
    world.clock.advance(60)
    asked = world.sync()["a"].state
    world.clock.now = right + timedelta(minutes=10)
    world.person("T-01", 状態="完了")
    world.server().delete(world.issue("T-02").id)
    world.clock.advance(120)
    world.sync()
    world.clock.advance(DAY)
    world.settle(wait=60)

    assert asked == "unavailable"
    assert world.hub("T-01")["status"] == "done"
    assert states(world, "T-02") == ["tomb"]


@pytest.mark.parametrize("when", ["in the future", "lost"])
def test_a_cursor_that_is_lost_or_lies_in_the_future_leads_to_a_look_at_everything(
    world: World, when: str
) -> None:
    with world.store.write() as tx:
        future = instant_text(world.clock.now + timedelta(days=3650)) if when == "in the future" else None
        put_cursor(tx, "a", future or "", future)
        if when == "lost":
            tx.connection.exec_driver_sql("DELETE FROM cursor")
    world.person("T-01", 状態="完了")
    world.clock.advance(120)
    world.settle(wait=60)

    assert world.hub("T-01")["status"] == "done"
    assert [len(world.issues(item)) for item in world.items] == [1, 1, 1]
    with world.store.read() as tx:
        assert str(cursor(tx, "a")[1]) <= instant_text(world.clock.now)


# ── 21: text ──────────────────────────────────────────────────────────────────────────────────────────


NASTY = {
    "NUL": "a\x00b", "control characters": "a\x01\x1fb", "half a surrogate": "a\ud83d b", "a formula": "=cmd|' /C calc'!A0",
    "combining": "か\u3099", "255 full-width": "基" * 255, "an emoji at the cut": "基" * 254 + "👨‍👩‍👧‍👦",
}  # fmt: skip


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_a_nasty_text_of_a_person_is_taken_in_or_named_and_never_echoed(text: str) -> None:
    world = World(items=("T-01",), behaviours={"a": strong()})
    world.settle()
    world.clock.advance(120)
    world.person("T-01", 優先度=text, 状態="対応中")
    for _ in range(2):
        world.clock.advance(120)
        assert outgoing(world.sync()) == []
    assert world.hub("T-01")["status"] == "doing"


def utf16_cut(driver: type[FakeTracker], units: int) -> type[FakeTracker]:
    """A tracker that keeps so many UTF-16 units of a title, through the middle of an emoji."""

    def cut(fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        def kept(value: str) -> str:
            return value.encode("utf-16-le", "surrogatepass")[: units * 2].decode(
                "utf-16-le", "surrogatepass"
            )

        return {n: kept(v) if n == "件名" and isinstance(v, str) else v for n, v in fields.items()}

    class Cutting(driver):  # type: ignore[valid-type,misc]
        def _draft(self, draft):  # type: ignore[no-untyped-def]
            return cut(super()._draft(draft))

        def _edit(self, change):  # type: ignore[no-untyped-def]
            edit = super()._edit(change)
            return replace(edit, fields=cut(edit.fields))

    return Cutting


@pytest.mark.parametrize("kind", KINDS)
def test_a_title_that_the_tracker_cuts_through_an_emoji_is_told_once_and_not_written_for_ever(
    kind: str,
) -> None:
    world = World(behaviours={"a": KINDS[kind]()}, drivers={"a": utf16_cut(FakeTracker, 6)})
    world.titles.update({"T-01": "abcd🔒🔒", "T-02": "abcde🔒"})
    world.settle(wait=120)
    world.titles["T-03"] = "12345🔒"
    written = [outgoing(world.sync()) for _ in range(3)]

    assert world.issue("T-02").fields["件名"] == "abcde\ud83d"
    assert world.issue("T-01").fields["件名"] == "abcd🔒"
    assert written == [["a:update:T-03"], [], []]
    assert {one.key for one in world.refusals()} == {key("T-01"), key("T-02"), key("T-03")}


# ── 27: many tasks, a slow line ───────────────────────────────────────────────────────────────────────


def test_with_many_tasks_and_a_slow_line_an_idle_pass_is_one_request_and_small() -> None:
    """Latency is counted, not slept: time is requests × latency, and one request is all that an idle pass makes."""
    items = tuple(f"T-{number:05d}" for number in range(COUNT))
    behaviour = strong()
    behaviour.page_size = 100
    world = World(items=items, behaviours={"a": behaviour})
    for item in items:
        marker = str(Marker(WORKSPACE, key(item), 1))
        owned: dict[str, FieldValue] = {
            "件名": f"{item} 項目",
            "説明": "やること",
            "番号": item,
            "目印": marker,
        }
        world.server().person_creates({**owned, "期日": "2026-06-30", "ラベル": ("tics",)})
    waited = [0.0]

    def line(point: str) -> None:
        waited[0] += LATENCY_S if point.startswith("before") else 0

    world.server().watch = line
    for _ in range(3):
        world.clock.advance(120)
        assert outgoing(world.sync()) == []
    world.clock.advance(120)
    idle = measured(world, waited)
    world.person(items[5], 状態="完了")
    world.clock.advance(120)
    edited = measured(world, waited)

    assert [one.requests for one in (idle, edited)] == [1, 1]
    assert [one.waited for one in (idle, edited)] == [LATENCY_S, LATENCY_S]
    assert world.hub(items[5])["status"] == "done"
    assert idle.peak < 2_000_000 + 5_000 * COUNT
    assert edited.peak < 3_000_000 + 12_000 * COUNT


@dataclass(frozen=True)
class Measured:
    """A pass: its requests, the seconds that they waited for, and the most bytes that it held at once."""

    requests: int
    waited: float
    peak: int


def measured(world: World, waited: list[float]) -> Measured:
    before, requests = waited[0], world.server().request_count
    tracemalloc.start()
    try:
        world.sync()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Measured(world.server().request_count - requests, round(waited[0] - before, 3), peak)
