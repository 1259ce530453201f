"""A holder on another machine is taken over when its counter has been watched standing still, and only then."""

from __future__ import annotations

import pytest

from ticssync.errors import RetryLaterError
from ticssync.store import Store
from ticssync.store.lease import Holder, acquire, check
from ticssync.testing.clock import Clock

HERE, THERE = Holder("b", "pc-2", 7), Holder("a", "pc-1", 7)


@pytest.fixture
def store() -> Store:
    return Store.memory("company", Clock())


def test_a_machine_that_broke_down_is_taken_over(store: Store) -> None:
    """Its processes cannot be asked for from here: that its counter stands still is all that can be known."""
    first = acquire(store, THERE, alive=lambda _pid: True)
    second = acquire(store, HERE, alive=lambda _pid: True, lapsed=lambda lease: lease.token == first.token)

    assert second.token > first.token
    check(store, second)
    with pytest.raises(RetryLaterError):
        check(store, first)


@pytest.mark.parametrize("alive", [True, False])
def test_a_machine_whose_counter_was_not_watched_is_not(store: Store, *, alive: bool) -> None:
    """Also where a process of the same number does not run here."""
    first = acquire(store, THERE, alive=lambda _pid: True)

    with pytest.raises(RetryLaterError) as refused:
        acquire(store, HERE, alive=lambda _pid: alive)

    assert "pc-1" in str(refused.value.args)
    check(store, first)
