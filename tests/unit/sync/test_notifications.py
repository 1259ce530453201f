"""How many mails a pass may cause, at most: told before it, by what it would send."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.unit.sync.world import World, key
from ticssync.model.canonical import instant_text
from ticssync.plugin import Capabilities
from ticssync.store.hub import Wish, put_wish
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_tracker import FakeTracker

WORKFLOW = {
    "未着手": ("対応中",), "対応中": ("確認待ち", "未着手"), "確認待ち": ("完了", "対応中"), "完了": (), "対象外": (),
}  # fmt: skip


class Mailing(FakeTracker):
    """Each write may send mail."""

    @property
    def caps(self) -> Capabilities:  # type: ignore[override]
        return replace(super().caps, notifies=True)


def world(**behaviour: object) -> World:
    return World(behaviours={"a": Behaviour(**behaviour)}, drivers={"a": Mailing})  # type: ignore[arg-type]


def planned_and_done(here: World, **order: object) -> tuple[int, int, int]:
    """(as planned, as told afterwards, requests that wrote)."""
    planned = here.sync(dry=True, **order)["a"].notifications
    before = here.server().requests["create"] + here.server().requests["update"]
    told = here.sync(**order)["a"].notifications
    return planned, told, here.server().requests["create"] + here.server().requests["update"] - before


def wish(here: World, field: str, value: str) -> None:
    with here.store.write() as tx:
        put_wish(tx, key(), field, Wish(value, instant_text(here.clock() + timedelta(seconds=1))))
    here.clock.advance(2)


def test_each_task_to_make_is_one() -> None:
    assert planned_and_done(world()) == (3, 3, 3)


def test_only_what_is_asked_for_is_counted() -> None:
    assert planned_and_done(world(), only=frozenset({key("T-02")})) == (1, 1, 1)


def test_a_pass_without_work_sends_none() -> None:
    here = world()
    here.settle()

    assert planned_and_done(here) == (0, 0, 0)


def test_reading_only_sends_none() -> None:
    assert planned_and_done(world(), read_only=True) == (0, 0, 0)


def test_several_moves_of_a_status_are_several() -> None:
    """未着手 → 対応中 → 確認待ち → 完了: three requests, each of which may send mail."""
    here = world(workflow=WORKFLOW)
    here.settle()
    wish(here, "status", "done")

    assert planned_and_done(here) == (3, 3, 3)


def test_fields_note_and_marker_ride_in_one() -> None:
    here = world()
    here.settle()
    here.person("T-01", 件名="ちがう題名", 目印="")
    wish(here, "note:x", "差戻し")
    planned = here.sync(dry=True)["a"]

    assert [one.action for one in planned.actions if one.direction == "out"] == [
        "update",
        "comment",
        "marker",
    ]
    assert planned_and_done(here) == (1, 1, 1)


def test_what_a_veto_stopped_sends_none() -> None:
    here = world()
    here.veto = "今日は書きません"

    assert planned_and_done(here) == (0, 0, 0)


def test_a_tracker_that_sends_no_mail_counts_none() -> None:
    assert World().sync(dry=True)["a"].notifications == 0
