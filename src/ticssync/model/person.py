"""People and their roles, as ticssync.yaml names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """A closed list: what a person is to the certification, not to the tracker."""

    OWNER = "owner"
    MANAGER = "manager"
    EXECUTIVE = "executive"
    ADMIN = "admin"
    AUDITOR = "auditor"
    CONSULTANT = "consultant"


@dataclass(frozen=True, slots=True)
class Person:
    """`id` is the internal name in ticssync.yaml; `accounts` maps a tracker's name to the account id there."""

    id: str
    name: str
    mail: str = ""
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """A person in a role, from–to (inclusive days, None = open); deputies come in order after the first."""

    person: str
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the role is held on that day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
