"""The merge of one field over all its spokes at once.  Pure, and free of the order in which they were read.

Values are compared through what each spoke can show of them (`view`): a tracker with fewer statuses than ours
would otherwise seem to change the value back in every cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from ticssync.model.binding import HUB, Origin
from ticssync.model.task import FieldValue


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""Not read, or not there: never the same as "empty"."""

Maybe: TypeAlias = FieldValue | _Missing


@dataclass(frozen=True, slots=True)
class Side:
    """One spoke's part in the merge of one field.

    `edited_at` is the UTC text of the tracker's last change, None where unknown; `by_person` is None where the
    tracker cannot tell.  `refused`: it was offered a value of this field and did not take it.
    """

    tracker: str
    base: Maybe
    read: Maybe
    view: Callable[[FieldValue], FieldValue] = lambda value: value
    edited_at: str | None = None
    by_person: bool | None = None
    refused: bool = False

    @property
    def changed(self) -> bool:
        """Whether this spoke was read and shows something else than was last agreed."""
        return self.read is not MISSING and self.base is not MISSING and self.read != self.base

    @property
    def unbased(self) -> bool:
        """Read, but never agreed on (adopted, or a store that was rebuilt)."""
        return self.read is not MISSING and self.base is MISSING

    def behind(self, old: Maybe) -> bool:
        """Whether what was last agreed here is not what is in force: its people never saw that."""
        return old is not MISSING and self.base is not MISSING and self.view(old) != self.base

    def lifted(self, old: Maybe) -> FieldValue:
        """The value read, or the hub's own where this spoke shows exactly that of it."""
        assert self.read is not MISSING
        return old if old is not MISSING and self.view(old) == self.read else self.read


@dataclass(frozen=True, slots=True)
class Merged:
    """The value in force; `losers` are the other sides' values (a conflict row where there are any).

    `held`: nothing may be written for this field until a person settles it.  `came_from` names the sides whose
    change was taken.
    """

    value: Maybe
    losers: Mapping[str, FieldValue] = field(default_factory=dict)
    held: bool = False
    came_from: tuple[str, ...] = ()


def merge_field(
    old: Maybe,
    sides: Sequence[Side],
    *,
    wish: Maybe = MISSING,
    wish_at: str | None = None,
    origin: Origin | None = None,
) -> Merged:
    """Merge a field that trackers may change.  `sides` stand in the route's order: main, then mirrors.

    `wish` is what a person's act in ticssync asks for: the hub is then one more side, and the last in rank.
    `origin` tells who set the value in force: beside the change of a side that never saw that value it counts as a
    change too, however many passes lie between the two (a tracker was down, or a write did not arrive).
    """
    unbased = _unbased(old, sides)
    if unbased is not None:
        return unbased
    asking = [
        side
        for side in sides
        # A hub that holds nothing yet (the process died between the create and its record) takes what is there.
        if side.changed or side.unbased or (old is MISSING and side.read is not MISSING)
    ]
    asking = [side for side in asking if side.lifted(old) != old]
    candidates = [(side.tracker, side.lifted(old), side.edited_at, side.by_person) for side in asking]
    if origin is not None and old is not MISSING and _unseen(old, asking, origin):
        order = [side.tracker for side in sides]
        earlier = order[: order.index(origin.tracker)] if origin.tracker in order else order
        place = sum(name in earlier for name, _, _, _ in candidates)
        candidates.insert(place, (origin.tracker, old, origin.at, origin.by_person))
    if wish is not MISSING:
        candidates.append((HUB, wish, wish_at, True))
    if not candidates:
        return Merged(old)
    winner = _winner(candidates)
    losers = {name: value for name, value, _, _ in candidates if value != winner[1]}
    came_from = tuple(name for name, value, _, _ in candidates if value == winner[1])
    return Merged(winner[1], losers, came_from=came_from)


def _unseen(old: Maybe, asking: Sequence[Side], origin: Origin) -> bool:
    """Whether a side asks for something else without ever having shown the value in force.

    A tracker that refused what a person wished in ticssync is no such side: that is told as a refusal, and what its
    people do then they do knowing what stands there.
    """
    if any(side.tracker == origin.tracker for side in asking):
        return False
    return any(side.behind(old) and not (side.refused and origin.tracker == HUB) for side in asking)


Candidate: TypeAlias = tuple[str, FieldValue, str | None, bool | None]


def _unbased(old: Maybe, sides: Sequence[Side]) -> Merged | None:
    """Without a base nobody knows who changed: sides that differ are shown to a person, nothing is pushed."""
    without = [side for side in sides if side.unbased]
    if not without:
        return None
    values = {side.tracker: side.lifted(old) for side in sides if side.read is not MISSING}
    if old is not MISSING:
        values[HUB] = old
    if len(set(values.values())) == 1:
        return None
    return Merged(old, {name: value for name, value in values.items() if name != HUB}, held=True)


def _winner(candidates: Sequence[Candidate]) -> Candidate:
    """The newest person's edit where every time is known, else the first in rank."""
    if all(at is not None for _, _, at, _ in candidates):
        people = [one for one in candidates if one[3] is not False] or list(candidates)
        newest = max(at for _, _, at, _ in people if at is not None)
        return next(one for one in people if one[2] == newest)
    return candidates[0]
