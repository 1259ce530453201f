"""The engine over a real tracker with any number of tasks: what a daemon's pass does, without the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ticssync.model.binding import Binding
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields
from ticssync.plugin import TrackerDriver
from ticssync.store import By, Store
from ticssync.store.working import memory
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, remember, run
from ticssync.sync.state import HostMemory, Site, Want

WORKSPACE = "benchmark0"
OWNERS = {
    "title": "ticssync", "body": "ticssync", "due": "ticssync", "number": "ticssync",
    "status": "merge", "assignee": "tracker", "priority": "merge", "start": "merge",
}  # fmt: skip
BODY = "\n".join(f"{n}. 教育の日程を決め、受けた人・日付・結果を記録します。" for n in range(1, 7))


def now() -> datetime:
    """Aware UTC."""
    return datetime.now(timezone.utc)


def keys(count: int) -> list[TaskKey]:
    """So many tasks of one scheme."""
    return [TaskKey("tics", f"B-{number:04d}") for number in range(1, count + 1)]


def rendered(key: TaskKey, revision: int = 0) -> dict[str, Any]:
    """What the mapping makes of one."""
    return {
        "title": f"{key.item} 従業員を教育・訓練する" + (f"（改 {revision}）" if revision else ""),
        "body": BODY,
        "due": "2027-02-22",
        "number": key.item,
    }


def show_nothing(_bindings: tuple[Binding, ...]) -> Callable[[TaskKey, str], Fields]:
    """No confirmation texts."""
    return lambda _key, _lang: {}


@dataclass
class Engine:
    """A store in a file and one tracker.  `opened` makes a driver with the memory that the store keeps for it."""

    store: Store
    name: str
    opened: Callable[[HostMemory], TrackerDriver]
    statuses: Mapping[str, str]
    wanted: list[TaskKey]
    revision: int = 0

    @classmethod
    def made(cls, folder: Path, name: str, count: int, opened: Any, statuses: Mapping[str, str]) -> Engine:
        """With a new store in the folder."""
        store = Store.create(f"sqlite:///{folder / 'bench.db'}", WORKSPACE, now)
        return cls(store, name, opened, statuses, keys(count))

    def wants(self) -> dict[TaskKey, Want]:
        """The tasks that should exist."""
        return {
            key: Want(
                key, self.name, (), "2026-11-01", {self.name: rendered(key, self.revision)},
                {self.name: {"status": "todo", "assignee": None}},
            )
            for key in self.wanted
        }  # fmt: skip

    def cycle(
        self, wants: Mapping[TaskKey, Want] | None = None, *, opener: Callable[[], Site] | None = None
    ) -> TrackerReport:
        """One pass, as the daemon runs it: a driver is opened and closed."""
        site = opener() if opener else self.site()
        reports: dict[str, TrackerReport] = {}
        hands = Hands(self.store, By("bench"), 0, lambda: None, lambda _name, _lines: None)
        this = Pass(
            {self.name: site}, wants if wants is not None else self.wants(), show_nothing, hands, Order(),
            now().date(), now, reports, inputs=f"bench {self.revision}",
        )  # fmt: skip
        run(this)
        remember(this)
        site.driver.close()
        return reports[self.name]

    def site(self) -> Site:
        """Opened anew."""
        with self.store.read() as tx:
            kept = HostMemory(memory(tx, self.name))
        return Site(self.name, "redmine", self.opened(kept), OWNERS, kept, "ja", self.statuses)
