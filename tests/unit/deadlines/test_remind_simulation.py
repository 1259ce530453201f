"""Three years of passes with outages, kills and broken connections: no reminder lost, none doubled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.unit.deadlines.sample import (
    APPLY,
    CALENDAR,
    MAIN,
    RENEWAL,
    REPORT_1,
    REPORT_2,
    SUBMITTED,
    TOKYO,
    WORKSPACE,
    morning,
    recipients,
)

from ticssync.deadlines.duties import Due, duties, duty_id
from ticssync.deadlines.remind import remind_pass
from ticssync.deadlines.reminders import Digest, Recipients
from ticssync.model.certificate import Duty, DutyRecord
from ticssync.plugin import Message, Notifier, SendFailed
from ticssync.store import Store
from ticssync.store.notices import notices

START, END = date(2026, 11, 24), date(2029, 11, 24)
TASKS = tuple(
    Due(
        "task_due",
        f"tics/T-{number:02}",
        f"T-{number:02}",
        START + timedelta(days=97 * number),
        "tanaka",
        f"tics/T-{number:02}",
    )
    for number in range(1, 10)
)
DUTY_IDS = (REPORT_2, APPLY, RENEWAL, *(duty_id(task.name, task.kind, task.due_on) for task in TASKS))
KILLS = {
    "kill before the claim": 1,
    "kill after the claim": 2,
    "kill after the send": 3,
    "kill after the record": 4,
}
ENDS_UNKNOWN = {"kill after the send", "broken after it was taken", "plugin fails after the send"}
"""What may bring a message a second time: nobody can know that it was taken."""
MODES = ("fine", *KILLS, "refused for now", "refused for good", "login refused", "broken before it was taken",
         "broken after it was taken", "plugin fails", "plugin fails after the send")  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Post(Notifier):
    """A mail server that fails on demand, at its next message only."""

    mode: str = "fine"
    delivered: list[tuple[str, str]] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def send(self, message: Message) -> None:
        mode, self.mode = self.mode, "fine"
        self.reached[mode] += 1
        self.unknown[message.message_id] += mode in ENDS_UNKNOWN
        if mode in {"fine", *KILLS, *ENDS_UNKNOWN}:
            self.delivered.append((message.message_id, message.to_address))
        match mode:
            case "refused for now" | "refused for good":
                raise SendFailed("no", permanent=mode.endswith("good"))
            case "login refused":
                raise SendFailed("who?", permanent=True, credentials=True)
            case "broken before it was taken" | "broken after it was taken":
                raise SendFailed("gone", permanent=False, maybe_taken=True)
            case "plugin fails" | "plugin fails after the send":
                raise RuntimeError("bug")


class World:
    """One company: its store, its post, and the duties that people settle on some day."""

    def __init__(self, settled: Mapping[str, date]) -> None:
        self.now = morning(START)
        self.store = Store.memory(WORKSPACE, lambda: self.now)
        self.post = Post()
        # Tasks are done a month late where nothing else was drawn.
        self.settled = {
            **{
                duty_id(task.name, task.kind, task.due_on): task.due_on + timedelta(days=30) for task in TASKS
            },
            **settled,
        }
        self.told: dict[str, frozenset[tuple[str, str]]] = {}
        self.late: list[str] = []

    def duties(self, day: date) -> tuple[Duty, ...]:
        done: dict[str, DutyRecord] = {REPORT_1: SUBMITTED}
        done |= {duty: SUBMITTED for duty, on in self.settled.items() if on <= day}
        tasks = [task for task in TASKS if duty_id(task.name, task.kind, task.due_on) not in done]
        return duties([MAIN], day, CALENDAR, done, others=tasks)

    def pass_once(self, moment: datetime, mode: str, people: Recipients) -> None:
        self.now, day = moment, moment.astimezone(TOKYO).date()
        self.post.mode = "fine" if mode in KILLS else mode
        self._arm(mode)
        before = len(self.post.delivered)
        composed: dict[str, frozenset[tuple[str, str]]] = {}
        open_now = {duty.id for duty in self.duties(day) if duty.steps}

        def compose(what: Digest) -> Message:
            carried = frozenset(
                (notice.duty.id, step.name) for notice in what.notices for step in notice.steps
            )
            assert carried <= self.told.setdefault(what.message_id, carried)
            composed[what.message_id] = carried
            return Message(what.message_id, what.person.name, what.person.mail, "subject", "text", "", moment)

        try:
            remind_pass(
                self.store,
                self.post,
                day,
                duties=self.duties(day),
                recipients=people,
                compose=compose,
                channel="mail",
            )
        except Killed:
            self.post.reached[mode] += 1
            if mode in ENDS_UNKNOWN:
                self.post.unknown[self.post.delivered[-1][0]] += 1
        for identity, _to in self.post.delivered[before:]:
            self.late += [duty for duty, _step in composed[identity] if duty not in open_now]

    def _arm(self, mode: str) -> None:
        left = [KILLS.get(mode, 0)]

        def watch(_point: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        self.store.watch = watch


GAPS = st.sampled_from([timedelta(minutes=20)] + [timedelta(days=days) for days in (1, 1, 7, 24, 60, 90)])
PASSES = st.lists(st.tuples(GAPS, st.sampled_from(MODES)), min_size=30, max_size=60)
SETTLED = st.dictionaries(st.sampled_from(DUTY_IDS), st.dates(START, END), max_size=len(DUTY_IDS))


def run(passes: list[tuple[timedelta, str]], settled: Mapping[str, date], end: date = END) -> World:
    world, people, moment = World(settled), recipients(), morning(START)
    for gap, mode in passes:
        if (moment + gap).astimezone(TOKYO).date() > end:
            break
        moment += gap
        world.pass_once(moment, mode, people)
    for quiet in (
        1,
        2,
    ):  # two calm mornings: the first takes up what hangs, the second has nothing left to do
        world.pass_once(morning(end + timedelta(days=quiet)), "fine", people)
    return world


def check(world: World) -> None:
    with world.store.read() as tx:
        ledger = notices(tx)
    end = world.now.astimezone(TOKYO).date()
    # Nothing lost: every step of what is still open went out.
    known = {(row.duty, row.step) for row in ledger if row.sent_at}
    for still in world.duties(end):
        assert {(still.id, step.name) for step in still.steps if step.on <= end} <= known
    # Nothing doubled: a person was told of a step in one message only, and that message came once, but for
    # the tries whose end nobody could know.
    messages_of: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for identity, to in world.post.delivered:
        for duty, step in world.told[identity]:
            messages_of[to, duty, step].add(identity)
    assert {len(identities) for identities in messages_of.values()} <= {1}
    for identity, times in Counter(identity for identity, _to in world.post.delivered).items():
        assert times <= 1 + world.post.unknown[identity]
    # One digest per person and day, and no word of what was settled.
    per_day: dict[tuple[str, date], set[str]] = defaultdict(set)
    for row in ledger:
        per_day[row.person, row.day].add(row.message_id)
    assert {len(identities) for identities in per_day.values()} <= {1}
    assert world.late == []
    # The ledger's word agrees with the post's.
    delivered = {identity for identity, _to in world.post.delivered}
    assert {row.message_id for row in ledger if row.sent_at} <= delivered


def test_each_kind_of_trouble_on_the_first_day_of_a_reminder_costs_nothing() -> None:
    for mode in MODES:
        to_the_first = (date(2026, 12, 31) - START, mode)
        world = run(
            [to_the_first, (timedelta(minutes=20), "fine"), (timedelta(days=1), "fine")],
            {},
            date(2027, 1, 15),
        )
        assert world.post.reached[mode] >= 1
        check(world)


@pytest.mark.slow
def test_no_reminder_is_lost_and_none_is_doubled_in_three_years_of_trouble() -> None:
    reached: Counter[str] = Counter()

    @settings(
        max_examples=14,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(passes=PASSES, settled=SETTLED)
    def simulate(passes: list[tuple[timedelta, str]], settled: dict[str, date]) -> None:
        world = run(passes, settled)
        reached.update(world.post.reached)
        check(world)

    simulate()
    # A simulation that never met the trouble proves nothing.
    assert {mode: reached[mode] >= 3 for mode in MODES} == dict.fromkeys(MODES, True), reached
