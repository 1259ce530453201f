"""The hub: what ticssync itself holds of each task (table `task`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import delete, select

from ticssync.model.binding import Origin
from ticssync.model.canonical import canonical_json, plain
from ticssync.model.key import TaskKey
from ticssync.model.task import NO_FIELDS, Fields, FieldValue
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.store import Transaction


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that a person's act asks for, once.  `at` is the act's UTC text."""

    value: FieldValue
    at: str


@dataclass(frozen=True, slots=True)
class HubTask:
    """`values`: the merged value of each field; `planned_on`: the day the task first came up (ISO);
    `rendered_hash`: digest of what the mapping made of it last.  `dropped`: a person let the task go; `restore`:
    a person asked for a deleted one to be made again.  `origins`: field → who set its value; nothing stands there for
    values that nobody set since the task was made."""

    key: TaskKey
    values: Fields = field(default_factory=lambda: NO_FIELDS)
    planned_on: str = ""
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    rendered_hash: str = ""
    dropped: bool = False
    restore: bool = False
    origins: Mapping[str, Origin] = field(default_factory=dict)


def hub_tasks(tx: Transaction) -> dict[TaskKey, HubTask]:
    """All tasks that ticssync has planned so far."""
    table = schema.task
    rows = tx.connection.execute(select(table).where(table.c.workspace_id == tx.workspace)).mappings()
    return {task.key: task for task in map(_task, rows)}


def hub_task(tx: Transaction, key: TaskKey) -> HubTask | None:
    """One task; reading all of them for each one that is written would make a first sync slower with every task."""
    table = schema.task
    row = (
        tx.connection.execute(
            select(table).where(table.c.workspace_id == tx.workspace, table.c.task_key == str(key))
        )
        .mappings()
        .one_or_none()
    )
    return _task(row) if row is not None else None


def _task(row: Any) -> HubTask:
    kept = json.loads(row["fields"])
    values = {name: _value(value) for name, value in kept["values"].items()}
    wishes = {name: Wish(_value(wish["value"]), wish["at"]) for name, wish in kept.get("wish", {}).items()}
    return HubTask(
        TaskKey.parse(row["task_key"]), values, kept["planned_on"], wishes, row["rendered_hash"],
        kept.get("dropped", False), kept.get("restore", False),
        {name: Origin(*one) for name, one in kept.get("origin", {}).items()},
    )  # fmt: skip


def _value(kept: Any) -> FieldValue:
    value: FieldValue = tuple(kept) if isinstance(kept, list) else kept
    return value


def put_hub(tx: Transaction, task: HubTask) -> None:
    """Keep a task's merged values."""
    kept: dict[str, Any] = {"values": plain(task.values), "planned_on": task.planned_on}
    if task.wishes:
        kept["wish"] = {
            name: {"value": plain(wish.value), "at": wish.at} for name, wish in task.wishes.items()
        }
    if task.origins:
        kept["origin"] = {name: [one.tracker, one.at, one.by_person] for name, one in task.origins.items()}
    kept |= {name: True for name in ("dropped", "restore") if getattr(task, name)}
    values = {"fields": canonical_json(kept), "rendered_hash": task.rendered_hash}
    tx.touched = True
    put(tx.connection, schema.task, tx.workspace, {"task_key": str(task.key)}, values)


NOTE: Final = "note:"
"""Wishes of this kind are notes to be written into the task, each once: `note:` and the moment of the act."""


def notes_of(task: HubTask) -> list[Wish]:
    """Notes that wait, oldest first."""
    return [task.wishes[name] for name in sorted(task.wishes) if name.startswith(NOTE)]


def without_note(task: HubTask, at: str) -> HubTask:
    """The note of that moment has been written (or has no place there)."""
    return replace(task, wishes={name: one for name, one in task.wishes.items() if name != f"{NOTE}{at}"})


FILE: Final = "file:"
"""Wishes of this kind are files to be hung on the task, each once: `file:` and the moment of the act."""


@dataclass(frozen=True, slots=True)
class FileWish:
    """A file that a person gives along with a task.  `name` is the person's own, `there` the one that it gets in
    the tracker; the bytes lie in the locker; `size` is in bytes, `at` the moment of the act (UTC text)."""

    name: str
    there: str
    sha256: str
    size: int
    content_type: str
    at: str

    def wish(self) -> Wish:
        """As the hub keeps it."""
        return Wish((self.name, self.there, self.sha256, str(self.size), self.content_type), self.at)


def files_of(task: HubTask) -> list[FileWish]:
    """Files that wait, oldest first."""
    return [_file(task.wishes[name]) for name in sorted(task.wishes) if name.startswith(FILE)]


def _file(wish: Wish) -> FileWish:
    assert isinstance(wish.value, tuple)
    name, there, sha256, size, content_type = wish.value
    return FileWish(name, there, sha256, int(size), content_type, wish.at)


def without_file(task: HubTask, at: str) -> HubTask:
    """The file of that moment hangs on the task."""
    return replace(task, wishes={name: one for name, one in task.wishes.items() if name != f"{FILE}{at}"})


def put_wish(tx: Transaction, key: TaskKey, name: str, wish: Wish) -> None:
    """A person's act asks for a value of this field: the next sync writes it once."""
    task = hub_task(tx, key)
    if task is not None:
        put_hub(tx, replace(task, wishes={**task.wishes, name: wish}))


def drop_hub(tx: Transaction, key: TaskKey) -> None:
    """Forget a task that a person dropped."""
    table = schema.task
    tx.connection.execute(
        delete(table).where(table.c.workspace_id == tx.workspace, table.c.task_key == str(key))
    )
