"""Random histories of people, accidents and our own changes over make-believe trackers: steered, and counted.

Each history begins with a first sync over three items that may die on the way.  Rules act straight on the
trackers, and a rule whose target is not there does the next best thing, so that no step is wasted.  At rule
`settles`, and at the end, the world is left in peace, and then must hold:

- one task of ours per item that nobody deleted, none for one that somebody did, whatever was copied;
- the status that a person set last stands in the hub and in every tracker;
- our own fields say what we say;
- the next pass writes nothing, neither there nor here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.deaths import Death, Points
from tests.unit.sync.world import World, outgoing
from ticssync.model.binding import BindingState
from ticssync.store import Event
from ticssync.sync import identity
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.wire import Fault, Issue

pytestmark = pytest.mark.slow
ITEMS = ("T-01", "T-02", "T-03")
WORDS = {"未着手": "todo", "対応中": "doing", "確認待ち": "review", "完了": "done", "対象外": "wont_do"}
SOME = st.sampled_from(ITEMS)
ONE = st.integers(0, 1)
AFTER = st.integers(0, 4)
REACHED: Counter[str] = Counter()
ACTIONS = frozenset({
    "died at first", "person status", "person title", "deleted", "hidden", "shown again", "copied", "our title", "answer lost", "not sent",
    "garbled", "login lost", "died", "throttled", "synced", "settled",
})  # fmt: skip
OUTCOMES = frozenset({"tomb", "lost", "copy", "overwritten"})
"""What every bounded run must see.  `live again` is counted too, but thirty histories do not always reach it: it has
tests of its own in tests/unit/sync/test_cycle.py."""


class Histories(RuleBasedStateMachine):
    """`behaviours` gives the trackers, main first."""

    behaviours: dict[str, Callable[[], Behaviour]]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(items=ITEMS, behaviours={name: make() for name, make in self.behaviours.items()})
        self.names = list(self.world.servers)
        self.copies: set[str] = set()
        self.gone: set[tuple[str, str]] = set()
        self.pending: dict[str, list[tuple[str, str]]] = {item: [] for item in ITEMS}
        self.loose: set[str] = set()
        self.agreed = dict.fromkeys(ITEMS, "todo")

    @initialize(at=st.integers(1, 90))
    def a_first_sync_that_may_die(self, at: int) -> None:
        self._with_points(at, "died at first")
        for _ in range(3):
            self.world.clock.advance(130)
            self.world.sync()

    # -- people

    @rule(item=SOME, number=ONE, word=st.sampled_from(tuple(WORDS)))
    def a_person_sets_the_status(self, item: str, number: int, word: str) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None or issue.hidden or issue.fields["状態"] == word:
            self.we_change_our_title(item)
            return
        REACHED["person status"] += 1
        self.world.clock.advance(1)
        self.world.server(name).person_sets(issue.id, {"状態": word})
        self.pending[item].append((name, WORDS[word]))

    @rule(item=SOME, number=ONE)
    def a_person_writes_over_our_title(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None or issue.hidden:
            self.a_sync()
            return
        REACHED["person title"] += 1
        # More than an hour between two: what is written over too often within one is frozen on purpose.
        self.world.clock.advance(4000)
        self.world.server(name).person_sets(issue.id, {"件名": "勝手な題名 🔒"})

    @rule(item=SOME, number=ONE)
    def a_person_deletes(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        # One item is never deleted, so that something is left to look at.
        if issue is None or item == ITEMS[0]:
            self.a_sync()
            return
        REACHED["deleted"] += 1
        self.world.server(name).delete(issue.id)
        self.gone.add((item, name))
        self.loose.add(item)

    @rule(item=SOME, number=ONE)
    def a_person_hides_or_shows(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None:
            self.a_sync()
            return
        REACHED["shown again" if issue.hidden else "hidden"] += 1
        (self.world.server(name).unhide if issue.hidden else self.world.server(name).hide)(issue.id)
        self.loose.add(item)

    @rule(item=SOME, number=ONE)
    def a_person_hides_for_a_day(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None or issue.hidden:
            self.a_person_hides_or_shows(item, number)
            return
        self.a_person_hides_or_shows(item, number)
        self.world.clock.advance(90_000)
        self.a_sync()
        self.a_person_hides_or_shows(item, number)

    @rule(item=SOME, number=ONE)
    def a_person_copies(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None or len(self.copies) > 3:
            self.we_change_our_title(item)
            return
        REACHED["copied"] += 1
        self.world.clock.advance(1)
        self.copies.add(f"{name}/{self.world.server(name).copy(issue.id).id}")

    # -- we, and accidents

    @rule(item=SOME)
    def we_change_our_title(self, item: str) -> None:
        REACHED["our title"] += 1
        self.world.titles[item] = f"{item} 改題 {REACHED['our title']}"

    @rule()
    def a_sync(self) -> None:
        REACHED["synced"] += 1
        self.world.clock.advance(130)
        self.world.sync()

    @rule(number=ONE, after=AFTER)
    def a_sync_whose_request_is_not_sent(self, number: int, after: int) -> None:
        self._with_fault(number, Fault.NOT_SENT, after, "not sent")

    @rule(number=ONE, after=AFTER)
    def a_sync_whose_answer_is_lost(self, number: int, after: int) -> None:
        self._with_fault(number, Fault.ANSWER_LOST, after, "answer lost")

    @rule(number=ONE, after=AFTER)
    def a_sync_whose_answer_is_garbage(self, number: int, after: int) -> None:
        self._with_fault(number, Fault.GARBLED, after, "garbled")

    @rule(number=ONE, after=AFTER)
    def a_sync_whose_login_is_gone(self, number: int, after: int) -> None:
        self._with_fault(number, Fault.UNAUTHORIZED, after, "login lost")

    @rule(at=st.integers(1, 24))
    def a_sync_that_dies(self, at: int) -> None:
        self.world.clock.advance(130)
        self._with_points(at, "died")

    @rule(number=ONE)
    def a_sync_while_a_tracker_asks_for_time(self, number: int) -> None:
        REACHED["throttled"] += 1
        server = self.world.server(self._tracker(number))
        server.behaviour.throttled_until = server.now() + timedelta(minutes=5)
        self.world.sync()

    # -- peace

    @rule()
    def settles(self) -> None:
        REACHED["settled"] += 1
        self._peace()

    def teardown(self) -> None:
        self._peace()

    def _peace(self) -> None:
        world = self.world
        self._watch(lambda _point: None)
        # More than a day: the full look is due, and whoever asked for time has had it.
        world.clock.advance(90_000)
        for _ in range(8):
            if not outgoing(world.sync()):
                break
            world.clock.advance(130)
        # The first pass in which nothing was left to do notes that.
        world.sync()
        commits: list[str] = []
        world.store.watch = commits.append
        assert outgoing(world.sync()) == []
        assert commits == []
        world.store.watch = lambda _point: None
        for item in ITEMS:
            self._holds(item)

    def _holds(self, item: str) -> None:
        world, hub = self.world, self.world.hub(item)["status"]
        for name in self.names:
            issue, live = self._ours(item, name), self._states(item, name)
            REACHED.update(live)
            if issue is None:
                assert (item, name) in self.gone
                assert live.get("tomb") == 1
                assert "live" not in live
            elif issue.hidden:
                assert live["lost"] + live["tomb"] == 1
            else:
                assert live["live"] == 1
                assert issue.fields["件名"] == world.titles.get(item, f"{item} 項目")
                assert WORDS[str(issue.fields["状態"])] == hub
        pending, places = self.pending[item], {name for name, _ in self.pending[item]}
        if pending and item not in self.loose and len(places) == 1:
            assert hub == pending[-1][1]
        assert hub in {self.agreed[item], *(value for _, value in pending)}
        REACHED["overwritten"] += "task.overwritten" in world.kinds()
        REACHED["live again"] += any(
            event.data.get("why") == "seen again" for event in self._events("task.state")
        )
        self.agreed[item], self.pending[item] = str(hub), []
        if not any(one is not None and one.hidden for one in (self._ours(item, name) for name in self.names)):
            self.loose.discard(item)

    # -- always

    @invariant()
    def ours_are_never_two(self) -> None:
        for item in ITEMS:
            for name in self.names:
                assert self._count(item, name) <= ((item, name) not in self.gone)
                assert self._states(item, name)["live"] <= 1

    # -- how it is done

    def _tracker(self, number: int) -> str:
        return self.names[number % len(self.names)]

    def _mine(self, item: str, name: str) -> list[Issue]:
        return [one for one in self.world.issues(item, name) if f"{name}/{one.id}" not in self.copies]

    def _count(self, item: str, name: str) -> int:
        return len(self._mine(item, name))

    def _ours(self, item: str, name: str) -> Issue | None:
        return next(iter(self._mine(item, name)), None)

    def _states(self, item: str, name: str) -> Counter[str]:
        return Counter(one.state.value for one in self.world.bound(item, name))

    def _events(self, kind: str) -> list[Event]:
        with self.world.store.read() as tx:
            return list(tx.events(kind=kind))

    def _watch(self, watch: Callable[[str], None]) -> None:
        self.world.store.watch = watch
        for server in self.world.servers.values():
            server.watch = watch

    def _with_fault(self, number: int, fault: Fault, after: int, name: str) -> None:
        """One of the next requests of this tracker goes wrong, once."""
        REACHED[name] += 1
        server = self.world.server(self._tracker(number))
        self.world.clock.advance(130)
        server.fail_at(server.request_count + 1 + after, fault)
        self.world.sync()
        server._planned_at.clear()

    def _with_points(self, at: int, name: str) -> None:
        points = Points(at)
        self._watch(points)
        try:
            self.world.sync()
        except Death:
            REACHED[name] += 1
        self._watch(lambda _point: None)


MACHINES: dict[str, dict[str, Callable[[], Behaviour]]] = {
    "workbook-like": {"a": full}, "redmine-like": {"a": strong}, "jira-like": {"a": index},
    "redmine-like with a workbook-like mirror": {"a": strong, "b": full}, "workbook-like with a jira-like mirror": {"a": full, "b": index},
}  # fmt: skip


@pytest.mark.parametrize("name", MACHINES)
def test_no_history_makes_two_of_one_task_loses_an_edit_or_goes_on_writing(name: str) -> None:
    REACHED.clear()
    live_through(MACHINES[name], set(Phase))

    missing = (ACTIONS | OUTCOMES) - {one for one, number in REACHED.items() if number}
    assert missing == set(), dict(REACHED)


def live_through(behaviours: dict[str, Callable[[], Behaviour]], phases: set[Phase]) -> None:
    wanted = settings(
        max_examples=30, stateful_step_count=14, deadline=None, derandomize=True, database=None, phases=phases,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(type("Machine", (Histories,), {"behaviours": behaviours}), settings=wanted)


def test_the_machine_sees_an_engine_that_makes_deleted_tasks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker checked: where a tomb no longer holds its place, a deleted task comes back, and this is seen."""
    monkeypatch.setattr(identity, "HOLDING", (BindingState.LIVE, BindingState.LOST))

    with pytest.raises(AssertionError):
        live_through(MACHINES["workbook-like"], {Phase.generate})
