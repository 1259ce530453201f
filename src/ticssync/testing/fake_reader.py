"""The reading half of the make-believe tracker's driver."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import BinaryIO, Final, TypeVar

from ticssync.plugin import (
    Attachment,
    AuthLost,
    Capabilities,
    Comment,
    Fate,
    Fetched,
    FieldChange,
    FieldSchema,
    FieldValue,
    Finding,
    Level,
    MarkerHits,
    Move,
    NotSupported,
    Opening,
    Page,
    PreSend,
    Principal,
    Read,
    RemoteRef,
    RemoteSchema,
    RemoteStub,
    RemoteTask,
    Repair,
    Throttled,
    TrackerDriver,
    Unavailable,
    instant_text,
    parse_instant,
)
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_convert import Converter
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.wire import (
    Busy,
    Forbidden,
    Issue,
    Listed,
    Listing,
    MovedAway,
    NotFound,
    Unauthorized,
    WireError,
)

MARKERS_MAX: Final = 100
RESTARTS_MAX: Final = 3
SKEW_S: Final = 60
ItemT = TypeVar("ItemT")


def capabilities(behaviour: Behaviour) -> Capabilities:
    """What a tracker that behaves like this can do."""
    return Capabilities(
        create_max=behaviour.create_max,
        update_max=behaviour.update_max,
        fetch_max=behaviour.fetch_max,
        lookup_lag_s=behaviour.index_lag_s if behaviour.listing is Listing.INDEX else 0.0,
        listing=behaviour.listing is Listing.FULL,
        file_batch=behaviour.file_batch,
        comments=behaviour.takes_notes,
        attachments=behaviour.takes_files,
        expected_version=behaviour.compares,
        workflow=behaviour.tells_workflow and bool(behaviour.workflow),
    )


class FakeReader(TrackerDriver):
    """Everything but writing; `FakeTracker` is the whole driver."""

    def __init__(self, server: FakeServer, opening: Opening) -> None:
        self.server = server
        self.opening = opening
        self._closed = False
        self._requests_before = server.request_count

    @property
    def caps(self) -> Capabilities:  # type: ignore[override]
        """What the server's behaviour allows at this moment."""
        return capabilities(self.server.behaviour)

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests made to the server since this driver was opened."""
        return self.server.request_count - self._requests_before

    @property
    def convert(self) -> Converter:
        """The table of this opening against the server's set-up."""
        return Converter(self.opening.name, self.opening.table, self.server.behaviour, self.opening.text)

    def close(self) -> None:
        """Further requests raise RuntimeError: they are a mistake of the caller."""
        self._closed = True

    # -- who and what

    def whoami(self) -> Principal:
        """Our account; AuthLost for an anonymous visitor."""
        with self._asking():
            account = self.server.whoami()
        return Principal(account, "ticssync", own_ids=(account,))

    def check(self) -> Sequence[Finding]:
        """Whether we are known, and whether the two clocks agree."""
        text = self.opening.text
        who = self.whoami()
        skew = abs((self.server.now() - self.opening.clock()).total_seconds())
        clock = (
            Finding(
                "clock",
                Level.WARN,
                text("the clocks differ by {seconds} seconds", seconds=round(skew)),
                text("Set this machine's clock."),
            )
            if skew > SKEW_S
            else Finding("clock", Level.OK, text("the clocks agree"))
        )
        return Finding("login", Level.OK, text("known as {name}", name=who.name)), clock

    def schema(self) -> RemoteSchema:
        """Fields, statuses and people as the server has them."""
        with self._asking():
            found = self.server.describe()
        fields = [FieldSchema(name, name, required=name == self._place("title")) for name in found.fields]
        graph = found.workflow if found.tells_workflow and found.workflow else {}
        moves = {here: tuple(to) for here, to in graph.items()}
        return RemoteSchema(
            fields,
            {one: one for one in found.statuses},
            found.closed,
            dict(found.people),
            found.upload_limit,
            moves,
        )

    def view(self, field_name: str, value: FieldValue) -> FieldValue:
        """What the server can show of a value."""
        return self.convert.view(field_name, value)

    def holds(self, field_name: str) -> bool:
        """Whether the mapping has a place for the field and the server has that place."""
        place = self.convert.marker_place if field_name == "marker" else self._place(field_name)
        return place in self.server.behaviour.fields

    # -- reading

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        """Changes since the cursor; everything where the tracker lists like a workbook."""
        behaviour = self.server.behaviour
        full = behaviour.listing is Listing.FULL
        since = parse_instant(cursor) if cursor and not full else None
        strong = behaviour.listing is not Listing.INDEX
        read = Read.STRONG if strong else Read.INDEX
        for page, served, last in self._pages(since, None if full else behaviour.page_size):
            items = [self.convert.decode(issue) for issue in page]
            yield Page(items, self._cursor(served), complete=last and strong and since is None, read=read)

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """Ids, versions and markers of everything that is listed."""
        for page in self.list_changed(None):
            stubs = [RemoteStub(task.ref, task.version, task.marker) for task in page.items]
            yield Page(stubs, page.cursor, page.complete, page.read)

    def fetch(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Fetched]:
        """A strong read by id, in requests of `fetch_max`."""
        answers: dict[RemoteRef, Fetched] = {}
        for some in parts(refs, self.server.behaviour.fetch_max):
            with self._asking():
                found = self.server.fetch([ref.id for ref in some])
                answers |= {ref: self._fetched(found[ref.id]) for ref in some}
        return answers

    def find_by_marker(self, markers: Sequence[str], hint: PreSend) -> MarkerHits:  # noqa: ARG002 - the search needs no hint
        """Tasks that carry these markers; what the index cannot show yet is not found."""
        hits: dict[str, tuple[RemoteTask, ...]] = {}
        for some in parts(markers, MARKERS_MAX):
            with self._asking():
                found = self.server.find(self.convert.marker_place, some)
            for task in map(self.convert.decode, found.issues):
                hits[task.marker or ""] = (*hits.get(task.marker or "", ()), task)
        return MarkerHits(hits, self.caps.lookup_lag_s)

    def next_statuses(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Move]]:
        """The moves that the workflow allows now, with what each asks for."""
        with self._asking():
            found = self.server.moves([ref.id for ref in refs])
        required = self.server.behaviour.required
        return {
            ref: [Move(to, required.get(to, ())) for to in found[ref.id]] for ref in refs if ref.id in found
        }

    def history(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[FieldChange]]:
        """Who changed what of the tasks that exist, in requests of `fetch_max`."""
        if not self.server.behaviour.keeps_history:
            raise NotSupported(self.opening.text("{tracker} keeps no history", tracker=self.opening.name))
        answers: dict[RemoteRef, Sequence[FieldChange]] = {}
        for some in parts(refs, self.server.behaviour.fetch_max) if refs else ():
            with self._asking():
                found = self.server.history([ref.id for ref in some])
            answers |= {ref: found[ref.id] for ref in some if ref.id in found}
        return answers

    def comments(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Comment]]:
        """Comments of the tasks that exist."""
        with self._asking():
            found = self.server.comments([ref.id for ref in refs])
        return {ref: found[ref.id] for ref in refs if ref.id in found}

    def download(self, ref: RemoteRef, attachment: Attachment) -> BinaryIO:  # noqa: ARG002 - the id alone names the file
        """The bytes of an attachment.  One that is gone is Unavailable: the sweep will show that."""
        with self._asking():
            return io.BytesIO(self.server.download(attachment.id))

    def resolve(self, text: str) -> RemoteRef | None:
        """A display key, an id or an address."""
        wanted = text.strip().rpartition("/")[2]
        with self._asking():
            found = self.server.listing()
        return next(
            (RemoteRef(self.opening.name, one.id) for one in found.issues if wanted in (one.id, one.key)),
            None,
        )

    def search(self, query: str) -> Iterator[RemoteTask]:
        """Tasks with these words in the title."""
        with self._asking():
            found = self.server.search(query)
        yield from map(self.convert.decode, found.issues)

    def credential_expiry(self) -> date | None:
        """The last day of the token, where the server tells."""
        return self.server.behaviour.credential_expiry

    def hints_from_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[RemoteRef]:
        """The issue that a signed call names; nothing for a call that is not from the server."""
        if not hmac.compare_digest(headers.get("X-Fake-Signature", ""), sign(self.server, body)):
            return ()
        return (RemoteRef(self.opening.name, str(json.loads(body)["id"])),)

    def notices(self) -> Sequence[Finding]:
        """What the server was told to point out."""
        return tuple(self.server.behaviour.notices)

    def repairs(self) -> Sequence[Repair]:
        """What the server was told to have lost."""
        return tuple(self.server.behaviour.repairs)

    # -- inside

    def _place(self, name: str) -> str:
        return self.opening.table.fields.get(name, "")

    def _pages(
        self, since: datetime | None, size: int | None
    ) -> Iterator[tuple[Sequence[Issue], datetime, bool]]:
        """Pages by offset.  Each asks for the last issue of the page before once more: where it is not the
        first of the answer, the list moved and one may have slipped through: it is read from the start."""
        offset, before, restarts = 0, "", 0
        started: datetime | None = None
        while True:
            page = self._page(since, max(offset - 1, 0), None if size is None else size + bool(offset))
            started = started or page.at
            if offset and (not page.issues or page.issues[0].id != before):
                restarts += 1
                if restarts > RESTARTS_MAX:
                    raise Unavailable(
                        self.opening.text("the list of tasks changes faster than it can be read")
                    )
                offset = 0
                continue
            fresh = page.issues[1:] if offset else page.issues
            offset += len(fresh)
            last = offset >= page.total
            yield fresh, started, last
            if last:
                return
            before = page.issues[-1].id

    def _page(self, since: datetime | None, offset: int, limit: int | None) -> Listed:
        with self._asking():
            return self.server.listing(since, offset, limit)

    def _cursor(self, served: datetime) -> str:
        # What the index may not show yet must lie after the cursor; the server's clock measures, not ours.
        return instant_text(served.astimezone(timezone.utc) - timedelta(seconds=self.caps.lookup_lag_s))

    def _fetched(self, found: Issue | WireError) -> Fetched:
        if isinstance(found, Issue):
            return Fetched(Fate.PRESENT, self.convert.decode(found))
        if isinstance(found, MovedAway):
            moved = self.server.fetch([found.to])[found.to]
            task = self.convert.decode(moved) if isinstance(moved, Issue) else None
            return (
                Fetched(Fate.MOVED, task, RemoteRef(self.opening.name, found.to))
                if task
                else self._fetched(moved)
            )
        fates: dict[type[WireError], Fate] = {NotFound: Fate.GONE, Forbidden: Fate.HIDDEN}
        return Fetched(fates.get(type(found), Fate.UNKNOWN))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self._need_open()
        try:
            yield
        except WireError as error:
            raise self._raised(error) from error

    def _need_open(self) -> None:
        if self._closed:
            raise RuntimeError("a closed driver was asked")

    def _raised(self, error: WireError) -> Exception:
        text = self.opening.text
        if isinstance(error, Unauthorized):
            return AuthLost(text("{tracker} does not know us (401)", tracker=self.opening.name))
        if isinstance(error, Busy):
            return Throttled(text("{tracker} asks us to wait", tracker=self.opening.name), error.until)
        return Unavailable(text("{tracker} does not answer", tracker=self.opening.name))


def sign(server: FakeServer, body: bytes) -> str:
    """The signature that the server puts on a webhook call."""
    return hmac.new(server.behaviour.webhook_secret.encode(), body, hashlib.sha256).hexdigest()


def parts(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Runs of at most `size` items; 0 means all in one."""
    step = size or max(len(items), 1)
    return (items[start : start + step] for start in range(0, len(items), step))
