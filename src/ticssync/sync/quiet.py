"""The pass in which nothing has happened: told from a note that the last full pass left, and one listing a tracker.

Most passes of a daemon find nothing.  A pass that ended with nothing to write, to settle or to wait for leaves a
note of what it went by: the inputs (mappings, scope, people, day), the number of the last event, the cursors.  As
long as all of that stands and a listing shows no version but known ones, deciding again would decide the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from ticssync.model.binding import BindingState
from ticssync.model.canonical import parse_instant
from ticssync.model.task import RemoteTask
from ticssync.plugin import Page
from ticssync.store import Store, Transaction, working
from ticssync.store.bindings import bindings
from ticssync.store.collected import due, versions
from ticssync.sync.actions import TrackerReport
from ticssync.sync.look import Seen, full_look_due, with_errors
from ticssync.sync.state import Site

NOTE: Final = "quiet"


@dataclass
class Listed:
    """What a tracker listed from `since` on; used by the full pass where this was not a quiet one."""

    seen: Seen
    since: str | None
    pages: list[Page[RemoteTask]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Start:
    """What the store says at the beginning of a pass."""

    note: Mapping[str, Any]
    cursors: Mapping[str, tuple[str | None, str | None]]
    busy: bool


def listings(
    store: Store, sites: Mapping[str, Site], inputs: str, today: date, now: datetime
) -> tuple[bool, dict[str, Listed]]:
    """(whether this pass may be a quiet one as far as the store knows, the listings made so far).

    Nothing is listed where the store knows better, or a full look is due.
    """
    with store.read() as tx:
        start = _start(tx, sites, now)
        standing = tx.standing()
    same = start.note.get("inputs") == inputs and start.note.get("standing") == standing
    known = start.note.get("trackers", {})
    due = any(
        full_look_due(full_at, now) or site.driver.caps.listing
        for site, (_, full_at) in ((sites[name], start.cursors[name]) for name in sites)
    )
    if (
        not same
        or start.busy
        or due
        or set(known) != set(sites)
        or start.note.get("today") != today.isoformat()
    ):
        return False, {}
    found = {}
    for name, site in sites.items():
        listed = found[name] = Listed(Seen(site), start.cursors[name][0])
        _list(listed)
    return True, found


def _start(tx: Transaction, sites: Mapping[str, Site], now: datetime) -> Start:
    held = [working.not_before(tx, name) for name in sites]
    busy = any(until is not None and parse_instant(until) > now for until in held) or any(
        working.intents(tx, name) or working.hot(tx, name) for name in sites
    )
    note = json.loads(tx.meta(NOTE) or "{}")
    return Start(note, {name: working.cursor(tx, name) for name in sites}, busy)


def _list(listed: Listed) -> None:
    def ask() -> None:
        for page in listed.seen.site.driver.list_changed(listed.since):
            listed.pages.append(page)
            listed.seen.cursor = page.cursor

    with_errors(listed.seen, ask)


def nothing_new(store: Store, found: Mapping[str, Listed]) -> bool:
    """Whether every tracker answered, and listed only what is known in just that version."""
    if any(
        not one.seen.ok or one.seen.site.driver.notices() or one.seen.site.driver.repairs()
        for one in found.values()
    ):
        return False
    tasks = [task for one in found.values() for page in one.pages for task in page.items]
    if not tasks:
        return True
    with store.read() as tx:
        ids = {task.ref.id for task in tasks}
        known = {name: versions(tx, name, ids) for name in found}
    return all(
        task.version is not None and known[task.ref.tracker].get(task.ref) == task.version for task in tasks
    )


def keep_quiet(store: Store, found: Mapping[str, Listed]) -> None:
    """Cursors and the drivers' memories move on, where they did."""
    moved = [
        (name, one) for name, one in found.items()
        if one.seen.site.memory.changed or (one.seen.cursor is not None and one.seen.cursor != one.since)
    ]  # fmt: skip
    if not moved:
        return
    with store.write() as tx:
        for name, one in moved:
            _, full_at = working.cursor(tx, name)
            if one.seen.cursor is not None:
                working.put_cursor(tx, name, one.seen.cursor, full_at)
            working.put_memory(tx, name, one.seen.site.memory.take())


def reports_of(store: Store, found: Mapping[str, Listed], reports: Mapping[str, TrackerReport]) -> None:
    """Nothing but counts."""
    with store.read() as tx:
        note = json.loads(tx.meta(NOTE) or "{}")
    for name, one in found.items():
        reports[name].requests = one.seen.site.driver.requests
        reports[name].unchanged = int(note["trackers"][name])


def leave_note(
    store: Store,
    inputs: str,
    today: date,
    standing: str,
    seens: Mapping[str, Seen],
    reports: Mapping[str, TrackerReport],
) -> None:
    """What the next pass may go by; only where nobody and nothing is waited for, and nothing has changed in the
    store since this pass began (`standing` is from then): neither by itself nor by anybody beside it."""
    quiet = all(map(_still, reports.values())) and all(seen.ok for seen in seens.values())
    with store.read() as tx:
        before, same = tx.meta(NOTE), tx.standing() == standing
        waiting = any(working.intents(tx, name) or due(tx, name) for name in seens)
        refused = any(not one.left for one in working.refusals(tx))
        unsettled = refused or bool(working.conflicts(tx))
        lost = any(one.state is BindingState.LOST for one in bindings(tx))
    note = None
    if quiet and same and not (waiting or unsettled or lost):
        counts = {name: reports[name].unchanged for name in seens}
        told = {"inputs": inputs, "today": today.isoformat(), "standing": standing, "trackers": counts}
        note = json.dumps(told, sort_keys=True)
    if note != before:
        with store.write() as tx:
            tx.put_meta(NOTE, note)


def _still(report: TrackerReport) -> bool:
    told = (
        report.actions,
        report.refusals,
        report.conflicts,
        report.notices,
        report.rejected,
        report.waiting,
    )
    return report.state == "ok" and not any(told)
