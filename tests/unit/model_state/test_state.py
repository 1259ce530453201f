"""The state of a criterion: every combination of facts against the words of the product description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timezone
from itertools import combinations_with_replacement, product

import pytest

from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import BindingState
from ticssync.model.evidence import EvidenceState
from ticssync.model.state import (
    LABEL,
    PILE,
    TABLE,
    CriterionFacts,
    Pile,
    State,
    TaskFact,
    confirmable,
    derive,
    is_late,
    waits_for_confirmer,
)
from ticssync.model.task import Status

DAY = date(2026, 11, 24)


def act(kind: ActKind) -> Act:
    return Act(
        1, kind, "tics/T-14", "", "sato", "佐藤 花子", "manager", "admin@pc", "cli", DAY,
        datetime(2026, 11, 24, 3, tzinfo=timezone.utc),
    )  # fmt: skip


ACTS = (None, *(act(kind) for kind in (ActKind.CONFIRM, ActKind.RETURN, ActKind.EXCLUDE)))
KINDS_OF_TASK = (
    *(TaskFact(status) for status in Status),
    TaskFact(Status.DONE, BindingState.LOST),
    TaskFact(Status.DONE, BindingState.TOMB),
    TaskFact(None, None),
)
TASKS = tuple(tasks for count in range(3) for tasks in combinations_with_replacement(KINDS_OF_TASK, count))
FLAGS = (False, True)


def reopened(tasks: tuple[TaskFact, ...]) -> tuple[TaskFact, ...]:
    return tuple(TaskFact(task.status, task.binding, index == 0) for index, task in enumerate(tasks))


def every_combination() -> Iterator[CriterionFacts]:
    shapes = (*TASKS, *(reopened(tasks) for tasks in TASKS if tasks))
    for flags in product(FLAGS, repeat=8):
        for one, evidence, tasks in product(ACTS, EvidenceState, shapes):
            scope, read, profile, excluded, changed, over, missed, newer = flags
            yield CriterionFacts(
                scope, read, profile, one, excluded, tasks, evidence, changed, over, missed, newer
            )


def oracle(facts: CriterionFacts) -> str:
    """Written from the sentences of the table, without looking at the code: the first word that applies."""
    statuses = [
        task.status.value if task.status and task.binding is BindingState.LIVE else "gone"
        for task in facts.tasks
    ]
    last = facts.act.kind.value if facts.act else ""
    broken = facts.evidence_changed_since_act or any(task.reopened_since_act for task in facts.tasks)
    ended = bool(statuses) and set(statuses) <= {"done", "wont_do"} and "done" in statuses
    proof = facts.evidence_state.value
    words = []
    if facts.excluded:
        words.append("excluded")
    if not facts.in_scope and facts.profile_confirmed:
        words.append("not_applicable")
    if proof == "unreadable" or not facts.read_since_as_of:
        words.append("fetch_failed")
    if facts.confirmation_expired or proof == "expired" or facts.missed_cycle:
        words.append("expired")
    if last == "return" and not facts.reported_since_act:
        words.append("returned")
    if last == "confirm":
        words.append("unknown" if broken else "confirmed")
    if ended and proof == "complete":
        words.append("reported")
    if ended and proof in {"none", "partial"}:
        words.append("reported_without_evidence")
    if statuses and set(statuses) == {"wont_do"}:
        words.append("exclusion_proposed")
    if {"doing", "review", "done"} & set(statuses):
        words.append("in_progress")
    if statuses and set(statuses) == {"todo"}:
        words.append("not_started")
    return [*words, "unknown"][0]


@pytest.mark.slow
def test_every_combination_of_facts_gives_the_word_of_the_table_and_keeps_the_laws() -> None:
    """All combinations of all facts: the word, and what may never happen."""
    seen: Counter[State] = Counter()
    for facts in every_combination():
        state = derive(facts).state
        seen[state] += 1
        assert state == oracle(facts), facts
        if facts.act is None and not facts.excluded:
            assert state not in {State.CONFIRMED, State.EXCLUDED}, (
                "a tracker alone never confirms or excludes"
            )
        if state in {State.CONFIRMED, State.REPORTED}:
            assert facts.read_since_as_of
            assert facts.evidence_state is not EvidenceState.UNREADABLE
        if PILE[state] is Pile.WAITING:
            assert waits_for_confirmer(facts)
        if state is State.CONFIRMED:
            assert not waits_for_confirmer(facts)
        if waits_for_confirmer(facts) and state is not State.EXCLUSION_PROPOSED:
            assert confirmable(facts)

    assert set(seen) == set(State), "every word was reached"


def plain(**values: object) -> CriterionFacts:
    facts = {"in_scope": True, "read_since_as_of": True, "evidence_state": EvidenceState.COMPLETE, **values}
    return CriterionFacts(**facts)  # type: ignore[arg-type]


DONE, TODO, WONT = TaskFact(Status.DONE), TaskFact(Status.TODO), TaskFact(Status.WONT_DO)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (plain(tasks=()), State.UNKNOWN),
        (plain(tasks=(DONE,)), State.REPORTED),
        (plain(tasks=(DONE, WONT)), State.REPORTED),
        (plain(tasks=(DONE, TODO)), State.IN_PROGRESS),
        (plain(tasks=(WONT,)), State.EXCLUSION_PROPOSED),
        (plain(tasks=(WONT, TODO)), State.UNKNOWN),
        (plain(tasks=(TODO, TODO)), State.NOT_STARTED),
        (plain(tasks=(TaskFact(Status.DONE, BindingState.LOST),)), State.UNKNOWN),
        (plain(tasks=(DONE,), evidence_state=EvidenceState.NONE), State.REPORTED_WITHOUT_EVIDENCE),
        (plain(tasks=(DONE,), evidence_state=EvidenceState.UNREADABLE), State.FETCH_FAILED),
        (plain(tasks=(DONE,), evidence_state=EvidenceState.EXPIRED), State.EXPIRED),
        (plain(tasks=(DONE,), evidence_state=EvidenceState.UNKNOWN), State.IN_PROGRESS),
        (plain(tasks=(DONE,), read_since_as_of=False), State.FETCH_FAILED),
        (plain(tasks=(DONE,), act=ACTS[1]), State.CONFIRMED),
        (plain(tasks=(DONE,), act=ACTS[1], evidence_changed_since_act=True), State.UNKNOWN),
        (plain(tasks=(TaskFact(Status.TODO, reopened_since_act=True),), act=ACTS[1]), State.UNKNOWN),
        (plain(tasks=(DONE,), act=ACTS[2]), State.RETURNED),
        (plain(tasks=(DONE,), act=ACTS[2], reported_since_act=True), State.REPORTED),
        (plain(tasks=(WONT,), act=ACTS[3], excluded=True), State.EXCLUDED),
        (plain(tasks=(WONT,), act=ACTS[3], excluded=False), State.EXCLUSION_PROPOSED),
        (plain(in_scope=False, tasks=()), State.UNKNOWN),
        (plain(in_scope=False, profile_confirmed=True, tasks=()), State.NOT_APPLICABLE),
    ],
)
def test_the_plain_cases(facts: CriterionFacts, expected: State) -> None:
    """The situations that people ask about, one line each."""
    assert derive(facts).state is expected


def test_a_confirmation_that_no_longer_holds_says_why_and_asks_the_confirmer_again() -> None:
    """情報なし with the reason; back onto the confirmer's sheet while the work is still reported."""
    changed = plain(tasks=(DONE,), act=ACTS[1], evidence_changed_since_act=True)
    reopened_task = plain(tasks=(TaskFact(Status.DOING, reopened_since_act=True),), act=ACTS[1])

    assert "evidence has changed" in derive(changed).reason
    assert waits_for_confirmer(changed)
    assert "reopened" in derive(reopened_task).reason
    assert not waits_for_confirmer(reopened_task)


def test_a_confirmation_whose_period_ended_waits_for_the_confirmer_again() -> None:
    """要更新, and with work and proof in place the next confirmation is asked for."""
    facts = plain(tasks=(DONE,), act=ACTS[1], confirmation_expired=True)

    assert derive(facts).state is State.EXPIRED
    assert waits_for_confirmer(facts)


def test_an_unconfirmed_profile_leaves_nothing_out_and_says_so() -> None:
    """What the profile leaves out counts only once a named person stands behind the profile."""
    assert "nobody has confirmed the profile" in derive(plain(in_scope=False)).reason


def test_every_state_has_a_label_in_both_languages_and_a_pile() -> None:
    """No word without a label, and the words stand in the order of the table."""
    assert set(LABEL) == set(PILE) == set(State)
    assert all(words.ja and words.en for words in LABEL.values())
    first = list(dict.fromkeys(state for state, _, _ in TABLE if state is not State.UNKNOWN))
    assert [*first, State.UNKNOWN] == list(State)


def test_late_is_a_flag_beside_the_state() -> None:
    """The due day itself is not late; what is settled is never late; without a due day nothing is."""
    assert not is_late(State.IN_PROGRESS, DAY, DAY)
    assert is_late(State.IN_PROGRESS, DAY, date(2026, 11, 25))
    assert is_late(State.REPORTED, DAY, date(2026, 11, 25))
    assert not is_late(State.CONFIRMED, DAY, date(2026, 11, 25))
    assert not is_late(State.NOT_STARTED, None, DAY)
