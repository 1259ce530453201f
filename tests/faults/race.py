"""Two real processes that sync in a loop on one store, people at work in the tracker, and a scheduler that kills and
freezes the processes; and what must hold of it all in the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.servers.wired import POINT, Asked, News, TrackerServer, WiredPlugin
from tests.unit.app.office import CONFIG, MAPPING, PLACES, WORKSPACE, outgoing, pack
from ticssync.app.leasing import Pace
from ticssync.app.processes import process_alive
from ticssync.app.status import status
from ticssync.app.sync_once import SyncOrder, SyncResult, sync
from ticssync.app.workspace import Workspace, of_this_process, open_workspace, utc_now
from ticssync.errors import RetryLaterError
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import parse_instant
from ticssync.store import By, Store
from ticssync.store.bindings import bindings
from ticssync.store.events import verify_chain
from ticssync.store.hub import hub_tasks
from ticssync.store.lease import read_lease
from ticssync.store.working import intents
from ticssync.testing.behaviour import MARKER, STATUS
from ticssync.testing.fake_site import strong

PACE: Final = Pace(ttl_s=0.6, beat_s=0.1, request_s=0.3)
NUMBER: Final = "番号"
STATUSES: Final = {"未着手": "todo", "対応中": "doing", "確認待ち": "review", "完了": "done"}
TASKS: Final = Path("/proc/self/task")
REPOSITORY: Final = Path(__file__).parents[2]


@dataclass
class Worker:
    """One process and what it told so far."""

    pid: int
    told: list[dict[str, Any]] = field(default_factory=list)
    killed: bool = False

    @property
    def alive(self) -> bool:
        return not self.killed or process_alive(self.pid)

    def count(self, *words: str) -> int:
        """How often it told one of these."""
        return sum(1 for one in self.told if one["what"] in words)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    @property
    def frozen(self) -> bool:
        """Whether all of its threads stand still by now."""
        states = [file.read_text().rpartition(")")[2].split()[0] for file in self._threads()]
        return all(state == "T" for state in states)

    def _threads(self) -> list[Path]:
        return list((TASKS.parents[1] / str(self.pid) / "task").glob("*/stat"))

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """It has no time for last words.  A number is killed once: it may be another process's later."""
        if not self.killed and not self.count("failed"):
            self.killed = True
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Starts the processes, and hears what they tell."""

    def __init__(self) -> None:
        self.news = News()
        self.workers: dict[int, Worker] = {}
        self.news.trouble = self._failed
        line = [sys.executable, "-m", "tests.faults.sync_worker"]
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY, encoding="utf-8"
        )
        self._born: list[int] = []
        self._reader = threading.Thread(target=self._hear, daemon=True)
        self._reader.start()

    def start(self, config: Path, server: str, pace: Pace) -> Worker:
        """Another process."""
        assert self._process.stdin is not None
        line = {"config": str(config), "server": server, "pace": [pace.ttl_s, pace.beat_s, pace.request_s]}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        self.news.until(lambda: bool(self._born), "a process is started")
        return self.workers[self._born.pop()]

    def close(self) -> None:
        """Nobody is left."""
        for one in self.workers.values():
            one.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                with self.news.change():
                    self._take(told)

    def _take(self, told: dict[str, Any]) -> None:
        if told["what"] == "born":
            self.workers.setdefault(told["child"], Worker(told["child"]))
            self._born.append(told["child"])
        else:
            self.workers.setdefault(told["pid"], Worker(told["pid"])).told.append(told)

    def _failed(self) -> str:
        told = [one for worker in self.workers.values() for one in worker.told]
        return "\n".join(one["why"] for one in told if one["what"] == "failed")


@dataclass(frozen=True)
class Late:
    """A create that the tracker carried out for a process which had lost the lease by then, and so late that nobody
    waited for it any more, or sent under a lease that was gone: the window."""

    number: str
    pid: int


class Race:
    """`url` is the store; empty: a file."""

    def __init__(self, nursery: Nursery, root: Path, url: str = "", seed: int = 0) -> None:
        self.nursery, self.news = nursery, nursery.news
        self.root, self.random = root, random.Random(seed)
        self.workers: list[Worker] = []
        self.late: list[Late] = []
        self.edits: dict[str, str] = {}
        self.items = 0
        self.over = ExitStack()
        self.behaviour = strong(fields=PLACES)
        self.server = self.over.enter_context(TrackerServer(self.behaviour, self.news))
        self.plugin = WiredPlugin(self.behaviour)
        self.url = url or f"sqlite:///{root / 'ticssync.db'}"
        self._found()
        self.store = Store.open(self.url, WORKSPACE, utc_now)
        self.over.callback(self.store.close)
        self.server.executing = self._note_late

    # -- the company

    def _found(self) -> None:
        self.root.mkdir(parents=True)
        (self.root / "mapping.yaml").write_text(MAPPING, "utf-8")
        tracker = f"a: {{kind: fake, server: '{self.server.address}', mapping: ./mapping.yaml}}"
        text = CONFIG.format(
            workspace=WORKSPACE,
            catalogs="./tics.yaml",
            trackers=tracker,
            routes='{criteria: "*", tracker: a}',
        )
        self.config.write_text(f"{text}store: {json.dumps(self.url)}\n", "utf-8")
        self.more_items(2)
        store = Store.create(self.url, WORKSPACE, utc_now)
        with store.write() as tx:
            tx.append("workspace.made", WORKSPACE, By("hanako@pc"), {"company": "㈱髙﨑精機"})
        store.close()

    @property
    def config(self) -> Path:
        return self.root / "ticssync.yaml"

    def coming(self, count: int) -> list[str]:
        """The items by which the catalogue grows next."""
        return [f"T-{number:02d}" for number in range(self.items + 1, self.items + count + 1)]

    def more_items(self, count: int) -> list[str]:
        """The catalogue grows: so many tasks are to be made."""
        new = self.coming(count)
        self.items += count
        part = self.root / "tics.part"
        part.write_text(pack("tics", *(f"T-{number:02d}" for number in range(1, self.items + 1))), "utf-8")
        part.replace(self.root / "tics.yaml")
        return new

    def people(self) -> None:
        """Somebody sets the status of one task in the tracker."""
        with self.server.lock:
            found = self.server.fake.issues()
            if found:
                issue, word = self.random.choice(found), self.random.choice(sorted(STATUSES))
                self.server.fake.person_sets(issue.id, {STATUS: word})
                self.edits[issue.id] = word

    # -- the processes

    def start(self) -> Worker:
        """Another process."""
        worker = self.nursery.start(self.config, self.server.address, PACE)
        self.over.callback(worker.kill)
        self.workers.append(worker)
        return worker

    def of(self, asked: Asked) -> Worker:
        """Who asked."""
        return next(one for one in self.workers if one.pid == asked.pid)

    def holder(self) -> int:
        """The process that holds the lease; 0 where nobody does."""
        with self.store.read() as tx:
            lease = read_lease(tx)
        return lease.holder.pid if lease else 0

    def pair(self) -> tuple[Worker, Worker]:
        """(the one that holds the lease, the one that stands by), both at work."""
        alive = [one for one in self.workers if one.alive]
        self.news.until(lambda: all(one.count("ready") for one in alive), "both processes run")
        pid = self.news.until(self.holder, "one of them holds the lease")
        return tuple(sorted(alive, key=lambda one: one.pid != pid))  # type: ignore[return-value]

    def other(self, worker: Worker) -> Worker:
        """The one that stands by."""
        return next(one for one in self.workers if one is not worker and one.alive)

    def freeze(self, worker: Worker) -> None:
        """Stop this process, but not in the middle of a transaction: the store would wait for it like anybody."""
        while True:
            worker.freeze()
            self.news.until(lambda: worker.frozen, "it stands still")
            if not self._locked():
                return
            worker.thaw()

    def _locked(self) -> bool:
        try:
            with self.store.write():
                return False
        except RetryLaterError:
            return True

    def idle(self, worker: Worker, passes: int = 2) -> None:
        """Wait until this one has made so many passes in which there was nothing to do."""
        before = len(worker.told)

        def quiet() -> bool:
            last = [one for one in worker.told[before:] if one["what"] == "pass"][-passes:]
            return len(last) == passes and not any(one["actions"] or one["waiting"] for one in last)

        self.news.until(quiet, "nothing is left to do")

    def since(self) -> datetime:
        """When whoever holds the lease took it."""
        with self.store.read() as tx:
            lease = read_lease(tx)
        assert lease is not None
        return parse_instant(lease.since)

    def takes_over(self, worker: Worker) -> None:
        """Wait until this one holds the lease."""
        self.news.until(lambda: self.holder() == worker.pid, "the other one takes over")

    def _note_late(self, asked: Asked) -> None:
        if asked.verb != "create":
            return
        with self.store.read() as tx:
            lease = read_lease(tx)
        if lease is None or lease.holder.pid == asked.pid:
            return
        # Not if it only took less time than what is waited for.
        long_s = (utc_now() - asked.at).total_seconds()
        if long_s >= PACE.on_its_way_s or parse_instant(lease.since) <= asked.at:
            self.late.append(Late(number_of(asked), asked.pid))

    def made(self, number: str, pid: int | None = None) -> list[Asked]:
        """Creates of this item that were carried out (for this process)."""
        return [
            one for one in self.server.asked
            if one.verb == "create" and one.done and pid in (None, one.pid) and number_of(one) == number
        ]  # fmt: skip

    # -- the end

    @contextmanager
    def open(self) -> Iterator[Workspace]:
        with open_workspace(of_this_process("ja", self.config), extra=(self.plugin,)) as workspace:
            yield workspace

    def settles(self) -> list[SyncResult]:
        """The processes are gone; what they may have sent is on its way no longer; then three passes."""
        for one in self.workers:
            one.kill()
        self.news.until(lambda: not any(one.alive for one in self.workers), "they are gone")
        self.server.free()
        with self.open() as workspace:
            self.news.until(self._nothing_on_its_way, "the last request has ended")
            return [sync(workspace, SyncOrder(), PACE) for _ in range(3)]

    def _nothing_on_its_way(self) -> bool:
        with self.store.read() as tx:
            at = [parse_instant(one.at) for one in intents(tx, "a")]
        return all((utc_now() - one).total_seconds() > PACE.on_its_way_s for one in at)

    def holds(self) -> Counter[str]:
        """Everything that must be so in the end; what there was of it."""
        results = self.settles()
        assert [one.exit_code for one in results[1:]] == [0, 0]
        assert outgoing(results[-1]) == []
        with self.open() as workspace, workspace.store.read() as tx:
            here, hub, events = bindings(tx), hub_tasks(tx), tx.events()
            assert intents(tx, "a") == ()
        with self.open() as workspace:
            shown = status(workspace)["copies"]
        copies = [one for one in here if one.state is BindingState.COPY]
        self._one_each(here, copies)
        assert {one["key"] for one in shown} == {one.display_key for one in copies}
        told = [one for one in events if one.kind == "task.bound" and one.data["state"] == "copy"]
        assert len(told) == len(copies) <= len(self.late)
        live = {one.ref.id: one.key for one in here if one.state is BindingState.LIVE}
        for ident, word in self.edits.items():
            assert self.server.fake.issue(ident).fields[STATUS] == word
            if ident in live:
                assert hub[live[ident]].values["status"] == STATUSES[word]
        assert verify_chain(events) == ()
        return Counter(copies=len(copies), late=len(self.late), tasks=len(live), edits=len(self.edits))

    def _one_each(self, here: tuple[Binding, ...], copies: list[Binding]) -> None:
        wanted = {f"T-{number:02d}": 1 for number in range(1, self.items + 1)}
        issues = self.server.fake.issues()
        assert Counter(one.key.item for one in here if one.state is BindingState.LIVE) == wanted
        # A copy keeps our marker where the pass that found it was killed before it could take it off.
        doubled = {one.ref.id for one in copies}
        ours = [one for one in issues if one.fields[MARKER] and one.id not in doubled]
        assert Counter(str(one.fields[NUMBER]) for one in ours) == wanted
        assert {one.id for one in issues} == {one.ref.id for one in here}
        assert len(issues) == self.items + len(copies)
        doubles = Counter(one.key.item for one in copies)
        assert doubles <= Counter(one.number for one in self.late)


def number_of(asked: Asked) -> str:
    """The item that a create is for; one request makes one task."""
    (fields,) = asked.given[0]
    return str(fields[NUMBER])


def creates(asked: Asked, *numbers: str) -> bool:
    """Whether it is a create (of one of these items)."""
    return asked.verb == "create" and (not numbers or number_of(asked) in numbers)


def commits(asked: Asked) -> bool:
    """Whether a pass has just committed something."""
    return asked.verb == POINT and asked.given == ("after commit",)
