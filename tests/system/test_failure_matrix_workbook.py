"""Rows of the failure matrix (docs/reference/failure-matrix.md) over a workbook that other tests do not show."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.company import Company

pytestmark = pytest.mark.slow
ITEM = "T-05"


def excludes(company: Company) -> None:
    paper = company.root / "除外の承認書.txt"
    paper.write_text("対象の設備がない　佐藤", "utf-8")
    words = ("--by", "sato", "--reason", "対象の設備がない", "--proof", str(paper))
    ran = company.cli("exclude", ITEM, *words)
    assert ran.code == 0, ran.err


def status_here(company: Company, item: str = ITEM) -> str | None:
    return {one.key.item: one.status for one in company.bound()}[item]


def test_a_decision_here_and_a_word_in_the_sheet_make_a_conflict_with_both_values(synced: Company) -> None:
    excludes(synced)
    synced.person({ITEM: {"status": "対応中"}})
    synced.sync()
    synced.sync()
    (conflict,) = synced.events("conflict.opened")

    assert set(conflict.data["values"].values()) == {"doing", "wont_do"}
    assert synced.cell(ITEM, "status") in ("対応中", "対象外の申請")


def test_the_value_that_was_decided_here_written_into_the_sheet_too_is_silent(synced: Company) -> None:
    excludes(synced)
    synced.person({ITEM: {"status": "対象外の申請"}})
    ran = synced.cli("sync", "--json")

    assert (ran.code, synced.events("conflict.opened")) == (0, [])
    assert status_here(synced) == "wont_do"


def repack(book: Path, change: Callable[[str, bytes], bytes], **more: bytes) -> None:
    """The parts of a workbook, changed by name."""
    new = book.with_suffix(".new")
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as target:
        for name in old.namelist():
            target.writestr(name, change(name, old.read(name)))
    shutil.move(new, book)


def test_furigana_are_no_part_of_a_word(synced: Company) -> None:
    """A word that was typed in Japanese Excel carries its reading along: 完了 is 完了, and not 完了カンリョウ."""
    with synced.spreadsheet() as sheet:
        head = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "対応状況")
        place = f"{head.column_letter}{synced.row(ITEM)}"
    word = (
        '<r><t>完</t></r><r><t>了</t></r><rPh sb="0" eb="2"><t>カンリョウ</t></rPh><phoneticPr fontId="1"/>'
    )

    def typed(name: str, content: bytes) -> bytes:
        if not re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name) or f'r="{place}"' not in content.decode():
            return content
        text, count = re.subn(
            rf'<c r="{place}"( s="\d+")?[^>]*?(/>|>.*?</c>)',
            rf'<c r="{place}"\1 t="inlineStr"><is>{word}</is></c>',
            content.decode(),
        )
        changed.append(count)
        return text.encode()

    changed: list[int] = []
    repack(synced.book, typed)
    ran = synced.cli("sync", "--json")

    assert 1 in changed
    assert (ran.code, ran.json["trackers"]["ledger"]["notices"]) == (0, [])
    assert status_here(synced) == "done"


def test_macros_in_a_workbook_stay_byte_for_byte_when_we_write(synced: Company) -> None:
    """Only the cells that change are written: every other part of the file is taken over as it is."""
    macros = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8
    synced.person({"T-02": {"title": "だれかの題名"}})
    with zipfile.ZipFile(synced.book, "a") as book:
        book.writestr("xl/vbaProject.bin", macros)
    ran = synced.cli("sync", "--json")

    assert (ran.code, ran.json["trackers"]["ledger"]["updated"]) == (0, 1)
    with zipfile.ZipFile(synced.book) as book:
        assert book.read("xl/vbaProject.bin") == macros
