"""The safety stop `ids moved`: rows whose visible columns were sorted without their hidden id.  Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from ticssync.plugin import FieldValue, Unsafe
from ticssync_sheets.workbook.history import Past
from ticssync_sheets.workbook.layout import Layout
from ticssync_sheets.workbook.names import MARKER, NUMBER, Names, number_of_marker, same_text
from ticssync_sheets.workbook.reading import Row
from ticssync_sheets.workbook.sorting import number_in, some


def refuse_moved(originals: Mapping[str, Row], layout: Layout, past: Past, names: Names) -> None:
    """Raise Unsafe where visible columns and hidden ids no longer belong together."""
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
            "ids moved: {count} rows show another task than their hidden id says ({cells}), as after a"
            " sort that left"
            " the hidden column out; no value of the workbook is taken",
            count=len(moved),
            cells=some([_moved_cell(marker, row, layout) for marker, row in moved]),
        ),
        what="workbook ids moved "
        + _digest([[marker, row.fields.get(NUMBER), row.fields.get("title")] for marker, row in moved]),
        fix=names.text(
            "undo the sort with Ctrl+Z, or restore the newest file of the folder {folder}; sort with"
            " the arrows in the"
            " header row, which take the hidden column along",
            folder=".ticssync-backup",
        ),
    )


def _moved_cell(marker: str, row: Row, layout: Layout) -> str:
    place = NUMBER if NUMBER in layout.columns else MARKER
    return f"{layout.cell(row.index, place)} ≠ {number_of_marker(marker)}"


def _number_moved(marker: str, row: Row, owners: Mapping[str, str], past: Past) -> bool:
    number = number_in(row.fields)
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
    return number_in(past.latest.get(marker, {})) or same_text(number_of_marker(marker))


def _digest(rows: Sequence[Sequence[FieldValue]]) -> str:
    text = json.dumps(sorted(rows, key=str), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
