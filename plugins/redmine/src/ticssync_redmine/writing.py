"""The writing half of the driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ticssync.plugin import (
    Change,
    Done,
    Draft,
    Fate,
    Fields,
    Note,
    Outcome,
    OutFile,
    PreSend,
    Rejected,
    Unavailable,
    Unknown,
    Unsafe,
)
from ticssync.plugin.http import AnswerLost
from ticssync_redmine.client import PAGE, Answer
from ticssync_redmine.convert import ASSIGNEE, DESCRIPTION, STATUS
from ticssync_redmine.reading import Reading

CLOSED_PROJECT: Final = 5
"""`status` of a project in Redmine: 1 active, 5 closed, 9 archived."""

FORBIDDEN: Final = 403
GONE: Final = 404
TOO_LARGE: Final = 413
REFUSED: Final = 422
FAILED: Final = 500


class Writing(Reading):
    """Creates, updates, notes and files.  Redmine takes one issue in a request and answers a change with 204
    whether it made it or not: what became of it the host reads afterwards."""

    def create(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One request each.  The answer to a create holds the issue as it was saved."""
        return [self._create(draft) for draft in drafts]

    def _create(self, draft: Draft) -> Outcome:
        body = self.new_issue(draft.fields, draft.marker)
        try:
            answer = self.client.post("/issues.json", {"issue": body})
            if answer.status == REFUSED and body.get(ASSIGNEE):
                return self._without_assignee(draft, body, answer)
        except AnswerLost as error:
            return Unknown(str(error))
        if answer.ok:
            return self._in_status(draft, self._made(answer))
        return self._not_made(draft, answer)

    def _in_status(self, draft: Draft, made: Outcome) -> Outcome:
        """A new issue gets the status that the workflow begins with, whatever was asked for (201): another one is
        set by a second request, where it is allowed."""
        name = next((name for name in draft.fields if self.convert.place(name) == STATUS), None)
        if not isinstance(made, Done) or made.task is None or name is None:
            return made
        wanted = self.convert.view(name, draft.fields[name])
        if wanted is None or made.task.fields.get(name) == wanted:
            return made
        try:
            answer = self._put(made.ref.id, {STATUS: self.convert.encode(name, wanted)})
            task = self.fetch([made.ref])[made.ref].task
        except AnswerLost:
            return made
        if task is None or task.fields.get(name) == wanted:
            return Done(made.ref, task or made.task, made.refused)
        words = (
            self._words(answer, made.ref.id)[0]
            if not answer.ok
            else self._stopped(str(self.convert.encode(name, wanted)), task)
        )
        return Done(made.ref, task, {**made.refused, name: words})

    def new_issue(self, fields: Fields, marker: str | None) -> dict[str, Any]:
        """The `issue` of a create; without a marker only for a trial."""
        given: dict[str, Any] = {
            name: value for name, value in self.opening.table.given.items() if not name.startswith("cf_")
        }
        custom = [
            {"id": int(name.removeprefix("cf_")), "value": value}
            for name, value in self.opening.table.given.items()
            if name.startswith("cf_")
        ]
        # Left out, it would become today, and a due date before today would be refused.
        given.setdefault("start_date", "")
        body = {"project_id": self.settings.project, **given, **self.convert.request(fields, marker, None)}
        custom = [
            one for one in custom if one["id"] not in {own["id"] for own in body.get("custom_fields", ())}
        ]
        if custom:
            body["custom_fields"] = [*custom, *body.get("custom_fields", ())]
        return body

    def _made(self, answer: Answer) -> Outcome:
        issue = answer.data.get("issue")
        if not isinstance(issue, dict) or "id" not in issue:
            return Unknown(self.opening.text("{tracker} did not say what it made", tracker=self.opening.name))
        # It was made in our project: no other answer ties the identifier to the number for certain.
        self.project_seen(issue.get("project") or {})
        return Done(self.convert.ref(issue["id"]), self._read(issue))

    def _without_assignee(self, draft: Draft, body: Mapping[str, Any], refusal: Answer) -> Outcome:
        """Somebody who may not be given work (locked, no member) must not keep the whole task from being made."""
        answer = self.client.post("/issues.json", {"issue": {**body, ASSIGNEE: ""}})
        if not answer.ok:
            return self._not_made(draft, refusal)
        made = self._made(answer)
        name = next(name for name in draft.fields if self.convert.place(name) == ASSIGNEE)
        return (
            Done(made.ref, made.task, {name: "; ".join(refusal.errors)}) if isinstance(made, Done) else made
        )

    def _not_made(self, draft: Draft, answer: Answer) -> Outcome:
        if answer.status in (REFUSED, FORBIDDEN, GONE):
            self._need_open_project()
        if answer.status >= FAILED:
            return self._failed_inside(draft)
        return Rejected(self._words(answer))

    def _failed_inside(self, draft: Draft) -> Outcome:
        """500: rolled back as a rule.  Characters that an old database cannot hold end like this each time."""
        texts = " ".join(str(value) for value in draft.fields.values())
        hits = self.find_by_marker([draft.marker], PreSend()).hits.get(draft.marker, ())
        if hits:
            return Unknown(
                self.opening.text(
                    "{tracker} failed inside (500), but #{issue} was made",
                    tracker=self.opening.name,
                    issue=hits[0].ref.id,
                )
            )
        if _wide(texts):
            return Rejected((self._no_emoji(),))
        raise Unavailable(
            self.opening.text(
                "{tracker} fails inside ({status}); its administrator finds why in Redmine's log",
                tracker=self.opening.name,
                status=FAILED,
            )
        )

    def _no_emoji(self) -> str:
        return self.opening.text(
            "Redmine failed inside (500), probably at characters such as 𠮷 or 🔒, which its database (MySQL utf8mb3) "
            "cannot store: leave them out of the text, or have the database changed to utf8mb4"
        )

    def _words(self, answer: Answer, ident: str = "") -> tuple[str, ...]:
        """Why not.  Redmine's own sentences where it has some; `ident` is the issue, empty where there is none yet."""
        return answer.errors or (self._why_not(answer.status, ident),)

    def _why_not(self, status: int, ident: str) -> str:
        text = self.opening.text
        if status == FORBIDDEN:
            return (
                text(
                    "our account may not change #{issue} (403); in Redmine: Administration → Roles and permissions → our "
                    "role → tick Edit issues and Add notes",
                    issue=ident,
                )
                if ident
                else text(
                    "our account may not add issues (403); in Redmine: Administration → Roles and permissions → our role "
                    "→ tick Add issues"
                )
            )
        if status == GONE and ident:
            return text("#{issue} is not there any more (404)", issue=ident)
        if status == TOO_LARGE:
            return text(
                "too large for this Redmine or the proxy before it (413); in Redmine: Administration → Settings → Files → "
                "Maximum attachment size"
            )
        if status == REFUSED:
            return text("Redmine refuses it and does not say why (422)")
        if status >= FAILED and ident:
            return text(
                "Redmine failed inside ({status}) at #{issue}; its administrator finds why in Redmine's log",
                status=status,
                issue=ident,
            )
        return text("Redmine answers {status}", status=status)

    def _need_open_project(self) -> None:
        answer = self.scoped(self.client.get(f"/projects/{self.settings.project}.json"))
        project = answer.data.get("project") or {}
        self.project_seen(project)
        if project.get("status") == CLOSED_PROJECT:
            raise Unsafe(
                self.opening.text(
                    "the project {project} of {tracker} is closed: it can be read, not written",
                    project=self.settings.project,
                    tracker=self.opening.name,
                ),
                what=f"project {self.settings.project} closed",
                fix=self.opening.text("in Redmine: reopen the project"),
            )

    # -- changes

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        """One request a change, one more for each further move of a status; all that belongs to one issue goes in
        one request, so that people get one mail."""
        done: list[Outcome] = []
        for number, change in enumerate(changes):
            if self._touches_description(change) and self.is_old(change.ref):
                # What people wrote around our block since then must not be written over.
                later = changes[number : number + PAGE]
                self.fetch([one.ref for one in later if self._touches_description(one)])
            done.append(self._update(change))
        return done

    def _touches_description(self, change: Change) -> bool:
        marker = change.marker is not None and self.convert.marker_in_text
        return marker or any(self.convert.place(name) == DESCRIPTION for name in change.set)

    def _update(self, change: Change) -> Outcome:
        ident = change.ref.id
        self.forget(ident)
        try:
            uploads, refused = self._uploads(ident, change.files)
            body = self._changed(change, uploads)
            stopped = self._walk(change)
            if stopped is not None:
                refused |= stopped
                body.pop(STATUS, None)
            if not body:
                return Done(change.ref, None, refused)
            answer = self._put(ident, body)
        except AnswerLost as error:
            return Unknown(str(error))
        if answer.ok:
            return Done(change.ref, None, refused)
        if answer.status == REFUSED:
            return self._one_by_one(change, body, answer, refused)
        return self._no(answer, ident, body)

    def _no(self, answer: Answer, ident: str, body: Mapping[str, Any]) -> Outcome:
        if answer.status == FORBIDDEN:
            self._need_open_project()
        if answer.status >= FAILED and _wide(str(body)):
            return Rejected((self._no_emoji(),))
        return Rejected(self._words(answer, ident))

    def _put(self, ident: str, body: Mapping[str, Any]) -> Answer:
        return self.client.put(f"/issues/{ident}.json", {"issue": body})

    def _changed(self, change: Change, uploads: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        body = self.convert.request(change.set, change.marker, self._description(change))
        if change.status_path:
            body[STATUS] = change.status_path[-1]
        if change.note is not None:
            body["notes"] = _note(change.note)
        if uploads:
            body["uploads"] = list(uploads)
        return body

    def _description(self, change: Change) -> str | None:
        """The description as it stands, where ours is to be written into it."""
        if not self._touches_description(change):
            return None
        if change.ref.id not in self.raw:
            answer = self.fetch([change.ref])[change.ref]
            if answer.fate is not Fate.PRESENT:
                return ""
        return str(self.raw[change.ref.id].get("description") or "")

    def _walk(self, change: Change) -> dict[str, str] | None:
        """Take all moves but the last, each read back; None where the way went through."""
        for status in change.status_path[:-1]:
            answer = self._put(change.ref.id, {STATUS: status})
            found = self.fetch([change.ref])[change.ref].task if answer.ok else None
            if found is None or found.raw_status != status:
                name = next((name for name in change.set if self.convert.place(name) == STATUS), "status")
                words = (
                    self._words(answer, change.ref.id) if not answer.ok else (self._stopped(status, found),)
                )
                return {name: "; ".join(words)}
        return None

    def _stopped(self, status: str, found: Any) -> str:
        here = found.raw_status if found is not None else ""
        return self.opening.text(
            "the way through the workflow stopped at {here}: {status} was not taken; in Redmine: Administration → "
            "Workflow, for our role and the tracker",
            here=self.status_name(here),
            status=self.status_name(status),
        )

    def _one_by_one(
        self, change: Change, body: Mapping[str, Any], first: Answer, refused: Mapping[str, str]
    ) -> Outcome:
        """Redmine refuses a request whole, and its sentences cannot be read for the field that is meant: each part
        is tried by itself, so that one wrong field does not keep the others back."""
        parts = self._parts(change, body)
        if len(parts) < 2:
            return Rejected(self._words(first, change.ref.id), next(iter(parts), ""))
        refused, done = dict(refused), False
        for name, part in parts.items():
            answer = self._put(change.ref.id, part)
            if answer.ok:
                done = True
            else:
                refused[name] = "; ".join(self._words(answer, change.ref.id))
        return Done(change.ref, None, refused) if done else Rejected(self._words(first, change.ref.id))

    def _parts(self, change: Change, body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The request by our own names: each field, and whatever else went along (marker, note, files)."""
        rest, parts = dict(body), dict[str, dict[str, Any]]()
        custom = {one["id"]: one for one in rest.pop("custom_fields", ())}
        for name in change.set:
            place = self.convert.place(name)
            if place in rest:
                parts[name] = {place: rest.pop(place)}
            elif place.startswith("cf_") and int(place.removeprefix("cf_")) in custom:
                parts[name] = {"custom_fields": [custom.pop(int(place.removeprefix("cf_")))]}
        if custom:
            parts["marker"] = {"custom_fields": list(custom.values())}
        if "description" in rest:
            parts["marker"] = {"description": rest.pop("description")}
        if "uploads" in rest:
            parts["files"] = {"uploads": rest.pop("uploads")}
        if rest:
            parts["note"] = rest
        return parts

    def _uploads(self, ident: str, files: Sequence[OutFile]) -> tuple[list[dict[str, str]], dict[str, str]]:
        """Hand the files in; a token is good for one request.  What is too large is told by name."""
        uploads, refused = [], dict[str, str]()
        for file in files:
            with file.path.open("rb") as content:
                answer = self.client.upload(file.name, content)
            token = (answer.data.get("upload") or {}).get("token") if answer.ok else None
            if token:
                uploads.append(
                    {"token": str(token), "filename": file.name, "content_type": file.content_type}
                )
            else:
                refused[file.name] = "; ".join(self._words(answer, ident))
        return uploads, refused


def _wide(text: str) -> bool:
    """Whether it holds characters that MySQL's utf8mb3 cannot store."""
    return any(ord(char) > 0xFFFF for char in text)


def _note(note: Note) -> str:
    return f"{note.text}\n\n{note.marker}"
