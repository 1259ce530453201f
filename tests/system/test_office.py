"""A person at real LibreOffice with the company's workbook, and what the next syncs make of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.system.company import ITEMS, SHEET, Company, outgoing

PERSON: Final = Path(__file__).resolve().parents[2] / "plugins" / "sheets" / "tests" / "person.py"
PYTHON: Final = os.environ.get("TICSSYNC_UNO_PYTHON", "/usr/bin/python3")


def _why_not() -> str:
    if not shutil.which("soffice"):
        return "LibreOffice (soffice) is not installed"
    if not shutil.which(PYTHON):
        return f"{PYTHON} is not there"
    found = subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False)
    return "" if found.returncode == 0 else f"{PYTHON} has no uno (package python3-uno)"


WHY_NOT: Final = _why_not()
pytestmark = [pytest.mark.office, pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]
FIRST: Final = 6
LAST: Final = FIRST + ITEMS - 1


def person(company: Company, *steps: dict[str, Any]) -> None:
    wishes = [json.dumps({"sheet": SHEET, **step}, ensure_ascii=False) for step in steps]
    subprocess.run(
        [PYTHON, str(PERSON), str(company.book), *wishes], check=True, capture_output=True, timeout=180
    )


def quiet(company: Company) -> bool:
    before = (company.book.read_bytes(), len(company.events()))
    return outgoing(company.sync()) == [] and (company.book.read_bytes(), len(company.events())) == before


def live(company: Company) -> int:
    return sum(1 for one in company.bound() if one.state.value == "live")


def test_statuses_set_and_the_whole_table_sorted_in_libreoffice_are_followed(synced: Company) -> None:
    person(
        synced,
        {"do": "set", "cell": f"F{synced.row('T-14')}", "value": "完了"},
        {"do": "set", "cell": f"F{synced.row('T-20')}", "value": "対応中"},
        {"do": "sort", "range": f"A{FIRST}:K{LAST}", "by": 0, "down": True},
    )
    ran = synced.cli("sync", "--json")

    assert (ran.code, ran.json["trackers"]["ledger"]["pulled"]) == (0, 2)
    assert {item: synced.bound(item)[0].status for item in ("T-14", "T-20", "T-15")} == {
        "T-14": "done",
        "T-20": "doing",
        "T-15": "todo",
    }
    assert next(iter(synced.rows())) == "T-46"
    assert (synced.cell("T-14", "status"), live(synced)) == ("完了", ITEMS)
    assert quiet(synced)


def test_only_the_visible_columns_sorted_in_libreoffice_stop_everything(synced: Company) -> None:
    person(synced, {"do": "sort", "range": f"C{FIRST}:K{LAST}", "by": 1, "down": True})
    before = (synced.book.read_bytes(), synced.events())
    ran = synced.cli("sync", "--json")

    assert (ran.code, ran.json["trackers"]["ledger"]["state"]) == (5, "safety_stop")
    assert (synced.book.read_bytes(), synced.events()) == before


def test_rows_deleted_copied_and_inserted_in_libreoffice_are_told_apart(synced: Company) -> None:
    gone, original = synced.row("T-14"), synced.row("T-03")
    person(
        synced,
        {"do": "delete_row", "row": gone},
        {"do": "copy_row", "row": original, "to": original + 1},
        {"do": "insert_row", "row": FIRST},
        {"do": "set", "cell": f"D{FIRST}", "value": "自分の仕事"},
    )
    ran = synced.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]

    assert found["state"] == "ok"
    assert {one["id"] for one in found["notices"]} >= {"workbook.copied_row", "workbook.foreign_rows"}
    assert [one.state.value for one in synced.bound("T-14")] == ["tomb"]
    assert len([one for one in synced.bound("T-03") if one.state.value == "live"]) == 1
    assert len(synced.markers()) == len(set(synced.markers())) == ITEMS - 1
    synced.sync()
    assert quiet(synced)


def test_what_libreoffice_saved_keeps_its_edits_when_our_own_changes_go_in(synced: Company) -> None:
    title = synced.cell("T-02", "title")
    person(
        synced,
        {"do": "set", "cell": f"D{synced.row('T-02')}", "value": "勝手な題名"},
        {"do": "set", "cell": f"I{synced.row('T-02')}", "value": "棚の3段目 ㊙", "text": True},
        {"do": "set", "cell": "N3", "value": "=1+1"},
    )
    synced.sync()

    assert (synced.cell("T-02", "title"), synced.cell("T-02", "evidence")) == (title, "棚の3段目 ㊙")
    assert [one.data["to"] for one in synced.events("task.overwritten")] == ["勝手な題名"]
    assert quiet(synced)


def test_while_libreoffice_has_the_workbook_open_sync_ends_with_3_and_finishes_afterwards(
    synced: Company,
) -> None:
    synced.person({"T-14": {"title": "x"}})
    wish = json.dumps({"do": "wait", "sheet": SHEET})
    before = synced.book.read_bytes()
    with subprocess.Popen(
        [PYTHON, str(PERSON), str(synced.book), wish],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as office:
        assert office.stdout is not None
        assert office.stdout.readline() == "open\n"
        ran = synced.cli("sync", "--json")
        held = synced.book.read_bytes()
        office.communicate("\n", timeout=60)
    after = synced.cli("sync", "--json")

    assert (ran.code, held) == (3, before)
    assert ran.json["trackers"]["ledger"]["state"] == "unavailable"
    assert (after.code, after.json["trackers"]["ledger"]["updated"]) == (0, 1)
    assert synced.cell("T-14", "title") != "x"
    assert quiet(synced)
