"""Named people's acts on a criterion: what they are refused for, what they ask of the tracker, what undoes them."""

from __future__ import annotations

import pytest

from tests.unit.app.office import Office
from ticssync.errors import UsageError
from ticssync.store.hub import Wish, hub_tasks


def wishes(office: Office) -> dict[str, list[Wish]]:
    """Item → what its acts still ask of the tracker."""
    with office.open() as workspace, workspace.store.read() as tx:
        return {key.item: list(task.wishes.values()) for key, task in hub_tasks(tx).items() if task.wishes}


@pytest.mark.parametrize("place", [{"part": "nonsense"}, {"cycle": "1999"}])
def test_an_act_on_a_part_or_cycle_that_is_not_there_is_refused_and_decides_nothing(
    office: Office, place: dict[str, str]
) -> None:
    office.sync()
    office.reported("T-01")

    with pytest.raises(UsageError) as refused:
        office.act("confirm", "T-01", **place)

    assert [one.place for one in refused.value.problems] == ["--part, --cycle"]
    assert (office.state("T-01"), office.events("act.recorded")) == ("reported", [])


def test_withdrawing_where_there_is_nothing_to_take_back_is_refused(office: Office) -> None:
    office.sync()
    office.reported("T-01")
    office.act("confirm", "T-01")
    office.act("withdraw", "T-01")

    for item in ("T-01", "T-02"):
        with pytest.raises(UsageError) as refused:
            office.act("withdraw", item)
        assert "no act on" in str(refused.value.problems[0].message)
    assert len(office.events("act.recorded")) == 2


def test_taking_a_confirmation_back_leaves_the_task_as_the_member_reported_it(office: Office) -> None:
    office.sync()
    office.reported("T-01")
    office.act("confirm", "T-01")
    office.act("withdraw", "T-01")
    asked = wishes(office)
    office.settle()

    assert (asked, office.state("T-01")) == ({}, "reported")
    assert office.issues()["T-01"].fields["状態"] == "完了"


def test_taking_an_exclusion_back_opens_the_task_again(office: Office) -> None:
    office.sync()
    office.act("exclude", "T-01", reason="来年まで対象の設備がない")
    office.settle()
    excluded = office.issues()["T-01"].fields["状態"]
    office.act("withdraw", "T-01")
    asked = [one.value for one in wishes(office)["T-01"]]
    office.settle()

    assert (excluded, asked) == ("対象外", ["todo"])
    assert (office.issues()["T-01"].fields["状態"], office.state("T-01")) == ("未着手", "not_started")


def test_a_returned_criterion_stays_returned_where_the_tracker_silently_refuses_to_reopen_the_task(
    office: Office,
) -> None:
    office.sync()
    office.reported("T-01")
    office.server().behaviour.refuses.add("状態")
    office.act("return", "T-01", reason="名簿を足してください")
    for _ in range(2):
        office.sync()

    assert office.issues()["T-01"].fields["状態"] == "完了"
    assert office.state("T-01") == "returned"
    assert [one.field for one in office.refusals()] == ["status"]


def test_a_change_in_the_log_that_is_none_reports_nothing_anew(office: Office) -> None:
    """Stores of earlier versions hold changes from done to done: a write that the tracker passed over."""
    office.sync()
    office.reported("T-01")
    office.act("return", "T-01", reason="名簿を足してください")
    one = office.bound("T-01")["a"]
    change = {"tracker": "a", "remote_id": one.ref.id, "fields": {"status": {"from": "done", "to": "done"}}}
    with office.open() as workspace, workspace.store.write() as tx:
        tx.append("task.changed", str(one.key), workspace.by("sync"), change)

    assert office.state("T-01") == "returned"


def test_a_returned_criterion_is_reported_again_when_the_member_closes_the_reopened_task(
    office: Office,
) -> None:
    office.sync()
    office.reported("T-01")
    office.act("return", "T-01", reason="名簿を足してください")
    office.settle()
    reopened = (office.issues()["T-01"].fields["状態"], office.state("T-01"))
    office.person("T-01", 状態="完了")
    office.settle()

    assert (reopened, office.state("T-01")) == (("対応中", "returned"), "reported")
    assert [one.text.split("\n")[0] for one in office.issues()["T-01"].comments] == [
        "佐藤 花子 2026-04-01: 名簿を足してください"
    ]


def test_a_reopened_mirror_does_not_undo_a_confirmation_but_the_reopened_main_task_does(
    office: Office,
) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    office.reported("T-01")
    office.act("confirm", "T-01")
    office.settle()
    # The main tracker is not there: what the mirror says reaches nobody but the mirror.
    office.server("a").behaviour.down = True
    office.person("T-01", "b", 状態="対応中")
    office.sync()
    by_mirror = office.state("T-01")
    office.server("a").behaviour.down = False
    office.settle()

    assert (by_mirror, office.issues("a")["T-01"].fields["状態"]) == ("confirmed", "対応中")
    assert office.state("T-01") == "unknown"
