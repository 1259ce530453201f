"""Whether what is held is enough for an item.  Pure.

Each piece keeps the last good day that it got when it was taken in; a later change of the rule's period
speaks of later pieces only, so that nothing green turns red overnight without anybody having acted.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from ticssync.errors import Said, say
from ticssync.model.criterion import EvidenceRule
from ticssync.model.evidence import REMARK, Evidence, EvidenceState


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The pieces that are not withdrawn, by what they are good for on one day."""

    fitting: tuple[Evidence, ...]
    current: tuple[Evidence, ...]
    readable: tuple[Evidence, ...]
    good: tuple[Evidence, ...]


def evidence_state(rule: EvidenceRule, items: Sequence[Evidence], as_of: date) -> tuple[EvidenceState, str]:
    """The state on the day `as_of`, and why in a sentence for people.  `items` are those of one criterion.

    What people only said (notes in a tracker) is no proof.  Pieces with the same bytes count once.
    A piece that cannot be read or whose period has ended matters only where the others are too few without it.
    """
    held = [item for item in items if not item.withdrawn and item.kind != REMARK]
    if not held and rule.count > 0:
        return EvidenceState.NONE, say("no evidence is held: {held} of {needed}", held=0, needed=rule.count)
    found = _sorted(rule, held, as_of)
    count = _count(found.good)
    if count >= rule.count:
        return EvidenceState.COMPLETE, say(
            "evidence is held: {held} of {needed}", held=count, needed=rule.count
        )
    return _too_few(rule, held, found)


def _sorted(rule: EvidenceRule, held: Sequence[Evidence], as_of: date) -> _Sorted:
    fitting = tuple(item for item in held if not rule.kinds or item.kind in rule.kinds)
    current = tuple(item for item in fitting if item.valid_until is None or as_of <= item.valid_until)
    readable = tuple(item for item in current if item.readable)
    good = tuple(item for item in readable if not rule.reviewed or is_reviewed(item))
    return _Sorted(fitting, current, readable, good)


def _too_few(rule: EvidenceRule, held: Sequence[Evidence], found: _Sorted) -> tuple[EvidenceState, str]:
    usable, needed = _count(found.readable), rule.count
    if usable >= needed:
        return EvidenceState.PARTIAL, say(
            "reviewed by another person than the one who handed it in: {held} of {needed}",
            held=_count(found.good),
            needed=needed,
        )
    lost = [item.name for item in found.current if not item.readable]
    if lost:
        return EvidenceState.UNREADABLE, say(
            "usable: {held} of {needed}; it can no longer be read: {names}",
            held=usable,
            needed=needed,
            names=", ".join(lost),
        )
    if _count(found.fitting) >= needed:
        return EvidenceState.EXPIRED, _why_expired(found, usable, needed)
    return EvidenceState.PARTIAL, _why_partial(rule, held, found, usable)


def _why_expired(found: _Sorted, usable: int, needed: int) -> Said:
    ended = max(item.valid_until for item in found.fitting if item.valid_until and item not in found.current)
    return say(
        "within its period: {held} of {needed}; the last period ended on {day}",
        held=usable,
        needed=needed,
        day=ended.isoformat(),
    )


def _why_partial(rule: EvidenceRule, held: Sequence[Evidence], found: _Sorted, usable: int) -> Said:
    if len(found.fitting) < len(held):
        return say(
            "of the kind asked for ({kinds}): {held} of {needed}",
            kinds=kinds_said(rule.kinds),
            held=usable,
            needed=rule.count,
        )
    return say("evidence is held in part: {held} of {needed}", held=usable, needed=rule.count)


def _count(items: Sequence[Evidence]) -> int:
    return len({item.sha256 or item.id for item in items})


def is_reviewed(item: Evidence) -> bool:
    """Whether another person than the one who handed it in has looked at it."""
    return bool(item.reviewed_by) and item.reviewed_by != item.handed_in_by


def kind_said(kind: str) -> str:
    """A kind of evidence in a word for people; a word that this version does not know comes back as it is."""
    known = {
        "document": say("document"),
        "register": say("register"),
        "record": say("record"),
        "photo": say("photo"),
        "screenshot": say("screenshot"),
        "certificate": say("certificate"),
        REMARK: say("note in the tracker"),
    }
    return known.get(kind, kind)


def kinds_said(kinds: Sequence[str]) -> str:
    """Several kinds as one translatable phrase."""
    return reduce(
        lambda first, second: say("{first} or {second}", first=first, second=second), map(kind_said, kinds)
    )


def last_good_day(dated_on: date, valid_months: int | None) -> date | None:
    """`dated_on` plus so many months (31 January plus one: the last of February); None = no end."""
    if valid_months is None:
        return None
    index = dated_on.year * 12 + dated_on.month - 1 + valid_months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(dated_on.day, calendar.monthrange(year, month + 1)[1]))
