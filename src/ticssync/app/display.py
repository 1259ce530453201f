"""What members read in their own tracker about the state of a criterion: two fields that ticssync fills."""

from __future__ import annotations

from collections.abc import Callable

from ticssync.app.ledger import with_seen
from ticssync.app.standing import Ledger, Standing, standings
from ticssync.model.binding import Binding
from ticssync.model.key import TaskKey
from ticssync.model.state import LABEL, State
from ticssync.model.task import Fields
from ticssync.sync.state import Display
from ticssync.text import Text


def display_for(ledger: Ledger, scopes: dict[str, dict[str, object]]) -> Display:
    """The engine's question answered: given how the tasks stand, what to show in each."""

    def display(seen: tuple[Binding, ...]) -> Callable[[TaskKey, str], Fields]:
        found = {one.ref: one for one in standings(with_seen(ledger, seen, scopes))}

        def show(key: TaskKey, language: str) -> Fields:
            standing = found.get(key.criterion)
            if standing is None:
                return {}
            return {
                "confirmation": confirmation(standing, language),
                "from_office": from_office(standing, Text(language)) or None,
            }

        return show

    return display


def confirmation(standing: Standing, language: str) -> str:
    """確認状況: the state, and who decided where somebody has."""
    label = LABEL[standing.derived.state].in_language(language)
    act = standing.act
    if act is not None and standing.derived.state in (State.CONFIRMED, State.RETURNED, State.EXCLUDED):
        return f"{label} {act.on.isoformat()} {act.person_name}"
    return label


def from_office(standing: Standing, text: Text) -> str:
    """事務局から: the one thing that the member should know or do now; empty where there is nothing."""
    state, act = standing.derived.state, standing.act
    if state is State.RETURNED and act is not None:
        return text(
            "Returned by {name} ({day}): {reason}",
            name=act.person_name,
            day=act.on.isoformat(),
            reason=act.reason,
        )
    if state is State.REPORTED_WITHOUT_EVIDENCE:
        return text(
            "Evidence is still missing: {reason}. Put the file into the drop folder.",
            reason=text.said(standing.evidence_reason),
        )
    if state is State.EXPIRED:
        return text("Please renew: {reason}.", reason=text.said(standing.derived.reason))
    if state is State.UNKNOWN and act is not None and standing.facts.tasks:
        return text("Will be looked at again: {reason}.", reason=text.said(standing.derived.reason))
    return ""
