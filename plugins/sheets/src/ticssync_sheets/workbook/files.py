"""The file itself: read whole, replaced whole or not at all, the file before kept as a backup."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

BACKUPS: Final = ".ticssync-backup"
KEPT: Final = 10
LEFT_OVER_S: Final = 3600
_TEMPORARY: Final = ".ticssync-"


class ChangedMeanwhile(Exception):  # noqa: N818 - an answer, not a failure
    """The file is no longer the one that was read; nothing was replaced."""


def read_file(path: Path) -> bytes | None:
    """The bytes, None where there is no file.  OSError passes."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def replace_file(
    path: Path, before: bytes | None, after: bytes, serial: int, verify: Callable[[bytes], None]
) -> None:
    """Put `after` in the place of `before`.

    Written beside the file, flushed to the disk, read again and handed to `verify`, which raises to stop.
    The file before becomes `.ticssync-backup/<name>.<serial>.xlsx` with the serial that it carries.  Raises
    ChangedMeanwhile when the file on the disk is not `before`; OSError passes; the file is then as it was.
    """
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(6)}.tmp")
    try:
        _write_through(temporary, after)
        if before is not None:
            _same_rights(path, temporary)
        verify(temporary.read_bytes())
        if before is not None:
            _back_up(path, before, serial)
        if read_file(path) != before:
            raise ChangedMeanwhile
        _clear_left_over(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def backup_of(path: Path, serial: int) -> Path:
    """Where the state with this serial is kept."""
    return path.parent / BACKUPS / f"{path.stem}.{serial}{path.suffix}"


def newest_backup(path: Path) -> Path | None:
    """The backup with the highest serial, if there is one."""
    found = _backups(path)
    return found[-1][1] if found else None


def copies_beside(path: Path) -> list[str]:
    """Names of files beside the workbook that look like copies of it.

    Excel, Explorer and the sync clients make names such as `X - コピー.xlsx`, `X (1).xlsx`, `コピー X.xlsx`,
    `X-PC01.xlsx` and `X (conflicted copy …).xlsx`: the stem with something before or behind it.
    """
    stem, ending = unicodedata.normalize("NFKC", path.stem).casefold(), path.suffix.casefold()
    found = []
    with contextlib.suppress(OSError):
        for other in sorted(path.parent.iterdir()):
            name = unicodedata.normalize("NFKC", other.stem).casefold()
            if (
                other.name == path.name
                or other.suffix.casefold() != ending
                or other.name.startswith((".", "~$"))
            ):
                continue
            if _is_copy_of(name, stem):
                found.append(other.name)
    return found


def _is_copy_of(name: str, stem: str) -> bool:
    if name == stem or stem not in name:
        return name == stem
    before, _, behind = name.partition(stem)
    marked = re.search(r"コピー|copy|競合|conflict|のバックアップ|old|旧", before + behind)
    return bool(marked) or (not before.strip() and bool(re.match(r"\s*[\s(_-]", behind)))


def _write_through(path: Path, raw: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(raw)
        stream.flush()
        os.fsync(stream.fileno())


def _clear_left_over(temporary: Path) -> None:
    """Temporary files of writers that were killed: older than an hour, so no other one is writing them now."""
    with contextlib.suppress(OSError):
        now = temporary.stat().st_mtime
        for other in temporary.parent.glob(f"{_TEMPORARY}*.tmp"):
            if now - other.stat().st_mtime > LEFT_OVER_S:
                other.unlink()


def _same_rights(source: Path, target: Path) -> None:
    # Colleagues open the file through its group: a replaced file must not lock them out.
    with contextlib.suppress(OSError):
        status = source.stat()
        target.chmod(status.st_mode & 0o7777)
        if hasattr(os, "chown"):
            os.chown(target, -1, status.st_gid)


def _back_up(path: Path, raw: bytes, serial: int) -> None:
    target = backup_of(path, serial)
    target.parent.mkdir(exist_ok=True)
    _write_through(target, raw)
    _same_rights(path, target)
    for _, old in _backups(path)[:-KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()


def _backups(path: Path) -> list[tuple[int, Path]]:
    form = re.compile(re.escape(path.stem) + r"\.(\d+)" + re.escape(path.suffix))
    found: list[tuple[int, Path]] = []
    with contextlib.suppress(OSError):
        found = [
            (int(match[1]), file)
            for file in (path.parent / BACKUPS).iterdir()
            if (match := form.fullmatch(file.name))
        ]
    return sorted(found)


def _flush_folder(folder: Path) -> None:
    # The rename itself must outlive a power cut; Windows has no such call for folders.
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
