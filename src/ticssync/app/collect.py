"""After a pass: what people put into the tasks in the trackers becomes evidence.

Order for each part: bytes into the locker, then one transaction with the fact and where it came from.  After a
crash at any point the task is still due, and taking it again adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from io import BytesIO
from typing import Any, Final

from ticssync.app.fetch_file import FileFailed, fetch, is_own
from ticssync.app.workspace import Workspace
from ticssync.app.written_over import tell_written_over
from ticssync.errors import Said, say
from ticssync.evidence import from_tracker as rules
from ticssync.evidence.from_tracker import Collects
from ticssync.evidence.hand_in import Intake, held_already
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.canonical import instant_text
from ticssync.model.evidence import REMARK, Evidence
from ticssync.model.task import Attachment, Comment, RemoteRef, RemoteTask
from ticssync.plugin import Fate, NotSupported
from ticssync.store import By, Transaction, collected, working
from ticssync.store.collected import Part, Place, Source
from ticssync.store.evidence import next_evidence_id
from ticssync.store.locker import Locker
from ticssync.store.scopes import scopes
from ticssync.sync.actions import Action, TrackerReport
from ticssync.sync.cycle import Pass
from ticssync.sync.look import Seen, with_errors
from ticssync.sync.state import Site
from ticssync.text import Text

AT_ONCE: Final = 25
"""Tasks whose notes are asked for in one go: what a tracker that stops us half-way makes us ask again."""


def collecting(sites: Mapping[str, Site], mappings: Mapping[str, TaskMapping]) -> dict[str, Collects]:
    """What is taken from which tracker; one from which nothing is taken is absent and costs nothing."""
    found = {}
    for name, site in sites.items():
        rule, caps = mappings[name].collect, site.driver.caps
        status = mappings[name].fields.get("status")
        found[name] = Collects(
            rule.notes and caps.comments,
            rule.private_notes,
            rule.files and caps.attachments,
            status.to or "" if status else "",
        )
    return {name: one for name, one in found.items() if one.anything}


def remember_changed(found: Mapping[str, Collects]) -> Callable[[Transaction, Mapping[str, Seen]], None]:
    """For `Pass.keep`: the tasks to look at are committed with the cursor, which will not show them again."""

    def keep(tx: Transaction, seens: Mapping[str, Seen]) -> None:
        for name, collects in found.items():
            seen = seens.get(name)
            if seen is not None and seen.ok and seen.read:
                refs = _changed(tx, name, seen.read, collects)
                if refs:
                    collected.put_due(tx, name, refs)

    return keep


def collect(workspace: Workspace, this: Pass, found: Mapping[str, Collects]) -> None:
    """Take in what is new in each tracker that was read; one tracker's failure stops no other.

    Raises CorruptStoreError where locker or store cannot be written.
    """
    taken: Mapping[str, Any] = {}
    for name, collects in found.items():
        seen = this.seens.get(name)
        if seen is None or not seen.ok:
            continue
        if not taken:
            with workspace.store.read() as tx:
                taken = scopes(tx)
        _Collecting(workspace, this, seen, collects, this.reports[name], taken).run()


def _changed(
    tx: Transaction, tracker: str, read: Mapping[RemoteRef, RemoteTask], collects: Collects
) -> dict[RemoteRef, Place]:
    """The live main tasks among those that are not as they were when they were last collected."""
    ids = {ref.id for ref in read}
    known = collected.stamps(tx, tracker, ids)
    doubtful = {ref.id for ref, task in read.items() if _stamp(collects, task) != known.get(ref, "")} | {
        ref.id for ref, task in read.items() if not _stamp(collects, task)
    }
    return collected.places(tx, tracker, doubtful) if doubtful else {}


def _stamp(collects: Collects, task: RemoteTask) -> str:
    return collects.stamp(rules.version_of(task))


@dataclass
class _Collecting:
    """One tracker being collected.  `done`: tasks that were looked at to their end; `failed`: those that were not."""

    workspace: Workspace
    this: Pass
    seen: Seen
    collects: Collects
    report: TrackerReport
    scopes: Mapping[str, Any]
    done: dict[RemoteRef, str] = field(default_factory=dict)
    failed: set[RemoteRef] = field(default_factory=set)
    troubles: list[dict[str, str]] = field(default_factory=list)
    known: dict[tuple[RemoteRef, str], Source] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.seen.site.name

    @cached_property
    def by(self) -> By:
        return self.workspace.by("tracker")

    @cached_property
    def text(self) -> Text:
        """For what is kept: the company's language."""
        return Text(self.workspace.config.language(self.workspace.around.lang))

    @cached_property
    def locker(self) -> Locker:
        return Locker(self.workspace.config.path(self.workspace.config.values.locker))

    @cached_property
    def items(self) -> dict[str, Mapping[str, Any]]:
        return {
            f"{scheme}/{item['id']}": item for scheme, scope in self.scopes.items() for item in scope["items"]
        }

    @cached_property
    def own_ids(self) -> frozenset[str]:
        try:
            return self.seen.site.driver.own_ids()
        except NotSupported:
            return frozenset()

    # -- one tracker

    def run(self) -> None:
        """Everything, and the report."""
        before = {str(one.task) for one in self.report.actions if one.action != "none"}
        with self.workspace.store.read() as tx:
            todo, made = self._todo(tx)
        with_errors(self.seen, lambda: self._all(todo))
        self._commit(made)
        self._tell(before)

    def _todo(self, tx: Transaction) -> tuple[dict[RemoteRef, Place], dict[RemoteRef, str]]:
        """(tasks to look at, those that we made in this pass with what they count as collected at)."""
        todo = _changed(tx, self.name, self.seen.read, self.collects)
        left = {ref.id for ref in collected.due(tx, self.name)} - {ref.id for ref in todo}
        todo |= collected.places(tx, self.name, left) if left else {}
        todo = {ref: place for ref, place in todo.items() if place.key.criterion in self.items}
        return todo, self._made(tx)

    def _made(self, tx: Transaction) -> dict[RemoteRef, str]:
        # Nobody can have written there yet.
        keys = {
            one.task
            for one in self.report.actions
            if one.action in ("create", "restore") and one.direction == "out"
        }
        if not keys:
            return {}
        refs = [
            ref
            for ref, place in collected.places(tx, self.name).items()
            if place.key in keys and ref not in self.seen.read
        ]
        found = collected.versions(tx, self.name, {ref.id for ref in refs})
        return {ref: self.collects.stamp(found[ref]) for ref in refs if ref in found}

    def _all(self, todo: Mapping[RemoteRef, Place]) -> None:
        # A full look shows which files are no longer there, also where the task's version did not move.
        whole = self.seen.read if self.seen.whole else {}
        self._mark(whole)
        tasks = dict(self._tasks(todo))
        self._mark({ref: task for ref, task in tasks.items() if ref not in whole})
        for some in _parts(sorted(tasks), AT_ONCE):
            self.this.hands.guard()
            with self.workspace.store.read() as tx:
                self.known = collected.sources(tx, self.name, {ref.id for ref in some})
            notes = self._notes_of([tasks[ref] for ref in some])
            if self.collects.notes:
                # Where notes have just been read the history mostly came with them.
                site, status, places = self.seen.site, self.collects.status, [todo[ref] for ref in some]
                tell_written_over(self.workspace, site, status, self.own_ids, places, self.by)
            for ref in some:
                self._one(todo[ref], tasks[ref], notes.get(ref, ()))

    def _tasks(self, todo: Mapping[RemoteRef, Place]) -> Iterator[tuple[RemoteRef, RemoteTask]]:
        """What was read in this pass; what is left from an earlier one is read now."""
        yield from ((ref, self.seen.read[ref]) for ref in todo if ref in self.seen.read)
        yield from self._strong([ref for ref in todo if ref not in self.seen.read])

    def _notes_of(self, tasks: Sequence[RemoteTask]) -> Mapping[RemoteRef, Sequence[Comment]]:
        if not self.collects.notes:
            return {}
        came = {task.ref: task.comments for task in tasks if task.comments is not None}
        asked = [task.ref for task in tasks if task.comments is None]
        return {**(self.seen.site.driver.comments(asked) if asked else {}), **came}

    def _one(self, place: Place, task: RemoteTask, notes: Sequence[Comment]) -> None:
        known = {part: one for (ref, part), one in self.known.items() if ref == place.ref}
        wordings = {part: one.part.digest for part, one in known.items()}
        if any(note.text.strip() for note in notes):
            for note in rules.new_notes(notes, self.collects, self.own_ids, wordings):
                self._note(place, task, note, known.get(rules.NOTE + note.id))
        for file in rules.new_files(task.attachments, known) if self.collects.files else ():
            try:
                self._file(place, file)
            except FileFailed as failure:
                self.failed.add(place.ref)
                self._trouble(
                    "file_not_fetched",
                    say(
                        "{task}: the file {name} in the tracker could not be fetched ({why}); the next sync tries again",
                        task=str(place.key), name=file.name, why=failure.why,
                    ),
                )  # fmt: skip
        if place.ref not in self.failed:
            self.done[place.ref] = _stamp(self.collects, task)

    # -- one note

    def _note(self, place: Place, task: RemoteTask, note: Comment, before: Source | None) -> None:
        person, author = self._who(note.author, note.author_name)
        on = self._day(note.created_at)
        name = rules.note_name(place.key.item, on.isoformat(), author, self.text)
        content = rules.note_file(
            note, task.key or place.display_key, str(place.key), author, self.workspace.zone, self.text
        )
        intake = self._intake(place)
        kept = intake.keep(BytesIO(content), self.locker)
        part = Part(place.ref, rules.NOTE + note.id, place.key, name, rules.note_digest(note))
        piece = intake.piece(
            name, kept, dated_on=on, handed_in_by=person, channel=self.by.channel, lang=self.text.lang,
            note=self._said_of(person, author, before), kind=REMARK, source=part.source,
        )  # fmt: skip
        self._take(place, part, piece, "comment")

    # -- one file

    def _file(self, place: Place, file: Attachment) -> None:
        part = Part(place.ref, rules.FILE + file.id, place.key, file.name or file.id)
        intake = self._intake(place)
        if is_own(self.seen.site, place.ref, file):
            self._pass_over(part, "ours")
            return
        got = fetch(self.seen.site, place.ref, file, intake, self.locker)
        if isinstance(got, Said):
            self._pass_over(part, "refused", why=str(got))
            return
        person, author = self._who(file.author, file.author_name)
        part = replace(part, digest=got.sha256)
        piece = intake.piece(
            part.name, got, dated_on=self._day(file.created_at), handed_in_by=person, channel=self.by.channel,
            lang=self.text.lang, note=self._said_of(person, author, None), source=part.source,
        )  # fmt: skip
        self._take(place, part, piece, "attach")

    # -- into the store

    def _take(self, place: Place, part: Part, piece: Evidence, action: str) -> None:
        with self.workspace.store.write() as tx:
            there = collected.sources(tx, self.name, {part.ref.id}).get((part.ref, part.part))
            if there is not None and there.part.digest == part.digest:
                return
            held = held_already(tx, piece, self.workspace.today)
            if held:
                collected.pass_over(tx, part, "same", self.by, evidence=held)
                return
            collected.take_part(tx, part, replace(piece, id=next_evidence_id(tx)), self.by)
        self.report.actions.append(
            Action(action, "in", place.key, place.display_key, {"evidence": (None, piece.name)})
        )

    def _pass_over(self, part: Part, state: str, why: str = "") -> None:
        with self.workspace.store.write() as tx:
            collected.pass_over(tx, part, state, self.by, why=why)

    def _mark(self, tasks: Mapping[RemoteRef, RemoteTask]) -> None:
        """Note which files left these tasks, and which came back."""
        if not tasks or not self.collects.files:
            return
        with self.workspace.store.read() as tx:
            found = collected.sources(tx, self.name, {ref.id for ref in tasks})
        mine: dict[RemoteRef, dict[str, Source]] = {}
        for (ref, part), one in found.items():
            if ref in tasks and part.startswith(rules.FILE) and one.state in ("taken", "refused"):
                mine.setdefault(ref, {})[part] = one
        changes = _presence(mine, tasks)
        if any(gone for _, gone in changes):
            # Absence in a listing is no proof: what seems to be gone is looked at by itself.
            suspects = {one.part.ref for one, gone in changes if gone}
            strong = dict(self._strong(suspects))
            sure = {ref: parts for ref, parts in mine.items() if ref in strong or ref not in suspects}
            changes = _presence(sure, {**tasks, **strong})
        if changes:
            with self.workspace.store.write() as tx:
                for source, gone in changes:
                    collected.mark_gone(tx, source, self.by, gone=gone)

    def _strong(self, refs: Collection[RemoteRef]) -> Iterator[tuple[RemoteRef, RemoteTask]]:
        answers = self.seen.site.driver.fetch(sorted(refs)) if refs else {}
        for ref, answer in answers.items():
            if answer.fate is Fate.PRESENT and answer.task is not None:
                yield ref, answer.task

    def _commit(self, made: Mapping[RemoteRef, str]) -> None:
        stamps = {**self.done, **{ref: stamp for ref, stamp in made.items() if ref not in self.done}}
        memory = self.seen.site.memory
        if not (stamps or memory.changed or not self.seen.ok):
            return
        with self.workspace.store.write() as tx:
            if stamps:
                collected.put_stamps(tx, self.name, stamps)
            if not self.seen.ok:
                # How long the tracker asks to be left alone must outlive this process.
                working.put_failure(tx, self.name, str(self.seen.message), self.seen.until)
            if memory.changed:
                working.put_memory(tx, self.name, memory.take())

    # -- small answers

    def _intake(self, place: Place) -> Intake:
        return Intake(place.key.criterion, self.items[place.key.criterion])

    def _who(self, account: str, shown: str) -> tuple[str, str]:
        """(person id or empty, the name that people know)."""
        organisation = self.workspace.config.organisation
        person = organisation.by_account(self.name, account) if account else None
        return (person, organisation.people[person].name) if person else ("", shown or account)

    def _said_of(self, person: str, author: str, before: Source | None) -> str:
        lines = []
        if not person and author:
            lines.append(self.text("its author in the tracker: {name}", name=author))
        if before is not None and before.evidence:
            lines.append(self.text("a later wording of {id}", id=before.evidence))
        return "\n".join(lines)

    def _day(self, moment: datetime | None) -> date:
        """The company's day of that moment, never later than today."""
        today = self.workspace.today
        return min(moment.astimezone(self.workspace.zone).date(), today) if moment else today

    def _trouble(self, ident: str, message: Said, fix: str = "") -> None:
        said = self.workspace.text.said
        self.troubles.append({"id": ident, "level": "warn", "message": said(message), "fix": said(fix)})

    # -- what a person is told

    def _tell(self, before: set[str]) -> None:
        report, seen = self.report, self.seen
        touched = {str(one.task) for one in report.actions if one.action != "none"}
        report.unchanged = max(0, report.unchanged - len(touched - before))
        report.requests = seen.site.driver.requests
        if not seen.ok:
            report.state, report.message, report.holder = seen.state, str(seen.message), seen.holder
            report.message_said = seen.message
            report.fix = seen.fix
            report.until = instant_text(seen.until) if seen.until else None
        self._standing()
        report.notices += self.troubles

    def _standing(self) -> None:
        with self.workspace.store.read() as tx:
            found = collected.open_sources(tx, self.name)
            ids = {one.part.ref.id for one in found}
            live = collected.places(tx, self.name, ids) if ids else {}
        for one in found:
            if one.state == "taken":
                message = say(
                    "{task}: the file {name} is no longer in the tracker; its evidence {id} is kept",
                    task=str(one.part.task_key), name=one.part.name, id=one.evidence,
                )  # fmt: skip
                self._trouble("file_gone", message)
            elif one.part.ref in live:
                message = say(
                    "{task}: the file {name} in the tracker is not taken as evidence: {why}",
                    task=str(one.part.task_key), name=one.part.name, why=say(one.why),
                )  # fmt: skip
                self._trouble("file_refused", message, say("put another file there, or delete this one"))


def _presence(
    known: Mapping[RemoteRef, Mapping[str, Source]], tasks: Mapping[RemoteRef, RemoteTask]
) -> list[tuple[Source, bool]]:
    """(file, whether it is gone now) of every file that left its task or came back to it."""
    found: list[tuple[Source, bool]] = []
    for ref, parts in known.items():
        missing = {part: one.gone_at is not None for part, one in parts.items()}
        left, back = rules.changed_presence(tasks[ref].attachments, missing)
        found += [(parts[part], True) for part in left] + [(parts[part], False) for part in back]
    return found


def _parts(refs: Sequence[RemoteRef], size: int) -> Iterator[Sequence[RemoteRef]]:
    return (refs[start : start + size] for start in range(0, len(refs), size))
