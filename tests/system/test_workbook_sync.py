"""What `ticssync sync` does with a company's workbook, from the command line down to the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.system.company import HEADS, ITEMS, Company, outgoing
from ticssync.app.settle import drop, restore


def done(company: Company, item: str = "T-14") -> None:
    company.person({item: {"status": "完了"}})


def quiet(company: Company) -> bool:
    """The next pass writes nothing, neither there nor here."""
    before = (company.book.read_bytes(), company.book.stat().st_mtime_ns, len(company.events()))
    result = company.sync()
    return outgoing(result) == [] and before == (
        company.book.read_bytes(),
        company.book.stat().st_mtime_ns,
        len(company.events()),
    )


def states(company: Company, item: str) -> list[tuple[str, int]]:
    return sorted((one.state.value, one.generation) for one in company.bound(item))


def test_the_first_sync_makes_a_row_for_each_of_the_46_criteria(company: Company) -> None:
    found = company.cli("sync", "--json").json["trackers"]["ledger"]

    assert (found["created"], found["state"]) == (ITEMS, "ok")
    assert len(company.rows()) == len(set(company.markers())) == ITEMS
    assert [one.state.value for one in company.bound()] == ["live"] * ITEMS


def test_a_second_sync_leaves_the_file_its_time_and_the_log_alone(synced: Company) -> None:
    before = (synced.book.read_bytes(), synced.book.stat().st_mtime_ns, synced.events())
    ran = synced.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]

    assert (ran.code, found["created"], found["updated"], found["pulled"], found["actions"]) == (
        0,
        0,
        0,
        0,
        [],
    )
    assert found["unchanged"] == ITEMS
    assert (synced.book.read_bytes(), synced.book.stat().st_mtime_ns, synced.events()) == before


def test_an_idle_sync_in_another_language_writes_nothing_either(synced: Company) -> None:
    before = synced.book.read_bytes()

    assert [
        synced.cli("sync", "--json", lang=lang).json["trackers"]["ledger"]["actions"] for lang in ("en", "ja")
    ] == [[], []]
    assert synced.book.read_bytes() == before


def test_plan_says_beforehand_exactly_what_sync_then_does(company: Company) -> None:
    def both() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        found = []
        for command in ("plan", "sync"):
            actions = company.cli(command, "--json").json["trackers"]["ledger"]["actions"]
            found.append(
                sorted(
                    (one | {"key": ""} for one in actions), key=lambda one: json.dumps(one, sort_keys=True)
                )
            )
        return found[0], found[1]

    first = both()
    done(company)
    company.person({"T-20": {"title": "勝手な題名", "evidence": "金庫室 ㊙"}})
    edited = both()
    with company.spreadsheet() as sheet:
        sheet.delete_rows(company.row("T-30"))
    gone = both()

    assert first[0] == first[1] and len(first[0]) == ITEMS
    assert edited[0] == edited[1] and len(edited[0]) >= 3
    assert gone[0] == gone[1] and [one["action"] for one in gone[0]] == ["none"]


def test_plan_writes_nothing_anywhere(company: Company) -> None:
    before = company.events()
    ran = company.cli("plan", "--json")

    assert ran.json["trackers"]["ledger"]["created"] == ITEMS
    assert not company.book.exists()
    assert company.events() == before


def test_a_status_that_a_person_sets_is_taken_in_and_stays(synced: Company) -> None:
    done(synced)
    found = synced.cli("sync", "--json").json["trackers"]["ledger"]

    assert {one["task"]: one["fields"]["status"] for one in found["actions"] if one["direction"] == "in"} == {
        "tics/T-14": {"from": "todo", "to": "done"}
    }
    assert synced.cell("T-14", "status") == "完了"
    assert synced.bound("T-14")[0].status == "done"
    assert quiet(synced)


def test_what_a_person_writes_into_a_column_of_ours_is_put_back_and_kept_in_the_log(synced: Company) -> None:
    title = synced.cell("T-14", "title")
    synced.person({"T-14": {"title": "勝手な題名 🔒"}})
    synced.sync()
    (event,) = synced.events("task.overwritten")

    assert synced.cell("T-14", "title") == title
    assert (event.subject, event.data["field"], event.data["to"]) == ("tics/T-14", "title", "勝手な題名 🔒")
    assert quiet(synced)


def test_what_people_write_into_their_own_columns_is_never_touched(synced: Company) -> None:
    words = "髙﨑㈱ 金庫 ㊙ 〜 👍 か\u3099"
    synced.person({"T-14": {"evidence": words, "assignee": "髙﨑 誠"}})
    synced.sync()

    assert (synced.cell("T-14", "evidence"), synced.cell("T-14", "assignee")) == (words, "髙﨑 誠")
    assert synced.bound("T-14")[0].assignee == "takasaki"
    assert quiet(synced)


def test_a_deleted_row_is_remembered_and_not_made_again(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        sheet.delete_rows(synced.row("T-14"))
    synced.sync()
    synced.sync()

    assert states(synced, "T-14") == [("tomb", 1)]
    assert "T-14" not in synced.rows()
    assert len(synced.rows()) == ITEMS - 1
    assert quiet(synced)


def test_a_deleted_row_comes_back_as_a_second_generation_when_a_person_asks_for_it(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        sheet.delete_rows(synced.row("T-14"))
    synced.sync()
    answer = synced.cli("task", "restore", "T-14", "--json")
    planned = synced.cli("plan", "--json").json["trackers"]["ledger"]
    synced.sync()

    assert (answer.code, answer.json["task"]) == (0, "tics/T-14")
    assert [(one["action"], one["task"]) for one in planned["actions"]] == [("restore", "tics/T-14")]
    assert states(synced, "T-14") == [("detached", 1), ("live", 2)]
    assert [one for one in synced.markers() if ".T-14." in one] == [synced.markers()[-1]]
    assert ".g2." in synced.markers()[-1]
    assert quiet(synced)


def test_a_dropped_task_is_neither_written_nor_made_again(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        sheet.delete_rows(synced.row("T-14"))
    synced.sync()
    for item in ("T-14", "T-15"):
        with synced.open() as workspace:
            drop(workspace, item)
    synced.person({"T-15": {"title": "自分の題名"}})
    synced.sync()

    assert (states(synced, "T-14"), states(synced, "T-15")) == ([("detached", 1)], [("detached", 1)])
    assert "T-14" not in synced.rows()
    assert synced.cell("T-15", "title") == "自分の題名"
    assert quiet(synced)


def test_a_dropped_task_that_is_still_there_is_taken_up_again_by_restore(synced: Company) -> None:
    with synced.open() as workspace:
        drop(workspace, "T-15")
    synced.sync()
    with synced.open() as workspace:
        restore(workspace, "T-15")
    synced.sync()

    assert states(synced, "T-15") == [("live", 1)]
    assert len(synced.rows()) == ITEMS
    assert quiet(synced)


def test_a_copied_row_is_reported_and_its_original_stays_ours(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        values = [cell.value for cell in sheet[synced.row("T-14")]]
        for column, value in enumerate(values, start=1):
            sheet.cell(sheet.max_row + (column == 1), column, value)
    found = synced.cli("sync", "--json").json["trackers"]["ledger"]

    assert "workbook.copied_row" in {one["id"] for one in found["notices"]}
    assert [state for state, _ in states(synced, "T-14")].count("live") == 1
    assert len(synced.markers()) == len(set(synced.markers()))
    synced.sync()
    assert quiet(synced)


def test_a_row_written_by_hand_is_left_alone(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        row = sheet.max_row + 1
        sheet.cell(row, 4, "自分の仕事")
    found = synced.cli("sync", "--json").json["trackers"]["ledger"]
    with synced.spreadsheet() as sheet:
        words = [cell.value for cell in sheet[row] if cell.value]

    assert (found["state"], found["created"], found["updated"]) == ("ok", 0, 0)
    assert words == ["自分の仕事"]


def test_visible_columns_sorted_without_their_ids_stop_everything_with_exit_5(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        first = synced.row("T-01")
        rows = [[cell.value for cell in sheet[row]] for row in range(first, first + ITEMS)]
        for at, values in enumerate(reversed(rows)):
            for column, value in enumerate(values, start=1):
                if column != 2:
                    sheet.cell(first + at, column, value)
    before = (synced.book.read_bytes(), synced.events())
    ran = synced.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]

    assert (ran.code, found["state"]) == (5, "safety_stop")
    assert "ids moved" in found["message"]
    assert (synced.book.read_bytes(), synced.events()) == before


def test_a_stale_copy_saved_over_the_workbook_is_merged_and_lost_rows_are_written_again(
    company: Company,
) -> None:
    company.sync(only=tuple(f"T-{number:02}" for number in range(1, 21)))
    stale = company.root / "古い写し.xlsx"
    shutil.copy(company.book, stale)
    company.sync()
    done(company, "T-01")
    company.sync()
    shutil.copy(stale, company.book)
    company.person({"T-02": {"status": "対応中"}})
    before_sync = len(company.rows())
    for _ in range(2):
        company.sync()

    assert (before_sync, len(company.rows()), len(set(company.markers()))) == (20, ITEMS, ITEMS)
    assert (company.cell("T-01", "status"), company.cell("T-02", "status")) == ("完了", "対応中")
    assert [one.state.value for one in company.bound()] == ["live"] * ITEMS
    assert quiet(company)


def lock(company: Company) -> Path:
    """As LibreOffice writes it on another machine."""
    file = company.book.with_name(f".~lock.{company.book.name}#")
    file.write_text(
        ",花子,KOIDE-PC01,24.11.2026 09:00,file:///C:/Users/hanako/AppData/Roaming/LibreOffice/4;", "utf-8"
    )
    return file


def test_while_the_workbook_is_open_it_is_read_and_the_writes_wait_for_the_named_holder(
    synced: Company,
) -> None:
    done(synced)
    before, file = synced.book.read_bytes(), lock(synced)
    ran = synced.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]
    held = synced.book.read_bytes()
    file.unlink()
    after = synced.cli("sync", "--json")

    assert (ran.code, found["state"]) == (3, "unavailable")
    assert "花子" in found["holder"]
    assert held == before
    assert synced.bound("T-14")[0].status == "done"
    assert (after.code, after.json["trackers"]["ledger"]["updated"]) == (0, 1)
    assert quiet(synced)


def test_a_workbook_that_is_gone_deletes_nothing_and_says_where_the_last_state_is(synced: Company) -> None:
    synced.person({"T-14": {"title": "x"}})
    synced.sync()
    synced.book.rename(synced.book.with_name("移した.xlsx"))
    ran = synced.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]

    assert (ran.code, found["state"]) == (3, "unavailable")
    assert ".ticssync-backup" in found["message"]
    assert [one.state.value for one in synced.bound()] == ["live"] * ITEMS
    assert not synced.book.exists()


def test_a_mass_deletion_stops_and_the_word_accepts_it_once(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        sheet.delete_rows(synced.row("T-01"), 20)
    stopped = synced.cli("sync", "--json")
    word = stopped.json["trackers"]["ledger"]["word"]
    wrong = synced.cli("sync", "--json", "--accept-mass-change", "abcdef12")
    accepted = synced.cli("sync", "--json", "--accept-mass-change", word)

    assert (stopped.code, wrong.code, accepted.code) == (5, 5, 0)
    assert len([one for one in synced.bound() if one.state.value == "tomb"]) == 20
    assert quiet(synced)


@pytest.mark.parametrize("only", ["T-14", "tics/T-14"])
def test_only_touches_what_it_names(company: Company, only: str) -> None:
    found = company.cli("sync", "--only", only, "--json").json["trackers"]["ledger"]

    assert [one["task"] for one in found["actions"]] == ["tics/T-14"]
    assert list(company.rows()) == ["T-14"]


def test_read_only_takes_in_and_writes_nothing(synced: Company) -> None:
    done(synced)
    synced.person({"T-20": {"title": "x"}})
    before = synced.book.read_bytes()
    ran = synced.cli("sync", "--read-only", "--json")

    assert (ran.code, synced.book.read_bytes()) == (0, before)
    assert synced.bound("T-14")[0].status == "done"
    synced.sync()
    assert synced.cell("T-20", "title") != "x"


def test_heads_that_a_person_moved_are_followed(synced: Company) -> None:
    with synced.spreadsheet() as sheet:
        head = synced.row("T-01") - 1
        for row in range(head, head + ITEMS + 1):
            one, other = sheet.cell(row, 8).value, sheet.cell(row, 9).value
            sheet.cell(row, 8, other)
            sheet.cell(row, 9, one)
    done(synced)
    synced.sync()

    assert synced.bound("T-14")[0].status == "done"
    assert list(synced.rows()["T-14"]).index(HEADS["evidence"]) == 7
    assert quiet(synced)
