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
class Duty:
    """Something due on a day.  `remind_on` are working days, counted as deadlines.md says; the legal
    date never moves to another day."""

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
