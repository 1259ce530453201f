"""The link between a task and its place in one tracker."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ticssync.model.key import TaskKey
from ticssync.model.task import NO_FIELDS, Fields, RemoteRef


class BindingState(StrEnum):
    """`lost`: not readable now (hidden, moved away); `tomb`: deleted there; `copy`: somebody copied it;
    `detached`: no longer ours to write (item left the catalogue, or a person dropped it)."""

    LIVE = "live"
    LOST = "lost"
    TOMB = "tomb"
    COPY = "copy"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Binding:
    """One task in one tracker.  `role` is main, or mirror where the route names it so."""

    ref: RemoteRef
    key: TaskKey
    state: BindingState
    generation: int = 1
    role: str = "main"
    display_key: str = ""
    url: str = ""
    status: str | None = None
    raw_status: str = ""
    updated_at: str | None = None
    assignee: str | None = None
    due: str | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides last agreed on, as it was read back from the tracker.

    `fields` are canonical values; a field without a base (never agreed) is absent.  `version` is the
    tracker's own version of that read, None where it keeps none.
    """

    fields: Fields = field(default_factory=lambda: NO_FIELDS)
    version: str | None = None


HUB: Final = "ticssync"
"""The hub's name among the sides of a conflict."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who set the value in force: the tracker (or HUB: a person's act in ticssync), when (UTC text, None where the
    tracker does not tell), and whether it was a person (None where it cannot tell)."""

    tracker: str
    at: str | None
    by_person: bool | None = None
