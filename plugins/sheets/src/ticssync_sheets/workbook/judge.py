"""What a reading means: which row is which task, what was lost, what a person should know.  Pure.

Raises Unsafe where taking the rows as they stand could put a value on the wrong task.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ticssync.plugin import Fields, FieldValue, Finding, Level, Marker, Unsafe
from ticssync_sheets.workbook.history import Past, fingerprint
from ticssync_sheets.workbook.layout import Layout, NoTable
from ticssync_sheets.workbook.names import HIDDEN_SHEET, MARKER, NUMBER, Names, number_of_marker, same_text
from ticssync_sheets.workbook.reading import Reading, Row


@dataclass(frozen=True, slots=True)
class Seen:
    """One task as it is reported.  `row` is None where the file lost the row and it is written again."""

    id: str
    marker: str
    row: int | None
    fields: Fields
    raw_status: str = ""
    problems: tuple[str, ...] = ()
    locked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fix:
    """What the next write puts back.  `cells`: field (or `marker`) → value; `row` None: a new row."""

    id: str
    row: int | None
    cells: Fields
    what: str


@dataclass(frozen=True, slots=True)
class View:
    """The meaning of one file.  `hidden_lost`: the hidden sheet is gone and is made anew."""

    layout: Layout
    seen: Mapping[str, Seen]
    fixes: tuple[Fix, ...] = ()
    findings: tuple[Finding, ...] = ()
    hidden_lost: bool = False

    def rows(self) -> dict[str, Fields]:
        """Marker → fields of the tasks (copies are no tasks of their own)."""
        return {task.id: task.fields for task in self.seen.values() if task.id == task.marker}


def judge(reading: Reading, past: Past, names: Names) -> View:
    """Decide what the file says.  Raises Unsafe."""
    _refuse_stranger(reading, names)
    layout = _the_table(reading, past, names)
    serial = reading.identity.serial if reading.identity else past.last
    _refuse_unknown_age(serial, past, names)
    if serial is not None and past.last is not None and serial > past.last:
        # Written by us just before a crash: what is remembered is older than the file and proves nothing.
        past = replace(past, latest={}, untouched=None)
    sorter = _Sorter(reading, layout, past, names)
    sorter.sort()
    _refuse_moved(sorter.originals, layout, past, names)
    stale = serial is not None and past.last is not None and serial < past.last
    numbers = _numbers(sorter.originals, past, names)
    seen, fixes = _merge_stale(sorter, past, names) if stale else (sorter.seen(), [])
    mended = {fix.id: fix.cells for fix in numbers}
    locked = {task.id: task.locked for task in seen}
    fixes = [_without(fix, locked.get(fix.id, {})) for fix in (*sorter.fixes, *numbers, *fixes)]
    return View(
        layout=layout,
        seen={task.id: replace(task, fields={**task.fields, **mended.get(task.id, {})}) for task in seen},
        fixes=tuple(fix for fix in fixes if fix.cells),
        findings=(
            *_layout_findings(layout, names),
            *sorter.findings(),
            *_age_findings(reading, past, stale, names),
        ),
        hidden_lost=reading.identity is None,
    )


def _without(fix: Fix, locked: Mapping[str, str]) -> Fix:
    return replace(fix, cells={name: value for name, value in fix.cells.items() if name not in locked})


def _refuse_stranger(reading: Reading, names: Names) -> None:
    found = {reading.identity.workspace} if reading.identity else _workspaces(reading.rows)
    if found and names.workspace not in found:
        raise Unsafe(
            names.text(
                "this workbook belongs to another ticssync workspace ({id})", id=" ".join(sorted(found))
            ),
            what=f"workbook of workspace {' '.join(sorted(found))}",
            fix=names.text("put your own workbook back, or give this tracker another path in ticssync.yaml"),
        )


def _workspaces(rows: Iterable[Row]) -> set[str]:
    return {known.workspace for row in rows if (known := Marker.parse(row.marker))}


def _the_table(reading: Reading, past: Past, names: Names) -> Layout:
    layout = reading.layout
    if isinstance(layout, Layout):
        return layout
    backup = names.text(
        "undo it with Ctrl+Z, or restore the newest file of the folder {folder}", folder=".ticssync-backup"
    )
    if reading.identity is None and past.last is None:
        raise Unsafe(
            names.text("this file is no workbook of ticssync: it has no table of tasks"),
            what="workbook not ours",
            fix=names.text(
                "give this tracker another path in ticssync.yaml; the workbook is made by the first sync"
            ),
        )
    if layout.header is not None:
        raise Unsafe(
            _no_marker_column(layout, names), what=f"workbook without id column {layout.sheet}", fix=backup
        )
    raise Unsafe(
        names.text(
            "the header row with “{heads}” was not found on any sheet (expected: sheet “{sheet}”)",
            heads=" · ".join(names.heads.values()),
            sheet=names.sheet,
        ),
        what="workbook without header row",
        fix=backup,
    )


def _no_marker_column(layout: NoTable, names: Names) -> str:
    return names.text(
        "sheet “{sheet}”, row {row}: the hidden column “{head}” is gone, so that no row can be told for sure",
        sheet=layout.sheet,
        row=(layout.header or 0) + 1,
        head=names.marker_head,
    )


def _refuse_unknown_age(serial: int | None, past: Past, names: Names) -> None:
    if serial is None or past.last is None or serial >= past.last or past.untouched is not None:
        return
    raise Unsafe(
        names.text(
            "this workbook is an old copy (write {serial}, the last one was {last}): what people changed in it"
            " can no longer be told from what is only old",
            serial=serial,
            last=past.last,
        ),
        what=f"workbook of write {serial} after {past.last}",
        fix=names.text(
            "keep this copy under another name, restore the newest file of the folder {folder},"
            " and carry over by hand what is new",
            folder=".ticssync-backup",
        ),
    )


class _Sorter:
    """Tells originals, copies, damaged and foreign rows apart."""

    def __init__(self, reading: Reading, layout: Layout, past: Past, names: Names) -> None:
        self._reading, self._layout, self._past, self._names = reading, layout, past, names
        self.originals: dict[str, Row] = {}
        self.copies: list[tuple[str, Row]] = []
        self.foreign: list[Row] = []
        self.strangers: list[Row] = []
        self.damaged: list[Row] = []
        self.fixes: list[Fix] = []

    def sort(self) -> None:
        """Fill the lists above."""
        marked: dict[str, list[Row]] = {}
        loose = []
        for row in self._reading.rows:
            known = Marker.parse(row.marker)
            if known and known.workspace == self._names.workspace:
                marked.setdefault(str(known), []).append(row)
            elif known:
                self.strangers.append(row)
            else:
                loose.append(row)
        for marker, rows in marked.items():
            self._pick_original(marker, rows)
        self._rescue(loose)

    def _pick_original(self, marker: str, rows: list[Row]) -> None:
        latest = self._past.latest.get(marker, {})
        original = max(rows, key=lambda row: (_agreement(row, latest), -row.index))
        self.originals[marker] = original
        for number, row in enumerate((row for row in rows if row is not original), start=1):
            self.copies.append((f"{marker}#copy-{number}", row))
            what = self._names.text(
                "{cell}: the hidden id of a copied row is cleared; its text stays",
                cell=self._layout.cell(row.index, MARKER),
            )
            self.fixes.append(Fix(f"{marker}#copy-{number}", row.index, {MARKER: None}, what))

    def _rescue(self, loose: list[Row]) -> None:
        lost = {
            marker: fields for marker, fields in self._past.latest.items() if marker not in self.originals
        }
        numbers = Counter(_number(row.fields) for row in loose)
        for row in loose:
            marker = self._owner(row, lost, numbers)
            if marker:
                self.originals[marker] = row
                what = self._names.text(
                    "{cell}: the hidden id is written again", cell=self._layout.cell(row.index, MARKER)
                )
                self.fixes.append(Fix(marker, row.index, {MARKER: marker}, what))
            else:
                (self.damaged if row.marker else self.foreign).append(row)

    def _owner(self, row: Row, lost: Mapping[str, Fields], numbers: Counter[str]) -> str | None:
        number = _number(row.fields)
        if not number or numbers[number] > 1:
            return None
        found = [marker for marker, fields in lost.items() if _number(fields) == number]
        if len(found) != 1:
            return None
        # An empty cell was cleared; one with other text may belong to another row, so the title must fit too.
        same_title = row.fields.get("title") == lost[found[0]].get("title")
        return found[0] if same_title or not row.marker else None

    def seen(self) -> list[Seen]:
        """The tasks and the copies, as the rows say."""
        tasks = [_seen(marker, marker, row) for marker, row in self.originals.items()]
        return tasks + [_seen(name, name.partition("#")[0], row) for name, row in self.copies]

    def findings(self) -> list[Finding]:
        """What a person should know of these rows."""
        text, found = self._names.text, []
        for name, row in self.copies:
            first = self.originals[name.partition("#")[0]]
            found.append(
                _warn(
                    "workbook.copied_row",
                    text(
                        "row {copy} is a copy of row {row} (see {cell}): it becomes a row of your own",
                        copy=row.index + 1, row=first.index + 1, cell=self._layout.cell(row.index, MARKER),
                    ),
                )
            )  # fmt: skip
        for row in self.damaged:
            cell = self._layout.cell(row.index, MARKER)
            message = text(
                "{cell}: the hidden id of this row is damaged, and the row cannot be told", cell=cell
            )
            found.append(
                _warn("workbook.damaged_id", message, text("put the row back from the newest backup"))
            )
        if self.foreign:
            where = self._where(self.foreign)
            message = text(
                "rows without a hidden id, left alone: {count} ({cells})",
                count=len(self.foreign),
                cells=where,
            )
            found.append(_warn("workbook.foreign_rows", message))
        if self.strangers:
            where = self._where(self.strangers)
            message = text(
                "rows of another ticssync workspace, left alone: {count} ({cells})",
                count=len(self.strangers),
                cells=where,
            )
            found.append(_warn("workbook.strangers", message))
        return found

    def _where(self, rows: Sequence[Row]) -> str:
        first = "title" if "title" in self._layout.columns else MARKER
        return _some([self._layout.cell(row.index, first) for row in rows])


def _refuse_moved(originals: Mapping[str, Row], layout: Layout, past: Past, names: Names) -> None:
    owners = {_expected(marker, past): marker for marker in {*originals, *past.latest}}
    titles = Counter(fields.get("title") for fields in past.latest.values())
    by_title = {
        fields.get("title"): marker
        for marker, fields in past.latest.items()
        if titles[fields.get("title")] == 1
    }
    moved = [(marker, row) for marker, row in originals.items() if _number_moved(marker, row, owners, past)]
    by_titles = [
        (marker, row) for marker, row in originals.items() if _title_moved(marker, row, by_title, past)
    ]
    # One title that equals another's was typed or pasted; a sort always moves two rows at least.
    moved += [found for found in by_titles if len(by_titles) > 1 and found not in moved]
    if not moved:
        return
    raise Unsafe(
        names.text(
            "ids moved: {count} rows show another task than their hidden id says ({cells}), as after a sort that left"
            " the hidden column out; no value of the workbook is taken",
            count=len(moved),
            cells=_some([_moved_cell(marker, row, layout) for marker, row in moved]),
        ),
        what="workbook ids moved "
        + _digest([[marker, row.fields.get(NUMBER), row.fields.get("title")] for marker, row in moved]),
        fix=names.text(
            "undo the sort with Ctrl+Z, or restore the newest file of the folder {folder}; sort with the arrows in the"
            " header row, which take the hidden column along",
            folder=".ticssync-backup",
        ),
    )


def _moved_cell(marker: str, row: Row, layout: Layout) -> str:
    place = NUMBER if NUMBER in layout.columns else MARKER
    return f"{layout.cell(row.index, place)} ≠ {number_of_marker(marker)}"


def _number_moved(marker: str, row: Row, owners: Mapping[str, str], past: Past) -> bool:
    number = _number(row.fields)
    if not number or number == _expected(marker, past):
        return False
    if number in owners:
        return True
    latest = past.latest.get(marker)
    # A number that nobody else has: mistyped where the title still fits, moved where it does not.
    return latest is not None and row.fields.get("title") != latest.get("title")


def _title_moved(marker: str, row: Row, by_title: Mapping[FieldValue, str], past: Past) -> bool:
    title, latest = row.fields.get("title"), past.latest.get(marker, {})
    return title is not None and "title" in latest and title != latest["title"] and title in by_title


def _expected(marker: str, past: Past) -> str:
    return _number(past.latest.get(marker, {})) or same_text(number_of_marker(marker))


def _numbers(originals: Mapping[str, Row], past: Past, names: Names) -> list[Fix]:
    found = []
    for marker, row in originals.items():
        known = past.latest.get(marker, {}).get(NUMBER)
        if NUMBER in row.fields and known and _number(row.fields) != same_text(str(known)):
            what = names.text(
                "row {row}: the number {number} is written again", row=row.index + 1, number=known
            )
            found.append(Fix(marker, row.index, {NUMBER: known}, what))
    return found


def _merge_stale(sorter: _Sorter, past: Past, names: Names) -> tuple[list[Seen], list[Fix]]:
    untouched = past.untouched or {}
    seen, fixes = [], []
    for task in sorter.seen():
        lost = _lost_fields(task, past, untouched.get(task.marker, {})) if task.id == task.marker else {}
        seen.append(replace(task, fields={**task.fields, **lost}))
        if lost:
            what = names.text(
                "row {row}: what an older copy had overwritten is written again", row=(task.row or 0) + 1
            )
            fixes.append(Fix(task.id, task.row, lost, what))
    for marker, fields in past.latest.items():
        if marker not in untouched and marker not in sorter.originals:
            seen.append(Seen(marker, marker, None, fields))
            what = names.text(
                "{number}: the row is written again", number=fields.get(NUMBER) or number_of_marker(marker)
            )
            fixes.append(Fix(marker, None, {**fields, MARKER: marker}, what))
    return seen, fixes


def _lost_fields(task: Seen, past: Past, untouched: Mapping[str, frozenset[str]]) -> dict[str, FieldValue]:
    latest = past.latest.get(task.marker, {})
    return {
        name: latest[name]
        for name, value in task.fields.items()
        if name in latest and value != latest[name] and fingerprint(value) in untouched.get(name, ())
    }


def _layout_findings(layout: Layout, names: Names) -> list[Finding]:
    text, found = names.text, []
    if layout.missing:
        heads = ", ".join(layout.missing)
        message = text("columns that the mapping names are not in the sheet: {heads}", heads=heads)
        found.append(_warn("workbook.columns", message, text("write the head into the header row again")))
    if layout.doubled:
        message = text(
            "columns that stand twice, the left one counts: {heads}", heads=", ".join(layout.doubled)
        )
        found.append(_warn("workbook.doubled", message))
    if layout.renamed:
        message = text(
            "the table is on sheet “{sheet}”, not on “{wanted}”", sheet=layout.sheet, wanted=names.sheet
        )
        found.append(_warn("workbook.sheet", message, text("set `sheet:` in ticssync.yaml to the new name")))
    return found


def _age_findings(reading: Reading, past: Past, stale: bool, names: Names) -> list[Finding]:
    text, found = names.text, []
    if stale and reading.identity:
        message = text(
            "an older copy was saved over the workbook (write {serial}, the last one was {last}): edits in it are"
            " taken, the rest is written again",
            serial=reading.identity.serial,
            last=past.last,
        )
        found.append(_warn("workbook.stale_copy", message))
    if reading.identity is None:
        message = text(
            "the hidden sheet {sheet} is gone: it is made anew with the next write", sheet=HIDDEN_SHEET
        )
        found.append(_warn("workbook.hidden_sheet", message))
    return found


def _some(cells: Sequence[str]) -> str:
    return ", ".join(cells[:5]) + (", …" if len(cells) > 5 else "")


def _agreement(row: Row, latest: Fields) -> int:
    return sum(1 for name, value in row.fields.items() if name in latest and latest[name] == value)


def _seen(name: str, marker: str, row: Row) -> Seen:
    return Seen(name, marker, row.index, row.fields, row.raw_status, row.problems, row.locked)


def _number(fields: Fields) -> str:
    return same_text(str(fields.get(NUMBER) or ""))


def _warn(name: str, message: str, fix: str = "") -> Finding:
    return Finding(name, Level.WARN, message, fix)


def _digest(rows: Sequence[Sequence[FieldValue]]) -> str:
    text = json.dumps(sorted(rows, key=str), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
