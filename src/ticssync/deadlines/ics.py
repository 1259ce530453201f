"""Duties as a calendar file: all-day events, one lasting UID per duty; same input, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ticssync.model.certificate import Basis, Duty, DutyState
from ticssync.text import Text

if TYPE_CHECKING:
    from icalendar import Alarm, Event

ALARMS: Final = (30, 7)
"""Days before; the alarm rings at nine in the morning."""
NINE: Final = timedelta(hours=9)

_RANK: Final = {DutyState.OPEN: 0, DutyState.SUBMITTED: 1, DutyState.ACCEPTED: 2}


def calendar_file(
    duties: Sequence[Duty], *, workspace: str, company: str, stamp: datetime, text: Text
) -> bytes:
    """The .ics (METHOD:PUBLISH).  `stamp` is aware UTC and goes into every DTSTAMP."""
    from icalendar import Calendar

    file = Calendar()
    file.add("prodid", "-//ticssync//deadlines//JA")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("calscale", "GREGORIAN")
    file.add(
        "x-wr-calname",
        text("TICS deadlines · {company}", company=company) if company else text("TICS deadlines"),
    )
    for duty in sorted(duties, key=lambda duty: (duty.due_on, duty.id)):
        file.add_component(_event(duty, workspace, stamp, text))
    return bytes(file.to_ical())


def sequence(duty: Duty) -> int:
    """Rises when what the event says has changed: submitted, accepted, the rule confirmed by the body."""
    return 2 * _RANK[duty.state] + (duty.basis is not Basis.DEFAULT)


def _event(duty: Duty, workspace: str, stamp: datetime, text: Text) -> Event:
    from icalendar import Event

    event = Event()
    title = text.said(duty.title)
    event.add("uid", f"{duty.id}@{workspace}.ticssync")
    event.add("dtstamp", stamp)
    event.add("sequence", sequence(duty))
    event.add("dtstart", duty.due_on)
    event.add("dtend", duty.due_on + timedelta(days=1))
    event.add("summary", f"【TICS】{_state(duty, text)}{title}")
    event.add("description", _description(duty, text))
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if duty.state is DutyState.OPEN:
        for days in ALARMS:
            event.add_component(_alarm(title, days))
    return event


def _state(duty: Duty, text: Text) -> str:
    if duty.state is DutyState.SUBMITTED:
        return text("(submitted) ")
    return text("(accepted) ") if duty.state is DutyState.ACCEPTED else ""


def _description(duty: Duty, text: Text) -> str:
    lines = [basis_words(duty, text), text("To record it: {command}", command=done_command(duty, None, text))]
    return "\n".join(line for line in lines if line)


def _alarm(title: str, days: int) -> Alarm:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", NINE - timedelta(days=days))
    return alarm


def basis_words(duty: Duty, text: Text) -> str:
    """Where the date comes from, as a sentence; empty where there is nothing to warn of."""
    if duty.basis is Basis.PRINTED:
        return text("The date is the one printed on the certificate.")
    if duty.basis is Basis.DEFAULT:
        return text("This date is a default that your certification body has not confirmed. Please ask them.")
    return ""


def done_command(duty: Duty, today: date | None, text: Text) -> str:
    """The command that records the duty as submitted."""
    day = today.isoformat() if today else "YYYY-MM-DD"
    return f"ticssync deadlines done {duty.id} --on {day} --proof {text('receipt.pdf')}"
