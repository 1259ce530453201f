"""A sync into a real workbook, broken at every point, and real kills: nothing is made twice, nothing is lost.

A point is a store commit or a file operation of the writer, before and after.  At each one the process dies, the
disk refuses, or somebody does something to the file, once; after at most three further passes all is well and the
next pass writes nothing.  `make test` tries a part of the points, `make faults` all.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import deaths
from tests.faults.deaths import Death, Points, file_operations
from tests.faults.table import ALL, PASSES, Harm, Tally, some
from tests.system.company import ITEMS, Company, Moment, outgoing
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.store.bindings import bindings
from ticssync.store.working import intents

pytestmark = pytest.mark.slow
SHARES = 2
"""The points are shared out over so many tests, so that two workers have something to do."""
EDITED = {
    "T-01": {"status": "完了"},
    "T-02": {"title": "勝手な題名", "evidence": "棚の3段目 ㊙"},
    "T-03": {"status": "対応中"},
}


DRIVER = "workbook"
SHARE = 4
"""Of the deaths, `make test` tries every so-manieth; of what is done to the file, fewer."""


def dies(company: Company, points: Callable[[str], None]) -> None:
    """One pass that is watched; it may end early."""
    try:
        with company.open() as workspace:
            workspace.store.watch = points
            with file_operations(company.shared.resolve(), points):
                sync(workspace, SyncOrder())
    except Death:
        pass


def repaired(company: Company) -> tuple[int, Harm]:
    """At most three passes, and then one that does nothing."""
    with company.open() as workspace:
        needed = PASSES + 1
        for passes in range(PASSES + 1):
            result = sync(workspace, SyncOrder())
            if (outgoing(result), result.exit_code) == ([], 0):
                needed = passes
                break
        points, before = Points(), company.book.read_bytes()
        workspace.store.watch = points
        assert outgoing(sync(workspace, SyncOrder())) == []
        with workspace.store.read() as tx:
            states = [(one.state.value, one.generation) for one in bindings(tx)]
            assert intents(tx, "ledger") == ()
    # The lease is taken and given back; nothing else is committed.
    assert (points.seen, company.book.read_bytes()) == (4, before)
    markers = company.markers()
    doubles = max(len(company.rows()), len(markers)) - ITEMS
    harm = Harm(doubles, 0, sum(one != ("live", 1) for one in states))
    assert (len(company.rows()), len(markers), len(set(markers))) == (ITEMS, ITEMS, ITEMS), harm
    return needed, harm


@dataclass(frozen=True)
class Story:
    """A pass as it begins, and the edits of people that must stand in the end."""

    name: str
    moment: Moment
    check: Callable[[Company], tuple[int, Harm]]

    def points(self) -> Points:
        """All of the pass."""
        points = Points()
        dies(self.moment.back(), points)
        self.check(self.moment.company)
        return points


@pytest.fixture(params=["first sync", "later pass"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Story:
    later = request.param == "later pass"
    company: Company = request.getfixturevalue("synced" if later else "company")
    title = company.cell("T-02", "title") if later else ""
    if later:
        company.person(EDITED)
    moment = Moment(company, tmp_path / "kept")

    def check(company: Company) -> tuple[int, Harm]:
        passes, harm = repaired(company)
        shown = {item: company.cell(item, "status") for item in ("T-01", "T-03")}
        here = {one.key.item: one.status for one in company.bound() if one.key.item in EDITED}
        assert shown == {"T-01": "完了", "T-03": "対応中"}
        assert here == {"T-01": "done", "T-02": "todo", "T-03": "doing"}
        assert (company.cell("T-02", "title"), company.cell("T-02", "evidence")) == (title, "棚の3段目 ㊙")
        assert [one.data["to"] for one in company.events("task.overwritten")] == ["勝手な題名"]
        return passes, harm

    return Story(request.param, moment, check if later else repaired)


def mine(points: list[int], share: int) -> list[int]:
    """The part of one of `SHARES` tests."""
    return points[share::SHARES]


@pytest.mark.parametrize("share", range(SHARES))
def test_death_at_any_point_leaves_46_rows_no_doubles_and_every_edit_of_a_person(
    story: Story, share: int
) -> None:
    total = story.points().seen
    with Tally(DRIVER, story.name, "death", found=total) as tally:
        for at in mine(some(total, tally.seed, SHARE), share):
            company, points = story.moment.back(), Points(at)
            dies(company, points)
            assert points.dead
            tally.add(*story.check(company), at)

    assert total >= {"first sync": 20, "later pass": 30}[story.name]


# ── the disk, and people at the file ──────────────────────────────────────────────────────────────────


def _refuses(number: int) -> Callable[[Company], None]:
    def act(_company: Company) -> None:
        raise OSError(number, os.strerror(number))

    return act


def _lock(company: Company) -> Path:
    return company.book.with_name(f"~${company.book.name}")


def _opens(company: Company) -> None:
    _lock(company).write_bytes(b"\x03abc" + b" " * 51)


def _closes(company: Company) -> None:
    _lock(company).unlink(missing_ok=True)


def _cuts(company: Company) -> None:
    if company.book.exists():
        whole = company.book.read_bytes()
        company.book.with_suffix(".whole").write_bytes(whole)
        company.book.write_bytes(whole[: len(whole) // 2])


def _mends(company: Company) -> None:
    """Whoever cut it brings the whole file, unless somebody wrote another one meanwhile."""
    kept = company.book.with_suffix(".whole")
    if kept.exists():
        whole = kept.read_bytes()
        if company.book.read_bytes() == whole[: len(whole) // 2]:
            company.book.write_bytes(whole)
        kept.unlink()


def _saves(company: Company) -> None:
    if company.book.exists():
        company.person({"T-05": {"status": "対応中"}})


def _nothing(_company: Company) -> None:
    """All is as before."""


@dataclass(frozen=True)
class Kind:
    """What happens at a point, before or after it, and what puts an end to it once the pass is over."""

    moment: str
    act: Callable[[Company], None]
    ends: Callable[[Company], None] = _nothing
    operations: bool = True


KINDS: dict[str, Kind] = {
    "disk full": Kind("before", _refuses(errno.ENOSPC)),
    "refused": Kind("before", _refuses(errno.EACCES)),
    "done, and an error told": Kind("after", _refuses(errno.EIO)),
    "opened in Excel meanwhile": Kind("before", _opens, _closes, operations=False),
    "cut in half meanwhile": Kind("before", _cuts, _mends, operations=False),
    "saved by a person meanwhile": Kind("before", _saves, operations=False),
}
IN_SHORT = ("disk full", "done, and an error told", "saved by a person meanwhile")


class Broken:
    """At the point with this number something happens, once.  What is done then is no point itself."""

    def __init__(self, company: Company, at: int, kind: Kind) -> None:
        self.company, self.left, self.kind = company, at, kind
        self.done = self.inside = False

    def __call__(self, point: str) -> None:
        if self.inside or not counts(point, self.kind):
            return
        self.left -= 1
        if self.left == 0:
            self.done = self.inside = True
            try:
                self.kind.act(self.company)
            finally:
                self.inside = False


def counts(point: str, kind: Kind) -> bool:
    """Whether this kind of fault can happen there.  A disk refuses file operations; people come at any moment."""
    return point.startswith(kind.moment) and not (kind.operations and point.endswith("commit"))


@pytest.mark.parametrize("story", ["first sync", "later pass"] if ALL else ["later pass"], indirect=True)
@pytest.mark.parametrize("kind", KINDS if ALL else IN_SHORT)
def test_whatever_the_disk_or_a_person_does_to_the_file_on_the_way_leaves_one_row_each_and_every_edit(
    story: Story, kind: str
) -> None:
    names = story.points().names
    total = sum(counts(name, KINDS[kind]) for name in names)
    with Tally(DRIVER, story.name, kind, found=total) as tally:
        for at in some(total, tally.seed, 9):
            company = story.moment.back()
            broken = Broken(company, at, KINDS[kind])
            dies(company, broken)
            assert broken.done
            KINDS[kind].ends(company)
            saved = kind.startswith("saved") and story.name == "later pass"
            passes, harm = story.check(company)
            tally.add(passes, harm, at)
            assert not saved or company.cell("T-05", "status") == "対応中"


# ── real kills ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("part", range(10))
def test_a_sync_that_is_killed_is_finished_by_the_next_ones(company: Company, part: int) -> None:
    points = Points()
    kept = company.root.with_name("kept")
    shutil.copytree(company.root, kept)
    dies(company, points)
    shutil.rmtree(company.root)
    kept.rename(company.root)
    at = 1 + part * (points.seen - 1) // 9

    line = [sys.executable, deaths.__file__, str(company.config), str(at)]
    killed = subprocess.run(line, capture_output=True, check=False, timeout=120)

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    repaired(company)


def test_what_a_killed_writer_left_beside_the_workbook_is_cleared_by_a_later_write(synced: Company) -> None:
    old, young = (synced.shared / f".ticssync-{name * 12}.tmp" for name in "01")
    for file in (old, young):
        file.write_bytes(b"half a workbook")
    an_hour_ago = old.stat().st_mtime - 3700
    os.utime(old, (an_hour_ago, an_hour_ago))
    synced.person(EDITED)
    synced.sync()

    assert (old.exists(), young.exists()) == (False, True)


def test_the_harness_sees_a_writer_that_adds_its_rows_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker checked: where rows that stand there already are written once more, `repaired` says so."""
    from ticssync_sheets.workbook import plan

    company.sync()
    real = plan.make_plan

    def twice(seen: object, drafts: object, changes: object, names: object) -> object:
        made = real(seen, drafts, changes, names)  # type: ignore[arg-type]
        for number, cells in enumerate(list(made.cells.values())[:1]):
            made.add(f"double-{number}", None, {**cells, "marker": company.markers()[0]})
        return made

    monkeypatch.setattr("ticssync_sheets.workbook.tracker.make_plan", twice)
    company.person({"T-01": {"title": "x"}})

    with pytest.raises(AssertionError):
        repaired(company)
