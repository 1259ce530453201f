"""One of two processes on one store: stands by for the lease, syncs in a loop while it holds it, and begins anew.

    python -m tests.faults.sync_worker

Each line on standard input, `{"config": …, "server": …, "pace": [TTL, BEAT, REQUEST]}`, starts such a process as a
child: what they need is loaded once.  They tell what happens to them on standard output, one JSON object a line, and
their server at each commit of a pass, where they may be kept (`tests.servers.wired.POINT`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Final

from tests.servers.wired import POINT, RemoteServer, WiredPlugin
from tests.unit.app.office import PLACES
from ticssync.app.leasing import Pace, leased
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.app.workspace import of_this_process, open_workspace
from ticssync.errors import RetryLaterError
from ticssync.store import connection
from ticssync.store.lease import LeaseLostError
from ticssync.sync.actions import TrackerReport
from ticssync.testing.fake_site import strong

BETWEEN_S: Final = 0.03
"""Between two passes; a daemon waits for minutes."""
PASSES: Final = 40
"""Then the lease is given back, and may be had by the other one."""


def tell(word: str, /, **more: Any) -> None:
    """Short enough to come whole through a pipe that several write into."""
    os.write(1, (json.dumps({"what": word, "pid": os.getpid(), **more}) + "\n").encode())


def tell_pass(report: TrackerReport) -> None:
    ids = [one["id"] for one in report.notices]
    tell("pass", state=report.state, actions=len(report.actions), waiting=report.waiting, notices=ids)


def work(config: Path, server: str, pace: Pace) -> None:
    """Until somebody ends this process."""
    plugin, pause = WiredPlugin(strong(fields=PLACES)), threading.Event()
    points = RemoteServer(server, plugin.behaviour)

    def point(name: str) -> None:
        if threading.current_thread() is threading.main_thread():
            points.ask(POINT, name)

    around = of_this_process("ja", config)
    while True:
        try:
            with (
                open_workspace(around, extra=(plugin,)) as standing,
                leased(standing, pace, pause.wait) as lease,
            ):
                tell("holding", token=lease.token)
                standing.lease, standing.store.watch = lease, point
                for _ in range(PASSES):
                    tell_pass(sync(standing, SyncOrder(), pace).reports["a"])
                    pause.wait(BETWEEN_S)
                standing.store.watch = free
        except LeaseLostError as error:
            tell("lost", why=str(error))
        except RetryLaterError as error:
            tell("busy", why=str(error))


def free(_point: str) -> None:
    """Between passes nobody keeps it."""


def born(line: dict[str, Any]) -> None:
    """The life of a child."""
    try:
        tell("ready")
        work(Path(line["config"]), line["server"], Pace(*line["pace"]))
    except BaseException:  # noqa: BLE001 - told to the test, which shows it
        tell("failed", why=traceback.format_exc()[-3000:])
    finally:
        os._exit(1)


def main() -> None:
    # A process that was frozen in the middle of a commit keeps the store locked: the other one soon gives up.
    connection.BUSY_MS = 400
    # Killed children leave nothing behind that would look alive.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            born(json.loads(line))
        tell("born", child=child)


if __name__ == "__main__":
    main()
