"""The process dies anywhere while it takes in what stands in the tasks: nothing is lost, nothing is doubled.

Every step that leaves a mark (the locker's, the store's) or asks the tracker is a point.  The pass is killed at each
of them in turn, and then the product is started again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import ALL
from tests.unit.app.office import Office
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker

pytestmark = pytest.mark.slow

FILES = {"台帳.pdf": b"%PDF-1.7 a", "空.pdf": b"", "名簿.pdf": b"%PDF-1.7 b"}


class Killed(BaseException):
    """The process ends here: no handler of the product may catch it."""


class Killer:
    """Counts the points of a pass, and ends it at one of them; -1 only counts."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.points = at, list[str]()

    def __call__(self, point: str) -> None:
        # Once dead it stays dead.
        if self.at < 0 or len(self.points) <= self.at:
            self.points.append(point)
        if len(self.points) == self.at + 1:
            raise Killed(point)

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            self(f"before {name}")
            result = function(*args, **named)
            self(f"after {name}")
            return result

        return wrapped


def office_with_work(root: Path) -> Office:
    office = Office(root).found()
    office.sync()
    office.clock.advance(60)
    server = office.server()
    ident = office.issues()["T-01"].id
    server.person_comments(ident, "棚卸しました")
    for name, content in FILES.items():
        server.attach(ident, name, content)
    server.person_comments(office.issues()["T-02"].id, "済")
    # A listing that goes on from where the last one ended does not show these changes a second time.
    office.clock.advance(60)
    return office


def killed_pass(office: Office, monkeypatch: pytest.MonkeyPatch, at: int = -1) -> Killer:
    killer = Killer(at)
    with monkeypatch.context() as patched, office.open() as workspace:
        for name in ("_write", "_settle"):
            patched.setattr(Locker, name, killer.around(name.strip("_"), getattr(Locker, name)))
        patched.setattr(workspace.store, "watch", killer)
        patched.setattr(office.server(), "watch", killer)
        try:
            office.sync()
        except Killed:
            # The lease of a dead process lapses; the next one is a process of its own.
            office.close()
            office.clock.advance(300)
    return killer


def facts(office: Office) -> Any:
    with office.open() as workspace, workspace.store.read() as tx:
        held = [(one.criterion, one.sha256, one.name, one.source) for one in evidence_of(tx)]
        passed = [event.data["name"] for event in tx.events(kind="evidence.passed_over")]
    return sorted(held), passed


def nothing_is_claimed_that_is_not_held(office: Office) -> None:
    locker = Locker(office.root / "locker")
    assert all(locker.verify(digest) == "ok" for _, digest, _, _ in facts(office)[0])


def test_a_death_at_any_point_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with closing(office_with_work(tmp_path / "count")) as office:
        points = killed_pass(office, monkeypatch).points
        expected = facts(office)
    assert [len(part) for part in expected] == [4, 1]
    # The places that the test is about are among them: after the locker and before the store, after one of several.
    assert points.count("after settle") == 4 and points.count("before commit") >= 7
    assert "after download" in points and "after comments" in points

    for at, point in list(enumerate(points))[:: 1 if ALL else 3]:
        with closing(office_with_work(tmp_path / str(at))) as office:
            assert killed_pass(office, monkeypatch, at).points[-1] == point
            nothing_is_claimed_that_is_not_held(office)
            office.sync()
            assert facts(office) == expected, (at, point)
            before = dict(office.server().requests)
            office.clock.advance(60)
            office.sync()
            now = dict(office.server().requests)
            assert {verb for verb in now if now[verb] != before.get(verb, 0)} <= {"list", "presend"}, (
                at,
                point,
            )
