"""From certificates and other ends to duties with their reminders.  Pure: the day is handed in.

What is certain: a periodic report every year and a renewal audit every three years.  When exactly the report
is due and how early to apply is nowhere published, so these rules are defaults (basis `default`) until the
certification body has confirmed them; the expiry is taken as printed and never computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from ticssync.deadlines.calendar import CompanyCalendar, add_months, add_years
from ticssync.errors import say
from ticssync.model.canonical import date_text
from ticssync.model.certificate import Basis, Certificate, Duty, DutyRecord, DutyState, ReminderStep
from ticssync.text import Text

CERTIFICATE_KINDS: Final = frozenset({"periodic_report", "renewal_apply", "renewal"})
DAILY_FOR: Final = 7
"""Days after the due date with a reminder each working day; then weekly, and to the next role as well."""
WEEK: Final = 7

Mark: TypeAlias = tuple[str, date]
"""A reminder's name and its day before the calendar has moved it."""
Marked: TypeAlias = tuple[Duty, tuple[Mark, ...]]

_ROLE_OF: Final = {"task_due": "owner", "evidence_expiry": "owner", "credential_expiry": "admin"}


@dataclass(frozen=True, slots=True)
class DutyRules:
    """When people are reminded: days before the due date, or months before the printed expiry."""

    report_days: tuple[int, ...] = (90, 60, 30, 14, 7)
    renewal_apply_months: int = 6
    renewal_apply_remind_months: tuple[int, ...] = (12, 9, 8, 7)
    renewal_days: tuple[int, ...] = (90, 60, 30, 14, 7, 3, 1)
    task_days: tuple[int, ...] = (7, 1)
    evidence_days: tuple[int, ...] = (30, 14, 7)
    credential_days: tuple[int, ...] = (30, 14, 7, 1)

    def days_for(self, kind: str) -> tuple[int, ...]:
        """Days before the due date for a kind that counts in days."""
        return {
            "periodic_report": self.report_days,
            "renewal": self.renewal_days,
            "task_due": self.task_days,
            "evidence_expiry": self.evidence_days,
            "credential_expiry": self.credential_days,
        }.get(kind, (60, 30, 14, 7))


DEFAULT_RULES: Final = DutyRules()


@dataclass(frozen=True, slots=True)
class Due:
    """Something else that ends on a day: an open task, the period of evidence, a tracker's token.

    `kind` is task_due, evidence_expiry or credential_expiry; `name` its lasting name (`tics/T-14`, the
    evidence id, the tracker's name); `subject` what people call it; `owner` a person id or empty.
    """

    kind: str
    name: str
    subject: str
    due_on: date
    owner: str = ""
    criterion: str = ""


def duties(
    certificates: Sequence[Certificate],
    today: date,
    calendar: CompanyCalendar,
    done: Mapping[str, DutyRecord],
    rules: DutyRules = DEFAULT_RULES,
    *,
    others: Sequence[Due] = (),
) -> tuple[Duty, ...]:
    """Every duty that follows from these, soonest first.  `done` by duty id.

    A duty in the past with no record stays open: that nobody wrote it down is what the reader must see.
    Reminders (`steps`) reach from the first one to the next one after `today`; none once submitted.
    """
    marked = [found for certificate in certificates for found in _of_certificate(certificate, rules)]
    marked += [_of_due(due, rules) for due in others]
    full = [_with_reminders(duty, marks, today, calendar, done.get(duty.id)) for duty, marks in marked]
    return tuple(sorted(full, key=lambda duty: (duty.due_on, duty.id)))


def duty_id(name: str, kind: str, due_on: date) -> str:
    """`main/periodic_report/2026-04-01`: the duty's name in commands and in the store."""
    return f"{name}/{kind}/{due_on.isoformat()}"


def next_role(role: str) -> str | None:
    """Whom a long overdue duty climbs to: 担当 → 管理責任者 → 経営者."""
    return {"owner": "manager", "manager": "executive", "admin": "manager"}.get(role)


def _of_certificate(certificate: Certificate, rules: DutyRules) -> Iterator[Marked]:
    by_rule = Basis.CONFIRMED if certificate.rules_confirmed else Basis.DEFAULT
    scope, expiry = certificate.scope or certificate.id, certificate.expires_on
    years = 1
    while (due := add_years(certificate.issued_on, years)) <= expiry:
        title = say("Periodic report ({scope})", scope=scope)
        yield _counted_in_days(_duty(certificate, "periodic_report", title, due, by_rule), rules)
        years += 1
    title = say("Application for the renewal audit ({scope})", scope=scope)
    apply_on = add_months(expiry, -rules.renewal_apply_months)
    yield (
        _duty(certificate, "renewal_apply", title, apply_on, by_rule),
        tuple(_months_before(expiry, apply_on, rules)),
    )
    title = say("Expiry of the certificate ({scope})", scope=scope)
    yield _counted_in_days(_duty(certificate, "renewal", title, expiry, Basis.PRINTED), rules)


def _duty(certificate: Certificate, kind: str, title: str, due_on: date, basis: Basis) -> Duty:
    return Duty(
        id=duty_id(certificate.id, kind, due_on),
        kind=kind,
        title=title,
        due_on=due_on,
        basis=basis,
        certificate=certificate.id,
        subject=certificate.body,
    )


def _of_due(due: Due, rules: DutyRules) -> Marked:
    titles = {
        "evidence_expiry": say("Evidence “{name}” runs out", name=due.subject),
        "credential_expiry": say("Access to {name} runs out", name=due.subject),
    }
    duty = Duty(
        id=duty_id(due.name, due.kind, due.due_on),
        kind=due.kind,
        title=titles.get(due.kind, due.subject),
        due_on=due.due_on,
        basis=Basis.CONFIRMED,
        owner=due.owner,
        role=_ROLE_OF.get(due.kind, "manager"),
        criterion=due.criterion,
        subject=due.subject,
    )
    return _counted_in_days(duty, rules)


def _counted_in_days(duty: Duty, rules: DutyRules) -> Marked:
    return duty, tuple((f"d{days}", duty.due_on - timedelta(days=days)) for days in rules.days_for(duty.kind))


def _months_before(expiry: date, due_on: date, rules: DutyRules) -> Iterator[Mark]:
    months = [count for count in rules.renewal_apply_remind_months if add_months(expiry, -count) < due_on]
    for count in months:
        yield f"m{count}", add_months(expiry, -count)
    last, week = add_months(expiry, -min(months)) if months else due_on, 1
    while (day := last + timedelta(days=WEEK * week)) < due_on:
        yield f"w{week}", day
        week += 1


def _with_reminders(
    duty: Duty, marks: Sequence[Mark], today: date, calendar: CompanyCalendar, record: DutyRecord | None
) -> Duty:
    duty = replace(duty, target_on=calendar.working_day_before(duty.due_on))
    if record is not None and record.state is not DutyState.OPEN:
        return replace(duty, state=record.state)
    before = [ReminderStep(name, calendar.working_day_before(day)) for name, day in marks]
    steps = (*before, *_overdue(duty.due_on, today, calendar))
    return replace(duty, steps=steps, remind_on=tuple(sorted({step.on for step in steps})))


def _overdue(due_on: date, today: date, calendar: CompanyCalendar) -> Iterator[ReminderStep]:
    """Up to today and the first one after it; moved to the working day after: earlier, nothing is late."""
    if due_on >= today:
        return
    late = 1
    while True:
        on = calendar.working_day_after(due_on + timedelta(days=late))
        yield ReminderStep(f"o{late}", on, climbs=late > DAILY_FOR)
        if on > today:
            return
        late += 1 if late < DAILY_FOR else WEEK


def deadlines_json(found: Sequence[Duty], as_of: date, text: Text) -> dict[str, Any]:
    """The JSON of `ticssync deadlines` (public contract).  `days_left` in days, negative where overdue."""
    return {"as_of": as_of.isoformat(), "items": [_item(duty, as_of, text) for duty in found]}


def _item(duty: Duty, as_of: date, text: Text) -> dict[str, Any]:
    return {
        "id": duty.id,
        "kind": duty.kind,
        "certificate": duty.certificate,
        "criterion": duty.criterion,
        "state": duty.state.value,
        "title": text.said(duty.title),
        "due_on": duty.due_on.isoformat(),
        "target_on": date_text(duty.target_on),
        "remind_on": [day.isoformat() for day in duty.remind_on],
        "days_left": (duty.due_on - as_of).days,
        "basis": duty.basis.value,
        "owner": duty.owner,
        "role": duty.role,
    }
