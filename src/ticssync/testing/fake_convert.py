"""Canonical values ↔ what the make-believe tracker holds.  Pure.

`show(encode(value)) == view(value)`: what is written is read back as its view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from ticssync.plugin import Fields, FieldValue, RemoteRef, RemoteTask, Table, Translate, canonical_text
from ticssync.testing.behaviour import MARKER, STATUS, TITLE, Behaviour
from ticssync.testing.wire import Issue

DATES: Final = ("start", "due")


@dataclass(frozen=True, slots=True)
class Converter:
    """Reads and writes with one mapping's table against one tracker's set-up."""

    tracker: str
    table: Table
    behaviour: Behaviour
    text: Translate

    def view(self, name: str, value: FieldValue) -> FieldValue:
        """What this tracker can show of a canonical value."""
        remote = self.encode(name, value)
        if name == "status":
            return self.table.statuses.get(str(remote))
        if name == "assignee":
            return self._person(str(remote)) if remote is not None else None
        return _shown(remote)

    def encode(self, name: str, value: FieldValue) -> FieldValue:
        """A canonical value in the tracker's words; None where it has no word for it."""
        if name == "status":
            return self.table.remote_status(str(value)) or self.table.remote_status(
                self.behaviour.nearest.get(str(value), "")
            )
        if name == "assignee":
            return self.table.people.get(str(value)) if value is not None else None
        if isinstance(value, tuple):
            return tuple(sorted(value)) or None
        if not isinstance(value, str):
            return value
        return self._text(value, self.behaviour.title_max if self.table.fields.get(name) == TITLE else None)

    def _text(self, value: str, limit: int | None) -> str | None:
        """The text as it is where it fits, byte for byte; a longer one is cut in its canonical form."""
        shown = canonical_text(value)
        if limit is None or max(len(shown), len(value)) <= limit:
            return value if shown else None
        return canonical_text(shown[:limit]) or None

    def encode_all(self, fields: Fields, marker: str | None) -> dict[str, FieldValue]:
        """The request's fields by the tracker's names; what the mapping has no place for is left out."""
        places = self.table.fields
        request = {places[name]: self.encode(name, value) for name, value in fields.items() if name in places}
        return request if marker is None else {**request, self.marker_place: marker}

    @property
    def marker_place(self) -> str:
        """The tracker's field that holds the marker."""
        return self.table.marker_place or MARKER

    def decode(self, issue: Issue) -> RemoteTask:
        """An issue as a task; what cannot be read is absent and named in `problems`."""
        fields: dict[str, FieldValue] = {}
        problems: list[str] = []
        for name, place in self.table.fields.items():
            if place in issue.fields:
                self._decode(name, issue.fields[place], fields, problems)
        marker = issue.fields.get(self.marker_place)
        status = str(issue.fields.get(STATUS) or "")
        return RemoteTask(
            ref=RemoteRef(self.tracker, issue.id),
            fields=fields,
            key=issue.key,
            url=f"https://fake.example/{issue.key}",
            version=str(issue.version),
            updated_at=issue.updated_at,
            marker=str(marker) if marker else None,
            raw_status=status,
            closed=status in self.behaviour.closed,
            problems=tuple(problems),
            attachments=issue.attachments,
            changed_by_person=issue.by_person if self.behaviour.tells_author else None,
        )

    def _decode(
        self, name: str, remote: FieldValue, fields: dict[str, FieldValue], problems: list[str]
    ) -> None:
        if name == "status" and str(remote) not in self.table.statuses:
            problems.append(self.text("the status “{status}” is not in the mapping", status=remote))
        elif name == "assignee" and remote is not None and self._person(str(remote)) is None:
            problems.append(
                self.text("the account {account} belongs to nobody in ticssync.yaml", account=remote)
            )
        elif name in DATES and remote is not None and not _is_date(remote):
            problems.append(
                self.text("“{value}” in {field} is not a date", value=remote, field=self.table.fields[name])
            )
        else:
            fields[name] = self._value(name, remote)

    def _value(self, name: str, remote: FieldValue) -> FieldValue:
        if name == "status":
            return self.table.statuses[str(remote)]
        if name == "assignee":
            return self._person(str(remote)) if remote is not None else None
        return _shown(remote)

    def _person(self, account: str) -> str | None:
        return _key_of(self.table.people, account)


def _shown(remote: FieldValue) -> FieldValue:
    if isinstance(remote, str):
        return canonical_text(remote) or None
    return tuple(sorted(remote)) or None if isinstance(remote, tuple) else remote


def _is_date(value: FieldValue) -> bool:
    try:
        return date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        return False


def _key_of(mapping: Mapping[str, str], value: str) -> str | None:
    return next((key for key, one in mapping.items() if one == value), None)
