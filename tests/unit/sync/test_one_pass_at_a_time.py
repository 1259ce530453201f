"""A pass that only reads, and one in which a driver fails: what they leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.unit.sync.world import World, outgoing
from ticssync.model.task import RemoteTask
from ticssync.plugin import Page
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker


class Faulty(FakeTracker):
    """A plugin with a bug."""

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        raise KeyError("canary-token")


@pytest.mark.parametrize("ways", [full, strong, index])
def test_a_pass_that_only_reads_takes_in_and_writes_nothing(ways: Callable[[], Behaviour]) -> None:
    world = World(behaviours={"a": ways()})
    world.settle()
    world.clock.advance(120)
    world.titles["T-01"] = "新しい題名"
    world.items = (*world.items, "T-04")
    world.person("T-02", 状態="対応中")
    world.clock.advance(120)

    reports = world.sync(read_only=True)

    assert outgoing(reports) == []
    assert world.hub("T-02")["status"] == "doing"
    assert (world.issue("T-01").fields["件名"], world.issues("T-04")) == ("T-01 項目", [])

    world.settle(wait=60)

    assert (world.issue("T-01").fields["件名"], len(world.issues("T-04"))) == ("新しい題名", 1)


def test_a_bug_in_one_driver_stops_no_other_tracker_and_tells_no_secret() -> None:
    """What stands in the error may be a token: only its kind is told."""
    world = World(behaviours={"a": strong(), "b": strong()}, drivers={"a": Faulty})

    reports = world.sync()

    assert reports["a"].state == "unavailable"
    assert "KeyError" in str(reports["a"].message)
    assert "canary" not in str(reports["a"].plain())
    assert (reports["b"].state, len(world.server("b").issues())) == ("ok", 3)
