"""From drafts, changes and repairs to edits of rows, and the refusals on the way.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ticssync.plugin import Change, Draft, Fields, FieldValue, Rejected
from ticssync_sheets.workbook.convert import Content, encode, view
from ticssync_sheets.workbook.edit import RowEdit
from ticssync_sheets.workbook.judge import View
from ticssync_sheets.workbook.names import MARKER, NUMBER, Names, number_of
from ticssync_sheets.workbook.sorting import Seen


@dataclass(slots=True)
class Plan:
    """What one file write does.  `cells`: task id → field → value; `rows`: task id → row (None: new).

    `rejected`: task id → refusal.  `renamed`: id before → id after, where a change gives a new marker.
    """

    cells: dict[str, dict[str, FieldValue]] = field(default_factory=dict)
    rows: dict[str, int | None] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, row: int | None, cells: Fields) -> None:
        """More cells for one row; what is added later counts."""
        self.rows.setdefault(name, row)
        self.cells.setdefault(name, {}).update(cells)

    def edits(self, names: Names) -> list[RowEdit]:
        """The edits, existing rows first and new ones in the order they were added."""
        found = [RowEdit(self.rows[name], _contents(cells, names)) for name, cells in self.cells.items()]
        return [edit for edit in found if edit.cells or edit.row is None]


def make_plan(seen: View | None, drafts: Sequence[Draft], changes: Sequence[Change], names: Names) -> Plan:
    """Repairs first, changes over them, drafts at the end."""
    plan = Plan()
    known = seen.seen if seen else {}
    for fix in seen.fixes if seen else ():
        plan.add(fix.id, fix.row, fix.cells)
    columns = seen.layout.columns if seen else {}
    for change in changes:
        _add_change(plan, change, known.get(change.ref.id), columns, names)
    for draft in drafts:
        if draft.marker not in known:
            plan.add(draft.marker, None, draft_cells(draft, names))
    return plan


def draft_cells(draft: Draft, names: Names) -> dict[str, FieldValue]:
    """The values of a new row: number and marker are in it from the first moment."""
    own = {name: value for name, value in draft.fields.items() if name in names.heads}
    if NUMBER in names.heads and not own.get(NUMBER):
        own[NUMBER] = number_of(draft.key)
    return {**own, MARKER: draft.marker}


def _add_change(
    plan: Plan, change: Change, task: Seen | None, columns: Collection[str], names: Names
) -> None:
    name = change.ref.id
    if task is None:
        plan.rejected[name] = Rejected((names.text("this row is not in the workbook"),))
        return
    wanted = {key: value for key, value in change.set.items() if key in names.heads}
    if "status" not in wanted and change.status_path and "status" in names.heads:
        wanted["status"] = names.statuses.get(change.status_path[-1], change.status_path[-1])
    if change.marker is not None:
        wanted[MARKER] = change.marker or None
    if moved := _changed_since(task, change.expect, names):
        plan.rejected[name] = Rejected((names.text("this row was changed in the meantime"),), field=moved)
        return
    refused = _refusals(task, wanted, columns, names)
    cells = {key: value for key, value in wanted.items() if key not in refused}
    if refused and not cells:
        plan.rejected[name] = Rejected(tuple(refused.values()), field=next(iter(refused)))
        return
    if MARKER in cells:
        plan.renamed[name] = change.marker or name
    plan.add(name, task.row, cells)


def _changed_since(task: Seen, expect: Fields, names: Names) -> str:
    for name, value in expect.items():
        if name in task.fields and task.fields[name] != view(name, value, names):
            return name
    return ""


def _refusals(task: Seen, wanted: Fields, columns: Collection[str], names: Names) -> dict[str, str]:
    refused = {name: task.locked[name] for name in wanted if name in task.locked}
    status = wanted.get("status")
    if status is not None and names.table.remote_status(str(status)) is None:
        refused["status"] = names.text("the mapping has no word for the status “{status}”", status=status)
    for name in wanted:
        if name not in columns:
            refused[name] = names.text("the column “{head}” is not in the sheet", head=names.heads[name])
    return refused


def _contents(cells: Fields, names: Names) -> dict[str, Content]:
    return {
        name: (str(value) if value else None) if name == MARKER else encode(name, value, names)
        for name, value in cells.items()
    }
