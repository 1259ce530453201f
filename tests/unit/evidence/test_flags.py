"""What is odd about a file that is handed in: each flag from a name or bytes that really occur."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticssync.evidence.flags import (
    FLAG_LABEL,
    NEVER_TAKEN,
    Flag,
    ending,
    flags,
    is_scanner_name,
    is_system_file,
)

PDF = b"%PDF-1.7\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def workbook(*, macros: bool) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        if macros:
            package.writestr("xl/vbaProject.bin", b"x")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("教育記録 髙﨑㈱ ㊙.pdf", PDF, set()),
        ("教育記録.pdf", b"", {Flag.EMPTY}),
        ("Thumbs.db", b"x", {Flag.SYSTEM_FILE}),
        ("~$教育記録.xlsx", b"x", {Flag.SYSTEM_FILE, Flag.OTHER_CONTENT}),
        ("規程 - ショートカット.lnk", b"L\0\0\0\x01\x14\x02\0x", {Flag.SHORTCUT}),
        ("規程.pdf", b"L\0\0\0\x01\x14\x02\0x", {Flag.SHORTCUT, Flag.OTHER_CONTENT}),
        ("社内サイト.url", b"[InternetShortcut]", {Flag.SHORTCUT}),
        ("setup.exe", b"MZ\x90", {Flag.EXECUTABLE}),
        ("図面.pdf", b"MZ\x90", {Flag.EXECUTABLE, Flag.OTHER_CONTENT}),
        ("報告書.pdf.exe", b"MZ\x90", {Flag.EXECUTABLE, Flag.DOUBLE_EXTENSION}),
        ("報告書．ｐｄｆ．ｅｘｅ", b"MZ\x90", {Flag.EXECUTABLE, Flag.DOUBLE_EXTENSION}),
        ("報告書.pdf.exe. ", b"MZ\x90", {Flag.EXECUTABLE, Flag.DOUBLE_EXTENSION}),
        ("報告\u202efdp.exe", b"MZ\x90", {Flag.EXECUTABLE, Flag.HIDDEN_DIRECTION}),
        ("台帳.xlsm", workbook(macros=True), {Flag.MACROS}),
        ("台帳.xlsx", workbook(macros=True), {Flag.MACROS}),
        ("台帳.xlsx", workbook(macros=False), set()),
        ("台帳.xls", OLE + "_VBA_PROJECT".encode("utf-16-le"), {Flag.MACROS}),
        ("台帳.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), {Flag.PASSWORD}),
        ("一式.zip", b"PK\x03\x04", {Flag.ARCHIVE}),
        ("入口の写真.heic", b"\0\0\0\x18ftypheic", {Flag.HEIC}),
        ("入口の写真.jpg", b"\0\0\0\x18ftypheic", {Flag.HEIC, Flag.OTHER_CONTENT}),
        ("入口の写真.jpg", b"\xff\xd8\xff\xe0", set()),
        ("スキャン_20261124.pdf", b"\0\0" + PDF, {Flag.SCANNER_NAME}),
        ("教育記録.pdf", b"<html>", {Flag.OTHER_CONTENT}),
    ],
)
def test_a_file_shows_what_is_odd_about_it(name: str, head: bytes, expected: set[Flag]) -> None:
    """Exactly these flags and no others."""
    if name.startswith("スキャン"):
        head = head.ljust(64)

    assert flags(name, head) == expected


@pytest.mark.parametrize(
    "name",
    [
        "SCAN_20261124_0001.pdf",
        "IMG_0123.JPG",
        "20261124101530.pdf",
        "画像 (3).png",
        "doc00012320261124.pdf",
        "無題.pdf",
    ],
)
def test_a_name_that_only_counts_is_a_scanner_s(name: str) -> None:
    """It does not say what the file is."""
    assert is_scanner_name(name)


@pytest.mark.parametrize(
    "name", ["2026.pdf", "教育記録2026.pdf", "T-14_20261124.pdf", "ISO27001.pdf", "規程.pdf"]
)
def test_a_name_that_says_something_is_none(name: str) -> None:
    """A year alone, an item number or any word is enough."""
    assert not is_scanner_name(name)


def test_a_long_run_of_digits_is_read_in_no_time() -> None:
    """A name cannot make the pattern try every way of splitting it."""
    assert not is_scanner_name("画像" + "1" * 5_000 + "x.png")


@given(st.text(max_size=60), st.binary(max_size=60))
def test_any_name_and_any_bytes_get_an_answer(name: str, head: bytes) -> None:
    """Nothing that a share holds makes it fail, and emptiness is always seen."""
    assert (Flag.EMPTY in flags(name, head)) == (head == b"")


def test_every_flag_has_words_in_both_languages_and_only_dead_or_dangerous_ones_stop_a_file() -> None:
    """What is merely odd is shown and taken."""
    assert set(FLAG_LABEL) == set(Flag)
    assert all(words.ja and words.en for words in FLAG_LABEL.values())
    assert {Flag.MACROS, Flag.HEIC, Flag.SCANNER_NAME, Flag.OTHER_CONTENT}.isdisjoint(NEVER_TAKEN)


def test_files_of_the_system_are_known_whatever_their_case() -> None:
    """Explorer, Finder and the office programs leave them behind."""
    assert all(
        is_system_file(name)
        for name in ("THUMBS.DB", ".DS_Store", "desktop.ini", "~$a.docx", ".~lock.a.ods#", "._a")
    )
    assert not is_system_file("desktop.pdf")
    assert (ending("A.PDF"), ending("名前だけ")) == ("pdf", "")
