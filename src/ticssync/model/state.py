"""The state of a criterion, derived from three facts that are never mixed: task, evidence, confirmation.

One ordered table; the first row that applies.  A state is never stored.  A tracker alone brings a
criterion at most to `reported`, and nothing at all reads as `unknown`, never as done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ticssync.errors import say
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import BindingState
from ticssync.model.criterion import Words
from ticssync.model.evidence import EvidenceState
from ticssync.model.task import Status


class State(StrEnum):
    """The twelve words, in the order of the table."""

    EXCLUDED = "excluded"
    NOT_APPLICABLE = "not_applicable"
    FETCH_FAILED = "fetch_failed"
    EXPIRED = "expired"
    RETURNED = "returned"
    CONFIRMED = "confirmed"
    REPORTED = "reported"
    REPORTED_WITHOUT_EVIDENCE = "reported_without_evidence"
    EXCLUSION_PROPOSED = "exclusion_proposed"
    IN_PROGRESS = "in_progress"
    NOT_STARTED = "not_started"
    UNKNOWN = "unknown"


class Pile(StrEnum):
    """Where a manager looks: done with, waiting for a named person, still open, or not to be trusted now."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OPEN = "open"
    WARNING = "warning"


LABEL: Final[Mapping[State, Words]] = MappingProxyType(
    {
        State.EXCLUDED: Words("対象外", "Excluded"),
        State.NOT_APPLICABLE: Words("適用外", "Not applicable"),
        State.FETCH_FAILED: Words("読取エラー", "Read error"),
        State.EXPIRED: Words("要更新（証跡の期限切れ）", "Needs renewal (evidence expired)"),
        State.RETURNED: Words("差戻し", "Returned"),
        State.CONFIRMED: Words("確認済", "Confirmed"),
        State.REPORTED: Words("確認待ち", "Waiting for confirmation"),
        State.REPORTED_WITHOUT_EVIDENCE: Words("証跡不足", "Evidence missing"),
        State.EXCLUSION_PROPOSED: Words("対象外の申請", "Exclusion proposed"),
        State.IN_PROGRESS: Words("対応中", "In progress"),
        State.NOT_STARTED: Words("未着手", "Not started"),
        State.UNKNOWN: Words("情報なし", "No information"),
    }
)

PILE: Final[Mapping[State, Pile]] = MappingProxyType(
    {
        State.EXCLUDED: Pile.CONFIRMED,
        State.NOT_APPLICABLE: Pile.CONFIRMED,
        State.FETCH_FAILED: Pile.WARNING,
        State.EXPIRED: Pile.OPEN,
        State.RETURNED: Pile.OPEN,
        State.CONFIRMED: Pile.CONFIRMED,
        State.REPORTED: Pile.WAITING,
        State.REPORTED_WITHOUT_EVIDENCE: Pile.OPEN,
        State.EXCLUSION_PROPOSED: Pile.WAITING,
        State.IN_PROGRESS: Pile.OPEN,
        State.NOT_STARTED: Pile.OPEN,
        State.UNKNOWN: Pile.WARNING,
    }
)
"""`excluded` and `not_applicable` lie with the confirmed ones: a named person has decided both."""

PILE_LABEL: Final[Mapping[Pile, Words]] = MappingProxyType(
    {
        Pile.CONFIRMED: Words("確認済", "Confirmed"),
        Pile.WAITING: Words("あなたの確認待ち", "Waiting for you"),
        Pile.OPEN: Words("未了", "Open"),
        Pile.WARNING: Words("情報なし・読取エラー", "No information or not readable"),
    }
)

LATE_LABEL: Final = Words("遅延", "Late")

_ENDED: Final = frozenset({Status.DONE, Status.WONT_DO})
_SETTLED: Final = frozenset({State.EXCLUDED, State.NOT_APPLICABLE, State.CONFIRMED})


@dataclass(frozen=True, slots=True)
class TaskFact:
    """One main task of the criterion (mirrors and copies never count).

    `status` is what its tracker said last; `binding` is None where the task has no place in a tracker.
    `reopened_since_act`: it left done or wont_do after the last act.
    """

    status: Status | None
    binding: BindingState | None = BindingState.LIVE
    reopened_since_act: bool = False

    @property
    def known(self) -> Status | None:
        """The status, as far as it can be trusted: only a live binding shows what is so now."""
        return self.status if self.binding is BindingState.LIVE else None


@dataclass(frozen=True, slots=True)
class CriterionFacts:
    """All that a criterion's state follows from, in one cycle and for one as-of day.

    `act` is the last act that was not withdrawn; `excluded` says that an exclusion is in force on the day.
    `reported_since_act`: a task was reported (done or wont_do) after the last act.
    `read_since_as_of`: every main tracker of the criterion was read on the as-of day or later.
    `confirmation_expired`: the last act is a confirmation whose last day has passed.
    """

    in_scope: bool
    read_since_as_of: bool
    profile_confirmed: bool = False
    act: Act | None = None
    excluded: bool = False
    tasks: tuple[TaskFact, ...] = ()
    evidence_state: EvidenceState = EvidenceState.UNKNOWN
    evidence_changed_since_act: bool = False
    confirmation_expired: bool = False
    missed_cycle: bool = False
    reported_since_act: bool = False

    def last_act_is(self, kind: ActKind) -> bool:
        """Whether the last act that stands is of this kind."""
        return self.act is not None and self.act.kind is kind


@dataclass(frozen=True, slots=True)
class Derived:
    """The state, and why, in a sentence for people (translatable)."""

    state: State
    reason: str


Place = tuple[str, str]
"""(part, cycle) of a task within its criterion, both empty where unused."""


def act_that_counts(standing: Iterable[Act], places: Collection[Place]) -> Act | None:
    """The one act that a criterion's state follows from, out of the acts on it that stand.

    `places` are those of its main tasks that count now.  An act on one part, or in one cycle, says nothing
    of the others: a confirmation counts only where every place is decided, and then from the earliest of
    them on, so that whatever changed after it is noticed.  A part that was returned returns the whole.
    An act without a part is on all parts; one without a cycle only on tasks without a cycle.
    """
    ordered = sorted(standing, key=lambda act: act.seq)
    found = [_last_on(ordered, place) for place in (places or [("", "")])]
    decided = [act for act in found if act is not None]
    returned = [act for act in decided if act.kind is ActKind.RETURN]
    if returned:
        return max(returned, key=lambda act: act.seq)
    if len(decided) < len(found):
        return None
    confirmed = [act for act in decided if act.kind is ActKind.CONFIRM]
    return min(confirmed or decided, key=lambda act: act.seq)


def _last_on(ordered: Iterable[Act], place: Place) -> Act | None:
    part, cycle = place
    on_it = [act for act in ordered if act.part in {"", part} and act.cycle == cycle]
    return on_it[-1] if on_it else None


Predicate = Callable[[CriterionFacts], bool]
Reason = Callable[[CriterionFacts], str]


def work_reported(facts: CriterionFacts) -> bool:
    """All main tasks are done or wont_do, and at least one is done."""
    known = [task.known for task in facts.tasks]
    return all(status in _ENDED for status in known) and Status.DONE in known


def _expired(facts: CriterionFacts) -> bool:
    return facts.confirmation_expired or facts.missed_cycle or facts.evidence_state is EvidenceState.EXPIRED


def _unfetched(facts: CriterionFacts) -> bool:
    return not facts.read_since_as_of or facts.evidence_state is EvidenceState.UNREADABLE


def _changed_since_act(facts: CriterionFacts) -> bool:
    return facts.evidence_changed_since_act or any(task.reopened_since_act for task in facts.tasks)


def _returned(facts: CriterionFacts) -> bool:
    return facts.last_act_is(ActKind.RETURN) and not facts.reported_since_act


def _confirmed(facts: CriterionFacts) -> bool:
    return facts.last_act_is(ActKind.CONFIRM) and not _changed_since_act(facts)


def _no_longer_confirmed(facts: CriterionFacts) -> bool:
    return facts.last_act_is(ActKind.CONFIRM) and _changed_since_act(facts)


def _reported(facts: CriterionFacts) -> bool:
    return work_reported(facts) and facts.evidence_state is EvidenceState.COMPLETE


def _reported_bare(facts: CriterionFacts) -> bool:
    return work_reported(facts) and facts.evidence_state in {EvidenceState.NONE, EvidenceState.PARTIAL}


def _wont_do_alone(facts: CriterionFacts) -> bool:
    return bool(facts.tasks) and all(task.known is Status.WONT_DO for task in facts.tasks)


def _under_way(facts: CriterionFacts) -> bool:
    return any(task.known in {Status.DOING, Status.REVIEW, Status.DONE} for task in facts.tasks)


def _untouched(facts: CriterionFacts) -> bool:
    return bool(facts.tasks) and all(task.known is Status.TODO for task in facts.tasks)


def _always(_facts: CriterionFacts) -> bool:
    return True


def _because(sentence: str) -> Reason:
    return lambda _facts: sentence


def _why_unfetched(facts: CriterionFacts) -> str:
    if facts.evidence_state is EvidenceState.UNREADABLE:
        return say("evidence that is held cannot be read")
    return say("the tracker has not been read since the as-of day")


def _why_expired(facts: CriterionFacts) -> str:
    if facts.missed_cycle:
        return say("a cycle has passed without its work being confirmed")
    if facts.confirmation_expired:
        return say("the period of the confirmation has ended")
    return say("the period of the evidence has ended")


def _why_no_longer_confirmed(facts: CriterionFacts) -> str:
    if facts.evidence_changed_since_act:
        return say("it was confirmed, but the evidence has changed since")
    return say("it was confirmed, but a task was reopened since")


def _why_under_way(facts: CriterionFacts) -> str:
    if work_reported(facts):
        return say("reported, but the evidence has not been checked")
    if any(task.known is None for task in facts.tasks):
        return say("work is under way; a task cannot be found in its tracker")
    return say("work is under way")


def _why_unknown(facts: CriterionFacts) -> str:
    if not facts.in_scope and not facts.profile_confirmed:
        return say("the profile leaves this out, but nobody has confirmed the profile")
    if not facts.tasks:
        return say("there is no task for this in any tracker")
    if any(task.known is None for task in facts.tasks):
        return say("a task cannot be found in its tracker")
    return say("the tasks do not fit together: some are not to be done, others not started")


TABLE: Final[tuple[tuple[State, Predicate, Reason], ...]] = (
    (State.EXCLUDED, lambda facts: facts.excluded, _because(say("a named person has excluded it"))),
    (
        State.NOT_APPLICABLE,
        lambda facts: not facts.in_scope and facts.profile_confirmed,
        _because(say("the confirmed profile leaves it out")),
    ),
    (State.FETCH_FAILED, _unfetched, _why_unfetched),
    (State.EXPIRED, _expired, _why_expired),
    (State.RETURNED, _returned, _because(say("returned, and nothing newer was reported"))),
    (State.CONFIRMED, _confirmed, _because(say("a named person has confirmed it"))),
    (State.UNKNOWN, _no_longer_confirmed, _why_no_longer_confirmed),
    (State.REPORTED, _reported, _because(say("reported with evidence; a named person has yet to look"))),
    (
        State.REPORTED_WITHOUT_EVIDENCE,
        _reported_bare,
        _because(say("reported, but the evidence is not complete")),
    ),
    (
        State.EXCLUSION_PROPOSED,
        _wont_do_alone,
        _because(say("the tracker says it will not be done; a named person has yet to decide")),
    ),
    (State.IN_PROGRESS, _under_way, _why_under_way),
    (State.NOT_STARTED, _untouched, _because(say("no task has been started"))),
    (State.UNKNOWN, _always, _why_unknown),
)
"""First that applies.  A confirmation that no longer holds stands directly behind `confirmed`: what was
confirmed is neither confirmed nor simply reported again until the named person looks."""


def derive(facts: CriterionFacts) -> Derived:
    """The state of a criterion and the reason."""
    for state, applies, why in TABLE:
        if applies(facts):
            return Derived(state, why(facts))
    raise AssertionError("the last row of the table always applies")


def waits_for_confirmer(facts: CriterionFacts) -> bool:
    """Whether a named person has something to decide here.

    Besides `reported` and `exclusion_proposed`: a confirmation that no longer holds (or whose period has
    ended) while the work is reported and proven, so that it can be confirmed anew.
    """
    state = derive(facts).state
    if state in {State.REPORTED, State.EXCLUSION_PROPOSED}:
        return True
    stale = _no_longer_confirmed(facts) or facts.confirmation_expired
    return stale and state in {State.UNKNOWN, State.EXPIRED} and confirmable(facts)


def confirmable(facts: CriterionFacts) -> bool:
    """Whether there is something that can be confirmed: read, all reported, and the proof rule met."""
    return facts.read_since_as_of and _reported(facts)


def is_late(state: State, due: date | None, as_of: date) -> bool:
    """Whether the due day (its last good day) has passed and a person still has to work or decide here.

    A flag beside the state, never a state.
    """
    return due is not None and due < as_of and state not in _SETTLED
