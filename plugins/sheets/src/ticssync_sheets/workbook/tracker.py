"""The driver of the kind `workbook`: joins file, reading, judgement and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
    replace_file,
)
from ticssync_sheets.workbook.history import History, Past
from ticssync_sheets.workbook.judge import judge
from ticssync_sheets.workbook.look import first_cells, first_file
from ticssync_sheets.workbook.names import HIDDEN_SHEET, MARKER, NUMBER, names_of, number_of_marker, same_text
from ticssync_sheets.workbook.plan import Plan, make_plan
from ticssync_sheets.workbook.proof import NotProven, prove
from ticssync_sheets.workbook.reading import Identity, read_workbook, row_version
from ticssync_sheets.workbook.settings import WorkbookSettings
from ticssync_sheets.workbook.sorting import Seen
from ticssync_sheets.workbook.source import Source, State


def open_workbook(opening: Opening) -> WorkbookTracker:
    """Open the tracker; no file is read yet."""
    return WorkbookTracker(opening)


class WorkbookTracker(TrackerDriver):
    """One workbook.  `requests` counts file parses and file writes: an idle cycle makes none."""

    caps: Capabilities = WORKBOOK.caps

    def __init__(self, opening: Opening) -> None:
        assert isinstance(opening.settings, WorkbookSettings)
        self.requests = 0
        self.path: Path = opening.root / opening.settings.path
        self._opening, self._text, self._names = opening, opening.text, names_of(opening)
        self._history = History(opening.memory)
        self._source = Source(opening, self.path, self._names, self._history, count=self._count)
        self._repairs: tuple[Repair, ...] = ()

    def _count(self) -> None:
        self.requests += 1

    # What the tracker is

    def check(self) -> Sequence[Finding]:
        """What `doctor` shows of the workbook."""
        return examine(self.path, self._names, self._history, self._opening.clock(), self._source.look_at)

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
        raw = self._source.read()
        if raw is None:
            yield Page((), cursor=None, complete=True, read=Read.STRONG)
            return
        digest = hashlib.sha256(raw).hexdigest()
        if cursor and not self._history.pending and self._history.follows(cursor, digest):
            yield Page((), cursor=digest, complete=False, read=Read.STRONG)
            return
        state = self._source.look_at(raw)
        self._report(state)
        tasks = [self._task(seen) for seen in state.view.seen.values()]
        yield Page(tasks, cursor=digest, complete=True, read=Read.STRONG)

    def sweep(self) -> Iterator[Page[RemoteStub]]:
        """All rows, from the same reading."""
        state = self._source.current()
        tasks = [self._task(seen) for seen in state.view.seen.values()] if state else []
        stubs = [RemoteStub(task.ref, task.version, task.marker) for task in tasks]
        yield Page(stubs, cursor=None, complete=True, read=Read.STRONG)

    def fetch(self, refs: Sequence[RemoteRef]) -> dict[RemoteRef, Fetched]:
        """A row that is not there is gone: the file was read whole."""
        if not refs:
            return {}
        state = self._source.current()
        if state is None:
            raise self._source.missing()
        return {ref: self._fetched(state.view.seen.get(ref.id)) for ref in refs}

    def find_by_marker(self, markers: Sequence[str], hint: PreSend) -> MarkerHits:  # noqa: ARG002
        """Where these markers stand in the file now."""
        state = self._source.current()
        tasks = [self._task(seen) for seen in state.view.seen.values()] if state else []
        hits = {marker: tuple(task for task in tasks if task.marker == marker) for marker in markers}
        return MarkerHits({marker: found for marker, found in hits.items() if found})

    def resolve(self, text: str) -> RemoteRef | None:
        """The row of a number (`T-14`) or of a marker."""
        state = self._source.current()
        wanted = same_text(text)
        for seen in state.view.seen.values() if state else ():
            shown = str(seen.fields.get(NUMBER) or number_of_marker(seen.marker))
            if wanted in {same_text(shown), same_text(seen.id)}:
                return self._ref(seen.id)
        return None

    def search(self, query: str) -> Iterator[RemoteTask]:
        """Rows with this text in any column."""
        state = self._source.current()
        wanted = same_text(query)
        for seen in state.view.seen.values() if state else ():
            if any(wanted in same_text(str(value)) for value in seen.fields.values() if value):
                yield self._task(seen)

    def repairs(self) -> Sequence[Repair]:
        """What the last listing showed to be written again."""
        return self._repairs

    def notices(self) -> Sequence[Finding]:
        """What a person should know: of the last reading, and of the files beside the workbook now."""
        return [*self._history.notices(), *self._source.beside()]

    # Writing

    def presend(self) -> PreSend:
        """Raises Unavailable while somebody has the workbook open, Unsafe where writing would damage it."""
        self._source.refuse_if_open()
        state = self._source.current()
        if state:
            self._source.refuse_damage(state)
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
        raw = self._source.read()
        if raw is None and not drafts:
            return [], [Rejected((self._text("this row is not in the workbook"),)) for _ in changes]
        state = self._source.fresh(raw)
        self._refuse_if_changed(state, drafts, changes)
        plan = make_plan(state.view if state else None, drafts, changes, self._names)
        edits = plan.edits(self._names)
        if edits or (state and state.view.hidden_lost):
            self._source.refuse_if_open()
            if state:
                self._source.refuse_damage(state)
            state = self._save(raw, state, plan)
        return self._outcomes(plan, state, drafts, changes)

    def _save(self, raw: bytes | None, state: State | None, plan: Plan) -> State:
        serial = self._next_serial(state)
        identity = Identity(self._opening.workspace, self._opening.name, serial)
        edits = plan.edits(self._names)
        try:
            if state is None:
                rows = [edit.cells for edit in edits]
                made = Edited(first_file(rows, identity, self._names), first_cells(rows, self._names))
            else:
                made = edited(state.reading, state.view.layout, edits, identity, names=self._names)
            self._opening.before_write()
            written = self._replace(raw, state, made, self._intended(state, plan, serial))
        except ChangedMeanwhile:
            raise self._source.changed() from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            message = self._text("{file} cannot be written: {why}", file=self.path.name, why=why)
            raise Unavailable(message) from error
        before = state.reading.digest if state else None
        self._history.remember_write(serial, written.view.rows(), before, written.reading.digest)
        self._history.keep_notices(written.view.findings)
        self._source.state, self._repairs = written, ()
        return written

    def _intended(self, state: State | None, plan: Plan, serial: int) -> Past:
        """What the file says after the write: its new state is judged against this, as a later one is."""
        rows = {name: dict(fields) for name, fields in state.view.rows().items()} if state else {}
        for name, cells in plan.cells.items():
            shown = {field: self.view(field, value) for field, value in cells.items() if field != MARKER}
            kept = rows.pop(name, {})
            rows[plan.renamed.get(name, name)] = {**kept, **shown}
        return Past(serial, rows)

    def _replace(self, raw: bytes | None, state: State | None, made: Edited, intended: Past) -> State:
        self._count()
        serial = intended.last or 0
        checked: list[State] = []

        def verify(written: bytes) -> None:
            reading = read_workbook(written, self._names)
            prove(state.reading if state else None, reading, made)
            checked.append(State(written, reading, judge(reading, intended, self._names)))

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

    def _next_serial(self, state: State | None) -> int:
        carried = state.reading.identity.serial if state and state.reading.identity else 0
        return max(self._history.last or 0, carried) + 1

    def _outcomes(
        self, plan: Plan, state: State | None, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> tuple[list[Outcome], list[Outcome]]:
        created = [self._outcome(draft.marker, plan, state) for draft in drafts]
        updated = [self._outcome(change.ref.id, plan, state) for change in changes]
        return created, updated

    def _outcome(self, name: str, plan: Plan, state: State | None) -> Outcome:
        if name in plan.rejected:
            return plan.rejected[name]
        name = plan.renamed.get(name, name)
        seen = state.view.seen.get(name) if state else None
        return Done(self._ref(name), self._task(seen) if seen else None)

    def _report(self, state: State) -> None:
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
        self, state: State | None, drafts: Sequence[Draft], changes: Sequence[Change]
    ) -> None:
        """Rows that this cycle's plan rests on must still be as they were reported."""
        if state is None or self._history.was_reported(state.reading.digest):
            return
        latest = self._history.latest()
        for change in changes:
            seen, before = state.view.seen.get(change.ref.id), latest.get(change.ref.id)
            if before is not None and (seen is None or {**before, **seen.fields} != before):
                raise self._source.changed()
        if any(draft.marker in state.view.seen and draft.marker not in latest for draft in drafts):
            raise self._source.changed()

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
