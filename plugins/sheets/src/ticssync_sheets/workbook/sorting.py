"""Which row is which task: originals, copies, damaged and foreign rows.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ticssync.plugin import Fields, Finding, Level, Marker
from ticssync_sheets.workbook.history import Past
from ticssync_sheets.workbook.layout import Layout
from ticssync_sheets.workbook.names import MARKER, NUMBER, Names, same_text
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


class Sorter:
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
        numbers = Counter(number_in(row.fields) for row in loose)
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
        number = number_in(row.fields)
        if not number or numbers[number] > 1:
            return None
        found = [marker for marker, fields in lost.items() if number_in(fields) == number]
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
                warn(
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
                warn("workbook.damaged_id", message, text("put the row back from the newest backup"))
            )
        if self.foreign:
            where = self._where(self.foreign)
            message = text(
                "rows without a hidden id, left alone: {count} ({cells})",
                count=len(self.foreign),
                cells=where,
            )
            found.append(warn("workbook.foreign_rows", message))
        if self.strangers:
            where = self._where(self.strangers)
            message = text(
                "rows of another ticssync workspace, left alone: {count} ({cells})",
                count=len(self.strangers),
                cells=where,
            )
            found.append(warn("workbook.strangers", message))
        return found

    def _where(self, rows: Sequence[Row]) -> str:
        first = "title" if "title" in self._layout.columns else MARKER
        return some([self._layout.cell(row.index, first) for row in rows])


def number_in(fields: Fields) -> str:
    """The number that a row shows, in the form in which numbers are compared."""
    return same_text(str(fields.get(NUMBER) or ""))


def some(cells: Sequence[str]) -> str:
    """The first cells of a list, for a message."""
    return ", ".join(cells[:5]) + (", …" if len(cells) > 5 else "")


def warn(name: str, message: str, fix: str = "") -> Finding:
    """A finding that asks for a look."""
    return Finding(name, Level.WARN, message, fix)


def _agreement(row: Row, latest: Fields) -> int:
    return sum(1 for name, value in row.fields.items() if name in latest and latest[name] == value)


def _seen(name: str, marker: str, row: Row) -> Seen:
    return Seen(name, marker, row.index, row.fields, row.raw_status, row.problems, row.locked)
