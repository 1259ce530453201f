"""The company's days: what is a working day, adding months and years, Japanese eras.

Nothing here knows today: every day is handed in.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

ONE_DAY: Final = timedelta(days=1)
LONGEST_SHUTDOWN: Final = 60
"""Days.  A calendar with a longer run of free days is a mistake in it: then days are left where they are."""

ERAS: Final = (
    ("令和", date(2019, 5, 1)),
    ("平成", date(1989, 1, 8)),
    ("昭和", date(1926, 12, 25)),
    ("大正", date(1912, 7, 30)),
    ("明治", date(1873, 1, 1)),
)
"""First days, newest first.  明治 from 1873, when Japan took the Gregorian calendar (that was 明治6年)."""

_WEEKDAYS: Final = "月火水木金土日"
# Not calendar.month_name: that follows the machine's locale.
_DAY_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SATURDAY: Final = 5


@lru_cache(maxsize=8192)
def japanese_holiday(day: date) -> bool:
    """Whether `day` is a national holiday of Japan (jpholiday).  Equinoxes of later years are forecasts."""
    import jpholiday

    return bool(jpholiday.is_holiday(day))


def no_holiday(_day: date) -> bool:
    """`holidays: none`: only weekends and the company's own days are free."""
    return False


@dataclass(frozen=True, slots=True)
class CompanyCalendar:
    """When the company works.

    `company_holidays` are free besides weekends and public holidays (factory shutdown, Golden Week, Obon);
    `working_days` are worked in spite of all of these.  `fiscal_year_start` is a month, 1 to 12.
    """

    company_holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()
    fiscal_year_start: int = 4
    is_public_holiday: Callable[[date], bool] = japanese_holiday

    def is_working_day(self, day: date) -> bool:
        """Whether people are at work on that day."""
        if day in self.working_days:
            return True
        if day.weekday() >= _SATURDAY or day in self.company_holidays:
            return False
        return not self.is_public_holiday(day)

    def working_day_before(self, day: date) -> date:
        """The same day where it is worked, else the last working day before it."""
        return self._nearest(day, -1)

    def working_day_after(self, day: date) -> date:
        """The same day where it is worked, else the first working day after it."""
        return self._nearest(day, 1)

    def _nearest(self, day: date, direction: int) -> date:
        for distance in range(LONGEST_SHUTDOWN + 1):
            candidate = day + direction * distance * ONE_DAY
            if self.is_working_day(candidate):
                return candidate
        return day

    def fiscal_year(self, day: date) -> int:
        """The year (年度) that the day belongs to, named after the calendar year in which it starts."""
        return day.year if day.month >= self.fiscal_year_start else day.year - 1


def add_months(day: date, months: int) -> date:
    """That many months later (or earlier); a day that the month does not have becomes its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def add_years(day: date, years: int) -> date:
    """As `add_months`: 2024-02-29 and three years is 2027-02-28."""
    return add_months(day, 12 * years)


def era_year(day: date) -> tuple[str, int] | None:
    """Era and year in it, ("令和", 8); None before 1873."""
    for name, first in ERAS:
        if day >= first:
            return name, day.year - first.year + (6 if name == "明治" else 1)
    return None


def era_text(day: date) -> str:
    """令和8年11月23日, 令和元年5月1日; before 1873 the western year."""
    found = era_year(day)
    year = f"{found[0]}{'元' if found[1] == 1 else found[1]}年" if found else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日"


def day_text(day: date, lang: str, *, weekday: bool = False) -> str:
    """A day as people read it: 2027年9月30日（木） or 30 September 2027 (Thu)."""
    if lang == "en":
        text = f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"
        return f"{text} ({_DAY_NAMES[day.weekday()]})" if weekday else text
    text = f"{day.year}年{day.month}月{day.day}日"
    return f"{text}（{_WEEKDAYS[day.weekday()]}）" if weekday else text
