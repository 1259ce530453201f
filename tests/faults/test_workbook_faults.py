"""Every crash point of a sync into a real workbook, and real kills: nothing is made twice, nothing is lost.

A point is a store commit or a file operation of the writer, before and after.  At each one the process dies
once; after at most three further passes all is well and the next pass writes nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import deaths
from tests.faults.deaths import Death, Points, file_operations
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


def dies(company: Company, points: Points) -> None:
    """One pass that is watched; it may end early."""
    try:
        with company.open() as workspace:
            workspace.store.watch = points
            with file_operations(company.shared.resolve(), points):
                sync(workspace, SyncOrder())
    except Death:
        pass


def repaired(company: Company) -> None:
    """At most three passes, and then one that does nothing."""
    with company.open() as workspace:
        for _ in range(3):
            if outgoing(sync(workspace, SyncOrder())) == []:
                break
        points, before = Points(), company.book.read_bytes()
        workspace.store.watch = points
        assert outgoing(sync(workspace, SyncOrder())) == []
        with workspace.store.read() as tx:
            assert [(one.state.value, one.generation) for one in bindings(tx)] == [("live", 1)] * ITEMS
            assert intents(tx, "ledger") == ()
    # The lease is taken and given back; nothing else is committed.
    assert (points.seen, company.book.read_bytes()) == (4, before)
    markers = company.markers()
    assert (len(company.rows()), len(markers), len(set(markers))) == (ITEMS, ITEMS, ITEMS)


def every_point(moment: Moment, share: int, check: Callable[[Company], None]) -> int:
    company, points = moment.company, Points()
    dies(company, points)
    check(company)
    total = points.seen
    for at in range(1 + share, total + 1, SHARES):
        moment.back()
        points = Points(at)
        dies(company, points)
        assert points.dead
        check(company)
    return total


@pytest.mark.parametrize("share", range(SHARES))
def test_death_at_any_point_of_the_first_sync_leaves_46_rows_and_no_doubles(
    company: Company, tmp_path: Path, share: int
) -> None:
    total = every_point(Moment(company, tmp_path / "kept"), share, repaired)

    assert total >= 20


@pytest.mark.parametrize("share", range(SHARES))
def test_death_at_any_point_of_a_later_sync_loses_no_edit_of_a_person(
    synced: Company, tmp_path: Path, share: int
) -> None:
    title = synced.cell("T-02", "title")
    synced.person(EDITED)

    def check(company: Company) -> None:
        repaired(company)
        assert {item: company.cell(item, "status") for item in ("T-01", "T-03")} == {
            "T-01": "完了",
            "T-03": "対応中",
        }
        assert {one.key.item: one.status for one in company.bound() if one.key.item in EDITED} == {
            "T-01": "done", "T-02": "todo", "T-03": "doing",
        }  # fmt: skip
        assert (company.cell("T-02", "title"), company.cell("T-02", "evidence")) == (title, "棚の3段目 ㊙")
        assert [one.data["to"] for one in company.events("task.overwritten")] == ["勝手な題名"]

    total = every_point(Moment(synced, tmp_path / "kept"), share, check)

    assert total >= 30


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
