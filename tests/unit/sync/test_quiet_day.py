"""With the company's new day everything is decided anew, however little has happened."""

from __future__ import annotations

import pytest

from tests.unit.sync.world import World
from ticssync.sync import cycle
from ticssync.testing.fake_site import strong

HOUR_S = 3600


def test_the_first_pass_of_a_day_is_never_a_quiet_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What falls due, and what a tracker refused yesterday, is looked at again with each day."""
    world = World(behaviours={"a": strong()})
    world.clock.advance(20 * HOUR_S)
    for _ in range(4):
        world.sync()
        world.clock.advance(60)
    days, real = [], cycle.decide

    def watched(*args):
        days.append(world.clock().date())
        return real(*args)

    monkeypatch.setattr(cycle, "decide", watched)
    before = world.clock().date()
    world.sync()
    assert days == []

    world.clock.advance(5 * HOUR_S)
    world.sync()
    world.sync()

    assert world.clock().date() != before
    assert days[:1] == [world.clock().date()]
