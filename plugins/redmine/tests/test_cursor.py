"""Where a listing goes on: nothing that is saved at about the same time as something else may lie behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from plugins.redmine.tests.desk import URL, issue, payload, tracker

from ticssync.plugin import instant_text, parse_instant
from ticssync.testing.clock import START, Clock
from ticssync.testing.opening import FakeMemory

LIST, ME = f"{URL}/projects/tics/issues.json", f"{URL}/users/current.json"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        mocked.get(ME, json=payload("5.0.4-me"))
        yield mocked


class Desk:
    """One Redmine, asked again and again with the cursor of the time before."""

    def __init__(self, web: responses.RequestsMock) -> None:
        self.web, self.memory, self.clock, self.cursor = web, FakeMemory(), Clock(), None

    def look(self, *moments: datetime) -> str:
        """List issues that were changed at these moments; since when was asked ("" = everything)."""
        issues = [self.one(number, at) for number, at in enumerate(moments, start=1)]
        self.web.upsert("GET", LIST, json={"issues": issues, "total_count": len(issues)})
        before = len(self.web.calls)
        for page in tracker(memory=self.memory, clock=self.clock).list_changed(self.cursor):
            self.cursor = page.cursor
        asked = [
            call.request.url for call in list(self.web.calls)[before:] if call.request.url.startswith(LIST)
        ]
        return parse_qs(urlsplit(asked[0]).query).get("updated_on", [""])[0].removeprefix(">=")

    @staticmethod
    def one(number: int, at: datetime) -> dict[str, Any]:
        return issue(id=number, updated_on=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def test_what_is_committed_seconds_after_a_newer_one_is_asked_for_again(web: responses.RequestsMock) -> None:
    """Redmine stamps an issue when it begins to save it, and others see it when it is done."""
    desk = Desk(web)
    newest = START - timedelta(minutes=1)
    desk.look(newest)

    since = datetime.fromisoformat(desk.look(newest))

    assert newest - since >= timedelta(seconds=10)


def test_a_quiet_project_is_asked_for_no_issue_again(web: responses.RequestsMock) -> None:
    """Once nothing new has shown for a while, everything before it is certainly there."""
    desk = Desk(web)
    newest = START - timedelta(minutes=1)
    for _ in range(2):
        desk.look(newest)
        desk.clock.advance(60)

    assert datetime.fromisoformat(desk.look()) > newest


def test_a_cursor_from_a_clock_that_ran_ahead_is_given_up(web: responses.RequestsMock) -> None:
    """It would hide every change until that day has come."""
    desk = Desk(web)
    desk.cursor = instant_text(desk.clock() + timedelta(days=400))

    assert desk.look(START - timedelta(minutes=1)) == ""
    assert parse_instant(desk.cursor) < START


def test_only_our_own_project_is_listed(web: responses.RequestsMock) -> None:
    desk = Desk(web)
    desk.look(START)
    desk.look(START)

    asked = {urlsplit(call.request.url).path for call in web.calls}
    assert asked == {"/projects/tics/issues.json", "/users/current.json"}
