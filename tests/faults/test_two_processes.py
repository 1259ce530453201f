"""Two real processes on one store, killed and frozen while their requests are on their way.

Nothing is made twice but where a create was carried out after its sender had lost the lease: what no lease can
prevent.  Each such double is bound as a copy, counted and shown.  `make test` runs a short part on SQLite and
PostgreSQL; many rounds with TICSSYNC_FAULTS=all.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.race import PACE, TASKS, Nursery, Race, commits, creates
from tests.servers.wired import Asked
from ticssync.store import connection
from ticssync.store.lease import read_lease
from ticssync.store.working import intents

pytest_plugins = ["tests.servers.postgres_fixtures"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TASKS.is_dir(), reason="no SIGSTOP and /proc on this system"),
]

ALL: Final = os.environ.get("TICSSYNC_FAULTS") == "all"
STEPS: Final = 12 if ALL else 2
ROUNDS: Final = 5 if ALL else 1
STORES: Final = ["sqlite", "postgresql"]
THOROUGH: Final = STORES if ALL else STORES[:1]


@pytest.fixture
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(connection, "BUSY_MS", 400)
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture
def race(nursery: Nursery, tmp_path: Path, url: str) -> Iterator[Race]:
    found = Race(nursery, tmp_path / "管理", url)
    with found.over:
        yield found


def both_at_work(race: Race) -> None:
    race.start()
    race.start()
    race.idle(race.pair()[0])


@pytest.mark.parametrize("url", THOROUGH, indirect=True)
def test_a_create_that_the_tracker_carries_out_after_the_lease_went_on_is_a_copy_counted_and_shown(
    race: Race,
) -> None:
    both_at_work(race)
    caught = race.server.stop_before(creates)
    (item,) = race.more_items(1)
    asked: Asked = race.news.until(lambda: caught, "one of them sends a create")[0]
    first = race.of(asked)
    second = race.other(first)

    race.freeze(first)
    race.takes_over(second)
    again = race.news.until(lambda: race.made(item, second.pid), "the second makes the task")[0]
    waited_s = (again.at - race.since()).total_seconds()
    asked.let_go()
    race.news.until(lambda: asked.done, "the tracker carries out what the first had sent")
    first.thaw()
    race.news.until(lambda: first.count("lost"), "the first learns that it lost the lease")
    race.news.until(lambda: any("copy" in one.get("notices", ()) for one in second.told), "the copy is told")

    found = race.holds()
    assert waited_s >= PACE.on_its_way_s
    assert (found["copies"], found["late"], found["tasks"]) == (1, 1, 3)


@pytest.mark.parametrize("url", THOROUGH, indirect=True)
def test_a_process_that_was_frozen_before_it_sent_wakes_up_and_sends_and_writes_nothing(race: Race) -> None:
    both_at_work(race)

    def about_to_send(asked: Asked) -> bool:
        with race.store.read() as tx:
            return commits(asked) and bool(intents(tx, "a"))

    caught = race.server.stop_before(about_to_send)
    (item,) = race.more_items(1)
    asked: Asked = race.news.until(lambda: caught, "one of them has committed what it is going to send")[0]
    first = race.of(asked)
    second = race.other(first)

    race.freeze(first)
    race.takes_over(second)
    race.news.until(lambda: race.made(item, second.pid), "the second makes the task")
    race.idle(second)
    before = head(race)
    asked.let_go()
    first.thaw()
    race.news.until(lambda: first.count("lost"), "the first learns that it lost the lease")

    assert head(race) == before
    assert [one.pid for one in race.server.asked if creates(one, item)] == [second.pid]
    found = race.holds()
    assert (found["copies"], found["late"], found["tasks"]) == (0, 0, 3)


def head(race: Race) -> tuple[object, ...]:
    """What stands in the store: the last event, the count of changes, who holds the lease, and what was sent."""
    with race.store.read() as tx:
        lease = read_lease(tx)
        return tx.standing(), lease.token if lease else 0, intents(tx, "a")


@pytest.mark.parametrize("url", STORES, indirect=True)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_processes_killed_and_frozen_at_random_make_no_doubles_but_the_counted_window(
    race: Race, number: int
) -> None:
    seed = int(os.environ.get("TICSSYNC_SEED", "0")) or random.SystemRandom().randrange(10**6)
    print(f"round {number}, TICSSYNC_SEED={seed}")
    race.random.seed(seed)
    did: Counter[str] = Counter()
    both_at_work(race)
    for _ in range(STEPS):
        did[step(race)] += 1
    found = race.holds()
    print(f"{dict(did)} {dict(found)}")
    assert did.total() == STEPS


def step(race: Race) -> str:
    """Something is to be written; at some moment of it something happens to the process that is at it."""
    roll = race.random
    for _ in range(roll.randrange(4)):
        race.people()
    deed, place = roll.choice(["kill", "freeze"]), roll.choice(["before", "before", "after", "commit"])
    fate = (
        roll.choice(["at once", "after the lease", "after the other one"]) if place == "before" else "at once"
    )
    new = race.coming(roll.randint(1, 3))
    which = roll.choice(new)
    traps = {
        "before": lambda: race.server.stop_before(lambda asked: creates(asked, which)),
        "after": lambda: race.server.stop_after(lambda asked: creates(asked, which)),
        "commit": lambda: race.server.stop_before(commits),
    }
    caught = traps[place]()
    race.more_items(len(new))
    asked: Asked = race.news.until(lambda: caught, f"a moment {place}")[0]
    victim = race.of(asked)
    other = race.other(victim)
    race.freeze(victim) if deed == "freeze" else victim.kill()
    if fate == "at once":
        asked.let_go()
    race.takes_over(other)
    if fate == "after the other one":
        race.news.until(lambda: race.made(which, other.pid), "the other one makes it")
    asked.let_go()
    for _ in range(roll.randrange(3)):
        race.people()
    if deed == "freeze":
        lost = victim.count("lost")
        victim.thaw()
        race.news.until(lambda: victim.count("lost") > lost, "it learns that it lost the lease")
    else:
        race.start()
    race.news.until(lambda: all(race.made(one) for one in new), "everything is made")
    race.idle(race.pair()[0] if deed == "freeze" else other)
    return f"{deed} {place} {fate}"
