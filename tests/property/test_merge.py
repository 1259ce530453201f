"""Laws of the merge of one field, whatever the sides say."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.model.binding import HUB, Origin
from ticssync.model.task import FieldValue
from ticssync.sync.merge import MISSING, Maybe, Merged, Side, merge_field

VALUES = ("todo", "doing", "review", "done", None)
TIMES = tuple(f"2026-04-01T0{hour}:00:00.000000Z" for hour in range(5))


def as_it_is(value: FieldValue) -> FieldValue:
    return value


def without_review(value: FieldValue) -> FieldValue:
    """A tracker with fewer statuses than ours."""
    return "doing" if value == "review" else value


@dataclass(frozen=True)
class Case:
    old: Maybe
    sides: tuple[Side, ...]
    wish: Maybe
    wish_at: str | None
    origin: Origin | None = None

    def merged(self, sides: Sequence[Side] | None = None) -> Merged:
        return merge_field(
            self.old,
            self.sides if sides is None else sides,
            wish=self.wish,
            wish_at=self.wish_at,
            origin=self.origin,
        )

    @property
    def candidates(self) -> dict[str, FieldValue]:
        """What each side wants, where it wants something else than what is in force."""
        asking = [
            one
            for one in self.sides
            if one.changed or one.unbased or (self.old is MISSING and one.read is not MISSING)
        ]
        found = {one.tracker: one.lifted(self.old) for one in asking if one.lifted(self.old) != self.old}
        if self.unseen:
            assert self.origin is not None
            found[self.origin.tracker] = self.old  # type: ignore[assignment]
        return found | ({HUB: self.wish} if self.wish is not MISSING else {})

    @property
    def unseen(self) -> bool:
        """Whether a side wants something else and never showed what is in force, which somebody set elsewhere."""
        if self.origin is None or self.old is MISSING:
            return False
        others = [one for one in self.sides if one.changed and one.lifted(self.old) != self.old]
        if any(one.tracker == self.origin.tracker for one in others) or any(
            one.unbased for one in self.sides
        ):
            return False
        told = self.origin.tracker == HUB
        return any(one.view(self.old) != one.base and not (told and one.refused) for one in others)

    @property
    def edits(self) -> list[tuple[str, str | None, bool | None]]:
        """Side, time and whether it was a person, of each that takes part."""
        names = self.candidates
        found = [
            (one.tracker, one.edited_at, one.by_person)
            for one in self.sides
            if one.tracker in names and not (self.unseen and one.tracker == self.origin.tracker)  # type: ignore[union-attr]
        ]
        if self.unseen:
            assert self.origin is not None
            found.append((self.origin.tracker, self.origin.at, self.origin.by_person))
        return [*found, *([(HUB, self.wish_at, True)] if self.wish is not MISSING else [])]

    @property
    def times(self) -> list[str | None]:
        return [at for _, at, _ in self.edits]


@st.composite
def a_side(draw: Any, tracker: str, *, based: bool) -> Side:
    view = draw(st.sampled_from((as_it_is, without_review)))
    shown = st.sampled_from(VALUES).map(view)
    missing = st.just(MISSING)
    base = draw(shown if based else shown | missing)
    return Side(
        tracker, base, draw(shown | missing), view, draw(st.sampled_from((*TIMES, *TIMES, None))), draw(st.sampled_from((True, True, None, False))),
        draw(st.booleans()),
    )  # fmt: skip


@st.composite
def a_case(draw: Any, *, based: bool = False) -> Case:
    count = draw(st.integers(1, 3))
    old = draw(st.sampled_from(VALUES) if based else st.sampled_from((*VALUES, MISSING)))
    sides = tuple(draw(a_side(name, based=based)) for name in "abc"[:count])
    wish = draw(st.just(MISSING) | st.sampled_from(VALUES))
    wish_at = draw(st.sampled_from((*TIMES, *TIMES, None)))
    # The hub is no tracker of the route; a person's act takes the place of what an earlier one set.
    setters = [*"abc"[:count], *([HUB] if wish is MISSING else [])]
    origin = draw(
        st.none()
        | st.builds(
            Origin,
            st.sampled_from(setters),
            st.sampled_from((*TIMES, None)),
            st.sampled_from((True, None, False)),
        )
    )
    return Case(old, sides, wish, wish_at, origin)


REACHED: Counter[str] = Counter()


def count(case: Case, merged: Merged) -> None:
    names = case.candidates
    REACHED["held"] += merged.held
    REACHED["nothing asked"] += not names and not merged.held
    REACHED["one side"] += len(names) == 1 and HUB not in names
    REACHED["all agree"] += len(names) > 1 and len(set(names.values())) == 1
    several = len(set(names.values())) > 1 and not merged.held
    REACHED["by time"] += several and None not in case.times
    REACHED["by rank"] += several and None in case.times
    REACHED["wish wins"] += several and HUB in merged.came_from
    REACHED["wish loses"] += several and HUB in merged.losers
    REACHED["unseen value stays"] += case.unseen and merged.value == case.old
    REACHED["unseen value loses"] += case.unseen and merged.value != case.old
    REACHED["first value of all"] += case.old is MISSING and merged.value is not MISSING
    REACHED["lifted"] += any(one.changed and one.lifted(case.old) == case.old for one in case.sides)


@given(a_case() | a_case(based=True))
@settings(max_examples=900, deadline=None, derandomize=True)
def _laws(case: Case) -> None:
    merged = case.merged()
    count(case, merged)
    names = case.candidates

    # No value from nowhere.
    assert merged.value is MISSING or merged.value in {case.old, *names.values()} - {MISSING}
    # Every loser is kept, and the winner is none of them.
    if not merged.held:
        for name, value in names.items():
            assert value == merged.value or merged.losers[name] == value
        assert merged.value not in merged.losers.values()
        assert set(merged.came_from) == {name for name, value in names.items() if value == merged.value}
    # What somebody set and another side never saw is not written over without a word.
    if case.unseen and merged.value != case.old:
        assert case.old in merged.losers.values()
    # What is held stays as it was, and all that was read is shown.
    if merged.held:
        assert merged.value is case.old
        assert set(merged.losers) == {one.tracker for one in case.sides if one.read is not MISSING}
    # Nobody asked: nothing happens.
    if not names and not merged.held:
        assert merged == Merged(case.old)


def test_no_value_comes_from_nowhere_every_loser_is_kept_and_the_untouched_stays() -> None:
    REACHED.clear()
    _laws()

    assert {name for name, number in REACHED.items() if not number} == set(), REACHED
    assert min(REACHED.values()) >= 5, REACHED


@given(a_case())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_side_that_was_not_read_changes_nothing(case: Case) -> None:
    silent = Side("z", "todo", MISSING, edited_at=TIMES[-1], by_person=True)

    assert case.merged((silent, *case.sides)) == case.merged()


@given(a_case(based=True))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_what_was_merged_and_written_merges_to_itself(case: Case) -> None:
    value = case.merged().value
    assert value is not MISSING
    written = tuple(replace(one, base=one.view(value), read=one.view(value)) for one in case.sides)

    assert merge_field(value, written) == Merged(value)


ORDERED: Counter[str] = Counter()


@given(a_case(based=True))
@settings(max_examples=600, deadline=None, derandomize=True)
def _no_order(case: Case) -> None:
    people = [at for _, at, person in case.edits if person is not False]
    if None in case.times or len(set(people)) != len(people) or not people:
        ORDERED["rank decides"] += 1
        return
    ORDERED["times decide"] += len(set(case.candidates.values())) > 1
    merged = case.merged()
    for order in itertools.permutations(case.sides):
        again = case.merged(order)
        assert (again.value, dict(again.losers), set(again.came_from)) == (
            merged.value,
            dict(merged.losers),
            set(merged.came_from),
        )


def test_where_times_tell_the_edits_apart_the_order_of_the_sides_does_not_matter() -> None:
    ORDERED.clear()
    _no_order()

    assert ORDERED["times decide"] >= 20, ORDERED


@given(a_case(based=True))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_newest_edit_of_a_person_wins_where_every_time_is_known(case: Case) -> None:
    merged = case.merged()
    if None in case.times or not case.candidates:
        return
    edits = [(name, at) for name, at, person in case.edits if person is not False and at]
    if edits:
        newest = max(at for _, at in edits)
        assert {name for name, at in edits if at == newest} & set(merged.came_from)
