"""A pass in which nothing happened costs one listing and decides nothing; whatever happened ends the quiet."""

from __future__ import annotations

import pytest

from tests.unit.sync.world import World, key
from ticssync.store import By
from ticssync.store.hub import Wish, put_wish
from ticssync.sync import cycle
from ticssync.sync.state import Known
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.wire import Listing

BY = By("test@host")


@pytest.fixture
def world() -> World:
    world = World(behaviours={"a": Behaviour(listing=Listing.STRONG)})
    settle(world)
    return world


def settle(world: World) -> None:
    for _ in range(4):
        world.sync()
        world.clock.advance(60)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Known]:
    """Each time the engine decides in full."""
    seen: list[Known] = []
    real = cycle.decide

    def watched(*args):
        seen.append(args[1])
        return real(*args)

    monkeypatch.setattr(cycle, "decide", watched)
    return seen


def test_a_pass_without_news_decides_nothing_and_reports_the_same(world: World, decided: list[Known]) -> None:
    before = world.sync()["a"].plain()
    assert decided == []
    assert (before["state"], before["unchanged"], before["actions"]) == ("ok", 3, [])
    assert before["requests"] == 1


def test_a_persons_change_is_taken_in_by_the_next_pass(world: World, decided: list[Known]) -> None:
    world.person("T-01", 状態="対応中")
    report = world.sync()["a"]
    assert report.count("update", "in") == 1
    assert len(decided) == 1


def test_other_inputs_end_the_quiet(world: World, decided: list[Known]) -> None:
    world.titles["T-02"] = "別の題"
    assert world.sync()["a"].count("update") == 1
    assert decided


def test_a_persons_act_in_the_store_ends_the_quiet(world: World, decided: list[Known]) -> None:
    with world.store.write() as tx:
        put_wish(tx, key("T-01"), "status", Wish("doing", "2026-04-01T00:00:00.000000Z"))
        tx.append("act.tried", "tics/T-01", BY, {})
    assert world.sync()["a"].count("update") == 1


def test_a_full_look_once_a_day_is_never_left_out(world: World, decided: list[Known]) -> None:
    world.clock.advance(25 * 3600)
    world.sync()
    assert decided


def test_an_outage_in_a_quiet_time_is_told_and_asked_once(world: World) -> None:
    server = world.servers["a"]
    server.behaviour.down = True
    before = server.request_count
    report = world.sync()["a"]
    server.behaviour.down = False
    assert report.state == "unavailable"
    assert server.request_count - before <= 1


def test_what_nobody_has_settled_keeps_the_passes_full(world: World, decided: list[Known]) -> None:
    with world.store.write() as tx:
        values = {"a": "doing", "ticssync": "todo"}
        payload = {
            "id": "C-0001",
            "field": "status",
            "owner": "merge",
            "base": None,
            "values": values,
            "taken": "todo",
        }
        tx.append("conflict.opened", "tics/T-01", BY, payload)
    world.sync()
    decided.clear()
    assert world.sync()["a"].conflicts
    assert decided
