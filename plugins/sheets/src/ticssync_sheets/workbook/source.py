"""The file as the driver looks at it: read, judged, and asked whether it may be written now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ticssync.plugin import Finding, Level, Opening, Unavailable, UnreadableTable, Unsafe
from ticssync_sheets.workbook.files import copies_beside, newest_backup, read_file
from ticssync_sheets.workbook.history import History
from ticssync_sheets.workbook.judge import View, judge
from ticssync_sheets.workbook.locks import can_append, find_locks
from ticssync_sheets.workbook.names import Names
from ticssync_sheets.workbook.package import damage
from ticssync_sheets.workbook.reading import Reading, read_workbook


@dataclass(frozen=True, slots=True)
class State:
    """The file as it was last looked at."""

    raw: bytes
    reading: Reading
    view: View


class Source:
    """One workbook file.  `count` is called at each full reading; `state` is the last one."""

    def __init__(
        self, opening: Opening, path: Path, names: Names, history: History, *, count: Callable[[], None]
    ) -> None:
        self.path = path
        self._count = count
        self.state: State | None = None
        self._clock, self._text, self._names, self._history = opening.clock, opening.text, names, history

    def read(self) -> bytes | None:
        """The bytes; None where there was never a file.  Raises Unavailable."""
        try:
            raw = read_file(self.path)
        except OSError as error:
            message = self._text(
                "{file} cannot be opened now: {why}", file=self.path.name, why=error.strerror or ""
            )
            raise Unavailable(message, holder=self._holder()) from error
        if raw is None and self._history.last is not None:
            raise self.missing()
        return raw

    def missing(self) -> Unavailable:
        """The answer where the file is gone, with the way to bring it back."""
        backup = newest_backup(self.path)
        message = self._text(
            "the workbook {file} is gone (moved or renamed?): put it back into {folder} under this name",
            file=self.path.name,
            folder=self.path.parent,
        )
        if backup:
            message += self._text("; the state before the last write is {backup}", backup=backup)
        return Unavailable(message)

    def look_at(self, raw: bytes) -> State:
        """Read and judge.  Raises Unsafe, and Unavailable where the file is being saved just now."""
        digest = hashlib.sha256(raw).hexdigest()
        if self.state and self.state.reading.digest == digest:
            return self.state
        self._count()
        try:
            reading = read_workbook(raw, self._names)
        except UnreadableTable as error:
            if self._holder_of_lock() is not None:
                message = self._text("{file} is being saved just now", file=self.path.name)
                raise Unavailable(message, holder=self._holder()) from error
            raise self._unreadable(error) from error
        serial = reading.identity.serial if reading.identity else None
        self.state = State(raw, reading, judge(reading, self._history.past(serial), self._names))
        return self.state

    def _unreadable(self, error: UnreadableTable) -> Unsafe:
        backup = newest_backup(self.path)
        return Unsafe(
            self._text("{file}: {why}", file=self.path.name, why=error.args[0]),
            what=f"workbook unreadable {self.path.name}",
            fix=self._text("restore {backup}", backup=backup)
            if backup
            else self._text("put a readable workbook in its place"),
        )

    def fresh(self, raw: bytes | None) -> State | None:
        """These bytes, read and judged; None where there was never a file."""
        return None if raw is None else self.look_at(raw)

    def current(self) -> State | None:
        """The file as it is now."""
        return self.fresh(self.read())

    def changed(self) -> Unavailable:
        """The answer where a person was quicker than our write."""
        return Unavailable(
            self._text(
                "{file} was changed while it was to be written; the next cycle takes it up",
                file=self.path.name,
            )
        )

    def refuse_damage(self, state: State) -> None:
        """Raise Unsafe where the package holds what writing would break."""
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

    def refuse_if_open(self) -> None:
        """Raise Unavailable while somebody has the workbook open."""
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
        locks = [lock for lock in find_locks(self.path, self._clock()) if not lock.stale]
        return next((lock.holder for lock in locks if lock.holder), "") if locks else None

    def _holder(self) -> str:
        return self._holder_of_lock() or ""

    def beside(self) -> list[Finding]:
        """Copies and left-over lock files beside the workbook."""
        found = []
        if copies := copies_beside(self.path):
            message = self._text("copies beside the workbook are not read: {files}", files=", ".join(copies))
            fix = self._text("carry over what is new into {file}, then move them away", file=self.path.name)
            found.append(Finding("workbook.copies", Level.WARN, message, fix))
        for lock in find_locks(self.path, self._clock()):
            if lock.stale:
                message = self._text(
                    "the lock file {file} was left over ({holder}) and is passed over",
                    file=lock.path.name,
                    holder=lock.holder,
                )
                fix = self._text("delete it if nobody has the workbook open")
                found.append(Finding("workbook.stale_lock", Level.WARN, message, fix))
        return found
