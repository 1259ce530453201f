"""What ticssync holds as proof, and what it has checked of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class EvidenceState(StrEnum):
    """Never mixed with a task's status or with a confirmation."""

    NONE = "none"
    PARTIAL = "partial"
    COMPLETE = "complete"
    EXPIRED = "expired"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


REMARK: Final = "note"
"""Kind of what somebody wrote into a task: kept and shown beside the proof, and none by itself."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of proof for one criterion.

    `sha256` names the bytes in the locker (empty for paper and on-site proof); `dated_on` is the day the
    proof speaks of; `valid_until` is its last good day, None = no end; `handed_in_by` is who brought it
    (a person id, an account or empty where unknown); `reviewed_by` is the other person who looked at it, empty
    where nobody did; `source` is the part of a task in a tracker that it was taken from
    (`factory:123:attachment:45`), empty for what came another way.
    """

    id: str
    criterion: str
    cycle: str
    name: str
    kind: str
    keep_mode: str
    evidence_class: str
    sha256: str
    size: int
    dated_on: date
    valid_until: date | None
    handed_in_by: str
    channel: str
    note: str = ""
    withdrawn: bool = False
    readable: bool = True
    reviewed_by: str = ""
    source: str = ""
