"""The confirmation sheet answered in real LibreOffice, as a president would, and read back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from tests.unit.assess import company

from ticssync.assess.sheet import facts_digest, read_sheet
from ticssync.model.assessment import ActKind

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


def answered(tmp_path, *steps, raw=None):
    file = tmp_path / "確認票_髙﨑.xlsx"
    file.write_bytes(raw or company.sheet())
    wishes = [json.dumps(step, ensure_ascii=False) for step in steps]
    command = [PYTHON, str(PERSON), str(file), *wishes]
    done = subprocess.run(command, check=False, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr.decode()
    return read_sheet(file.read_bytes())


def typed(**cells):
    return [{"do": "type", "cell": cell, "value": value} for cell, value in cells.items()]


def test_what_is_typed_in_calc_comes_back_and_locked_cells_stay_as_they_were(tmp_path):
    decided = {"G7": "確認", "G8": "確認", "G9": "差戻し", "G10": "保留", "G12": "対象外"}
    more = {"I7": "2026-11-20", "I8": "令和8年11月20日", "H9": "㈱髙﨑〜 👍 が不足", "H12": "漏えいはない"}
    locked = {"A8": "T-99", "B9": "書換え"}
    cells = {**decided, **more, **locked, "H14": "佐藤 花子"}
    answers, problems = answered(tmp_path, *typed(**cells))

    assert problems == []
    assert [(one.criterion, one.verdict, one.reason, one.on) for one in answers.answers] == [
        ("tics/T-05", ActKind.CONFIRM, "", date(2026, 11, 20)),
        ("tics/T-12", ActKind.CONFIRM, "", date(2026, 11, 20)),
        ("tics/T-14", ActKind.RETURN, "㈱髙﨑〜 👍 が不足", None),
        ("tics/T-20", None, "", None),
        ("tics/T-31", None, "", None),
        ("tics/T-46", ActKind.EXCLUDE, "漏えいはない", None),
    ]
    assert [one.digest for one in answers.answers] == [facts_digest(row) for row in company.rows()]
    assert (answers.signed, answers.person) == ("佐藤 花子", "sato")


def test_rows_sorted_and_deleted_in_calc_keep_their_criterion(tmp_path):
    steps = [
        *typed(G7="確認", G12="対象外", H12="該当なし"),
        {"do": "unprotect"},
        {"do": "sort", "range": "A7:I12", "by": 0},
        {"do": "delete_row", "row": 8},
    ]
    answers, problems = answered(tmp_path, *steps)

    assert problems == []
    assert [(one.criterion, one.verdict, one.cell) for one in answers.answers if one.verdict] == [
        ("tics/T-46", ActKind.EXCLUDE, "G7"),
        ("tics/T-05", ActKind.CONFIRM, "G11"),
    ]
    assert "tics/T-31" not in [one.criterion for one in answers.answers]


def test_a_number_column_that_was_sorted_alone_in_calc_is_refused(tmp_path):
    steps = [*typed(G7="確認"), {"do": "unprotect"}, {"do": "sort", "range": "A7:A12", "by": 0}]
    answers, problems = answered(tmp_path, *steps)

    assert answers is None
    assert [one.place for one in problems] == ["A7", "A8", "A9", "A10", "A11", "A12"]


def test_an_english_sheet_is_answered_in_calc(tmp_path):
    answers, problems = answered(tmp_path, *typed(G8="Return", H8="no names"), raw=company.sheet(lang="en"))

    assert problems == []
    assert [(one.cell, one.verdict) for one in answers.answers if one.verdict] == [("G8", ActKind.RETURN)]
