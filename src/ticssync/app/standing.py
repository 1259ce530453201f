"""How each criterion stands: the three facts of the store, put together.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ticssync.evidence.rules import evidence_state
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import Binding, BindingState
from ticssync.model.criterion import EvidenceRule
from ticssync.model.evidence import Evidence, EvidenceState
from ticssync.model.key import TaskKey
from ticssync.model.state import (
    CriterionFacts,
    Derived,
    TaskFact,
    act_that_counts,
    derive,
    is_late,
    waits_for_confirmer,
)
from ticssync.model.task import RemoteRef, Status

ENDED: Final = ("done", "wont_do")
HOLDING: Final = (BindingState.LIVE, BindingState.LOST, BindingState.TOMB)
PENDING: Final = 2**62
"""The number of a change that is seen but not committed yet: after every event."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A task's status went from one word to another with event `seq`."""

    seq: int
    key: TaskKey
    old: str | None
    new: str | None
    ref: RemoteRef


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything of the store that states derive from, on one as-of day."""

    as_of: date
    scopes: Mapping[str, Mapping[str, Any]]
    profile_confirmed: Mapping[str, bool]
    bindings: tuple[Binding, ...]
    acts: tuple[Act, ...]
    evidence: tuple[Evidence, ...]
    evidence_seq: Mapping[str, int]
    read_on: Mapping[str, str | None]
    changes: tuple[StatusChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """One criterion, one cycle."""

    scheme: str
    item: Mapping[str, Any]
    facts: CriterionFacts
    derived: Derived
    late: bool
    task_status: str | None
    evidence_state: EvidenceState
    evidence_reason: str
    act: Act | None
    due_on: str | None
    owner: str | None
    tasks: tuple[Binding, ...]

    @property
    def ref(self) -> str:
        """`tics/T-14`."""
        return f"{self.scheme}/{self.item['id']}"

    @property
    def waits(self) -> bool:
        """Whether a named person has something to decide here."""
        return waits_for_confirmer(self.facts)


def standings(ledger: Ledger) -> tuple[Standing, ...]:
    """All criteria of all schemes, in catalogue order."""
    by_criterion: dict[str, list[Binding]] = {}
    for one in ledger.bindings:
        by_criterion.setdefault(one.key.criterion, []).append(one)
    return tuple(
        _standing(ledger, scheme, item, by_criterion.get(f"{scheme}/{item['id']}", []))
        for scheme, scope in sorted(ledger.scopes.items())
        for item in scope["items"]
    )


def _standing(ledger: Ledger, scheme: str, item: Mapping[str, Any], bound: Sequence[Binding]) -> Standing:
    ref = f"{scheme}/{item['id']}"
    tasks = current_tasks(bound)
    main = [one for one in tasks if one.role == "main"]
    acts = [one for one in ledger.acts if one.criterion == ref]
    act = act_that_counts(acts, {(one.key.part, one.key.cycle) for one in main})
    held = [one for one in ledger.evidence if one.criterion == ref]
    proof, reason = evidence_state(rule_of(item), held, ledger.as_of)
    facts = _facts(ledger, scheme, item, main, act, proof)
    derived = derive(facts)
    due = min((one.due for one in main if one.due), default=None)
    late = is_late(derived.state, date.fromisoformat(due) if due else None, ledger.as_of)
    owner = next((one.assignee for one in main if one.assignee), item.get("owner"))
    return Standing(
        scheme,
        item,
        facts,
        derived,
        late,
        _together(main),
        proof,
        reason,
        act,
        due,
        owner,
        tasks,
    )


def rule_of(item: Mapping[str, Any]) -> EvidenceRule:
    """The item's proof rule out of its payload."""
    rule = item["evidence"]
    return EvidenceRule(rule["count"], tuple(rule["kinds"]), rule["valid_months"], rule["reviewed"])


def current_tasks(bound: Sequence[Binding]) -> tuple[Binding, ...]:
    """The tasks to show: copies never, detached ones only where nothing else holds their place."""
    holding = {one.key for one in bound if one.state in HOLDING}
    return tuple(
        one
        for one in bound
        if one.state is not BindingState.COPY
        and not (one.state is BindingState.DETACHED and one.key in holding)
    )


def _facts(
    ledger: Ledger,
    scheme: str,
    item: Mapping[str, Any],
    main: Sequence[Binding],
    act: Act | None,
    proof: EvidenceState,
) -> CriterionFacts:
    since = act.seq if act else 0
    # Only what happened to the main tasks counts: a mirror's own way says nothing of the criterion.
    places = {one.ref for one in main}
    changes = [one for one in ledger.changes if one.seq > since and one.ref in places]
    reopened = {one.key for one in changes if one.old in ENDED and one.new not in ENDED}
    in_force = act is not None and (act.until is None or ledger.as_of <= act.until)
    trackers = {one.ref.tracker for one in main if one.state in HOLDING}
    return CriterionFacts(
        in_scope=item["in_scope"],
        read_since_as_of=all(
            (ledger.read_on.get(name) or "") >= ledger.as_of.isoformat() for name in trackers
        ),
        profile_confirmed=ledger.profile_confirmed.get(scheme, False),
        act=act,
        excluded=act is not None and act.kind is ActKind.EXCLUDE and in_force,
        tasks=tuple(
            TaskFact(Status(one.status) if one.status else None, one.state, one.key in reopened)
            for one in main
        ),
        evidence_state=proof,
        evidence_changed_since_act=act is not None
        and ledger.evidence_seq.get(f"{scheme}/{item['id']}", 0) > act.seq,
        confirmation_expired=act is not None and act.kind is ActKind.CONFIRM and not in_force,
        reported_since_act=any(one.new in ENDED and one.old not in ENDED for one in changes),
    )


def _together(main: Sequence[Binding]) -> str | None:
    """One word for several tasks: theirs where they agree, `doing` where work is under way, else unknown."""
    words = {one.status if one.state is BindingState.LIVE else None for one in main}
    if len(words) == 1:
        return words.pop()
    return None if None in words or not words else Status.DOING.value
