"""The power fails: of SQLite's write-ahead log only a part reached the disk, or an older backup of the store is put back.

What was committed may be gone without an error, and what was written to the tracker is there all the same: so each
create is looked for before it is made.  `make test` tries cuts spread over the log; `make faults`
(TICSSYNC_FAULTS=all) tries every frame of it, before, in the middle and behind.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.servers.proxy import Proxy
from tests.servers.redmine import Server
from tests.servers.redmine_office import Moment, found_office
from tests.system.company import ITEMS, found_company, outgoing
from tests.unit.sync.world import WORKSPACE, World
from tests.unit.sync.world import outgoing as written
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.store import Store
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_site import full, index, strong

pytest_plugins = ["tests.servers.redmine_fixtures"]
pytestmark = pytest.mark.slow

ALL: Final = os.environ.get("TICSSYNC_FAULTS") == "all"
HEAD: Final = 32
FRAME: Final = 24 + 4096
"""Bytes of the log's head, and of one page in it."""

KINDS: Final[dict[str, Callable[[], Behaviour]]] = {
    "workbook-like": full,
    "redmine-like": strong,
    "jira-like": index,
}
OLD: Final = "an older backup"


def cuts(size: int, some: int) -> list[int]:
    """Where to cut: nothing, a torn head, and before, in the middle of and behind frames."""
    frames = (size - HEAD) // FRAME
    chosen = range(frames) if ALL or frames <= some else range(0, frames, max(1, frames // some))
    found = {0, HEAD // 2, HEAD, size}
    for number in chosen:
        start = HEAD + number * FRAME
        found |= (
            {start + 1, start + FRAME // 2, start + FRAME} if ALL else {start + FRAME // 2, start + FRAME}
        )
    return sorted(one for one in found if one <= size)


def few(size: int) -> list[int]:
    """For a whole company: nothing is left, or a part."""
    return cuts(size, size) if ALL else [0, HEAD + (size - HEAD) // FRAME // 2 * FRAME]


def logged(store: Path) -> Path:
    return store.with_name(f"{store.name}-wal")


def keep(store: Path, kept: Path) -> None:
    """What lies on the disk at this moment, while the process still has the store open."""
    kept.mkdir()
    for file in (store, logged(store)):
        shutil.copyfile(file, kept / file.name)


def lose(kept: Path, store: Path, at: int) -> None:
    """The store as it comes up after the power failed: its log ends there."""
    for file in store.parent.glob(f"{store.name}*"):
        file.unlink()
    shutil.copyfile(kept / store.name, store)
    logged(store).write_bytes(logged(kept / store.name).read_bytes()[:at])


# ── the engine ────────────────────────────────────────────────────────────────────────────────────────


def lived(kind: str, folder: Path) -> World:
    """Three tasks made; then an edit of a person taken in and a new title written.  All of it is in the log only."""
    world = World(behaviours={"a": KINDS[kind]()})
    Store.create(f"sqlite:///{folder / 'x.db'}", WORKSPACE, world.clock).close()
    world.store = Store.open(f"sqlite:///{folder / 'x.db'}", WORKSPACE, world.clock)
    world.sync()
    world.clock.advance(120)
    world.sync()
    world.person("T-02", 状態="完了")
    world.titles["T-01"] = "新しい題名"
    world.clock.advance(120)
    world.settle(wait=61)
    return world


def holds(world: World) -> None:
    """Two passes later all is as it was, and nothing stands there twice."""
    for _ in range(3):
        world.clock.advance(130)
        reports = world.sync()
    assert written(reports) == []
    assert [len(world.issues(item)) for item in world.items] == [1, 1, 1]
    assert [[one.state for one in world.bound(item)] for item in world.items] == [["live"]] * 3
    assert world.issue("T-01").fields["件名"] == "新しい題名"
    assert (world.issue("T-02").fields["状態"], world.hub("T-02")["status"]) == ("完了", "done")
    assert world.conflicts() == []


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_part_of_the_log_is_lost_no_task_is_made_twice_and_no_edit_is_lost(
    kind: str, tmp_path: Path
) -> None:
    world = lived(kind, tmp_path)
    file, kept = tmp_path / "x.db", tmp_path / "kept"
    keep(file, kept)
    world.store.close()
    then, now = copy.deepcopy(world.servers, {id(world.clock): world.clock}), world.clock.now
    size = logged(kept / file.name).stat().st_size
    forgotten = 0
    for at in cuts(size, 1):
        lose(kept, file, at)
        world.clock.now = now
        world.servers = copy.deepcopy(then, {id(world.clock): world.clock})
        world.store = Store.open(f"sqlite:///{file}", WORKSPACE, world.clock)
        with world.store.read() as tx:
            forgotten += tx.head()[0] == 0
        holds(world)
        world.store.close()

    assert size > 20 * FRAME
    assert forgotten >= 2, "some cuts lose everything"


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_from_before_the_tasks_were_made_finds_them_by_their_markers(
    kind: str, tmp_path: Path
) -> None:
    world = lived(kind, tmp_path)
    world.store.close()
    world.store = Store.memory(WORKSPACE, world.clock)
    world.clock.advance(86_500)
    holds(world)


# ── a whole company ───────────────────────────────────────────────────────────────────────────────────


def test_a_company_with_a_workbook_whose_log_was_cut_gets_no_row_twice(tmp_path: Path) -> None:
    company = found_company(tmp_path / "会社")
    kept = tmp_path / "kept"
    with company.open() as workspace:
        sync(workspace, SyncOrder())
        company.person({"T-03": {"status": "完了"}})
        sync(workspace, SyncOrder())
        keep(company.store_file, kept)
    size = logged(kept / company.store_file.name).stat().st_size
    markers = company.markers()
    for at in few(size):
        lose(kept, company.store_file, at)
        for _ in range(2):
            result = company.sync()
        assert outgoing(result) == []
        assert company.markers() == markers
        assert company.cell("T-03", "status") == "完了"
        found = company.bound()
        assert [one.state.value for one in found] == ["live"] * ITEMS
        assert {one.key.item: one.status for one in found}["T-03"] == "done"


@pytest.fixture
def proxy(redmine: Server) -> Iterator[Proxy]:
    with Proxy(redmine.url) as found:
        yield found


def test_a_company_with_a_redmine_whose_log_was_cut_gets_no_issue_twice(
    redmine: Server, proxy: Proxy, tmp_path: Path
) -> None:
    items = ("T-01", "T-02", "T-03")
    office = found_office(tmp_path / "会社", redmine, proxy, items=items)
    kept = tmp_path / "kept"
    with office.open() as workspace:
        sync(workspace, SyncOrder())
        keep(office.store_file, kept)
    office.person({"T-02": {"status_id": office.status("closed")}})
    after = Moment(office, tmp_path / "moment")
    size = logged(kept / office.store_file.name).stat().st_size
    for at in few(size):
        office = after.back()
        lose(kept, office.store_file, at)
        office.later(130)
        for _ in range(2):
            result = office.sync()
            office.later(130)
        found = office.issues()
        assert (outgoing(result), len(found), len(set(office.markers(found)))) == ([], 3, 3)
        assert {one.key.item: one.status for one in office.bound()}["T-02"] == "done"
