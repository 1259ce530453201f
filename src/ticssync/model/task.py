"""A task as ticssync thinks of it, and as a tracker shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from ticssync.model.key import TaskKey

FieldValue: TypeAlias = str | int | bool | tuple[str, ...] | None
"""Plain and hashable: text, ISO date text, option id, or a sorted tuple of labels."""

Fields: TypeAlias = Mapping[str, FieldValue]
"""Field name → value.  A name that is absent was not read or does not exist there; None is "empty"."""

NO_FIELDS: Final[Fields] = MappingProxyType({})

CORE_FIELDS: Final = (
    "title", "body", "status", "assignee", "start", "due", "priority", "labels", "marker",
)  # fmt: skip
"""Fields that every mapping may name; others are extra fields (`number`, `confirmation`, `from_office`, …)."""


class Status(StrEnum):
    """What a tracker says of a task.  `wont_do` is a proposal to leave it out, never a decision."""

    TODO = "todo"
    DOING = "doing"
    REVIEW = "review"
    DONE = "done"
    WONT_DO = "wont_do"


class Priority(StrEnum):
    """How soon, in words that every tracker can hold."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Task:
    """One task's values.  Dates are days of the company's calendar (no time, no zone)."""

    key: TaskKey
    title: str
    body: str = ""
    status: Status = Status.TODO
    assignee: str | None = None
    start: date | None = None
    due: date | None = None
    priority: Priority | None = None
    labels: frozenset[str] = frozenset()
    extra: Fields = field(default_factory=dict)

    def fields(self) -> dict[str, FieldValue]:
        """The values by field name, in their plain form (dates as ISO text, labels sorted)."""
        return {
            "title": self.title,
            "body": self.body,
            "status": self.status.value,
            "assignee": self.assignee,
            "start": self.start.isoformat() if self.start else None,
            "due": self.due.isoformat() if self.due else None,
            "priority": self.priority.value if self.priority else None,
            "labels": tuple(sorted(self.labels)),
            **self.extra,
        }


@dataclass(frozen=True, slots=True, order=True)
class RemoteRef:
    """Where a task lives: tracker name and the tracker's own unchanging id.  Key and URL are display data."""

    tracker: str
    id: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that hangs on a task in a tracker.  `size` in bytes; `digest` only where the tracker gives one.

    `author` is the account id, `author_name` what the tracker shows of it."""

    id: str
    name: str
    size: int
    author: str = ""
    created_at: datetime | None = None
    digest: str = ""
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A note on a task in a tracker.  `author` is the account id, `author_name` what the tracker shows of it."""

    id: str
    text: str
    author: str = ""
    created_at: datetime | None = None
    private: bool = False
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class RemoteTask:
    """One task as it was read from a tracker.

    `fields` are decoded with the Opening's table; a field that could not be decoded is absent and named in
    `problems`, so that an unreadable cell never reads as "emptied".  `updated_at` is aware UTC, the
    tracker's own time of the last change, or None where it keeps none.  `changed_by_person` is None
    where the tracker cannot tell.
    """

    ref: RemoteRef
    fields: Fields
    key: str = ""
    url: str = ""
    version: str | None = None
    updated_at: datetime | None = None
    marker: str | None = None
    raw_status: str = ""
    closed: bool = False
    problems: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    comments: tuple[Comment, ...] | None = None
    changed_by_person: bool | None = None


@dataclass(frozen=True, slots=True)
class RemoteStub:
    """The least that a full listing says of a task."""

    ref: RemoteRef
    version: str | None = None
    marker: str | None = None
