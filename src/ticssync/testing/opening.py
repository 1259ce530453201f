"""What a driver is opened with, for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from ticssync.plugin import Opening, Table
from ticssync.testing.clock import Clock

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

WORKSPACE: Final = "contract00"
"""The workspace id of every test that names no other."""

TABLE: Final = Table(
    fields={
        "title": "件名",
        "body": "説明",
        "status": "状態",
        "assignee": "担当",
        "start": "開始日",
        "due": "期日",
        "priority": "優先度",
        "labels": "ラベル",
        "number": "番号",
    },
    statuses={"未着手": "todo", "対応中": "doing", "確認待ち": "review", "完了": "done", "対象外": "wont_do"},
    people={"sato": "1001", "takasaki": "1002"},
    names={"sato": "佐藤 花子", "takasaki": "髙﨑 健"},
    marker_place="目印",
)
"""A mapping that fits `FakeServer` as it is born."""

FEW_STATUSES: Final = replace(TABLE, statuses={"未着手": "todo", "対応中": "doing", "完了": "done"})
"""A mapping with fewer statuses than ticssync has.  With `Behaviour.nearest` two become one there."""


class FakeMemory:
    """A driver's memory as a dict.

    `commit` is what the host does at the end of a cycle; `crash` is a power cut: back to the last commit.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self._kept = dict(self.values)

    def get(self, name: str) -> str | None:
        """The text kept under `name`."""
        return self.values.get(name)

    def put(self, name: str, value: str | None) -> None:
        """Keep `value`; None forgets it."""
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value

    def commit(self) -> None:
        """What was put is durable now."""
        self._kept = dict(self.values)

    def crash(self) -> None:
        """What was put since the last commit is lost."""
        self.values = dict(self._kept)


class NoSettings(BaseModel):
    """The settings of a kind that has none."""


def opening(
    name: str = "fake",
    *,
    settings: BaseModel | None = None,
    table: Table = TABLE,
    root: Path | None = None,
    clock: Callable[[], datetime] | None = None,
    workspace: str = WORKSPACE,
    lang: str = "ja",
    memory: FakeMemory | None = None,
    log: FilteringBoundLogger | None = None,
    http: object = None,
    company: str = "髙﨑精機㈱",
) -> Opening:
    """An `Opening` with everything that a test does not care about filled in.

    `clock` stands still at `ticssync.testing.clock.START`; `root` is the current folder; the log is silent.
    """
    from ticssync.text import Text

    return Opening(
        name=name,
        workspace=workspace,
        settings=settings or NoSettings(),
        table=table,
        root=root or Path.cwd(),
        clock=clock or Clock(),
        log=log or silent_log(),
        text=Text(lang),
        memory=memory if memory is not None else FakeMemory(),
        http=http,
        company=company,
    )


def silent_log(entries: list[dict[str, Any]] | None = None) -> FilteringBoundLogger:
    """A logger that prints nothing; what is logged is put into `entries` where that is given."""
    import structlog

    def keep(_logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        if entries is not None:
            entries.append({**event, "level": method})
        raise structlog.DropEvent

    made: FilteringBoundLogger = structlog.wrap_logger(
        structlog.testing.CapturingLogger(), [keep], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    return made
