"""A store that is made anew: what counts as agreed between ticssync and the trackers.  Pure.

Nothing is pushed.  Where what stands in a tracker is just what ticssync would write there, it is agreed; where it is
not, nobody knows which of the two is newer, and a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from ticssync.model.binding import HUB
from ticssync.model.canonical import plain
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields, FieldValue, RemoteRef, RemoteTask
from ticssync.sync.state import Site

LONGEST_HOLIDAY: Final = 40
"""Days in a row without a working day, at most."""


@dataclass(frozen=True, slots=True)
class Stands:
    """A live place of a task as it was read.  `wanted` is what ticssync would show there of its own fields; `stale`
    are those of them that show a state as it was told before, and nothing else: they are brought up to date as ever."""

    site: Site
    task: RemoteTask
    wanted: Fields
    stale: frozenset[str] = frozenset()


@dataclass
class Agreed:
    """`values` go into the hub; `bases` by place; `conflicts` are payloads of `conflict.opened` without their id."""

    values: dict[str, FieldValue] = field(default_factory=dict)
    bases: dict[RemoteRef, Fields] = field(default_factory=dict)
    conflicts: list[dict[str, Any]] = field(default_factory=list)


def agree(key: TaskKey, places: Sequence[Stands]) -> Agreed:
    """What is agreed of a task in all its places, main first."""
    agreed = Agreed()
    open_fields = _ours(key, places, agreed)
    names = dict.fromkeys(name for one in places for name in one.site.owners)
    for name in names:
        sides = [one for one in places if name in one.task.fields and two_way(one.site, name)]
        if not sides:
            continue
        fitting = [one.task.fields[name] for one in sides if _fits(name, one.task.fields[name], sides)]
        if fitting:
            agreed.values[name] = fitting[0]
            continue
        open_fields |= {(one.task.ref, name) for one in sides}
        shown = {one.site.name: one.task.fields[name] for one in sides}
        agreed.conflicts.append(_conflict(key, name, sides[0].site.owners[name], shown, None))
    for one in places:
        agreed.bases[one.task.ref] = {
            name: value for name, value in one.task.fields.items() if (one.task.ref, name) not in open_fields
        }
    return agreed


def two_way(site: Site, name: str) -> bool:
    """Whether people may change the field in that tracker."""
    return site.owners.get(name, "ticssync") != "ticssync"


def _fits(name: str, value: FieldValue, sides: Sequence[Stands]) -> bool:
    """Whether each side shows just this value, as far as it can show it."""
    return len(sides) == 1 or all(one.site.driver.view(name, value) == one.task.fields[name] for one in sides)


def _ours(key: TaskKey, places: Sequence[Stands], agreed: Agreed) -> set[tuple[RemoteRef, str]]:
    """Fields that ticssync fills and that show something else: one conflict each, and no base."""
    found: set[tuple[RemoteRef, str]] = set()
    for one in places:
        for name, value in one.wanted.items():
            if name not in one.task.fields or name in one.stale or two_way(one.site, name):
                continue
            wanted, there = one.site.driver.view(name, value), one.task.fields[name]
            if wanted != there:
                found.add((one.task.ref, name))
                sides = {one.site.name: there, HUB: wanted}
                agreed.conflicts.append(_conflict(key, name, "ticssync", sides, wanted))
    return found


def _conflict(
    key: TaskKey, name: str, owner: str, values: Mapping[str, FieldValue], taken: FieldValue
) -> dict[str, Any]:
    return {
        "task": str(key),
        "field": name,
        "owner": owner,
        "base": None,
        "values": plain(values),
        "taken": plain(taken),
    }


def first_day(due: FieldValue, days: int, target_day: Callable[[date], date], today: date) -> date:
    """The day that a task must have come up on for its due date to be the one that stands in the tracker.

    `days`: how many days after it the task is due; `target_day` moves a due date to a working day before it.  Today
    where no day gives that date: the difference is then a person's to settle.
    """
    try:
        there = date.fromisoformat(due) if isinstance(due, str) else None
    except ValueError:
        there = None
    if there is None:
        return today
    nearest = there - timedelta(days=days)
    candidates = (nearest + timedelta(days=shift) for shift in range(LONGEST_HOLIDAY))
    return next((day for day in candidates if target_day(day + timedelta(days=days)) == there), today)
