"""What is remembered of one workbook between cycles, in the memory that the host keeps.

`serial`          serial of the last write
`latest`          marker → fields as last reported or written
`snap.<serial>`   marker → field → fingerprint, as that write left it
`seen.<serial>`   marker → field → fingerprints of what people put there while that serial was the newest
`chain`           digests of files: the first was reported in full, each next one is it plus a write of ours
`pending`         set while the file needs a repair that was not written yet
`notices`         what the last reading showed, for cycles in which the file did not change
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ticssync.plugin import FieldValue, Finding, Level, Memory

KEPT: Final = 20
"""How many writes back a stale copy can be told from an edit."""

CHAINED: Final = 8
"""How many writes of ours may follow a cursor before the file is read again."""

Json: TypeAlias = Any
"""What json.loads gives."""

Rows: TypeAlias = Mapping[str, Mapping[str, FieldValue]]
Prints: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Past:
    """What the past says of a file that carries one serial.

    `last`: serial of our last write, None before the first.  `untouched`: marker → field → fingerprints
    that mean "nobody edited this since that serial"; None where that serial is not remembered.
    """

    last: int | None = None
    latest: Rows = field(default_factory=dict)
    untouched: Prints | None = None


def fingerprint(value: FieldValue) -> str:
    """A short form that is equal where values are equal: long texts are hashed, not kept twenty times."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= 20:
        return text
    return "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


class History:
    """The remembered past of one workbook."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @property
    def last(self) -> int | None:
        """Serial of the last write that is remembered; None before the first."""
        text = self._memory.get("serial")
        return int(text) if text else None

    def past(self, serial: int | None) -> Past:
        """What the past says of a file with this serial (None: the file does not say)."""
        last = self.last
        asked = last if serial is None else serial
        return Past(last, self.latest(), self._untouched(asked) if asked is not None else None)

    def latest(self) -> dict[str, dict[str, FieldValue]]:
        """Marker → fields, as last reported or written."""
        rows = self._load("latest") or {}
        return {
            marker: {
                name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
            }
            for marker, fields in rows.items()
        }

    def remember_reading(self, serial: int | None, rows: Rows, digest: str) -> None:
        """Keep what this cycle reported.  A file newer than the memory (a crash after the write) is taken."""
        self._store("chain", [digest])
        last = self.last
        if serial is not None and (last is None or serial > last):
            self._start(serial, rows)
        elif last is not None and serial in {None, last}:
            self._note_edits(last, rows)
        self._keep_latest(rows)

    def remember_write(self, serial: int, rows: Rows, before: str | None, after: str) -> None:
        """Keep what this write left.  `before`: digest of the file that was written over."""
        self._start(serial, rows)
        self._keep_latest(rows)
        chain = [*self._chain(), after] if before and self.was_reported(before) else None
        self._store("chain", chain[-CHAINED:] if chain else None)
        self.pending = False

    def was_reported(self, digest: str) -> bool:
        """Whether all that this file says was reported or written by us."""
        return self._chain()[-1:] == [digest]

    def follows(self, cursor: str, digest: str) -> bool:
        """Whether this file is the one of the cursor, or that one plus only our own writes."""
        return digest == cursor or (self.was_reported(digest) and cursor in self._chain())

    def _chain(self) -> list[str]:
        return list(self._load("chain") or ())

    @property
    def pending(self) -> bool:
        """Whether the file waits for a repair."""
        return self._memory.get("pending") == "1"

    @pending.setter
    def pending(self, waits: bool) -> None:
        if waits != self.pending:
            self._memory.put("pending", "1" if waits else None)

    def notices(self) -> list[Finding]:
        """The notices of the last reading."""
        return [
            Finding(i, Level(level), message, fix) for i, level, message, fix in self._load("notices") or ()
        ]

    def keep_notices(self, notices: Sequence[Finding]) -> None:
        """Keep the notices of this reading."""
        rows = [[found.id, found.level.value, found.message, found.fix] for found in notices]
        self._store("notices", rows or None)

    def _start(self, serial: int, rows: Rows) -> None:
        self._memory.put("serial", str(serial))
        self._store(f"snap.{serial}", {marker: _prints(fields) for marker, fields in rows.items()})
        self._memory.put(f"seen.{serial}", None)
        for name in ("snap", "seen"):
            self._memory.put(f"{name}.{serial - KEPT}", None)

    def _note_edits(self, serial: int, rows: Rows) -> None:
        written, seen = self._load(f"snap.{serial}") or {}, self._load(f"seen.{serial}") or {}
        for marker, fields in rows.items():
            for name, value in _prints(fields).items():
                noted = seen.get(marker, {}).get(name, [])
                if marker in written and value != written[marker].get(name) and value not in noted:
                    seen.setdefault(marker, {}).setdefault(name, []).append(value)
        self._store(f"seen.{serial}", seen or None)

    def _keep_latest(self, rows: Rows) -> None:
        # A cell that could not be read this time keeps its last good value: absent is not emptied.
        before = self.latest()
        self._store(
            "latest", {marker: {**before.get(marker, {}), **fields} for marker, fields in rows.items()}
        )

    def _untouched(self, serial: int) -> Prints | None:
        written, seen = self._load(f"snap.{serial}"), self._load(f"seen.{serial}") or {}
        if written is None:
            return None
        return {
            marker: {
                name: frozenset([value, *seen.get(marker, {}).get(name, [])])
                for name, value in fields.items()
            }
            for marker, fields in written.items()
        }

    def _load(self, name: str) -> Json:
        text = self._memory.get(name)
        return json.loads(text) if text else None

    def _store(self, name: str, value: Json) -> None:
        text = None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if text != self._memory.get(name):
            self._memory.put(name, text)


def _prints(fields: Mapping[str, FieldValue]) -> dict[str, str]:
    return {name: fingerprint(value) for name, value in fields.items()}
