"""Passes over make-believe trackers that are broken at every point, and what must hold when all is quiet again.

A story begins with a world as it stands before the pass; the same world is taken again for each point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from tests.faults.deaths import Death, Points
from tests.faults.table import PASSES, SLACK, Harm
from tests.unit.sync.world import World, key, outgoing
from ticssync.model.binding import BindingState
from ticssync.model.canonical import instant_text, parse_instant
from ticssync.model.task import FieldValue
from ticssync.store.hub import Wish, put_wish
from ticssync.store.working import not_before
from ticssync.sync.actions import TrackerReport
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.opening import FEW_STATUSES
from ticssync.testing.wire import AnswerLost, Busy, Garbled, NotSent, Unauthorized

ITEMS: Final = ("T-01", "T-02", "T-03", "T-04", "T-05")
NEAREST: Final[Mapping[str, str]] = {"review": "doing", "wont_do": "done"}
MAKERS: Final[Mapping[str, Mapping[str, Callable[[], Behaviour]]]] = {
    "fake, workbook-like": {"a": full},
    "fake, redmine-like": {"a": strong},
    "fake, jira-like, index 0 s behind": {"a": lambda: index(index_lag_s=0.0)},
    "fake, jira-like, index 5 s behind": {"a": lambda: index(index_lag_s=5.0)},
    "fake, jira-like, index 10 min behind": {"a": lambda: index(index_lag_s=600.0)},
    "fake, raises where it could answer": {"a": lambda: strong(loses_answers_as_outage=True)},
    "fake, redmine-like & workbook-like": {"a": strong, "b": full},
    "fake, workbook-like & jira-like": {"a": full, "b": lambda: index(nearest=NEAREST)},
}
"""The sets of trackers, main first."""
FEW: Final = "fake, workbook-like & jira-like"
"""Its mirror knows three statuses of five."""
IN_SHORT: Final = (
    "fake, workbook-like", "fake, redmine-like", "fake, jira-like, index 5 s behind", "fake, redmine-like & workbook-like",
)  # fmt: skip
"""What `make test` breaks a part of."""


def new_world(driver: str) -> World:
    """Nothing has happened in it yet."""
    made = {name: make() for name, make in MAKERS[driver].items()}
    return World(items=ITEMS, behaviours=made, tables={"b": FEW_STATUSES} if driver == FEW else {})


def wait_of(world: World) -> float:
    """Seconds between two passes after which a lagging index shows what the first one did."""
    return max(130.0, *(server.behaviour.index_lag_s + 70 for server in world.servers.values()))


# ── the stories ───────────────────────────────────────────────────────────────────────────────────────

Edit = tuple[str, str, str, FieldValue]
"""Item, tracker, place there, what must stand there in the end."""


@dataclass
class Story:
    """`before` is the world that the pass begins with; `edits` what must stand in the end, nothing of it lost;
    `hub` the same by item and field.  `recorded`: values of which each must at least stand in a conflict.
    `whole`: the requests of the pass without a fault, by tracker."""

    before: World
    edits: list[Edit]
    hub: dict[tuple[str, str], FieldValue] = field(default_factory=dict)
    recorded: dict[str, set[FieldValue]] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    points: int = 0

    def __post_init__(self) -> None:
        world = self.before.fork()
        counted = Requests(world)
        points = Points()
        watch(world, points)
        world.sync()
        self.whole, self.points = counted.since(), points.seen
        passes, harm = self.repaired(world)
        assert passes <= PASSES, passes
        assert harm.none, harm

    def repaired(self, world: World, asked: Mapping[str, int] | None = None) -> tuple[int, Harm]:
        """Passes until one writes nothing (at most one more than are allowed), and what is wrong then.  `asked`:
        the requests of the broken pass."""
        watch(world, lambda _point: None)
        over, storms = self._beyond(asked or {}), world_waits(world)
        needed = PASSES + 1
        for passes in range(PASSES + 1):
            world.clock.advance(wait_of(world))
            counted = Requests(world)
            reports = world.sync()
            over.append(max(self._beyond(counted.since()), default=0))
            if quiet(reports):
                needed = passes
                break
        storms += sum(one > SLACK for one in over)
        return needed, Harm(
            doubles(world), self._lost(world), false_tombs(world), storms, max(over, default=0)
        )

    def _beyond(self, asked: Mapping[str, int]) -> list[int]:
        return [max(0, number - self.whole[name]) for name, number in asked.items()]

    def _lost(self, world: World) -> int:
        shown = [
            [one.fields[place] for one in world.issues(item, name)] == [value]
            for item, name, place, value in self.edits
        ]
        here = [world.hub(item).get(name) == value for (item, name), value in self.hub.items()]
        told: dict[str, set[FieldValue]] = {}
        for one in world.conflicts():
            told.setdefault(one.key.item, set()).update(one.values.values())
        kept = [values <= told.get(item, set()) for item, values in self.recorded.items()]
        return sum(not one for one in (*shown, *here, *kept))


def first_sync(driver: str) -> Story:
    """Nothing stands there yet."""
    world = new_world(driver)
    made: list[Edit] = [(item, name, "件名", f"{item} 項目") for item in ITEMS for name in world.servers]
    return Story(world, made, {(item, "status"): "todo" for item in ITEMS})


def settled(driver: str) -> World:
    world = new_world(driver)
    world.settle(wait=wait_of(world))
    world.clock.advance(wait_of(world))
    return world


def changed(world: World) -> tuple[list[Edit], dict[tuple[str, str], FieldValue]]:
    """Everybody has done something: people there, a person here, and we."""
    last = list(world.servers)[-1]
    world.person("T-02", "a", 状態="完了")
    world.person("T-03", last, 優先度="高")
    world.person("T-05", "a", 件名="勝手な題名 ㊙")
    world.titles["T-01"] = "新しい題名"
    with world.store.write() as tx:
        put_wish(tx, key("T-04"), "status", Wish("doing", instant_text(tx.now)))
    world.clock.advance(wait_of(world))
    edits: list[Edit] = [
        edit
        for name in world.servers
        for edit in (
            ("T-01", name, "件名", "新しい題名"), ("T-02", name, "状態", "完了"), ("T-03", name, "優先度", "高"),
            ("T-04", name, "状態", "対応中"), ("T-05", name, "件名", "T-05 項目"),
        )
    ]  # fmt: skip
    return edits, {("T-02", "status"): "done", ("T-03", "priority"): "高", ("T-04", "status"): "doing"}


def later_pass(driver: str) -> Story:
    """A status, a priority and a title of people, a new title of ours, a decision of the office."""
    world = settled(driver)
    edits, hub = changed(world)
    return Story(world, edits, hub)


def both_sides(driver: str) -> Story:
    """Mirrored: different fields of one task, the same field with two values, and with one, in one interval."""
    world = settled(driver)
    world.person("T-01", "a", 状態="対応中")
    world.person("T-01", "b", 優先度="高")
    world.person("T-02", "b", 状態="対応中")
    world.person("T-02", "a", 状態="完了")
    world.person("T-03", "a", 状態="対応中")
    world.person("T-03", "b", 状態="対応中")
    world.person("T-04", "a", 状態="確認待ち")
    world.clock.advance(wait_of(world))
    words = {"T-01": "対応中", "T-02": "完了", "T-03": "対応中"}
    edits: list[Edit] = [(item, name, "状態", word) for item, word in words.items() for name in "ab"]
    edits += [("T-01", name, "優先度", "高") for name in "ab"]
    edits += [
        ("T-04", "a", "状態", "確認待ち"),
        ("T-04", "b", "状態", "対応中" if driver == FEW else "確認待ち"),
    ]
    hub: dict[tuple[str, str], FieldValue] = {
        ("T-01", "status"): "doing", ("T-01", "priority"): "高", ("T-02", "status"): "done",
        ("T-03", "status"): "doing", ("T-04", "status"): "review",
    }  # fmt: skip
    return Story(world, edits, hub, {"T-02": {"done", "doing"}})


def old_backup(driver: str) -> Story:
    """The store of yesterday is put back: a task was made since, people's edits were taken in since, and one was not."""
    world = new_world(driver)
    world.items = ITEMS[:-1]
    world.settle(wait=wait_of(world))
    world.clock.advance(wait_of(world))
    kept = world.kept_store()
    world.items = ITEMS
    world.settle(wait=wait_of(world))
    world.clock.advance(wait_of(world))
    edits, hub = changed(world)
    world.settle(wait=wait_of(world))
    world.person("T-03", "a", 状態="対応中")
    world.clock.advance(wait_of(world))
    world.put_store_back(kept)
    edits += [("T-03", name, "状態", "対応中") for name in world.servers] + more(world)
    return Story(world, edits, {**hub, ("T-03", "status"): "doing"})


def empty_store(driver: str) -> Story:
    """The store is lost, and a new one stands over trackers that hold all our tasks."""
    world = settled(driver)
    edits, hub = changed(world)
    world.settle(wait=wait_of(world))
    world.clock.advance(wait_of(world))
    world.put_store_back(None)
    return Story(world, edits + more(world), hub)


def more(world: World) -> list[Edit]:
    """What we have to write besides: a task that was never made, and a new title."""
    world.items = (*ITEMS, "T-06")
    world.titles["T-02"] = "別の題名"
    return [
        edit
        for name in world.servers
        for edit in (("T-06", name, "件名", "T-06 項目"), ("T-02", name, "件名", "別の題名"))
    ]


STORIES: Final[dict[str, Callable[[str], Story]]] = {
    "first sync": first_sync, "later pass": later_pass, "old backup put back": old_backup, "store lost": empty_store,
}  # fmt: skip


# ── what is done to a pass ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens at a request: before it is carried out, or after."""

    moment: str
    act: Callable[[World, FakeServer], None]


def _raises(make: Callable[[FakeServer], Exception]) -> Callable[[World, FakeServer], None]:
    def act(_world: World, server: FakeServer) -> None:
        raise make(server)

    return act


def _busy(seconds: float) -> Kind:
    return Kind("before", _raises(lambda server: Busy(server.now() + timedelta(seconds=seconds))))


def _slow(world: World, _server: FakeServer) -> None:
    world.clock.advance(600)


NETWORK: Final[dict[str, Kind]] = {
    "not sent": Kind("before", _raises(lambda _server: NotSent("no connection"))),
    "answer lost": Kind("after", _raises(lambda _server: AnswerLost("connection reset"))),
    "HTML with 200": Kind("before", _raises(lambda _server: Garbled("<html>"))),
    "HTML with 200, carried out": Kind("after", _raises(lambda _server: Garbled("<html>"))),
    "login gone": Kind("before", _raises(lambda _server: Unauthorized("401"))),
    "429, 0 s": _busy(0),
    "429, 60 s": _busy(60),
    "429, an hour": _busy(3600),
    "answer after 10 min": Kind("after", _slow),
}
"""As a driver sees them: 502 and 503 are "not sent" or "answer lost", a body that is cut is HTML that was carried out,
a page that sends to the login is a login that is gone.  The drivers of real trackers meet the real ones."""


class Broken:
    """Lets the request with this number (from 1) go wrong, once, and counts requests."""

    def __init__(self, world: World, name: str, at: int, kind: Kind) -> None:
        self.world, self.server, self.kind, self.left = world, world.servers[name], kind, at
        self.done = False

    def __call__(self, point: str) -> None:
        moment, _, verb = point.partition(" ")
        if verb == "presend":
            return
        self.left -= moment == "before"
        if self.left == 0 and moment == self.kind.moment and not self.done:
            self.done = True
            self.kind.act(self.world, self.server)


class Requests:
    """Counts the requests of each tracker from now on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.before = {name: server.request_count for name, server in world.servers.items()}

    def since(self) -> dict[str, int]:
        return {name: server.request_count - self.before[name] for name, server in self.world.servers.items()}


def dies_at(story: Story, at: int) -> tuple[int, Harm]:
    """The process dies at this point of the pass."""
    world, points = story.before.fork(), Points(at)
    watch(world, points)
    counted = Requests(world)
    with suppress(Death):
        world.sync()
    assert points.dead
    return story.repaired(world, counted.since())


def requests_of(story: Story) -> list[tuple[str, int]]:
    """Each request of the pass: tracker and number."""
    return [(name, number) for name, total in story.whole.items() for number in range(1, total + 1)]


def breaks_at(story: Story, name: str, number: int, kind: Kind) -> tuple[int, Harm]:
    """This request goes wrong."""
    world = story.before.fork()
    broken = Broken(world, name, number, kind)
    world.servers[name].watch = broken
    counted = Requests(world)
    world.sync()
    assert broken.done
    return story.repaired(world, counted.since())


# ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────


def watch(world: World, points: Callable[[str], None]) -> None:
    world.store.watch = points
    for server in world.servers.values():
        server.watch = points


def quiet(reports: Mapping[str, TrackerReport]) -> bool:
    """Nothing was written, nothing waits, and every tracker was read."""
    return not outgoing(reports) and all(one.state == "ok" and not one.waiting for one in reports.values())


def doubles(world: World) -> int:
    """Tasks too many."""
    return sum(max(0, len(world.issues(item, name)) - 1) for item, name in _places(world))


def false_tombs(world: World) -> int:
    """Tasks that are not held for what they are: there."""
    return sum(
        1
        for item, name in _places(world)
        for one in world.bound(item, name)
        if one.state is not BindingState.LIVE
        and one.ref.id in {issue.id for issue in world.issues(item, name)}
    )


def _places(world: World) -> Iterator[tuple[str, str]]:
    return ((item, name) for item in world.items for name in world.servers)


def world_waits(world: World) -> int:
    """Trackers that are asked although they asked for time; afterwards their time is over."""
    with world.store.read() as tx:
        until = {name: not_before(tx, name) for name in world.servers}
    asked = {name: parse_instant(text) for name, text in until.items() if text is not None}
    waiting = {name for name, at in asked.items() if at > world.clock() + timedelta(seconds=1)}
    if not waiting:
        return 0
    world.clock.advance(1)
    counted = Requests(world)
    world.sync()
    storms = sum(counted.since()[name] > 0 for name in waiting)
    world.clock.advance((max(asked.values()) - world.clock()).total_seconds() + 1)
    return storms
