"""Trackers that come and go, routes that move, folders that are copied: states stay right, old places are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.app.office import Office, notices, outgoing
from ticssync.app import rebind, settle
from ticssync.errors import CorruptStoreError, UsageError
from ticssync.model.binding import BindingState


def roles(office: Office) -> dict[str, tuple[str, str]]:
    return {name: (one.role, one.state.value) for name, one in office.bound("T-01").items()}


def states(office: Office) -> dict[str, str]:
    return {one["id"]: one["state"] for one in office.status()["criteria"]}


def confirmed(office: Office) -> dict[str, str]:
    """T-01 is confirmed, T-02 is under way."""
    office.settle()
    office.reported("T-01")
    office.act("confirm", "T-01")
    office.person("T-02", 状態="対応中")
    office.settle()
    return states(office)


def test_when_a_tracker_is_given_up_for_another_the_states_are_as_they_were(office: Office) -> None:
    before = confirmed(office)
    office.clock.advance(86_400)
    office.configure(trackers=("b",), route=("b",))
    with pytest.raises(CorruptStoreError):
        office.sync()
    with office.open(trackers_may_differ=True) as workspace:
        settle.drop_tracker(workspace, "a")
    office.settle()

    assert before == states(office) == {"T-01": "confirmed", "T-02": "in_progress"}
    assert office.status()["as_of"] == "2026-04-02"
    assert [(one["tracker"], one["role"]) for one in office.criterion("T-01")["tasks"]] == [("b", "main")]
    assert office.keeps_the_law_of_replay()


def test_another_tracker_under_the_name_of_one_that_was_given_up_is_another(office: Office) -> None:
    """Its ids mean other tasks, which are people's own."""
    before = confirmed(office)
    with office.open() as workspace:
        settle.drop_tracker(workspace, "a")
    del office.plugins["a"]
    office.configure()
    own = [office.server().person_creates({"件名": f"自分の仕事{number}"}) for number in range(3)]
    office.settle()

    assert [office.server().issue(one.id).fields for one in own] == [one.fields for one in own]
    assert len(office.server().issues()) == 3 + 2
    assert states(office) == before
    assert office.sync().exit_code == 0


def test_a_tracker_that_was_given_up_and_is_used_again_has_its_tasks_back(office: Office) -> None:
    before = confirmed(office)
    with office.open() as workspace:
        settle.drop_tracker(workspace, "a")
    given_up = roles(office)
    office.clock.advance(90_000)
    office.settle()

    assert (given_up, roles(office)) == ({"a": ("old", "detached")}, {"a": ("main", "live")})
    assert (len(office.server().issues()), states(office)) == (2, before)
    assert office.keeps_the_law_of_replay()


def test_what_a_given_up_tracker_had_refused_troubles_nobody_any_more(office: Office) -> None:
    office.settle()
    office.server().behaviour.refuses.add("確認状況")
    office.reported("T-01")
    before = [one.field for one in office.refusals()]
    office.configure(trackers=("b",), route=("b",))
    with office.open(trackers_may_differ=True) as workspace:
        settle.drop_tracker(workspace, "a")
    result = office.settle()

    assert (before, office.refusals()) == (["confirmation"], ())
    assert (result.exit_code, office.keeps_the_law_of_replay()) == (0, True)


def test_when_a_route_moves_the_old_place_counts_no_more_and_ends_when_somebody_drops_it(
    office: Office,
) -> None:
    before = confirmed(office)
    office.configure(trackers=("a", "b"), route=("b",))
    moved = office.settle()
    places = roles(office)
    # In the old place somebody goes on by mistake: it changes nothing.
    office.person("T-01", "a", 状態="対応中", 件名="自分の題名")
    later = office.settle()
    after = states(office)
    with office.open() as workspace:
        for item in ("T-01", "T-02"):
            settle.drop(workspace, item, "a")
    office.person("T-01", "b", 件名="勝手な題名")
    ended = [office.sync(), office.settle()][-1]

    assert places == {"a": ("old", "live"), "b": ("main", "live")}
    assert before == after == states(office) == {"T-01": "confirmed", "T-02": "in_progress"}
    assert notices(moved) == notices(later) == {"a": ["old_place", "old_place"], "b": []}
    assert (notices(ended), roles(office)["a"]) == ({"a": [], "b": []}, ("old", "detached"))
    assert [office.issues(name)["T-01"].fields["件名"] for name in ("a", "b")] == ["自分の題名", "項目T-01"]
    assert office.keeps_the_law_of_replay()


def test_only_a_place_that_no_route_leads_to_can_be_dropped_by_itself(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()

    for tracker in ("a", "b", "c"):
        with office.open() as workspace, pytest.raises(UsageError):
            settle.drop(workspace, "T-01", tracker)

    assert roles(office) == {"a": ("main", "live"), "b": ("mirror", "live")}


def test_main_and_mirror_swapped_change_their_roles_and_nothing_else(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    before = confirmed(office)
    office.configure(route=("b", "a"))
    result = office.sync()
    places = roles(office)
    # From now on the other one is the task that counts.
    office.server("a").behaviour.down = True
    office.person("T-02", "b", 状態="完了")
    office.sync()

    assert (outgoing(result), places) == ([], {"a": ("mirror", "live"), "b": ("main", "live")})
    assert [(one.data["tracker"], one.data["from"], one.data["to"]) for one in office.events("task.role")][
        :2
    ] == [
        ("a", "main", "mirror"),
        ("b", "mirror", "main"),
    ]
    assert (before["T-02"], office.state("T-02"), office.state("T-01")) == (
        "in_progress", "reported_without_evidence", "confirmed",
    )  # fmt: skip
    assert office.keeps_the_law_of_replay()


def test_a_copied_workspace_gets_tasks_of_its_own_and_leaves_those_of_the_first_alone(
    office: Office, tmp_path: Path
) -> None:
    office.settle()
    office.reported("T-01")
    first = {one.id: dict(one.fields) for one in office.server().issues()}
    copy = office.copied_to(tmp_path / "写し")
    with pytest.raises(CorruptStoreError):
        copy.sync()
    with copy.open() as workspace:
        answer = rebind.copied(workspace, new_id="c0py000000")
    copy.settle()
    again = office.settle()

    issues = office.server().issues()
    assert {one.id: dict(one.fields) for one in issues if one.id in first} == first
    assert sorted(str(one.fields["番号"]) for one in issues if one.id not in first) == ["T-01", "T-02"]
    assert all("c0py000000" in str(one.fields["目印"]) for one in issues if one.id not in first)
    assert {one.fields["状態"] for one in issues if one.id not in first} == {"未着手"}
    assert (answer["workspace"], outgoing(again)) == ("c0py000000", [])
    assert [one.state for one in (*office.bound("T-01").values(), *copy.bound("T-01").values())] == [
        BindingState.LIVE
    ] * 2
    assert copy.keeps_the_law_of_replay()
