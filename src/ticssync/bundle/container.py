"""The ZIP's own bytes, predictable to the last one: stored entries, fixed times, no comment, no surplus.

Nothing is compressed: evidence (PDF, photos, workbooks) hardly shrinks, the bytes do not depend on a zlib
build, and the whole container can be rebuilt from the entries alone, which is how `verify` finds a change
in bytes that no manifest covers.  Layout of the records: PKWARE APPNOTE 4.3; ZIP64 only where it must be.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SYSTEM: Final = 3
"""Unix, whatever the machine: equal input gives equal bytes."""
_MODE: Final = 0o100644 << 16
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1
_WIDE_FROM = 0xFFFFFFFF
"""Sizes and offsets from here on stand in ZIP64 fields."""
_SEE_ZIP64: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the ZIP.  `size` is in bytes, `offset` that of its local header."""

    name: str
    crc: int
    size: int
    offset: int = 0

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + len(local_header(self)) + self.size

    @property
    def large(self) -> bool:
        """Whether its size needs ZIP64."""
        return self.size >= _WIDE_FROM


def place(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries with their offsets, one directly after the other."""
    placed: list[Entry] = []
    offset = 0
    for entry in entries:
        placed.append(Entry(entry.name, entry.crc, entry.size, offset))
        offset = placed[-1].end
    return tuple(placed)


def local_header(entry: Entry) -> bytes:
    """What stands directly before an entry's bytes."""
    name = entry.name.encode("ascii")
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if entry.large else b""
    size = _SEE_ZIP64 if entry.large else entry.size
    version = 45 if entry.large else 20
    return (
        struct.pack(
            "<4sHHHHHLLLHH",
            b"PK\x03\x04",
            version,
            0,
            0,
            0,
            _DATE,
            entry.crc,
            size,
            size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def directory(entries: Sequence[Entry]) -> bytes:
    """What stands after the last entry: the central directory and its end."""
    records = b"".join(_central_header(entry) for entry in entries)
    start = entries[-1].end if entries else 0
    return records + _end(len(entries), len(records), start)


def _central_header(entry: Entry) -> bytes:
    name = entry.name.encode("ascii")
    wide = [entry.size, entry.size] if entry.large else []
    far = entry.offset >= _WIDE_FROM
    wide += [entry.offset] if far else []
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = 45 if wide else 20
    size = _SEE_ZIP64 if entry.large else entry.size
    offset = _SEE_ZIP64 if far else entry.offset
    made, times, lengths = (version, _SYSTEM, version, 0, 0), (0, _DATE), (len(name), len(extra), 0)
    numbers = (*made, *times, entry.crc, size, size, *lengths, 0, 0, _MODE, offset)
    return struct.pack("<4sBBHHHHHLLLHHHHHLL", b"PK\x01\x02", *numbers) + name + extra


def _end(count: int, size: int, start: int) -> bytes:
    tail = b""
    wide_size, wide_start, many = size >= _WIDE_FROM, start >= _WIDE_FROM, count >= _MANY
    if wide_size or wide_start or many:
        tail = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
        tail += struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    few = min(count, _MANY)
    size, start = _SEE_ZIP64 if wide_size else size, _SEE_ZIP64 if wide_start else start
    return tail + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, few, few, size, start, 0)
