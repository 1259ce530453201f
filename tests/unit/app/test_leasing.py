"""Passes under a lease: what a process that died or was frozen leaves behind, standing by, and copies that are counted."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.unit.app.office import Office, outgoing
from ticssync.app.leasing import LONGEST_REQUEST_S, Pace, leased, take_lease
from ticssync.errors import RetryLaterError
from ticssync.store import lease as leases
from ticssync.store.lease import TTL_S, Holder, LeaseLostError
from ticssync.testing.behaviour import MARKER
from ticssync.testing.wire import Fault

OTHER = Holder("other", "server", 200)


class Died(BaseException):
    """The process is gone."""


def taken_over(office: Office) -> None:
    with office.open() as workspace:
        leases.acquire(workspace.store, OTHER, alive=lambda _pid: True, lapsed=lambda _lease: True)


def at(office: Office, point: str, do: object) -> None:
    """Something happens at the first request that comes to this point."""

    def watch(name: str) -> None:
        if name == point:
            office.server().watch = lambda _name: None
            do()  # type: ignore[operator]

    office.server().watch = watch


def die() -> None:
    raise Died


def test_after_a_pass_that_ended_in_order_only_the_longest_request_is_waited_for(office: Office) -> None:
    """Its sender waits for the answer no more; the tracker may still be at it."""
    office.server().fail_next("create", Fault.NOT_SENT)
    office.sync()
    early = office.sync()
    office.clock.advance(LONGEST_REQUEST_S)
    result = office.sync()

    assert "tics/T-01" in early.reports["a"].waiting and "a:create:T-01" not in outgoing(early)
    assert "a:create:T-01" in outgoing(result) and result.reports["a"].waiting == []
    assert len(office.issues()) == 2


def test_after_a_process_that_died_while_it_was_sending_the_next_one_waits_for_what_may_still_come(
    office: Office,
) -> None:
    at(office, "before create", die)
    with pytest.raises(Died):
        office.sync()

    first = office.sync()
    office.clock.advance(TTL_S + LONGEST_REQUEST_S)
    second = office.sync()

    assert (outgoing(first), first.reports["a"].waiting) == (["a:create:T-02"], ["tics/T-01"])
    assert (outgoing(second), len(office.issues())) == (["a:create:T-01"], 2)


def test_a_process_that_was_frozen_between_two_tasks_of_one_batch_sends_the_second_no_more(
    office: Office,
) -> None:
    office.settle()
    mapping = office.root / "mapping.yaml"
    new = "".join(f'  {item}: {{title: "新しい題名"}}\n' for item in ("T-01", "T-02"))
    mapping.write_text(mapping.read_text("utf-8") + "overrides:\n" + new, "utf-8")
    before = office.server().requests["update"]
    at(office, "after update", lambda: taken_over(office))

    with pytest.raises(LeaseLostError):
        office.sync()

    assert office.server().requests["update"] == before + 1
    assert [one.kind for one in office.events()][-1] != "task.changed"


def test_a_standby_takes_the_lease_once_it_is_given_back(office: Office) -> None:
    with office.open() as workspace:
        theirs = leases.acquire(workspace.store, OTHER, alive=lambda _pid: True)
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            if len(waits) == 3:
                leases.release(workspace.store, theirs)
            return False

        with leased(workspace, Pace(ttl_s=600), wait) as mine:
            assert mine.token == theirs.token + 1
    assert len(waits) == 3


def test_a_standby_that_is_told_to_stop_names_the_holder(office: Office) -> None:
    with office.open() as workspace:
        leases.acquire(workspace.store, OTHER, alive=lambda _pid: True)

        with (
            pytest.raises(RetryLaterError, match="server, process 200"),
            leased(workspace, Pace(), lambda _s: True),
        ):
            pass


def test_a_copy_is_counted_in_status_and_told_by_the_pass_that_finds_it(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    from ticssync.cli.screen import Screen
    from ticssync.cli.status import show

    office.settle()
    before = office.status()["copies"]
    original = office.issues()["T-01"]
    copied = office.server().copy(original.id)
    office.clock.advance(60)
    told = office.sync().reports["a"].notices

    found = office.status()["copies"]
    assert (before, [one["id"] for one in told]) == ([], ["copy"])
    assert found == [{"task": "tics/T-01", "tracker": "a", "key": copied.key, "url": found[0]["url"]}]
    assert office.server().issue(copied.id).fields[MARKER] in ("", None)
    with office.open() as workspace, suppress(SystemExit):
        show(office.status(), "㈱髙﨑精機", Screen(workspace.text), only_open=False)
    assert copied.key in capsys.readouterr().out


def test_a_beat_of_a_clock_that_ran_ahead_does_not_hold_the_lease_for_ever(office: Office) -> None:
    """The holder is gone, and its last beat lies in our future: the counter is watched, as for any silent one."""
    with office.open() as workspace:
        office.clock.advance(86_400)
        leases.acquire(workspace.store, OTHER, alive=lambda _pid: True)
        office.clock.advance(-86_400)
        lease = take_lease(workspace, Pace(ttl_s=0.05))

    assert lease.token == 2
