"""A fiscal year (年度) begins on the first day of its month."""

from __future__ import annotations

from datetime import date

import pytest

from ticssync.deadlines.calendar import CompanyCalendar


@pytest.mark.parametrize(
    ("start", "day", "year"),
    [
        (4, date(2027, 3, 31), 2026),
        (4, date(2027, 4, 1), 2027),
        (4, date(2027, 4, 30), 2027),
        (1, date(2027, 1, 1), 2027),
        (1, date(2026, 12, 31), 2026),
        (10, date(2027, 9, 30), 2026),
        (10, date(2027, 10, 1), 2027),
    ],
)
def test_the_first_day_belongs_to_the_new_year(start: int, day: date, year: int) -> None:
    assert CompanyCalendar(fiscal_year_start=start).fiscal_year(day) == year
