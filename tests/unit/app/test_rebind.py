"""A store that is lost: what `rebind` finds again in the trackers, in links.yaml and in a bundle."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest

from tests.faults.deaths import Death, Points
from tests.unit.app.office import WORKSPACE, Office, outgoing
from ticssync.app import settle
from ticssync.app.adopt import adopt
from ticssync.app.adopt_desk import Pairing
from ticssync.app.rebind_store import Rebuilt, rebuild
from ticssync.errors import CorruptStoreError, CredentialsError, RetryLaterError, TicssyncError, UsageError
from ticssync.store import Store
from ticssync.store.bindings import bindings
from ticssync.store.connection import MEMORY
from ticssync.store.notices import notices
from ticssync.sync.quiet import NOTE
from ticssync.testing.wire import Fault

EVERY_POINT: Final = os.environ.get("TICSSYNC_FAULTS") == "all"
MARKER = f"ticssync.{WORKSPACE}.tics.T-01.0.0.g1."


def lose(office: Office) -> None:
    """The store is gone, with all that lay beside it."""
    office.close()
    for file in office.root.glob("ticssync.db*"):
        file.unlink()


def rebound(office: Office, **more: Any) -> Rebuilt:
    office.close()
    return rebuild(office.around, extra=tuple(office.plugins.values())[:1], **more)


def writes(office: Office, tracker: str = "a") -> int:
    """Issues as they stand, so that any write shows."""
    return hash(tuple(sorted((one.id, one.version) for one in office.server(tracker).issues())))


def quiet(office: Office) -> bool:
    """The next passes write nothing anywhere."""
    before = [writes(office, name) for name in office.trackers]
    office.clock.advance(60)
    said = [outgoing(office.sync()) for _ in range(2)]
    return said == [[], []] and before == [writes(office, name) for name in office.trackers]


def test_tasks_are_found_by_their_markers_and_the_next_pass_writes_nothing(office: Office) -> None:
    office.settle()
    office.person("T-01", 状態="対応中")
    office.settle()
    before = {item: office.bound(item)["a"].ref for item in ("T-01", "T-02")}
    lose(office)

    found = rebound(office)

    told = found.trackers["a"]
    assert (told["by_marker"], told["by_links"], told["differences"], told["not_found"]) == (2, 0, 0, [])
    assert {item: office.bound(item)["a"].ref for item in before} == before
    assert office.bound("T-01")["a"].status == "doing"
    assert quiet(office)
    assert office.keeps_the_law_of_replay()


def test_what_people_change_after_it_is_taken_in_as_ever(office: Office) -> None:
    office.settle()
    lose(office)
    rebound(office)
    office.person("T-01", 状態="確認待ち")
    office.settle()

    assert office.bound("T-01")["a"].status == "review"
    assert not office.conflicts()


def test_a_due_date_tells_on_which_day_the_task_first_came_up(office: Office) -> None:
    """Days later the due date would be another one: the task keeps the one that it has."""
    office.settle()
    due = office.issues()["T-01"].fields["期日"]
    office.clock.advance(86_400 * 45)
    lose(office)
    rebound(office)

    assert not office.conflicts()
    assert quiet(office)
    assert office.issues()["T-01"].fields["期日"] == due


def test_what_ticssync_would_write_otherwise_becomes_a_conflict_and_is_left_alone(office: Office) -> None:
    office.settle()
    office.person("T-01", 件名="社内の呼び名")
    lose(office)

    found = rebound(office)

    (conflict,) = office.conflicts()
    assert (conflict.field, conflict.owner) == ("title", "ticssync")
    assert conflict.values["a"] == "社内の呼び名"
    assert conflict.taken == conflict.values["ticssync"]
    assert (found.trackers["a"]["differences"], found.open_ends) == (1, True)
    assert quiet(office)
    assert office.issues()["T-01"].fields["件名"] == "社内の呼び名"


@pytest.mark.parametrize("take", ["local", "ticssync"])
def test_a_person_may_have_it_written_after_all(office: Office, take: str) -> None:
    office.settle()
    title = office.issues()["T-01"].fields["件名"]
    office.person("T-01", 件名="社内の呼び名")
    lose(office)
    rebound(office)
    (open_one,) = office.conflicts()
    with office.open() as workspace:
        settle.resolve(workspace, open_one.id, take)
    office.settle()

    assert office.issues()["T-01"].fields["件名"] == title
    assert not office.conflicts()


def test_a_person_may_leave_it_as_it_stands_until_the_mapping_says_otherwise(office: Office) -> None:
    office.settle()
    office.person("T-01", 件名="社内の呼び名")
    lose(office)
    rebound(office)
    (open_one,) = office.conflicts()
    with office.open() as workspace:
        settle.resolve(workspace, open_one.id, "remote")
    office.settle()

    assert office.issues()["T-01"].fields["件名"] == "社内の呼び名"
    assert quiet(office)
    with (office.root / "mapping.yaml").open("a", encoding="utf-8") as mapping:
        mapping.write('title: "新しい {{ title }}"\n')
    office.settle()
    assert str(office.issues()["T-01"].fields["件名"]).startswith("新しい")


def left(office: Office) -> None:
    """After a `rebind` a person leaves T-01's title as it stands in the tracker."""
    office.settle()
    office.person("T-01", 件名="社内の呼び名")
    lose(office)
    rebound(office)
    (open_one,) = office.conflicts()
    with office.open() as workspace:
        settle.resolve(workspace, open_one.id, "a")
    office.settle()


def test_what_a_person_left_stays_when_what_was_refused_is_asked_for_again(office: Office) -> None:
    """`rebind` itself recommends `--retry-refused`, for the markers."""
    left(office)
    office.clock.advance(60)
    dry = office.sync(retry_refused=True, dry=True)
    result = office.sync(retry_refused=True)

    assert (outgoing(dry), outgoing(result)) == ([], [])
    assert office.issues()["T-01"].fields["件名"] == "社内の呼び名"
    assert [one.left for one in office.refusals()] == [True]


def test_what_a_person_left_is_settled_and_no_pass_and_no_status_tells_of_it(office: Office) -> None:
    left(office)
    office.clock.advance(60)
    result = office.sync()
    with office.open() as workspace, workspace.store.read() as tx:
        note = tx.meta(NOTE)

    assert (result.exit_code, result.reports["a"].refusals) == (0, [])
    assert note is not None
    assert [task["problems"] for task in office.criterion("T-01")["tasks"]] == [[]]


@pytest.mark.parametrize("side", ["ours", "theirs", "agreed"])
def test_what_a_person_left_is_over_once_either_side_changes(office: Office, side: str) -> None:
    title = "項目T-01 新"
    left(office)
    if side == "theirs":
        office.person("T-01", 件名="別の呼び名")
    else:
        with (office.root / "mapping.yaml").open("a", encoding="utf-8") as mapping:
            mapping.write(f'title: "{title if side == "ours" else "社内の呼び名"}"\n')
    office.settle()

    assert office.refusals() == ()
    assert office.issues()["T-01"].fields["件名"] not in ("別の呼び名",)
    assert (office.issues()["T-01"].fields["件名"] == "社内の呼び名") is (side == "agreed")


def test_main_and_mirror_that_differ_become_a_conflict_and_nothing_is_pushed(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    office.person("T-01", "a", 状態="対応中")
    office.person("T-01", "b", 状態="完了")
    lose(office)

    rebound(office)

    (conflict,) = office.conflicts()
    assert (conflict.field, dict(conflict.values)) == ("status", {"a": "doing", "b": "done"})
    office.settle()
    assert [office.issues(name)["T-01"].fields["状態"] for name in ("a", "b")] == ["対応中", "完了"]
    assert quiet(office)
    assert len(office.conflicts()) == 1
    with office.open() as workspace:
        settle.resolve(workspace, conflict.id, "b")
    office.settle()
    assert office.issues("a")["T-01"].fields["状態"] == "完了"
    assert quiet(office)


def adopted(office: Office) -> str:
    """An issue that somebody made by hand becomes T-01's before anything is synced; its id."""
    issue = office.server().person_creates({"件名": "手作りの課題", "状態": "対応中"})
    with office.open() as workspace:
        adopt(workspace, Pairing("T-01", issue.id, "a"))
    return issue.id


def test_an_adopted_task_without_marker_is_found_through_links_yaml(office: Office) -> None:
    number = adopted(office)
    lose(office)

    told = rebound(office).trackers["a"]

    assert (told["by_marker"], told["by_links"], told["without_marker"]) == (0, 1, 1)
    assert office.bound("T-01")["a"].ref.id == number
    assert office.bound("T-01")["a"].status == "doing"


def test_no_marker_is_set_on_it_until_a_person_asks_for_it(office: Office) -> None:
    adopted(office)
    lose(office)
    rebound(office)
    (issue,) = office.server().issues()
    office.sync(only=("T-01",))
    assert office.server().issue(issue.id).fields.get("目印") is None

    office.clock.advance(60)
    office.sync(only=("T-01",), retry_refused=True)
    assert str(office.server().issue(issue.id).fields["目印"]).startswith(MARKER)


def test_setting_it_writes_nothing_over_that_a_person_left_as_it_stands_there(office: Office) -> None:
    number = adopted(office)
    lose(office)
    rebound(office)
    with office.open() as workspace:
        decided = office.conflicts()
        for one in decided:
            settle.resolve(workspace, one.id, "a")
    before = dict(office.server().issue(number).fields)
    office.clock.advance(60)
    office.sync(only=("T-01",), retry_refused=True)

    after = dict(office.server().issue(number).fields)
    assert str(after["目印"]).startswith(MARKER)
    assert {one.field for one in decided} == {"title", "body", "due", "number"}
    for name in ("件名", "説明", "期日", "番号"):
        assert after[name] == before[name]
    assert {one.left for one in office.refusals()} == {True}


def test_an_adopted_task_that_carries_its_marker_by_now_is_found_by_it(office: Office) -> None:
    number = adopted(office)
    office.settle()
    lose(office)

    told = rebound(office).trackers["a"]

    assert (told["by_marker"], told["by_links"]) == (2, 0)
    assert office.bound("T-01")["a"].ref.id == number
    conflicts = {(one.key.item, one.field) for one in office.conflicts()}
    assert conflicts == set()
    assert quiet(office)


def test_a_link_to_a_deleted_task_is_told_and_no_second_one_is_made(office: Office) -> None:
    number = adopted(office)
    office.server().delete(number)
    lose(office)

    (gone,) = rebound(office).trackers["a"]["not_found"]

    assert (gone["task"], gone["id"], gone["state"], gone["held"]) == ("tics/T-01", number, "tomb", True)
    office.settle()
    assert set(office.issues()) == {"T-02"}


def test_of_two_tasks_with_one_marker_the_older_one_is_live(office: Office) -> None:
    office.settle()
    original = office.issues()["T-01"]
    copy = office.server().copy(original.id)
    lose(office)

    told = rebound(office).trackers["a"]

    assert (told["by_marker"], told["copies"]) == (2, 1)
    with office.open() as workspace, workspace.store.read() as tx:
        states = {one.ref.id: one.state.value for one in bindings(tx) if one.key.item == "T-01"}
    assert states == {original.id: "live", copy.id: "copy"}


def test_of_two_with_one_marker_the_one_that_links_yaml_names_is_live(office: Office) -> None:
    number = adopted(office)
    office.settle()
    marker = office.server().issue(number).fields["目印"]
    older = office.server().copy(number)
    text = (office.root / "links.yaml").read_text("utf-8").replace(f'"{number}"', f'"{older.id}"')
    (office.root / "links.yaml").write_text(text, "utf-8")
    lose(office)

    rebound(office)

    with office.open() as workspace, workspace.store.read() as tx:
        states = {one.ref.id: one.state.value for one in bindings(tx) if one.key.item == "T-01"}
    assert (states, marker is not None) == ({older.id: "live", number: "copy"}, True)


def test_the_generation_comes_out_of_the_marker(office: Office) -> None:
    office.settle()
    office.server().delete(office.issues()["T-01"].id)
    office.clock.advance(86_400 * 2)
    office.settle()
    with office.open() as workspace:
        settle.restore(workspace, "T-01")
    office.settle()
    lose(office)
    rebound(office)

    assert office.bound("T-01")["a"].generation == 2
    assert quiet(office)


def test_another_workspaces_tasks_are_left_alone(office: Office) -> None:
    office.settle()
    foreign = office.server().person_creates(
        {"件名": "よその", "目印": "ticssync.zzzzzzzzzz.tics.T-01.0.0.g1.aaaaaa"}
    )
    lose(office)
    rebound(office)

    with office.open() as workspace, workspace.store.read() as tx:
        assert foreign.id not in {one.ref.id for one in bindings(tx)}


def test_a_task_whose_criterion_is_no_longer_there_is_bound_and_not_forgotten(office: Office) -> None:
    from tests.unit.app.office import pack

    office.settle()
    lose(office)
    (office.root / "tics.yaml").write_text(pack("tics", "T-01"), "utf-8")

    told = rebound(office).trackers["a"]

    assert (told["by_marker"], told["detached"]) == (1, 1)
    assert office.bound("T-02")["a"].state.value == "detached"
    assert quiet(office)


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_healthy_store_is_never_replaced(office: Office) -> None:
    office.settle()
    before = office.events()
    with pytest.raises(UsageError):
        rebound(office)
    assert office.events() == before


def test_an_empty_store_counts_as_none(office: Office) -> None:
    assert rebound(office).trackers["a"]["by_marker"] == 0
    office.settle()
    assert set(office.issues()) == {"T-01", "T-02"}


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.BUSY, RetryLaterError), (Fault.UNAUTHORIZED, CredentialsError)]
)
def test_a_tracker_that_cannot_be_read_leaves_nothing_half_done(
    office: Office, fault: Fault, error: type[TicssyncError]
) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    lose(office)
    for verb in ("list", "whoami"):
        office.server("b").fail_next(verb, fault, 9)
    with pytest.raises(error):
        rebound(office)
    assert not (office.root / "ticssync.db").exists()


def test_a_damaged_file_is_not_touched(office: Office) -> None:
    office.settle()
    lose(office)
    (office.root / "ticssync.db").write_bytes(b"x" * 5000)
    with pytest.raises(CorruptStoreError) as raised:
        rebound(office)
    assert "move" in str(raised.value.fix)
    assert (office.root / "ticssync.db").read_bytes() == b"x" * 5000


# ── reminders ─────────────────────────────────────────────────────────────────────────────────────────


def test_reminders_up_to_now_count_as_sent(office: Office) -> None:
    from ticssync.app.remind import remind

    office.settle()
    office.clock.advance(86_400 * 30)
    lose(office)
    counted = rebound(office).reminders

    with office.open() as workspace:
        with workspace.store.read() as tx:
            assert len(notices(tx)) == counted > 0
        assert remind(workspace).plain["sent"] == []


# ── dying on the way ──────────────────────────────────────────────────────────────────────────────────


def deaths(office: Office, monkeypatch: pytest.MonkeyPatch, at: int) -> Points:
    """Commits of the new store; the process dies at number `at`."""
    points = Points(at)
    for name in ("create", "open"):
        made: Callable[..., Store] = getattr(Store, name)

        def watched(*words: Any, made: Callable[..., Store] = made, name: str = name, **more: Any) -> Store:
            if words[0] == MEMORY:
                return made(*words, **more)
            points(f"before {name}")
            store = made(*words, **more)
            store.watch = points
            points(f"after {name}")
            return store

        monkeypatch.setattr(Store, name, watched)
    return points


def test_death_at_any_commit_of_it_and_a_rerun_come_to_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = adopted(office)
    office.settle()
    office.person("T-02", 件名="別の名")
    expected: tuple[Any, ...] = ()
    at = survived = 0
    while not survived:
        lose(office)
        with monkeypatch.context() as patch:
            points = deaths(office, patch, at)
            try:
                rebound(office)
                survived = at
            except Death:
                pass
        at += 1 if EVERY_POINT else 3
        with suppress(UsageError):
            rebound(office)
        with office.open() as workspace, workspace.store.read() as tx:
            stands = (
                [(one.ref.id, str(one.key), one.state.value, one.generation) for one in bindings(tx)],
                [(one.field, dict(one.values)) for one in office.conflicts()],
            )
        expected = expected or stands
        assert stands == expected, points.names
        assert quiet(office), points.names
    assert survived > 4
    assert number in {one[0] for one in expected[0]}
