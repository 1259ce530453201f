"""What goes over the wire of the make-believe tracker: its records, and the ways in which it says no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ticssync.plugin import Attachment, Comment, FieldValue


class WireError(Exception):
    """Base of all answers that are none."""


class NotSent(WireError):  # noqa: N818 - named as the answer that it is
    """The request never left: certainly nothing happened."""


class AnswerLost(WireError):  # noqa: N818 - named as the answer that it is
    """The request was carried out, and its answer did not come back."""


class Busy(WireError):  # noqa: N818 - named as the answer that it is
    """429: come back at `until` (aware UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"429 until {until.isoformat()}")
        self.until = until


class Garbled(WireError):  # noqa: N818 - named as the answer that it is
    """200 with an HTML page where data should be."""


class Unauthorized(WireError):  # noqa: N818 - named as the answer that it is
    """401."""


class Refused(WireError):  # noqa: N818 - named as the answer that it is
    """422, in the tracker's own words and language; `field` by the tracker's name."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.field = field


class NotFound(WireError):  # noqa: N818 - named as the answer that it is
    """404."""


class Forbidden(WireError):  # noqa: N818 - named as the answer that it is
    """403."""


class MovedAway(WireError):  # noqa: N818 - named as the answer that it is
    """301: the issue has another id now."""

    def __init__(self, to: str) -> None:
        super().__init__(f"moved to {to}")
        self.to = to


class Fault(StrEnum):
    """What a test can make of a request."""

    NOT_SENT = "not sent"
    ANSWER_LOST = "answer lost"
    UNAUTHORIZED = "unauthorized"
    BUSY = "busy"
    GARBLED = "garbled"


class Listing(StrEnum):
    """How the tracker lists: FULL as a workbook (always everything), STRONG as Redmine (changes, true at
    once), INDEX as Jira (changes, out of an index that lags)."""

    FULL = "full"
    STRONG = "strong"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue as the tracker keeps it.  `fields` are by the tracker's own names and in its own words; every
    field that exists there is present (None: empty).  `version` counts up from 1."""

    id: str
    number: int
    key: str
    fields: Mapping[str, FieldValue]
    created_at: datetime
    updated_at: datetime
    version: int = 1
    by_person: bool = False
    hidden: bool = False
    moved_to: str = ""
    comments: tuple[Comment, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was handed in under a token, to be hung on the issue under this name.  A token is good once."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one issue: fields by the tracker's names, a comment and files in the same request."""

    id: str
    fields: Mapping[str, FieldValue]
    comment: str = ""
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: `total` counts all that the query holds, `at` is the server's time of the answer."""

    issues: tuple[Issue, ...]
    total: int
    at: datetime
