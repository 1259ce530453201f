"""Plan and merge over a growing number of tasks of which none changed, against reading the same rows once.

Each size runs in a process of its own, so that its peak of memory is its own: `python -m benchmarks.scale 1000`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import select

from benchmarks.engine import OWNERS, WORKSPACE, keys, now, rendered, show_nothing
from ticssync.model.binding import Base
from ticssync.model.canonical import instant_text
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef
from ticssync.store import By, Store, schema, working
from ticssync.store.bindings import put_base
from ticssync.store.hub import HubTask, put_hub
from ticssync.store.projection import put
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, remember, run
from ticssync.sync.decide import decide, needed
from ticssync.sync.look import Seen
from ticssync.sync.state import HostMemory, Site, Want, read_known
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.opening import TABLE, opening

SIZES: Final = (1_000, 10_000, 100_000)
NAME: Final = "a"
ROUNDS: Final = 3


def fill(store: Store, wanted: list[TaskKey]) -> None:
    """As a first sync leaves the store: linked, agreed, nothing to do."""
    with store.write() as tx:
        for number, key in enumerate(wanted, 1):
            ref = RemoteRef(NAME, str(number))
            fields = {**rendered(key), "status": "todo", "assignee": None, "priority": None, "start": None}
            row = {
                "task_key": str(key), "state": "live", "generation": 1, "role": "main", "display_key": f"#{number}",
                "url": f"https://tracker.example/{number}", "status": "todo", "raw_status": "未着手",
                "updated_at": "2026-11-01T00:00:00.000000Z", "assignee": None, "due": "2027-02-22", "problems": "[]",
            }  # fmt: skip
            put(tx.connection, schema.binding, tx.workspace, {"tracker": NAME, "remote_id": ref.id}, row)
            put_base(tx, ref, Base(fields, "1"), seen=fields, local=fields)
            values = {name: fields[name] for name in ("status", "assignee", "priority", "start")}
            put_hub(tx, HubTask(key, values, "2026-11-01"))
        at = instant_text(tx.now)
        working.put_cursor(tx, NAME, at, at)
        tx.append("tracker.read", NAME, By("bench"), {"kind": "fake", "on": tx.now.date().isoformat()})


def rows_once(store: Store) -> int:
    """The same rows, read once and looked at no further."""
    count = 0
    with store.read() as tx:
        for table in (schema.binding, schema.base, schema.task):
            count += len(tx.connection.execute(select(table)).all())
    return count


def decided(store: Store, site: Site, wants: dict[TaskKey, Want]) -> int:
    """All that a full pass decides between its listings and its writes; how many writes it would make."""
    with store.read() as tx:
        known = read_known(tx, (NAME,))
    needed(wants, {NAME: site}, known, show_nothing)
    seen = Seen(site, cursor=None)
    found = decide(wants, known, {NAME: seen}, show_nothing, now())
    return sum(len(work.creates) + len(work.updates) for work in found.works.values())


def idle(store: Store, site: Site, wants: dict[TaskKey, Want]) -> TrackerReport:
    """A pass as the daemon makes it."""
    hands = Hands(store, By("bench"), 0, lambda: None, lambda _name, _lines: None)
    this = Pass({NAME: site}, wants, show_nothing, hands, Order(), now().date(), now, {}, inputs="bench")
    run(this)
    remember(this)
    return this.reports[NAME]


def timed(act: Callable[[], object]) -> float:
    """The median of some rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return median(times)


def measure(count: int) -> dict[str, Any]:
    """One size, in this process."""
    wanted = keys(count)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(f"sqlite:///{Path(folder) / 'scale.db'}", WORKSPACE, now)
        fill(store, wanted)
        server = FakeServer(now, Behaviour())
        site = Site(
            NAME, "fake", FakeTracker(server, opening(NAME, table=TABLE, clock=now, workspace=WORKSPACE)), OWNERS,
            HostMemory(), "ja", dict(TABLE.statuses),
        )  # fmt: skip
        wants = {
            key: Want(key, NAME, (), "2026-11-01", {NAME: rendered(key)}, {NAME: {"status": "todo"}})
            for key in wanted
        }
        before = peak()
        reading = timed(lambda: rows_once(store))
        assert decided(store, site, wants) == 0
        deciding = timed(lambda: decided(store, site, wants))
        first = idle(store, site, wants)
        assert (first.state, len(first.actions)) == ("ok", 0), first
        nothing = timed(lambda: idle(store, site, wants))
        used = peak() - before
        store.close()
    return {
        "tasks": count,
        "rows_s": reading,
        "decided_s": deciding,
        "idle_s": nothing,
        "peak_mb": used / 1024,
    }


def peak() -> int:
    """The most memory that this process had so far, in KiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run_all(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Each size in a process of its own."""
    found = []
    for count in SIZES:
        say(f"plan and merge over {count:,} tasks …")
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", str(count)], capture_output=True, text=True, check=True
        )
        found.append(json.loads(ran.stdout))
    return found


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The table."""
    head = (
        "| tasks, none changed | the same rows read once | idle pass | ratio (reach ≤ 3) "
        "| everything planned and merged | ratio | µs a task | memory, at most |"
    )
    return [
        head,
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {one['tasks']:,} | {one['rows_s']:.3f} s | {one['idle_s']:.3f} s | {one['idle_s'] / one['rows_s']:.2f} "
            f"| {one['decided_s']:.2f} s | {one['decided_s'] / one['rows_s']:.1f} "
            f"| {one['decided_s'] / one['tasks'] * 1e6:.0f} | + {one['peak_mb']:.0f} MB |"
            for one in found
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
