"""One small factory for the tests of evidence: a store, a locker, a scope with a few items, drop folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ticssync.evidence.folders import RECEIVED, criterion_folder, make_folders
from ticssync.evidence.hand_in import Scan, Taken, scan, take
from ticssync.model.evidence import Evidence
from ticssync.store import By, Store
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker
from ticssync.testing.clock import Clock
from ticssync.text import Text

BY = By("sato@PC-01", "drop")
NOW = datetime(2026, 11, 5, 1, 0, tzinfo=timezone.utc)
"""10:00 in Japan."""
TODAY = date(2026, 11, 5)
ZONE = ZoneInfo("Asia/Tokyo")
PDF = b"%PDF-1.7\n1 0 obj\n"


def item(
    id: str,  # noqa: A002
    title: str = "従業員を教育・訓練する",
    *,
    kinds: tuple[str, ...] = ("document", "record"),
    months: int | None = 12,
    keep: str = "copy",
    count: int = 1,
) -> dict[str, Any]:
    """An item as a scope payload holds it, with what evidence needs of it."""
    rule = {"count": count, "kinds": list(kinds), "valid_months": months, "reviewed": False}
    return {
        "id": id,
        "title": {"ja": title, "en": "Educate and train staff"},
        "evidence": rule,
        "keep_mode": keep,
        "evidence_class": "internal",
    }


ITEMS = (
    item("T-1", "守るべき技術情報を決める"),
    item("T-14"),
    item("T-15", "取扱いを決める", kinds=("register",), months=None),
    item("T-21", "立入りを制限する", keep="hash_only", kinds=("photo",)),
    item("T-25", "認証を管理する", kinds=("screenshot", "document"), months=1),
    item("T-41", "秘密保持契約", keep="paper"),
)
IDS = [one["id"] for one in ITEMS]
SCOPES = {"tics": {"items": list(ITEMS)}}


@dataclass
class Factory:
    """Everything in one folder; `clock` stands still until it is moved."""

    root: Path
    clock: Clock = field(default_factory=lambda: Clock(NOW))

    def __post_init__(self) -> None:
        self.store = Store.memory("abcdefghij", self.clock)
        self.locker = Locker(self.root / "locker")
        (self.root / "shared").mkdir(exist_ok=True)
        self.drop = make_folders(self.root / "shared", ITEMS, Text("ja"))

    @property
    def received(self) -> Path:
        return self.drop / RECEIVED

    def folder(self, item_id: str) -> Path:
        found = criterion_folder(self.drop, item_id)
        assert found is not None
        return found

    def put(self, where: str, content: bytes = PDF, *, age: float = 3600, folder: str = "T-14") -> Path:
        """A file in the folder of an item (or in the folder of that name), last changed `age` seconds ago."""
        base = criterion_folder(self.drop, folder) or self.drop / folder
        file = base / where
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self.touch(file, age)
        return file

    def touch(self, file: Path, age: float) -> None:
        moment = (self.clock.now - timedelta(seconds=age)).timestamp()
        os.utime(file, (moment, moment))

    def scan(self, looks: Scan | None = None, **how: Any) -> Scan:
        return scan(self.drop, looks.looks if looks else {}, self.clock.now, IDS, **how)

    def take_all(self, today: date = TODAY) -> list[Taken]:
        return [self.take(one, today) for one in self.scan().ready]

    def take(self, candidate: Any, today: date = TODAY, scopes: Any = SCOPES, lang: str = "ja") -> Taken:
        return take(
            candidate,
            store=self.store,
            locker=self.locker,
            scopes=scopes,
            by=BY,
            received=self.received,
            zone=ZONE,
            handed_in_by="",
            today=today,
            lang=lang,
        )

    def held(self, criterion: str | None = None) -> tuple[Evidence, ...]:
        with self.store.read() as tx:
            return evidence_of(tx, criterion)

    def kept_files(self) -> list[Path]:
        return [path for path in (self.root / "locker").rglob("*") if path.is_file()]


def evidence(id: str = "E-00001", **changes: Any) -> Evidence:  # noqa: A002
    """A piece of proof; `changes` by the fields of `Evidence`."""
    values: dict[str, Any] = {
        "id": id,
        "criterion": "tics/T-14",
        "cycle": "",
        "name": "教育の記録.pdf",
        "kind": "record",
        "keep_mode": "copy",
        "evidence_class": "internal",
        "sha256": "",
        "size": 10,
        "dated_on": date(2026, 4, 1),
        "valid_until": date(2027, 4, 1),
        "handed_in_by": "tanaka",
        "channel": "drop",
    }
    return Evidence(**{**values, **changes})
