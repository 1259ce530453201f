"""Reading a ZIP that may be hostile: nothing is unpacked, sizes are capped, the container is rebuilt.

`look` refuses what no bundle has (links, encryption, paths that leave the folder, two files of one name),
`hashes` reads what is left in chunks, `container_problems` compares the ZIP's own bytes with the only ones
that `container` would have written for these entries.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from ticssync.bundle.container import Entry, directory, local_header, place
from ticssync.bundle.naming import is_safe_path
from ticssync.errors import Said, say

MAX_ENTRIES: Final = 200_000
MAX_TEXT: Final = 64_000_000
"""Bytes of a file, or of one line of the event log, that is held in memory to be understood."""
_RATIO: Final = 200
_FREE: Final = 1_000_000
_ENCRYPTED: Final = 0x1 | 0x40
_CHUNK: Final = 1 << 18

_BROKEN: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, OSError, EOFError, ValueError,
    NotImplementedError, RuntimeError, OverflowError, IndexError,
)  # fmt: skip
"""What a damaged or hostile file makes the reader raise."""


@dataclass(frozen=True, slots=True)
class BundleProblem:
    """One thing wrong with a bundle; `path` is inside the ZIP, empty for the ZIP itself."""

    path: str
    problem: Said


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as it was read.  `size` is in bytes."""

    sha256: str
    crc: int
    size: int


@dataclass(frozen=True, slots=True)
class Archive:
    """An opened ZIP and the entries that are safe to read."""

    stream: BinaryIO
    zip: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]
    names: tuple[str, ...]


def look(stream: BinaryIO) -> tuple[Archive | None, list[BundleProblem]]:
    """Open the ZIP and sort out what must not be read; None where it is no ZIP at all."""
    try:
        package = zipfile.ZipFile(stream)
        infos = package.infolist()
    except _BROKEN:
        return None, [BundleProblem("", say("this is not a ZIP, or it was cut off or damaged"))]
    if len(infos) > MAX_ENTRIES:
        return None, [
            BundleProblem("", say("the ZIP holds more than {limit} files and is not read", limit=MAX_ENTRIES))
        ]
    problems, entries = _sorted_out(infos, _size(stream))
    return Archive(stream, package, entries, tuple(info.filename for info in infos)), problems


def _sorted_out(
    infos: list[zipfile.ZipInfo], whole: int
) -> tuple[list[BundleProblem], dict[str, zipfile.ZipInfo]]:
    counts = Counter(info.filename.lower() for info in infos)
    problems, entries, total = [], dict[str, zipfile.ZipInfo](), 0
    for info in infos:
        why = _refusal(info, counts)
        total += info.file_size if why is None else 0
        if why is None and total > _RATIO * whole + _FREE:
            why = say("the ZIP claims to hold far more than it can (a bomb); not read")
        if why is None:
            entries[info.filename] = info
        else:
            problems.append(BundleProblem(info.filename[:200], why))
    return problems, entries


def _refusal(info: zipfile.ZipInfo, counts: Counter[str]) -> Said | None:
    if counts[info.filename.lower()] > 1:
        return say("the ZIP holds two files of this name; neither is read")
    if not is_safe_path(info.filename) or "\0" in info.orig_filename:
        return say("this name could leave the folder or cannot exist on Windows; not read")
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        return say("this is a link or a special file, not a file; not read")
    if info.flag_bits & _ENCRYPTED:
        return say("this file is encrypted; not read")
    if info.file_size > _RATIO * info.compress_size + _FREE:
        return say("this file claims to be far larger than it can be (a bomb); not read")
    return None


def content(archive: Archive, name: str) -> bytes | None:
    """A small file as a whole; None where it is missing, damaged or too large to be held."""
    info = archive.entries.get(name)
    if info is None or info.file_size > MAX_TEXT:
        return None
    try:
        return b"".join(_chunks(archive, info))
    except _BROKEN:
        return None


def lines(archive: Archive, name: str) -> Iterator[bytes]:
    """The lines of a file, one by one, with their ends.  Raises ValueError where it is missing or damaged."""
    info = archive.entries.get(name)
    if info is None:
        raise ValueError(name)
    try:
        with archive.zip.open(info) as member:
            while line := member.readline(MAX_TEXT):
                yield line
    except _BROKEN as error:
        raise ValueError(name) from error


def hashes(archive: Archive) -> tuple[dict[str, Seen], list[BundleProblem]]:
    """Read every file once, in chunks."""
    seen: dict[str, Seen] = {}
    problems = []
    for name, info in archive.entries.items():
        digest, crc, size = hashlib.sha256(), 0, 0
        try:
            for chunk in _chunks(archive, info):
                digest.update(chunk)
                crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        except _BROKEN:
            problems.append(BundleProblem(name, say("this file is damaged and cannot be read to its end")))
            continue
        seen[name] = Seen(digest.hexdigest(), crc, size)
    return seen, problems


def _chunks(archive: Archive, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.zip.open(info) as member:
        # zipfile never hands out more than the size that the directory claims.
        while chunk := member.read(_CHUNK):
            yield chunk


def container_problems(archive: Archive, seen: dict[str, Seen]) -> list[BundleProblem]:
    """Where the ZIP's own bytes differ from those a bundle with these files has."""
    if set(archive.names) - set(seen):
        return [
            BundleProblem(
                "", say("the ZIP could not be compared byte for byte, because not all of it could be read")
            )
        ]
    entries = place([Entry(name, seen[name].crc, seen[name].size) for name in sorted(seen)])
    try:
        wrong = [
            entry.name for entry in entries if not _stands(archive.stream, entry.offset, local_header(entry))
        ]
        tail = directory(entries)
        start = entries[-1].end if entries else 0
        if not _stands(archive.stream, start, tail) or _size(archive.stream) != start + len(tail):
            wrong.append("")
    except _BROKEN:
        wrong = [""]
    said = say(
        "the bytes of the ZIP around this file are not as they were written (packed again, or changed)"
    )
    whole = say("the ZIP holds bytes that the export did not write (packed again, added to, or changed)")
    return [BundleProblem(name, said if name else whole) for name in wrong[:10]]


def _stands(stream: BinaryIO, offset: int, expected: bytes) -> bool:
    stream.seek(offset)
    return stream.read(len(expected)) == expected


def _size(stream: BinaryIO) -> int:
    return stream.seek(0, 2)
