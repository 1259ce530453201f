"""Files and notes that the office gives along with a task: put there once, told where they are not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sync.giving import FORM, files_in, give_file, give_note, hub, notes_in, short_hash
from tests.unit.sync.world import World, outgoing
from ticssync.plugin import Done, Fate, Fetched, Outcome, Rejected
from ticssync.store.hub import put_hub
from ticssync.store.locker import Locker
from ticssync.store.working import intents
from ticssync.sync.hand_out import name_there
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.wire import Fault

KINDS = {"workbook-like": full, "redmine-like": strong, "jira-like": index}


def world_of(
    folder: Path, behaviour: Behaviour | None = None, driver: type[FakeTracker] = FakeTracker
) -> World:
    """One tracker, one task, nothing to do."""
    made = World(
        items=("T-01",),
        behaviours={"a": behaviour or strong()},
        drivers={"a": driver},
        locker=Locker(folder / "locker"),
    )
    made.settle()
    made.clock.advance(120)
    return made


def open_intents(world: World) -> list[str]:
    with world.store.read() as tx:
        return [one.op for one in intents(tx, "a")]


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return world_of(tmp_path, KINDS[request.param]())


# -- names


def test_a_file_gets_a_name_that_carries_part_of_its_hash() -> None:
    assert name_there("様式1 誓約書.docx", "0a1b2c3d" + "0" * 56) == "様式1 誓約書__0a1b2c3d.docx"
    assert name_there("a/b:c?.xlsx", "f" * 64) == "a_b_c___ffffffff.xlsx"
    assert name_there("README", "f" * 64) == "README__ffffffff"
    assert name_there("...", "f" * 64) == "file__ffffffff"


@given(name=st.text(min_size=1, max_size=300))
def test_a_name_in_a_tracker_is_never_too_long_and_holds_nothing_that_is_replaced_there(name: str) -> None:
    made = name_there(name, "0123456789abcdef" * 4)

    assert "__01234567" in made
    assert not set(made) & set("/\\?%*:|\"'<>\n\r\0")
    assert len(made.partition("__01234567")[0]) <= 120


# -- sent


def test_files_and_a_note_go_out_once_in_one_write(world: World) -> None:
    names = [give_file(world), give_file(world, "記入例.pdf", b"%PDF")]
    give_note(world, "この様式に記入してください")
    verb = "write" if world.server().behaviour.file_batch else "update"
    before = world.server().requests[verb]
    planned = outgoing(world.sync(dry=True))
    done = outgoing(world.sync())
    writes = world.server().requests[verb] - before
    world.settle(wait=130)

    assert planned == done == ["a:comment:T-01", "a:attach:T-01", "a:attach:T-01"]
    assert (files_in(world), notes_in(world)) == (names, ["この様式に記入してください"])
    assert sorted(world.server().files.values()) == [b"%PDF", b"PK form"]
    assert writes == 1
    assert (hub(world).wishes, open_intents(world)) == ({}, [])
    assert world.kinds().count("task.attached") == 2


def test_a_plan_says_which_file_would_go_where(world: World) -> None:
    name = give_file(world)
    (line,) = [one.plain() for one in world.sync(dry=True)["a"].actions]

    assert (line["action"], line["direction"], line["task"]) == ("attach", "out", "tics/T-01")
    assert line["fields"] == {"file": {"from": None, "to": name}}
    assert name == f"様式1 誓約書__{short_hash(b'PK form')}.docx"


def test_a_file_goes_to_the_main_task_only(tmp_path: Path) -> None:
    world = World(
        items=("T-01",), behaviours={"a": strong(), "b": index()}, locker=Locker(tmp_path / "locker")
    )
    world.settle(wait=130)
    name = give_file(world)
    world.settle(wait=130)

    assert (files_in(world, "a"), files_in(world, "b")) == ([name], [])


def test_what_is_given_before_the_task_is_made_goes_out_after_it(tmp_path: Path) -> None:
    world = World(items=("T-01",), behaviours={"a": strong()}, locker=Locker(tmp_path / "locker"))
    world.server().behaviour.people = {}
    world.sync()
    name = give_file(world)
    world.server().behaviour.people = {"1001": "佐藤 花子"}
    world.sync(retry_refused=True)
    world.settle(wait=1)

    assert files_in(world) == [name]


# -- the answer is lost


@pytest.mark.parametrize("verb", ["upload", "write"])
def test_a_file_whose_answer_was_lost_is_found_by_its_name_and_not_sent_twice(
    world: World, verb: str
) -> None:
    changing = "write" if world.server().behaviour.file_batch else "update"
    name = give_file(world)
    world.server().fail_next("upload" if verb == "upload" else changing, Fault.ANSWER_LOST)
    waiting = world.sync()["a"].waiting
    told = open_intents(world)
    world.clock.advance(120)
    world.sync()
    world.settle(wait=130)

    assert (waiting, told) == (["tics/T-01"], ["attach"])
    assert files_in(world) == [name]
    assert world.kinds().count("task.attached") == 1
    assert (hub(world).wishes, open_intents(world)) == ({}, [])


class Silent(FakeTracker):
    """It does not say what hangs on a task as long as it is `mute`."""

    mute = False

    def fetch(self, refs):  # type: ignore[no-untyped-def]
        return {ref: Fetched(Fate.UNKNOWN) for ref in refs} if self.mute else super().fetch(refs)

    def comments(self, refs):  # type: ignore[no-untyped-def]
        return {} if self.mute else super().comments(refs)


def test_as_long_as_a_task_does_not_show_what_hangs_on_it_nothing_is_sent_again(tmp_path: Path) -> None:
    world = world_of(tmp_path, strong(), Silent)
    give_file(world)
    give_note(world, "記入してください")
    world.server().fail_next("update", Fault.ANSWER_LOST)
    world.sync()
    Silent.mute = True
    try:
        for _ in range(3):
            world.clock.advance(60)
            world.sync()
        meanwhile = open_intents(world)
    finally:
        Silent.mute = False
    world.settle(wait=60)

    assert sorted(meanwhile) == ["attach", "comment"]
    assert (len(files_in(world)), notes_in(world)) == (1, ["記入してください"])
    assert open_intents(world) == []


def test_a_store_out_of_an_old_backup_does_not_hang_the_file_there_a_second_time(world: World) -> None:
    name = give_file(world)
    before = hub(world)
    world.settle(wait=130)
    restored = replace(hub(world), wishes=before.wishes)
    with world.store.write() as tx:
        put_hub(tx, restored)
    world.settle(wait=130)

    assert files_in(world) == [name]
    assert hub(world).wishes == {}


# -- not taken


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_the_tracker_drops_in_silence_is_told_once_and_tried_again_when_asked(
    tmp_path: Path, kind: str
) -> None:
    world = world_of(tmp_path, KINDS[kind](drops_files=True))
    name = give_file(world)
    give_note(world, "記入してください")
    first = world.sync()["a"]
    world.clock.advance(120)
    requests = world.server().requests["upload"]
    later = world.sync()["a"]
    asked = world.server().requests["upload"] - requests
    opened = world.kinds().count("refusal.opened")
    world.server().behaviour.drops_files = False
    world.clock.advance(120)
    world.sync(retry_refused=True)

    assert [one["field"] for one in first.refusals] == [f"file:{name}"]
    assert [(one["field"], one["wanted"]) for one in later.refusals] == [(f"file:{name}", FORM)]
    assert (asked, opened, notes_in(world)) == (0, 1, ["記入してください"])
    assert (files_in(world), world.refusals(), hub(world).wishes) == ([name], [], {})


def test_a_file_that_is_too_large_there_is_refused_in_the_trackers_words_and_the_other_one_goes(
    world: World,
) -> None:
    world.server().behaviour.upload_limit = 10
    large = give_file(world, "大きい.xlsx", b"x" * 11)
    small = give_file(world)
    world.sync()
    world.settle(wait=130)

    assert files_in(world) == [small]
    assert [(one.field, "上限10バイト" in one.why) for one in world.refusals()] == [(f"file:{large}", True)]


def test_a_refused_file_costs_no_request_in_later_passes(tmp_path: Path) -> None:
    world = world_of(tmp_path, strong(drops_files=True))
    world.sync()
    before = world.server().request_count
    world.sync()
    idle = world.server().request_count - before
    give_file(world)
    world.sync()
    world.clock.advance(120)
    before = world.server().request_count
    world.sync()

    assert world.server().request_count - before == idle


class Answering(FakeTracker):
    """It leaves out notes and files, and says `says`, or what it `refused`."""

    says: ClassVar[Outcome | None] = None
    refused: ClassVar[Mapping[str, str]] = {}

    def update(self, changes):  # type: ignore[no-untyped-def]
        super().update([replace(one, note=None, files=()) for one in changes])
        return [self.says or Done(one.ref, None, self.refused) for one in changes]


def answered(folder: Path, says: Outcome | None = None, refused: Mapping[str, str] | None = None) -> World:
    driver = type("Chosen", (Answering,), {"says": says, "refused": refused or {}})
    world = world_of(folder, strong(), driver)
    give_file(world)
    give_note(world, "記入してください")
    return world


@pytest.mark.parametrize(
    ("field", "refused"), [("", {"note", "file"}), ("note", {"note"}), ("files", {"file"})]
)
def test_a_change_that_is_refused_whole_names_what_went_along_and_is_not_sent_for_ever(
    tmp_path: Path, field: str, refused: set[str]
) -> None:
    world = answered(tmp_path, Rejected(("コメントの権限がありません",), field))
    world.sync()
    first = {one.field.partition(":")[0] for one in world.refusals()}
    for _ in range(3):
        world.clock.advance(60)
        world.sync()
    opened = world.kinds().count("refusal.opened")
    world.sync()

    assert first == refused
    assert world.kinds().count("refusal.opened") == opened <= 2
    assert open_intents(world) == []


def test_a_note_that_the_tracker_did_not_take_along_is_told_and_waits(tmp_path: Path) -> None:
    world = answered(tmp_path, refused={"note": "コメントの権限がありません"})
    world.sync()
    world.sync()

    notes = [one for one in world.refusals() if one.field.startswith("note:")]
    assert [(one.wanted, one.why) for one in notes] == [("記入してください", "コメントの権限がありません")]
    assert "task.noted" not in world.kinds()


def test_a_file_whose_bytes_are_lost_is_told_and_does_not_keep_the_note_back(world: World) -> None:
    assert world.locker is not None
    give_file(world)
    give_note(world, "記入してください")
    for file in world.locker.folder.glob("*/*"):
        file.chmod(0o600)
        file.write_bytes(b"other")
    world.sync()
    world.settle(wait=130)

    assert (files_in(world), notes_in(world)) == ([], ["記入してください"])
    assert [one.field.partition(":")[0] for one in world.refusals()] == ["file"]


def test_where_a_tracker_takes_no_files_it_is_said_once_and_nothing_is_sent(world: World) -> None:
    world.server().behaviour.takes_files = False
    give_file(world)
    reports = [world.sync()["a"] for _ in range(3)]

    assert [outgoing({"a": one}) for one in reports] == [[], [], []]
    assert world.kinds().count("refusal.opened") == 1
    assert reports[-1].refusals[0]["why"] == "a has no place for files"


# -- creates


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_whose_answer_was_lost_and_that_is_refused_afterwards_is_not_sent_for_ever(
    kind: str,
) -> None:
    world = World(items=("T-01", "T-02"), behaviours={"a": KINDS[kind](people={})})
    world.server().fail_next(
        "write" if world.server().behaviour.file_batch else "create", Fault.ANSWER_LOST, 2
    )
    requests = []
    for _ in range(6):
        world.sync()
        requests.append(world.server().requests["create"] + world.server().requests["write"])
        world.clock.advance(120)

    assert world.server().issues() == []
    assert requests[-1] == requests[-3]
    assert {one.field for one in world.refusals()} == {"create"}
    assert world.kinds().count("refusal.opened") == 2
    assert open_intents(world) == []
