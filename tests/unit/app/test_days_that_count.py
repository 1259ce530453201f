"""Which day a state speaks of, and who is reminded: the last look at the trackers that hold the tasks."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.unit.app.office import Office
from ticssync.app import settle
from ticssync.app.bundle import snapshot
from ticssync.app.deadlines import current_duties
from ticssync.errors import UsageError
from ticssync.testing.clock import Clock

DAY = 86_400


def due(office: Office, kind: str = "task_due") -> list[str]:
    """The duties of one kind, as today's reminders would see them."""
    with office.open() as workspace:
        return [one.id for one in current_duties(workspace) if one.kind == kind]


def test_nobody_is_reminded_of_confirmed_work_on_a_morning_before_the_first_look(office: Office) -> None:
    office.settle()
    before = due(office)
    office.reported("T-01")
    office.act("confirm", "T-01")
    today = due(office)
    office.clock.advance(DAY)

    assert len(before) == 2
    assert len(today) == 1 and "T-02" in today[0]
    assert due(office) == today


def test_nobody_is_reminded_of_confirmed_work_while_its_tracker_cannot_be_reached(office: Office) -> None:
    office.settle()
    office.reported("T-01")
    office.act("confirm", "T-01")
    office.server().behaviour.down = True
    office.clock.advance(3 * DAY)
    office.sync()

    assert [one for one in due(office) if "T-01" in one] == []
    assert office.state("T-01") == "confirmed"


def test_nobody_is_reminded_of_a_piece_of_evidence_that_was_replaced_in_time(office: Office) -> None:
    office.settle()
    soon = date(2026, 4, 20)
    office.proof("T-01", until=soon, note="2025年度の名簿")
    office.proof("T-02", until=soon, note="2025年度の台帳")
    before = due(office, "evidence_expiry")
    office.proof("T-01", note="2026年度の名簿")
    after = due(office, "evidence_expiry")
    office.clock.advance(30 * DAY)

    assert (len(before), len(after)) == (2, 1)
    assert due(office, "evidence_expiry") == after


def test_before_the_first_sync_the_day_is_the_companys_own(tmp_path: Path) -> None:
    """Late in the afternoon of the first of April in Greenwich it is the second in Japan."""
    clock = Clock(datetime(2026, 4, 1, 16, tzinfo=timezone.utc))

    with closing(Office(tmp_path / "管理", clock).found()) as office:
        assert office.status()["as_of"] == "2026-04-02"


def test_states_speak_of_the_last_look_at_the_trackers_that_hold_tasks_now(office: Office) -> None:
    """`b` was looked at once and never again: it holds nothing, and holds nothing up."""
    office.configure(trackers=("a", "b"), route=("a",))
    office.settle()
    office.configure(trackers=("a",))
    office.clock.advance(40 * DAY)
    office.settle()

    assert office.status()["as_of"] == "2026-05-11"
    assert {one["state"] for one in office.status()["criteria"]} == {"not_started"}


def test_a_tracker_that_the_route_has_left_holds_no_day_back(office: Office) -> None:
    office.settle()
    office.configure(trackers=("a", "b"), route=("b",))
    office.settle()
    office.server("a").behaviour.down = True
    office.clock.advance(5 * DAY)
    office.sync()

    assert office.status()["as_of"] == "2026-04-06"
    assert {one["state"] for one in office.status()["criteria"]} == {"not_started"}


def test_a_tracker_with_tasks_that_was_not_reached_holds_the_day_back(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a",))
    office.settle()
    office.server("a").behaviour.down = True
    office.clock.advance(5 * DAY)
    office.sync()

    assert office.status()["as_of"] == "2026-04-01"


def test_a_day_before_the_last_look_is_refused_by_status_and_bundle_alike(office: Office) -> None:
    office.settle()
    office.clock.advance(DAY)
    office.settle()
    looked_on = date(2026, 4, 2)

    with pytest.raises(UsageError) as by_status:
        office.status(looked_on - timedelta(days=1))
    with office.open() as workspace, pytest.raises(UsageError) as by_bundle:
        snapshot(workspace, "first", looked_on - timedelta(days=1), "社外秘")

    assert (by_status.value.exit_code, by_bundle.value.exit_code) == (2, 2)
    assert office.status(looked_on)["as_of"] == "2026-04-02"
    assert {one["state"] for one in office.status(looked_on + timedelta(days=9))["criteria"]} == {
        "fetch_failed"
    }


def test_a_given_up_tracker_can_be_dropped_also_where_it_never_held_a_task(office: Office) -> None:
    office.configure(trackers=("a", "b"), route=("a",))
    office.settle()
    office.configure(trackers=("a",))
    with office.open() as workspace:
        settle.drop_tracker(workspace, "b")

    assert list(office.status()["read_on"]) == ["a"]
