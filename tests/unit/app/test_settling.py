"""What people settle (conflicts, dropped and frozen tasks, names), also while a pass is under way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.app.office import Office, outgoing, pack
from ticssync.app import settle
from ticssync.app.why import why
from ticssync.cli.screen import Screen
from ticssync.cli.why import show
from ticssync.errors import UsageError
from ticssync.model.binding import Base
from ticssync.model.key import TaskKey
from ticssync.store.bindings import bases, bindings, put_base
from ticssync.testing.wire import Listing
from ticssync.text import Text


def both(office: Office) -> Office:
    """`a` is main, `b` its mirror; both hold the tasks."""
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    return office


def words(office: Office) -> dict[str, object]:
    return {name: office.issues(name)["T-01"].fields["状態"] for name in office.trackers}


def disagree(office: Office) -> None:
    """Two people set the status within one pass, the mirror's person last."""
    office.person("T-01", "a", 状態="完了")
    office.person("T-01", "b", 状態="対応中")
    office.settle()


def once_listed(office: Office, act: Callable[[], None], tracker: str = "a") -> None:
    """Let somebody act while the next pass is looking."""

    def watch(point: str) -> None:
        if point == "after list":
            office.server(tracker).watch = lambda _point: None
            act()

    office.server(tracker).watch = watch


def test_taking_local_in_a_conflict_keeps_what_somebody_has_set_since(office: Office) -> None:
    both(office)
    disagree(office)
    office.clock.advance(86_400)
    office.person("T-01", "a", 状態="確認待ち")
    office.settle()
    with office.open() as workspace:
        answer = settle.resolve(workspace, office.conflicts()[0].id, "local")
    office.settle()

    assert answer["taken"] == "review"
    assert words(office) == {"a": "確認待ち", "b": "確認待ち"}


def test_taking_the_other_side_in_a_conflict_writes_it_everywhere(office: Office) -> None:
    both(office)
    disagree(office)
    before = words(office)
    with office.open() as workspace:
        settle.resolve(workspace, office.conflicts()[0].id, "remote")
    office.settle()

    assert (before, words(office)) == ({"a": "対応中", "b": "対応中"}, {"a": "完了", "b": "完了"})


def test_why_shows_the_conflict_with_all_values_who_set_the_one_in_force_and_the_history_in_words(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    both(office)
    disagree(office)
    with office.open() as workspace:
        found = why(workspace, "T-01")
    show(found, Screen(Text("ja")))
    said = capsys.readouterr().out

    assert found["open_conflicts"][0]["values"] == {"a": "done", "b": "doing"}
    assert found["origins"]["status"]["side"] == "b"
    assert "競合 C-0001" in said
    assert "は b で" in said
    assert "複数の側での変更（競合）" in said
    assert "conflict.opened" not in said


def test_an_open_conflict_is_reported_by_every_later_sync_until_somebody_settles_it(office: Office) -> None:
    both(office)
    disagree(office)
    (one,) = office.conflicts()
    later = [office.sync() for _ in range(2)]
    with office.open() as workspace:
        settle.resolve(workspace, one.id, "local")
    settled = office.sync()

    for result in later:
        assert result.exit_code == 1
        assert {
            name: [line["id"] for line in report.conflicts] for name, report in result.reports.items()
        } == {
            "a": [one.id],
            "b": [one.id],
        }
    assert (settled.exit_code, [report.conflicts for report in settled.reports.values()]) == (0, [[], []])


def test_a_conflict_that_is_settled_while_a_pass_is_looking_stays_settled(office: Office) -> None:
    both(office)
    disagree(office)
    (one,) = office.conflicts()

    def settle_it() -> None:
        with office.open() as workspace:
            settle.resolve(workspace, one.id, "remote")

    office.person("T-02", "a", 状態="対応中")
    once_listed(office, settle_it)
    office.sync()
    office.settle()

    assert office.conflicts() == ()
    assert words(office) == {"a": "完了", "b": "完了"}


def without_a_base(office: Office) -> None:
    """Nobody knows any more what was agreed on the status: a store out of an old backup."""
    with office.open() as workspace, workspace.store.write() as tx:
        for one in bindings(tx):
            known = bases(tx, one.ref.tracker)[one.ref]
            fields = {name: value for name, value in known.fields.items() if name != "status"}
            put_base(tx, one.ref, Base(fields, None), seen=fields, local={})


def test_what_was_never_agreed_and_is_settled_while_a_pass_is_looking_stays_settled(office: Office) -> None:
    both(office)
    for name in office.trackers:
        # A workbook: everything is read in every pass.
        office.server(name).behaviour.listing = Listing.FULL
    office.person("T-01", "b", 状態="対応中")
    without_a_base(office)
    office.clock.advance(60)
    office.sync()
    (one,) = office.conflicts()

    def settle_it() -> None:
        with office.open() as workspace:
            settle.resolve(workspace, one.id, "b")

    office.person("T-02", "a", 状態="対応中")
    once_listed(office, settle_it)
    office.sync()
    office.settle()

    assert office.conflicts() == ()
    assert words(office) == {"a": "対応中", "b": "対応中"}


def test_a_task_that_is_dropped_while_a_pass_is_looking_stays_dropped(office: Office) -> None:
    office.settle()

    def drop_it() -> None:
        with office.open() as workspace:
            settle.drop(workspace, "T-01")

    office.person("T-01", 状態="完了")
    once_listed(office, drop_it)
    office.sync()
    office.person("T-01", 件名="自分の題名")
    result = office.settle()

    assert office.bound("T-01")["a"].state.value == "detached"
    assert office.issues()["T-01"].fields["件名"] == "自分の題名"
    assert outgoing(result) == []


def test_a_frozen_field_is_told_with_exit_1_until_somebody_lets_it_go_on(office: Office) -> None:
    office.settle()
    title = office.issues()["T-01"].fields["件名"]
    for number in range(5):
        office.clock.advance(60)
        office.person("T-01", 件名=f"自動処理{number}")
        result = office.sync()
    frozen = (result.exit_code, office.sync().exit_code, [one.field for one in office.refusals()])
    told = office.criterion("T-01")["tasks"][0]["problems"]
    with office.open() as workspace:
        answer = settle.unfreeze(workspace, "T-01")
    settled = office.refusals()
    office.clock.advance(3_600)
    office.settle()

    assert frozen == (1, 1, ["title"])
    assert len(told) == 1 and "ticssync task unfreeze tics/T-01" in told[0]
    assert (answer["fields"], settled) == (["title"], ())
    assert office.issues()["T-01"].fields["件名"] == title
    assert office.sync().exit_code == 0
    assert office.keeps_the_law_of_replay()


def test_a_tracker_cannot_take_the_name_of_one_that_has_tasks(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    before = office.bound("T-01")

    for old, new in (("a", "b"), ("b", "a"), ("a", "a")):
        with office.open(trackers_may_differ=True) as workspace, pytest.raises(UsageError):
            settle.rename_tracker(workspace, old, new)
    office.configure(trackers=("b",), route=("b",))
    with office.open(trackers_may_differ=True) as workspace, pytest.raises(UsageError) as refused:
        settle.rename_tracker(workspace, "a", "b")

    assert "bound to the tracker b already" in str(refused.value)
    assert (office.bound("T-01"), office.events("tracker.renamed")) == (before, [])


def test_a_renamed_tracker_keeps_its_tasks_and_a_sync_writes_nothing(office: Office) -> None:
    office.settle()
    office.plugins["factory"] = office.plugins["a"]
    office.configure(trackers=("factory",), route=("factory",))
    with office.open(trackers_may_differ=True) as workspace:
        settle.rename_tracker(workspace, "a", "factory")
    result = office.sync()

    assert (list(office.bound("T-01")), outgoing(result)) == (["factory"], [])
    assert office.keeps_the_law_of_replay()


def test_a_conflict_that_was_open_when_its_tracker_got_another_name_is_settled_by_the_new_one(
    office: Office,
) -> None:
    both(office)
    disagree(office)
    office.plugins["factory"] = office.plugins["a"]
    office.configure(trackers=("factory", "b"), route=("factory", "b"))
    with office.open(trackers_may_differ=True) as workspace:
        settle.rename_tracker(workspace, "a", "factory")
    (conflict,) = office.conflicts()
    with office.open() as workspace:
        settle.resolve(workspace, conflict.id, "factory")
    office.settle()

    assert dict(conflict.values) == {"factory": "done", "b": "doing"}
    assert (
        office.issues("factory")["T-01"].fields["状態"] == office.issues("b")["T-01"].fields["状態"] == "完了"
    )
    assert office.keeps_the_law_of_replay()


def two_schemes(office: Office) -> Office:
    (office.root / "own.yaml").write_text(pack("own", "T-01", "X-01"), "utf-8")
    office.configure(catalogs=("tics", "own"))
    office.settle()
    return office


def test_an_id_that_two_schemes_have_needs_its_scheme(office: Office) -> None:
    two_schemes(office)

    with office.open() as workspace, workspace.store.read() as tx:
        for find in (settle.find_criterion, settle.find_task):
            with pytest.raises(UsageError) as refused:
                find(tx, "T-01")
            assert "/T-01" in str(refused.value.fix)
        assert settle.find_criterion(tx, "own/T-01") == "own/T-01"
        assert settle.find_task(tx, "own/T-01") == TaskKey("own", "T-01")
        assert settle.find_criterion(tx, "X-01") == "own/X-01"
        assert settle.find_task(tx, "X-01") == TaskKey("own", "X-01")
