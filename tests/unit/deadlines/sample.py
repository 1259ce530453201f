"""A certificate, people and a calendar that the tests here share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone

from ticssync.deadlines.calendar import CompanyCalendar
from ticssync.deadlines.duties import Due, duties
from ticssync.deadlines.reminders import Recipients
from ticssync.model.certificate import Certificate, Duty, DutyRecord, DutyState
from ticssync.model.person import Person

WORKSPACE = "k7m2q9wx4d"
TOKYO = timezone(timedelta(hours=9))
CALENDAR = CompanyCalendar()
MAIN = Certificate("main", "tics", "JQA", "TICS-0001", "本社工場", date(2025, 4, 1), date(2028, 3, 31))
REPORT_1, REPORT_2 = "main/periodic_report/2026-04-01", "main/periodic_report/2027-04-01"
APPLY, RENEWAL = "main/renewal_apply/2027-09-30", "main/renewal/2028-03-31"
SUBMITTED = DutyRecord(DutyState.SUBMITTED, date(2026, 3, 20), "控え.pdf")

SATO = Person("sato", "佐藤 花子", "sato@example.co.jp")
MORI = Person("mori", "森 健", "mori@example.co.jp")
TANAKA = Person("tanaka", "髙﨑 太郎", "takasaki@example.co.jp")
ADMIN = Person("it", "情シス", "it@example.co.jp")
ROLES = {"manager": [SATO], "executive": [MORI], "owner": [TANAKA], "admin": [ADMIN]}


def recipients(**roles: Sequence[Person]) -> Recipients:
    """Who holds which role; the people of the sample where nothing is said."""
    known = {**ROLES, **roles}
    people = {person.id: person for holders in known.values() for person in holders}
    return Recipients(lambda role, _criterion, _day: tuple(known.get(role, ())), people)


def of_main(
    today: date, done: Mapping[str, DutyRecord] | None = None, others: Sequence[Due] = ()
) -> tuple[Duty, ...]:
    """The sample certificate's duties; the first report counts as submitted where nothing is said."""
    return duties([MAIN], today, CALENDAR, {REPORT_1: SUBMITTED} if done is None else done, others=others)


def morning(day: date) -> datetime:
    """Eight o'clock in Tokyo, as UTC."""
    return datetime(day.year, day.month, day.day, 8, tzinfo=TOKYO).astimezone(timezone.utc)
