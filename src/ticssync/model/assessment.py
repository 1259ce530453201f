"""Named people's acts on a criterion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ActKind(StrEnum):
    """`withdraw` takes an earlier act back."""

    CONFIRM = "confirm"
    RETURN = "return"
    EXCLUDE = "exclude"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Act:
    """One act, as it was recorded.

    `person` is whom it is claimed for, `actor` the account that really did it, `channel` the way it came
    (tracker, sheet, web, cli).  `at` is the aware UTC instant of recording, `on` the day the person
    gives.  `until` is the last day it holds (None = no end).  `proof` is the SHA-256 of the proof file.
    `withdraws` is the number of the act that a withdrawal takes back.  `source` names the one line that the
    act was read from (sheet and row), so that the same answer is not taken twice.
    """

    seq: int
    kind: ActKind
    criterion: str
    cycle: str
    person: str
    person_name: str
    role: str
    actor: str
    channel: str
    on: date
    at: datetime
    until: date | None = None
    reason: str = ""
    proof: str = ""
    self_confirmed: bool = False
    on_behalf: bool = False
    part: str = ""
    withdraws: int | None = None
    source: str = ""
