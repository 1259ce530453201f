"""What lies inside a backup once it is opened: a plain tar, told on paper in docs/reference/backup.

backup.json            what it is: when, of which workspace, head of the event log, what was left out
README.txt             how to open and check it without ticssync
folder/…               the files of the management folder, under their own names
outside/N-…            files that ticssync.yaml names outside of that folder
store/<table>.jsonl    the store, one canonical JSON object a row
locker/ab/cdef…        the evidence
manifest-sha256.txt    the SHA-256 of all of these, for `sha256sum -c`
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from ticssync.app.sealed import DamagedBackupError, NewerBackupError, SealedReader, SealedWriter
from ticssync.errors import UsageError, say

FORMAT: Final = 1
"""Rises when an older version could not read the archive any more."""

HEAD: Final = "backup.json"
README: Final = "README.txt"
MANIFEST: Final = "manifest-sha256.txt"
FOLDER, OUTSIDE, STORE, LOCKER = "folder/", "outside/", "store/", "locker/"
_PIECE: Final = 1 << 20
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S.*)")
_LARGEST_TEXT: Final = 64 << 20
_ODD: Final = re.compile(r"[\x00-\x1f\x7f\\:]")


class Counting:
    """Reads on, and knows hash and size of what went through."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._hash, self.size = stream, hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        """As of a file."""
        found = self._stream.read(size)
        self._hash.update(found)
        self.size += len(found)
        return found

    @property
    def sha256(self) -> str:
        """Lower-case hex of what was read so far."""
        return self._hash.hexdigest()


class ArchiveWriter:
    """Writes entries one after another; `close` adds the manifest."""

    def __init__(self, sink: SealedWriter, at: float) -> None:
        self._tar = tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload] # noqa: SIM115 - closed by `close`
        self._at, self.sums = int(at), dict[str, str]()

    def put(self, name: str, content: bytes) -> None:
        """An entry of these bytes."""
        self.stream(name, io.BytesIO(content), len(content))

    def stream(self, name: str, source: IO[bytes], size: int) -> str:
        """An entry of `size` bytes read from `source`; their SHA-256.  Raises OSError where there are fewer."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = size, self._at, 0o600
        counting = Counting(source)
        self._tar.addfile(entry, counting)
        self.sums[name] = counting.sha256
        return counting.sha256

    def close(self) -> None:
        """The manifest, and the end of the tar."""
        lines = "".join(f"{sha}  {name}\n" for name, sha in self.sums.items())
        self.put(MANIFEST, lines.encode("utf-8"))
        self._tar.close()


class Entry:
    """One entry, to be read once: `chunks`, `lines` or `content`."""

    def __init__(self, name: str, stream: Counting, size: int) -> None:
        self.name, self.size = name, size
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        """The bytes, a megabyte at a time."""
        while found := self._stream.read(_PIECE):
            yield found

    def lines(self) -> Iterator[bytes]:
        """The lines, without their ends."""
        rest = b""
        for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def content(self) -> bytes:
        """All of it.  Raises DamagedBackupError for more than a file of settings has."""
        if self.size > _LARGEST_TEXT:
            raise _strange(self.name)
        return b"".join(self.chunks())

    def write_to(self, target: Path) -> None:
        """Into a new file for this account alone.  Raises FileExistsError where one is."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("wb") as sink:
            for chunk in self.chunks():
                sink.write(chunk)
            sink.flush()
            os.fsync(sink.fileno())


class Archive:
    """Reads a backup from front to back.  `head` is there at once; the rest is proven only when `entries` ended."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        self._sealed = SealedReader(source, passphrase)
        self._sums: dict[str, str] = {}
        try:
            self._tar = tarfile.open(fileobj=self._sealed, mode="r|")  # type: ignore[call-overload] # noqa: SIM115
            self.head: Mapping[str, Any] = self._head()
        except tarfile.TarError:
            raise _no_backup() from None

    def _head(self) -> dict[str, Any]:
        first = self._tar.next()
        stream = self._tar.extractfile(first) if first is not None and first.name == HEAD else None
        if first is None or stream is None or first.size > _LARGEST_TEXT:
            raise _no_backup()
        counting = Counting(stream)
        try:
            head = json.loads(counting.read())
            self._sums[HEAD] = counting.sha256
            made = int(head["format"])
        except (ValueError, TypeError, KeyError):
            raise _no_backup() from None
        if made > FORMAT:
            raise NewerBackupError(
                say("this backup is in format {found}, this version knows {known}", found=made, known=FORMAT),
                fix=say("install the newer ticssync and restore with that one"),
            )
        return dict(head)

    def entries(self) -> Iterator[Entry]:
        """The entries after `backup.json`.  Raises DamagedBackupError where anything differs from the manifest."""
        manifest: bytes | None = None
        try:
            while (member := self._tar.next()) is not None:
                stream = self._tar.extractfile(member) if member.isreg() else None
                if manifest is not None or stream is None or not safe(member.name):
                    raise _strange(member.name)
                if member.name in self._sums:
                    raise _strange(member.name)
                counting = Counting(stream)
                if member.name == MANIFEST:
                    manifest = Entry(member.name, counting, member.size).content()
                    continue
                yield Entry(member.name, counting, member.size)
                while counting.read(_PIECE):
                    pass
                self._sums[member.name] = counting.sha256
        except tarfile.TarError as error:
            raise DamagedBackupError(
                say("the inside of the backup cannot be read: {why}", why=str(error))
            ) from error
        # The end of the tar is not yet the end of the file: only that proves that nothing was cut off.
        while self._sealed.read(_PIECE):
            pass
        self._prove(manifest)

    def _prove(self, manifest: bytes | None) -> None:
        if manifest is None:
            raise _strange(MANIFEST)
        told = {
            match[2]: match[1]
            for line in manifest.decode("utf-8", "replace").splitlines()
            if (match := _LINE.fullmatch(line))
        }
        for name in sorted(set(told) | set(self._sums)):
            if told.get(name) != self._sums.get(name):
                raise _strange(name)

    def close(self) -> None:
        """Done with it, whole or not."""
        self._tar.close()


@contextmanager
def opened(file: Path, passphrase: str) -> Iterator[Archive]:
    """The backup in this file, with the errors of `sealed` and of `Archive`."""
    if not file.is_file():
        raise UsageError(say("{file} does not exist", file=str(file)))
    with file.open("rb", buffering=_PIECE) as source:
        archive = Archive(source, passphrase)
        try:
            yield archive
        finally:
            archive.close()


def safe(name: str) -> bool:
    """Whether the name stays below the folder that it is put into, on every system."""
    parts = name.split("/")
    return not _ODD.search(name) and all(part not in ("", ".", "..") for part in parts)


def _no_backup() -> UsageError:
    return UsageError(
        say("the passphrase opens this file, but it is not a backup of ticssync"),
        fix=say("age -d FILE shows what is in it"),
    )


def _strange(name: str) -> DamagedBackupError:
    return DamagedBackupError(
        say("the inside of the backup does not hold together: {name}", name=name),
        fix=say("take an older backup; age -d FILE | tar -x gets out what is in this one"),
    )
