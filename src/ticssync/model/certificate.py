"""Certificates as printed, and the duties that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class DutyState(StrEnum):
    """Submitted ends the nagging; accepted is the body's word."""

    OPEN = "open"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"


class Basis(StrEnum):
    """Where a due date comes from: printed on the certificate, a rule that the body confirmed, or our default."""

    PRINTED = "printed"
    CONFIRMED = "confirmed"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Dates exactly as printed, never computed."""

    id: str
    scheme: str
    body: str
    number: str
    scope: str
    issued_on: date
    expires_on: date
    rules_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class DutyRecord:
    """What a person recorded of a duty: submitted or accepted, `on` which day, with which proof."""

    state: DutyState
    on: date
    proof: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReminderStep:
    """One reminder of a duty.  `name` is its identity in the ledger and stays the same when a holiday moves
    `on` (a working day); `climbs` adds the next role to the readers."""

    name: str
    on: date
    climbs: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """Something due on a day.  `remind_on` are working days, counted as deadlines.md says; the legal
    date never moves to another day; `target_on` is the last working day up to it.  `criterion` names the item
    where the duty belongs to one; `subject` is what the duty is about in the company's own words (a task's
    title, a tracker's name)."""

    id: str
    kind: str
    title: str
    due_on: date
    basis: Basis
    certificate: str = ""
    state: DutyState = DutyState.OPEN
    remind_on: tuple[date, ...] = field(default_factory=tuple)
    owner: str = ""
    role: str = "manager"
    criterion: str = ""
    subject: str = ""
    steps: tuple[ReminderStep, ...] = ()
    target_on: date | None = None
