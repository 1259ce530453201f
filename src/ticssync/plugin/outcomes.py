"""What a driver answers: one outcome per item asked, and three errors that end a tracker's cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from ticssync.model.task import RemoteRef, RemoteStub, RemoteTask

ItemT = TypeVar("ItemT")


class AuthLost(Exception):  # noqa: N818 - the door's published name
    """The tracker does not (or no longer) know who we are: a person gives new credentials."""


class Throttled(Exception):  # noqa: N818 - the door's published name
    """The tracker asks us to wait.  `until` is aware UTC and honoured in full."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Unavailable(Exception):  # noqa: N818 - the door's published name
    """The tracker cannot be reached or is busy (down, proxy error, workbook open); `until` if it said when.

    `holder` names who keeps it busy, where that is known.
    """

    def __init__(self, message: str, until: datetime | None = None, holder: str = "") -> None:
        super().__init__(message)
        self.until = until
        self.holder = holder


class Unsafe(Exception):  # noqa: N818 - the door's published name
    """The tracker's own state looks like an accident (ids moved, a table that lost its marker column).

    Nothing is written; `what` is a plain value that names exactly this situation, from which the host
    makes the word that accepts it.  `acceptable` is False where only mending helps.
    """

    def __init__(self, message: str, *, what: str, fix: str = "", acceptable: bool = False) -> None:
        super().__init__(message)
        self.what = what
        self.fix = fix
        self.acceptable = acceptable


@dataclass(frozen=True, slots=True)
class Done:
    """It happened.  `task` is the state read back in the same breath, None where the answer had none.

    `refused`: fields that the tracker did not take along, with its own words.
    """

    ref: RemoteRef
    task: RemoteTask | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The tracker said no, in its own words; nothing changed there."""

    problems: tuple[str, ...]
    field: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Sent, but whether it happened is not known (answer lost)."""

    why: str


Outcome: TypeAlias = Done | Rejected | Unknown


class Fate(StrEnum):
    """What a strong read by id found.  GONE is the only proof of deletion."""

    PRESENT = "present"
    MOVED = "moved"
    GONE = "gone"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer for one ref.  `task` where PRESENT or MOVED; `moved_to` where MOVED."""

    fate: Fate
    task: RemoteTask | None = None
    moved_to: RemoteRef | None = None


class Read(StrEnum):
    """Whether a listing is the truth of that moment or an index that lags behind."""

    STRONG = "strong"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Part of a listing.  `complete` on the last page means: this listing held everything in scope (not
    only changes), so that an absent marker is proven absent.  `cursor` is what to continue from."""

    items: Sequence[ItemT]
    cursor: str | None = None
    complete: bool = False
    read: Read = Read.STRONG


TaskPage: TypeAlias = Page[RemoteTask]
StubPage: TypeAlias = Page[RemoteStub]


@dataclass(frozen=True, slots=True)
class MarkerHits:
    """Which markers stand where.  With `lag_s` > 0 (seconds) "not found" proves nothing before that time."""

    hits: dict[str, tuple[RemoteTask, ...]]
    lag_s: float = 0.0


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`: what was checked, how it stands, and what to do."""

    id: str
    level: Level
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who we are in the tracker."""

    id: str
    name: str
    admin: bool = False
    own_ids: tuple[str, ...] = field(default_factory=tuple)
