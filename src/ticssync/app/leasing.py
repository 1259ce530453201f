"""Holding the lease for a pass: taking it, beating while it is held, standing by, giving it back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from ticssync.app.processes import process_alive
from ticssync.app.workspace import Workspace
from ticssync.errors import RetryLaterError, TicssyncError
from ticssync.store import Store
from ticssync.store import lease as leases
from ticssync.store.fenced import Fenced, count_from_here, sender_ended

BEAT_EVERY_S: Final = 20.0
LONGEST_REQUEST_S: Final = 60.0
"""How long a tracker may take to carry a request out, whether its sender still waits for the answer or not."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The lease's times in seconds; nobody but a test has reason to hand in others.

    `ttl_s`: without a heartbeat for so long a holder counts as gone; `request_s`: the longest request.
    """

    ttl_s: float = leases.TTL_S
    beat_s: float = BEAT_EVERY_S
    request_s: float = LONGEST_REQUEST_S

    @property
    def on_its_way_s(self) -> float:
        """For so long what another process sent may still come to be, whatever became of that process."""
        return self.ttl_s + self.request_s

    @property
    def look_s(self) -> float:
        """How often a standby looks."""
        return min(leases.LOOK_EVERY_S, self.ttl_s / 10)


USUAL: Final = Pace()
Wait = Callable[[float], bool]
"""Waits so many seconds and tells whether to stop, as `threading.Event.wait`."""


def under(workspace: Workspace, lease: leases.Lease) -> Workspace:
    """The workspace as it is worked on under this lease: once it is lost, nothing more is written into the store."""
    return replace(workspace, store=Fenced(workspace.store, lease), lease=lease)


@contextmanager
def leased(workspace: Workspace, pace: Pace = USUAL, stand_by: Wait | None = None) -> Iterator[leases.Lease]:
    """Hold the workspace's lease; given back at the end, whatever happens.  A daemon's own passes use its lease.

    Where another process holds it: RetryLaterError, or with `stand_by` it is waited for; where that is told to stop,
    RetryLaterError as well.
    """
    if workspace.lease is not None:
        yield workspace.lease
        return
    lease = take_lease(workspace, pace) if stand_by is None else _waited_for(workspace, pace, stand_by)
    stop = threading.Event()
    beating = threading.Thread(
        target=_keep_beating, args=(workspace.store, lease, stop, pace.beat_s), daemon=True
    )
    beating.start()
    in_order = False
    try:
        yield lease
        in_order = True
    finally:
        stop.set()
        # A beat under way ends first: it must not meet a store that is closed, or a lease given back.
        beating.join()
        give_back(workspace.store, lease, in_order=in_order)


def give_back(store: Store, lease: leases.Lease, *, in_order: bool) -> None:
    """Let the next one have it.  `in_order`: every request of ours has come to its end, answered or not."""
    try:
        if in_order:
            with suppress(leases.LeaseLostError):
                sender_ended(Fenced(store, lease))
    finally:
        leases.release(store, lease)


def _keep_beating(store: Store, lease: leases.Lease, stop: threading.Event, every_s: float) -> None:
    """A pass may take long: as long as this process lives, nobody is to believe it dead."""
    while not stop.wait(every_s):
        try:
            leases.beat(store, lease)
        except leases.LeaseLostError:
            return
        except TicssyncError:
            continue


def take_lease(workspace: Workspace, pace: Pace = USUAL) -> leases.Lease:
    """Take the lease.  A holder that has been silent is watched for the lease's own time before it is believed
    dead: clocks of two machines differ, a counter that stands still does not lie."""
    try:
        return leases.acquire(workspace.store, workspace.holder, alive=process_alive)
    except RetryLaterError:
        current = _current(workspace)
        # A beat from the future was made by a clock that ran ahead: only watching tells then.
        if current is None or abs(leases.silent_for(current, workspace.now)) < pace.ttl_s:
            raise
        watch = leases.Standby(pace.ttl_s)
        if not _stands_still(workspace, watch, current, pace):
            raise
        return _taken_over(workspace, current, watch)


def _current(workspace: Workspace) -> leases.Lease | None:
    with workspace.store.read() as tx:
        return leases.read_lease(tx)


def _stands_still(workspace: Workspace, watch: leases.Standby, current: leases.Lease, pace: Pace) -> bool:
    """Whether this very beat is still the last one after the whole time."""
    first = (current.token, current.heartbeat)
    found: leases.Lease | None = current
    while found is not None and (found.token, found.heartbeat) == first:
        watch.observe(found, time.monotonic())
        if watch.lapsed(found):
            return True
        time.sleep(pace.look_s)
        found = _current(workspace)
    return found is None


def _taken_over(workspace: Workspace, before: leases.Lease, watch: leases.Standby) -> leases.Lease:
    lease = leases.acquire(workspace.store, workspace.holder, alive=process_alive, lapsed=watch.lapsed)
    count_from_here(Fenced(workspace.store, lease), before.token, workspace.now)
    return lease


def _waited_for(workspace: Workspace, pace: Pace, wait: Wait) -> leases.Lease:
    """Stand by until the holder gives the lease back, is gone, or has been silent for the lease's whole time."""
    store = workspace.store
    lease = leases.stand_by(
        store, workspace.holder, alive=process_alive, monotonic=time.monotonic, wait=wait, ttl_s=pace.ttl_s,
        every_s=pace.look_s,
    )  # fmt: skip
    if lease is None:
        return take_lease(workspace, pace)
    count_from_here(Fenced(store, lease), lease.token - 1, workspace.now)
    return lease
