"""Names inside a bundle: ASCII, short, unique whatever the case, never a reserved name of Windows.

Explorer unpacks `X.zip` into `X\\X\\…`, so the budget of 100 characters counts the folder name twice:
2 × (34 + 1) + 30 = 100.  Original names live in the index.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

PATH_MAX: Final = 30
FOLDER_MAX: Final = 34
BUDGET: Final = 100
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}
)
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_KEPT: Final = frozenset(
    {
        *("pdf", "txt", "csv", "tsv", "log", "json", "yaml", "yml", "md", "rtf", "eml", "msg"),
        *("docx", "xlsx", "pptx", "doc", "xls", "ppt", "odt", "ods", "odp", "dwg", "dxf", "zip", "7z"),
        *("png", "jpg", "jpeg", "gif", "tif", "tiff", "bmp", "webp", "heic"),
        *("mp4", "mov", "m4v", "mp3", "wav", "m4a"),
    }
)
_AS_TEXT: Final = frozenset(
    {
        *("htm", "html", "xhtml", "svg", "xml", "js", "mjs", "css", "hta", "url"),
        *("ps1", "psm1", "bat", "cmd", "sh", "vbs", "py", "php", "ini", "conf", "cfg", "reg"),
    }
)


def short_name(text: str, limit: int, taken: set[str]) -> str:
    """An ASCII stem of at most `limit` (≥ 9) characters for `text`, and note it in `taken` (lower case).

    The text itself where it can be, else its beginning and six digits of its hash.
    """
    if _SAFE.fullmatch(text) and len(text) <= limit and not is_reserved(text) and text.lower() not in taken:
        taken.add(text.lower())
        return text
    head = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[: limit - 7].strip("-") or "x"
    for turn in range(len(taken) + 1):
        stem = f"{head}-{hashlib.sha256(f'{text}#{turn}'.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
        if stem.lower() not in taken:
            break
    taken.add(stem.lower())
    return stem


def is_reserved(name: str) -> bool:
    """Whether Windows keeps this name for a device, with or without an extension."""
    return name.split(".", 1)[0].lower() in _RESERVED


def safe_extension(name: str) -> str:
    """The extension that an original is stored under.

    What a browser or a shell would run is stored as `.txt` (readable, inert); what nobody knows, programs
    and workbooks with macros included, as `.bin`.  The bytes are the original's in every case.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in _KEPT:
        return extension
    return "txt" if extension in _AS_TEXT else "bin"


def bundle_name(company: str, purpose: str, snapshot: str) -> str:
    """`TICS-<company>-<purpose>-<snapshot8>`, at most 34 characters; a Japanese company reads "company"."""
    reason = re.sub(r"[^a-z0-9]+", "-", purpose.lower()).strip("-")[:12].strip("-") or "export"
    room = FOLDER_MAX - len("TICS---") - len(reason) - 8
    ascii_name = re.sub(r"[^A-Za-z0-9]+", "-", company).strip("-") if company.isascii() else ""
    return f"TICS-{ascii_name[:room].strip('-') or 'company'}-{reason}-{snapshot[:8]}"


def is_safe_path(path: str) -> bool:
    """Whether a path in a ZIP stays inside its folder on every system, and in our alphabet."""
    parts = path.split("/")
    return (
        re.fullmatch(r"[A-Za-z0-9._/-]+", path) is not None
        and len(path) <= BUDGET
        and all(part not in {"", ".", ".."} and part[-1] != "." and not is_reserved(part) for part in parts)
    )
