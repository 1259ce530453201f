"""Directly before each send the lease is asked for: whoever lost it meanwhile sends nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.sync.world import World, key
from ticssync.store import By
from ticssync.store.hub import Wish, put_wish
from ticssync.store.lease import LeaseLostError, lost
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, run
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong


def pass_of(world: World, guard: Callable[[], None]) -> None:
    hands = Hands(world.store, By("test@host", "sync"), 1, guard, lambda _name, _actions: None)
    run(Pass(world.sites(), world.wants(), world.display, hands, Order(), world.clock().date(), world.clock))


def gone() -> None:
    raise lost(None)


@pytest.mark.parametrize("ways", [full, strong, index])
def test_a_process_that_lost_the_lease_while_it_looked_makes_nothing(ways: Callable[[], Behaviour]) -> None:
    """It was frozen for an hour: another one has made the tasks since."""
    world = World(behaviours={"a": ways()})

    with pytest.raises(LeaseLostError):
        pass_of(world, gone)

    assert world.server().issues() == []


@pytest.mark.parametrize("ways", [full, strong, index])
def test_nor_does_it_change_anything(ways: Callable[[], Behaviour]) -> None:
    world = World(behaviours={"a": ways()})
    world.settle()
    world.clock.advance(120)
    with world.store.write() as tx:
        put_wish(tx, key("T-01"), "status", Wish("doing", "2026-04-01T09:00:00.000000Z"))

    with pytest.raises(LeaseLostError):
        pass_of(world, gone)

    assert world.issue("T-01").fields["状態"] == "未着手"


def test_it_is_asked_for_before_each_batch() -> None:
    """Three tasks, one a request: a lease that is lost after the first stops the others."""
    world = World(behaviours={"a": strong()})
    asked = []

    def second_time() -> None:
        asked.append(len(world.server().issues()))
        if len(asked) == 2:
            gone()

    with pytest.raises(LeaseLostError):
        pass_of(world, second_time)

    assert asked == [0, 1]
    assert len(world.server().issues()) == 1
