"""Which remote task is which of ours, after a look.  Pure.

A binding by id survives whatever happens to the marker; the marker finds what has no binding yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import plain
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import Fields, RemoteRef, RemoteTask
from ticssync.plugin import Fate
from ticssync.sync.look import Seen, moment, ours
from ticssync.sync.state import Known, Want

HOLDING = (BindingState.LIVE, BindingState.LOST, BindingState.TOMB)
"""States in which a key's place in a tracker is taken: no second task is bound or made."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An event to be written when the cycle commits."""

    kind: str
    subject: str
    payload: Mapping[str, Any]


class Bindings(dict[RemoteRef, Binding]):
    """Bindings by place that also know the places of each key: a thousand tasks are asked for one by one."""

    def __init__(self, found: Mapping[RemoteRef, Binding]) -> None:
        super().__init__()
        self._places: dict[TaskKey, dict[RemoteRef, None]] = {}
        self.update(found)

    def __setitem__(self, ref: RemoteRef, one: Binding) -> None:
        super().__setitem__(ref, one)
        self._places.setdefault(one.key, {})[ref] = None

    def update(self, found: Mapping[RemoteRef, Binding]) -> None:  # type: ignore[override]
        """As of a dict, from a mapping."""
        for ref, one in found.items():
            self[ref] = one

    def of(self, key: TaskKey) -> Iterator[Binding]:
        """The bindings of one key, in any state."""
        return (self[ref] for ref in self._places.get(key, ()) if self[ref].key == key)


@dataclass
class Identity:
    """The bindings after the look, what changed of them, and what was bound anew (with what was sent for it)."""

    bindings: Bindings
    facts: list[Fact] = field(default_factory=list)
    adopted: dict[RemoteRef, Fields] = field(default_factory=dict)
    copies: list[RemoteRef] = field(default_factory=list)

    def holding(self, key: TaskKey, tracker: str) -> Binding | None:
        """What holds this key's place in that tracker."""
        return next(
            (one for one in self.bindings.of(key) if one.ref.tracker == tracker and one.state in HOLDING),
            None,
        )


def shown(task: RemoteTask) -> dict[str, Any]:
    """What `status` shows of a task; None where it could not be read."""
    return {name: task.fields.get(name) for name in ("status", "assignee", "due")}


def bound_payload(
    task: RemoteTask, generation: int, role: str, state: BindingState = BindingState.LIVE
) -> dict[str, Any]:
    """The payload of `task.bound`."""
    return {
        "tracker": task.ref.tracker, "remote_id": task.ref.id, "key": task.key, "url": task.url, "generation": generation,
        "role": role, "state": state.value, "raw_status": task.raw_status, "updated_at": moment(task), **shown(task),
        "fields": plain(task.fields),
    }  # fmt: skip


def bound(
    task: RemoteTask, key: TaskKey, generation: int, role: str, state: BindingState = BindingState.LIVE
) -> Binding:
    """The binding that `task.bound` makes."""
    at = shown(task)
    return Binding(
        task.ref, key, state, generation, role, task.key, task.url, at["status"], task.raw_status, moment(task),
        at["assignee"], at["due"], (),
    )  # fmt: skip


def identify(known: Known, seens: Iterable[Seen], wants: Mapping[TaskKey, Want]) -> Identity:
    """Bring the bindings up to what was seen."""
    identity = Identity(Bindings(known.by_ref))
    for seen in seens:
        _move(identity, seen)
        _returned(identity, seen, wants, known)
        _vanished(identity, seen, wants, known)
        _adopt(identity, seen, wants, known)
    _detach(identity, wants, {seen.site.name for seen in seens})
    _roles(identity, wants)
    return identity


def _roles(identity: Identity, wants: Mapping[TaskKey, Want]) -> None:
    """A route that changed makes another tracker the main one; what stays where it no longer belongs is `old`:
    it is left alone and counts no more."""
    for one in list(identity.bindings.values()):
        want = wants.get(one.key)
        if want is None or one.state not in HOLDING:
            continue
        tracker = one.ref.tracker
        role = "main" if tracker == want.main else "mirror" if tracker in want.mirrors else "old"
        if role != one.role:
            identity.bindings[one.ref] = replace(one, role=role)
            payload = {"tracker": tracker, "remote_id": one.ref.id, "from": one.role, "to": role}
            identity.facts.append(Fact("task.role", str(one.key), payload))


def _set_state(identity: Identity, one: Binding, state: BindingState, why: str) -> None:
    identity.bindings[one.ref] = replace(one, state=state)
    payload = {
        "tracker": one.ref.tracker,
        "remote_id": one.ref.id,
        "from": one.state.value,
        "to": state.value,
        "why": why,
    }
    identity.facts.append(Fact("task.state", str(one.key), payload))


def _move(identity: Identity, seen: Seen) -> None:
    for old, new in seen.moved.items():
        one = identity.bindings.get(old)
        if one is None or one.state not in HOLDING or new in identity.bindings:
            continue
        task = seen.read[new]
        _set_state(identity, one, BindingState.DETACHED, f"moved to {new.id}")
        identity.bindings[new] = bound(task, one.key, one.generation, one.role)
        identity.facts.append(Fact("task.bound", str(one.key), bound_payload(task, one.generation, one.role)))


def _returned(identity: Identity, seen: Seen, wants: Mapping[TaskKey, Want], known: Known) -> None:
    for ref in seen.read:
        one = identity.bindings.get(ref)
        if (
            one is None
            or one.state in (BindingState.LIVE, BindingState.COPY)
            or _foreign(seen.read[ref], known)
            or _another(seen.read[ref], one, known)
        ):
            continue
        if (
            one.state is BindingState.DETACHED
            and one.role == "old"
            and not _marked(seen.read[ref], one, known)
        ):
            # The tracker was given up: one of the same name may be another, whose ids mean other tasks.
            continue
        if one.state in (BindingState.LOST, BindingState.TOMB) or _free(identity, one, wants, known):
            _set_state(identity, one, BindingState.LIVE, "seen again")


def _foreign(task: RemoteTask, known: Known) -> bool:
    """Whether the task carries another workspace's marker: then it is that one's, whatever we remember."""
    marker = Marker.parse(task.marker or "")
    return marker is not None and marker.workspace != known.workspace


def _another(task: RemoteTask, one: Binding, known: Known) -> bool:
    """Whether another task stands under the id of one that was gone: the tracker may have become another server."""
    if (marker := ours(task, known.workspace)) is not None:
        return marker.key != one.key
    agreed = known.base(one.ref).get("title")
    return agreed is not None and "title" in task.fields and task.fields["title"] != agreed


def _marked(task: RemoteTask, one: Binding, known: Known) -> bool:
    marker = ours(task, known.workspace)
    return marker is not None and marker.key == one.key


def _free(identity: Identity, one: Binding, wants: Mapping[TaskKey, Want], known: Known) -> bool:
    """Whether a task that was let go is wanted again and nothing holds its place."""
    hub, want = known.hub.get(one.key), wants.get(one.key)
    wanted = want is not None and one.ref.tracker in want.trackers and not (hub and hub.dropped)
    return wanted and identity.holding(one.key, one.ref.tracker) is None


def _vanished(identity: Identity, seen: Seen, wants: Mapping[TaskKey, Want], known: Known) -> None:
    for ref, fate in seen.fates.items():
        one = identity.bindings.get(ref)
        if one is None:
            continue
        state = BindingState.TOMB if fate is Fate.GONE else BindingState.LOST
        if one.state in (BindingState.LIVE, BindingState.LOST) and one.state is not state:
            _set_state(identity, one, state, fate.value)
        elif one.state is BindingState.COPY and fate is Fate.GONE:
            # Somebody cleared it away: it is counted no more.
            _set_state(identity, one, BindingState.DETACHED, fate.value)
        elif (
            one.state is BindingState.DETACHED and fate is Fate.HIDDEN and _free(identity, one, wants, known)
        ):
            # It is there, only not for us to see: a second one must not be made beside it.
            _set_state(identity, one, BindingState.LOST, fate.value)


def _adopt(identity: Identity, seen: Seen, wants: Mapping[TaskKey, Want], known: Known) -> None:
    sent = {one.marker: one.payload.get("fields", {}) for one in known.intents.get(seen.site.name, ())}
    # Lowest id first: of two tasks with one marker the older one is the original.
    for task in sorted(seen.read.values(), key=lambda one: (len(one.ref.id), one.ref.id)):
        marker = ours(task, known.workspace)
        if marker is None or task.ref in identity.bindings:
            continue
        want = wants.get(marker.key)
        if want is None or seen.site.name not in want.trackers or _dropped(known, marker.key):
            _bind(identity, task, marker, "main", BindingState.DETACHED)
        elif (holder := identity.holding(marker.key, seen.site.name)) is None or (
            holder.generation < marker.generation and holder.state is BindingState.TOMB
        ):
            if holder is not None:
                _set_state(identity, holder, BindingState.DETACHED, "restored")
            _bind(
                identity, task, marker, "main" if want.main == seen.site.name else "mirror", BindingState.LIVE
            )
            if str(marker) in sent:
                identity.adopted[task.ref] = {
                    name: tuple(value) if isinstance(value, list) else value
                    for name, value in sent[str(marker)].items()
                }
        else:
            _bind(identity, task, marker, "main", BindingState.COPY)
            identity.copies.append(task.ref)


def _dropped(known: Known, key: TaskKey) -> bool:
    hub = known.hub.get(key)
    return hub is not None and hub.dropped


def _bind(identity: Identity, task: RemoteTask, marker: Marker, role: str, state: BindingState) -> None:
    identity.bindings[task.ref] = bound(task, marker.key, marker.generation, role, state)
    identity.facts.append(
        Fact("task.bound", str(marker.key), bound_payload(task, marker.generation, role, state))
    )


def _detach(identity: Identity, wants: Mapping[TaskKey, Want], trackers: set[str]) -> None:
    """Tasks whose item left the catalogue or the scope: no longer ours to write, never closed by us."""
    for one in list(identity.bindings.values()):
        if (
            one.state in (BindingState.LIVE, BindingState.LOST)
            and one.key not in wants
            and one.ref.tracker in trackers
        ):
            _set_state(identity, one, BindingState.DETACHED, "out of scope")
