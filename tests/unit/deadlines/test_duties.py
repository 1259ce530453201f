"""From a certificate to duties and their reminders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.deadlines.sample import APPLY, CALENDAR, MAIN, RENEWAL, REPORT_1, REPORT_2, SUBMITTED, of_main

from ticssync.deadlines.calendar import CompanyCalendar, add_months
from ticssync.deadlines.duties import Due, DutyRules, deadlines_json, duties
from ticssync.model.certificate import Basis, Certificate, Duty, DutyRecord, DutyState
from ticssync.text import Text

TODAY = date(2026, 11, 24)
ISSUED = st.dates(date(2019, 1, 1), date(2035, 12, 31))


def by_id(found: tuple[Duty, ...]) -> dict[str, Duty]:
    return {duty.id: duty for duty in found}


def steps(duty: Duty) -> dict[str, date]:
    return {step.name: step.on for step in duty.steps}


def test_a_certificate_of_three_years_asks_for_two_reports_an_application_and_a_renewal() -> None:
    found = of_main(TODAY, {})

    assert [(duty.id, duty.basis) for duty in found] == [
        (REPORT_1, Basis.DEFAULT),
        (REPORT_2, Basis.DEFAULT),
        (APPLY, Basis.DEFAULT),
        (RENEWAL, Basis.PRINTED),
    ]


def test_rules_that_the_body_confirmed_are_no_longer_defaults() -> None:
    found = duties([replace(MAIN, rules_confirmed=True)], TODAY, CALENDAR, {})

    assert {duty.basis for duty in found} == {Basis.CONFIRMED, Basis.PRINTED}


def test_the_report_is_announced_on_the_working_day_before_each_lead() -> None:
    report = by_id(of_main(TODAY))[REPORT_2]

    assert steps(report) == {
        "d90": date(2026, 12, 31),  # 1 January is a holiday
        "d60": date(2027, 1, 29),  # a Sunday
        "d30": date(2027, 3, 2),
        "d14": date(2027, 3, 18),
        "d7": date(2027, 3, 25),
    }
    assert report.due_on == date(2027, 4, 1)


def test_the_application_is_announced_by_months_before_expiry_and_then_weekly() -> None:
    apply = by_id(of_main(TODAY))[APPLY]

    assert steps(apply) == {
        "m12": date(2027, 3, 31),
        "m9": date(2027, 6, 30),
        "m8": date(2027, 7, 30),  # 31 July is a Saturday
        "m7": date(2027, 8, 31),
        "w1": date(2027, 9, 7),
        "w2": date(2027, 9, 14),
        "w3": date(2027, 9, 21),
        "w4": date(2027, 9, 28),
    }


def test_an_application_that_the_body_wants_earlier_is_announced_before_it_is_due() -> None:
    found = duties([MAIN], TODAY, CALENDAR, {}, DutyRules(renewal_apply_months=9))

    apply = by_id(found)["main/renewal_apply/2027-06-30"]
    assert list(steps(apply)) == ["m12", *(f"w{week}" for week in range(1, 13))]
    assert max(steps(apply).values()) < apply.due_on


def test_the_legal_date_stays_and_the_target_moves_to_the_working_day_before() -> None:
    certificate = replace(MAIN, expires_on=date(2028, 4, 1))  # a Saturday

    renewal = by_id(duties([certificate], TODAY, CALENDAR, {}))["main/renewal/2028-04-01"]

    assert (renewal.due_on, renewal.target_on) == (date(2028, 4, 1), date(2028, 3, 31))


def test_overdue_is_said_each_working_day_for_a_week_and_then_weekly_to_the_next_role() -> None:
    report = by_id(of_main(date(2027, 4, 20)))[REPORT_2]

    late = [(step.name, step.on, step.climbs) for step in report.steps if step.name.startswith("o")]
    assert late == [
        ("o1", date(2027, 4, 2), False),
        ("o2", date(2027, 4, 5), False),
        ("o3", date(2027, 4, 5), False),
        ("o4", date(2027, 4, 5), False),
        ("o5", date(2027, 4, 6), False),
        ("o6", date(2027, 4, 7), False),
        ("o7", date(2027, 4, 8), False),
        ("o14", date(2027, 4, 15), True),
        ("o21", date(2027, 4, 22), True),
    ]


def test_submitted_ends_the_nagging_and_accepted_is_shown() -> None:
    accepted = DutyRecord(DutyState.ACCEPTED, date(2027, 3, 30))

    report = by_id(of_main(TODAY, {REPORT_1: SUBMITTED, REPORT_2: accepted}))

    assert (report[REPORT_1].state, report[REPORT_1].steps, report[REPORT_1].remind_on) == (
        DutyState.SUBMITTED,
        (),
        (),
    )
    assert (report[REPORT_2].state, report[REPORT_2].steps) == (DutyState.ACCEPTED, ())
    assert report[APPLY].steps


def test_a_duty_that_was_opened_again_is_announced_again() -> None:
    opened = DutyRecord(DutyState.OPEN, date(2027, 3, 30), note="別の会社の控えだった")

    assert by_id(of_main(TODAY, {REPORT_2: opened}))[REPORT_2].steps


def test_tasks_evidence_and_tokens_fall_due_like_everything_else() -> None:
    others = [
        Due("task_due", "tics/T-14.drill@2026", "T-14 訓練", date(2027, 1, 29), "tanaka", "tics/T-14"),
        Due("evidence_expiry", "e-0012", "入退室記録", date(2027, 2, 26), "", "tics/T-21"),
        Due("credential_expiry", "factory", "factory", date(2027, 3, 31)),
    ]

    found = by_id(of_main(TODAY, others=others))

    task = found["tics/T-14.drill@2026/task_due/2027-01-29"]
    assert (task.role, task.owner, task.title, steps(task)) == (
        "owner", "tanaka", "T-14 訓練", {"d7": date(2027, 1, 22), "d1": date(2027, 1, 28)},
    )  # fmt: skip
    assert found["e-0012/evidence_expiry/2027-02-26"].role == "owner"
    assert list(steps(found["factory/credential_expiry/2027-03-31"])) == ["d30", "d14", "d7", "d1"]
    assert found["factory/credential_expiry/2027-03-31"].role == "admin"


def test_the_json_says_how_many_days_are_left_and_where_the_date_comes_from() -> None:
    document = deadlines_json(of_main(TODAY), TODAY, Text("en"))

    assert document["as_of"] == "2026-11-24"
    assert document["items"][1] == {
        "id": REPORT_2,
        "kind": "periodic_report",
        "certificate": "main",
        "criterion": "",
        "state": "open",
        "title": "Periodic report (本社工場)",
        "due_on": "2027-04-01",
        "target_on": "2027-04-01",
        "remind_on": ["2026-12-31", "2027-01-29", "2027-03-02", "2027-03-18", "2027-03-25"],
        "days_left": 128,
        "basis": "default",
        "owner": "",
        "role": "manager",
    }


@settings(deadline=None)
@given(issued=ISSUED, months=st.integers(1, 72), late=st.integers(-400, 400))
def test_no_reminder_is_after_its_date_but_the_overdue_ones_and_none_is_on_a_free_day(
    issued: date, months: int, late: int
) -> None:
    expires = add_months(issued, months) - timedelta(days=1)
    calendar = CompanyCalendar()
    certificate = Certificate("main", "tics", "JQA", "1", "", issued, expires)

    for duty in duties([certificate], expires + timedelta(days=late), calendar, {}):
        names = [step.name for step in duty.steps]
        assert len(set(names)) == len(names)
        assert all(calendar.is_working_day(step.on) for step in duty.steps)
        assert all((step.on > duty.due_on) == step.name.startswith("o") for step in duty.steps)
        assert issued < duty.due_on <= expires or duty.kind == "renewal_apply"


@settings(deadline=None)
@given(issued=ISSUED, today=st.dates(date(2026, 1, 1), date(2032, 1, 1)), ahead=st.integers(0, 300))
def test_a_step_keeps_its_name_and_day_as_time_goes_by(issued: date, today: date, ahead: int) -> None:
    certificate = replace(MAIN, issued_on=issued, expires_on=add_months(issued, 36) - timedelta(days=1))

    now = duties([certificate], today, CALENDAR, {})
    later = duties([certificate], today + timedelta(days=ahead), CALENDAR, {})

    for before, after in zip(now, later, strict=True):
        assert set(before.steps) <= set(after.steps)
