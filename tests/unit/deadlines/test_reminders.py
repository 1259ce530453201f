"""Who is told what today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.unit.deadlines.sample import (
    ADMIN,
    APPLY,
    MORI,
    REPORT_1,
    REPORT_2,
    SATO,
    SUBMITTED,
    TANAKA,
    WORKSPACE,
    morning,
    of_main,
    recipients,
)

from ticssync.deadlines.duties import Due
from ticssync.deadlines.reminders import (
    CLAIM_TIMEOUT,
    Recipients,
    RemindPlan,
    claim_rows,
    due_notices,
    plan_reminders,
)
from ticssync.model.certificate import DutyRecord
from ticssync.model.notice import NoticeRow
from ticssync.model.person import Person

DAY_90 = date(2026, 12, 31)  # the working day before 90 days before the report
EARLY = date(2026, 11, 24)


def plan(
    day: date,
    ledger: tuple[NoticeRow, ...] = (),
    people: Recipients | None = None,
    done: dict[str, DutyRecord] | None = None,
    others: tuple[Due, ...] = (),
) -> RemindPlan:
    found = of_main(day, done, others)
    return plan_reminders(
        found,
        day,
        people or recipients(),
        ledger,
        now=morning(day),
        workspace=WORKSPACE,
        domain="example.co.jp",
    )


def sent(made: RemindPlan, day: date) -> tuple[NoticeRow, ...]:
    rows = (row for what in made.digests for row in claim_rows(what, morning(day)))
    return tuple(replace(row, sent_at=morning(day)) for row in rows)


def claimed(made: RemindPlan, day: date) -> tuple[NoticeRow, ...]:
    return tuple(row for what in made.digests for row in claim_rows(what, morning(day)))


def told(made: RemindPlan) -> list[tuple[str, str, list[str], list[str]]]:
    return [
        (
            what.person.id,
            notice.duty.id,
            [step.name for step in notice.steps],
            [step.name for step in notice.missed],
        )
        for what in made.digests
        for notice in what.notices
    ]


def test_nothing_is_due_and_nobody_is_written_to() -> None:
    assert plan(EARLY) == RemindPlan(())


def test_the_manager_is_told_on_the_day_of_a_step() -> None:
    assert told(plan(DAY_90)) == [("sato", REPORT_2, ["d90"], [])]


def test_what_was_sent_is_not_sent_again() -> None:
    ledger = sent(plan(DAY_90), DAY_90)

    assert plan(DAY_90 + timedelta(days=1), ledger).digests == ()


def test_steps_missed_while_nothing_ran_are_one_digest_that_says_so() -> None:
    day = date(2027, 3, 20)

    assert told(plan(day)) == [("sato", REPORT_2, ["d90", "d60", "d30", "d14"], ["d90", "d60", "d30", "d14"])]


def test_one_person_gets_one_digest_for_everything_of_the_day() -> None:
    task = Due("task_due", "tics/T-14", "T-14 教育", date(2027, 1, 7), "sato", "tics/T-14")

    (what,) = plan(DAY_90, others=(task,)).digests

    assert {notice.duty.kind for notice in what.notices} == {"periodic_report", "task_due"}


def test_who_had_todays_digest_gets_the_next_thing_tomorrow() -> None:
    ledger = sent(plan(DAY_90), DAY_90)
    task = Due("task_due", "tics/T-14", "T-14 教育", date(2027, 1, 7), "sato", "tics/T-14")

    later = plan(DAY_90, ledger, others=(task,))
    tomorrow = plan(DAY_90 + timedelta(days=1), ledger, others=(task,))

    assert later.digests == ()
    assert [(one.duty.kind, one.person) for one in later.passed] == [("task_due", SATO)]
    assert told(tomorrow) == [("sato", "tics/T-14/task_due/2027-01-07", ["d7"], ["d7"])]


def test_a_duty_a_week_overdue_climbs_to_the_executive_and_stays_with_the_manager() -> None:
    day = date(2027, 4, 15)

    found = told(plan(day, done={REPORT_1: SUBMITTED, APPLY: SUBMITTED}))

    assert [(person, steps[-1]) for person, duty, steps, _missed in found if duty == REPORT_2] == [
        ("mori", "o14"),
        ("sato", "o14"),
    ]


def test_a_president_who_is_manager_too_is_told_once() -> None:
    people = recipients(manager=[MORI])

    found = told(plan(date(2027, 4, 15), people=people))

    assert [person for person, duty, _steps, _missed in found if duty == REPORT_2] == ["mori"]


def test_the_one_whose_task_it_is_is_told_and_then_the_manager_as_well() -> None:
    task = Due("task_due", "tics/T-14", "T-14 教育", date(2026, 11, 10), "tanaka", "tics/T-14")

    assert [person for person, _duty, _steps, _missed in told(plan(EARLY, others=(task,)))] == [
        "sato",
        "tanaka",
    ]


def test_where_nobody_holds_the_role_the_next_one_is_asked() -> None:
    nobody = Person("nobody", "新任", "")

    assert told(plan(DAY_90, people=recipients(manager=[nobody])))[0][0] == "mori"
    assert told(plan(DAY_90, people=recipients(manager=[], executive=[])))[0][0] == ADMIN.id


def test_a_duty_that_nobody_can_be_told_of_is_shown() -> None:
    made = plan(DAY_90, people=recipients(manager=[], executive=[], admin=[]))

    assert made.digests == ()
    assert [one.duty.id for one in made.passed] == [REPORT_2]
    assert "manager" in made.passed[0].why


def test_a_successor_is_not_told_again_of_what_the_predecessor_was_told() -> None:
    ledger = sent(plan(DAY_90), DAY_90)
    successor = recipients(manager=[TANAKA])

    assert plan(date(2027, 1, 4), ledger, successor).digests == ()
    assert told(plan(date(2027, 1, 29), ledger, successor)) == [("tanaka", REPORT_2, ["d60"], [])]


def test_a_fresh_claim_is_left_alone_and_a_stale_one_goes_out_again_with_its_message_id() -> None:
    made = plan(DAY_90)
    ledger = claimed(made, DAY_90)
    fresh = plan_reminders(
        of_main(DAY_90),
        DAY_90,
        recipients(),
        ledger,
        now=morning(DAY_90) + CLAIM_TIMEOUT / 2,
        workspace=WORKSPACE,
        domain="d",
    )
    stale = plan_reminders(
        of_main(DAY_90),
        DAY_90,
        recipients(),
        ledger,
        now=morning(DAY_90) + CLAIM_TIMEOUT,
        workspace=WORKSPACE,
        domain="d",
    )

    assert fresh.digests == ()
    (again,) = stale.digests
    assert again.message_id == made.digests[0].message_id
    assert [row.tries for row in claim_rows(again, morning(DAY_90))] == [2]


def test_new_steps_never_go_under_an_old_message_id() -> None:
    made = plan(DAY_90)
    day = date(2027, 1, 29)

    again, new = plan(day, claimed(made, DAY_90)).digests

    assert (again.message_id, [step.name for step in again.notices[0].steps]) == (
        made.digests[0].message_id,
        ["d90"],
    )
    assert new.message_id != again.message_id
    assert [step.name for step in new.notices[0].steps] == ["d60"]


def test_a_claim_for_a_duty_that_was_settled_is_not_taken_up() -> None:
    ledger = claimed(plan(DAY_90), DAY_90)

    assert plan(date(2027, 1, 4), ledger, done={REPORT_1: SUBMITTED, REPORT_2: SUBMITTED}).digests == ()


def test_a_claim_for_somebody_who_left_goes_to_the_successor() -> None:
    ledger = claimed(plan(DAY_90), DAY_90)

    assert told(plan(date(2027, 1, 4), ledger, recipients(manager=[TANAKA]))) == [
        ("tanaka", REPORT_2, ["d90"], ["d90"])
    ]


def test_the_message_id_depends_on_workspace_person_day_and_steps_alone() -> None:
    one, other = plan(DAY_90).digests[0], plan(DAY_90).digests[0]
    elsewhere = plan_reminders(
        of_main(DAY_90),
        DAY_90,
        recipients(),
        (),
        now=morning(DAY_90),
        workspace="other00000",
        domain="example.co.jp",
    )

    assert one.message_id == other.message_id
    assert one.message_id != elsewhere.digests[0].message_id
    assert one.message_id.startswith("<ticssync.20261231.")
    assert one.message_id.endswith("@example.co.jp>")


def test_due_notices_alone_answer_who_what_and_which_steps() -> None:
    (notice,) = due_notices(of_main(DAY_90), DAY_90, recipients(), ())

    assert (notice.person, notice.role, notice.duty.id) == (SATO, "manager", REPORT_2)
