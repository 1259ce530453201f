"""The confirmation sheet: what it shows, what is read back, and what is refused with its cell."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.assess import company

from ticssync.assess.sheet import facts_digest, read_sheet, sheet_rows
from ticssync.model.assessment import ActKind
from ticssync.model.binding import BindingState
from ticssync.model.task import Status
from ticssync.tables import Book, read_grids

CONFIRM, RETURN, EXCLUDE = ActKind.CONFIRM, ActKind.RETURN, ActKind.EXCLUDE
NUMBERS = ["T-05", "T-12", "T-14", "T-20", "T-31", "T-46"]
SHEET = company.sheet()


def edited(raw=SHEET, *steps, **cells):
    """The workbook after a person's edits: cells by name, and steps that get the visible sheet."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    for name, value in cells.items():
        book.worksheets[0][name] = value
    for step in steps:
        step(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(raw=SHEET, *steps, **cells):
    return read_sheet(edited(raw, *steps, **cells))


def taken(*steps, raw=SHEET, **cells):
    """number → (verdict, reason, day) of the rows that were answered; nothing may be wrong."""
    answers, problems = read(raw, *steps, **cells)
    assert problems == []
    return {
        one.criterion.removeprefix("tics/"): (one.verdict, one.reason, one.on)
        for one in answers.answers
        if one.verdict
    }


def places(*steps, **cells):
    answers, problems = read(SHEET, *steps, **cells)
    return answers, [one.place for one in problems]


# ── what it shows ────────────────────────────────────────────────────────────────────────────────────


def shown(raw=SHEET):
    grid = next(iter(read_grids(raw).values()))
    return {row[0]: row for row in grid.rows[6:] if row[0] in NUMBERS}


def test_there_is_one_row_per_criterion_that_waits_in_the_order_of_the_catalogue():
    assert list(shown()) == NUMBERS


def test_a_row_names_assignees_status_and_each_piece_of_evidence_with_its_day():
    _, title, people, status, evidence, *_ = shown()["T-12"]

    assert title == company.TITLES["T-12"][0]
    assert people == "田中 一郎\n吉田 𠮷男"
    assert status == "完了 × 2"
    for part in (
        "教育実施記録_2026年度.xlsx",
        "2026/09/10",
        "2027/09/09",
        "【紙】受講者の署名（原本）",
        "立会い 吉田",
    ):
        assert part in evidence
    assert "【現地】入退室記録簿" in shown()["T-20"][4]
    assert shown()["T-46"][4] == "（なし）"


def test_it_says_what_to_mind_about_a_row():
    notes = {number: row[5] or "" for number, row in shown(company.sheet(lang="en")).items()}

    assert "your own work" in notes["T-05"]
    assert notes["T-12"] == ""
    assert "Returned on 2026/10/01 by 佐藤 花子: 退職者２名分の誓約書がありません。" in notes["T-14"]
    assert "2026/11/20 has passed" in notes["T-14"]
    assert "Please look again: it was confirmed, but the evidence has changed since." in notes["T-31"]
    assert "Confirmed before on 2025/11/10" in notes["T-31"]
    assert "proposes to leave this out" in notes["T-46"]


def test_only_the_confirmers_own_work_is_marked_as_such():
    assert "your own work" not in str(shown(company.sheet(lang="en", confirmer="takasaki"))["T-05"][5])


def test_a_status_that_its_tracker_does_not_say_now_is_not_shown_as_done():
    (row,) = sheet_rows(company.waiting()[:1], [], company.PEOPLE)
    lost = replace(company.TASKS[0], state=BindingState.LOST)
    (unsure,) = sheet_rows([replace(company.waiting()[0], tasks=(lost,))], [], company.PEOPLE)

    assert row.statuses == (Status.DONE,)
    assert unsure.statuses == (None,)
    assert shown(company.sheet([unsure]))["T-05"][3] == "情報なし"


def test_withdrawn_evidence_is_not_shown_and_unreadable_evidence_is_marked():
    gone = company.evidence("T-05", "gone.pdf", withdrawn=True)
    torn = company.evidence("T-05", "torn.pdf", 2, readable=False)
    (row,) = sheet_rows(company.waiting()[:1], [gone, torn], company.PEOPLE)

    assert [proof.name for proof in row.proofs] == ["torn.pdf"]
    assert "【読めません】torn.pdf" in shown(company.sheet([row]))["T-05"][4]


def test_the_sheet_names_company_confirmer_day_in_the_companys_zone_and_how_to_answer():
    late_evening = datetime(2026, 11, 23, 15, 30, tzinfo=company.EXPORTED_AT.tzinfo)
    grid = next(iter(read_grids(company.sheet(lang="en", exported_at=late_evening)).values()))
    head = [row[0] for row in grid.rows[:4]]

    assert company.COMPANY in head[0]
    assert "佐藤 花子" in head[1]
    assert "2026/11/24" in head[1]
    assert "Confirm / Return / Exclude" in head[2]
    assert "name" in head[3]


def test_it_prints_on_a4_landscape_with_its_head_on_every_page():
    sheet = openpyxl.load_workbook(io.BytesIO(SHEET)).worksheets[0]

    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$6:$6"


def test_only_the_answers_and_the_name_can_be_written_and_the_decision_is_chosen_from_a_list():
    sheet = openpyxl.load_workbook(io.BytesIO(SHEET)).worksheets[0]
    (rule,) = sheet.data_validations.dataValidation
    free = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}

    assert sheet.protection.sheet
    assert {*(f"{column}{row}" for column in "GHI" for row in range(7, 13)), "H14"} <= free
    assert not {cell for cell in free if cell[0] in "ABCDEF"}
    assert (str(rule.sqref), rule.formula1) == ("G7:G12", '"確認,差戻し,対象外,保留"')


def test_rows_start_high_enough_to_write_in_and_still_grow():
    with zipfile.ZipFile(io.BytesIO(SHEET)) as package:
        xml = package.read("xl/worksheets/sheet1.xml").decode()
    rows = {int(number): rest for number, rest in re.findall(r'<row r="(\d+)"([^>]*)>', xml)}

    assert all(float(re.search(r'ht="([\d.]+)"', rows[row])[1]) >= 44 for row in range(7, 13))
    assert not [row for row in range(7, 13) if "customHeight" in rows[row]]
    assert "customHeight" in rows[1]


def test_text_that_looks_like_a_formula_stays_text():
    row = replace(company.rows()[0], assignees=("=1+1", "\x01@x"))

    assert shown(company.sheet([row]))["T-05"][2].startswith("=1+1\n")


def test_equal_input_gives_equal_bytes():
    assert company.sheet() == SHEET
    assert company.sheet(sheet_id="other") != SHEET


# ── what is read back ────────────────────────────────────────────────────────────────────────────────


def test_a_sheet_that_nobody_touched_has_no_answers_and_says_whose_it_is():
    answers, problems = read_sheet(SHEET)

    assert problems == []
    assert [one.verdict for one in answers.answers] == [None] * 6
    assert (answers.workspace, answers.sheet_id, answers.person) == ("ws-test", "a1b2c3d4e5f6", "sato")
    assert answers.exported_at == company.EXPORTED_AT
    assert answers.signed == ""


def test_answers_come_back_with_reason_day_cell_and_what_was_shown():
    cells = {
        "G7": "確認",
        "I7": date(2026, 11, 20),
        "G9": "差戻し",
        "H9": " 髙﨑㈱ ㊙〜\n 👍",
        "G12": "対象外",
        "H12": "該当なし",
        "H14": "佐藤花子",
    }
    answers, problems = read(SHEET, **cells)
    given_ = {one.criterion: one for one in answers.answers if one.verdict}

    assert problems == []
    assert [(one.criterion, one.verdict, one.cell) for one in given_.values()] == [
        ("tics/T-05", CONFIRM, "G7"),
        ("tics/T-14", RETURN, "G9"),
        ("tics/T-46", EXCLUDE, "G12"),
    ]
    assert given_["tics/T-05"].on == date(2026, 11, 20)
    assert given_["tics/T-14"].reason == " 髙﨑㈱ ㊙〜\n 👍"
    assert given_["tics/T-14"].on is None
    assert {one.digest for one in given_.values()} == {facts_digest(company.rows()[at]) for at in (0, 2, 5)}
    assert answers.signed == "佐藤花子"


@pytest.mark.parametrize("word", ["確認", " 確認　", "Confirm", "ＣＯＮＦＩＲＭ"])
def test_a_decision_is_understood_with_blanks_in_full_width_and_in_either_language(word):
    assert taken(G8=word) == {"T-12": (CONFIRM, "", None)}


@pytest.mark.parametrize("word", [None, "", "  ", "保留", "Hold"])
def test_blank_and_hold_are_no_answer(word):
    assert taken(G8=word) == {}


@pytest.mark.parametrize("word", ["ok", "済", "確認？", "確認済", 1, True])
def test_an_unknown_decision_is_not_guessed_and_the_list_is_named(word):
    answers, problems = read(SHEET, G8=word, G7="確認")

    assert [(one.place, str(one.fix)) for one in problems] == [
        ("G8", "one of: 確認 / 差戻し / 対象外 / 保留")
    ]
    assert [one.criterion for one in answers.answers if one.verdict] == ["tics/T-05"]
    assert "tics/T-12" not in [one.criterion for one in answers.answers]


@pytest.mark.parametrize("word", ["差戻し", "差し戻し", "対象外", "Return", "Exclude"])
def test_sending_back_and_leaving_out_need_a_reason(word):
    answers, wrong = places(G8=word, H8=" 　")

    assert wrong == ["H8"]
    assert not [one for one in answers.answers if one.verdict]


@pytest.mark.parametrize("written", ["11/20", "11月20日", "2026/02/30", "昨日", "令和99年13月1日"])
def test_a_day_without_a_year_or_one_that_does_not_exist_is_not_taken(written):
    answers, wrong = places(G8="確認", I8=written)

    assert wrong == ["I8"]
    assert not [one for one in answers.answers if one.verdict]


@pytest.mark.parametrize(
    "written",
    [
        "2026/11/20",
        "２０２６年１１月２０日",
        "令和8年11月20日",
        date(2026, 11, 20),
        datetime(2026, 11, 20, 9),  # noqa: DTZ001 - cells know no zone
    ],
)
def test_a_day_is_read_as_people_write_it(written):
    assert taken(G8="確認", I8=written)["T-12"][2] == date(2026, 11, 20)


@pytest.mark.parametrize("cells", [{"H8": "見ました"}, {"I8": date(2026, 11, 20)}])
def test_a_reason_or_day_without_a_decision_is_asked_about(cells):
    assert places(**cells)[1] == ["G8"]


def test_everything_wrong_is_said_at_once():
    assert places(G7="ok", I7="11/1", G8="対象外", I9="2026/2/30", H10="？")[1] == [
        "G7",
        "I7",
        "H8",
        "G9",
        "I9",
        "G10",
    ]


def sort_upside_down(book):
    sheet = book.worksheets[0]
    cells = [[cell.value for cell in row] for row in sheet["A7:I12"]]
    for row, values in zip(sheet["A7:I12"], reversed(cells), strict=True):
        for cell, value in zip(row, values, strict=True):
            cell.value = value


def test_rows_that_were_sorted_are_known_by_their_number():
    assert taken(sort_upside_down, G7="確認", G12="差戻し", H12="不足") == {
        "T-05": (CONFIRM, "", None),
        "T-46": (RETURN, "不足", None),
    }
    answers, _ = read(SHEET, sort_upside_down, G7="確認")
    assert [one.cell for one in answers.answers if one.verdict] == ["G12"]


def test_a_row_that_was_deleted_has_no_answer_and_the_others_keep_theirs():
    answers, problems = read(SHEET, lambda book: book.worksheets[0].delete_rows(8), G9="確認")

    assert problems == []
    assert [(one.criterion, one.verdict) for one in answers.answers][:2] == [
        ("tics/T-05", None),
        ("tics/T-14", CONFIRM),
    ]
    assert len(answers.answers) == 5


def test_columns_that_were_inserted_do_not_matter():
    answers, _ = read(SHEET, lambda book: book.worksheets[0].insert_cols(3), G8="確認")

    assert [one.cell for one in answers.answers if one.verdict] == ["H8"]


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ({"A8": "T-14"}, ["A8", "A8", "A9"]),
        ({"A8": "T-99"}, ["A8"]),
        ({"A8": None, "G8": "確認"}, ["A8"]),
        ({"B8": "別の項目"}, ["A8"]),
        ({"A8": "T-14", "A9": "T-12"}, ["A8", "A9"]),
        ({"A8": "T-14", "A9": None, "B9": None}, ["A8"]),
    ],
)
def test_a_number_that_stands_beside_another_item_refuses_the_whole_sheet(cells, wrong):
    answers, found = places(**{"G7": "確認"} | cells)

    assert answers is None
    assert found == wrong


def test_a_row_that_was_copied_is_refused_with_both_places():
    def copy(book):
        sheet = book.worksheets[0]
        sheet.insert_rows(9)
        for column in range(1, 10):
            sheet.cell(9, column).value = sheet.cell(8, column).value

    assert places(copy, G8="確認") == (None, ["A8", "A9"])


@pytest.mark.parametrize("name", ["佐藤花子", "佐藤　花子", "佐藤", "佐藤 花子 ㊞", " 佐藤　花子 様"])
def test_the_confirmers_own_name_signs_the_sheet(name):
    answers, problems = read(SHEET, G7="確認", H14=name)

    assert problems == []
    assert answers.signed == name.strip()


def test_old_and_new_forms_of_a_character_are_the_same_name():
    answers, _ = read(company.sheet(confirmer="takasaki"), G7="確認", H14="高崎健一")

    assert answers.signed == "高崎健一"


@pytest.mark.parametrize("name", ["田中 一郎", "x", "花子の代理 田中", "㊞"])
def test_a_sheet_that_somebody_else_signed_is_refused(name):
    answers, wrong = places(G7="確認", H14=name)

    assert answers is None
    assert wrong == ["H14"]


def test_the_same_number_in_two_schemes_is_told_apart():
    first = company.rows()[0]
    second = replace(first, ref="scs/T-05", title=company.rows()[1].title)
    answers, problems = read(company.sheet([first, second]), G8="確認")

    assert problems == []
    assert [one.criterion for one in answers.answers if one.verdict] == ["scs/T-05"]


def test_an_english_sheet_is_read_the_same():
    assert taken(
        raw=company.sheet(lang="en"), G7="Confirm", G9="Return", H9="two are missing", H14="佐藤"
    ) == {
        "T-05": (CONFIRM, "", None),
        "T-14": (RETURN, "two are missing", None),
    }


def test_a_sheet_without_rows_says_so_and_reads_as_no_answer():
    answers, problems = read_sheet(company.sheet([]))

    assert (answers.answers, problems) == ((), [])


def other_workbook():
    book = Book()
    book.put(book.sheet("管理表"), 0, 0, "番号")
    return book.bytes()


def hidden(row, column, value):
    def step(book):
        book["_ticssync"].cell(row, column).value = value

    return step


def drop_head(book):
    book.worksheets[0].delete_rows(6)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\x03\x04",
        b"no workbook",
        SHEET[: len(SHEET) // 2],
        other_workbook(),
        edited(SHEET, hidden(1, 2, "something else")),
        edited(SHEET, hidden(2, 2, "2")),
        edited(SHEET, hidden(2, 2, "x")),
        edited(SHEET, hidden(5, 2, "yesterday")),
        edited(SHEET, hidden(6, 2, None)),
        edited(SHEET, hidden(21, 5, "abc")),
        edited(SHEET, hidden(21, 1, None)),
        edited(SHEET, drop_head),
    ],
)
def test_a_file_that_is_no_confirmation_sheet_of_ours_or_damaged_is_refused_with_a_reason(raw):
    answers, problems = read_sheet(raw)

    assert answers is None
    assert [str(one.message) for one in problems] != [""]
    assert len(problems) == 1


# ── whether what was shown still holds ───────────────────────────────────────────────────────────────


def digest_of(held=None, **facts):
    standing = [one for one in company.waiting(**facts) if one.item["id"] == "T-12"]
    (row,) = sheet_rows(standing, company.EVIDENCE if held is None else held, company.PEOPLE)
    return facts_digest(row)


def test_the_digest_changes_with_what_is_shown_and_not_with_the_day():
    seen = digest_of()
    late = [replace(task, due="2026-11-01") for task in company.TASKS]
    other_people = [replace(task, assignee="yoshida") for task in company.TASKS]
    renamed = [
        *company.ITEMS[:1],
        company.item("T-12", title={"ja": "別", "en": "other"}),
        *company.ITEMS[2:],
    ]

    assert digest_of(bindings=tuple(late)) == seen
    assert digest_of([*company.EVIDENCE, company.evidence("T-14", "other.pdf")]) == seen
    sent_back = replace(company.ledger().changes[0], key=company.TASKS[1].key, ref=company.TASKS[1].ref)
    changed = [
        digest_of([*company.EVIDENCE, company.evidence("T-12", "more.pdf", 3)]),
        digest_of([replace(one, sha256="b" * 64) for one in company.EVIDENCE]),
        digest_of([replace(one, readable=False) for one in company.EVIDENCE]),
        digest_of(bindings=tuple(other_people)),
        digest_of(bindings=tuple(company.TASKS[:2])),
        digest_of(scopes={"tics": {"items": renamed}}),
        digest_of(acts=(company.act("T-12", RETURN, 5),), changes=(sent_back,)),
    ]  # fmt: skip
    assert seen not in changed
    assert len(set(changed)) == len(changed)


def test_the_digest_is_the_same_in_both_languages():
    for lang in ("ja", "en"):
        answers, _ = read_sheet(company.sheet(lang=lang))
        assert [one.digest for one in answers.answers] == [facts_digest(row) for row in company.rows()]


WORDS = {"確認": CONFIRM, "差戻し": RETURN, "対象外": EXCLUDE, "保留": None, "": None}


def reordered(order, gone):
    def step(book):
        sheet = book.worksheets[0]
        cells = [[cell.value for cell in row] for row in sheet["A7:I12"]]
        for row, source in zip(sheet["A7:I12"], order, strict=True):
            for cell, value in zip(row, cells[source], strict=True):
                cell.value = None if source in gone else value

    return step


def test_in_whatever_order_rows_are_and_whichever_are_gone_each_answer_stays_with_its_criterion():
    reached = Counter()

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(
        st.permutations(range(6)),
        st.lists(st.sampled_from(sorted(WORDS)), min_size=6, max_size=6),
        st.sets(st.integers(0, 5), max_size=3),
    )
    def holds(order, words, gone):
        verdicts = {f"G{row + 7}": words[row] for row in range(6)}
        reasons = {f"H{row + 7}": f"理由{row}" for row in range(6) if words[row]}
        kept = [row for row in range(6) if row not in gone and WORDS[words[row]]]
        expected = {NUMBERS[row]: (WORDS[words[row]], f"理由{row}", None) for row in kept}

        assert taken(reordered(order, gone), **verdicts, **reasons) == expected
        reached.update(kind for kind, _, _ in expected.values())
        reached["gone"] += bool(gone)

    holds()
    assert all(reached[kind] for kind in (CONFIRM, RETURN, EXCLUDE, "gone"))
