"""Random histories of people, accidents and our own changes over make-believe trackers: steered, and counted.

Each history begins with a first sync over three items that may die on the way, or be forgotten by a store that lost
its last commits.  Rules act straight on the trackers, and a rule whose target is not there does the next best thing, so
that no step is wasted.  At rule `settles`, and at the end, the world is left in peace, and then must hold:

- one task of ours per item that nobody deleted, none for one that somebody did, whatever was copied, also where an
  old store was put back or a new one had to begin from nothing;
- the status that a person set last stands in the hub and in every tracker, as far as that tracker has a word for it;
- what people set in two trackers in one interval is in force, or stands in a conflict with both values;
- our own fields say what we say;
- the next pass writes nothing, neither there nor here.

`make test` lives through a few histories of each set-up; `make faults` (TICSSYNC_FAULTS=all) through ten thousand, in
shards that are made of their seeds alone, and hands in what they reached (tests/faults/table.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.faults.deaths import Death, Points
from tests.faults.table import ALL, HISTORIES, Lived, hand_in
from tests.unit.sync.world import World, key, outgoing
from ticssync.app import settle
from ticssync.model.binding import BindingState
from ticssync.plugin import Table
from ticssync.store import By, Event
from ticssync.store.bindings import bindings
from ticssync.store.working import flips
from ticssync.sync import identity
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.opening import FEW_STATUSES
from ticssync.testing.wire import Fault, Issue

pytestmark = pytest.mark.slow
ITEMS = ("T-01", "T-02", "T-03")
WORDS = {"未着手": "todo", "対応中": "doing", "確認待ち": "review", "完了": "done", "対象外": "wont_do"}
SOME = st.sampled_from(ITEMS)
ONE = st.integers(0, 1)
AFTER = st.integers(0, 4)
REACHED: Counter[str] = Counter()
STATES = tuple(one.value for one in BindingState)
ACTIONS = frozenset({
    "died at first", "forgot the first", "person status", "person title", "deleted", "hidden", "shown again", "copied",
    "our title", "answer lost", "not sent", "garbled", "login lost", "died", "throttled", "away", "back", "kept a backup",
    "put a backup back", "lost the store", "kept changing", "settled a conflict", "unfrozen", "two people", "synced", "settled",
})  # fmt: skip
OUTCOMES = frozenset({"tomb", "lost", "live again", "copy", "overwritten", "frozen", "conflict", "held"})
MIRRORED = frozenset({"two people", "conflict", "held", "settled a conflict"})
"""What needs two trackers."""
SHORT = 15
"""Histories of a set-up in `make test`.  They must reach most of it, as must each shard of the long run; all its shards
together must reach all of it, many times (tests/faults/table.py)."""
SHARD = 100


@dataclass(frozen=True)
class Setup:
    """Trackers, main first; `nearest`: what one that knows fewer statuses shows in place of others."""

    behaviours: Mapping[str, Callable[[], Behaviour]]
    tables: Mapping[str, Table] = field(default_factory=dict)
    nearest: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def wanted(self) -> frozenset[str]:
        """What the histories must reach."""
        return (ACTIONS | OUTCOMES) - (frozenset() if len(self.behaviours) > 1 else MIRRORED)


class Histories(RuleBasedStateMachine):
    """`pending` and `said`: what people set since the last peace (see `_traced`), `allowed`: what the hub may say, `stood`:
    what it said before people set anything."""

    setup: Setup

    def __init__(self) -> None:
        super().__init__()
        made = {name: make() for name, make in self.setup.behaviours.items()}
        self.world = World(items=ITEMS, behaviours=made, tables=self.setup.tables)
        self.names = list(self.world.servers)
        self.copies: set[str] = set()
        self.gone: set[tuple[str, str]] = set()
        self.pending: dict[str, list[tuple[str, str]]] = {item: [] for item in ITEMS}
        self.said: dict[str, dict[tuple[str, str], bool]] = {item: {} for item in ITEMS}
        self.loose: set[str] = set()
        self.allowed: dict[str, set[str]] = {item: {"todo"} for item in ITEMS}
        self.stood: dict[str, set[str]] = {item: {"todo"} for item in ITEMS}
        self.backup: tuple[bytes, dict[str, set[str]]] | None = None
        self.told = 0

    @initialize(at=st.integers(1, 90), forgets=st.booleans())
    def a_first_sync_that_may_die(self, at: int, forgets: bool) -> None:
        before = self.world.kept_store()
        self._with_points(at, "died at first")
        if forgets:
            REACHED["forgot the first"] += 1
            self.world.put_store_back(before)
        for _ in range(3):
            self.world.clock.advance(130)
            self.world.sync()
        self._keep()

    # -- people

    @rule(item=SOME, number=ONE, word=st.sampled_from(tuple(WORDS)))
    def a_person_sets_the_status(self, item: str, number: int, word: str) -> None:
        name = self._tracker(number)
        issue, word = self._ours(item, name), self._word(name, word)
        if issue is None or issue.hidden or issue.fields["状態"] == word:
            self.we_change_our_title(item)
            return
        REACHED["person status"] += 1
        self._status(item, name, issue, word)

    @rule(item=SOME, words=st.permutations(tuple(WORDS)), first=ONE)
    def two_people_set_the_status(self, item: str, words: list[str], first: int) -> None:
        """In both trackers, to two values, within one interval."""
        issues = {name: self._ours(item, name) for name in self.names}
        if len(issues) < 2 or any(one is None or one.hidden for one in issues.values()):
            self.a_person_sets_the_status(item, first, words[0])
            return
        REACHED["two people"] += 1
        names = self.names if first else self.names[::-1]
        for name, word in zip(names, words, strict=False):
            issue, word = issues[name], self._word(name, word)  # noqa: PLW2901 - as far as it is known there
            if issue is not None and issue.fields["状態"] != word:
                self._status(item, name, issue, word)

    def _word(self, name: str, word: str) -> str:
        """What people can choose there."""
        return word if name not in self.setup.tables or word in self.setup.tables[name].statuses else "対応中"

    def _status(self, item: str, name: str, issue: Issue, word: str) -> None:
        self.world.clock.advance(1)
        self.world.server(name).person_sets(issue.id, {"状態": word})
        value = WORDS[word]
        self.pending[item].append((name, value))
        self.allowed[item].add(value)
        # What the same hands set before, and no pass has read, is nobody's to keep.
        self.said[item] = {one: read for one, read in self.said[item].items() if read or one[0] != name}
        self.said[item][name, value] = False

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
    def something_keeps_changing_our_title(self, item: str, number: int) -> None:
        name = self._tracker(number)
        issue = self._ours(item, name)
        if issue is None or issue.hidden:
            self.a_sync()
            return
        REACHED["kept changing"] += 1
        for _ in range(4):
            self.world.clock.advance(1)
            self.world.server(name).person_sets(issue.id, {"件名": f"勝手な題名 {self.world.clock():%H%M%S}"})
            self.a_sync()

    @rule(item=SOME, number=ONE)
    def a_person_deletes(self, item: str, number: int) -> None:
        name = self._tracker(number)
        # One item is never deleted, so that something is left to look at.
        item = item if item != ITEMS[0] else ITEMS[1]
        issue = self._ours(item, name)
        if issue is None:
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
        reports = self.world.sync()
        self._read({name for name, one in reports.items() if one.state == "ok"})

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

    @rule(number=ONE)
    def a_tracker_goes_away_or_comes_back(self, number: int) -> None:
        ways = self.world.server(self._tracker(number)).behaviour
        ways.down = not ways.down
        REACHED["away" if ways.down else "back"] += 1
        self.a_sync()

    @rule()
    def we_keep_a_backup(self) -> None:
        REACHED["kept a backup"] += 1
        self._keep()

    def _keep(self) -> None:
        self.backup = self.world.kept_store(), {item: set(values) for item, values in self.allowed.items()}

    @rule()
    def an_old_backup_is_put_back(self) -> None:
        if self.backup is None:
            self.we_keep_a_backup()
            return
        REACHED["put a backup back"] += 1
        self.world.put_store_back(self.backup[0])
        self._forgotten(self.backup[1])

    @rule()
    def the_store_is_lost(self) -> None:
        """A new one begins from nothing.  What is hidden then nobody can find, so it is shown again before, and every
        tracker is read before anything else happens."""
        REACHED["lost the store"] += 1
        for server in self.world.servers.values():
            server.behaviour.down, server.behaviour.throttled_until = False, None
        for item in ITEMS:
            for name in self.names:
                issue = self._ours(item, name)
                if issue is not None and issue.hidden:
                    self.world.server(name).unhide(issue.id)
        self.world.put_store_back(None)
        self.backup = None
        for item, name in self.gone:
            # Nothing tells any more that it was deleted: a copy with its marker is taken for it, or it is made anew.
            marked = (one for one in self.world.issues(item, name) if one.fields["目印"])
            self.copies.discard(f"{name}/{next((one.id for one in marked), '')}")
        self.gone.clear()
        self._forgotten({})
        for _ in range(2):
            self.a_sync()

    def _forgotten(self, allowed: Mapping[str, set[str]]) -> None:
        # Longer than any index lags: what was made last and forgotten is shown by then.
        self.world.clock.advance(130)
        self.loose.update(ITEMS)
        self.told = 0
        for item in ITEMS:
            self.allowed[item] |= allowed.get(item, set())
            self.said[item].clear()

    @rule(number=st.integers(0, 2))
    def somebody_settles(self, number: int) -> None:
        """A conflict, a frozen field, or nothing."""
        for one in self.world.conflicts()[:1]:
            self._resolve(one, number)
            return
        if not self._unfreeze():
            self.a_sync()

    def _resolve(self, one: Any, number: int) -> None:
        REACHED["settled a conflict"] += 1
        sides = ["local", *sorted(one.values)]
        found = settle.resolve(self._office(), one.id, sides[number % len(sides)] if one.taken else sides[1])
        self.allowed[one.key.item].add(str(found["taken"]))
        self.stood[one.key.item].add(str(found["taken"]))
        self.loose.add(one.key.item)

    def _unfreeze(self) -> bool:
        with self.world.store.read() as tx:
            frozen = {
                (name, remote)
                for name in self.names
                for (remote, _), (_, since) in flips(tx, name).items()
                if since
            }
            items = {one.key.item for one in bindings(tx) if (one.ref.tracker, one.ref.id) in frozen}
        for item in items:
            REACHED["unfrozen"] += 1
            settle.unfreeze(self._office(), str(key(item)))
        return bool(items)

    def _office(self) -> Any:
        return SimpleNamespace(store=self.world.store, by=lambda: By("test@host", "sync"))

    # -- peace

    @rule()
    def settles(self) -> None:
        REACHED["settled"] += 1
        self._peace()

    def teardown(self) -> None:
        self._peace()
        REACHED["histories"] += 1

    def _peace(self) -> None:
        world = self.world
        self._watch(lambda _point: None)
        for server in world.servers.values():
            server.behaviour.down = False
        # More than a day: the full look is due, and whoever asked for time has had it.
        world.clock.advance(90_000)
        self._until_quiet()
        open_ones = world.conflicts()
        for one in open_ones:
            REACHED["conflict" if one.taken else "held"] += 1
            self._resolve(one, 0)
        if self._unfreeze() or open_ones:
            world.clock.advance(130)
            self._until_quiet()
        assert self.world.conflicts() == []
        # The first pass in which nothing was left to do notes that.
        world.sync()
        commits: list[str] = []
        world.store.watch = commits.append
        assert outgoing(world.sync()) == []
        assert commits == []
        world.store.watch = lambda _point: None
        self._read(set(self.names))
        events = self._events()
        kinds = {event.kind for event in events}
        REACHED["overwritten"] += "task.overwritten" in kinds
        REACHED["frozen"] += "task.frozen" in kinds
        REACHED["live again"] += any(event.data.get("why") == "seen again" for event in events)
        states = self._states()
        for item in ITEMS:
            self._traced(item, events)
            self._holds(item, states)
        self.told = len(events)

    def _until_quiet(self) -> None:
        for _ in range(8):
            if not outgoing(self.world.sync()):
                break
            self.world.clock.advance(130)

    def _traced(self, item: str, events: list[Event]) -> None:
        """What a person set and a pass could read was in force, or stands beside what is."""
        # Who sets back what stood before, unread, has set nothing.
        found: set[Any] = set(self.stood[item])
        for event in events[self.told :]:
            if event.subject == str(key(item)) and event.kind == "task.changed":
                found.add(event.data["fields"].get("status", {}).get("to"))
            if event.subject == str(key(item)) and event.kind == "conflict.opened":
                found |= set(event.data["values"].values())
        found.add(self.world.hub(item)["status"])
        if item not in self.loose:
            missing = {value for (_, value), read in self.said[item].items() if read} - found
            assert not missing, (item, missing, found)

    def _holds(self, item: str, states: Counter[tuple[str, str, str]]) -> None:
        world, hub = self.world, str(self.world.hub(item)["status"])
        for name in self.names:
            issue = self._ours(item, name)
            live = Counter(
                {state: states[item, name, state] for state in STATES if states[item, name, state]}
            )
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
                assert WORDS[str(issue.fields["状態"])] == self.setup.nearest.get(name, {}).get(hub, hub)
        pending, places = self.pending[item], {name for name, _ in self.pending[item]}
        if pending and item not in self.loose and len(places) == 1:
            assert hub == pending[-1][1]
        assert hub in self.allowed[item]
        self.allowed[item], self.stood[item], self.pending[item] = {hub}, {hub}, []
        self.said[item].clear()
        if not any(one is not None and one.hidden for one in (self._ours(item, name) for name in self.names)):
            self.loose.discard(item)

    # -- always

    @invariant()
    def ours_are_never_two(self) -> None:
        states = self._states()
        assert all(number <= 1 for (_, _, state), number in states.items() if state == "live")
        for item in ITEMS:
            for name in self.names:
                assert self._count(item, name) <= ((item, name) not in self.gone)

    # -- how it is done

    def _tracker(self, number: int) -> str:
        return self.names[number % len(self.names)]

    def _mine(self, item: str, name: str) -> list[Issue]:
        return [one for one in self.world.issues(item, name) if f"{name}/{one.id}" not in self.copies]

    def _count(self, item: str, name: str) -> int:
        return len(self._mine(item, name))

    def _ours(self, item: str, name: str) -> Issue | None:
        return next(iter(self._mine(item, name)), None)

    def _states(self) -> Counter[tuple[str, str, str]]:
        """How many bindings of each item stand in each tracker in each state."""
        with self.world.store.read() as tx:
            return Counter((one.key.item, one.ref.tracker, one.state.value) for one in bindings(tx))

    def _read(self, names: set[str]) -> None:
        """These trackers were read just now."""
        for said in self.said.values():
            said.update({one: True for one in said if one[0] in names})

    def _events(self) -> list[Event]:
        with self.world.store.read() as tx:
            return list(tx.events())

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


MACHINES: dict[str, Setup] = {
    "workbook-like": Setup({"a": full}),
    "redmine-like": Setup({"a": strong}),
    "jira-like": Setup({"a": index}),
    "redmine-like with a workbook-like mirror": Setup({"a": strong, "b": full}),
    "workbook-like with a jira-like mirror": Setup({"a": full, "b": index}),
    "redmine-like with a mirror of fewer statuses": Setup(
        {"a": strong, "b": lambda: full(nearest={"review": "doing", "wont_do": "done"})},
        {"b": FEW_STATUSES}, {"b": {"review": "doing", "wont_do": "done"}},
    ),
}  # fmt: skip
SEEDS = range(1, 1 + -(-HISTORIES // (SHARD * len(MACHINES)))) if ALL else (0,)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("number", SEEDS)
def test_no_history_makes_two_of_one_task_loses_an_edit_or_goes_on_writing(name: str, number: int) -> None:
    setup, failed = MACHINES[name], 1
    number += 1000 * list(MACHINES).index(name)
    REACHED.clear()
    try:
        live_through(setup, {Phase.generate, Phase.shrink}, SHARD if ALL else SHORT, number)
        failed = 0
    finally:
        reached = {one: REACHED[one] for one in sorted(setup.wanted)}
        hand_in(Lived(name, number, REACHED["histories"], failed, reached, sorted(setup.wanted)))

    missing = {one for one in setup.wanted if not REACHED[one]}
    assert len(missing) <= len(setup.wanted) // 3, missing


def live_through(setup: Setup, phases: set[Phase], histories: int = SHORT, number: int = 0) -> None:
    wanted = settings(
        max_examples=histories, stateful_step_count=12, deadline=None, database=None, phases=phases,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    machine = seed(number)(type("Machine", (Histories,), {"setup": setup}))
    run_state_machine_as_test(machine, settings=wanted)


def test_the_machine_sees_an_engine_that_makes_deleted_tasks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker checked: where a tomb no longer holds its place, a deleted task comes back, and this is seen."""
    monkeypatch.setattr(identity, "HOLDING", (BindingState.LIVE, BindingState.LOST))

    with pytest.raises(AssertionError):
        live_through(MACHINES["workbook-like"], {Phase.generate}, 60)


def test_the_machine_sees_an_engine_that_drops_the_other_value_of_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The checker checked: an edit of which no trace is left is missed."""
    monkeypatch.setattr("ticssync.sync.pull._conflict", lambda *_: None)

    with pytest.raises(AssertionError):
        live_through(MACHINES["redmine-like with a workbook-like mirror"], {Phase.generate}, 60)
