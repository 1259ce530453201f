"""What a cycle works on: the tasks that should exist, the trackers, and what the store remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ticssync.model.binding import Base, Binding, BindingState
from ticssync.model.key import TaskKey
from ticssync.model.task import NO_FIELDS, Fields, RemoteRef
from ticssync.plugin import TrackerDriver
from ticssync.store import Transaction, working
from ticssync.store import bindings as binding_rows
from ticssync.store import hub as hub_rows
from ticssync.store.hub import HubTask
from ticssync.store.working import Conflict, Intent, Refusal


class HostMemory:
    """What one driver put away, and what it put since the last commit."""

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self._kept = dict(kept or {})
        self._changes: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        """The text kept under `name`."""
        return self._kept.get(name)

    def put(self, name: str, value: str | None) -> None:
        """Keep `value`; it becomes durable with the next commit of the cycle."""
        if self._kept.get(name) == value:
            return
        self._changes[name] = value
        if value is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = value

    @property
    def changed(self) -> bool:
        """Whether something is to be committed."""
        return bool(self._changes)

    def take(self) -> dict[str, str | None]:
        """The changes since the last commit; called inside the transaction that keeps them."""
        changes, self._changes = self._changes, {}
        return changes


@dataclass(frozen=True, slots=True)
class Site:
    """One tracker of the cycle.  `owners`: mapped field → ticssync | tracker | merge; `statuses`: the tracker's
    own status → canonical, in the mapping's order.  `conflict_note` puts conflicts of one task into words for the
    ticket; None where the ticket is told nothing of them."""

    name: str
    kind: str
    driver: TrackerDriver
    owners: Mapping[str, str]
    memory: HostMemory
    language: str = "ja"
    statuses: Mapping[str, str] = field(default_factory=dict)
    conflict_note: Callable[[Sequence[Mapping[str, Any]]], str] | None = None


@dataclass(frozen=True, slots=True)
class Want:
    """A task that should exist.  `owned` and `initial` hold what the mapping of each tracker made of it;
    `planned_on` is the ISO day that it first came up."""

    key: TaskKey
    main: str
    mirrors: tuple[str, ...]
    planned_on: str
    owned: Mapping[str, Fields]
    initial: Mapping[str, Fields]

    @property
    def trackers(self) -> tuple[str, ...]:
        """Where it belongs: main first, then mirrors in the route's order."""
        return (self.main, *self.mirrors)


Display: TypeAlias = Callable[[tuple[Binding, ...]], Callable[[TaskKey, str], Fields]]
"""Given how the tasks stand, what to show in a task (key, language) of the state that follows: the fields
`confirmation` and `from_office`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store remembers.  `on_their_way`: intents of another process whose request a tracker may still carry
    out, so that not finding anything says nothing yet."""

    workspace: str
    bindings: tuple[Binding, ...]
    bases: Mapping[RemoteRef, Base]
    hub: Mapping[TaskKey, HubTask]
    refusals: Mapping[tuple[TaskKey, str, str], Refusal]
    conflicts: tuple[Conflict, ...]
    flips: Mapping[tuple[RemoteRef, str], tuple[tuple[str, ...], str | None]]
    intents: Mapping[str, tuple[Intent, ...]]
    cursors: Mapping[str, tuple[str | None, str | None]]
    hot: Mapping[str, frozenset[RemoteRef]]
    read_on: Mapping[str, str | None]
    accepted: int = 0
    ask_again: frozenset[str] = frozenset()
    retry: bool = False
    open_refusals: frozenset[tuple[TaskKey, str, str]] = frozenset()
    on_their_way: frozenset[str] = frozenset()

    def live(self, tracker: str) -> tuple[Binding, ...]:
        """Live bindings of one tracker."""
        return tuple(
            one for one in self.bindings if one.ref.tracker == tracker and one.state is BindingState.LIVE
        )

    def at(self, ref: RemoteRef) -> Binding | None:
        """What is bound at this place, in any state."""
        return self.by_ref.get(ref)

    @property
    def by_ref(self) -> dict[RemoteRef, Binding]:
        """Bindings by place."""
        return {one.ref: one for one in self.bindings}

    def base(self, ref: RemoteRef) -> Fields:
        """What was last agreed there."""
        base = self.bases.get(ref)
        return base.fields if base else NO_FIELDS


def read_known(tx: Transaction, trackers: tuple[str, ...]) -> Known:
    """Read everything that a cycle over these trackers needs, in one moment."""
    bases: dict[RemoteRef, Base] = {}
    flips: dict[tuple[RemoteRef, str], Any] = {}
    for name in trackers:
        bases |= binding_rows.bases(tx, name)
        flips |= {
            (RemoteRef(name, remote), fld): value for (remote, fld), value in working.flips(tx, name).items()
        }
    standing = {(one.key, one.tracker, one.field): one for one in working.refusals(tx)}
    return Known(
        workspace=tx.workspace,
        bindings=binding_rows.bindings(tx),
        bases=bases,
        hub=hub_rows.hub_tasks(tx),
        refusals=standing,
        open_refusals=frozenset(standing),
        conflicts=working.conflicts(tx),
        flips=flips,
        intents={name: working.intents(tx, name) for name in trackers},
        cursors={name: working.cursor(tx, name) for name in trackers},
        hot={name: working.hot(tx, name) for name in trackers},
        read_on=working.read_days(tx),
        accepted=len(tx.events(kind="safety.accepted")),
    )
