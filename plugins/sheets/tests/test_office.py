"""The workbook in real LibreOffice: what a person does there, and what stays of it after our writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from plugins.sheets.tests.desk import SHEET, change, draft, marker

from ticssync.plugin import Unavailable, Unsafe

PERSON = Path(__file__).parent / "person.py"
PYTHON = os.environ.get("TICSSYNC_UNO_PYTHON", "/usr/bin/python3")


def _why_not() -> str:
    if not shutil.which("soffice"):
        return "LibreOffice (soffice) is not installed"
    if not shutil.which(PYTHON):
        return f"{PYTHON} is not there"
    found = subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False)
    return "" if found.returncode == 0 else f"{PYTHON} has no uno (package python3-uno)"


WHY_NOT = _why_not()
pytestmark = [pytest.mark.office, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


def person(path: Path, *steps: dict) -> None:
    wishes = [json.dumps({"sheet": SHEET, **step}, ensure_ascii=False) for step in steps]
    subprocess.run([PYTHON, str(PERSON), str(path), *wishes], check=True, capture_output=True, timeout=180)


def test_edits_in_libreoffice_come_back_and_our_writes_go_into_the_file_it_saved(desk):
    desk.start("T-1", "T-2", "T-3")
    person(
        desk.path,
        {"do": "set", "cell": "E6", "value": "完了"},
        {"do": "set", "cell": "F7", "value": "髙﨑 健"},
        {"do": "set", "cell": "H8", "value": "_x0041_ ㈱ 👍", "text": True},
        {"do": "set", "cell": "G7", "value": "2027-01-05"},
        {"do": "note", "cell": "D8", "value": "ここを確認"},
        {"do": "add_column", "at": 8, "values": {"5": "部署", "6": "製造"}},
    )
    tracker = desk.tracker()
    found = desk.listed(tracker)
    (created,), (updated,) = tracker.write([draft("T-4")], [change("T-3", status="doing", title="_x0042_")])

    assert found[marker("T-1")].fields["status"] == "done"
    assert found[marker("T-2")].fields["assignee"] == "takasaki"
    assert found[marker("T-2")].fields["due"] == "2027-01-05"
    assert found[marker("T-3")].fields["evidence"] == "_x0041_ ㈱ 👍"
    assert created.task.fields["due"] == "2026-12-31"
    assert updated.task.fields["title"] == "_x0042_"
    sheet = openpyxl.load_workbook(desk.path)[SHEET]
    assert (sheet["I6"].value, sheet["D8"].comment.text.strip()) == ("製造", "ここを確認")
    assert [table.ref for table in sheet.tables.values()] == ["A5:K9"]
    assert {str(rule.sqref) for rule in sheet.data_validations.dataValidation} == {"E6:E9", "F6:F9"}


def test_libreoffice_reads_what_we_wrote_and_saves_it_unchanged(desk):
    desk.start("T-1", title="_x0041_ =1+1 ㊙", body="一\n二")
    desk.tracker().write([draft("T-2")], [change("T-1", due="2028-02-29", body="三\n四")])
    before = {name: task.fields for name, task in desk.listed().items()}
    person(desk.path, {"do": "set", "cell": "M1", "value": "x"})

    assert {name: task.fields for name, task in desk.listed().items()} == before


def test_a_sort_of_the_whole_table_is_followed(desk):
    desk.start("T-1", "T-2", "T-3")
    person(
        desk.path,
        {"do": "set", "cell": "E6", "value": "完了"},
        {"do": "sort", "range": "A6:J8", "by": 0, "down": True},
    )
    tracker = desk.tracker()
    found = desk.listed(tracker)
    _, (outcome,) = tracker.write([], [change("T-3", status="doing")])

    assert found[marker("T-1")].fields["status"] == "done"
    assert outcome.task.fields["status"] == "doing"
    assert openpyxl.load_workbook(desk.path)[SHEET]["A6"].value == "T-3"


def test_a_sort_of_the_visible_columns_only_stops_everything(desk):
    desk.start("T-1", "T-2", "T-3")
    person(desk.path, {"do": "sort", "range": "C6:J8", "by": 0, "down": True})

    with pytest.raises(Unsafe, match="ids moved"):
        desk.listed()


def test_deleted_inserted_and_copied_rows_are_told_apart(desk):
    desk.start("T-1", "T-2", "T-3")
    person(
        desk.path,
        {"do": "delete_row", "row": 7},
        {"do": "insert_row", "row": 6},
        {"do": "set", "cell": "C6", "value": "自分の仕事"},
        {"do": "copy_row", "row": 7, "to": 9},
    )
    tracker = desk.tracker()
    found = desk.listed(tracker)

    assert set(found) == {marker("T-1"), f"{marker('T-1')}#copy-1", marker("T-3")}
    assert {notice.id for notice in tracker.notices()} == {"workbook.copied_row", "workbook.foreign_rows"}


def test_an_older_copy_that_libreoffice_saves_over_the_workbook_is_merged(desk):
    desk.start("T-1", "T-2")
    stale = desk.root / "別の場所" / desk.file
    stale.parent.mkdir()
    shutil.copy(desk.path, stale)
    desk.tracker().write([draft("T-3")], [change("T-1", body="新しい")])
    person(stale, {"do": "set", "cell": "E7", "value": "対応中"})
    shutil.copy(stale, desk.path)
    tracker = desk.tracker()
    found = desk.listed(tracker)
    tracker.write([], [])

    assert found[marker("T-1")].fields["body"] == "新しい"
    assert found[marker("T-2")].fields["status"] == "doing"
    assert {name: task.fields for name, task in desk.listed().items()} == {
        name: task.fields for name, task in found.items()
    }


def test_while_libreoffice_has_it_open_writes_wait_and_afterwards_they_go(desk):
    desk.start("T-1")
    wish = json.dumps({"do": "wait", "sheet": SHEET})
    with subprocess.Popen(
        [PYTHON, str(PERSON), str(desk.path), wish], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as office:
        assert office.stdout is not None
        assert office.stdout.readline() == "open\n"
        with pytest.raises(Unavailable) as busy:
            desk.tracker().write([], [change("T-1", status="done")])
        office.communicate("\n", timeout=60)

    assert busy.value.holder
    assert desk.tracker().write([], [change("T-1", status="done")])[1]
    assert desk.task("T-1").fields["status"] == "done"
