"""The reading half of the driver."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote, urlsplit

from ticssync.plugin import (
    Attachment,
    AuthLost,
    Capabilities,
    Comment,
    Fate,
    Fetched,
    FieldChange,
    FieldValue,
    MarkerHits,
    Move,
    Opening,
    Page,
    PreSend,
    Principal,
    RemoteRef,
    RemoteStub,
    RemoteTask,
    Throttled,
    TrackerDriver,
    Unavailable,
    Unsafe,
    canonical_text,
    instant_text,
    parse_instant,
)
from ticssync.plugin.http import Voice
from ticssync_redmine import CAPS, convert, paging
from ticssync_redmine.client import PAGE, Answer, Client
from ticssync_redmine.convert import Converter
from ticssync_redmine.projects import Projects
from ticssync_redmine.settings import RedmineSettings
from ticssync_redmine.shows import Shows
from ticssync_redmine.workflow import Workflow

OVERLAP: Final = timedelta(seconds=10)
"""How long an issue saved before another may be committed after it: what is newer than this is read again."""

SETTLED: Final = timedelta(seconds=15)
"""After so long with nothing new, everything saved before is committed."""

BEGINNING: Final = "2000-01-01T00:00:00.000000Z"
"""The cursor after an empty project: before anything."""

FORBIDDEN: Final = 403
OLD: Final = timedelta(seconds=30)
"""How long what was read of an issue may be gone by when its description is written."""

PROOF_EVERY: Final = timedelta(minutes=15)
MARKERS_LENGTH: Final = 1200
"""Characters of markers in one question.  Redmine keeps the filters of a listing in its session cookie, also for an
API key: where they do not fit into 4 KB, 5.0 and 6.0 answer 500 (observed: from 1,720 characters on)."""

ItemT = TypeVar("ItemT")


class RestOff(AuthLost):
    """Redmine answers no key at all."""


class Reading(TrackerDriver):
    """Everything but writing and doctor."""

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        assert isinstance(settings, RedmineSettings)
        self.opening = opening
        self.settings = settings
        self.voice = Voice(opening.name, opening.text, opening.clock)
        ca_file = opening.root / settings.ca_file if settings.ca_file else None
        self.client = Client(settings.url, settings.api_key.get_secret_value(), self.voice, ca_file)
        self._known = Projects(opening.memory, settings.url, settings.project)
        self.convert = Converter(opening.name, opening.table, settings.url, opening.text, self._known.number)
        self.raw: dict[str, Mapping[str, Any]] = {}
        """Issues as they were last read in this pass, by id: a write keeps what people wrote around our block."""
        self._read_at: dict[str, datetime] = {}
        self._shows = Shows(self._ask_show)
        self._names_asked: bool | None = None
        self.workflow = Workflow(opening.memory, opening.clock, self._an_issue_in, self._allowed_of)

    @property
    def caps(self) -> Capabilities:  # type: ignore[override]
        """What every Redmine can do."""
        return CAPS

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent since this driver was opened."""
        return self.client.requests

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    # -- who

    def whoami(self) -> Principal:
        """Our account.  A wrong or revoked key is AuthLost here, and only here for certain: listings answer a
        stranger with 200 and nothing."""
        user = self.me()
        ident = str(user["id"])
        return Principal(ident, _name(user), bool(user.get("admin", False)), (ident,))

    def me(self) -> Mapping[str, Any]:
        """`/users/current.json`, with the memberships.  Raises AuthLost, RestOff where REST is switched off."""
        answer = self.client.get("/users/current.json", {"include": "memberships"})
        user = answer.data.get("user")
        if answer.status == FORBIDDEN:
            # A wrong key is 401; with REST switched off every key is refused like this.
            raise RestOff(
                self.opening.text(
                    "{tracker} takes no key (403): its REST web service is off (or a proxy before it refuses); in Redmine: "
                    "Administration → Settings → API → tick Enable REST web service",
                    tracker=self.opening.name,
                )
            )
        if not isinstance(user, dict) or "id" not in user:
            raise AuthLost(self.opening.text("{tracker} does not know our key", tracker=self.opening.name))
        self.opening.memory.put("proved_at", instant_text(self.opening.clock()))
        self.opening.memory.put("own_id", str(user["id"]))
        self._known.member_of(user)
        return user

    def _prove(self) -> None:
        """Who we are is asked for now and then: a revoked key would show as an empty project."""
        proved = self.opening.memory.get("proved_at")
        if proved is None or self.opening.clock() - parse_instant(proved) > PROOF_EVERY:
            self.me()

    # -- fields

    def view(self, field_name: str, value: FieldValue) -> FieldValue:
        """What Redmine can show of a value."""
        return self.convert.view(field_name, value)

    def holds(self, field_name: str) -> bool:
        """Whether the mapping gives the field a place that Redmine knows."""
        if field_name == "marker":
            return True
        return bool(self.convert.place(field_name))

    # -- listings

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        """Issues of the project changed since the cursor (None: all), pages by id, so that nothing shifts."""
        self._prove()
        since = parse_instant(cursor) if cursor else None
        if since is not None and since > self.opening.clock() + timedelta(days=1):
            # A cursor from a clock that ran ahead would hide every change.
            since, cursor = None, None
        seen: list[str] = []
        newest: datetime | None = None
        for issues, last, probe in self._pages(since):
            self._settle_project(issues)
            tasks = [self._read(issue) for issue in issues]
            seen += [f"{task.ref.id} {task.version}" for task in tasks]
            moments = [task.updated_at for task in tasks if task.updated_at is not None]
            newest = max([*moments, *([newest] if newest else [])], default=None)
            ends = min(newest, probe) if newest and probe else newest
            yield Page(tasks, self._cursor(cursor, ends, seen, last), complete=last and since is None)

    def _pages(
        self, since: datetime | None
    ) -> Iterator[tuple[Sequence[Mapping[str, Any]], bool, datetime | None]]:
        """(issues, whether it is the last page, the newest change at the time of the first page where there are
        several): a change that comes in while later pages are read must not lie before the cursor."""
        params: dict[str, Any] = {"status_id": "*", "include": "attachments"}
        if since is not None:
            params["updated_on"] = f">={since:%Y-%m-%dT%H:%M:%SZ}"
        path = f"/projects/{self.settings.project}/issues.json"
        probe: datetime | None = None
        for issues, last, first in self._by_id(path, params):
            if first and not last:
                probe = self._newest(path)
            yield issues, last, probe

    def _by_id(
        self, path: str, params: Mapping[str, Any]
    ) -> Iterator[tuple[Sequence[Mapping[str, Any]], bool, bool]]:
        """(issues, last page?, first page?) of a listing."""
        return paging.by_id(
            lambda asked: self.scoped(self.client.get(path, asked)),
            params,
            self.opening.name,
            self.opening.text,
        )

    def newest_change(self) -> datetime | None:
        """When an issue of the project was last changed, by Redmine's clock (aware UTC)."""
        return self._newest(f"/projects/{self.settings.project}/issues.json")

    def _newest(self, path: str) -> datetime | None:
        asked = {"status_id": "*", "sort": "updated_on:desc", "limit": 1}
        issues = self._issues(self.scoped(self.client.get(path, asked)))
        return convert.instant(issues[0]["updated_on"]) if issues else None

    def _issues(self, answer: Answer) -> Sequence[Mapping[str, Any]]:
        return paging.issues_of(answer, self.opening.name, self.opening.text)

    def scoped(self, answer: Answer) -> Answer:
        """A project that cannot be seen is an accident, not an empty project."""
        if answer.status in (403, 404):
            self.me()
            raise Unsafe(
                self.opening.text(
                    "the project {project} of {tracker} cannot be seen ({status}): it was archived or deleted, our "
                    "account is no longer a member, or the identifier is wrong",
                    project=self.settings.project,
                    tracker=self.opening.name,
                    status=answer.status,
                ),
                what=f"project {self.settings.project} {answer.status}",
                fix=self.opening.text(
                    "in Redmine: unarchive the project (Administration → Projects → Unarchive) or make the account a "
                    "member again (project → Settings → Members); or correct project: in ticssync.yaml"
                ),
            )
        if answer.status == 422:
            raise Unavailable(
                self.opening.text(
                    "{tracker} refuses the question: {why}",
                    tracker=self.opening.name,
                    why="; ".join(answer.errors) or "422",
                )
            )
        return answer

    def _cursor(
        self, before: str | None, newest: datetime | None, seen: Sequence[str], last: bool
    ) -> str | None:
        """Where the next listing goes on: behind the newest change, less what may still be on its way into the
        database; that much only until a later look has shown nothing new."""
        if not last:
            return before
        memory, now = self.opening.memory, self.opening.clock()
        if newest is None:
            return before or BEGINNING
        recent = sorted(one for one in seen if one.rpartition(" ")[2] >= _second(newest - OVERLAP))
        look = {"seen": recent, "newest": instant_text(newest)}
        kept = json.loads(memory.get("look") or "{}")
        if {name: kept.get(name) for name in look} == look:
            if now - parse_instant(kept["at"]) >= SETTLED:
                memory.put("look", None)
                return instant_text(newest + timedelta(seconds=2))
        else:
            memory.put("look", json.dumps({**look, "at": instant_text(now)}))
        return instant_text(newest - OVERLAP)

    def _settle_project(self, issues: Sequence[Mapping[str, Any]]) -> None:
        self._known.listed(issues)
        self._use_project()

    def project_seen(self, project: Mapping[str, Any]) -> None:
        """Redmine told which number our project has."""
        self._known.told(project)
        self._use_project()

    def _use_project(self) -> None:
        if self.convert.project != self._known.number:
            self.convert = replace(self.convert, project=self._known.number)

    def _read(self, issue: Mapping[str, Any]) -> RemoteTask:
        issue = self.workflow.with_closed(issue)
        self.raw[str(issue["id"])] = issue
        self._read_at[str(issue["id"])] = self.opening.clock()
        self.workflow.name(issue.get("status"))
        task = self.convert.decode(issue)
        self._shows.check(task.ref.id, task.version)
        return task

    def is_old(self, ref: RemoteRef) -> bool:
        """Whether what was read of an issue may be out of date by now; False where nothing was read."""
        at = self._read_at.get(ref.id)
        return at is not None and self.opening.clock() - at > OLD

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """Ids, versions and markers of all issues of the project."""
        for issues, last, _ in self._pages(None):
            tasks = [self._read(issue) for issue in issues]
            yield Page([RemoteStub(one.ref, one.version, one.marker) for one in tasks], complete=last)

    # -- single issues

    def fetch(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Fetched]:
        """A strong read by id, 100 in one request; each that is not in the answer is asked for by itself, since
        only that tells deleted (404) from hidden (403)."""
        found: dict[RemoteRef, Fetched] = {}
        for some in parts(refs, PAGE):
            params = {
                "issue_id": convert.ids(some),
                "status_id": "*",
                "limit": PAGE,
                "include": "attachments",
            }
            for issue in self._issues(self.scoped(self.client.get("/issues.json", params))):
                ref = self.convert.ref(issue["id"])
                if ref in some:
                    found[ref] = Fetched(Fate.PRESENT, self._read(issue))
        return {ref: found.get(ref) or self._alone(ref) for ref in refs}

    def _alone(self, ref: RemoteRef) -> Fetched:
        answer = self.client.get(f"/issues/{quote(ref.id, safe='')}.json", {"include": "attachments"})
        if answer.ok:
            return Fetched(Fate.PRESENT, self._read(answer.data["issue"]))
        return Fetched({404: Fate.GONE, 403: Fate.HIDDEN}.get(answer.status, Fate.UNKNOWN))

    def find_by_marker(self, markers: Sequence[str], hint: PreSend) -> MarkerHits:  # noqa: ARG002 - Redmine's search needs no hint
        """Issues of all visible projects that carry these markers; true at once.

        A filter that Redmine does not know, or a field that is not "used as a filter", is passed over and answers
        everything: so every answer is compared here, and then all pages are read.
        """
        wanted = set(markers)
        hits: dict[str, tuple[RemoteTask, ...]] = {}
        for params in self._marker_questions(markers):
            for issue in self._matching(params, wanted):
                task = self._read(issue)
                marker = task.marker or ""
                if task.ref not in {one.ref for one in hits.get(marker, ())}:
                    hits[marker] = (*hits.get(marker, ()), task)
        return MarkerHits(hits)

    def _marker_questions(self, markers: Sequence[str]) -> Iterator[dict[str, str]]:
        place = self.opening.table.marker_place
        if not self.convert.marker_in_text:
            for some in by_length(markers, MARKERS_LENGTH):
                yield {place: "|".join(some)}
        elif len(markers) > 3:
            # One question for all of this workspace's: its pages are bounded by the tasks that it has.
            yield {convert.DESCRIPTION: f"~ticssync.{self.opening.workspace}."}
        else:
            for marker in markers:
                yield {convert.DESCRIPTION: f"~{marker}"}

    def _matching(self, params: Mapping[str, str], wanted: set[str]) -> Iterator[Mapping[str, Any]]:
        asked = {"status_id": "*", "include": "attachments", **params}
        path = "/issues.json"
        for issues, _, first in self._by_id(path, asked):
            matching = [issue for issue in issues if self.convert.marker_of(issue) in wanted]
            if (
                first
                and len(matching) < len(issues)
                and len(issues) == PAGE
                and not self.convert.marker_in_text
            ):
                # Passed over: then at least only our own project.
                path = f"/projects/{self.settings.project}/issues.json"
                for page, _, _ in self._by_id(path, {"status_id": "*", "include": "attachments"}):
                    yield from (issue for issue in page if self.convert.marker_of(issue) in wanted)
                return
            yield from matching

    def next_statuses(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Move]]:
        """What our account may set now, issue by issue (`allowed_statuses`, Redmine 5.0 and later)."""
        found: dict[RemoteRef, Sequence[Move]] = {}
        for ref in refs:
            issue = self._shows.of(ref.id, "statuses")
            allowed = self.workflow.learn(issue) if issue is not None else None
            if allowed is not None and issue is not None:
                here = str(issue["status"]["id"])
                found[ref] = [Move(status) for status in allowed if status != here]
        return found

    def moves_from(self, status: str) -> Sequence[str]:
        """What may follow a status, learned from issues that stand or stood in it."""
        return self.workflow.after(status)

    def status_name(self, status: str) -> str:
        """Redmine's word for a status; all of them are asked for once where it is not known yet."""
        if status in self.workflow.names:
            return self.workflow.names[status]
        if self._all_names() and status not in self.workflow.names:
            return self.opening.text(
                "status {id} (not in Redmine; correct statuses: in the mapping)", id=status
            )
        return self.workflow.names.get(status, status)

    def _all_names(self) -> bool:
        """Ask for them; whether a status without a name certainly is none.  For want of a word nothing may fail:
        a write is under way."""
        if self._names_asked is None:
            self._names_asked = False
            with suppress(AuthLost, Throttled, Unavailable):
                found = self.client.get("/issue_statuses.json").data.get("issue_statuses", ())
                self.workflow.all_known(found)
                self._names_asked = bool(found)
        return self._names_asked

    def comments(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[Comment]]:
        """Notes, one request an issue: only an issue shown by itself has them."""
        shown = {ref: self._shows.of(ref.id, "comments") for ref in refs}
        return {ref: convert.notes(issue) for ref, issue in shown.items() if issue is not None}

    def history(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Sequence[FieldChange]]:
        """Who changed what, from the journals; an issue that was just shown is not asked for again."""
        shown = {ref: self._shows.of(ref.id, "history") for ref in refs}
        return {ref: convert.changes(issue) for ref, issue in shown.items() if issue is not None}

    def download(self, ref: RemoteRef, attachment: Attachment) -> BinaryIO:
        """The bytes of a file, whole: one that came short is Unavailable."""
        path = f"/attachments/download/{quote(attachment.id, safe='')}"
        size, content = self.client.download(path, f"{attachment.name} (#{ref.id})")
        if attachment.size and size != attachment.size:
            content.close()
            raise Unavailable(
                self.opening.text(
                    "{tracker}: the file {name} of #{issue} came short ({size} of {all} bytes)",
                    tracker=self.opening.name,
                    name=attachment.name,
                    issue=ref.id,
                    size=size,
                    all=attachment.size,
                )
            )
        return content

    # -- adoption

    def resolve(self, text: str) -> RemoteRef | None:
        """`#123`, `123`, or the address of an issue of this Redmine."""
        words = text.strip()
        if "://" in words:
            ours, theirs = urlsplit(self.settings.url), urlsplit(words)
            if (ours.netloc, ours.path) != (theirs.netloc, theirs.path.partition("/issues/")[0]):
                return None
            words = theirs.path.rpartition("/issues/")[2].partition("/")[0]
        number = words.removeprefix("#").removesuffix(".json")
        if not (number.isascii() and number.isdigit()):
            return None
        ref = self.convert.ref(int(number))
        return ref if self._alone(ref).fate is Fate.PRESENT else None

    def search(self, query: str) -> Iterator[RemoteTask]:
        """Issues of the project with these words in their subject; all of them without words."""
        params: dict[str, Any] = {"status_id": "*", "include": "attachments"}
        words = canonical_text(query).strip()
        if words:
            params["subject"] = f"~{words}"
        path = f"/projects/{self.settings.project}/issues.json"
        for issues, _, _ in self._by_id(path, params):
            # An old Redmine passes over a filter that it does not know.
            yield from (
                self._read(issue) for issue in issues if words.casefold() in str(issue["subject"]).casefold()
            )

    # -- inside

    def _ask_show(self, ident: str) -> Mapping[str, Any] | None:
        answer = self.client.get(
            f"/issues/{quote(ident, safe='')}.json", {"include": "journals,allowed_statuses,attachments"}
        )
        issue = answer.data.get("issue") if answer.ok else None
        if not isinstance(issue, dict):
            return None
        self.raw[ident] = issue
        self._read_at[ident] = self.opening.clock()
        self.workflow.learn(issue)
        return issue

    def _an_issue_in(self, status: str) -> str | None:
        """Any issue of the project in this status, of the kind of issue that we make."""
        params = {"status_id": status, "limit": 1, "sort": "id:desc"}
        kind = self.opening.table.given.get("tracker_id")
        if kind:
            params["tracker_id"] = kind
        path = f"/projects/{self.settings.project}/issues.json"
        issues = self._issues(self.scoped(self.client.get(path, params)))
        return next((str(one["id"]) for one in issues if str(one["status"]["id"]) == status), None)

    def _allowed_of(self, ident: str) -> None:
        self._shows.of(ident, "workflow")

    def forget(self, ident: str) -> None:
        """What was read of an issue is old: we wrote to it."""
        self._shows.drop(ident)


def _name(user: Mapping[str, Any]) -> str:
    names = (str(user.get(part, "")) for part in ("lastname", "firstname"))
    return " ".join(filter(None, names)) or str(user.get("login", ""))


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def parts(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Runs of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def by_length(texts: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Runs of texts that together stay below so many characters, separators counted as three (`%7C`)."""
    run: list[str] = []
    length = 0
    for text in texts:
        if run and length + len(text) + 3 > most:
            yield run
            run, length = [], 0
        run.append(text)
        length += len(text) + 3
    if run:
        yield run
