"""One row of the reminder ledger: who was reminded of what, and whether it certainly went out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

NoticeKey = tuple[str, str, str]
"""(duty id, person id, step name)."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """`claimed_at` and `sent_at` (aware UTC) are two facts: a claim without a send may have arrived or not.
    `on` is the working day that the step fell on; `day` the day of the digest (company's zone);
    `message_id` is fixed at the claim; `role` is the role through which the person was asked; `tries` above 1
    says that the same message may have reached the person more than once."""

    duty: str
    person: str
    step: str
    on: date
    day: date
    role: str
    message_id: str
    claimed_at: datetime
    sent_at: datetime | None = None
    tries: int = 1

    @property
    def key(self) -> NoticeKey:
        """The row's name in the ledger."""
        return (self.duty, self.person, self.step)
