"""Redmine's issues ↔ tasks.  Pure.

Every id is text here, as in ticssync.yaml and the mapping file.  Law: `decode(encode(v)) == view(v)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from ticssync.plugin import (
    Attachment,
    Comment,
    FieldChange,
    Fields,
    FieldValue,
    RemoteRef,
    RemoteTask,
    Table,
    Translate,
    canonical_text,
)
from ticssync_redmine import block

SUBJECT_MAX: Final = 255
"""Characters, kanji as well (observed: 256 → 422)."""

DESCRIPTION: Final = "description"
SUBJECT: Final = "subject"
STATUS: Final = "status_id"
ASSIGNEE: Final = "assigned_to_id"
DATES: Final = ("start_date", "due_date")
NUMBERS: Final = ("done_ratio",)
REFERENCES: Final = {
    "status_id": "status", "assigned_to_id": "assigned_to", "priority_id": "priority", "category_id": "category",
    "fixed_version_id": "fixed_version", "parent_issue_id": "parent", "tracker_id": "tracker",
}  # fmt: skip
"""What is written as an id is read as an object; one that is empty is left out of the answer."""

STANDARD: Final = (SUBJECT, DESCRIPTION, *REFERENCES, *DATES, *NUMBERS)
CUSTOM: Final = "cf_"


class _Absent:
    """A place that the issue does not have."""


ABSENT: Final = _Absent()
Raw = str | tuple[str, ...] | None | _Absent


def is_place(place: str) -> bool:
    """Whether an issue can have such a field: a standard one, or `cf_` and the number of a custom field."""
    return place in STANDARD or custom_id(place) is not None


def custom_id(place: str) -> int | None:
    """The number of a custom field, from `cf_12`."""
    number = place.removeprefix(CUSTOM)
    return int(number) if place.startswith(CUSTOM) and number.isascii() and number.isdigit() else None


def instant(text: str) -> datetime:
    """Redmine's time (UTC, whole seconds) as aware UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def raw(issue: Mapping[str, Any], place: str) -> Raw:
    """What stands in a place of an issue, as text; ABSENT where the issue has no such field."""
    number = custom_id(place)
    if number is not None:
        return next(
            (_texts(one.get("value")) for one in issue.get("custom_fields", ()) if one["id"] == number),
            ABSENT,
        )
    if place in REFERENCES:
        found = issue.get(REFERENCES[place])
        return str(found["id"]) if isinstance(found, dict) else None
    return _texts(issue.get(place)) if place in STANDARD else ABSENT


def _texts(value: Any) -> str | tuple[str, ...] | None:
    if isinstance(value, list):
        return tuple(sorted(str(one) for one in value if one not in (None, "")))
    return None if value in (None, "") else str(value)


def version_of(issue: Mapping[str, Any]) -> str:
    """Tells one state of an issue from another.  Redmine's time of change has whole seconds only: what people do
    in the second in which we looked shows in what stands there."""
    values: list[Any] = [issue.get("is_private") or False, (issue.get("project") or {}).get("id")]
    values += [raw(issue, place) for place in STANDARD]
    custom = {int(one["id"]): _texts(one.get("value")) or None for one in issue.get("custom_fields", ())}
    values += [(number, custom[number]) for number in sorted(custom)]
    values += sorted(one["id"] for one in issue.get("attachments", ()))
    stands = hashlib.sha256(repr(values).encode()).hexdigest()[:10]
    return f"{issue.get('updated_on') or ''} {stands}"


@dataclass(frozen=True, slots=True)
class Converter:
    """Reads and writes issues with one mapping's table."""

    tracker: str
    table: Table
    url: str
    text: Translate
    project: str = ""

    # -- places

    @property
    def marker_in_text(self) -> bool:
        """Whether the marker stands in the description, for want of a custom field."""
        return custom_id(self.table.marker_place) is None

    def place(self, name: str) -> str:
        """Where a canonical field lives; empty where it has no place."""
        place = self.table.fields.get(name, "")
        return place if is_place(place) else ""

    def ref(self, number: Any) -> RemoteRef:
        """The reference of an issue."""
        return RemoteRef(self.tracker, str(number))

    # -- reading

    def decode(self, issue: Mapping[str, Any]) -> RemoteTask:
        """An issue as a task; what cannot be read is absent and named in `problems`."""
        fields: dict[str, FieldValue] = {}
        problems: list[str] = []
        for name in self.table.fields:
            self._decode(name, issue, fields, problems)
        self._elsewhere(issue, problems)
        status = issue.get("status") or {}
        return RemoteTask(
            ref=self.ref(issue["id"]),
            fields=fields,
            key=f"#{issue['id']}",
            url=f"{self.url}/issues/{issue['id']}",
            version=version_of(issue),
            updated_at=instant(issue["updated_on"]) if issue.get("updated_on") else None,
            marker=self.marker_of(issue),
            raw_status=str(status.get("id", "")),
            closed=bool(status.get("is_closed", False)),
            problems=tuple(problems),
            attachments=tuple(map(attachment, issue.get("attachments", ()))),
        )

    def marker_of(self, issue: Mapping[str, Any]) -> str | None:
        """The marker as it stands in the issue."""
        if self.marker_in_text:
            return block.parse(str(issue.get(DESCRIPTION) or "")).marker
        found = raw(issue, self.table.marker_place)
        return found if isinstance(found, str) else None

    def _decode(
        self, name: str, issue: Mapping[str, Any], fields: dict[str, FieldValue], problems: list[str]
    ) -> None:
        place = self.place(name)
        found = raw(issue, place) if place else ABSENT
        if isinstance(found, _Absent):
            return
        if place == DESCRIPTION:
            fields[name] = block.parse(found if isinstance(found, str) else "").body or None
            return
        value = self.shown(name, found)
        if value is None and found is not None and self._coded(name, place):
            problems.append(self._unreadable(name, place, found, issue))
        else:
            fields[name] = value

    def _coded(self, name: str, place: str) -> bool:
        """Whether the mapping says what each value means: then an unknown one is unreadable, not empty."""
        return name in self.table.values or name == "assignee" or place in (STATUS, ASSIGNEE)

    def _unreadable(self, name: str, place: str, found: Any, issue: Mapping[str, Any]) -> str:
        named = (issue.get(REFERENCES.get(place, "")) or {}).get("name", "") or found
        if place == STATUS:
            return self.text(
                "#{issue}: the status {status} (id {id}) is not in the mapping",
                issue=issue["id"],
                status=named,
                id=found,
            )
        if place == ASSIGNEE or name == "assignee":
            return self.text(
                "#{issue}: {name} (account {id}) belongs to nobody under people: in ticssync.yaml",
                issue=issue["id"],
                name=named,
                id=found,
            )
        return self.text(
            "#{issue}: {value} in {field} is not in the mapping", issue=issue["id"], value=named, field=place
        )

    def _elsewhere(self, issue: Mapping[str, Any], problems: list[str]) -> None:
        project = issue.get("project") or {}
        if self.project and str(project.get("id", self.project)) != self.project:
            problems.append(
                self.text(
                    "#{issue} was moved to the project {project}",
                    issue=issue["id"],
                    project=project.get("name", ""),
                )
            )

    def shown(self, name: str, found: str | tuple[str, ...] | None) -> FieldValue:
        """A raw value in canonical form; None where it is empty or unknown to the mapping."""
        place = self.place(name)
        if found is None:
            return None
        if isinstance(found, tuple):
            return tuple(sorted(filter(None, map(canonical_text, found)))) or None
        if name in self.table.values:
            return self.table.values[name].get(found)
        if place == STATUS:
            return self.table.statuses.get(found)
        if place == ASSIGNEE or name == "assignee":
            return next((person for person, account in self.table.people.items() if account == found), None)
        if place in NUMBERS:
            return int(found)
        return canonical_text(found) or None

    # -- writing

    def view(self, name: str, value: FieldValue) -> FieldValue:
        """What Redmine can show of a canonical value."""
        if self.place(name) == DESCRIPTION:
            return (canonical_text(str(value)) or None) if value is not None else None
        return self.shown(name, _as_read(self.encode(name, value)))

    def encode(self, name: str, value: FieldValue) -> str | list[str] | int | None:
        """A canonical value as Redmine takes it; None where it is empty or has no word there."""
        place = self.place(name)
        if value is None:
            return None
        if name in self.table.values:
            known = self.table.values[name]
            return next((remote for remote, ours in known.items() if ours == value), None)
        if place == STATUS:
            return self.table.remote_status(str(value))
        if place == ASSIGNEE or name == "assignee":
            return self.table.people.get(str(value))
        if place in DATES:
            return _day(str(value))
        if isinstance(value, tuple):
            return [str(one) for one in value]
        if isinstance(value, bool):
            return "1" if value else "0"
        return _line(str(value)) if place == SUBJECT else value if isinstance(value, int) else str(value)

    def request(self, fields: Fields, marker: str | None, description: str | None) -> dict[str, Any]:
        """The `issue` of a request.  `description` is what stands there now (None: a new issue); `marker` is the
        marker to set ("" takes it away, None leaves it)."""
        body: dict[str, Any] = {}
        custom: list[dict[str, Any]] = []
        for name, value in fields.items():
            place = self.place(name)
            number = custom_id(place)
            if place == DESCRIPTION or not place:
                continue
            encoded = self.encode(name, value)
            if number is not None:
                custom.append({"id": number, "value": "" if encoded is None else encoded})
            else:
                body[place] = "" if encoded is None else encoded
        number = custom_id(self.table.marker_place)
        if marker is not None and number is not None:
            custom.append({"id": number, "value": marker})
        text = self._description(fields, marker, description)
        if text is not None:
            body[DESCRIPTION] = text
        return {**body, "custom_fields": custom} if custom else body

    def _description(self, fields: Fields, marker: str | None, old: str | None) -> str | None:
        names = [name for name in fields if self.place(name) == DESCRIPTION]
        if not names and not (self.marker_in_text and marker is not None):
            return None
        parts = block.parse(old or "")
        value = fields[names[0]] if names else parts.body
        shown = canonical_text(str(value)) if value is not None else ""
        kept = (marker if marker is not None else parts.marker) if self.marker_in_text else None
        return block.compose(old or "", shown, kept or None, self.text.lang)


def _as_read(value: str | list[str] | int | None) -> str | tuple[str, ...] | None:
    return _texts(value)


def _line(text: str) -> str:
    """A subject: one line, cut where Redmine would refuse it; byte for byte where neither is needed."""
    if len(text) <= SUBJECT_MAX and "\n" not in text and "\r" not in text:
        return text
    return canonical_text(" ".join(canonical_text(text).split("\n"))[:SUBJECT_MAX])


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def attachment(found: Mapping[str, Any]) -> Attachment:
    """A file as an issue lists it."""
    author = found.get("author") or {}
    return Attachment(
        id=str(found["id"]),
        name=str(found["filename"]),
        size=int(found.get("filesize") or 0),
        author=str(author.get("id", "")),
        created_at=instant(found["created_on"]) if found.get("created_on") else None,
        author_name=str(author.get("name", "")),
    )


def notes(issue: Mapping[str, Any]) -> tuple[Comment, ...]:
    """The notes of an issue that was shown with its journals, oldest first."""
    return tuple(
        Comment(
            id=str(one["id"]),
            text=canonical_text(str(one["notes"])),
            author=str((one.get("user") or {}).get("id", "")),
            created_at=instant(one["created_on"]) if one.get("created_on") else None,
            private=bool(one.get("private_notes", False)),
            author_name=str((one.get("user") or {}).get("name", "")),
        )
        for one in issue.get("journals", ())
        if str(one.get("notes") or "").strip()
    )


def changes(issue: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Who changed what, oldest first, from the journals.  Custom fields are named as in the mapping (`cf_9`)."""
    return tuple(
        FieldChange(
            id=str(journal["id"]),
            field=f"{CUSTOM}{detail['name']}" if detail.get("property") == "cf" else str(detail["name"]),
            old=_text(detail.get("old_value")),
            new=_text(detail.get("new_value")),
            author=str((journal.get("user") or {}).get("id", "")),
            at=instant(journal["created_on"]),
            author_name=str((journal.get("user") or {}).get("name", "")),
        )
        for journal in issue.get("journals", ())
        for detail in journal.get("details", ())
        if detail.get("property") in ("attr", "cf")
    )


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def ids(refs: Iterable[RemoteRef]) -> str:
    """The issue_id filter of these."""
    return ",".join(ref.id for ref in refs)
