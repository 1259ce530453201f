"""The failure matrix names tests that exist, leaves out no row and says why where something comes later."""

from __future__ import annotations

import pytest
from tests.failure_matrix import LANGS, MEDIA, NUMBERS, ROOT, Case, Row, matrix, names_in, page, path


def test_every_row_is_there_in_its_order_and_shown_or_explained() -> None:
    """Covered by cases, or told with what it comes."""
    assert [row.number for row in matrix().rows] == list(NUMBERS)
    assert matrix().problems == []
    assert [row.number for row in matrix().rows if not (row.cases or row.later)] == []
    assert [row.number for row in matrix().rows if not row.outcome and not row.later] == []


@pytest.mark.parametrize("row", matrix().rows, ids=lambda row: row.number)
def test_every_test_that_a_row_names_exists(row: Row) -> None:
    """Found by reading the files: nothing is run here."""
    named = [test for case in row.cases for shown in case.shown.values() for test in shown.tests]
    missing = [f"{file}::{name}" for file, name in named if not _is_there(file, name)]

    assert missing == []


def _is_there(file: str, name: str) -> bool:
    return (ROOT / file).is_file() and name in names_in(file)


def cases() -> list[tuple[Row, Case]]:
    return [(row, case) for row in matrix().rows for case in row.cases]


@pytest.mark.parametrize(
    ("row", "case"), cases(), ids=[f"{row.number} {case.case['en']}" for row, case in cases()]
)
def test_every_case_says_of_each_tracker_how_it_is_shown_or_why_not(row: Row, case: Case) -> None:
    """Rows about workbooks only name the workbook."""
    only_workbook = all(set(one.shown) == {"workbook"} for one in row.cases)

    assert set(case.shown) == ({"workbook"} if only_workbook else set(MEDIA))
    assert any(shown.tests for shown in case.shown.values())
    assert [shown for shown in case.shown.values() if not shown.tests and not shown.reason] == []


def test_every_word_is_there_in_both_languages() -> None:
    """A page that lacks a sentence in one language would not be made."""
    words = [one for row in matrix().rows for one in (row.fault, row.outcome, row.later) if one is not None]
    words += [case.case for _, case in cases()]
    words += [shown.reason for _, case in cases() for shown in case.shown.values() if shown.reason]

    assert [one for one in words if set(one) != set(LANGS) or not all(one.values())] == []


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_the_one_that_the_matrix_makes(lang: str) -> None:
    """After a change: python -m tests.failure_matrix."""
    assert path(lang).read_text("utf-8") == page(lang)
