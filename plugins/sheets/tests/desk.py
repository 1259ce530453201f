"""What the tests of the workbook share: an opening with a memory, tasks, and a person at the file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import openpyxl
import structlog

from ticssync.plugin import Change, Draft, Marker, Opening, RemoteRef, RemoteTask, Table, TaskKey
from ticssync_sheets.workbook.settings import WorkbookSettings
from ticssync_sheets.workbook.tracker import WorkbookTracker, open_workbook

WORKSPACE = "abcde23456"
NOW = datetime(2026, 11, 24, 0, 0, tzinfo=timezone.utc)
SHEET = "TICS課題一覧"
HEADS = {
    "number": "番号",
    "title": "項目",
    "body": "やること",
    "status": "対応状況",
    "assignee": "担当",
    "due": "期限",
    "evidence": "証跡",
    "from_office": "事務局から",
    "confirmation": "確認状況",
}
STATUSES = {"未着手": "todo", "対応中": "doing", "確認依頼": "review", "完了": "done", "対象外": "wont_do"}
NAMES = {"sato": "佐藤 花子", "takasaki": "髙﨑 健", "suzuki": "鈴木一郎"}
FIRST = 6
"""The first row of the table as people count."""


class Words:
    """English as it stands, as the host hands it to a tracker whose users read English."""

    lang = "en"

    def __call__(self, message: str, /, **values: object) -> str:
        return message.format(**values) if values else message


class Memory(dict):
    """A memory that lives as long as the test."""

    def put(self, name: str, value: str | None) -> None:
        if value is None:
            self.pop(name, None)
        else:
            self[name] = value


def marker(item: str, generation: int = 1) -> str:
    return str(Marker(WORKSPACE, TaskKey("tics", item), generation))


def draft(item: str, **fields: Any) -> Draft:
    known = {
        "number": item,
        "title": f"{item} の管理",
        "body": f"{item} の規程を作る\n年に一度見直す",
        "status": "todo",
        "assignee": "sato",
        "due": "2026-12-31",
        "from_office": None,
        "confirmation": "未了",
    }
    return Draft(TaskKey("tics", item), marker(item), {**known, **fields})


def change(item: str, expect: dict[str, Any] | None = None, **fields: Any) -> Change:
    return Change(RemoteRef("ledger", marker(item)), fields, expect or {})


@dataclass
class Desk:
    """A shared folder with one workbook, and the trackers that are opened on it."""

    root: Path
    memory: Memory = field(default_factory=Memory)
    heads: dict[str, str] = field(default_factory=lambda: dict(HEADS))
    names: dict[str, str] = field(default_factory=lambda: dict(NAMES))
    now: datetime = NOW
    text: Any = field(default_factory=Words)
    file: str = "TICS課題一覧.xlsx"

    @property
    def path(self) -> Path:
        return self.root / self.file

    def tracker(self, *, workspace: str = WORKSPACE) -> WorkbookTracker:
        table = Table(fields=self.heads, statuses=STATUSES, names=self.names, marker_place="ticssync-id")
        return open_workbook(
            Opening(
                name="ledger",
                workspace=workspace,
                settings=WorkbookSettings(path=Path(self.file), sheet=SHEET),
                table=table,
                root=self.root,
                clock=lambda: self.now,
                log=structlog.get_logger(),
                text=self.text,
                memory=self.memory,
                company="髙﨑精密㈱",
            )
        )

    def start(self, *items: str, **fields: Any) -> WorkbookTracker:
        """A workbook with these tasks, written and listed once."""
        tracker = self.tracker()
        list(tracker.list_changed(None))
        tracker.write([draft(item, **fields) for item in items], [])
        return tracker

    def listed(
        self, tracker: WorkbookTracker | None = None, cursor: str | None = None
    ) -> dict[str, RemoteTask]:
        tracker = tracker or self.tracker()
        return {task.ref.id: task for page in tracker.list_changed(cursor) for task in page.items}

    def task(self, item: str) -> RemoteTask:
        return self.listed()[marker(item)]

    def edit(self) -> Person:
        return Person(self.path)

    def part(self, name: str) -> bytes:
        with zipfile.ZipFile(self.path) as package:
            return package.read(name)


class Person:
    """Edits with openpyxl, which keeps what these tests look at; real LibreOffice is in test_office.py."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path)

    def __enter__(self) -> Any:
        return self.book[SHEET]

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.book.save(self.path)
        self.book.close()


def column(sheet: Any, head: str) -> int:
    """The column (from 1) of a head."""
    return next(cell.column for cell in sheet[FIRST - 1] if cell.value == head)
