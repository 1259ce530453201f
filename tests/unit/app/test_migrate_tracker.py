"""A tracker stands somewhere else: a sync into a stranger is stopped, and `migrate` moves the links."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.app.office import PLACES, Office, outgoing
from tests.unit.app.test_rebind import adopted, quiet
from ticssync.app.links import read_links
from ticssync.app.migrate_tracker import migrate
from ticssync.errors import SafetyStop, UsageError
from ticssync.store.bindings import bindings
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_plugin import FakePlugin
from ticssync.testing.fake_server import FakeServer


def elsewhere(office: Office) -> FakeServer:
    """ticssync.yaml leads to another server from here on; it is empty."""
    server = FakeServer(office.clock, Behaviour(fields=PLACES))
    text = (office.root / "ticssync.yaml").read_text("utf-8")
    old, new = office.plugins["a"].name, FakePlugin(server)
    (office.root / "ticssync.yaml").write_text(text.replace(f"server: {old}", f"server: {new.name}"), "utf-8")
    office.close()
    office.plugins["a"] = new
    return server


def imported(office: Office, *, before: int = 0, leave_out: int = 0, reverse: bool = False) -> FakeServer:
    """The issues were moved to a new server, where `before` issues of other people stand already."""
    issues = office.server().issues()
    issues = issues[: len(issues) - leave_out]
    server = elsewhere(office)
    for number in range(before):
        server.person_creates({"件名": f"よその課題 {number}", "状態": "対応中"})
    for one in reversed(issues) if reverse else issues:
        server.person_creates(dict(one.fields))
    return server


def moved(office: Office, **more: Any) -> dict[str, Any]:
    with office.open() as workspace:
        return migrate(workspace, "a", **more)


def stands(office: Office) -> dict[str, tuple[str, str]]:
    with office.open() as workspace, workspace.store.read() as tx:
        return {one.key.item: (one.ref.id, one.state.value) for one in bindings(tx, "a")}


# ── without migrate ───────────────────────────────────────────────────────────────────────────────────


def test_a_sync_into_another_server_under_the_same_name_writes_nothing_and_says_what_to_do(
    office: Office,
) -> None:
    """Its issues have the same ids, and are other people's."""
    office.settle()
    before = stands(office)
    server = imported(office, before=2, leave_out=2)
    there = server.issues()
    office.clock.advance(86_400 * 2)
    result = office.sync()

    report = result.reports["a"]
    assert (result.exit_code, report.state, outgoing(result)) == (5, "safety_stop", [])
    assert "migrate" in report.fix
    assert server.issues() == there
    assert stands(office) == before


def test_settings_that_changed_while_the_tasks_are_there_stop_nobody(office: Office) -> None:
    office.settle()
    imported(office)
    office.clock.advance(60)

    assert office.sync().exit_code == 0
    asked = office.server().request_count
    office.clock.advance(60)
    office.sync()
    assert office.server().request_count - asked <= 2


def test_a_tracker_in_which_nothing_is_bound_may_change_as_it_likes(office: Office) -> None:
    office.sync(read_only=True)
    elsewhere(office)
    office.settle()

    assert set(office.issues()) == {"T-01", "T-02"}


def test_an_issue_of_other_people_under_the_id_of_a_lost_one_is_not_taken_for_it(office: Office) -> None:
    office.settle()
    number = office.issues()["T-02"].id
    office.server().hide(number)
    office.clock.advance(86_400 * 2)
    office.settle()
    assert stands(office)["T-02"][1] == "lost"
    office.server().unhide(number)
    office.server().person_sets(number, {"件名": "よその課題", "目印": None})
    office.clock.advance(86_400 * 2)
    office.settle()

    assert stands(office)["T-02"][1] == "lost"
    assert office.server().issue(number).fields["件名"] == "よその課題"


# ── migrate ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reverse", [False, True])
def test_tasks_with_other_ids_are_found_by_their_markers(office: Office, reverse: bool) -> None:
    """Also where the new id of one is the old id of the other."""
    office.settle()
    before = stands(office)
    server = imported(office, before=0 if reverse else 5, reverse=reverse)

    told = moved(office)

    assert (told["by_marker"], told["by_title"], told["not_found"], len(told["moved"])) == (2, 0, [], 2)
    now = stands(office)
    assert {item: ident for item, (ident, _) in now.items()} == {
        str(one.fields["番号"]): one.id for one in server.issues() if one.fields["番号"]
    }
    assert {state for _, state in now.values()} == {"live"}
    assert now != before
    assert quiet(office)
    office.person("T-01", 状態="対応中")
    office.settle()
    assert office.bound("T-01")["a"].status == "doing"
    assert not office.conflicts()
    assert office.keeps_the_law_of_replay()


def test_a_dry_run_changes_nothing(office: Office) -> None:
    office.settle()
    imported(office, before=5)
    before = (stands(office), len(office.events()))

    told = moved(office, dry=True)

    assert (told["by_marker"], told["event"], len(told["moved"])) == (2, None, 2)
    assert (stands(office), len(office.events())) == before


def test_a_task_without_marker_is_found_by_id_and_title(office: Office) -> None:
    office.settle()
    office.person("T-02", 目印=None)
    imported(office)

    told = moved(office)

    assert (told["by_marker"], told["by_title"], told["moved"]) == (1, 1, [])


def test_links_yaml_gets_the_new_ids(office: Office) -> None:
    number = adopted(office)
    office.settle()
    imported(office, before=5)
    moved(office)

    (link,), _ = read_links(office.root / "links.yaml")
    assert link.id == stands(office)["T-01"][0] != number


def test_where_tasks_are_missing_nothing_is_moved_until_a_person_goes_on_without_them(office: Office) -> None:
    office.settle()
    imported(office, before=5, leave_out=1)
    before = stands(office)
    with pytest.raises(SafetyStop):
        moved(office)
    assert stands(office) == before

    told = moved(office, leave_missing=True)
    assert [one["task"] for one in told["not_found"]] == ["tics/T-02"]
    office.clock.advance(86_400 * 2)
    office.settle()

    assert stands(office)["T-01"][1] == "live"
    assert stands(office)["T-02"][1] == "lost"
    assert set(office.issues()) - {"None"} == {"T-01"}
    assert office.server().issue(before["T-02"][0]).fields["件名"].startswith("よその")


def test_a_server_that_has_none_of_them_is_never_moved_to(office: Office) -> None:
    office.settle()
    elsewhere(office)
    with pytest.raises(SafetyStop):
        moved(office, leave_missing=True)


def test_a_tracker_that_is_not_there_is_told(office: Office) -> None:
    office.settle()
    with office.open() as workspace, pytest.raises(UsageError):
        migrate(workspace, "b")
