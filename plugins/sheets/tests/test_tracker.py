"""The workbook as a tracker, in a folder of its own."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import shutil
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from plugins.sheets.tests.desk import FIRST, NOW, SHEET, change, column, draft, marker

from ticssync.plugin import Done, Fate, Level, PreSend, Rejected, RemoteRef, Unavailable, Unsafe
from ticssync_sheets.workbook.files import BACKUPS


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def repack(path: Path, change_parts) -> None:
    """Rewrite the package with some parts changed, as another program would."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change_parts(parts)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        for name, raw in parts.items():
            package.writestr(name, raw)
    path.write_bytes(stream.getvalue())


# The first file


def test_before_anything_was_written_a_missing_file_is_an_empty_complete_listing(desk):
    page = next(iter(desk.tracker().list_changed(None)))

    assert (page.items, page.complete) == ((), True)
    assert not desk.path.exists()


def test_the_first_write_makes_a_workbook_with_all_tasks_in_one_file_write(desk):
    tracker = desk.tracker()
    created, _ = tracker.write([draft(f"T-{number}") for number in range(1, 201)], [])

    assert all(isinstance(outcome, Done) and outcome.task for outcome in created)
    assert [outcome.ref.id for outcome in created[:2]] == [marker("T-1"), marker("T-2")]
    assert tracker.requests == 1
    assert len(desk.listed()) == 200


def test_a_new_workbook_has_a_table_a_filter_drop_downs_colours_and_a_guide(desk):
    desk.start("T-1", "T-2")
    book = openpyxl.load_workbook(desk.path)
    sheet = book[SHEET]

    assert book.sheetnames == [SHEET, "How to use", "_ticssync"]
    assert book["_ticssync"].sheet_state == "veryHidden"
    assert [table.ref for table in sheet.tables.values()] == ["A5:J7"]
    assert sheet.freeze_panes == "D6"
    assert {rule.formula1 for rule in sheet.data_validations.dataValidation} == {
        "ticssync_statuses",
        "ticssync_people",
    }
    assert len(sheet.conditional_formatting) == 4
    assert sheet.column_dimensions["B"].hidden
    assert not sheet.protection.sheet
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", "$5:$5")
    assert "髙﨑精密㈱" in sheet["A1"].value


def test_a_text_that_looks_like_a_formula_stays_a_text(desk):
    desk.start("T-1", title="=HYPERLINK(1)", body="＝1+1")
    with desk.edit() as sheet:
        assert sheet.cell(FIRST, column(sheet, "項目")).data_type == "s"

    assert desk.task("T-1").fields["title"] == "=HYPERLINK(1)"


def test_a_created_task_reads_back_as_the_view_of_what_was_sent(desk):
    tracker = desk.tracker()
    sent = draft("T-1", title="髙﨑㈱ ㊙ 〜 👍 が", body="一\r\n二  \n\n", evidence="_x0041_")
    (outcome,), _ = tracker.write([sent], [])

    assert outcome.task.fields == {name: tracker.view(name, sent.fields.get(name)) for name in desk.heads}
    assert (outcome.task.key, outcome.task.raw_status, outcome.task.updated_at) == ("T-1", "未着手", None)


def test_writing_the_same_draft_twice_makes_one_row(desk):
    desk.start("T-1")
    created = desk.tracker().create([draft("T-1")])

    assert isinstance(created[0], Done)
    assert len(desk.listed()) == 1


# Idle and changed


def test_an_idle_cycle_parses_and_writes_nothing(desk):
    desk.start("T-1")
    cursor = next(iter(desk.tracker().list_changed(None))).cursor
    before = digest(desk.path)
    tracker = desk.tracker()
    page = next(iter(tracker.list_changed(cursor)))

    assert (page.items, page.complete, page.cursor, tracker.requests) == ((), False, cursor, 0)
    assert tracker.write([], []) == ([], [])
    assert digest(desk.path) == before


def test_the_cycle_after_our_own_write_is_idle_too(desk):
    desk.start("T-1")
    tracker = desk.tracker()
    cursor = next(iter(tracker.list_changed(None))).cursor
    tracker.write([], [change("T-1", status="done")])
    tracker.write([draft("T-2")], [])
    later = desk.tracker()
    page = next(iter(later.list_changed(cursor)))

    assert (page.items, page.complete, later.requests) == ((), False, 0)
    assert page.cursor == digest(desk.path)


def test_a_persons_edit_between_our_reading_and_our_write_is_listed_in_the_next_cycle(desk):
    desk.start("T-1", "T-2")
    tracker = desk.tracker()
    cursor = next(iter(tracker.list_changed(None))).cursor
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "完了"
    _, (outcome,) = tracker.write([], [change("T-2", body="新しい")])
    page = next(iter(desk.tracker().list_changed(cursor)))

    assert isinstance(outcome, Done)
    assert page.complete
    assert {task.marker: task.fields["status"] for task in page.items}[marker("T-1")] == "done"


def test_a_row_that_changed_after_it_was_read_is_not_written_over(desk):
    desk.start("T-1")
    tracker = desk.tracker()
    list(tracker.list_changed(None))
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "完了"
    before = digest(desk.path)

    with pytest.raises(Unavailable, match="changed"):
        tracker.write([], [change("T-1", status="doing")])
    assert digest(desk.path) == before


def test_a_change_whose_expectation_does_not_hold_is_rejected_by_name_of_the_field(desk):
    desk.start("T-1")
    _, (outcome,) = desk.tracker().write([], [change("T-1", {"status": "done"}, status="doing")])

    assert isinstance(outcome, Rejected)
    assert outcome.field == "status"


def test_a_change_of_a_row_that_is_not_there_is_rejected_and_the_others_are_written(desk):
    desk.start("T-1")
    _, outcomes = desk.tracker().write([], [change("T-9", status="done"), change("T-1", status="done")])

    assert [type(outcome) for outcome in outcomes] == [Rejected, Done]
    assert desk.task("T-1").fields["status"] == "done"


def test_status_path_and_a_new_marker_are_written(desk):
    desk.start("T-1")
    wish = copy.replace(change("T-1"), status_path=("対応中", "完了")) if hasattr(copy, "replace") else None
    wish = wish or type(change("T-1"))(
        RemoteRef("ledger", marker("T-1")), {}, status_path=("対応中", "完了"), marker=marker("T-1", 2)
    )
    _, (outcome,) = desk.tracker().write([], [wish])

    assert outcome.ref.id == outcome.task.marker == marker("T-1", 2)
    assert outcome.task.fields["status"] == "done"


# What people's edits mean


def test_a_persons_edits_are_read_by_marker_after_a_sort_of_the_whole_table(desk):
    desk.start("T-1", "T-2", "T-3")
    with desk.edit() as sheet:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(FIRST, FIRST + 2)]
        rows[0][column(sheet, "対応状況") - 1] = "完了"
        for row, values in enumerate(reversed(rows), start=FIRST):
            for place, value in enumerate(values, start=1):
                sheet.cell(row, place).value = value
    found = desk.listed()

    assert found[marker("T-1")].fields["status"] == "done"
    assert found[marker("T-3")].fields["status"] == "todo"


@pytest.mark.parametrize(
    "visible", [["番号", "項目", "やること", "対応状況"], ["項目", "やること", "対応状況", "証跡"]]
)
def test_a_sort_that_leaves_the_hidden_column_behind_stops_everything_with_cells_and_remedy(desk, visible):
    desk.start("T-1", "T-2", "T-3")
    before = desk.path.read_bytes()
    with desk.edit() as sheet:
        for head in visible:
            place = column(sheet, head)
            values = [sheet.cell(row, place).value for row in range(FIRST, FIRST + 3)]
            for row, value in enumerate(reversed(values), start=FIRST):
                sheet.cell(row, place).value = value

    with pytest.raises(Unsafe, match="ids moved") as first:
        desk.listed()
    with pytest.raises(Unsafe) as again:
        desk.listed()
    assert first.value.what == again.value.what
    assert not first.value.acceptable
    assert "A6" in str(first.value)
    assert "Ctrl+Z" in first.value.fix
    desk.path.write_bytes(before)
    assert len(desk.listed()) == 3


def test_a_cleared_number_is_written_again_and_is_no_sort(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "番号")).value = None
    tracker = desk.tracker()
    found = desk.listed(tracker)

    assert found[marker("T-1")].key == "T-1"
    assert [repair.ref.id for repair in tracker.repairs()] == [marker("T-1")]
    tracker.write([], [])
    with desk.edit() as sheet:
        assert sheet.cell(FIRST, column(sheet, "番号")).value == "T-1"
    assert desk.tracker().repairs() == ()


@pytest.mark.parametrize("left", [None, "ticssync.abcde23456.tics.T-1.0.0.g1.aaaaaa", "x"])
def test_a_cleared_or_damaged_id_is_written_again_where_number_and_title_tell_the_row(desk, left):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.cell(FIRST, 2).value = left
    tracker = desk.tracker()

    assert marker("T-1") in desk.listed(tracker)
    assert len(tracker.repairs()) == 1
    tracker.write([], [])
    with desk.edit() as sheet:
        assert sheet.cell(FIRST, 2).value == marker("T-1")


def test_a_damaged_id_on_a_row_that_cannot_be_told_is_reported_with_its_cell(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.cell(FIRST, 2).value = "x"
        sheet.cell(FIRST, column(sheet, "項目")).value = "別のこと"
    tracker = desk.tracker()

    assert set(desk.listed(tracker)) == {marker("T-2")}
    assert any("B6" in notice.message for notice in tracker.notices())


def test_a_copied_row_becomes_the_persons_own_and_the_original_stays(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.insert_rows(FIRST)
        for place in range(1, 11):
            sheet.cell(FIRST, place).value = sheet.cell(FIRST + 1, place).value
        sheet.cell(FIRST, column(sheet, "やること")).value = "自分のメモ"
    tracker = desk.tracker()
    found = desk.listed(tracker)

    assert found[marker("T-1")].fields["body"].startswith("T-1 の規程")
    assert found[f"{marker('T-1')}#copy-1"].marker == marker("T-1")
    assert any("row 6 is a copy of row 7" in notice.message for notice in tracker.notices())
    tracker.write([], [])
    assert set(desk.listed()) == {marker("T-1"), marker("T-2")}
    with desk.edit() as sheet:
        assert (sheet.cell(FIRST, 2).value, sheet.cell(FIRST, 4).value) == (None, "自分のメモ")


def test_rows_written_by_hand_are_counted_and_left_alone(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST + 1, column(sheet, "項目")).value = "自分の仕事"
    tracker = desk.tracker()

    assert len(desk.listed(tracker)) == 1
    assert any("1 (C7)" in notice.message for notice in tracker.notices())
    tracker.write([draft("T-2")], [])
    with desk.edit() as sheet:
        assert [sheet.cell(row, 3).value for row in (6, 7, 8)] == ["T-1 の管理", "自分の仕事", "T-2 の管理"]


def test_a_deleted_row_is_gone_by_a_strong_read(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.delete_rows(FIRST)
    tracker = desk.tracker()
    list(tracker.list_changed(None))
    refs = [RemoteRef("ledger", marker("T-1")), RemoteRef("ledger", marker("T-2"))]

    assert [tracker.fetch(refs)[ref].fate for ref in refs] == [Fate.GONE, Fate.PRESENT]
    assert list(tracker.find_by_marker([marker("T-1"), marker("T-2")], PreSend()).hits) == [marker("T-2")]
    assert tracker.repairs() == ()


def test_cells_that_cannot_be_read_are_absent_and_named_not_emptied(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "だいたい"
        sheet.cell(FIRST, column(sheet, "担当")).value = "山田"
        sheet.cell(FIRST, column(sheet, "期限")).value = "12/31"
    task = desk.task("T-1")

    assert not {"status", "assignee", "due"} & set(task.fields)
    assert [problem.split(" ")[0] for problem in task.problems] == ["E6", "F6", "G6"]
    assert task.raw_status == "だいたい"


def test_an_emptied_cell_is_empty(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "担当")).value = None

    assert desk.task("T-1").fields["assignee"] is None


def test_a_formula_in_our_column_is_never_overwritten(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "項目")).value = "=B6"
    tracker = desk.tracker()
    task = desk.listed(tracker)[marker("T-1")]
    _, (both,) = tracker.write([], [change("T-1", title="新しい", body="本文")])
    _, (only,) = tracker.write([], [change("T-1", title="新しい")])

    assert "title" not in task.fields
    assert any("C6" in problem for problem in task.problems)
    assert isinstance(both, Done)
    assert both.task.fields["body"] == "本文"
    assert isinstance(only, Rejected)
    assert (only.field, "formula" in only.problems[0]) == ("title", True)
    with desk.edit() as sheet:
        assert sheet.cell(FIRST, column(sheet, "項目")).value == "=B6"


def test_merged_cells_hide_values_and_are_not_read_as_emptied(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.merge_cells("F6:F7")
    task = desk.task("T-2")

    assert "assignee" not in task.fields
    assert any("F7" in problem for problem in task.problems)


# Columns, sheets


def test_columns_are_found_by_their_heads_wherever_they_were_moved(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.tables.clear()
        sheet.insert_cols(1)
        sheet.cell(FIRST - 1, 1).value = "うちの列"
        sheet.cell(FIRST, 1).value = "メモ"
        sheet.cell(FIRST - 1, column(sheet, "証跡")).value = "証　跡"
    tracker = desk.tracker()
    list(tracker.list_changed(None))
    _, (outcome,) = tracker.write([draft("T-2")], [change("T-1", evidence="棚3", due="2027-01-05")])

    assert outcome.task.fields["evidence"] == "棚3"
    with desk.edit() as sheet:
        assert sheet.cell(FIRST, 1).value == "メモ"
        assert [sheet.cell(FIRST + 1, place).value for place in (1, 2)] == [None, "T-2"]


def test_a_missing_column_is_absent_on_all_rows_and_said_once(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.cell(FIRST - 1, column(sheet, "証跡")).value = "備考"
    tracker = desk.tracker()
    found = desk.listed(tracker)
    _, (outcome,) = tracker.write([], [change("T-1", evidence="x")])

    assert all("evidence" not in task.fields for task in found.values())
    assert [notice.id for notice in tracker.notices()] == ["workbook.columns"]
    assert isinstance(outcome, Rejected)


@pytest.mark.parametrize("wound", ["marker head", "marker column", "header row", "sheet"])
def test_a_table_that_lost_its_ids_or_its_header_stops_everything(desk, wound):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.tables.clear()
        if wound == "marker head":
            sheet.cell(FIRST - 1, 2).value = "番号2"
        elif wound == "marker column":
            sheet.delete_cols(2)
        elif wound == "header row":
            sheet.delete_rows(FIRST - 1)
        else:
            sheet.delete_rows(1, 20)

    with pytest.raises(Unsafe) as stop:
        desk.listed()
    assert not stop.value.acceptable
    assert BACKUPS in stop.value.fix


def test_a_renamed_sheet_is_found_by_its_table(desk):
    desk.start("T-1")
    book = openpyxl.load_workbook(desk.path)
    book[SHEET].title = "課題（製造部）"
    book.save(desk.path)
    tracker = desk.tracker()

    assert marker("T-1") in desk.listed(tracker)
    assert [notice.id for notice in tracker.notices()] == ["workbook.sheet"]


def test_the_hidden_sheet_is_made_anew_where_somebody_removed_it(desk):
    desk.start("T-1")
    book = openpyxl.load_workbook(desk.path)
    del book["_ticssync"]
    book.save(desk.path)
    tracker = desk.tracker()
    list(tracker.list_changed(None))

    assert [notice.id for notice in tracker.notices()] == ["workbook.hidden_sheet"]
    assert len(tracker.repairs()) == 1
    tracker.write([], [])
    book = openpyxl.load_workbook(desk.path)
    assert book["_ticssync"]["B4"].value == 2
    assert book["_ticssync"].sheet_state == "veryHidden"
    assert desk.tracker().repairs() == ()


def test_a_workbook_of_another_workspace_is_left_alone(desk):
    desk.start("T-1")
    before = digest(desk.path)

    with pytest.raises(Unsafe, match="another"):
        list(desk.tracker(workspace="zzzzz23456").list_changed(None))
    assert digest(desk.path) == before


def test_a_file_that_is_no_workbook_of_ours_is_never_taken_for_one(desk):
    book = openpyxl.Workbook()
    book.active.append(["見積書"])
    book.save(desk.path)

    with pytest.raises(Unsafe, match="no workbook of ticssync"):
        desk.tracker().write([draft("T-1")], [])


# Stale copies


def test_an_older_copy_saved_over_the_workbook_loses_nothing(desk):
    desk.start("T-1", "T-2", "T-3")
    stale = desk.root / "stale.xlsx"
    shutil.copy(desk.path, stale)
    desk.tracker().write(
        [draft("T-4")], [change("T-1", body="新しい本文", due="2027-03-31"), change("T-2", body="二")]
    )
    with desk.edit() as sheet:
        sheet.cell(FIRST + 2, column(sheet, "証跡")).value = "三の証跡"
    desk.listed()
    shutil.copy(stale, desk.path)
    with desk.edit() as sheet:
        sheet.cell(FIRST + 1, column(sheet, "対応状況")).value = "完了"
    tracker = desk.tracker()
    found = desk.listed(tracker)

    assert (found[marker("T-1")].fields["body"], found[marker("T-1")].fields["due"]) == (
        "新しい本文",
        "2027-03-31",
    )
    assert (found[marker("T-2")].fields["status"], found[marker("T-2")].fields["body"]) == ("done", "二")
    assert found[marker("T-3")].fields["evidence"] == "三の証跡"
    assert found[marker("T-4")].fields["title"] == "T-4 の管理"
    assert len(tracker.repairs()) == 4
    assert "workbook.stale_copy" in {notice.id for notice in tracker.notices()}
    tracker.write([], [change("T-4", status="doing")])
    again = desk.tracker()
    later = desk.listed(again)
    assert {name: task.fields for name, task in later.items() if name != marker("T-4")} == {
        name: task.fields for name, task in found.items() if name != marker("T-4")
    }
    assert later[marker("T-4")].fields["status"] == "doing"
    assert again.repairs() == ()


def test_a_repair_that_could_not_be_written_is_listed_again_although_the_file_did_not_change(desk):
    desk.start("T-1")
    stale = desk.path.read_bytes()
    desk.tracker().write([draft("T-2")], [])
    desk.path.write_bytes(stale)
    cursor = next(iter(desk.tracker().list_changed(None))).cursor
    tracker = desk.tracker()
    page = next(iter(tracker.list_changed(cursor)))

    assert page.complete
    assert len(tracker.repairs()) == 1


def test_an_edit_that_was_already_seen_is_not_taken_for_one_of_the_older_copy(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "対応中"
    desk.listed()
    stale = desk.path.read_bytes()
    desk.tracker().write([], [change("T-1", status="done")])
    desk.path.write_bytes(stale)

    assert desk.task("T-1").fields["status"] == "done"


def test_a_row_deleted_in_an_older_copy_stays_deleted(desk):
    desk.start("T-1", "T-2")
    stale = desk.path.read_bytes()
    desk.tracker().write([], [change("T-1", body="新しい")])
    desk.path.write_bytes(stale)
    with desk.edit() as sheet:
        sheet.delete_rows(FIRST + 1)

    assert set(desk.listed()) == {marker("T-1")}


def test_a_copy_older_than_what_is_remembered_stops_everything(desk):
    desk.start("T-1")
    stale = desk.path.read_bytes()
    for number in range(21):
        desk.tracker().write([], [change("T-1", body=f"{number}")])
    desk.path.write_bytes(stale)

    with pytest.raises(Unsafe, match="old copy"):
        desk.listed()


def test_a_file_newer_than_the_memory_is_taken_as_it_is(desk):
    desk.start("T-1")
    before = dict(desk.memory)
    desk.tracker().write([draft("T-2")], [change("T-1", status="done")])
    desk.memory.clear()
    desk.memory.update(before)
    tracker = desk.tracker()
    found = desk.listed(tracker)

    assert set(found) == {marker("T-1"), marker("T-2")}
    assert found[marker("T-1")].fields["status"] == "done"
    assert tracker.repairs() == ()
    tracker.write([], [change("T-1", status="todo")])
    assert openpyxl.load_workbook(desk.path)["_ticssync"]["B4"].value == 3


def test_a_lost_memory_reads_the_file_as_it_is(desk):
    desk.start("T-1", "T-2")
    desk.memory.clear()

    assert set(desk.listed()) == {marker("T-1"), marker("T-2")}


# Files that are gone, broken, open


def test_a_workbook_that_is_gone_is_never_an_empty_listing(desk):
    tracker = desk.start("T-1")
    tracker.write([], [change("T-1", status="done")])
    desk.path.unlink()
    fresh = desk.tracker()

    with pytest.raises(Unavailable, match=r"gone.*\.ticssync-backup"):
        list(fresh.list_changed(None))
    with pytest.raises(Unavailable):
        fresh.fetch([RemoteRef("ledger", marker("T-1"))])
    with pytest.raises(Unavailable):
        fresh.write([draft("T-2")], [])
    assert not desk.path.exists()


@pytest.mark.parametrize(
    "wound",
    [
        b"",
        b"no workbook",
        b"\xd0\xcf\x11\xe0" + b"\0" * 600,
        b"\xd0\xcf\x11\xe0" + b"E\0n\0c\0r\0y\0p\0t\0" * 9,
        "half",
        "not a book",
    ],
)
def test_a_file_that_cannot_be_read_stops_everything_and_names_the_backup(desk, wound):
    tracker = desk.start("T-1")
    tracker.write([], [change("T-1", status="done")])
    if wound == "half":
        desk.path.write_bytes(desk.path.read_bytes()[: desk.path.stat().st_size // 2])
    elif wound == "not a book":
        repack(desk.path, lambda parts: parts.pop("xl/workbook.xml"))
    else:
        desk.path.write_bytes(wound)

    with pytest.raises(Unsafe, match=r"TICS課題一覧\.xlsx") as stop:
        list(desk.tracker().list_changed(None))
    assert "TICS課題一覧.1.xlsx" in stop.value.fix


def test_while_excel_has_the_workbook_open_it_is_read_and_writes_wait_for_the_named_holder(desk):
    desk.start("T-1")
    name = "髙橋"
    narrow = name.replace("髙", "高").encode("cp932")
    owner = bytes([len(narrow)]) + narrow.ljust(53, b" ") + bytes([len(name), 0]) + name.encode("utf-16-le")
    (desk.root / f"~${desk.file}").write_bytes(owner.ljust(165, b" "))
    tracker = desk.tracker()

    assert len(desk.listed(tracker)) == 1
    with pytest.raises(Unavailable) as busy:
        tracker.presend()
    assert busy.value.holder == name
    with pytest.raises(Unavailable):
        tracker.write([], [change("T-1", status="done")])


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\xff" * 165, b"\x05sato " + b" " * 20])
def test_an_owner_file_of_any_form_still_means_open(desk, raw):
    desk.start("T-1")
    (desk.root / f"~${desk.file}").write_bytes(raw)

    with pytest.raises(Unavailable):
        desk.tracker().presend()


def test_a_lock_of_libreoffice_on_another_machine_names_person_and_machine(desk):
    desk.start("T-1")
    (desk.root / f".~lock.{desk.file}#").write_text(
        "佐藤\\, 花子,sato,PC-07,24.11.2026 09:00,file:///C:/Users/sato;", "utf-8"
    )

    with pytest.raises(Unavailable) as busy:
        desk.tracker().presend()
    assert busy.value.holder == "佐藤, 花子 (PC-07)"


def test_a_lock_whose_profile_on_this_machine_has_nobody_in_it_is_passed_over_and_reported(desk):
    desk.start("T-1")
    profile = desk.root / "profile"
    profile.mkdir()
    (profile / ".lock").write_text("")
    lock = desk.root / f".~lock.{desk.file}#"
    lock.write_text(
        f",root,{__import__('socket').gethostname()},24.11.2026 09:00,{profile.as_uri()};", "utf-8"
    )
    with pytest.raises(Unavailable):
        desk.tracker().presend()
    (profile / ".lock").unlink()
    tracker = desk.tracker()

    tracker.presend()
    assert [notice.id for notice in tracker.notices()] == ["workbook.stale_lock"]
    assert lock.exists()


def test_a_lock_older_than_a_day_is_passed_over_where_the_file_can_be_written(desk):
    desk.start("T-1")
    lock = desk.root / f".~lock.{desk.file}#"
    lock.write_text(",sato,PC-07,1.1.2026 09:00,file:///C:/x;", "utf-8")
    moment = (NOW - timedelta(hours=25)).timestamp()
    os.utime(lock, (moment, moment))

    desk.tracker().presend()


def test_copies_beside_the_workbook_are_named(desk):
    desk.start("T-1")
    names = [
        "TICS課題一覧 - コピー.xlsx",
        "TICS課題一覧 (1).xlsx",
        "コピー TICS課題一覧.xlsx",
        "TICS課題一覧-PC07.xlsx",
    ]
    for name in [*names, "TICS課題一覧表の作り方.xlsx", "見積.xlsx"]:
        (desk.root / name).write_bytes(b"")
    (notice,) = desk.tracker().notices()

    assert all(name in notice.message for name in names)
    assert "作り方" not in notice.message


@pytest.mark.parametrize("part", ["_xmlsignatures/origin.sigs", "xl/revisions/revisionHeaders.xml"])
def test_what_writing_would_damage_is_named_and_reading_goes_on(desk, part):
    desk.start("T-1")
    repack(desk.path, lambda parts: parts.update({part: b"<x/>"}))
    tracker = desk.tracker()
    before = digest(desk.path)

    assert len(desk.listed(tracker)) == 1
    with pytest.raises(Unsafe, match="damage") as stop:
        tracker.write([], [change("T-1", status="done")])
    assert not stop.value.acceptable
    with pytest.raises(Unsafe):
        tracker.presend()
    assert digest(desk.path) == before


def test_a_full_disk_leaves_the_file_as_it_was(desk, monkeypatch):
    desk.start("T-1")
    before = digest(desk.path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space"):
        desk.tracker().write([], [change("T-1", status="done")])
    assert digest(desk.path) == before
    assert [path.name for path in desk.root.iterdir() if path.is_file()] == [desk.file]


def test_the_last_ten_states_are_kept_and_one_of_them_can_be_put_back(desk):
    desk.start("T-1")
    for number in range(12):
        desk.tracker().write([], [change("T-1", body=f"{number}")])
    kept = sorted((desk.root / BACKUPS).iterdir())

    assert len(kept) == 10
    shutil.copy(desk.root / BACKUPS / "TICS課題一覧.12.xlsx", desk.path)
    assert desk.task("T-1").fields["body"] == "11"


def test_the_file_keeps_its_rights(desk):
    desk.start("T-1")
    desk.path.chmod(0o664)
    desk.tracker().write([], [change("T-1", status="done")])

    assert desk.path.stat().st_mode & 0o777 == 0o664


# What people made


def test_columns_formats_comments_charts_pictures_and_sheets_of_people_stay(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet.cell(FIRST - 1, 11).value = "部署"
        sheet.cell(FIRST, 11).value = "製造"
        sheet.cell(FIRST, 12).value = "=COUNTA(A6:A7)"
        sheet.cell(FIRST, 4).comment = Comment("ここを見る", "佐藤")
        sheet.cell(FIRST, 3).fill = PatternFill("solid", fgColor="FFFF00")
        sheet.row_dimensions[FIRST].height = 77
        chart = BarChart()
        chart.add_data(Reference(sheet, min_col=1, min_row=FIRST, max_row=FIRST + 1))
        sheet.add_chart(chart, "N2")
        sheet.parent.create_sheet("うちのメモ")["A1"] = "残す"
    repack(
        desk.path,
        lambda parts: parts.update({"xl/media/seal.png": b"\x89PNG seal", "xl/vbaProject.bin": b"macro"}),
    )
    with zipfile.ZipFile(desk.path) as package:
        before = {name: package.read(name) for name in package.namelist()}
    desk.tracker().write([draft("T-3")], [change("T-1", status="done", due="2027-02-01", title="短く")])
    with zipfile.ZipFile(desk.path) as package:
        after = {name: package.read(name) for name in package.namelist()}
    sheet = openpyxl.load_workbook(desk.path)[SHEET]

    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet3.xml",
        "xl/tables/table1.xml",
    }
    assert set(after) == set(before)
    assert (sheet["K6"].value, sheet["L6"].value) == ("製造", "=COUNTA(A6:A7)")
    assert sheet["D6"].comment.text == "ここを見る"
    assert sheet["C6"].fill.fgColor.rgb == "00FFFF00"
    assert sheet.row_dimensions[FIRST].height == 77
    assert len(sheet._charts) == 1


def test_new_rows_look_like_the_row_above_and_table_drop_downs_and_colours_go_on(desk):
    desk.start("T-1", "T-2")
    desk.tracker().write([draft("T-3"), draft("T-4", due=None)], [])
    sheet = openpyxl.load_workbook(desk.path)[SHEET]

    assert [table.ref for table in sheet.tables.values()] == ["A5:J9"]
    assert [table.autoFilter.ref for table in sheet.tables.values()] == ["A5:J9"]
    assert {str(rule.sqref) for rule in sheet.data_validations.dataValidation} == {"E6:E9", "F6:F9"}
    assert {str(area.sqref) for area in sheet.conditional_formatting} == {"E6:E9", "G6:G9", "I6:I9", "J6:J9"}
    assert all(sheet.cell(8, place).style_id == sheet.cell(7, place).style_id for place in range(1, 11))
    assert sheet["G8"].value.date() == date(2026, 12, 31)
    assert sheet["G8"].is_date


def test_something_right_below_the_table_is_not_run_over(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.merge_cells("A7:D8")
        sheet["A7"] = "※ 備考"
    desk.tracker().write([draft("T-2")], [])
    sheet = openpyxl.load_workbook(desk.path)[SHEET]

    assert sheet["A7"].value == "※ 備考"
    assert sheet["A9"].value == "T-2"
    assert [table.ref for table in sheet.tables.values()] == ["A5:J6"]
    assert set(desk.listed()) == {marker("T-1"), marker("T-2")}


def test_blank_rows_at_the_end_of_the_table_are_used_first(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        next(iter(sheet.tables.values())).ref = "A5:J8"
    desk.tracker().write([draft("T-2")], [])
    sheet = openpyxl.load_workbook(desk.path)[SHEET]

    assert sheet["A7"].value == "T-2"
    assert [table.ref for table in sheet.tables.values()] == ["A5:J8"]


def test_a_new_colleague_is_in_the_drop_down_after_the_next_write(desk):
    desk.start("T-1")
    desk.names["mori"] = "森 次郎"
    desk.tracker().write([], [change("T-1", assignee="mori")])
    book = openpyxl.load_workbook(desk.path)

    assert [book["_ticssync"][f"E{row}"].value for row in range(1, 5)][-1] == "森 次郎"
    assert book.defined_names["ticssync_people"].attr_text == "_ticssync!$E$1:$E$4"
    assert desk.task("T-1").fields["assignee"] == "mori"


def test_formulas_of_people_are_computed_anew_when_the_file_is_opened(desk):
    desk.start("T-1")
    repack(
        desk.path,
        lambda parts: parts.update(
            {"xl/workbook.xml": parts["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")}
        ),
    )
    desk.tracker().write([], [change("T-1", status="done")])

    assert b'fullCalcOnLoad="1"' in desk.part("xl/workbook.xml")


def test_a_workbook_that_counts_days_from_1904_keeps_its_days(desk):
    desk.start("T-1")
    book = openpyxl.load_workbook(desk.path)
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book[SHEET]["G6"] = date(2027, 1, 15)
    book.save(desk.path)
    tracker = desk.tracker()
    first = desk.listed(tracker)[marker("T-1")].fields["due"]
    _, (outcome,) = tracker.write([], [change("T-1", due="2028-02-29")])

    assert (first, outcome.task.fields["due"]) == ("2027-01-15", "2028-02-29")


# Doctor and names


def test_doctor_says_that_all_is_well_or_what_is_not(desk):
    assert [finding.level for finding in desk.tracker().check()] == [Level.OK]
    desk.start("T-1")
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "済"
        sheet.cell(FIRST + 1, column(sheet, "項目")).value = "自分の仕事"
    found = {finding.id: finding.level for finding in desk.tracker().check()}
    desk.path.unlink()

    assert found == {
        "workbook.file": Level.OK,
        "workbook.foreign_rows": Level.WARN,
        "workbook.cell": Level.WARN,
    }
    assert [finding.level for finding in desk.tracker().check()] == [Level.FAIL]


def test_a_row_is_found_by_number_and_by_text(desk):
    tracker = desk.start("T-1", "T-14")

    assert tracker.resolve("ｔ-14") == RemoteRef("ledger", marker("T-14"))
    assert tracker.resolve("T-15") is None
    assert [task.key for task in tracker.search("T-14 の")] == ["T-14"]


def test_the_schema_names_columns_words_and_people(desk):
    schema = desk.tracker().schema()

    assert [field.name for field in schema.fields] == list(desk.heads.values())
    assert schema.closed_statuses == {"完了", "対象外"}
    assert schema.people["takasaki"] == "髙﨑 健"
    assert desk.tracker().holds("evidence")
    assert not desk.tracker().holds("priority")
    assert desk.tracker().artifacts() == [desk.path]


# What planted faults had passed over


def test_numbers_that_were_sorted_alone_stop_everything_with_and_without_a_memory(desk):
    desk.start("T-1", "T-2", "T-3")
    with desk.edit() as sheet:
        sheet["A6"], sheet["A8"] = "T-3", "T-1"

    with pytest.raises(Unsafe, match="ids moved"):
        desk.listed()
    desk.memory.clear()
    with pytest.raises(Unsafe, match="ids moved"):
        desk.listed()


def test_a_mistyped_number_is_written_again_where_the_title_still_tells_the_row(desk):
    desk.start("T-1", "T-2")
    with desk.edit() as sheet:
        sheet["A6"] = "T-1済"
    tracker = desk.tracker()

    assert desk.listed(tracker)[marker("T-1")].fields["number"] == "T-1"
    assert len(tracker.repairs()) == 1


def test_titles_that_we_exchanged_before_a_crash_are_no_sort(desk):
    desk.start("T-1", "T-2")
    before = dict(desk.memory)
    desk.tracker().write([], [change("T-1", title="T-2 の管理"), change("T-2", title="T-1 の管理")])
    desk.memory.clear()
    desk.memory.update(before)

    assert desk.task("T-1").fields["title"] == "T-2 の管理"


def test_a_cell_that_could_not_be_read_keeps_its_last_good_value_for_a_later_repair(desk):
    desk.start("T-1")
    stale = desk.path.read_bytes()
    desk.tracker().write([], [change("T-1", status="doing")])
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "だいたい"
    desk.listed()
    desk.path.write_bytes(stale)

    assert desk.task("T-1").fields["status"] == "doing"


def test_a_totals_row_stays_the_last_row_of_its_table(desk):
    desk.start("T-1")
    with desk.edit() as sheet:
        table = next(iter(sheet.tables.values()))
        table.ref, table.totalsRowCount = "A5:J7", 1
        sheet["A7"] = "合計"
    desk.tracker().write([draft("T-2")], [])
    sheet = openpyxl.load_workbook(desk.path)[SHEET]

    assert (sheet["A7"].value, sheet["A8"].value) == ("合計", "T-2")
    assert next(iter(sheet.tables.values())).ref == "A5:J7"


def test_a_file_that_is_cut_while_somebody_saves_it_is_tried_again_later(desk):
    desk.start("T-1")
    (desk.root / f".~lock.{desk.file}#").write_text(",sato,PC-07,24.11.2026 09:00,file:///C:/x;", "utf-8")
    desk.path.write_bytes(desk.path.read_bytes()[:2000])

    with pytest.raises(Unavailable, match="being saved"):
        list(desk.tracker().list_changed(None))


def test_a_persons_edit_after_our_write_is_listed_though_the_cursor_is_older_than_our_write(desk):
    desk.start("T-1")
    tracker = desk.tracker()
    cursor = next(iter(tracker.list_changed(None))).cursor
    tracker.write([], [change("T-1", body="新しい")])
    with desk.edit() as sheet:
        sheet.cell(FIRST, column(sheet, "対応状況")).value = "完了"
    page = next(iter(desk.tracker().list_changed(cursor)))

    assert [task.fields["status"] for task in page.items] == ["done"]


def test_a_file_that_cannot_be_opened_for_writing_waits_without_a_holder(desk, monkeypatch):
    desk.start("T-1")
    before = digest(desk.path)
    monkeypatch.setattr("ticssync_sheets.workbook.source.can_append", lambda path: False)

    with pytest.raises(Unavailable, match="read-only") as busy:
        desk.tracker().write([], [change("T-1", status="done")])
    assert busy.value.holder == ""
    assert digest(desk.path) == before


def test_whoever_lost_the_lease_leaves_the_workbook_as_it_is(desk):
    """Frozen after its look: the other process has written meanwhile."""

    class LostError(Exception):
        pass

    def lost() -> None:
        raise LostError

    tracker = desk.start("T-01")
    before = desk.path.read_bytes()
    tracker._opening = replace(tracker._opening, before_write=lost)

    with pytest.raises(LostError):
        tracker.write([draft("T-02")], [])

    assert desk.path.read_bytes() == before
