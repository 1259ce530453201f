"""The reading half of the driver."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

from ticssync.plugin import (
    Attachment,
    Comment,
    Fate,
    FieldChange,
    MarkerHits,
    Move,
    Page,
    PreSend,
    RemoteRef,
    RemoteStub,
    RemoteTask,
    Unavailable,
    canonical_text,
    instant_text,
    parse_instant,
)
from ticssync_redmine import convert
from ticssync_redmine.asking import Asking, by_length, second
from ticssync_redmine.client import PAGE

OVERLAP: Final = timedelta(seconds=10)
"""How long an issue saved before another may be committed after it: what is newer than this is read again."""

SETTLED: Final = timedelta(seconds=15)
"""After so long with nothing new, everything saved before is committed."""

BEGINNING: Final = "2000-01-01T00:00:00.000000Z"
"""The cursor after an empty project: before anything."""

MARKERS_LENGTH: Final = 1200
"""Characters of markers in one question.  Redmine keeps the filters of a listing in its session cookie, also for an
API key: where they do not fit into 4 KB, 5.0 and 6.0 answer 500 (observed: from 1,720 characters on)."""


class Reading(Asking):
    """Everything but writing and doctor."""

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
            seen += [f"{task.version} {task.ref.id}" for task in tasks]
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
        recent = sorted(one for one in seen if one.partition(" ")[0] >= second(newest - OVERLAP))
        look = {"seen": recent, "newest": instant_text(newest)}
        kept = json.loads(memory.get("look") or "{}")
        if {name: kept.get(name) for name in look} == look:
            if now - parse_instant(kept["at"]) >= SETTLED:
                memory.put("look", None)
                return instant_text(newest + timedelta(seconds=2))
        else:
            memory.put("look", json.dumps({**look, "at": instant_text(now)}))
        return instant_text(newest - OVERLAP)

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """Ids, versions and markers of all issues of the project."""
        for issues, last, _ in self._pages(None):
            tasks = [self._read(issue) for issue in issues]
            yield Page([RemoteStub(one.ref, one.version, one.marker) for one in tasks], complete=last)

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
