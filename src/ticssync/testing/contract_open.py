"""The tracker contract: opening, knowing who we are, trouble, and what is never done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from ticssync.plugin import (
    AuthLost,
    Change,
    Finding,
    Level,
    NotSupported,
    PreSend,
    RemoteRef,
    Throttled,
    Unavailable,
    Unsafe,
)
from ticssync.testing.bench import Bench, possible


class OpenLaws:
    """Opening, identity, trouble."""

    def test_whoami_names_us_or_is_not_supported(self, bench: Bench) -> None:
        """Where the tracker knows accounts, whoami answers an id and never an empty one."""
        who = possible(bench.tracker.whoami)

        assert who.id.strip()

    def test_a_lost_login_is_auth_lost(self, bench: Bench) -> None:
        """An anonymous visitor is told as AuthLost, never answered as somebody."""
        possible(bench.tracker.whoami)

        with bench.trouble("login"), pytest.raises(AuthLost):
            bench.tracker.whoami()

    def test_check_answers_findings(self, bench: Bench) -> None:
        """What doctor shows has an id, a level and words."""
        findings = possible(bench.tracker.check)

        assert all(isinstance(one, Finding) and isinstance(one.level, Level) for one in findings)
        assert all(one.id and one.message for one in findings)

    def test_the_schema_names_every_field_once(self, bench: Bench) -> None:
        """The live tracker's fields and statuses have ids, and no id stands twice."""
        schema = possible(bench.tracker.schema)
        ids = [one.id for one in schema.fields]

        assert len(ids) == len(set(ids))
        assert all(ids)
        assert schema.closed_statuses <= set(schema.statuses)

    def test_a_title_and_a_status_have_a_place(self, bench: Bench) -> None:
        """The least that a task is: a title, and a status where the tracker says that it has any."""
        assert bench.tracker.holds("title")
        assert bench.tracker.holds("status") or not bench.tracker.caps.statuses
        assert not bench.tracker.holds("no-such-field")

    def test_a_closed_driver_can_be_opened_again_and_sees_the_same(self, bench: Bench) -> None:
        """What was written lives in the tracker, not in the driver."""
        ref = bench.create(bench.full_draft())[0]
        before = bench.read(ref)

        bench.reopen()

        after = bench.read(ref)
        assert (after.ref, after.marker, dict(after.fields)) == (
            before.ref,
            before.marker,
            dict(before.fields),
        )

    def test_requests_are_counted(self, bench: Bench) -> None:
        """Every create and every look shows in `requests`."""
        start = bench.tracker.requests
        ref = bench.made()
        made = bench.tracker.requests
        bench.read(ref)

        assert made > start
        assert bench.tracker.requests >= made

    def test_no_call_sleeps(self, bench: Bench) -> None:
        """A driver never waits: who waits holds up every other tracker."""
        ref = bench.made()

        with _sleeps() as slept:
            _every_verb(bench, ref, _through)
        assert slept == []

    def test_nothing_asked_writes_nothing(self, bench: Bench) -> None:
        """A write of nothing leaves every task as it is, version and time of change too."""
        ref = bench.made()
        before = bench.read(ref)

        assert bench.tracker.write((), ()) == ([], [])
        after = bench.read(ref)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)

    def test_reading_writes_nothing(self, bench: Bench) -> None:
        """However often a task is looked at, it does not change by that."""
        ref = bench.made()
        bench.settle()
        before = bench.read(ref)

        _every_reading_verb(bench, ref, _through)
        after = bench.read(ref)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)

    @pytest.mark.parametrize("name", ["down", "login", "busy", "garbage"])
    def test_only_the_errors_of_the_door_get_out(self, bench: Bench, name: str) -> None:
        """Whatever happens, only AuthLost, Throttled, Unavailable and Unsafe leave the driver."""
        ref = bench.made()
        raised: list[Exception] = []

        def catching(verb: str, call: Callable[[], object]) -> None:
            try:
                _through(verb, call)
            except (AuthLost, Throttled, Unavailable, Unsafe) as error:
                raised.append(error)
            except Exception as error:  # noqa: BLE001 - the point of this test
                pytest.fail(f"{verb} let out {error!r} while the tracker was in the trouble “{name}”")

        with bench.trouble(name):
            _every_verb(bench, ref, catching)
        assert all(str(one).strip() for one in raised), "an error without words"
        assert all(one.until.tzinfo is not None for one in raised if isinstance(one, Throttled))

    def test_a_tracker_that_is_down_is_unavailable(self, bench: Bench) -> None:
        """A look at a tracker that does not answer ends in Unavailable, not in an empty list."""
        with bench.trouble("down"), pytest.raises(Unavailable):
            bench.listed()

    def test_a_busy_tracker_says_until_when(self, bench: Bench) -> None:
        """Being asked to wait is told with the moment, and nothing is asked again before."""
        with bench.trouble("busy"), pytest.raises((Throttled, Unavailable)):
            bench.listed()

    def test_garbage_is_no_empty_project(self, bench: Bench) -> None:
        """A page of HTML with status 200 never reads as a listing without tasks."""
        bench.made()
        bench.settle()

        with bench.trouble("garbage"), pytest.raises((AuthLost, Throttled, Unavailable, Unsafe)):
            bench.listed()

    def test_after_trouble_everything_is_as_before(self, bench: Bench) -> None:
        """A driver that saw an outage works on when it is over."""
        ref = bench.made()
        with bench.trouble("down"), pytest.raises(Unavailable):
            bench.listed()

        assert bench.read(ref).ref == ref


def _through(_verb: str, call: Callable[[], object]) -> None:
    try:
        call()
    except NotSupported:
        return


def _every_verb(bench: Bench, ref: RemoteRef, do: Callable[[str, Callable[[], object]], None]) -> None:
    tracker = bench.tracker
    _every_reading_verb(bench, ref, do)
    do("presend", tracker.presend)
    do("create", lambda: tracker.write([bench.draft()], ()))
    do("update", lambda: tracker.write((), [Change(ref, bench.held({"title": "書き直した題"}))]))


def _every_reading_verb(
    bench: Bench, ref: RemoteRef, do: Callable[[str, Callable[[], object]], None]
) -> None:
    tracker, marker = bench.tracker, bench.draft().marker
    do("whoami", tracker.whoami)
    do("check", tracker.check)
    do("schema", tracker.schema)
    do("list_changed", lambda: list(tracker.list_changed(None)))
    do("sweep", lambda: list(tracker.sweep()))
    do("fetch", lambda: tracker.fetch([ref]))
    do("find_by_marker", lambda: tracker.find_by_marker([marker], PreSend()))
    do("next_statuses", lambda: tracker.next_statuses([ref]))
    do("comments", lambda: tracker.comments([ref]))
    do("notices", tracker.notices)
    do("repairs", tracker.repairs)
    do("resolve", lambda: tracker.resolve(ref.id))
    do("search", lambda: list(tracker.search("no such words")))
    do("credential_expiry", tracker.credential_expiry)
    do("artifacts", tracker.artifacts)


@contextmanager
def _sleeps() -> Iterator[list[float]]:
    slept: list[float] = []
    with mock.patch.object(time, "sleep", slept.append):
        yield slept
