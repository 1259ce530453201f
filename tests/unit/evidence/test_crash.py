"""A crash at any point of taking a file: nothing is lost, nothing is doubled, the second run completes it.

Every step of `take` that leaves a mark outside the process is listed; the run is killed before and after each
of them in turn, and then the folder is looked at and taken again as after a restart.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticssync.store.evidence import evidence_of

from .factory import PDF, Factory

NAME = "T-14,T-15_名簿.pdf"


class Killed(BaseException):
    """The process ends here: no handler of the product may catch it."""


class Killer:
    """Counts the marks that a run leaves, and ends it at one of them; -1 only counts."""

    def __init__(self, at: int = -1) -> None:
        self.at = at
        self.points: list[str] = []

    def __call__(self, point: str) -> None:
        # Once dead it stays dead: what a `finally` would tidy up does not happen either.
        if len(self.points) != self.at + 1 or self.at < 0:
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

    def around_reserve(self, opened: Callable[..., Any], received: Path) -> Callable[..., Any]:
        """Around the opening that takes a name in 受付済; all other openings go through."""

        def wrapped(path: Path, mode: str = "r", *args: Any, **named: Any) -> Any:
            if mode != "xb" or received not in path.parents:
                return opened(path, mode, *args, **named)
            self("before reserve")
            opened(path, mode).close()
            self("after reserve")
            return opened(path, "r+b")

        return wrapped

    def around_replace(self, replace: Callable[..., Any], received: Path) -> Callable[..., Any]:
        """The locker settles its parts in the same way as a file is moved: two names for two steps."""
        settle, move = self.around("settle", replace), self.around("move", replace)

        def wrapped(path: Path, target: Path) -> Any:
            return (move if received in target.parents else settle)(path, target)

        return wrapped


def watched(monkeypatch: pytest.MonkeyPatch, factory: Factory, killer: Killer) -> None:
    for name in ("mkdir", "chmod", "unlink"):
        monkeypatch.setattr(Path, name, killer.around(name, getattr(Path, name)))
    monkeypatch.setattr(Path, "open", killer.around_reserve(Path.open, factory.received))
    monkeypatch.setattr(Path, "replace", killer.around_replace(Path.replace, factory.received))
    monkeypatch.setattr(os, "fsync", killer.around("fsync", os.fsync))
    monkeypatch.setattr(factory.store, "watch", killer)


def run(factory: Factory, monkeypatch: pytest.MonkeyPatch, at: int = -1) -> Killer:
    candidates = factory.scan().ready
    killer = Killer(at)
    with monkeypatch.context() as patched:
        watched(patched, factory, killer)
        try:
            for one in candidates:
                factory.take(one)
        except Killed:
            pass
    return killer


def hand_in(factory: Factory, folder: str) -> None:
    factory.put(NAME if folder == "00_未分類" else "平面図.pdf", folder=folder)


@pytest.mark.parametrize("folder", ["00_未分類", "T-21"])
def test_a_crash_at_any_point_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
):
    """For a file of two items that is copied, and for one of which only the hash is kept."""
    (tmp_path / "count").mkdir()
    factory = Factory(tmp_path / "count")
    hand_in(factory, folder)
    points = run(factory, monkeypatch).points
    expected = facts(factory)

    copied = folder == "00_未分類"
    steps = [f"{when} {what}" for what in ("commit", "reserve", "move") for when in ("before", "after")]
    assert [point for point in points if point in steps] == steps
    assert ("before settle" in points) is copied
    for at, point in enumerate(points):
        (tmp_path / str(at)).mkdir()
        factory = Factory(tmp_path / str(at))
        hand_in(factory, folder)
        assert run(factory, monkeypatch, at).points[-1] == point
        nothing_is_lost(factory, point)
        factory.take_all()
        assert facts(factory) == expected, point
        assert factory.scan().ready == ()
        assert len(left_empty(factory)) == (point in ("after reserve", "before move")), point


def nothing_is_lost(factory: Factory, point: str) -> None:
    """Right after the crash: the file is there, whole, once; and every recorded fact has its bytes."""
    files = [path for path in factory.drop.rglob("*.pdf") if path not in left_empty(factory)]
    assert [path.read_bytes() for path in files] == [PDF], point
    for one in factory.held():
        assert one.keep_mode == "hash_only" or factory.locker.verify(one.sha256) == "ok", point


def facts(factory: Factory) -> Any:
    with factory.store.read() as tx:
        held = [(one.id, one.criterion, one.sha256, one.keep_mode) for one in evidence_of(tx)]
        events = [(one.kind, one.subject) for one in tx.events()]
    received = [path.read_bytes() for path in factory.received.rglob("*.pdf") if path.stat().st_size]
    # A part that a killed process left in the locker is no content: nothing leads to it.
    kept = sorted(path.name for path in factory.kept_files() if not path.name.endswith(".part"))
    return held, events, received, kept


def left_empty(factory: Factory) -> list[Path]:
    """Names that a killed process had taken in 受付済 and never filled: they lie there and stand for nothing."""
    return [path for path in factory.received.rglob("*.pdf") if not path.stat().st_size]


def test_two_crashes_in_a_row_are_as_good_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed after the commit with the name taken, and again: one piece per item, the file under a third name."""
    factory = Factory(tmp_path)
    hand_in(factory, "00_未分類")

    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", dying(Path.replace, factory.received))
            with pytest.raises(Killed):
                factory.take_all()
    factory.take_all()

    assert [one.criterion for one in factory.held()] == ["tics/T-14", "tics/T-15"]
    names = {path.name: path.read_bytes() for path in factory.received.rglob("*.pdf")}
    first = NAME.removesuffix(".pdf")
    assert names == {NAME: b"", f"{first} (2).pdf": b"", f"{first} (3).pdf": PDF}


def dying(replace: Callable[..., Any], received: Path) -> Callable[..., Any]:
    """The process ends where a file is moved; the locker works."""

    def wrapped(path: Path, target: Path) -> Any:
        if received in target.parents:
            raise Killed
        return replace(path, target)

    return wrapped
