"""Where things may lie: store, locker and keys are for one machine and one account; the shared folder is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from ticssync.errors import Said, say

NETWORK: Final = frozenset(
    {"cifs", "smb3", "smbfs", "nfs", "nfs4", "afpfs", "fuse.sshfs", "davfs", "fuse.rclone", "ncpfs", "9p"}
)
"""File systems on which SQLite's write-ahead log does not work, or where several machines write."""

SYNCED: Final = (
    "onedrive",
    "dropbox",
    "google drive",
    "googledrive",
    "icloud",
    "mobile documents",
    "box sync",
    "nextcloud",
    "creative cloud files",
)
"""Folder names of services that copy files behind our back: a store copied half-way is a damaged store."""


def network_file_system(path: Path, mounts: str) -> str:
    """The file system's name where `path` lies on a network drive, else empty.  `mounts`: text of /proc/mounts."""
    text = str(path)
    if text.startswith(("\\\\", "//")):
        return "UNC"
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        if PurePosixPath(text).is_relative_to(point) and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind if kind in NETWORK else ""


def synced_folder(path: Path) -> str:
    """The part of the path that a sync service keeps, else empty."""
    return next((part for part in path.parts if any(word in part.lower() for word in SYNCED)), "")


def read_mounts() -> str:
    """The mounted file systems, empty where the system does not tell this way."""
    try:
        return Path("/proc/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""


def nearest_existing(path: Path) -> Path:
    """The path itself, or the first folder above it that is there."""
    while not path.exists() and path.parent != path:
        path = path.parent
    return path


def wrong_place(path: Path, mounts: str) -> Said | None:
    """Why the store, the locker or the keys must not lie here; None where they may."""
    kind = network_file_system(path, mounts)
    if kind:
        return say(
            "{path} lies on a network drive ({kind}); store, locker and keys belong on a local disk",
            path=str(path),
            kind=kind,
        )
    synced = synced_folder(path)
    if synced:
        return say(
            "{path} lies in a synchronised folder ({name}); store, locker and keys belong outside of it",
            path=str(path),
            name=synced,
        )
    return None


def readable_by_others(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Files and folders that other accounts of this machine can read (POSIX)."""
    if os.name != "posix":
        return ()
    return tuple(
        path for path in paths if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )


def for_this_account_only(folder: Path) -> None:
    """Take the rights of others away from a folder, where the system knows them this way."""
    if os.name == "posix":
        folder.chmod(0o700)


def writable(folder: Path) -> bool:
    """Whether a file can be made there: tried, since rights on shared drives do not say it."""
    probe = folder / ".ticssync-probe"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True
