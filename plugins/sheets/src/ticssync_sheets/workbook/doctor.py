"""What `doctor` shows of a workbook."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ticssync.plugin import Finding, Level, Unavailable, Unsafe
from ticssync_sheets.workbook.files import BACKUPS, newest_backup, read_file
from ticssync_sheets.workbook.history import History
from ticssync_sheets.workbook.judge import View
from ticssync_sheets.workbook.locks import find_locks
from ticssync_sheets.workbook.names import Names, same_text
from ticssync_sheets.workbook.package import damage
from ticssync_sheets.workbook.reading import Reading


class Looked(Protocol):
    """The file as it was read and judged."""

    @property
    def reading(self) -> Reading:
        """What it says."""

    @property
    def view(self) -> View:
        """What that means."""


def examine(
    path: Path, names: Names, history: History, now: datetime, look: Callable[[bytes], Looked]
) -> list[Finding]:
    """All findings, good ones too.  `now` is aware UTC; `look` reads and judges bytes."""
    return [
        *_mapping(names),
        *_folder(path, names),
        *_locks(path, names, now),
        *_file(path, names, history, look),
    ]


def _mapping(names: Names) -> Iterator[Finding]:
    heads = Counter(same_text(head) for _, head in names.columns())
    twice = [head for _, head in names.columns() if heads[same_text(head)] > 1]
    if twice:
        message = names.text("the mapping gives two columns the same head: {heads}", heads=", ".join(twice))
        yield Finding("workbook.mapping", Level.FAIL, message, names.text("give each column its own head"))
    if not names.statuses:
        message = names.text("the mapping has no status words")
        yield Finding("workbook.mapping", Level.FAIL, message, names.text("add `statuses:` to the mapping"))


def _folder(path: Path, names: Names) -> Iterator[Finding]:
    folder = path.parent
    if not folder.is_dir():
        message = names.text("the folder {folder} does not exist", folder=folder)
        yield Finding(
            "workbook.folder",
            Level.FAIL,
            message,
            names.text("create it, or correct `path:` in ticssync.yaml"),
        )
        return
    if not os.access(folder, os.W_OK):
        message = names.text("the folder {folder} cannot be written to", folder=folder)
        yield Finding(
            "workbook.folder",
            Level.FAIL,
            message,
            names.text("give ticssync's account the right to change files there"),
        )
        return
    backup = newest_backup(path)
    if backup:
        yield Finding(
            "workbook.backups", Level.OK, names.text("newest backup: {file}", file=f"{BACKUPS}/{backup.name}")
        )


def _locks(path: Path, names: Names, now: datetime) -> Iterator[Finding]:
    for lock in find_locks(path, now):
        holder = lock.holder or names.text("somebody")
        if lock.stale:
            message = names.text(
                "the lock file {file} was left over ({holder}) and is passed over",
                file=lock.path.name,
                holder=holder,
            )
            yield Finding(
                "workbook.stale_lock",
                Level.WARN,
                message,
                names.text("delete it if nobody has the workbook open"),
            )
        else:
            message = names.text(
                "{file} is open ({holder}): the writes wait until it is closed", file=path.name, holder=holder
            )
            yield Finding("workbook.lock", Level.WARN, message, names.text("ask for it to be closed"))


def _file(path: Path, names: Names, history: History, look: Callable[[bytes], Looked]) -> Iterator[Finding]:
    try:
        raw = read_file(path)
        if raw is None:
            yield _absent(path, names, history)
            return
        looked = look(raw)
    except OSError as error:
        yield Finding(
            "workbook.file",
            Level.FAIL,
            names.text("{file} cannot be opened now: {why}", file=path.name, why=error.strerror or ""),
        )
        return
    except Unavailable as error:
        yield Finding("workbook.file", Level.WARN, str(error))
        return
    except Unsafe as error:
        yield Finding("workbook.file", Level.FAIL, str(error), error.fix)
        return
    yield from _rows(path, names, looked)


def _absent(path: Path, names: Names, history: History) -> Finding:
    if history.last is None:
        return Finding(
            "workbook.file", Level.OK, names.text("{file} is made by the first sync", file=path.name)
        )
    backup = newest_backup(path)
    fix = names.text("restore {backup}", backup=backup) if backup else ""
    return Finding(
        "workbook.file",
        Level.FAIL,
        names.text("the workbook {file} is gone (moved or renamed?)", file=path.name),
        fix,
    )


def _rows(path: Path, names: Names, looked: Looked) -> Iterator[Finding]:
    count = len(looked.view.rows())
    yield Finding("workbook.file", Level.OK, names.text("{file}: {count} tasks", file=path.name, count=count))
    if harm := damage(looked.reading.package, names.text):
        message = names.text(
            "{file} is not written, because writing would damage: {parts}",
            file=path.name,
            parts="; ".join(harm),
        )
        fix = names.text("save it as an ordinary workbook (*.xlsx) without them; reading goes on")
        yield Finding("workbook.parts", Level.FAIL, message, fix)
    yield from looked.view.findings
    for seen in looked.view.seen.values():
        for problem in seen.problems:
            yield Finding("workbook.cell", Level.WARN, problem)
