"""Who has the workbook open: the lock files of Excel and LibreOffice, and whether one is left over.

The rule for a lock that was left behind (a crash, a pulled plug):
- LibreOffice names machine and user profile in its lock file.  On this machine, a profile that is gone, or
  that has no `.lock` of its own while LibreOffice runs from it, has nobody in it: the lock is stale.
- Any lock older than a day, while the file can be opened for writing, is stale: an editor that is really
  there keeps the file from being opened on Windows and on Windows shares.  Should somebody be there all the
  same, their later save is an older copy, which the serial shows: it is merged, nothing is lost.
Everything else counts as open, and a stale lock is reported and left where it is.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

OLD: Final = timedelta(hours=24)
_EXCEL_UTF16: Final = (56, 55)
_FIELD: Final = re.compile(r"(?:[^,;\\]|\\.)*")


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file.  `holder` may be empty where it does not say; `stale` by the rule above."""

    path: Path
    holder: str
    stale: bool


def find_locks(workbook: Path, now: datetime, host: str = "") -> list[Lock]:
    """The lock files beside a workbook.  `now` is aware UTC; `host` is this machine's name."""
    host = host or socket.gethostname()
    found = []
    for name, office in ((f".~lock.{workbook.name}#", _libre_office), (f"~${workbook.name}", _excel)):
        path = workbook.with_name(name)
        try:
            raw, at = path.read_bytes(), path.stat().st_mtime
        except FileNotFoundError:
            continue
        except OSError:
            # Excel keeps its lock file closed to others: that it is there says enough.
            found.append(Lock(path, "", stale=False))
            continue
        holder, deserted = office(raw, host)
        old = now - datetime.fromtimestamp(at, timezone.utc) > OLD
        found.append(Lock(path, holder, stale=deserted or (old and can_append(workbook))))
    return found


def can_append(workbook: Path) -> bool:
    """Whether the file can be opened for writing now (Excel on Windows prevents it), or is yet to be made."""
    try:
        with workbook.open("r+b"):
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _excel(raw: bytes, _host: str) -> tuple[str, bool]:
    """The name in an owner file: length and name in the system's 8-bit code, then the same in UTF-16.

    Microsoft does not publish the form; this one is what LibreOffice reads and writes, read with care.
    """
    narrow = _narrow(raw)
    names = [name for start in _EXCEL_UTF16 if (name := _utf16_name(raw, start))]
    for name in names:
        if narrow and narrow == name:
            return name, False
    if names and raw[55:56] != b"\0":
        names.reverse()
    return (names[0] if names else narrow), False


def _narrow(raw: bytes) -> str:
    if not raw:
        return ""
    text = raw[1 : 1 + min(raw[0], 52)]
    try:
        return text.decode("cp932").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def _utf16_name(raw: bytes, start: int) -> str:
    length = raw[54] if len(raw) > 54 else 0
    text = raw[start : start + 2 * length].decode("utf-16-le", "replace").strip()
    clean = text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text
    return text if clean else ""


def _libre_office(raw: bytes, host: str) -> tuple[str, bool]:
    """`name,user,host,time,profile;` with backslash before a comma inside a field."""
    fields = [re.sub(r"\\(.)", r"\1", part) for part in _fields(raw.decode("utf-8", "replace"))]
    name, user, machine, _, profile = [*fields, "", "", "", "", ""][:5]
    holder = name or user
    if holder and machine:
        holder = f"{holder} ({machine})"
    deserted = bool(machine) and machine.casefold() == host.casefold() and _deserted(profile)
    return holder or machine, deserted


def _fields(text: str) -> list[str]:
    found, position = [], 0
    while position <= len(text):
        match = _FIELD.match(text, position)
        assert match is not None
        found.append(match[0].strip())
        position = match.end() + 1
        if match.end() >= len(text) or text[match.end()] == ";":
            break
    return found


def _deserted(profile: str) -> bool:
    """Whether a LibreOffice profile of this machine has nobody in it.

    While it runs, LibreOffice keeps a file `.lock` in its profile folder.
    """
    address = urlsplit(profile)
    if address.scheme != "file" or not address.path:
        return False
    folder = Path(url2pathname(address.path))
    return not folder.exists() or not ((folder / ".lock").exists() or (folder.parent / ".lock").exists())
