"""Asking one Redmine for one project: who we are, listings page by page, single issues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from ticssync.plugin import (
    AuthLost,
    Capabilities,
    Fate,
    Fetched,
    FieldValue,
    Opening,
    Principal,
    RemoteRef,
    RemoteTask,
    Throttled,
    TrackerDriver,
    Unavailable,
    Unsafe,
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

FORBIDDEN: Final = 403
OLD: Final = timedelta(seconds=30)
"""How long what was read of an issue may be gone by when its description is written."""

PROOF_EVERY: Final = timedelta(minutes=15)
ItemT = TypeVar("ItemT")


class RestOff(AuthLost):
    """Redmine answers no key at all."""


class Asking(TrackerDriver):
    """What reading and writing are made of."""

    def __init__(self, opening: Opening) -> None:
        settings = opening.settings
        assert isinstance(settings, RedmineSettings)
        self.opening = opening
        self.settings = settings
        self.voice = Voice(opening.name, opening.text, opening.clock)
        ca_file = opening.root / settings.ca_file if settings.ca_file else None
        key = settings.api_key.get_secret_value()
        self.client = Client(settings.url, key, self.voice, ca_file, before_write=opening.before_write)
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

    def whoami(self) -> Principal:
        """Our account.  A wrong or revoked key is AuthLost here, and only here for certain: listings answer a
        stranger with 200 and nothing."""
        user = self.me()
        ident = str(user["id"])
        return Principal(ident, _name(user), bool(user.get("admin", False)), (ident,))

    def own_ids(self) -> frozenset[str]:
        """Our account's number, as it was last proven: a key belongs to one account for good."""
        kept = self.opening.memory.get("own_id")
        return frozenset((kept,)) if kept else super().own_ids()

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
        # A proof in the future comes from a clock that ran ahead.
        if proved is None or abs(self.opening.clock() - parse_instant(proved)) > PROOF_EVERY:
            self.me()

    def view(self, field_name: str, value: FieldValue) -> FieldValue:
        """What Redmine can show of a value."""
        return self.convert.view(field_name, value)

    def holds(self, field_name: str) -> bool:
        """Whether the mapping gives the field a place that Redmine knows."""
        if field_name == "marker":
            return True
        return bool(self.convert.place(field_name))

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
        self._shows.check(task.ref.id, str(issue.get("updated_on") or ""))
        return task

    def is_old(self, ref: RemoteRef) -> bool:
        """Whether what was read of an issue may be out of date by now; False where nothing was read."""
        at = self._read_at.get(ref.id)
        return at is not None and self.opening.clock() - at > OLD

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


def second(moment: datetime) -> str:
    """As Redmine writes it: UTC, whole seconds."""
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
