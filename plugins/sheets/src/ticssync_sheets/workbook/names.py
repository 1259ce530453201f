"""What things are called in this workbook: column heads, status words, people, labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ticssync.plugin import Marker, Opening, Table, TaskKey, Translate, Words
from ticssync_sheets.workbook.settings import WorkbookSettings

HIDDEN_SHEET: Final = "_ticssync"
MARKER_HEAD: Final = "ticssync-id"
STATUS_LIST: Final = "ticssync_statuses"
PEOPLE_LIST: Final = "ticssync_people"
MARKER: Final = "marker"
NUMBER: Final = "number"

PEOPLE_WRITE: Final = ("status", "assignee", "evidence")
"""Columns that a person fills in; their heads are coloured, and the guide sheet says so."""

LABELS: Final = ("title", "guide", "confirmation_waiting", "confirmation_done")
"""Names that `Table.labels` may give a text for: the title band, the guide sheet, and the two words that
colour the column of `confirmation`."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names for one open workbook.

    `heads`: canonical field → column head, in the order of the columns, without the marker.  `statuses`:
    word in the sheet → canonical status, in the mapping's order.  `people`: person id → name as shown
    (with the id where two people share a name).
    """

    sheet: str
    heads: Mapping[str, str]
    marker_head: str
    table: Table
    people: Mapping[str, str]
    text: Translate
    workspace: str
    tracker: str
    company: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def statuses(self) -> Mapping[str, str]:
        """Word in the sheet → canonical status."""
        return self.table.statuses

    def columns(self) -> Iterator[tuple[str, str]]:
        """(field, head) from left to right, the hidden marker right after the number.

        Between two visible columns it is inside every range that a person selects by dragging over rows,
        so that a sort of that range takes it along.
        """
        fields = list(self.heads)
        place = fields.index(NUMBER) + 1 if NUMBER in self.heads else 0
        for name in fields[:place]:
            yield name, self.heads[name]
        yield MARKER, self.marker_head
        for name in fields[place:]:
            yield name, self.heads[name]

    def closed_words(self) -> tuple[str, ...]:
        """The status words that mean the work is over (done, or proposed to be left out)."""
        return tuple(word for word, known in self.statuses.items() if known in {"done", "wont_do"})

    def label(self, name: str) -> str:
        """A text of the mapping's labels, or ours in the workbook's language."""
        return self.labels.get(name) or _own_labels(self.text)[name]


def names_of(opening: Opening) -> Names:
    """The names that this opening's mapping and people give."""
    assert isinstance(opening.settings, WorkbookSettings)
    table = opening.table
    default = word(opening.text, "TICS課題一覧", "TICS tasks")
    heads = {name: head for name, head in table.fields.items() if name != MARKER}
    return Names(
        sheet=opening.settings.sheet or default,
        heads=heads,
        marker_head=table.marker_place or table.fields.get(MARKER, "") or MARKER_HEAD,
        table=table,
        people=shown_people(table.names),
        text=opening.text,
        workspace=opening.workspace,
        tracker=opening.name,
        company=opening.company,
        labels=table.labels,
    )


def shown_people(names: Mapping[str, str]) -> dict[str, str]:
    """Person id → name in the drop-down; two people of one name are told apart by their ids."""
    plain = [same_text(name) for name in names.values()]
    return {
        person: name if plain.count(same_text(name)) == 1 else f"{name}（{person}）"
        for person, name in names.items()
        if name.strip()
    }


def same_text(text: str) -> str:
    """The form in which heads, names and status words are compared (never stored): full-width letters and
    blanks are how people type, not a difference."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def word(text: Translate, ja: str, en: str) -> str:
    """A short label in the language of the workbook; labels are data, sentences are in the catalogue."""
    return Words(ja, en).in_language(text.lang)


def number_of(key: TaskKey) -> str:
    """The number that a row shows for a key where the mapping gives none: `T-14`, `T-14.drill@2026`."""
    return str(key).partition("/")[2]


def number_of_marker(marker: str) -> str:
    """The number that belongs to a marker; empty where it is none."""
    known = Marker.parse(marker)
    return number_of(known.key) if known else ""


def _own_labels(text: Translate) -> dict[str, str]:
    return {
        "title": word(text, "TICS課題一覧", "TICS tasks"),
        "guide": word(text, "使い方", "How to use"),
        "confirmation_waiting": word(text, "確認待ち", "waiting for confirmation"),
        "confirmation_done": word(text, "確認済", "confirmed"),
    }
