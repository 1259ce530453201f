"""What a cycle does, tracker by tracker, in the words of the public contract (cli.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticssync.model.canonical import plain
from ticssync.model.key import TaskKey
from ticssync.model.task import FieldValue


@dataclass(frozen=True, slots=True)
class Action:
    """One line of `plan` and `sync`.  `fields`: name → (from, to)."""

    action: str
    direction: str
    task: TaskKey
    key: str = ""
    fields: Mapping[str, tuple[FieldValue, FieldValue]] = field(default_factory=dict)
    why: str = ""

    def plain(self) -> dict[str, Any]:
        """The JSON shape."""
        shown = {name: {"from": plain(old), "to": plain(new)} for name, (old, new) in self.fields.items()}
        why = {"why": self.why} if self.why else {}
        return {
            "action": self.action, "direction": self.direction, "criterion": self.task.criterion,
            "task": str(self.task), "key": self.key, "fields": shown, **why,
        }  # fmt: skip


@dataclass
class TrackerReport:
    """How one tracker fared in this cycle.

    `notifications`: writes that may send mail, at most.  `created_keys`: what was made there, for undoing by hand
    (task, key, url, title); `created_list` is the file that they were written to.
    """

    name: str
    state: str = "ok"
    message: str = ""
    word: str = ""
    until: str | None = None
    holder: str = ""
    fix: str = ""
    message_said: str = ""
    requests: int = 0
    notifications: int = 0
    unchanged: int = 0
    actions: list[Action] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, str]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    created_keys: list[dict[str, str]] = field(default_factory=list)
    created_list: str = ""

    def count(self, action: str, direction: str = "out") -> int:
        """How many actions of this kind."""
        return sum(1 for one in self.actions if one.action == action and one.direction == direction)

    def plain(self) -> dict[str, Any]:
        """The JSON shape."""
        return {
            "requests": self.requests, "notifications": self.notifications,
            "created": self.count("create") + self.count("restore"), "updated": self.count("update"),
            "pulled": self.count("update", "in"), "adopted": self.count("adopt", "in"), "unchanged": self.unchanged,
            "actions": [one.plain() for one in self.actions], "refusals": self.refusals, "conflicts": self.conflicts,
            "notices": self.notices, "rejected": self.rejected, "waiting": self.waiting,
            "created_keys": self.created_keys, "created_list": self.created_list,
            "state": self.state, "message": self.message, "word": self.word, "until": self.until, "holder": self.holder,
        }  # fmt: skip
