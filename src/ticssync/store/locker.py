"""The locker: files that were handed in, kept under the hash of their bytes, never changed or overwritten.

`ab/cdef…`: two hex characters, then the other 62.  What lies there is whole or not there at all.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ticssync.errors import CorruptStoreError, Said, say

CHUNK: Final = 1 << 20
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True, slots=True)
class Kept:
    """What was put in: lower-case hex SHA-256 of the bytes, and their number."""

    sha256: str
    size: int


class Locker:
    """The files of one workspace under `folder`, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where these bytes lie, or would lie.  Raises ValueError for anything but 64 lower-case digits."""
        if not _HASH.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hex")
        return self.folder / sha256[:2] / sha256[2:]

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, for reading.  Raises FileNotFoundError where they are not held."""
        return self.path(sha256).open("rb")

    def verify(self, sha256: str) -> str:
        """`ok`, `missing`, or `changed` (other bytes than its name says, or not readable at all)."""
        try:
            with self.open(sha256) as stream:
                return "ok" if hash_of(stream).sha256 == sha256 else "changed"
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "changed"

    def put(self, stream: BinaryIO) -> Kept:
        """Keep the bytes of `stream`, in chunks; the same bytes are kept once.

        Raises CorruptStoreError where the locker cannot be written (a full disk); nothing is left of the
        attempt.  An OSError while reading `stream` comes through as it is: then the fault is on that side.
        """
        part = self.folder / f".{secrets.token_hex(8)}.part"
        try:
            kept = self._write(part, stream)
            self._settle(part, kept)
        finally:
            with contextlib.suppress(OSError):
                _remove(part)
        return kept

    def _write(self, part: Path, stream: BinaryIO) -> Kept:
        digest, size = hashlib.sha256(), 0
        with self._writing():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            target = part.open("xb")
        try:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                with self._writing():
                    target.write(chunk)
            with self._writing():
                target.flush()
                os.fsync(target.fileno())
        finally:
            # What could not be flushed is tried again by close: the first error is the one to report.
            with contextlib.suppress(OSError):
                target.close()
        return Kept(digest.hexdigest(), size)

    def _settle(self, part: Path, kept: Kept) -> None:
        target = self.path(kept.sha256)
        with self._writing():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            state = self.verify(kept.sha256)
            if state == "ok":
                return
            if state == "changed":
                # Damaged bytes under this name would pass for the good ones that we hold in our hands now.
                target.replace(target.with_name(f"{target.name}.damaged-{secrets.token_hex(4)}"))
            with contextlib.suppress(OSError):
                part.chmod(0o400)
            part.replace(target)
            sync_folder(target.parent)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CorruptStoreError(
                self._trouble(error), fix=say("make room or mend the permissions, and run again")
            ) from error

    def _trouble(self, error: OSError) -> Said:
        where = str(self.folder)
        if error.errno in _FULL:
            return say("the disk that holds the locker {where} is full", where=where)
        return say(
            "the locker {where} cannot be written: {why}", where=where, why=error.strerror or str(error)
        )


def hash_of(stream: BinaryIO) -> Kept:
    """Hash and size of what is left in `stream`, read in chunks; nothing is kept."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Kept(digest.hexdigest(), size)


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except PermissionError:
        # Windows deletes no read-only file.
        part.chmod(0o600)
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can (POSIX)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
