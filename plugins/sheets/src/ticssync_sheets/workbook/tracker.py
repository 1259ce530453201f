"""The driver of the kind `workbook`: joins file, reading, judgement and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ticssync.plugin import (
    Capabilities,
    Change,
    Done,
    Draft,
    Fate,
    Fetched,
    FieldSchema,
    FieldValue,
    Finding,
    Level,
    MarkerHits,
    Opening,
    Outcome,
    Page,
    PreSend,
    Read,
    Rejected,
    RemoteRef,
    RemoteSchema,
    RemoteStub,
    RemoteTask,
    Repair,
    TrackerDriver,
    Unavailable,
    UnreadableTable,
    Unsafe,
)
from ticssync_sheets import WORKBOOK
from ticssync_sheets.workbook import convert
from ticssync_sheets.workbook.doctor import examine
from ticssync_sheets.workbook.edit import Edited, edited
from ticssync_sheets.workbook.files import (
    ChangedMeanwhile,
    copies_beside,
    newest_backup,
    read_file,
    replace_file,
)
from ticssync_sheets.workbook.history import History, Past
from ticssync_sheets.workbook.judge import Seen, View, judge
from ticssync_sheets.workbook.locks import can_append, find_locks
from ticssync_sheets.workbook.look import first_cells, first_file
from ticssync_sheets.workbook.names import HIDDEN_SHEET, MARKER, NUMBER, names_of, number_of_marker, same_text
from ticssync_sheets.workbook.package import damage
from ticssync_sheets.workbook.plan import Plan, make_plan
from ticssync_sheets.workbook.proof import NotProven, prove
from ticssync_sheets.workbook.reading import Identity, Reading, read_workbook, row_version
from ticssync_sheets.workbook.settings import WorkbookSettings


def open_workbook(opening: Opening) -> WorkbookTracker:
    """Open the tracker; no file is read yet."""
    return WorkbookTracker(opening)


@dataclass(frozen=True, slots=True)
class _State:
    """The file as it was last looked at."""

    raw: bytes
    reading: Reading
    view: View


class WorkbookTracker(TrackerDriver):
    """One workbook.  `requests` counts file parses and file writes: an idle cycle makes none."""

    caps: Capabilities = WORKBOOK.caps

    def __init__(self, opening: Opening) -> None:
        assert isinstance(opening.settings, WorkbookSettings)
        self.requests = 0
        self.path: Path = opening.root / opening.settings.path
        self._opening, self._text, self._names = opening, opening.text, names_of(opening)
        self._history = History(opening.memory)
        self._state: _State | None = None
        self._repairs: tuple[Repair, ...] = ()

    # What the tracker is

    def check(self) -> Sequence[Finding]:
        """What `doctor` shows of the workbook."""
        return examine(self.path, self._names, self._history, self._opening.clock(), self._look_at)

    def schema(self) -> RemoteSchema:
        """Columns of the mapping, with the words of the drop-downs."""
        options = {
            "status": {word: word for word in self._names.statuses},
            "assignee": dict(self._names.people),
        }
        return RemoteSchema(
            fields=[
                FieldSchema(
                    name, head, _kind(name), max_length=convert.CELL_MAX, options=options.get(name, {})
                )
                for name, head in self._names.heads.items()
            ],
            statuses=options["status"],
            closed_statuses=frozenset(self._names.closed_words()),
            people=options["assignee"],
        )

    def view(self, field_name: str, value: FieldValue) -> FieldValue:
        """What a cell can show of a value."""
        return convert.view(field_name, value, self._names)

    def holds(self, field_name: str) -> bool:
        """Whether the mapping has a column for it; the marker always has one."""
        return field_name in self._names.heads or field_name == "marker"

    def artifacts(self) -> Sequence[Path]:
        """The workbook."""
        return [self.path]

    # Reading

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        """One page: empty where the file is the one of the cursor, else every row (complete, strong)."""
        self._repairs = ()
        raw = self._read()
        if raw is None:
            yield Page((), cursor=None, complete=True, read=Read.STRONG)
            return
        digest = hashlib.sha256(raw).hexdigest()
        if cursor and not self._history.pending and self._history.follows(cursor, digest):
            yield Page((), cursor=digest, complete=False, read=Read.STRONG)
            return
        state = self._look_at(raw)
        self._report(state)
        tasks = [self._task(seen) for seen in state.view.seen.values()]
        yield Page(tasks, cursor=digest, complete=True, read=Read.STRONG)

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """All rows, from the same reading."""
        state = self._current()
        tasks = [self._task(seen) for seen in state.view.seen.values()] if state else []
        stubs = [RemoteStub(task.ref, task.version, task.marker) for task in tasks]
        yield Page(stubs, cursor=None, complete=True, read=Read.STRONG)

    def fetch(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Fetched]:
        """A row that is not there is gone: the file was read whole."""
        if not refs:
            return {}
        state = self._current()
        if state is None:
            raise self._missing()
        return {ref: self._fetched(state.view.seen.get(ref.id)) for ref in refs}

    def find_by_marker(self, markers: Sequence[str], hint: PreSend) -> MarkerHits:  # noqa: ARG002
        """Where these markers stand in the file now."""
        state = self._current()
        tasks = [self._task(seen) for seen in state.view.seen.values()] if state else []
        hits = {marker: tuple(task for task in tasks if task.marker == marker) for marker in markers}
        return MarkerHits({marker: found for marker, found in hits.items() if found})

    def resolve(self, text: str) -> RemoteRef | None:
        """The row of a number (`T-14`) or of a marker."""
        state = self._current()
        wanted = same_text(text)
        for seen in state.view.seen.values() if state else ():
            shown = str(seen.fields.get(NUMBER) or number_of_marker(seen.marker))
            if wanted in {same_text(shown), same_text(seen.id)}:
                return self._ref(seen.id)
        return None

    def search(self, query: str) -> Iterator[RemoteTask]:
        """Rows with this text in any column."""
        state = self._current()
        wanted = same_text(query)
        for seen in state.view.seen.values() if state else ():
            if any(wanted in same_text(str(value)) for value in seen.fields.values() if value):
                yield self._task(seen)

    def repairs(self) -> Sequence[Repair]:
        """What the last listing showed to be written again."""
        return self._repairs

    def notices(self) -> Sequence[Finding]:
        """What a person should know: of the last reading, and of the files beside the workbook now."""
        return [*self._history.notices(), *self._beside()]

    # Writing

    def presend(self) -> PreSend:
        """Raises Unavailable while somebody has the workbook open, Unsafe where writing would damage it."""
        self._refuse_if_open()
        state = self._current()
        if state:
            self._refuse_damage(state)
        return PreSend()

    def create(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """New rows, in one file write."""
        return self.write(drafts, ())[0]

    def update(self, changes: Sequence[Change]) -> list[Outcome]:
        """Changed cells, in one file write."""
        return self.write((), changes)[1]

    def write(
        self, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> tuple[list[Outcome], list[Outcome]]:
        """Drafts, changes and repairs: one file write or none.  Raises Unavailable, Unsafe."""
        raw = self._read()
        if raw is None and not drafts:
            return [], [Rejected((self._text("this row is not in the workbook"),)) for _ in changes]
        state = self._fresh(raw)
        self._refuse_if_changed(state, drafts, changes)
        plan = make_plan(state.view if state else None, drafts, changes, self._names)
        edits = plan.edits(self._names)
        if edits or (state and state.view.hidden_lost):
            self._refuse_if_open()
            if state:
                self._refuse_damage(state)
            state = self._save(raw, state, plan)
        return self._outcomes(plan, state, drafts, changes)

    def _save(self, raw: bytes | None, state: _State | None, plan: Plan) -> _State:
        serial = self._next_serial(state)
        identity = Identity(self._opening.workspace, self._opening.name, serial)
        edits = plan.edits(self._names)
        try:
            if state is None:
                rows = [edit.cells for edit in edits]
                made = Edited(first_file(rows, identity, self._names), first_cells(rows, self._names))
            else:
                made = edited(state.reading, state.view.layout, edits, identity, self._names)
            written = self._replace(raw, state, made, self._intended(state, plan, serial))
        except ChangedMeanwhile:
            raise self._changed() from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            message = self._text("{file} cannot be written: {why}", file=self.path.name, why=why)
            raise Unavailable(message) from error
        before = state.reading.digest if state else None
        self._history.remember_write(serial, written.view.rows(), before, written.reading.digest)
        self._history.keep_notices(written.view.findings)
        self._state, self._repairs = written, ()
        return written

    def _intended(self, state: _State | None, plan: Plan, serial: int) -> Past:
        """What the file says after the write: its new state is judged against this, as a later one is."""
        rows = {name: dict(fields) for name, fields in state.view.rows().items()} if state else {}
        for name, cells in plan.cells.items():
            shown = {field: self.view(field, value) for field, value in cells.items() if field != MARKER}
            kept = rows.pop(name, {})
            rows[plan.renamed.get(name, name)] = {**kept, **shown}
        return Past(serial, rows)

    def _replace(self, raw: bytes | None, state: _State | None, made: Edited, intended: Past) -> _State:
        self.requests += 1
        serial = intended.last or 0
        checked: list[_State] = []

        def verify(written: bytes) -> None:
            reading = read_workbook(written, self._names)
            prove(state.reading if state else None, reading, made)
            checked.append(_State(written, reading, judge(reading, intended, self._names)))

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, raw, made.raw, max(serial - 1, 0), verify)
        except (NotProven, UnreadableTable) as error:
            raise Unsafe(
                self._text(
                    "{file}: the new state did not read back as it was meant, so the file was left as it is",
                    file=self.path.name,
                ),
                what=f"workbook write not proven {error}",
            ) from error
        return checked[0]

    def _next_serial(self, state: _State | None) -> int:
        carried = state.reading.identity.serial if state and state.reading.identity else 0
        return max(self._history.last or 0, carried) + 1

    def _outcomes(
        self, plan: Plan, state: _State | None, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> tuple[list[Outcome], list[Outcome]]:
        created = [self._outcome(draft.marker, plan, state) for draft in drafts]
        updated = [self._outcome(change.ref.id, plan, state) for change in changes]
        return created, updated

    def _outcome(self, name: str, plan: Plan, state: _State | None) -> Outcome:
        if name in plan.rejected:
            return plan.rejected[name]
        name = plan.renamed.get(name, name)
        seen = state.view.seen.get(name) if state else None
        return Done(self._ref(name), self._task(seen) if seen else None)

    # Looking at the file

    def _read(self) -> bytes | None:
        """The bytes; None where there was never a file.  Raises Unavailable."""
        try:
            raw = read_file(self.path)
        except OSError as error:
            message = self._text(
                "{file} cannot be opened now: {why}", file=self.path.name, why=error.strerror or ""
            )
            raise Unavailable(message, holder=self._holder()) from error
        if raw is None and self._history.last is not None:
            raise self._missing()
        return raw

    def _missing(self) -> Unavailable:
        backup = newest_backup(self.path)
        message = self._text(
            "the workbook {file} is gone (moved or renamed?): put it back into {folder} under this name",
            file=self.path.name,
            folder=self.path.parent,
        )
        if backup:
            message += self._text("; the state before the last write is {backup}", backup=backup)
        return Unavailable(message)

    def _look_at(self, raw: bytes) -> _State:
        """Read and judge.  Raises Unsafe, and Unavailable where the file is being saved just now."""
        digest = hashlib.sha256(raw).hexdigest()
        if self._state and self._state.reading.digest == digest:
            return self._state
        self.requests += 1
        try:
            reading = read_workbook(raw, self._names)
        except UnreadableTable as error:
            if self._holder_of_lock() is not None:
                message = self._text("{file} is being saved just now", file=self.path.name)
                raise Unavailable(message, holder=self._holder()) from error
            raise self._unreadable(error) from error
        serial = reading.identity.serial if reading.identity else None
        self._state = _State(raw, reading, judge(reading, self._history.past(serial), self._names))
        return self._state

    def _unreadable(self, error: UnreadableTable) -> Unsafe:
        backup = newest_backup(self.path)
        return Unsafe(
            self._text("{file}: {why}", file=self.path.name, why=error.args[0]),
            what=f"workbook unreadable {self.path.name}",
            fix=self._text("restore {backup}", backup=backup)
            if backup
            else self._text("put a readable workbook in its place"),
        )

    def _fresh(self, raw: bytes | None) -> _State | None:
        return None if raw is None else self._look_at(raw)

    def _current(self) -> _State | None:
        return self._fresh(self._read())

    def _report(self, state: _State) -> None:
        view, identity = state.view, state.reading.identity
        self._history.remember_reading(
            identity.serial if identity else None, view.rows(), state.reading.digest
        )
        self._history.keep_notices(view.findings)
        repairs = [Repair(self._ref(fix.id), fix.what) for fix in view.fixes]
        if view.hidden_lost:
            what = self._text("the hidden sheet {sheet} is made anew", sheet=HIDDEN_SHEET)
            repairs.append(Repair(self._ref(HIDDEN_SHEET), what))
        self._repairs = tuple(repairs)
        self._history.pending = bool(repairs)

    # What must hold before a write

    def _refuse_if_changed(
        self, state: _State | None, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> None:
        """Rows that this cycle's plan rests on must still be as they were reported."""
        if state is None or self._history.was_reported(state.reading.digest):
            return
        latest = self._history.latest()
        for change in changes:
            seen, before = state.view.seen.get(change.ref.id), latest.get(change.ref.id)
            if before is not None and (seen is None or {**before, **seen.fields} != before):
                raise self._changed()
        if any(draft.marker in state.view.seen and draft.marker not in latest for draft in drafts):
            raise self._changed()

    def _changed(self) -> Unavailable:
        return Unavailable(
            self._text(
                "{file} was changed while it was to be written; the next cycle takes it up",
                file=self.path.name,
            )
        )

    def _refuse_damage(self, state: _State) -> None:
        if harm := damage(state.reading.package, self._text):
            raise Unsafe(
                self._text(
                    "{file} is not written, because writing would damage: {parts}",
                    file=self.path.name,
                    parts="; ".join(harm),
                ),
                what="workbook would be damaged: " + "; ".join(sorted(harm)),
                fix=self._text("save it as an ordinary workbook (*.xlsx) without them; reading goes on"),
            )

    def _refuse_if_open(self) -> None:
        holder = self._holder_of_lock()
        if holder is not None:
            named = holder or self._text("somebody")
            message = self._text(
                "{file} is open ({holder}): the writes wait until it is closed",
                file=self.path.name,
                holder=named,
            )
            raise Unavailable(message, holder=holder)
        if not can_append(self.path):
            message = self._text(
                "{file} cannot be opened for writing: it is open elsewhere, or read-only", file=self.path.name
            )
            raise Unavailable(message)

    def _holder_of_lock(self) -> str | None:
        locks = [lock for lock in find_locks(self.path, self._opening.clock()) if not lock.stale]
        return next((lock.holder for lock in locks if lock.holder), "") if locks else None

    def _holder(self) -> str:
        return self._holder_of_lock() or ""

    def _beside(self) -> list[Finding]:
        found = []
        if copies := copies_beside(self.path):
            message = self._text("copies beside the workbook are not read: {files}", files=", ".join(copies))
            fix = self._text("carry over what is new into {file}, then move them away", file=self.path.name)
            found.append(Finding("workbook.copies", Level.WARN, message, fix))
        for lock in find_locks(self.path, self._opening.clock()):
            if lock.stale:
                message = self._text(
                    "the lock file {file} was left over ({holder}) and is passed over",
                    file=lock.path.name,
                    holder=lock.holder,
                )
                fix = self._text("delete it if nobody has the workbook open")
                found.append(Finding("workbook.stale_lock", Level.WARN, message, fix))
        return found

    # Rows as tasks

    def _ref(self, name: str) -> RemoteRef:
        return RemoteRef(self._opening.name, name)

    def _fetched(self, seen: Seen | None) -> Fetched:
        return Fetched(Fate.PRESENT, self._task(seen)) if seen else Fetched(Fate.GONE)

    def _task(self, seen: Seen) -> RemoteTask:
        return RemoteTask(
            ref=self._ref(seen.id),
            fields=seen.fields,
            key=str(seen.fields.get(NUMBER) or number_of_marker(seen.marker)),
            url=self.path.absolute().as_uri(),
            version=row_version(seen.id, seen.fields),
            marker=seen.marker,
            raw_status=seen.raw_status,
            closed=seen.fields.get("status") in {"done", "wont_do"},
            problems=seen.problems,
        )


def _kind(name: str) -> str:
    if name in convert.DATES:
        return "date"
    return "option" if name in {"status", "assignee"} else "text"
