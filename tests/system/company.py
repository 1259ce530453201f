"""A small company for tests of the whole product: its workspace as `init` makes it, its workbook, its people."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import openpyxl
from click.testing import CliRunner

from ticssync.app.demo_pen import write_by_number, write_cells
from ticssync.app.init import Answers, init
from ticssync.app.status import status_json
from ticssync.app.sync_once import SyncOrder, SyncResult, sync
from ticssync.app.workspace import Surroundings, Workspace, of_this_process, open_workspace, utc_now
from ticssync.cli import root as command_line
from ticssync.model.binding import Binding
from ticssync.store import Event
from ticssync.store.bindings import bindings
from ticssync.tables import read_grids

SHEET: Final = "TICS課題一覧"
BOOK: Final = "TICS課題一覧.xlsx"
ITEMS: Final = 46
"""Criteria of the shipped catalogue that are in scope of this company: all of them."""

HEADS: Final = {
    "number": "番号", "title": "項目", "body": "やること", "status": "対応状況", "assignee": "担当", "due": "期限",
    "evidence": "証跡", "from_office": "事務局から", "confirmation": "確認状況",
}  # fmt: skip
SETS: Final = {
    "people.sato.name": "佐藤 花子", "people.sato.mail": "sato@example.jp", "people.tanaka.name": "田中 一郎",
    "people.takasaki.name": "髙﨑 誠", "roles.manager": "[sato]", "roles.executive": "[takasaki]", "roles.owner": "[tanaka]",
    "certificates.main.body": "JQA", "certificates.main.number": "TICS-0001", "certificates.main.scope": "本社工場",
    "certificates.main.issued_on": "2025-04-01", "certificates.main.expires_on": "2028-03-31",
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """One command as it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


@dataclass
class Company:
    """`root` holds 管理 (ticssync.yaml, store, keys) and 共有 (the workbook)."""

    root: Path
    clock: Callable[[], datetime] = utc_now
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def office(self) -> Path:
        return self.root / "管理"

    @property
    def shared(self) -> Path:
        return self.root / "共有"

    @property
    def config(self) -> Path:
        return self.office / "ticssync.yaml"

    @property
    def store_file(self) -> Path:
        return self.office / "ticssync.db"

    @property
    def book(self) -> Path:
        return self.shared / BOOK

    # -- the product, called

    @property
    def around(self) -> Surroundings:
        return of_this_process("ja", self.config).at(self.clock)

    @contextmanager
    def open(self) -> Iterator[Workspace]:
        with open_workspace(self.around) as workspace:
            yield workspace

    def sync(self, **order: Any) -> SyncResult:
        with self.open() as workspace:
            return sync(workspace, SyncOrder(**order))

    def cli(self, *words: str, lang: str = "en", config: bool = True) -> Ran:
        """A command in this process.  A traceback is an error of the test."""
        found = CliRunner(env=self.environ).invoke(
            command_line, self._line(words, lang, config=config), prog_name="ticssync"
        )
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ran(found.exit_code, found.stdout, found.stderr)

    def process(self, *words: str, lang: str = "en", **options: Any) -> subprocess.CompletedProcess[str]:
        """A command in a process of its own."""
        return subprocess.run(
            self.process_line(*words, lang=lang), capture_output=True, encoding="utf-8", check=False, timeout=120,
            env={**os.environ, **self.environ}, **options,
        )  # fmt: skip

    def process_line(self, *words: str, lang: str = "en") -> list[str]:
        code = "from ticssync.cli import main; main()"
        return [sys.executable, "-c", code, *self._line(words, lang, config=True)]

    def _line(self, words: tuple[str, ...], lang: str, *, config: bool) -> list[str]:
        return [*words, *(["--config", str(self.config)] if config else []), "--lang", lang]

    # -- a person with the workbook open

    def person(self, edits: Mapping[str, Mapping[str, str]]) -> None:
        """Write words: item → {field: words}."""
        changes = {
            item: {HEADS[name]: words for name, words in cells.items()} for item, cells in edits.items()
        }
        write_by_number(self.book, SHEET, HEADS["number"], changes)

    @contextmanager
    def spreadsheet(self) -> Iterator[Any]:
        """The sheet of tasks in a spreadsheet program (openpyxl) that saves when it is closed."""
        book = openpyxl.load_workbook(self.book)
        yield book[SHEET]
        book.save(self.book)
        book.close()

    def row(self, item: str) -> int:
        """The row of an item as people count."""
        grid = read_grids(self.book)[SHEET]
        row, column = next(iter(grid.find(HEADS["number"])))
        return next(at + 1 for at in range(row + 1, len(grid.rows)) if grid.at(at, column) == item)

    def person_writes(self, cells: Mapping[str, str]) -> None:
        """Write words into cells by name."""
        write_cells(self.book, SHEET, cells)

    # -- what is there

    def rows(self) -> dict[str, dict[str, Any]]:
        """Number → head → cell, of the rows with a number."""
        grid = read_grids(self.book)[SHEET]
        row, column = next(iter(grid.find(HEADS["number"])))
        heads = [str(cell) for cell in grid.rows[row]]
        numbered = [cells for cells in grid.rows[row + 1 :] if cells[column]]
        return {str(cells[column]): dict(zip(heads, cells, strict=False)) for cells in numbered}

    def cell(self, item: str, name: str) -> Any:
        return self.rows()[item][HEADS[name]]

    def markers(self) -> list[str]:
        """The hidden ids from top to bottom."""
        grid = read_grids(self.book)[SHEET]
        row, column = next(iter(grid.find("ticssync-id")))
        return [str(cells[column]) for cells in grid.rows[row + 1 :] if cells[column]]

    def bound(self, item: str | None = None) -> list[Binding]:
        with self.open() as workspace, workspace.store.read() as tx:
            return [one for one in bindings(tx) if item is None or one.key.item == item]

    def events(self, kind: str | None = None) -> list[Event]:
        with self.open() as workspace, workspace.store.read() as tx:
            return tx.events(kind=kind)

    def status_bytes(self) -> bytes:
        """What `status --json` says, as bytes."""
        with self.open() as workspace, workspace.store.read() as tx:
            return json.dumps(status_json(tx, workspace.text), ensure_ascii=False).encode()

    def edit_config(self, old: str, new: str) -> None:
        text = self.config.read_text("utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new, 1), "utf-8")


def found_company(root: Path, **more: str) -> Company:
    """A new workspace, made by `init` without questions."""
    company = Company(root)
    answers = Answers(
        company.office,
        company="株式会社小出精密",
        name="ledger",
        shared=Path("../共有"),
        sets=tuple({**SETS, **more}.items()),
    )
    init(of_this_process("ja"), answers)
    return company


class Moment:
    """A company as it stands now, to be gone back to."""

    def __init__(self, company: Company, kept: Path) -> None:
        self.company, self.kept = company, kept
        shutil.copytree(company.root, kept)

    def back(self) -> Company:
        """Everything as it was kept."""
        self.company.environ.clear()
        shutil.rmtree(self.company.root)
        shutil.copytree(self.kept, self.company.root)
        return self.company


def outgoing(result: SyncResult) -> list[str]:
    """What was written to trackers, as short lines."""
    return [
        f"{one.action}:{one.task.item}"
        for report in result.reports.values()
        for one in report.actions
        if one.direction == "out"
    ]
