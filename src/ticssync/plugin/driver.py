"""The tracker driver: what a plugin implements.  Every verb has a default, so the class can grow.

A driver never sleeps, never repeats a call that is not idempotent, never touches the store.  It answers
outcomes per item, and lets only AuthLost, Throttled, Unavailable and Unsafe out.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from ticssync.model.canonical import canonical_text
from ticssync.model.key import TaskKey
from ticssync.model.task import (
    NO_FIELDS,
    Attachment,
    Comment,
    Fields,
    FieldValue,
    RemoteRef,
    RemoteStub,
    RemoteTask,
)
from ticssync.plugin.outcomes import (
    Fetched,
    Finding,
    MarkerHits,
    Outcome,
    Page,
    Principal,
)


class NotSupported(Exception):  # noqa: N818 - an answer, not a failure
    """The tracker has no such thing; the host goes on without it."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the tracker can do.  Batches are split by the driver; `*_max` is what one request holds (0 = all).

    `lookup_lag_s`: how long (seconds) a created task may be missing from listings; 0 = strong.
    `listing`: True where every listing is a full one (a workbook), so no sweep is needed besides.
    `file_batch`: all writes of a cycle become one file write or none (a workbook).
    `notifies`: whether a write may send mail to people.  `workflow`: `schema().moves` is the whole workflow, and
    asking for it costs nothing.
    """

    create_max: int = 1
    update_max: int = 1
    fetch_max: int = 100
    lookup_lag_s: float = 0.0
    listing: bool = False
    file_batch: bool = False
    comments: bool = False
    attachments: bool = False
    expected_version: bool = False
    notifies: bool = False
    statuses: bool = True
    workflow: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A task to create.  `marker` goes into the same request; `fields` are canonical values."""

    key: TaskKey
    marker: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Note:
    """A comment of ours: `marker` stands in its text, so that a lost answer is found again."""

    text: str
    marker: str


@dataclass(frozen=True, slots=True)
class OutFile:
    """A file of ours to hang on a task.  `name` carries part of the file's hash, so that a lost answer is found
    again by the name; `path` is where its bytes lie."""

    name: str
    path: Path
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Change:
    """All that one task gets in one go.  `expect` is what was last read: a driver that can compare must.

    `status_path` is the way to the wanted status in the tracker's own status ids, one move after the other and
    the wanted one last (empty: set directly).
    `marker` is set where the marker itself is to be written (None: leave it).
    """

    ref: RemoteRef
    set: Fields
    expect: Fields = field(default_factory=lambda: NO_FIELDS)
    status_path: tuple[str, ...] = ()
    note: Note | None = None
    marker: str | None = None
    key: TaskKey | None = None
    files: tuple[OutFile, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One entry of a task's history: who changed which field to what, and when.

    `field`, `old` and `new` are the tracker's own (a field id of the mapping, status ids); `author` is the account
    id, `author_name` what the tracker shows of it; `at` is aware UTC; `id` names the entry there.
    """

    id: str
    field: str
    old: str | None
    new: str | None
    author: str
    at: datetime
    author_name: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """Something of ours that the tracker lost and that the next write puts back (a row missing from a
    workbook that was saved over by an older copy, a marker on a copied row).  `what` is for people."""

    ref: RemoteRef
    what: str
    key: TaskKey | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A status (the tracker's own id) that may be set now, and the fields that the tracker asks for with it."""

    to_status: str
    required_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field of the live tracker.  `options` are id → name; `max_length` in characters."""

    id: str
    name: str
    type: str = "text"
    required: bool = False
    max_length: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteSchema:
    """What the tracker offers: fields, statuses (id → name, in order), people (id → name).

    `moves`: the workflow where it is known, remote status id → those that may follow.  Empty: any may follow any,
    or only `next_statuses` can tell.  `choices`: what a field of the tracker may hold, by the tracker's own field
    id: id → name (issue types, priorities, categories, versions).
    """

    fields: Sequence[FieldSchema] = ()
    statuses: Mapping[str, str] = field(default_factory=dict)
    closed_statuses: frozenset[str] = frozenset()
    people: Mapping[str, str] = field(default_factory=dict)
    upload_limit: int | None = None
    moves: Mapping[str, Sequence[str]] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreSend:
    """What is known just before a create is sent, e.g. the highest key seen; kept in the intent."""

    hint: str = ""


class TrackerDriver(ABC):  # noqa: B024 - every verb has an answer, so that the class can grow
    """One open tracker.  Opened with an `Opening`; closed by `close`."""

    caps: Capabilities = Capabilities()
    requests: int = 0
    """Requests (or file reads and writes) made so far; the host reports it."""

    def close(self) -> None:
        """Give back what `open` took."""

    def whoami(self) -> Principal:
        """Who we are.  Raises AuthLost; never answers for an anonymous visitor."""
        raise NotSupported("whoami")

    def own_ids(self) -> frozenset[str]:
        """Our account ids, to tell our own notes and acts from people's.  Unlike `whoami` it may be remembered."""
        who = self.whoami()
        return frozenset(filter(None, (who.id, *who.own_ids)))

    def check(self) -> Sequence[Finding]:
        """What `doctor` shows: rights, fields, limits, clock, the token's end."""
        return ()

    def schema(self) -> RemoteSchema:
        """Fields, statuses and people of the live tracker."""
        raise NotSupported("schema")

    def view(self, field_name: str, value: FieldValue) -> FieldValue:
        """What this tracker can show of a value: decode(encode(value)), in canonical form.

        Laws: `view(view(v)) == view(v)`, and a task written with v reads back as `view(v)`.
        """
        return canonical_text(value) if isinstance(value, str) else value

    def holds(self, field_name: str) -> bool:
        """Whether the tracker has a place for this field at all."""
        raise NotSupported("holds")

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        """Tasks changed since `cursor` (None: all).  Overlap is the driver's business, doubles are allowed."""
        raise NotSupported("list_changed")

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """The cheapest full listing."""
        raise NotSupported("sweep")

    def fetch(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Fetched]:
        """A strong read by id.  Only an answer GONE from here proves a deletion."""
        raise NotSupported("fetch")

    def find_by_marker(self, markers: Sequence[str], hint: PreSend) -> MarkerHits:
        """Where these markers stand now."""
        raise NotSupported("find_by_marker")

    def presend(self) -> PreSend:
        """Asked once before creates are sent."""
        return PreSend()

    def create(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome per draft, in order.  A draft's marker is in the same request."""
        raise NotSupported("create")

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        """One outcome per change, in order."""
        raise NotSupported("update")

    def write(
        self, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> tuple[list[Outcome], list[Outcome]]:
        """Creates and updates of one cycle; a tracker with `file_batch` makes one file write of them."""
        return self.create(drafts) if drafts else [], self.update(changes) if changes else []

    def repairs(self) -> Sequence[Repair]:
        """What the listing of this cycle showed to be put back; the next `write` does it, empty or not."""
        return ()

    def notices(self) -> Sequence[Finding]:
        """What this cycle's listing showed that a person should know (a copy beside the file, foreign rows)."""
        return ()

    def next_statuses(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Move]]:
        """Which statuses may be set now, by task; a missing ref means: not known, try directly."""
        return {}

    def moves_from(self, status: str) -> Sequence[str]:
        """Which statuses (the tracker's own ids) may follow this one, as far as is known without a task in it."""
        try:
            return tuple(self.schema().moves.get(status, ()))
        except NotSupported:
            return ()

    def status_name(self, status: str) -> str:
        """What people call a status of this id."""
        return status

    def history(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[FieldChange]]:
        """Who changed what, oldest first, by task."""
        raise NotSupported("history")

    def comments(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Comment]]:
        """Comments by task."""
        raise NotSupported("comments")

    def download(self, ref: RemoteRef, attachment: Attachment) -> BinaryIO:
        """The bytes of an attachment."""
        raise NotSupported("download")

    def resolve(self, text: str) -> RemoteRef | None:
        """A URL or key that a person gave, as a ref."""
        raise NotSupported("resolve")

    def search(self, query: str) -> Iterator[RemoteTask]:
        """Tasks that a person may want to adopt."""
        raise NotSupported("search")

    def credential_expiry(self) -> date | None:
        """The last day that the token works, where the tracker tells."""
        return None

    def hints_from_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[RemoteRef]:
        """Refs to look at soon; the signature is checked here.  Never data."""
        raise NotSupported("hints_from_webhook")

    def artifacts(self) -> Sequence[Path]:
        """Files that a person may open (a workbook)."""
        return ()
