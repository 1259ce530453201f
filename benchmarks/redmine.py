"""A real Redmine: creating, an idle pass, taking in a thousand changes; beside bare loops and two other programs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from dev import SETUP
from plugins.redmine.tests.site import table
from tests.servers import redmine as real

from benchmarks.engine import BODY, WORKSPACE, Engine, keys, now, rendered
from ticssync.sync.state import HostMemory
from ticssync.testing.opening import opening
from ticssync_redmine.settings import RedmineSettings
from ticssync_redmine.tracker import open_redmine

OTHERS = ("python-redmine==2.5.0", "bugwarrior==2.1.0")
MANY, SOME, ROUNDS = 1000, 200, 5
SETTLED_S = 16
PATH = "/projects/tics/issues.json"


@dataclass
class Row:
    """One line of the table: seconds of ours and of the minimum, run by run, and what is promised."""

    what: str
    ours: list[float]
    minimum: list[float]
    reach: str
    notes: str = ""

    @property
    def ratio(self) -> float:
        """Median against median."""
        return statistics.median(self.ours) / statistics.median(self.minimum)

    def line(self) -> str:
        """Markdown."""
        return f"| {self.what} | {_spread(self.ours)} | {_spread(self.minimum)} | {self.ratio:.2f} | {self.reach} | {self.notes} |"


def _spread(seconds: list[float]) -> str:
    middle = statistics.median(seconds)
    return f"{middle:.3f} s ({min(seconds):.3f}–{max(seconds):.3f})"


@dataclass
class Bench:
    """One server, one store."""

    server: real.Server
    folder: Path
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self.session.headers["X-Redmine-API-Key"] = self.server.keys["bot"]
        self.table = table(self.server)

    def engine(self, name: str, count: int) -> Engine:
        """A new store with so many tasks to make."""
        folder = self.folder / name
        folder.mkdir()
        return Engine.made(folder, "redmine", count, self.opened, self.table.statuses)

    def opened(self, memory: HostMemory) -> Any:
        """A driver."""
        settings = RedmineSettings(url=self.server.url, project="tics", api_key=self.server.keys["bot"])
        return open_redmine(
            opening(
                "redmine", settings=settings, table=self.table, memory=memory, clock=now, workspace=WORKSPACE
            )  # type: ignore[arg-type]
        )

    # -- the minimum

    def bare_create(self, count: int) -> float:
        """The same issues, one request after the other, nothing else."""
        ids = self.server.ids
        bodies = [
            {
                "issue": {
                    "project_id": "tics", "tracker_id": ids["trackers"]["feature"], "subject": rendered(key)["title"],
                    "description": BODY, "due_date": "2027-02-22", "start_date": "", "status_id": ids["statuses"]["new"],
                    "custom_fields": [
                        {"id": ids["custom_fields"]["marker"], "value": f"bare.{key.item}"},
                        {"id": ids["custom_fields"]["criterion"], "value": key.item},
                    ],
                }
            }
            for key in keys(count)
        ]  # fmt: skip
        began = time.perf_counter()
        for body in bodies:
            assert self.session.post(self.server.url + "/issues.json", json=body).status_code == 201
        return time.perf_counter() - began

    def bare_get(self, since: str) -> float:
        """One request for what changed since."""
        params = {
            "status_id": "*",
            "include": "attachments",
            "updated_on": f">={since}",
            "sort": "id",
            "limit": 100,
        }
        began = time.perf_counter()
        self.session.get(self.server.url + PATH, params=params).json()
        return time.perf_counter() - began

    def bare_read(self, since: str = "") -> tuple[float, int]:
        """(seconds, issues) of a paged read."""
        params: dict[str, Any] = {"status_id": "*", "include": "attachments", "sort": "id", "limit": 100}
        if since:
            params["updated_on"] = f">={since}"
        after, read = 0, 0
        began = time.perf_counter()
        while True:
            asked = {**params, "issue_id": f">={after + 1}"} if after else params
            page = self.session.get(self.server.url + PATH, params=asked).json()
            read += len(page["issues"])
            if page["total_count"] <= len(page["issues"]):
                return time.perf_counter() - began, read
            after = page["issues"][-1]["id"]

    # -- the rows

    def create(self) -> None:
        """200 issues into an empty project."""
        ours, bare = [], []
        for round_number in range(3):
            real.reset(self.server)
            bare.append(self.bare_create(SOME))
            real.reset(self.server)
            engine = self.engine(f"create{round_number}", SOME)
            with timed(ours):
                report = engine.cycle()
            assert report.count("create") == SOME
            engine.store.close()
        notes = f"{report.requests} requests"
        self.rows.append(Row(f"create {SOME} tasks", ours, bare, "≤ 1.15 ×", notes))

    def idle(self, engine: Engine) -> None:
        """A pass over 1,000 issues in which nothing happened, in process."""
        wants = engine.wants()
        for _ in range(2):
            engine.cycle(wants)
        time.sleep(SETTLED_S)
        for _ in range(3):
            report = engine.cycle(wants)
        since = "2099-01-01T00:00:00Z"
        ours, bare, full = [], [], []
        for _ in range(21):
            bare.append(self.bare_get(since))
            with timed(ours):
                report = engine.cycle(wants)
        full = [self.bare_read()[0] for _ in range(3)]
        self.rows.append(
            Row(f"idle pass over {MANY} issues", ours, bare, "≤ 1.5 ×", f"{report.requests} request")
        )
        faster = statistics.median(full) / statistics.median(ours)
        self.facts["idle pass against a full read"] = f"{faster:.0f} × faster (reach: ≥ 50 ×)"

    def pull(self, engine: Engine) -> None:
        """1,000 changed issues, merged and stored."""
        wants, ours, bare = engine.wants(), [], []
        for round_number in range(ROUNDS):
            self.change_all(round_number)
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 30))
            seconds, read = self.bare_read(since)
            assert read == MANY, read
            bare.append(seconds)
            with timed(ours):
                report = engine.cycle(wants)
            assert report.count("update", "in") == MANY, report.plain()
        notes = f"{report.requests} requests, {MANY} read, merged and stored; notes not asked for"
        self.rows.append(Row(f"pull of {MANY} changed issues", ours, bare, "≤ 1.15 ×", notes))
        self.others(statistics.median(bare))

    def change_all(self, round_number: int) -> None:
        """Somebody changed the priority of everything a moment ago."""
        name = ("high", "urgent", "low")[round_number % 3]
        self.server.sql(
            "UPDATE issues SET priority_id = ?, updated_on = ?",
            self.server.ids["priorities"][name],
            self.server.stamp(),
        )

    def others(self, bare: float) -> None:
        """What two other programs read of the same, and how long it takes them."""
        python = other_python()
        if python is None:
            self.facts["python-redmine, bugwarrior"] = "not measured: they could not be installed here"
            return
        for name in ("python_redmine", "bugwarrior_redmine"):
            runs = [self._other(python, name) for _ in range(3)]
            seconds = statistics.median(run["seconds"] for run in runs)
            self.facts[runs[0]["program"]] = (
                f"{seconds:.2f} s, {seconds / bare:.2f} × the bare paged read, read {runs[0]['read']} of {MANY} issues"
            )

    def _other(self, python: Path, name: str) -> dict[str, Any]:
        script = Path(__file__).with_name("others.py")
        arguments = [str(python), str(script), name, self.server.url, self.server.keys["bot"]]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Seconds by the wall."""
    began = time.perf_counter()
    yield
    into.append(time.perf_counter() - began)


def other_python() -> Path | None:
    """An environment of its own for the programs that we are measured beside."""
    folder = SETUP / "bench"
    python = folder / "bin" / "python"
    stamp = folder / "ready"
    if not stamp.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *OTHERS]
        if subprocess.run(install, check=False).returncode:
            return None
        stamp.touch()
    return python


def run(say: Callable[[str], None]) -> tuple[list[Row], dict[str, Any]]:
    """All rows; raises SystemExit with the reason where no Redmine can run."""
    if why := real.available("5.0"):
        raise SystemExit(f"no Redmine to measure: {why}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = real.start(folder / "server", version="5.0")
        try:
            bench = Bench(server, folder)
            bench.facts["Redmine"] = server.version
            say(f"create {SOME} …")
            bench.create()
            real.reset(server)
            say(f"{MANY} issues …")
            engine = bench.engine("many", MANY)
            report = engine.cycle()
            assert report.count("create") == MANY
            say("idle …")
            bench.idle(engine)
            say("pull …")
            bench.pull(engine)
            engine.store.close()
        finally:
            real.stop(server)
    return bench.rows, bench.facts


if __name__ == "__main__":
    rows, facts = run(lambda line: print(line, file=sys.stderr))
    print("\n".join([*(row.line() for row in rows), *(f"{name}: {value}" for name, value in facts.items())]))
