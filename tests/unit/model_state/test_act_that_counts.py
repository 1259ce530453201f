"""Which act a criterion with several parts or cycles follows from: one decision never speaks for another."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from ticssync.model.assessment import Act, ActKind
from ticssync.model.state import Place, act_that_counts

CONFIRM, RETURN, EXCLUDE = ActKind.CONFIRM, ActKind.RETURN, ActKind.EXCLUDE
PLAN, DRILL, WHOLE = ("plan", ""), ("drill", ""), ("", "")


def act(seq: int, kind: ActKind = CONFIRM, part: str = "", cycle: str = "") -> Act:
    return Act(
        seq, kind, "tics/T-14", cycle, "sato", "佐藤 花子", "manager", "admin@pc", "cli", date(2026, 11, 24),
        datetime(2026, 11, 24, 3, tzinfo=timezone.utc), part=part,
    )  # fmt: skip


def seq(acts: list[Act], places: list[Place]) -> int | None:
    found = act_that_counts(acts, places)
    return found.seq if found else None


def test_without_parts_the_last_act_counts() -> None:
    """The plain case, in whatever order the acts are handed in; also where no task is there any more."""
    assert seq([act(7, RETURN), act(3)], [WHOLE]) == 7
    assert seq([act(3)], []) == 3
    assert seq([], [WHOLE]) is None


def test_a_confirmed_part_does_not_confirm_the_others() -> None:
    """One of two parts: nothing is decided about the criterion."""
    assert seq([act(5, part="drill")], [PLAN, DRILL]) is None


def test_all_parts_confirmed_count_from_the_earliest_confirmation() -> None:
    """What changed after the first of them was confirmed has not been looked at since."""
    assert seq([act(5, part="drill"), act(9, part="plan")], [PLAN, DRILL]) == 5


def test_a_returned_part_returns_the_whole_until_it_is_decided_anew() -> None:
    """Confirming another part later does not cover it up; confirming the whole does."""
    acts = [act(5, RETURN, "plan"), act(6, part="drill")]

    assert seq(acts, [PLAN, DRILL]) == 5
    assert seq([*acts, act(8)], [PLAN, DRILL]) == 8


def test_an_excluded_part_leaves_the_confirmation_of_the_rest() -> None:
    """Only where every part is excluded is it an exclusion."""
    assert seq([act(5, EXCLUDE, "plan"), act(6, part="drill")], [PLAN, DRILL]) == 6
    assert act_that_counts([act(5, EXCLUDE, "plan"), act(6, EXCLUDE, "drill")], [PLAN, DRILL]).kind is EXCLUDE


def test_last_year_s_confirmation_does_not_confirm_this_year() -> None:
    """A cycle stands for itself, and an act without a cycle is on tasks without one."""
    assert seq([act(5, cycle="2025")], [("", "2026")]) is None
    assert seq([act(5)], [("", "2026")]) is None
    assert seq([act(5, cycle="2025"), act(6, cycle="2026")], [("", "2026")]) == 6


SEEN: Counter[str] = Counter()
ACTS = st.lists(
    st.tuples(
        st.sampled_from([CONFIRM, RETURN, EXCLUDE]),
        st.sampled_from(["", "plan", "drill"]),
        st.sampled_from(["", "2026"]),
    ),
    max_size=6,
)


@given(
    ACTS,
    st.sets(st.tuples(st.sampled_from(["", "plan", "drill"]), st.sampled_from(["", "2026"])), min_size=1),
)
def test_a_confirmation_counts_only_where_the_last_word_on_every_place_is_a_decision(
    drawn: list[tuple[ActKind, str, str]], places: set[Place]
) -> None:
    """Whatever was recorded in whatever order."""
    acts = [act(number, kind, part, cycle) for number, (kind, part, cycle) in enumerate(drawn, 1)]
    words = [
        next((one.kind for one in reversed(acts) if one.part in ("", part) and one.cycle == cycle), None)
        for part, cycle in places
    ]

    found = act_that_counts(acts, places)

    kind = found.kind if found else None
    SEEN[str(kind)] += 1
    assert (kind is CONFIRM) == (CONFIRM in words and RETURN not in words and None not in words)
    assert (kind is RETURN) == (RETURN in words)
    assert (kind is EXCLUDE) == (set(words) == {EXCLUDE})


def test_the_drawn_histories_reached_every_answer() -> None:
    """A law that was never put to the test proves nothing; runs by itself too."""
    test_a_confirmation_counts_only_where_the_last_word_on_every_place_is_a_decision()

    assert all(SEEN[str(kind)] for kind in (None, CONFIRM, RETURN, EXCLUDE))
