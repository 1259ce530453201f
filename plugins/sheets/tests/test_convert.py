"""Cells and canonical values."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.sheets.tests.desk import NAMES, STATUSES, Desk

from ticssync_sheets.workbook.convert import CELL_MAX, Undecodable, clean_text, decode, encode, view
from ticssync_sheets.workbook.names import names_of, same_text, shown_people

NAMED = names_of(Desk(Path()).tracker()._opening)
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60) | st.text(max_size=10)
VALUES = {
    "title": TEXT | st.none(),
    "body": TEXT,
    "evidence": TEXT,
    "status": st.sampled_from([*STATUSES.values(), "unheard-of", None]),
    "assignee": st.sampled_from([*NAMES, "nobody", None]),
    "due": st.dates().map(date.isoformat) | st.none() | st.just("soon"),
    "labels": st.lists(TEXT, max_size=4).map(lambda found: tuple(sorted(found))),
    "priority": st.sampled_from(["low", "high", None]),
}
REACHED: Counter[str] = Counter()


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])))
def test_what_is_written_reads_back_as_the_view_and_the_view_of_a_view_is_itself(pair):
    name, value = pair
    content = encode(name, value, NAMED)
    shown = decode(name, content, NAMED)
    REACHED[f"{name} {'empty' if shown is None else 'shown'}"] += 1

    assert shown == view(name, value, NAMED)
    assert view(name, shown, NAMED) == shown


def test_the_law_above_was_tried_on_every_kind_of_field():
    test_what_is_written_reads_back_as_the_view_and_the_view_of_a_view_is_itself()

    assert {
        f"{name} {how}" for name in ("title", "status", "assignee", "due") for how in ("empty", "shown")
    } <= set(REACHED)


@pytest.mark.parametrize(
    "text", ["髙﨑㈱", "㊙①", "〜～", "👍🏽", "=1+1", "＝cmd|' /C calc'!A0", "_x0041_", "0012", "1e5"]
)
def test_a_text_stays_byte_for_byte(text):
    assert view("title", text, NAMED) == text


def test_characters_that_no_workbook_can_hold_are_replaced_visibly():
    assert clean_text("a\x00b\x0bc") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


@pytest.mark.parametrize("letter", ["a", "漢", "𠮷"])
def test_a_text_longer_than_a_cell_is_cut_between_characters(letter):
    cut = clean_text(letter * (CELL_MAX + 10))

    assert set(cut) == {letter}
    assert CELL_MAX - 1 <= len(cut.encode("utf-16-le")) // 2 <= CELL_MAX


@pytest.mark.parametrize(
    "cell",
    [
        "令和8年12月31日",
        "R8.12.31",
        "２０２６／１２／３１",
        "2026-12-31",
        "20261231",
        datetime(2026, 12, 31),  # noqa: DTZ001 - cells have no zone
        date(2026, 12, 31),
    ],
)
def test_a_day_is_read_in_the_ways_people_write_it(cell):
    assert decode("due", cell, NAMED) == "2026-12-31"


@pytest.mark.parametrize("cell", ["12/31", "未定", "年度末", "平成40年1月1日", 46387.0])
def test_a_day_that_would_be_a_guess_is_not_taken(cell):
    with pytest.raises(Undecodable):
        decode("due", cell, NAMED)


@pytest.mark.parametrize("cell", ["完了", " 完了　", "完 了"])
def test_a_status_word_is_known_however_blanks_stand(cell):
    assert decode("status", cell, NAMED) == "done"


@pytest.mark.parametrize(("field", "cell"), [("status", "済"), ("assignee", "山田"), ("assignee", "佐藤")])
def test_an_unknown_word_or_name_is_reported_and_not_guessed(field, cell):
    with pytest.raises(Undecodable, match=cell):
        decode(field, cell, NAMED)


@pytest.mark.parametrize("cell", ["佐藤 花子", "佐藤花子", "佐藤　花子", "sato"])
def test_a_person_is_found_by_name_and_by_id(cell):
    assert decode("assignee", cell, NAMED) == "sato"


def test_two_people_of_one_name_are_told_apart_by_their_ids():
    assert shown_people({"a": "鈴木一郎", "b": "鈴木 一郎", "c": "林"}) == {
        "a": "鈴木一郎（a）",
        "b": "鈴木 一郎（b）",
        "c": "林",
    }


def test_heads_are_compared_without_blanks_and_width_but_never_stored_so():
    assert same_text("ＴＩＣＳ　課題 ") == same_text("tics課題")
