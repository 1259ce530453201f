"""Hand-in, killed before every single step that it takes on the disk and around every commit.

A kill here is one for good: after it no file can be touched any more, as when the power fails; what a
`finally` would tidy up stays behind.  Then the store is opened again and the next look is taken.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ticssync.evidence.hand_in import scan, take
from ticssync.store import By, Store
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker

NOW = datetime(2126, 11, 24, 3, tzinfo=timezone.utc)
"""Long after any file that the test makes: everything has come to rest."""

BYTES = "教育の記録 髙﨑㈱ ㊙".encode() * 9_000
NAME = "T-14,T-15_教育の記録.txt"
STEPS = frozenset(
    {"open", "os.rename", "os.mkdir", "os.remove", "os.chmod", "os.link", "os.truncate", "shutil.copyfile"}
)
MOST = 200


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Counts the steps inside a folder; at number `at` and ever after it kills.  `at` 0 only counts."""

    def __init__(self) -> None:
        self.folder = ""
        self.at = 0
        self.count = 0
        self.seen: Counter[str] = Counter()

    def step(self, name: str) -> None:
        self.count += 1
        self.seen[name] += 1
        if self.at and self.count >= self.at:
            raise Killed(name)

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if self.folder and event in STEPS and any(self.folder in str(arg) for arg in args[:2]):
            self.step(event)


KILLER = Killer()
sys.addaudithook(KILLER.hook)


@contextmanager
def killing(folder: Path, at: int) -> Iterator[Killer]:
    KILLER.folder, KILLER.at, KILLER.count = str(folder), at, 0
    KILLER.seen.clear()
    try:
        yield KILLER
    finally:
        KILLER.folder = ""


class Company:
    def __init__(self, root: Path, keep_mode: str) -> None:
        self.root = root
        self.drop = root / "証跡受付"
        self.locker = Locker(root / "locker")
        self.url = f"sqlite:///{root / 'ticssync.db'}"
        (self.drop / "00_未分類").mkdir(parents=True)
        (self.drop / "00_未分類" / NAME).write_bytes(BYTES)
        Store.create(self.url, "k7m2q9wx4d", lambda: NOW).close()
        rule = {"count": 1, "kinds": [], "valid_months": 12, "reviewed": False}
        item = {"keep_mode": keep_mode, "evidence_class": "internal", "evidence": rule}
        self.scopes = {"tics": {"items": [{"id": name, **item} for name in ("T-14", "T-15")]}}

    def pass_once(self) -> int:
        """One look and what follows from it; how many files were taken."""
        store = Store.open(self.url, "k7m2q9wx4d", lambda: NOW)
        store.watch = KILLER.step if KILLER.folder else (lambda _point: None)
        try:
            found = scan(self.drop, {}, NOW, ["T-14", "T-15"])
            for one in found.ready:
                take(
                    one, store=store, locker=self.locker, scopes=self.scopes, by=By("daemon", "drop"),
                    received=self.drop / "受付済", zone=ZoneInfo("Asia/Tokyo"), handed_in_by="",
                    today=NOW.date(),
                )  # fmt: skip
        finally:
            store.close()
        return len(found.ready)

    def whole_copies(self, folder: Path) -> int:
        return sum(1 for file in folder.rglob("*") if file.is_file() and file.read_bytes() == BYTES)

    def held(self) -> list[str]:
        store = Store.open(self.url, "k7m2q9wx4d", lambda: NOW)
        with store.read() as tx:
            found = [one.criterion for one in evidence_of(tx)]
        store.close()
        return found


def steps_of(root: Path, keep_mode: str) -> int:
    """How many steps an undisturbed hand-in takes; every kind of step is among them."""
    company = Company(root, keep_mode)
    with killing(root, 0) as killer:
        company.pass_once()
    assert {"open", "os.rename", "os.mkdir", "before commit", "after commit"} <= set(killer.seen)
    return killer.count


@pytest.mark.parametrize("keep_mode", ["copy", "hash_only"])
def test_a_kill_before_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, keep_mode: str) -> None:
    """Whole bytes outside of the locker at every moment, and after the next looks one piece for each item."""
    steps = steps_of(tmp_path / "count", keep_mode)
    assert 6 < steps < MOST
    for at in range(1, steps + 1):
        company = Company(tmp_path / f"at{at}", keep_mode)
        with pytest.raises(Killed), killing(company.root, at):
            company.pass_once()

        assert company.whole_copies(company.drop) >= 1, f"lost at step {at}"

        while company.pass_once():
            pass

        assert sorted(company.held()) == ["tics/T-14", "tics/T-15"], f"after a kill at step {at}"
        assert company.whole_copies(company.drop / "受付済") == 1, f"after a kill at step {at}"
        assert company.whole_copies(company.drop / "00_未分類") == 0
        if keep_mode == "copy":
            assert company.locker.verify(hashlib.sha256(BYTES).hexdigest()) == "ok"


def test_evidence_is_in_the_store_only_when_its_bytes_are_in_the_locker(tmp_path: Path) -> None:
    """Killed anywhere: no fact speaks of bytes that are not held."""
    for at in range(1, steps_of(tmp_path / "count", "copy") + 1):
        company = Company(tmp_path / f"at{at}", "copy")
        with pytest.raises(Killed), killing(company.root, at):
            company.pass_once()

        if company.held():
            assert company.locker.verify(hashlib.sha256(BYTES).hexdigest()) == "ok", f"at step {at}"
