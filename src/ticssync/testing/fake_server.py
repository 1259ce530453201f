"""A make-believe tracker, the server side: its state, its own rules, and what people and accidents do.

Deterministic: the clock is handed in, nothing is random.  Requests go through `_ask`, which counts
them, calls `watch` before and after, and lets planned faults happen; what people do is no request.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from ticssync.plugin import Attachment, Comment, FieldChange, FieldValue
from ticssync.testing import fake_rules as rules
from ticssync.testing.behaviour import MARKER, STATUS, TITLE, Behaviour
from ticssync.testing.wire import (
    AnswerLost,
    Busy,
    Edit,
    Fault,
    Forbidden,
    Garbled,
    Issue,
    Listed,
    Listing,
    MovedAway,
    NotFound,
    NotSent,
    Refused,
    Unauthorized,
    Upload,
    WireError,
)

AnswerT = TypeVar("AnswerT")
ROBOT: Final = "900"
"""The account that ticssync works with."""

AUTOMATION: Final = "901"
"""The account of the tracker's own robot."""

PERSON: Final = "1001"
"""Whose hands a person's edits are, unless a test names another account."""

BUSY_S: Final = 60
"""What the server asks a caller to wait after a planned BUSY, in seconds."""


class FakeServer:
    """The tracker itself; `FakeTracker` is a driver for it, and several drivers may stand over one server.

    `watch` is called with "before create", "after create" and so on around every request: raise there to
    die at that point.  After "after …" the request has been carried out.  Verbs: whoami, schema, list,
    fetch, find, presend, create, update, write, moves, history, comments, upload, download.
    """

    def __init__(self, clock: Callable[[], datetime], behaviour: Behaviour | None = None) -> None:
        self.clock = clock
        self.behaviour = behaviour or Behaviour()
        self.watch: Callable[[str], None] = _nobody
        self.requests: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}
        self._uploads: dict[str, bytes] = {}
        self._issues: dict[str, Issue] = {}
        self._history: dict[str, list[tuple[datetime, Issue | None]]] = {}
        self._changes: dict[str, list[FieldChange]] = {}
        self._planned: dict[str, deque[Fault]] = {}
        self._planned_at: dict[int, Fault] = {}
        self._numbers = 0
        self._comments = 0
        self._entries = 0
        self._files = 0

    # -- what a test looks at and plans

    def now(self) -> datetime:
        """The server's own time: aware UTC."""
        return self.clock() + timedelta(seconds=self.behaviour.skew_s)

    def issues(self) -> list[Issue]:
        """All issues that exist, hidden ones too, in the order of their making."""
        return [one for one in self._issues.values() if not one.moved_to]

    def issue(self, id: str) -> Issue:  # noqa: A002 - the tracker's own word
        """The issue as it stands.  Raises KeyError where there is none."""
        return self._issues[id]

    def with_marker(self, marker: str) -> list[Issue]:
        """All issues that carry this marker now."""
        return [one for one in self.issues() if one.fields.get(MARKER) == marker]

    @property
    def request_count(self) -> int:
        """Requests that reached the server or failed on the way; `presend` is none."""
        return sum(count for verb, count in self.requests.items() if verb != "presend")

    def fail_next(self, verb: str, fault: Fault, times: int = 1) -> None:
        """Let the next `times` requests of this verb ("any": of all verbs) go wrong."""
        self._planned.setdefault(verb, deque()).extend([fault] * times)

    def fail_at(self, number: int, fault: Fault) -> None:
        """Let the request with this number, counted from 1 over the server's life, go wrong."""
        self._planned_at[number] = fault

    # -- requests

    def whoami(self) -> str:
        """The caller's account."""
        return self._ask("whoami", self._who)

    def probe(self) -> None:
        """Look whether writing would be possible; not counted as a request."""
        self._ask("presend", lambda: None)

    def describe(self) -> Behaviour:
        """The project's set-up: fields, statuses, people."""
        return self._ask("schema", lambda: self.behaviour)

    def listing(self, since: datetime | None = None, offset: int = 0, limit: int | None = None) -> Listed:
        """One page of the issues changed at or after `since`, oldest change first."""
        return self._ask("list", lambda: self._page(self._visible(since), offset, limit))

    def find(self, field: str, texts: Sequence[str]) -> Listed:
        """Issues whose field holds one of these texts."""
        wanted = frozenset(texts)
        return self._ask(
            "find",
            lambda: self._page([i for i in self._visible(None) if i.fields.get(field) in wanted], 0, None),
        )

    def search(self, words: str) -> Listed:
        """Issues with these words in the title."""
        return self._ask(
            "find",
            lambda: self._page(
                [i for i in self._visible(None) if words in str(i.fields.get(TITLE) or "")], 0, None
            ),
        )

    def fetch(self, ids: Sequence[str]) -> dict[str, Issue | WireError]:
        """Issues by id as they stand at this moment, never out of the index."""
        return self._ask("fetch", lambda: {one: self._look_up(one) for one in ids})

    def moves(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The statuses that each of these issues may take now."""
        return self._ask(
            "moves",
            lambda: {
                one: rules.followers(self.behaviour, self._issues[one]) for one in ids if one in self._issues
            },
        )

    def history(self, ids: Sequence[str]) -> dict[str, tuple[FieldChange, ...]]:
        """Who changed what by issue, oldest first.  What an issue was made with is no change."""
        return self._ask(
            "history", lambda: {one: tuple(self._changes.get(one, ())) for one in ids if one in self._issues}
        )

    def comments(self, ids: Sequence[str]) -> dict[str, tuple[Comment, ...]]:
        """Comments by issue."""
        return self._ask(
            "comments", lambda: {one: self._issues[one].comments for one in ids if one in self._issues}
        )

    def download(self, attachment: str) -> bytes:
        """The bytes of an attachment.  Raises NotFound."""
        return self._ask("download", lambda: self._file(attachment))

    def upload(self, content: bytes) -> str | Refused:
        """Hand a file in: the token that hangs it on an issue with the next update, once."""
        return self._ask("upload", lambda: self._take_in(content))

    def create(self, drafts: Sequence[Mapping[str, FieldValue]]) -> list[Issue | Refused]:
        """Make issues; one answer each, in order."""
        return self._ask("create", lambda: [self._make(fields) for fields in drafts])

    def update(self, edits: Sequence[Edit]) -> list[Issue | WireError]:
        """Change issues; one answer each, in order."""
        return self._ask("update", lambda: [self._change(edit) for edit in edits])

    def write(
        self, drafts: Sequence[Mapping[str, FieldValue]], edits: Sequence[Edit]
    ) -> tuple[list[Issue | Refused], list[Issue | WireError]]:
        """Creates and updates as one file write: all of it happens, or none."""
        return self._ask(
            "write", lambda: ([self._make(one) for one in drafts], [self._change(one) for one in edits])
        )

    # -- what people and accidents do; none of it is a request

    def person_sets(
        self,
        id: str,  # noqa: A002
        fields: Mapping[str, FieldValue],
        at: datetime | None = None,
        author: str = PERSON,
    ) -> Issue:
        """A person edits fields, in the tracker's own words; workflow and refusals do not bind people."""
        return self._store(self._issues[id], fields, by_person=True, at=at, author=author)

    def person_comments(self, id: str, text: str) -> None:  # noqa: A002
        """A person writes a comment."""
        issue = self._issues[id]
        self._put(
            replace(
                self._touched(issue, by_person=True), comments=(*issue.comments, self._comment(text, "1001"))
            )
        )

    def attach(self, id: str, name: str, content: bytes) -> Attachment:  # noqa: A002
        """A person attaches a file."""
        issue, made = self._issues[id], self._attachment(name, content, PERSON)
        self._put(replace(self._touched(issue, by_person=True), attachments=(*issue.attachments, made)))
        return made

    def detach(self, id: str, attachment: str) -> None:  # noqa: A002
        """An attachment is deleted; the issue's time of change does not move (as in Redmine)."""
        issue = self._issues[id]
        del self.files[attachment]
        self._put(replace(issue, attachments=tuple(one for one in issue.attachments if one.id != attachment)))

    def person_creates(self, fields: Mapping[str, FieldValue]) -> Issue:
        """A person makes an issue."""
        return self._new(fields, by_person=True)

    def copy(self, id: str) -> Issue:  # noqa: A002
        """A person copies an issue: every field goes along, the marker too."""
        return self._new(self._issues[id].fields, by_person=True)

    def delete(self, id: str) -> None:  # noqa: A002
        """The issue is gone for good."""
        del self._issues[id]
        self._history[id].append((self.now(), None))

    def hide(self, id: str) -> None:  # noqa: A002
        """Our account may no longer see the issue.  Its time of change does not move."""
        self._put(replace(self._issues[id], hidden=True))

    def unhide(self, id: str) -> None:  # noqa: A002
        """Our account sees it again.  Its time of change does not move."""
        self._put(replace(self._issues[id], hidden=False))

    def rename(self, id: str, key: str) -> None:  # noqa: A002
        """The issue goes to another project: same id, another display key."""
        self._put(replace(self._touched(self._issues[id]), key=key))

    def move(self, id: str) -> Issue:  # noqa: A002
        """The issue gets another id; the old one answers 301."""
        old = self._issues[id]
        new = self._new(old.fields, by_person=True)
        new = replace(new, comments=old.comments, attachments=old.attachments)
        self._put(new)
        self._put(replace(old, moved_to=new.id))
        return new

    # -- inside

    def _ask(self, verb: str, act: Callable[[], AnswerT]) -> AnswerT:
        self.requests[verb] += 1
        fault = self._fault(verb)
        self.watch(f"before {verb}")
        if self.behaviour.down or fault is Fault.NOT_SENT:
            raise NotSent(f"{verb}: no connection")
        self._gate(fault)
        answer = act()
        self.watch(f"after {verb}")
        if fault is Fault.ANSWER_LOST:
            raise AnswerLost(f"{verb}: connection reset")
        return answer

    def _fault(self, verb: str) -> Fault | None:
        if verb != "presend" and self.request_count in self._planned_at:
            return self._planned_at.pop(self.request_count)
        waiting = self._planned.get(verb) or (self._planned.get("any") if verb != "presend" else None)
        return waiting.popleft() if waiting else None

    def _gate(self, fault: Fault | None) -> None:
        until, now = self.behaviour.throttled_until, self.now()
        if until is not None and now < until:
            raise Busy(until)
        if fault is Fault.BUSY:
            raise Busy(now + timedelta(seconds=BUSY_S))
        if fault is Fault.UNAUTHORIZED:
            raise Unauthorized("401")
        if self.behaviour.garbled or fault is Fault.GARBLED:
            raise Garbled("<html>")

    def _who(self) -> str:
        if self.behaviour.anonymous:
            raise Unauthorized("401")
        return ROBOT

    def _visible(self, since: datetime | None) -> list[Issue]:
        """What a listing shows, in the order of change."""
        shown = [
            one
            for one in self._indexed()
            if not one.hidden and not one.moved_to and not self.behaviour.anonymous
        ]
        changed = [one for one in shown if since is None or one.updated_at >= since]
        return sorted(changed, key=lambda one: (one.updated_at, one.number))

    def _indexed(self) -> Iterable[Issue]:
        lag = self.behaviour.index_lag_s if self.behaviour.listing is Listing.INDEX else 0.0
        if not lag:
            return list(self._issues.values())
        horizon = self.now() - timedelta(seconds=lag)
        known = (_as_of(states, horizon) for states in self._history.values())
        return [one for one in known if one is not None]

    def _page(self, found: Sequence[Issue], offset: int, limit: int | None) -> Listed:
        page = found[offset:] if limit is None else found[offset : offset + limit]
        return Listed(tuple(page), len(found), self.now())

    def _look_up(self, id: str) -> Issue | WireError:  # noqa: A002
        issue = self._issues.get(id)
        if self.behaviour.anonymous:
            if self.behaviour.anonymous_finds == 401:
                raise Unauthorized("401")
            return NotFound("404")
        if issue is None:
            return NotFound("404")
        if issue.moved_to:
            return MovedAway(issue.moved_to)
        return Forbidden("403") if issue.hidden else issue

    def _file(self, attachment: str) -> bytes:
        if attachment not in self.files:
            raise NotFound("404")
        return self.files[attachment]

    def _take_in(self, content: bytes) -> str | Refused:
        limit = self.behaviour.upload_limit
        if limit is not None and len(content) > limit:
            return Refused(f"ファイルが大きすぎます（上限{limit}バイト）", "files")
        token = f"t{len(self._uploads) + self._files + 1}.{self.requests['upload']}"
        self._uploads[token] = content
        return token

    def _attachment(self, name: str, content: bytes, author: str) -> Attachment:
        self._files += 1
        made = Attachment(f"f{self._files}", name, len(content), author, self.now())
        self.files[made.id] = content
        return made

    def _hung(self, uploads: Sequence[Upload]) -> tuple[Attachment, ...]:
        """The files of these tokens.  One that was used up, or that is unknown, is passed over in silence."""
        found = [(one.name, self._uploads.pop(one.token, None)) for one in uploads]
        if self.behaviour.drops_files:
            return ()
        return tuple(self._attachment(name, content, ROBOT) for name, content in found if content is not None)

    def _make(self, fields: Mapping[str, FieldValue]) -> Issue | Refused:
        if self.behaviour.anonymous:
            raise Unauthorized("401")
        refused = rules.complaint(self.behaviour, fields)
        if refused is not None:
            return refused
        return self._new(
            {name: value for name, value in fields.items() if name not in self.behaviour.refuses},
            by_person=False,
        )

    def _change(self, edit: Edit) -> Issue | WireError:
        found = self._look_up(edit.id)
        if isinstance(found, WireError):
            return found
        refused = rules.complaint(self.behaviour, edit.fields) or rules.forbidden(
            self.behaviour, found, edit.fields
        )
        if refused is not None:
            return refused
        wanted = {
            name: value
            for name, value in edit.fields.items()
            if not rules.passed_over(self.behaviour, found, name, value)
        }
        files = self._hung(edit.uploads)
        changed = self._store(found, wanted, by_person=False, comment=edit.comment, files=files)
        if self.behaviour.automation is not None:
            # It runs after the answer was formed: the writer sees its own value, the next reader the robot's.
            flips = self.behaviour.automation(changed)
            if flips:
                self._store(changed, flips, by_person=False, author=AUTOMATION)
        return changed

    def _new(self, fields: Mapping[str, FieldValue], *, by_person: bool) -> Issue:
        self._numbers += 1
        now, number = self.now(), self._numbers
        start: dict[str, FieldValue] = dict.fromkeys(self.behaviour.fields)
        start[STATUS] = self.behaviour.statuses[0]
        start |= {name: rules.kept(self.behaviour, value) for name, value in fields.items() if name in start}
        made = Issue(str(10_000 + number), number, f"FAKE-{number}", start, now, now, by_person=by_person)
        self._put(made)
        return made

    def _store(
        self,
        issue: Issue,
        fields: Mapping[str, FieldValue],
        *,
        by_person: bool,
        at: datetime | None = None,
        comment: str = "",
        author: str = ROBOT,
        files: tuple[Attachment, ...] = (),
    ) -> Issue:
        kept = {
            name: rules.kept(self.behaviour, value) for name, value in fields.items() if name in issue.fields
        }
        if all(issue.fields[name] == value for name, value in kept.items()) and not comment and not files:
            return issue
        notes = (*issue.comments, self._comment(comment, ROBOT)) if comment else issue.comments
        changed = replace(
            self._touched(issue, by_person=by_person, at=at), fields={**issue.fields, **kept}, comments=notes,
            attachments=(*issue.attachments, *files),
        )  # fmt: skip
        self._put(changed)
        self._note_changes(issue, changed, author)
        return changed

    def _note_changes(self, old: Issue, new: Issue, author: str) -> None:
        """One entry per field that is another now."""
        names = {**self.behaviour.people, ROBOT: "ticssync", AUTOMATION: "automation"}
        for name, value in new.fields.items():
            if old.fields[name] != value:
                self._entries += 1
                entry = FieldChange(
                    f"h{self._entries}", name, _words(old.fields[name]), _words(value), author, new.updated_at,
                    names.get(author, ""),
                )  # fmt: skip
                self._changes.setdefault(new.id, []).append(entry)

    def _comment(self, text: str, author: str) -> Comment:
        self._comments += 1
        return Comment(f"c{self._comments}", text, author, self.now())

    def _touched(self, issue: Issue, *, by_person: bool = False, at: datetime | None = None) -> Issue:
        return replace(issue, updated_at=at or self.now(), version=issue.version + 1, by_person=by_person)

    def _put(self, issue: Issue) -> None:
        self._issues[issue.id] = issue
        self._history.setdefault(issue.id, []).append((self.now(), issue))


def _nobody(_point: str) -> None:
    """Nobody watches."""


def _words(value: FieldValue) -> str | None:
    """A value as a history shows it."""
    return ", ".join(value) if isinstance(value, tuple) else None if value is None else str(value)


def _as_of(states: Sequence[tuple[datetime, Issue | None]], horizon: datetime) -> Issue | None:
    return next((issue for at, issue in reversed(states) if at <= horizon), None)
