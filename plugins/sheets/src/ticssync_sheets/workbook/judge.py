"""What a reading means: which row is which task, what was lost, what a person should know.  Pure.

Raises Unsafe where taking the rows as they stand could put a value on the wrong task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ticssync.plugin import Fields, FieldValue, Finding, Marker, Unsafe
from ticssync_sheets.workbook.history import Past, fingerprint
from ticssync_sheets.workbook.layout import Layout, NoTable
from ticssync_sheets.workbook.moved import refuse_moved
from ticssync_sheets.workbook.names import HIDDEN_SHEET, MARKER, NUMBER, Names, number_of_marker, same_text
from ticssync_sheets.workbook.reading import Reading, Row
from ticssync_sheets.workbook.sorting import Fix, Seen, Sorter, number_in, warn


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
    sorter = Sorter(reading, layout, past, names)
    sorter.sort()
    refuse_moved(sorter.originals, layout, past, names)
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
            "this workbook is an old copy (write {serial}, the last one was {last}): what people"
            " changed in it"
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


def _numbers(originals: Mapping[str, Row], past: Past, names: Names) -> list[Fix]:
    found = []
    for marker, row in originals.items():
        known = past.latest.get(marker, {}).get(NUMBER)
        if NUMBER in row.fields and known and number_in(row.fields) != same_text(str(known)):
            what = names.text(
                "row {row}: the number {number} is written again", row=row.index + 1, number=known
            )
            found.append(Fix(marker, row.index, {NUMBER: known}, what))
    return found


def _merge_stale(sorter: Sorter, past: Past, names: Names) -> tuple[list[Seen], list[Fix]]:
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
        found.append(warn("workbook.columns", message, text("write the head into the header row again")))
    if layout.doubled:
        message = text(
            "columns that stand twice, the left one counts: {heads}", heads=", ".join(layout.doubled)
        )
        found.append(warn("workbook.doubled", message))
    if layout.renamed:
        message = text(
            "the table is on sheet “{sheet}”, not on “{wanted}”", sheet=layout.sheet, wanted=names.sheet
        )
        found.append(warn("workbook.sheet", message, text("set `sheet:` in ticssync.yaml to the new name")))
    return found


def _age_findings(reading: Reading, past: Past, stale: bool, names: Names) -> list[Finding]:
    text, found = names.text, []
    if stale and reading.identity:
        message = text(
            "an older copy was saved over the workbook (write {serial}, the last one was {last}):"
            " edits in it are"
            " taken, the rest is written again",
            serial=reading.identity.serial,
            last=past.last,
        )
        found.append(warn("workbook.stale_copy", message))
    if reading.identity is None:
        message = text(
            "the hidden sheet {sheet} is gone: it is made anew with the next write", sheet=HIDDEN_SHEET
        )
        found.append(warn("workbook.hidden_sheet", message))
    return found
