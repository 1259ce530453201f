"""Duties in a calendar program."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from icalendar import Calendar, Component
from tests.unit.deadlines.sample import APPLY, MAIN, REPORT_2, SUBMITTED, WORKSPACE, of_main

from ticssync.deadlines.ics import calendar_file, sequence
from ticssync.model.certificate import Basis, DutyState
from ticssync.text import Text

TODAY = date(2026, 11, 24)
STAMP = datetime(2026, 11, 24, 0, tzinfo=timezone.utc)


EN = Text("en")


def file(duties: object = None) -> bytes:
    return calendar_file(
        duties or of_main(TODAY), workspace=WORKSPACE, company="株式会社小出精密", stamp=STAMP, text=EN
    )  # type: ignore[arg-type]


def events(content: bytes) -> dict[str, Component]:
    return {
        str(event["UID"]).partition("@")[0]: event
        for event in Calendar.from_ical(content.decode()).walk("VEVENT")
    }


def test_a_duty_is_an_all_day_event_on_its_legal_date() -> None:
    event = events(file())[REPORT_2]

    assert event.decoded("DTSTART") == date(2027, 4, 1)
    assert event.decoded("DTEND") == date(2027, 4, 2)
    assert event["SUMMARY"] == "【TICS】Periodic report (本社工場)"
    assert event["TRANSP"] == "TRANSPARENT"


def test_open_duties_ring_at_nine_in_the_morning_a_month_and_a_week_before() -> None:
    alarms = [alarm.decoded("TRIGGER") for alarm in events(file())[REPORT_2].walk("VALARM")]

    assert alarms == [timedelta(hours=9) - timedelta(days=30), timedelta(hours=9) - timedelta(days=7)]


def test_what_was_submitted_rings_no_more_and_says_so() -> None:
    event = events(file(of_main(TODAY, {REPORT_2: SUBMITTED})))[REPORT_2]

    assert list(event.walk("VALARM")) == []
    assert "(submitted)" in event["SUMMARY"]


def test_the_sequence_rises_with_every_change_and_the_uid_stays() -> None:
    duty = next(duty for duty in of_main(TODAY) if duty.id == APPLY)
    course = [
        duty,
        replace(duty, basis=Basis.CONFIRMED),
        replace(duty, state=DutyState.SUBMITTED),
        replace(duty, state=DutyState.ACCEPTED, basis=Basis.CONFIRMED),
    ]

    assert [sequence(step) for step in course] == [0, 1, 2, 5]
    assert len({next(iter(events(file([step])))) for step in course}) == 1


def test_the_same_duties_give_the_same_bytes_in_any_order() -> None:
    duties = of_main(TODAY)

    assert file(duties) == file(tuple(reversed(duties)))


@pytest.mark.parametrize(
    "scope", ["本社工場および第二工場（金型の設計・製造）" * 8, "髙﨑㈱ 🔒㊙ , ; \\ 改\n行"]
)
def test_lines_are_folded_within_75_bytes_without_breaking_a_character(scope: str) -> None:
    from tests.unit.deadlines.sample import CALENDAR

    from ticssync.deadlines.duties import duties

    content = file(duties([replace(MAIN, scope=scope)], TODAY, CALENDAR, {}))

    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode("utf-8") is not None for line in lines)
    assert scope in events(content)[REPORT_2]["SUMMARY"]
