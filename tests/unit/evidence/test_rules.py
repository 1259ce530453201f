"""Whether what is held is enough: five answers, each with its reason in plain words."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.errors import Said
from ticssync.evidence.rules import evidence_state, last_good_day
from ticssync.model.criterion import EvidenceRule
from ticssync.model.evidence import EvidenceState

from .factory import evidence

DAY = date(2026, 11, 5)
PAST = DAY - timedelta(days=1)
ONE = EvidenceRule()
TWO = EvidenceRule(count=2)
PHOTO = EvidenceRule(kinds=("photo", "screenshot"))
REVIEWED = EvidenceRule(reviewed=True)


def pieces(*changes: dict[str, Any]) -> list[Any]:
    return [evidence(f"E-{number:05}", **change) for number, change in enumerate(changes, 1)]


@pytest.mark.parametrize(
    ("rule", "held", "state", "reason"),
    [
        (ONE, pieces(), "none", "no evidence is held: 0 of 1"),
        (ONE, pieces({"withdrawn": True}), "none", "no evidence is held: 0 of 1"),
        (ONE, pieces({"kind": "note"}), "none", "no evidence is held: 0 of 1"),
        (ONE, pieces({}), "complete", "evidence is held: 1 of 1"),
        (ONE, pieces({"valid_until": DAY}), "complete", "evidence is held: 1 of 1"),
        (ONE, pieces({"valid_until": None}), "complete", "evidence is held: 1 of 1"),
        (
            ONE,
            pieces({"valid_until": PAST}),
            "expired",
            "within its period: 0 of 1; the last period ended on 2026-11-04",
        ),
        (
            ONE,
            pieces({"readable": False}),
            "unreadable",
            "usable: 0 of 1; it can no longer be read: 教育の記録.pdf",
        ),
        (ONE, pieces({"readable": False}, {}), "complete", "evidence is held: 1 of 1"),
        (ONE, pieces({"readable": False, "withdrawn": True}), "none", "no evidence is held: 0 of 1"),
        (TWO, pieces({}), "partial", "evidence is held in part: 1 of 2"),
        (TWO, pieces({"sha256": "ab"}, {"sha256": "ab"}), "partial", "evidence is held in part: 1 of 2"),
        (TWO, pieces({"valid_until": PAST}), "partial", "evidence is held in part: 0 of 2"),
        (
            TWO,
            pieces({"valid_until": PAST}, {}),
            "expired",
            "within its period: 1 of 2; the last period ended on 2026-11-04",
        ),
        (
            TWO,
            pieces({"valid_until": PAST}, {"readable": False}),
            "unreadable",
            "usable: 0 of 2; it can no longer be read: 教育の記録.pdf",
        ),
        (
            ONE,
            pieces({"valid_until": PAST, "readable": False}),
            "expired",
            "within its period: 0 of 1; the last period ended on 2026-11-04",
        ),
        (PHOTO, pieces({"kind": "photo"}), "complete", "evidence is held: 1 of 1"),
        (PHOTO, pieces({}), "partial", "of the kind asked for (photo or screenshot): 0 of 1"),
        (
            PHOTO,
            pieces({"readable": False}),
            "partial",
            "of the kind asked for (photo or screenshot): 0 of 1",
        ),
        (REVIEWED, pieces({"reviewed_by": "suzuki"}), "complete", "evidence is held: 1 of 1"),
        (
            REVIEWED,
            pieces({}),
            "partial",
            "reviewed by another person than the one who handed it in: 0 of 1",
        ),
        (
            REVIEWED,
            pieces({"reviewed_by": "tanaka"}),
            "partial",
            "reviewed by another person than the one who handed it in: 0 of 1",
        ),
        (EvidenceRule(count=0), pieces(), "complete", "evidence is held: 0 of 0"),
    ],
)
def test_the_state_and_its_reason(rule: EvidenceRule, held: list[Any], state: str, reason: str):
    """Withdrawn pieces never count; the last good day is still good; a lost spare piece does no harm."""
    found, why = evidence_state(rule, held, DAY)

    assert (found.value, str(why)) == (state, reason)
    assert isinstance(why, Said)


piece = st.builds(
    dict,
    kind=st.sampled_from(["record", "photo"]),
    valid_until=st.sampled_from([None, PAST, DAY, DAY + timedelta(days=30)]),
    withdrawn=st.booleans(),
    readable=st.booleans(),
    sha256=st.sampled_from(["", "aa", "bb", "cc"]),
    reviewed_by=st.sampled_from(["", "tanaka", "suzuki"]),
)
rules = st.builds(
    EvidenceRule,
    count=st.integers(1, 3),
    kinds=st.sampled_from([(), ("record",), ("photo", "record")]),
    reviewed=st.booleans(),
)
SEEN: Counter[EvidenceState] = Counter()


@settings(max_examples=400, deadline=None)
@given(rules, st.lists(piece, max_size=5))
def test_more_proof_never_makes_it_worse_and_order_does_not_matter(rule: EvidenceRule, changes: list[Any]):
    """Never `unknown`; another order reads alike; one more piece never takes COMPLETE away."""
    held = pieces(*changes)
    state, _ = evidence_state(rule, held, DAY)
    SEEN[state] += 1

    assert state is not EvidenceState.UNKNOWN
    assert (state is EvidenceState.NONE) == all(one.withdrawn for one in held)
    assert evidence_state(rule, held[::-1], DAY)[0] is state
    if state is EvidenceState.COMPLETE:
        assert evidence_state(rule, [*held, evidence("E-00099", readable=False)], DAY)[0] is state


def test_every_answer_was_reached_by_the_property():
    """The property above has seen all five answers, so it says something about each."""
    test_more_proof_never_makes_it_worse_and_order_does_not_matter()

    assert set(SEEN) == set(EvidenceState) - {EvidenceState.UNKNOWN}


@pytest.mark.parametrize(
    ("dated_on", "months", "until"),
    [
        (date(2026, 11, 5), 12, date(2027, 11, 5)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 8, 31), 3, date(2026, 11, 30)),
        (date(2026, 11, 5), 0, date(2026, 11, 5)),
        (date(2026, 11, 5), None, None),
    ],
)
def test_months_are_counted_to_the_same_day_or_the_last_of_the_month(
    dated_on: date, months: int | None, until: date | None
):
    """A period from a month's end ends at a month's end; without months there is no end."""
    assert last_good_day(dated_on, months) == until
