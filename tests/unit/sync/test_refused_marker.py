"""A marker that the tracker does not take is told once and asked for again only when a person says so."""

from __future__ import annotations

from tests.unit.sync.world import World, outgoing
from ticssync.testing.behaviour import MARKER
from ticssync.testing.fake_site import strong
from ticssync.testing.opening import TABLE

PLACE = TABLE.marker_place or MARKER


def world_whose_marker_was_taken_away() -> World:
    world = World(items=("T-01",), behaviours={"a": strong()})
    world.settle(wait=1)
    world.clock.advance(120)
    world.servers["a"].behaviour.refuses.add(PLACE)
    world.server().person_sets(world.issue().id, {PLACE: None})
    world.clock.advance(120)
    return world


def test_a_marker_that_is_refused_is_told_once_and_not_written_in_every_pass() -> None:
    world = world_whose_marker_was_taken_away()
    first = world.sync()["a"]
    world.person("T-01", 状態="対応中")
    world.clock.advance(120)
    later = world.sync()

    assert [one["field"] for one in first.refusals] == ["marker"]
    assert outgoing(later) == []
    assert world.kinds().count("refusal.opened") == 1
    assert [one["field"] for one in later["a"].refusals] == ["marker"]


def test_it_is_written_when_a_person_asks_again_and_the_refusal_is_closed() -> None:
    world = world_whose_marker_was_taken_away()
    world.sync()
    world.servers["a"].behaviour.refuses.clear()
    world.person("T-01", 状態="対応中")
    world.clock.advance(120)
    world.sync(retry_refused=True)

    assert world.issue().fields[PLACE]
    assert world.refusals() == []


def test_a_marker_that_a_person_puts_back_closes_the_refusal() -> None:
    world = world_whose_marker_was_taken_away()
    world.sync()
    (one,) = world.bound()
    world.server().person_sets(world.issue().id, {PLACE: f"{one.key}"})
    with world.store.read() as tx:
        marker = next(event.data["wanted"] for event in tx.events(kind="refusal.opened"))
    world.server().person_sets(world.issue().id, {PLACE: marker})
    world.clock.advance(120)
    world.sync()

    assert world.refusals() == []
