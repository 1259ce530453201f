"""Which criterion and which task mean the same, by their titles."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticssync.sync.similar import THRESHOLD, folded, propose, similarity

TITLES = st.text(st.sampled_from("施錠保管庫カギかぎＡa1１（）　 ・ーｶﾞ"), max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("施錠できる保管庫を用意する", "【TICS】施錠できる保管庫の用意"),
        ("アクセス権の見直し", "ｱｸｾｽ権の見直し（年１回）"),
        ("パスワードの規則", "ぱすわーどの規則"),
        ("Incident drill", "INCIDENT DRILL 2026"),
    ],
)
def test_titles_that_mean_the_same_are_alike(one: str, other: str) -> None:
    assert similarity(one, other) >= THRESHOLD


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("施錠できる保管庫を用意する", "社員旅行の幹事を決める"),
        ("教育の記録", "入退室の管理"),
        ("", ""),
        ("！？", "！？"),
    ],
)
def test_titles_that_mean_something_else_are_not(one: str, other: str) -> None:
    assert similarity(one, other) < THRESHOLD


def test_width_case_kana_and_marks_make_no_difference() -> None:
    assert folded("ＴＩＣＳ　・ガイド（案）") == folded("tics がいど案") == folded("TICS ｶﾞｲﾄﾞ[案]")


def test_the_best_pair_is_taken_first_and_nobody_twice() -> None:
    """T-01 resembles both tasks, T-02 only the second: each gets its own."""
    criteria = {"T-01": ["鍵の管理"], "T-02": ["鍵の管理と記録"]}
    found = propose(criteria, {"1": "鍵の管理と記録", "2": "鍵の管理"})

    assert {(one.criterion, one.task) for one in found} == {("T-01", "2"), ("T-02", "1")}


def test_of_several_titles_of_a_criterion_the_best_counts() -> None:
    found = propose({"T-01": ["A cabinet with a lock", "施錠できる保管庫"]}, {"1": "施錠できる保管庫"})

    assert [(one.task, one.similarity) for one in found] == [("1", 1.0)]


def test_equals_go_by_their_order() -> None:
    found = propose({"T-01": ["鍵"], "T-02": ["鍵"]}, {"1": "鍵", "2": "鍵"})

    assert [(one.criterion, one.task) for one in found] == [("T-01", "1"), ("T-02", "2")]


def test_the_laws_hold() -> None:
    """One proposal per criterion and task, best first, none below the threshold; likeness has no direction."""
    reached: Counter[int] = Counter()

    @given(st.lists(TITLES, max_size=6), st.lists(TITLES, max_size=6))
    def check(ours: list[str], theirs: list[str]) -> None:
        found = propose({n: [t] for n, t in enumerate(ours)}, dict(enumerate(theirs)))
        reached[min(len(found), 2)] += 1
        assert len({one.criterion for one in found}) == len({one.task for one in found}) == len(found)
        assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
        assert all(one.similarity >= THRESHOLD for one in found)
        assert all(one.similarity == similarity(theirs[one.task], ours[one.criterion]) for one in found)
        left = [(c, t) for c in range(len(ours)) for t in range(len(theirs))]
        taken = [{one.criterion for one in found}, {one.task for one in found}]
        assert all(
            similarity(ours[c], theirs[t]) < THRESHOLD
            for c, t in left
            if c not in taken[0] and t not in taken[1]
        )

    check()
    assert set(reached) == {0, 1, 2}
