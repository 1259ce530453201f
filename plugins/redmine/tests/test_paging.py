"""Listings of several pages: nothing is left out while people go on working."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.redmine.tests.desk import ENGLISH

from ticssync.plugin import Unavailable
from ticssync_redmine import paging
from ticssync_redmine.client import Answer


class Project:
    """Issues by number; `old` passes over the filter by number.  Between two pages issues may vanish or come in."""

    def __init__(self, count: int, *, old: bool = False) -> None:
        self.numbers = list(range(1, count + 1))
        self.old = old
        self.between: dict[int, list[int]] = {}
        self.asked: list[Mapping[str, Any]] = []

    def ask(self, params: Mapping[str, Any]) -> Answer:
        self.asked.append(params)
        least = 0 if self.old else int(str(params.get("issue_id", ">=0")).removeprefix(">="))
        found = [number for number in self.numbers if number >= least]
        start = int(params.get("offset", 0))
        page = found[start : start + int(params["limit"])]
        answer = Answer(200, {"issues": [{"id": one} for one in page], "total_count": len(found)})
        for number in self.between.get(len(self.asked), ()):
            self.numbers = (
                [one for one in self.numbers if one != number]
                if number in self.numbers
                else sorted([*self.numbers, number])
            )
        return answer

    def read(self) -> list[tuple[list[int], bool, bool]]:
        return [
            ([issue["id"] for issue in issues], last, first)
            for issues, last, first in paging.by_id(self.ask, {"status_id": "*"}, "factory", ENGLISH)
        ]


@given(st.integers(0, 450), st.booleans())
def test_every_issue_comes_once(count: int, old: bool):
    """In the order of their numbers, by number or by offset; only the last page says that it is."""
    pages = Project(count, old=old).read()

    assert [one for page, _, _ in pages for one in page] == list(range(1, count + 1))
    assert [last for _, last, _ in pages] == [False] * (len(pages) - 1) + [True]
    assert [first for _, _, first in pages] == [True] + [False] * (len(pages) - 1)


def test_a_new_redmine_is_asked_by_number_alone():
    project = Project(250)

    project.read()

    assert [one.get("issue_id") for one in project.asked] == [None, ">=101", ">=201"]
    assert not any("offset" in one for one in project.asked)


def test_an_issue_that_vanishes_between_pages_takes_no_other_with_it():
    """By number: what is left is all there."""
    project = Project(250)
    project.between = {1: [5], 2: [50, 150]}

    seen = [one for page, _, _ in project.read() for one in page]

    assert set(project.numbers) <= set(seen)


@given(st.dictionaries(st.integers(1, 5), st.lists(st.integers(1, 500), min_size=1, max_size=2)))
def test_an_old_redmine_either_shows_all_or_says_so(between: dict[int, list[int]]):
    """By offset, whatever vanishes or comes in: an issue that was there all the time is never left out unnoticed."""
    project = Project(350, old=True)
    always = set(project.numbers)
    project.between = between
    try:
        seen = {one for page, _, _ in project.read() for one in page}
    except Unavailable:
        return

    always &= set(project.numbers) - {number for some in between.values() for number in some}
    assert always <= seen


def test_what_changed_while_an_old_redmine_was_read_is_told():
    """The message says that it was read too unsteadily, why, and what happens next."""
    project = Project(350, old=True)
    project.between = {2: [5]}

    with pytest.raises(Unavailable, match=r"older than 5\.0.*read again from the start"):
        project.read()


def test_an_answer_that_is_no_list():
    with pytest.raises(Unavailable, match="does not answer a list of issues"):
        list(paging.by_id(lambda _: Answer(200, {"total_count": 3}), {}, "factory", ENGLISH))
