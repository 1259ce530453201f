"""A real Redmine as a site for the contract: the person's hands are REST calls with that person's own key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests
from tests.servers.redmine import Server

from ticssync.plugin import FieldValue, RemoteRef, Table, TrackerDriver
from ticssync.testing.opening import FakeMemory, opening
from ticssync.testing.site import TrackerSite
from ticssync_redmine.settings import RedmineSettings
from ticssync_redmine.tracker import RedmineTracker, open_redmine

PERSON = "worker"


def table(server: Server, *, marker: str = "", kind: str = "feature") -> Table:
    """A mapping of everything that the contract tries, against the seed's ids."""
    ids = server.ids
    statuses = {
        "new": "todo",
        "in_progress": "doing",
        "resolved": "review",
        "closed": "done",
        "rejected": "wont_do",
    }
    priorities = {"low": "low", "normal": "normal", "high": "high", "urgent": "urgent", "immediate": "urgent"}
    return Table(
        fields={
            "title": "subject",
            "body": "description",
            "status": "status_id",
            "assignee": "assigned_to_id",
            "start": "start_date",
            "due": "due_date",
            "priority": "priority_id",
            "number": f"cf_{ids['custom_fields']['criterion']}",
        },
        statuses={str(ids["statuses"][name]): ours for name, ours in statuses.items()},
        people={"sato": str(ids["users"]["worker"]), "takasaki": str(ids["users"]["confirmer"])},
        names={"sato": "山田 太郎", "takasaki": "高崎 健"},
        marker_place=marker or f"cf_{ids['custom_fields']['marker']}",
        values={"priority": {str(ids["priorities"][name]): ours for name, ours in priorities.items()}},
        given={"tracker_id": str(ids["trackers"][kind])},
    )


def now() -> datetime:
    return datetime.now(timezone.utc)


class RedmineSite(TrackerSite):
    people: Sequence[str] = ("sato", "takasaki")

    def __init__(
        self, server: Server, *, marker: str = "", account: str = "bot", kind: str = "feature"
    ) -> None:
        self.server, self.account = server, account
        self.table = table(server, marker=marker, kind=kind)
        self.memory = FakeMemory()
        self.shift = timedelta()
        self.url = server.url

    def open(self) -> RedmineTracker:
        settings = RedmineSettings(url=self.url, project="tics", api_key=self.server.keys[self.account])
        driver: TrackerDriver = open_redmine(
            opening(
                "factory",
                settings=settings,
                table=self.table,
                root=Path.cwd(),
                memory=self.memory,
                clock=lambda: now() + self.shift,
            )
        )
        assert isinstance(driver, RedmineTracker)
        return driver

    # -- a person's hands

    def ask(self, method: str, path: str, who: str = PERSON, **parts: Any) -> requests.Response:
        answer = requests.request(
            method,
            self.server.url + path,
            headers={"X-Redmine-API-Key": self.server.keys[who]},
            timeout=30,
            **parts,
        )
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def person_sets(self, ref: RemoteRef, field: str, value: FieldValue) -> None:
        place = self.table.fields[field]
        remote: Any = value
        if field == "status":
            remote = self.table.remote_status(str(value))
        elif field == "assignee" and value is not None:
            remote = self.table.people[str(value)]
        elif field == "priority":
            remote = next(remote for remote, ours in self.table.values["priority"].items() if ours == value)
        self.put(ref, {place: remote})

    def put(self, ref: RemoteRef, fields: dict[str, Any], who: str = PERSON) -> None:
        custom = [
            {"id": int(name[3:]), "value": value} for name, value in fields.items() if name.startswith("cf_")
        ]
        body = {
            name: "" if value is None else value
            for name, value in fields.items()
            if not name.startswith("cf_")
        }
        self.ask("PUT", f"/issues/{ref.id}.json", who, json={"issue": {**body, "custom_fields": custom}})

    def person_deletes(self, ref: RemoteRef) -> None:
        self.ask("DELETE", f"/issues/{ref.id}.json", "admin")

    def person_hides(self, ref: RemoteRef) -> None:
        """Into a project that we are no member of: a private issue stays visible to its author."""
        self.put(ref, {"project_id": "other"}, "admin")

    def person_creates(self, title: str) -> RemoteRef:
        body = {"project_id": "tics", "tracker_id": self.table.given["tracker_id"], "subject": title}
        found = self.ask("POST", "/issues.json", json={"issue": body}).json()["issue"]["id"]
        return RemoteRef("factory", str(found))

    def person_attaches(self, ref: RemoteRef, name: str, content: bytes) -> None:
        sent = requests.post(
            f"{self.server.url}/uploads.json", params={"filename": name}, data=content, timeout=30,
            headers={"X-Redmine-API-Key": self.server.keys[PERSON], "Content-Type": "application/octet-stream"},
        )  # fmt: skip
        token = sent.json()["upload"]["token"]
        self.put(ref, {"uploads": [{"token": token, "filename": name}]})

    def refused_field(self) -> tuple[str, FieldValue]:
        return "title", ""

    def wait(self, seconds: float) -> None:
        """Nothing lags here."""
