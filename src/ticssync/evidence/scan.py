"""What lies in the drop folders, and what of it has come to rest.  It looks and changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from ticssync.errors import Said, say
from ticssync.evidence.flags import HEAD, NEVER_TAKEN, Flag, flags, is_system_file
from ticssync.evidence.folders import (
    HOW_TO,
    RECEIVED,
    UNSORTED,
    item_of_folder,
    items_in_name,
    unknown_in_name,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNFINISHED: Final = (".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload")
_HIDDEN: Final = getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 2)
_JUNCTION: Final = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003)

_REFUSALS: Final = (
    (Flag.EMPTY, say("it is empty (0 bytes)")),
    (Flag.DOUBLE_EXTENSION, say("its name makes a program look like a document")),
    (Flag.SHORTCUT, say("it is a shortcut: put the file itself here")),
    (Flag.EXECUTABLE, say("it is a program or a script")),
    (Flag.SYSTEM_FILE, say("the system made this file for itself")),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looked like: bytes, its own time (ns since 1970), and since when (seconds since 1970).

    A file that was at rest at the first look is taken to have been so since its own time.
    """

    size: int
    mtime_ns: int
    first_seen: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file at rest.  `relative` is its place in the drop folder (with /), `mtime` is aware UTC, `flags` is
    what a person should be told about it."""

    path: Path
    relative: str
    item_ids: tuple[str, ...]
    size: int
    mtime: datetime
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look found.  `looks` is to be handed to the next one; names are places in the drop folder."""

    ready: tuple[Candidate, ...]
    waiting: tuple[str, ...]
    refused: tuple[tuple[str, Said], ...]
    looks: Mapping[str, Look]


@dataclass(slots=True)
class _Found:
    """One look under way: by which clock and rule, and what was found so far."""

    now: float
    rest_s: float
    item_ids: Collection[str]
    ready: list[Candidate] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: list[tuple[str, Said]] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    relative: str
    folder_item: str | None
    siblings: frozenset[str]


def scan(
    drop: Path, looks: Mapping[str, Look], now: datetime, item_ids: Collection[str], *, rest_s: float = 30
) -> Scan:
    """Sort the files of the drop folder into ready, waiting and refused.  `now` is aware.

    A file is at rest when it looks as it did `rest_s` seconds ago and was last changed longer ago than that;
    at the first look its own time alone decides, so that a single command can take what lies there.  A file
    whose time lies in the future (a camera's clock) needs two looks.  A file that somebody has open waits.
    """
    found = _Found(now.timestamp(), rest_s, item_ids)
    for file in _files(drop, found):
        try:
            status = file.path.lstat()
            if not _is_hidden(status):
                _sort(file, status, looks.get(file.relative), found)
        except FileNotFoundError:
            # Moved or renamed by its owner meanwhile.
            continue
        except OSError:
            # On Windows an open file may not even be looked into.
            found.waiting.append(file.relative)
    return Scan(tuple(found.ready), tuple(found.waiting), tuple(found.refused), found.looks)


def _sort(file: _File, status: os.stat_result, last: Look | None, found: _Found) -> None:
    if not stat.S_ISREG(status.st_mode):
        found.refused.append((file.relative, say("it is a link or no file at all: put the file itself here")))
        return
    look = _look(status, last, found)
    if _is_open(file) or not _at_rest(look, found):
        found.waiting.append(file.relative)
        found.looks[file.relative] = look
        return
    with file.path.open("rb") as stream:
        seen = flags(file.path.name, stream.read(HEAD))
    items = _items(file, found.item_ids)
    why = refusal(seen) or _slip(file, found.item_ids) or (None if items else _unnamed(file))
    if why is None:
        time = instant(status.st_mtime_ns)
        found.ready.append(Candidate(file.path, file.relative, items, status.st_size, time, seen))
    else:
        found.refused.append((file.relative, why))
        found.looks[file.relative] = look


def refusal(seen: Collection[Flag]) -> Said | None:
    """Why a file with these flags is not taken at all; None where it is."""
    return next((why for flag, why in _REFUSALS if flag in seen and flag in NEVER_TAKEN), None)


def instant(mtime_ns: int) -> datetime:
    """A file's time as an aware UTC datetime (microseconds)."""
    return _EPOCH + timedelta(microseconds=mtime_ns // 1000)


def _look(status: os.stat_result, last: Look | None, found: _Found) -> Look:
    if last is not None and (last.size, last.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return last
    own = status.st_mtime_ns / 1e9
    rested = last is None and own <= found.now - found.rest_s
    return Look(status.st_size, status.st_mtime_ns, own if rested else found.now)


def _at_rest(look: Look, found: _Found) -> bool:
    age = found.now - look.mtime_ns / 1e9
    return found.now - look.first_seen >= found.rest_s and (age >= found.rest_s or age < 0)


def _is_open(file: _File) -> bool:
    """Whether an office program or a download has left its sign beside the file, or in its name."""
    name = file.path.name
    # Word drops one or two characters of a long name: ~$ and the rest.
    signs = {f"~${name[skipped:]}" for skipped in (0, 1, 2)} | {f".~lock.{name}#"}
    signs |= {f"{name}{unfinished}" for unfinished in _UNFINISHED}
    return name.lower().endswith(_UNFINISHED) or not signs.isdisjoint(file.siblings)


def _items(file: _File, item_ids: Collection[str]) -> tuple[str, ...]:
    named = items_in_name(file.path.name, item_ids)
    if file.folder_item is None:
        return named
    return named if file.folder_item in named else (file.folder_item,)


def _slip(file: _File, item_ids: Collection[str]) -> Said | None:
    """In an item's folder as well: taken for that item alone, the file would miss the one that was meant."""
    unknown = unknown_in_name(file.path.name, item_ids)
    if unknown is None:
        return None
    return say("its name lists {item}, and no scheme has such an item: correct the name", item=unknown)


def _unnamed(file: _File) -> Said:
    folder = file.relative.partition("/")[0]
    if "/" not in file.relative or folder == UNSORTED:
        return say("its name does not begin with the number of an item, such as T-14_")
    return say("the folder {folder} does not begin with the number of an item", folder=folder)


def _files(drop: Path, found: _Found) -> Iterator[_File]:
    for entry in _entries(drop, "", found):
        if entry.name == RECEIVED:
            continue
        if _is_folder(entry):
            yield from _below(entry, entry.name, item_of_folder(entry.name, found.item_ids), found)
    yield from _of_folder(drop, "", None, found)


def _below(folder: Path, relative: str, item: str | None, found: _Found) -> Iterator[_File]:
    for entry in _entries(folder, relative, found):
        if _is_folder(entry):
            yield from _below(entry, f"{relative}/{entry.name}", item, found)
    yield from _of_folder(folder, relative, item, found)


def _of_folder(folder: Path, relative: str, item: str | None, found: _Found) -> Iterator[_File]:
    entries = _entries(folder, relative, found)
    siblings = frozenset(entry.name for entry in entries)
    for entry in entries:
        if not _is_folder(entry) and not _is_ignored(entry.name):
            yield _File(entry, f"{relative}/{entry.name}" if relative else entry.name, item, siblings)


def _entries(folder: Path, relative: str, found: _Found) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        why = say("the folder cannot be read: {why}", why=error.strerror or str(error))
        if (relative or folder.name, why) not in found.refused:
            found.refused.append((relative or folder.name, why))
        return []


def _is_folder(path: Path) -> bool:
    """A real folder.  Links and junctions are not followed: they could lead to any file of this machine."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and getattr(status, "st_reparse_tag", 0) != _JUNCTION


def _is_ignored(name: str) -> bool:
    return (
        name.startswith((".", "~")) or name.lower().endswith(".tmp") or is_system_file(name) or name == HOW_TO
    )


def _is_hidden(status: os.stat_result) -> bool:
    return bool(getattr(status, "st_file_attributes", 0) & _HIDDEN)
