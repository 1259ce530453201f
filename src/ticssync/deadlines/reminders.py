"""Who is to be told what today.  Pure: duties, people and the ledger go in, digests come out.

A reminder is a row (duty, person, step).  A step that went out, or is on its way in a message of its own, is
never taken up again; steps that were missed while nothing ran go into the next digest, folded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from ticssync.deadlines.duties import next_role
from ticssync.errors import say
from ticssync.model.certificate import Duty, DutyState, ReminderStep
from ticssync.model.notice import NoticeRow
from ticssync.model.person import Person

CLAIM_TIMEOUT: Final = timedelta(minutes=15)
"""A claim without a send is left alone for this long (somebody may be sending), then taken up again."""

Holders = Callable[[str, str | None, date], Sequence[Person]]
"""(role, criterion or None, day) → who holds the role that day, deputies after the first."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Roles to people.  `people` resolves a duty's own owner, by person id."""

    holders: Holders
    people: Mapping[str, Person] = field(default_factory=dict)

    def reader(self, duty: Duty, role: str, day: date) -> Person | None:
        """The one person who is asked in that role: the owner, else the first holder with a mail address.

        Where nobody can be reached the next role is asked, the admin last: a reminder without a reader
        would be a reminder lost.
        """
        owner = self.people.get(duty.owner) if role == duty.role else None
        for asked in dict.fromkeys(filter(None, (role, next_role(role), "executive", "admin"))):
            candidates = [owner] if owner and asked == role else []
            candidates += self.holders(asked, duty.criterion or None, day)
            found = next((person for person in candidates if person.mail), None)
            if found:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Notice:
    """One duty for one person: the steps that fall due now.  `missed` are those of earlier days."""

    duty: Duty
    person: Person
    role: str
    steps: tuple[ReminderStep, ...]
    missed: tuple[ReminderStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """One message to one person.  `repeats` are the rows of a claim whose outcome nobody knows."""

    person: Person
    day: date
    notices: tuple[Notice, ...]
    message_id: str = ""
    repeats: tuple[NoticeRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A duty that nobody is told of now, and why."""

    duty: Duty
    why: str
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class RemindPlan:
    """What one pass does: digests to send, and what is passed over."""

    digests: tuple[Digest, ...]
    passed: tuple[Passed, ...] = ()


def due_notices(
    duties: Sequence[Duty], today: date, recipients: Recipients, ledger: Sequence[NoticeRow]
) -> tuple[Notice, ...]:
    """Which (duty, person, steps) are due and neither sent nor on their way, by duty."""
    spoken_for = _SpokenFor(ledger)
    found: dict[tuple[str, str], Notice] = {}
    for duty, role, step in _steps_until(duties, today):
        person = recipients.reader(duty, role, today)
        if person is None or spoken_for(duty, role, person, step):
            continue
        known = found.get((duty.id, person.id), Notice(duty, person, role, ()))
        if step not in known.steps:
            missed = (*known.missed, step) if step.on < today else known.missed
            found[duty.id, person.id] = Notice(duty, person, known.role, (*known.steps, step), missed)
    return tuple(found.values())


def plan_reminders(
    duties: Sequence[Duty],
    today: date,
    recipients: Recipients,
    ledger: Sequence[NoticeRow],
    *,
    now: datetime,
    workspace: str,
    domain: str,
) -> RemindPlan:
    """One digest per person and day, and the claims that are taken up again.  `now` is aware UTC.

    `domain` is the right side of the Message-ID.
    """
    repeats = _repeats(duties, today, recipients, ledger, now)
    had_today = {row.person for row in ledger if row.day == today}
    fresh, passed = [], [*_nobody(duties, today, recipients)]
    for person, notices in _by_person(due_notices(duties, today, recipients, ledger)):
        if person.id in had_today:
            passed += [
                Passed(
                    notice.duty, say("today's mail has gone out already; it goes into the next one"), person
                )
                for notice in notices
            ]
        else:
            fresh.append(
                Digest(person, today, notices, message_id(workspace, person, today, notices, domain))
            )
    return RemindPlan((*repeats, *fresh), tuple(passed))


def message_id(workspace: str, person: Person, day: date, notices: Iterable[Notice], domain: str) -> str:
    """The same workspace, person, day and steps give the same id, on every machine and at every try."""
    steps = sorted(f"{notice.duty.id}\t{step.name}" for notice in notices for step in notice.steps)
    seal = hashlib.sha256("\n".join([workspace, person.id, day.isoformat(), *steps]).encode()).hexdigest()
    return f"<ticssync.{day:%Y%m%d}.{seal[:24]}@{domain}>"


def claim_rows(digest: Digest, now: datetime) -> tuple[NoticeRow, ...]:
    """The ledger rows that claim this digest."""
    seen = {row.key: row for row in digest.repeats}
    rows = [
        NoticeRow(
            notice.duty.id,
            digest.person.id,
            step.name,
            step.on,
            digest.day,
            notice.role,
            digest.message_id,
            now,
        )
        for notice in digest.notices
        for step in notice.steps
    ]
    return tuple(_again(row, seen.get(row.key)) for row in rows)


def _again(row: NoticeRow, before: NoticeRow | None) -> NoticeRow:
    if before is None:
        return row
    return NoticeRow(
        *row.key,
        before.on,
        before.day,
        before.role,
        before.message_id,
        row.claimed_at,
        None,
        before.tries + 1,
    )


class _SpokenFor:
    """Whether a step is settled: it went out to the role or the person, or is on its way there."""

    def __init__(self, ledger: Sequence[NoticeRow]) -> None:
        self.by_person = {row.key for row in ledger}
        # A role that changed hands is not told again of what the one before was certainly told.
        self.by_role = {(row.duty, row.role, row.step) for row in ledger if row.sent_at is not None}

    def __call__(self, duty: Duty, role: str, person: Person, step: ReminderStep) -> bool:
        return (duty.id, person.id, step.name) in self.by_person or (duty.id, role, step.name) in self.by_role


def _steps_until(duties: Sequence[Duty], today: date) -> Iterable[tuple[Duty, str, ReminderStep]]:
    for duty in duties:
        if duty.state is not DutyState.OPEN:
            continue
        for step in duty.steps:
            if step.on > today:
                continue
            above = next_role(duty.role) if step.climbs else None
            for role in filter(None, (duty.role, above)):
                yield duty, role, step


def _nobody(duties: Sequence[Duty], today: date, recipients: Recipients) -> Iterable[Passed]:
    waiting = {duty.id: duty for duty, _role, _step in _steps_until(duties, today)}
    for duty in waiting.values():
        if recipients.reader(duty, duty.role, today) is None:
            yield Passed(
                duty,
                say(
                    "nobody with a mail address holds the role {role}, nor any role above it", role=duty.role
                ),
            )


def _by_person(notices: Sequence[Notice]) -> Iterable[tuple[Person, tuple[Notice, ...]]]:
    ordered = sorted(notices, key=lambda notice: notice.person.id)
    for _id, group in groupby(ordered, key=lambda notice: notice.person.id):
        of_one = tuple(group)
        yield of_one[0].person, of_one


def _repeats(
    duties: Sequence[Duty], today: date, recipients: Recipients, ledger: Sequence[NoticeRow], now: datetime
) -> list[Digest]:
    """Stale claims, each as the message it was: new steps never go under an old Message-ID, because a mail
    program that has the first copy would drop them with the second."""
    open_now = {duty.id: duty for duty in duties if duty.state is DutyState.OPEN}

    def still_to_tell(row: NoticeRow) -> bool:
        if row.sent_at is not None or row.claimed_at > now - CLAIM_TIMEOUT or row.duty not in open_now:
            return False
        reader = recipients.reader(open_now[row.duty], row.role, today)
        return reader is not None and reader.id == row.person

    stale = sorted(filter(still_to_tell, ledger), key=lambda row: (row.message_id, row.key))
    digests = []
    for identity, group in groupby(stale, key=lambda row: row.message_id):
        rows = tuple(group)
        notices = tuple(
            _notice_again(open_now[duty], recipients, tuple(of_duty), today)
            for duty, of_duty in groupby(rows, key=lambda row: row.duty)
        )
        digests.append(Digest(notices[0].person, today, notices, identity, rows))
    return digests


def _notice_again(duty: Duty, recipients: Recipients, rows: Sequence[NoticeRow], today: date) -> Notice:
    person = recipients.reader(duty, rows[0].role, today)
    assert person is not None
    steps = tuple(ReminderStep(row.step, row.on) for row in rows)
    return Notice(duty, person, rows[0].role, steps, tuple(step for step in steps if step.on < today))
