"""Working days, month ends and eras."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.deadlines.calendar import (
    CompanyCalendar,
    add_months,
    add_years,
    day_text,
    era_text,
    japanese_holiday,
    no_holiday,
)
from ticssync.tables.dates import read_date

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
ORACLE = holidays.country_holidays("JP", years=range(2019, 2036))


def test_holidays_agree_with_another_source_on_every_day_from_2019_to_2035() -> None:
    days = [date(2019, 1, 1) + timedelta(days=count) for count in range(17 * 365)]

    assert [day for day in days if japanese_holiday(day) != (day in ORACLE)] == []


@settings(deadline=None)
@given(DAYS)
def test_the_working_day_before_is_worked_and_the_last_one(day: date) -> None:
    calendar = CompanyCalendar()

    before, after = calendar.working_day_before(day), calendar.working_day_after(day)

    assert before <= day <= after
    assert calendar.is_working_day(before)
    assert calendar.is_working_day(after)
    between = [before + timedelta(days=count) for count in range(1, (after - before).days)]
    assert not any(calendar.is_working_day(free) for free in between)


def test_the_companys_own_days_win_over_the_national_ones() -> None:
    obon = frozenset(date(2026, 8, day) for day in (12, 13, 14))
    worked = frozenset({date(2026, 8, 11), date(2026, 8, 15)})
    calendar = CompanyCalendar(company_holidays=obon, working_days=worked)

    assert calendar.is_working_day(date(2026, 8, 11))  # 山の日, worked here
    assert calendar.is_working_day(date(2026, 8, 15))  # a Saturday, worked here
    assert calendar.working_day_before(date(2026, 8, 14)) == date(2026, 8, 11)


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 5, 6), date(2026, 5, 1)),  # 振替休日 after Golden Week
        (date(2026, 9, 22), date(2026, 9, 18)),  # 国民の休日 between two holidays
        (date(2027, 3, 22), date(2027, 3, 19)),
        (date(2026, 11, 23), date(2026, 11, 20)),
        (date(2026, 11, 24), date(2026, 11, 24)),
    ],
)
def test_substitute_holidays_and_days_between_holidays_are_free(day: date, before: date) -> None:
    assert CompanyCalendar().working_day_before(day) == before


def test_without_public_holidays_only_weekends_are_free() -> None:
    assert CompanyCalendar(is_public_holiday=no_holiday).is_working_day(date(2026, 11, 23))


def test_a_calendar_that_never_works_leaves_days_where_they_are() -> None:
    never = CompanyCalendar(is_public_holiday=lambda _day: True)

    assert never.working_day_before(date(2026, 11, 24)) == date(2026, 11, 24)


def test_the_fiscal_year_starts_where_the_company_says() -> None:
    assert CompanyCalendar().fiscal_year(date(2027, 3, 31)) == 2026
    assert CompanyCalendar(fiscal_year_start=1).fiscal_year(date(2027, 3, 31)) == 2027


def test_three_years_from_a_leap_day_end_in_february() -> None:
    assert add_years(date(2024, 2, 29), 3) == date(2027, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert add_months(date(2028, 3, 31), -6) == date(2027, 9, 30)


@settings(deadline=None)
@given(DAYS, st.integers(-120, 120))
def test_months_keep_their_day_or_take_the_months_last(day: date, months: int) -> None:
    moved = add_months(day, months)

    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 11, 23), "令和8年11月23日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1912, 7, 29), "明治45年7月29日"),
        (date(1873, 1, 1), "明治6年1月1日"),
        (date(1872, 12, 31), "1872年12月31日"),
    ],
)
def test_eras_change_on_their_day(day: date, text: str) -> None:
    assert era_text(day) == text


@settings(deadline=None)
@given(st.dates(date(1926, 12, 25), date(2090, 12, 31)))
def test_what_is_written_in_an_era_is_read_back(day: date) -> None:
    assert read_date(era_text(day)) == day


def test_days_are_written_as_people_read_them() -> None:
    assert day_text(date(2027, 9, 30), "ja", weekday=True) == "2027年9月30日（木）"
    assert day_text(date(2027, 9, 30), "en", weekday=True) == "30 September 2027 (Thu)"
