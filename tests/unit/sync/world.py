"""A small world for the engine: a store, one or several make-believe trackers, a clock, and people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ticssync.model.binding import Binding
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields, FieldValue
from ticssync.plugin import Table
from ticssync.store import By, Store
from ticssync.store.bindings import bindings
from ticssync.store.connection import MEMORY, connect
from ticssync.store.hub import hub_tasks
from ticssync.store.locker import Locker
from ticssync.store.working import conflicts, memory, refusals
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, remember, run
from ticssync.sync.state import HostMemory, Site, Want
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.clock import Clock
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.opening import TABLE, opening
from ticssync.testing.wire import Issue

WORKSPACE = "contract00"
OWNERS = {
    "title": "ticssync", "body": "ticssync", "due": "ticssync", "labels": "ticssync", "number": "ticssync",
    "status": "merge", "assignee": "tracker", "priority": "merge", "start": "merge",
}  # fmt: skip


def key(item: str = "T-01") -> TaskKey:
    return TaskKey("tics", item)


def nothing_to_show(_bindings: tuple[Binding, ...]) -> Callable[[TaskKey, str], Fields]:
    return lambda _key, _lang: {}


@lru_cache(maxsize=1)
def empty_store() -> bytes:
    """A new store: made once, for making its tables takes longer than a pass over three tasks."""
    return store_bytes(Store.memory(WORKSPACE, Clock()))


def store_bytes(store: Store) -> bytes:
    with store.engine.connect() as connection:
        found: bytes = connection.connection.driver_connection.serialize()  # type: ignore[union-attr]
    return found


def store_of(kept: bytes, clock: Clock) -> Store:
    store = Store(connect(MEMORY), WORKSPACE, "memory", clock, salt=lambda: "0" * 32)
    with store.engine.connect() as connection:
        connection.connection.driver_connection.deserialize(kept)  # type: ignore[union-attr]
    return store


@dataclass
class World:
    """`items` should exist; `routes` gives the trackers of each, main first."""

    items: Sequence[str] = ("T-01", "T-02", "T-03")
    behaviours: Mapping[str, Behaviour] = field(default_factory=lambda: {"a": Behaviour()})
    owners: Mapping[str, str] = field(default_factory=lambda: dict(OWNERS))
    tables: Mapping[str, Table] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    drivers: Mapping[str, type[FakeTracker]] = field(default_factory=dict)
    locker: Locker | None = None
    quiet: bool = True

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.servers = {
            name: FakeServer(self.clock, behaviour) for name, behaviour in self.behaviours.items()
        }
        self.store = store_of(empty_store(), self.clock)
        self.veto: str | None = None
        self.display = nothing_to_show

    # -- what backups and accidents do

    def kept_store(self) -> bytes:
        """A backup of the store."""
        return store_bytes(self.store)

    def put_store_back(self, kept: bytes | None) -> None:
        """The store is what it was at a backup, or (None) a new and empty one."""
        watch = self.store.watch
        self.store.close()
        self.store = store_of(kept or empty_store(), self.clock)
        self.store.watch = watch

    def fork(self) -> World:
        """Another world that stands as this one does now; what happens in it does not happen here."""
        other = copy(self)
        other.clock, other.servers, other.titles = deepcopy((self.clock, self.servers, self.titles))
        other.store = store_of(self.kept_store(), other.clock)
        return other

    # -- one pass

    def wants(self) -> dict[TaskKey, Want]:
        main, *mirrors = self.servers
        owned = {"title": "項目", "body": "やること", "due": "2026-06-30", "labels": ("tics",)}
        found = {}
        for item in self.items:
            values: dict[str, FieldValue] = {
                **owned,
                "title": self.titles.get(item, f"{item} 項目"),
                "number": item,
            }
            initial = {"status": "todo", "assignee": "sato"}
            found[key(item)] = Want(
                key(item),
                main,
                tuple(mirrors),
                "2026-04-01",
                dict.fromkeys(self.servers, values),
                dict.fromkeys(self.servers, initial),
            )
        return found

    def sites(self) -> dict[str, Site]:
        found = {}
        with self.store.read() as tx:
            kept = {name: memory(tx, name) for name in self.servers}
        for name, server in self.servers.items():
            table = self.tables.get(name, TABLE)
            host_memory = HostMemory(kept[name])
            made = opening(name, table=table, clock=self.clock, workspace=WORKSPACE)
            driver = self.drivers.get(name, FakeTracker)(server, made)
            found[name] = Site(name, "fake", driver, self.owners, host_memory, "ja", dict(table.statuses))
        return found

    def sync(self, **order: Any) -> dict[str, TrackerReport]:
        by = By("test@host", "sync")
        hands = Hands(self.store, by, 1, lambda: None, lambda _name, _actions: self.veto, self.locker)
        wants = self.wants()
        this = Pass(
            self.sites(), wants, self.display, hands, Order(**order), self.clock().date(), self.clock,
            inputs=repr((wants, self.owners, self.tables, self.display)) if self.quiet else "",
        )  # fmt: skip
        reports = run(this)
        remember(this)
        return reports

    def settle(self, passes: int = 5, *, wait: float = 0) -> list[dict[str, TrackerReport]]:
        """Passes until nothing is written any more (at most `passes`)."""
        done = []
        for _ in range(passes):
            self.clock.advance(wait)
            done.append(self.sync())
            if not outgoing(done[-1]):
                return done
        raise AssertionError(f"still writing after {passes} passes: {outgoing(done[-1])}")

    # -- what is there

    def server(self, name: str = "a") -> FakeServer:
        return self.servers[name]

    def issues(self, item: str, tracker: str = "a") -> list[Issue]:
        return [one for one in self.server(tracker).issues() if one.fields.get("番号") == item]

    def issue(self, item: str = "T-01", tracker: str = "a") -> Issue:
        (one,) = self.issues(item, tracker)
        return one

    def bound(self, item: str = "T-01", tracker: str = "a") -> list[Binding]:
        with self.store.read() as tx:
            return [one for one in bindings(tx, tracker) if one.key == key(item)]

    def hub(self, item: str = "T-01") -> Mapping[str, FieldValue]:
        with self.store.read() as tx:
            return hub_tasks(tx)[key(item)].values

    def conflicts(self) -> list[Any]:
        with self.store.read() as tx:
            return list(conflicts(tx))

    def refusals(self) -> list[Any]:
        with self.store.read() as tx:
            return list(refusals(tx))

    def kinds(self) -> list[str]:
        with self.store.read() as tx:
            return [event.kind for event in tx.events()]

    def person(self, item: str, tracker: str = "a", **fields: FieldValue) -> None:
        """Somebody edits the issue in the tracker, in its own words, a second later than whatever was before."""
        self.clock.advance(1)
        self.server(tracker).person_sets(self.issue(item, tracker).id, fields)


def outgoing(reports: Mapping[str, TrackerReport]) -> list[str]:
    """What was written, as short lines."""
    return [
        f"{name}:{one.action}:{one.task.item}"
        for name, report in reports.items()
        for one in report.actions
        if one.direction == "out"
    ]
