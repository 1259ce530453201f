"""What is odd about a file before it is kept or sent out: from its name and its bytes.  Pure.

Only what the name and the first bytes really show.  No virus scanner: a file without a flag is not "safe".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ticssync.model.criterion import Words

HEAD: Final = 65_536
"""How many of a file's first bytes `flags` is meant to see.  More finds more, never less."""


class Flag(StrEnum):
    """One odd thing."""

    EMPTY = "empty"
    SYSTEM_FILE = "system_file"
    SHORTCUT = "shortcut"
    EXECUTABLE = "executable"
    DOUBLE_EXTENSION = "double_extension"
    HIDDEN_DIRECTION = "hidden_direction"
    MACROS = "macros"
    PASSWORD = "password"  # noqa: S105 - a word for "asks for one"
    ARCHIVE = "archive"
    HEIC = "heic"
    SCANNER_NAME = "scanner_name"
    OTHER_CONTENT = "other_content"


FLAG_LABEL: Final[Mapping[Flag, Words]] = MappingProxyType(
    {
        Flag.EMPTY: Words("中身がありません（0バイト）", "It is empty (0 bytes)"),
        Flag.SYSTEM_FILE: Words("OSが作った管理用ファイルです", "A file that the system made for itself"),
        Flag.SHORTCUT: Words(
            "ショートカットです（中身がありません）", "A shortcut: the file itself is elsewhere"
        ),
        Flag.EXECUTABLE: Words("実行できるファイルです", "A program"),
        Flag.DOUBLE_EXTENSION: Words(
            "文書に見せかけた拡張子です", "Its ending makes a program look like a document"
        ),
        Flag.HIDDEN_DIRECTION: Words(
            "名前に見えない制御文字（文字の向き）があります",
            "Its name hides characters that turn the text around",
        ),
        Flag.MACROS: Words("マクロを含みます", "It holds macros"),
        Flag.PASSWORD: Words("パスワードがかかっています", "It is locked with a password"),
        Flag.ARCHIVE: Words(
            "圧縮ファイルです（中は調べていません）", "An archive: its content was not looked at"
        ),
        Flag.HEIC: Words(
            "HEIC形式です（Windowsで開けないことがあります）", "HEIC: some Windows PCs cannot open it"
        ),
        Flag.SCANNER_NAME: Words(
            "複合機やカメラが付けた名前です（内容が分かりません）",
            "A scanner's or camera's name: it does not say what this is",
        ),
        Flag.OTHER_CONTENT: Words("拡張子と中身が合っていません", "Its content does not fit its ending"),
    }
)

NEVER_TAKEN: Final = frozenset(
    {Flag.EMPTY, Flag.SYSTEM_FILE, Flag.SHORTCUT, Flag.EXECUTABLE, Flag.DOUBLE_EXTENSION}
)
"""What is not taken as evidence at all; the other flags are shown and taken."""

_SYSTEM: Final = frozenset({"thumbs.db", "ehthumbs.db", ".ds_store", "desktop.ini", ".directory"})
_SHORTCUTS: Final = frozenset({"lnk", "url", "webloc", "desktop", "gdoc", "gsheet", "gslides"})
_PROGRAMS: Final = frozenset({
    "exe", "com", "scr", "pif", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta",
    "msi", "msp", "msc", "cpl", "dll", "jar", "sh", "reg", "application", "appref-ms",
})  # fmt: skip
_DOCUMENTS: Final = frozenset({
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "csv", "rtf", "odt", "ods", "jpg", "jpeg",
    "png", "gif", "tif", "tiff", "heic", "bmp",
})  # fmt: skip
_MACRO_ENDINGS: Final = frozenset({
    "xlsm", "xltm", "xlam", "xlsb", "docm", "dotm", "pptm", "potm", "ppsm", "ppam",
})  # fmt: skip
_ARCHIVES: Final = frozenset(["zip", "lzh", "7z", "rar", "tar", "gz", "tgz", "bz2", "xz", "cab"])
_DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_SCANNER: Final = re.compile(
    r"(?:scan|scn|scanned|img|image|dsc|dscn|dscf|pxl|mx|doc|skm|km|fax|p)?[-_ ]?\d{4,}(?:[-_ ]\d+)*"
    r"|(?:scan|img|image|dsc|doc|fax|スキャン|画像|無題|名称未設定|新規)[-_ ()\d]*",
    re.IGNORECASE,
)
_LNK: Final = b"L\0\0\0\x01\x14\x02\0"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: Final = {
    "pdf": b"%PDF-",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF8",
}
_ZIPPED: Final = frozenset(["docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods"])
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_YEAR: Final = re.compile(r"(?:19|20)\d{2}")


def flags(name: str, head: bytes) -> frozenset[Flag]:
    """Everything odd about a file called `name` whose first bytes are `head` (empty = the file is empty)."""
    found = _by_name(name) | (_by_bytes(name, head) if head else {Flag.EMPTY})
    return frozenset(found)


def ending(name: str) -> str:
    """What stands behind the last dot, in small letters; empty where there is none."""
    return _endings(name)[-1] if _endings(name) else ""


def is_system_file(name: str) -> bool:
    """Whether the system or an office program made this file for itself: passed over without a word."""
    lowered = name.lower()
    return lowered in _SYSTEM or lowered.startswith(("~$", ".~lock.", "._", ".smbdelete", ".nfs"))


def _endings(name: str) -> list[str]:
    # Full-width dots and letters are read as what an eye takes them for; the name itself stays as it is.
    plain = _DIRECTION.sub("", unicodedata.normalize("NFKC", name)).lower().rstrip(". ")
    return [part.strip() for part in plain.split(".")[1:]]


def _by_name(name: str) -> set[Flag]:
    endings = _endings(name)
    last = endings[-1] if endings else ""
    found = {
        Flag.SYSTEM_FILE: is_system_file(name),
        Flag.SHORTCUT: last in _SHORTCUTS,
        Flag.EXECUTABLE: last in _PROGRAMS,
        Flag.DOUBLE_EXTENSION: last in _PROGRAMS | _SHORTCUTS
        and any(part in _DOCUMENTS for part in endings[:-1]),
        Flag.HIDDEN_DIRECTION: _DIRECTION.search(name) is not None,
        Flag.MACROS: last in _MACRO_ENDINGS,
        Flag.ARCHIVE: last in _ARCHIVES,
        Flag.HEIC: last in {"heic", "heif"},
        Flag.SCANNER_NAME: is_scanner_name(name),
    }
    return {flag for flag, there in found.items() if there}


def is_scanner_name(name: str) -> bool:
    """Whether the name is only what a scanner or camera counts up.  A year alone is no counter."""
    stem = unicodedata.normalize("NFKC", name).rpartition(".")[0] or unicodedata.normalize("NFKC", name)
    return _SCANNER.fullmatch(stem.strip()) is not None and not _YEAR.fullmatch(stem.strip())


def _by_bytes(name: str, head: bytes) -> set[Flag]:
    last = ending(name)
    program = head.startswith((b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!"))
    found = {
        Flag.EXECUTABLE: program,
        Flag.SHORTCUT: head.startswith(_LNK),
        Flag.MACROS: b"vbaProject.bin" in head or (head.startswith(_OLE) and _utf16("_VBA_PROJECT") in head),
        Flag.PASSWORD: head.startswith(_OLE) and _utf16("EncryptedPackage") in head,
        Flag.HEIC: head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS,
        Flag.ARCHIVE: head.startswith((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")),
        Flag.OTHER_CONTENT: _unlike(last, head),
    }
    return {flag for flag, there in found.items() if there}


def _unlike(last: str, head: bytes) -> bool:
    if last in _MAGIC:
        # Some scanners put a few bytes before %PDF; readers look for it in the first kilobyte.
        return _MAGIC[last] not in head[:1024] if last == "pdf" else not head.startswith(_MAGIC[last])
    if last in _ZIPPED:
        return not head.startswith((b"PK", _OLE))
    return False


def _utf16(word: str) -> bytes:
    return word.encode("utf-16-le")
