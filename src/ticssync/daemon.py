"""The daemon: wakes the passes up on schedule.  The only file that knows APScheduler.

The scheduler keeps nothing: what is due lives in our own tables, so a stopped daemon, two daemons or a moved
clock neither lose nor double anything.  Times are aware; a late wake-up runs once, never twice.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from ticssync import log
from ticssync.app.hand_in import take_in
from ticssync.app.leasing import give_back, take_lease
from ticssync.app.remind import remind
from ticssync.app.scope import calendar
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.app.workspace import Surroundings, Workspace, open_workspace
from ticssync.errors import EXIT_PRECEDENCE, TicssyncError
from ticssync.store import lease as leases

SYNC_EVERY_S: Final = 300
HAND_IN_EVERY_S: Final = 60
BEAT_EVERY_S: Final = 20
REMIND_AT: Final = (8, 30)
"""Hour and minute, the company's time, on working days."""
GRACE_S: Final = 3600
"""A job that wakes up this late (the machine slept) still runs, once."""


@dataclass
class Round:
    """What one pass of the daemon came to, for `--once` and the log."""

    sync: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    remind: dict[str, Any] = field(default_factory=dict)
    exit_code: int = 0
    errors: list[str] = field(default_factory=list)


def once(around: Surroundings) -> Round:
    """Everything that is due, one time: for cron, and for trying out."""
    found = Round()
    with open_workspace(around) as workspace:
        result = sync(workspace, SyncOrder())
        found.sync, found.exit_code = result.plain(), result.exit_code
        found.evidence = take_in(workspace)
        if workspace.config.notify and _is_morning_work(workspace):
            reminded = remind(workspace)
            found.remind = reminded.plain
            found.exit_code = first_that_applies({found.exit_code, reminded.exit_code})
    return found


def first_that_applies(codes: set[int]) -> int:
    """The exit code of several parts: the first of 5, 4, 2, 3, 1, 0."""
    return next(code for code in EXIT_PRECEDENCE if code in codes)


def _is_morning_work(workspace: Workspace) -> bool:
    return calendar(workspace.config).is_working_day(workspace.today)


class Daemon:
    """Runs until told to stop.  One lease for its whole life; every job in one thread, one after the other."""

    def __init__(
        self,
        around: Surroundings,
        *,
        sync_every_s: int = SYNC_EVERY_S,
        hand_in_every_s: int = HAND_IN_EVERY_S,
    ) -> None:
        self.around = around
        self.sync_every_s = sync_every_s
        self.hand_in_every_s = hand_in_every_s
        self.stopping = threading.Event()
        self.rounds = 0
        self.exit_code = 0
        self.lease: leases.Lease | None = None
        self.log = log.logger(job="daemon")

    def stop(self, *_: object) -> None:
        """Finish what is under way, give the lease back, end.  Safe in a signal handler."""
        self.stopping.set()

    def run(self) -> int:
        """Block until `stop`; the exit code.  Raises the errors of opening (a person must mend them)."""
        with open_workspace(self.around) as workspace:
            lease = self.lease = take_lease(workspace)
            self.log = log.logger(job="daemon", workspace=workspace.config.workspace)
            scheduler = self._scheduler(workspace, lease)
            scheduler.start()
            in_order = False
            try:
                # A plain wait: signals arrive between two looks, on Windows as well.
                while not self.stopping.wait(0.5):
                    pass
                in_order = True
            finally:
                scheduler.shutdown(wait=True)
                give_back(workspace.store, lease, in_order=in_order)
        return self.exit_code

    def _scheduler(self, workspace: Workspace, lease: leases.Lease) -> Any:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1), "beat": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_S},
            timezone=workspace.zone,
        )  # fmt: skip
        now = datetime.now(timezone.utc)
        scheduler.add_job(
            self._beat(workspace, lease),
            "interval",
            seconds=BEAT_EVERY_S,
            id="beat",
            executor="beat",
            next_run_time=now,
        )
        scheduler.add_job(
            self._job("sync", self._sync),
            "interval",
            seconds=self.sync_every_s,
            jitter=min(30, self.sync_every_s // 10),
            id="sync",
            next_run_time=now,
        )
        scheduler.add_job(
            self._job("evidence", take_in),
            "interval",
            seconds=self.hand_in_every_s,
            id="evidence",
            next_run_time=now,
        )
        hour, minute = REMIND_AT
        scheduler.add_job(self._job("remind", self._remind), "cron", hour=hour, minute=minute, id="remind")
        if self._after_hour(workspace):
            # Started late in the day: what this morning should have sent is still due.
            scheduler.add_job(self._job("remind", self._remind), id="remind-now", next_run_time=now)
        return scheduler

    def _after_hour(self, workspace: Workspace) -> bool:
        moment = workspace.now.astimezone(workspace.zone)
        return (moment.hour, moment.minute) >= REMIND_AT

    def _beat(self, workspace: Workspace, lease: leases.Lease) -> Callable[[], None]:
        def beat() -> None:
            try:
                leases.beat(workspace.store, lease)
            except leases.LeaseLostError as error:
                self.log.error("lease lost", why=str(error))
                self.exit_code = error.exit_code
                self.stop()
            except TicssyncError as error:
                # A store that is busy for a moment is no lost lease: the next beat comes in time.
                self.log.warning("no heartbeat", why=str(error))

        return beat

    def _job(self, name: str, work: Callable[[Workspace], object]) -> Callable[[], None]:
        """A job opens the workspace anew each time: an edited configuration counts from the next round."""

        def job() -> None:
            if self.stopping.is_set():
                return
            try:
                with open_workspace(self.around) as workspace:
                    workspace.lease = self.lease
                    work(workspace)
                self.rounds += 1
            except TicssyncError as error:
                self.log.warning(
                    "not done", work=name, why=str(error), problems=[str(one) for one in error.problems]
                )
            except Exception:
                self.log.exception("failed", work=name)

        return job

    def _sync(self, workspace: Workspace) -> None:
        result = sync(workspace, SyncOrder())
        for name, report in result.reports.items():
            self.log.info(
                "synced",
                tracker=name,
                state=report.state,
                created=report.count("create"),
                updated=report.count("update"),
                pulled=report.count("update", "in"),
                message=report.message,
            )

    def _remind(self, workspace: Workspace) -> None:
        if workspace.config.notify and _is_morning_work(workspace):
            found = remind(workspace)
            self.log.info("reminded", sent=len(found.plain["sent"]), failed=len(found.plain["failed"]))


@contextmanager
def stop_signals(daemon: Daemon) -> Iterator[None]:
    """SIGTERM, SIGINT and (Windows) SIGBREAK stop the daemon cleanly."""
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]
    before = {one: signal.signal(one, daemon.stop) for one in known}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
