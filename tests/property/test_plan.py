"""Laws of the way through a workflow and of what is written."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sync.world import World, key
from ticssync.model.task import FieldValue, RemoteRef
from ticssync.store.working import Refusal
from ticssync.sync.path import MAX_HOPS, status_path
from ticssync.sync.plan import differences
from ticssync.sync.state import Known, Site

STATES = tuple("abcdefg")
WORKFLOWS = st.dictionaries(
    st.sampled_from(STATES), st.lists(st.sampled_from(STATES), max_size=3, unique=True), max_size=7
)
WAYS: Counter[str] = Counter()


def hops(moves: Mapping[str, list[str]], start: str, goals: list[str]) -> int | None:
    """The number of hops of the shortest way, by another library's search."""
    graph = nx.DiGraph([(one, other) for one, others in moves.items() for other in others])
    graph.add_nodes_from(STATES)
    lengths = nx.single_source_shortest_path_length(graph, start)
    return min((lengths[goal] for goal in goals if goal in lengths), default=None)


@given(WORKFLOWS, st.sampled_from(STATES), st.lists(st.sampled_from(STATES), max_size=2))
@settings(max_examples=800, deadline=None, derandomize=True)
def _ways(moves: dict[str, list[str]], start: str, goals: list[str]) -> None:
    found, wanted = status_path(moves, start, goals), hops(moves, start, goals)
    WAYS["none"] += found is None and wanted is None
    WAYS["too long"] += found is None and wanted is not None
    if found is None:
        assert wanted is None or wanted > MAX_HOPS
        return
    WAYS[f"{len(found)} hops"] += 1
    assert len(found) == wanted
    assert all(after in moves[before] for before, after in zip((start, *found), found, strict=False))
    assert (found[-1] if found else start) in goals
    assert status_path(moves, start, goals) == found


def test_a_way_is_the_shortest_there_is_and_each_of_its_hops_is_allowed() -> None:
    WAYS.clear()
    _ways()
    line = {one: [other] for one, other in itertools.pairwise(STATES)}

    assert status_path(line, "a", ["f"]) is None
    assert {"none", "0 hops", "1 hops", "2 hops", "3 hops"} <= {
        name for name, number in WAYS.items() if number
    }, WAYS


NAMES = ("title", "status", "due", "labels")
SHOWN = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("x", "y", None, "review")), max_size=4)
REF = RemoteRef("a", "1")


class ViewingDriver:
    """A tracker without `review`."""

    @staticmethod
    def view(name: str, value: FieldValue) -> FieldValue:
        return "x" if (name, value) == ("status", "review") else value


def site() -> Site:
    real = World().sites()["a"]
    return Site("a", "fake", ViewingDriver(), real.owners, real.memory)  # type: ignore[arg-type]


def known(
    refused: Mapping[str, tuple[FieldValue, FieldValue]], frozen: list[str], *, ask_again: bool = False
) -> Known:
    refusals = {
        (key(), "a", name): Refusal(key(), "a", name, wanted, found, (), "no", "2026-04-01T00:00:00.000000Z")
        for name, (wanted, found) in refused.items()
    }
    flips = {(REF, name): ((), "2026-04-01T00:00:00.000000Z") for name in frozen}
    again = frozenset({"a"} if ask_again else ())
    return Known("contract00", (), {}, {}, refusals, (), flips, {}, {}, {}, {}, ask_again=again)


SITE = site()
WRITTEN: Counter[str] = Counter()
PAIRS = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(("x", "y", None)), st.sampled_from(("x", "y", None))),
    max_size=2,
)


@given(
    SHOWN,
    SHOWN,
    PAIRS,
    st.lists(st.sampled_from(NAMES), max_size=1),
    st.frozensets(st.sampled_from(NAMES), max_size=1),
    st.booleans(),
)
@settings(max_examples=800, deadline=None, derandomize=True)
def _written(
    wanted: dict[str, FieldValue], found: dict[str, FieldValue], refused: dict[str, tuple[FieldValue, FieldValue]],
    frozen: list[str], held: frozenset[str], ask_again: bool,
) -> None:  # fmt: skip
    differs = differences(key(), SITE, REF, wanted, found, known(refused, frozen, ask_again=ask_again), held)
    for name, value in wanted.items():
        shown = SITE.driver.view(name, value)
        again = name == "status" and ask_again
        stands = refused.get(name) == (shown, found.get(name)) and not again
        reasons = {
            "not there": name not in found, "held": name in held, "same": name in found and shown == found[name],
            "refused": name in found and stands, "frozen": name in frozen,
        }  # fmt: skip
        WRITTEN.update(reason for reason, holds in reasons.items() if holds)
        WRITTEN["written"] += not any(reasons.values())
        assert (name in differs) == (not any(reasons.values()))
        assert differs.get(name, value) == value
    after = {**found, **{name: SITE.driver.view(name, value) for name, value in differs.items()}}
    rest = differences(key(), SITE, REF, wanted, after, known(refused, frozen, ask_again=ask_again), held)
    assert set(rest) & set(differs) == set()


def test_only_what_shows_differently_is_written_and_once() -> None:
    WRITTEN.clear()
    _written()

    assert {"not there", "held", "same", "refused", "frozen", "written"} <= {
        name for name, number in WRITTEN.items() if number >= 10
    }, WRITTEN
