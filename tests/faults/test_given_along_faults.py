"""A note and two files for one task, cut off at every commit and every request: one of each in the end.

The scenario also changes a field, so that everything goes in one write: on the wire each file is handed in first,
under a token that is good once, then one request carries fields, note and tokens.  At each point the process dies,
or the network fails, once; at most three more passes must bring everything there, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.deaths import Death, Points
from tests.faults.stories import NETWORK, Broken, Requests
from tests.faults.table import PASSES, SLACK, Harm, Tally, some
from tests.unit.sync.giving import files_in, give_file, give_note, hub, notes_in
from tests.unit.sync.world import World, outgoing
from ticssync.store.locker import Locker
from ticssync.store.working import intents
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.wire import Fault

pytestmark = pytest.mark.slow

KINDS: dict[str, Callable[[], Behaviour]] = {
    "fake, workbook-like": full,
    "fake, redmine-like": strong,
    "fake, jira-like": index,
    "fake, raises where it could answer": lambda: strong(loses_answers_as_outage=True),
}
WORDS = "この様式に記入してください"
CONTENTS = {"様式1 誓約書.docx": b"PK form", "記入例.pdf": b"%PDF example"}


def given(kind: str, folder: Path) -> World:
    """A task that stands, and what the office gives along with it."""
    world = World(items=("T-01", "T-02"), behaviours={"a": KINDS[kind]()}, locker=Locker(folder / "locker"))
    world.settle(wait=1)
    world.clock.advance(120)
    for name, content in CONTENTS.items():
        give_file(world, name, content)
    give_note(world, WORDS)
    world.titles["T-01"] = "新しい題名"
    return world


def watch(world: World, points: Callable[[str], None]) -> None:
    world.store.watch = world.server().watch = points


def one_of_each(world: World, whole: int = 99, asked: int = 0) -> tuple[int, Harm]:
    """At most three more passes, then one that writes nothing; one note and each file once, the bytes whole.
    `whole`: the requests of the pass without a fault; `asked`: those of the broken one."""
    watch(world, lambda _point: None)
    over, needed = [asked - whole], PASSES + 1
    for passes in range(PASSES + 1):
        # Longer than any of them asks to be left alone.
        world.clock.advance(3700)
        counted = Requests(world)
        reports = world.sync()
        over.append(counted.since()["a"] - whole)
        if not outgoing(reports) and not waits(world):
            needed = passes
            break
    stems = [name.partition("__")[0] for name in files_in(world)]
    more = max(0, len(stems) - 2) + max(0, len(notes_in(world)) - 1)
    # Before the asserts, so that the table tells what they would stop at.
    harm = Harm(more, 0, 0, sum(one > SLACK for one in over), max(0, *over))
    assert needed <= PASSES
    assert (sorted(stems), notes_in(world)) == (["様式1 誓約書", "記入例"], [WORDS])
    assert sorted(world.server().files.values()) == sorted(CONTENTS.values())
    assert (world.issue("T-01").fields["件名"], world.refusals()) == ("新しい題名", [])
    assert (world.kinds().count("task.attached"), world.kinds().count("task.noted")) == (2, 1)
    assert hub(world).wishes == {}
    assert not waits(world)
    return needed, harm


def waits(world: World) -> bool:
    with world.store.read() as tx:
        return intents(tx, "a") != ()


@pytest.mark.parametrize("kind", KINDS)
def test_death_at_every_commit_and_request_leaves_one_note_and_each_file_once(
    kind: str, tmp_path: Path
) -> None:
    before = given(kind, tmp_path)
    world, points = before.fork(), Points()
    watch(world, points)
    counted = Requests(world)
    world.sync()
    whole, names = counted.since()["a"], points.names
    with Tally(kind, "note and files", "death", found=points.seen) as tally:
        for at in some(points.seen, tally.seed, 1 if kind == "fake, redmine-like" else 3):
            world = before.fork()
            watch(world, Points(at))
            counted = Requests(world)
            with suppress(Death):
                world.sync()
            tally.add(*one_of_each(world, whole, counted.since()["a"]), at)

    assert names.count("after upload") == 2
    assert len(names) >= 16


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", NETWORK)
def test_a_network_fault_at_every_request_leaves_one_note_and_each_file_once(
    kind: str, fault: str, tmp_path: Path
) -> None:
    before = given(kind, tmp_path)
    world = before.fork()
    counted = Requests(world)
    world.sync()
    whole = counted.since()["a"]
    with Tally(kind, "note and files", fault, found=whole) as tally:
        for at in some(whole, tally.seed, 4):
            world = before.fork()
            broken = world.server().watch = Broken(world, "a", at, NETWORK[fault])
            counted = Requests(world)
            world.sync()
            assert broken.done
            tally.add(*one_of_each(world, whole, counted.since()["a"]), at)

    assert whole >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_lost_in_every_one_of_three_passes_leaves_one_of_each(
    kind: str, tmp_path: Path
) -> None:
    world = given(kind, tmp_path)
    verb = "write" if world.server().behaviour.file_batch else "update"
    world.server().fail_next(verb, Fault.ANSWER_LOST, times=3)
    for _ in range(3):
        world.sync()
        world.clock.advance(130)

    world.server()._planned.clear()
    one_of_each(world)


def test_the_harness_sees_an_engine_that_sends_without_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker checked: where a file that hangs there is not known again, a lost answer makes two of it."""
    monkeypatch.setattr("ticssync.sync.decide.hangs_there", lambda _task, _file: False)
    world = given("fake, redmine-like", tmp_path)
    world.server().fail_next("update", Fault.ANSWER_LOST)
    world.sync()
    with pytest.raises(AssertionError):
        one_of_each(world)
