"""From what should be and what is there to what is to be written.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import digest, plain
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import NO_FIELDS, Fields, FieldValue, RemoteRef, RemoteTask
from ticssync.store.hub import FileWish, HubTask, Wish
from ticssync.sync.hand_out import to_hand_out
from ticssync.sync.identity import Identity
from ticssync.sync.look import Seen, ours
from ticssync.sync.pull import Spoke
from ticssync.sync.state import Known, Site, Want

FREEZE_AFTER: Final = 3
"""So many times within an hour a foreign change of one field is written over; then it is frozen."""


@dataclass(frozen=True, slots=True)
class Create:
    """A task to make.  `op` is create, or restore where a person asked for a deleted one again."""

    key: TaskKey
    tracker: str
    marker: Marker
    fields: Fields
    role: str
    op: str = "create"

    @property
    def fingerprint(self) -> str:
        """Names exactly these values: a create that was rejected is tried again only with others."""
        return digest(plain(self.fields))


@dataclass(frozen=True, slots=True)
class Update:
    """A task to change.  `before` is what was read, `base` what is agreed so far; `marker` is what the marker
    should be ("" = none, None = leave).  A note and files go along in the same write."""

    binding: Binding
    set: Fields
    before: Fields = field(default_factory=lambda: NO_FIELDS)
    base: Fields = field(default_factory=lambda: NO_FIELDS)
    raw_status: str = ""
    marker: str | None = None
    note: Wish | None = None
    status_path: tuple[str, ...] = ()
    files: tuple[FileWish, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether there is something to write at all."""
        return bool(self.set or self.marker is not None or self.note is not None or self.files)


@dataclass
class Work:
    """What is to be written to one tracker, and what was left out and why.

    `unread`: tasks that would be written to, had they been read in this pass (another tracker's change was taken in).
    """

    creates: list[Create] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    waiting: list[TaskKey] = field(default_factory=list)
    unchanged: int = 0
    unread: set[RemoteRef] = field(default_factory=set)


def desired(want: Want, hub: HubTask, site: Site, display: Fields) -> dict[str, FieldValue]:
    """What one tracker should show of a task, before its own view of it."""
    values: dict[str, FieldValue] = dict(want.owned.get(site.name, NO_FIELDS))
    values |= {name: value for name, value in display.items() if name in site.owners}
    values |= {
        name: value for name, value in hub.values.items() if site.owners.get(name, "ticssync") != "ticssync"
    }
    return {name: value for name, value in values.items() if site.driver.holds(name)}


def differences(
    key: TaskKey,
    site: Site,
    ref: RemoteRef,
    wanted: Fields,
    found: Fields,
    known: Known,
    held: frozenset[str] = frozenset(),
) -> dict[str, FieldValue]:
    """The fields to write: those whose view differs from what is there and that were not refused or frozen."""
    differs = {}
    for name, value in wanted.items():
        if name not in found or name in held:
            continue
        shown = site.driver.view(name, value)
        if shown == found[name] or _refused(key, site.name, name, shown, found[name], known):
            continue
        if known.flips.get((ref, name), ((), None))[1] is None:
            differs[name] = value
    return differs


def _refused(
    key: TaskKey, tracker: str, name: str, wanted: FieldValue, found: FieldValue, known: Known
) -> bool:
    refusal = known.refusals.get((key, tracker, name))
    if name == "status" and tracker in known.ask_again:
        return False
    return refusal is not None and refusal.wanted == wanted and refusal.found == found


def plan_task(
    want: Want,
    hub: HubTask,
    spokes: Mapping[str, Spoke],
    seens: Mapping[str, Seen],
    identity: Identity,
    known: Known,
    display: Callable[[str], Fields],
    held: frozenset[str],
    works: Mapping[str, Work],
) -> None:
    """Add this task's writes to the work of each of its trackers that can be written to in this cycle."""
    if hub.dropped:
        return
    for tracker in want.trackers:
        seen = seens.get(tracker)
        if seen is None or not seen.ok:
            continue
        values = desired(want, hub, seen.site, display(seen.site.language))
        spoke = spokes.get(tracker)
        if spoke is not None:
            unsure = spoke.binding.ref in seen.unsure
            _plan_update(want, hub, spoke, values, known, held, works[tracker], unsure=unsure)
        else:
            _plan_create(want, hub, seen, values, identity, known, works[tracker])


def _plan_update(
    want: Want, hub: HubTask, spoke: Spoke, values: Fields, known: Known, held: frozenset[str], work: Work, *,
    unsure: bool,
) -> None:  # fmt: skip
    task, one = spoke.task, spoke.binding
    if task is None:
        work.unchanged += 1
        if differences(want.key, spoke.site, one.ref, values, spoke.base, known, held):
            work.unread.add(one.ref)
        return
    changes = differences(want.key, spoke.site, one.ref, values, task.fields, known, held)
    expected = str(Marker(known.workspace, one.key, one.generation))
    refused = known.refusals.get((want.key, one.ref.tracker, "marker"))
    told = refused is not None and refused.wanted == expected
    marker = expected if task.marker != expected and not told else None
    note, files = (None, ()) if unsure else _given_along(hub, spoke, known)
    base = {**spoke.base, **{name: value for name, value in task.fields.items() if name not in held}}
    update = Update(
        one, changes, dict(task.fields), base, task.raw_status, marker, note=note, files=files
    )  # fmt: skip
    if update.anything:
        work.updates.append(update)
    else:
        work.unchanged += 1


def _given_along(hub: HubTask, spoke: Spoke, known: Known) -> tuple[Wish | None, tuple[FileWish, ...]]:
    """All files that wait, and one note: two in one write would be read as one."""
    caps = spoke.site.driver.caps
    notes, files = to_hand_out(hub, spoke.binding, known)
    return notes[0] if notes and caps.comments else None, tuple(files) if caps.attachments else ()


def _plan_create(
    want: Want, hub: HubTask, seen: Seen, values: Fields, identity: Identity, known: Known, work: Work
) -> None:
    site = seen.site
    holder = identity.holding(want.key, site.name)
    if holder is not None and not (holder.state is BindingState.TOMB and hub.restore):
        return
    if any(one.key == want.key for one in seen.waiting):
        work.waiting.append(want.key)
        return
    marker = next_marker(known.workspace, want.key, identity.bindings.of(want.key), site.name)
    if str(marker) not in seen.absent and not seen.complete:
        return
    initial = {
        name: value
        for name, value in want.initial.get(site.name, NO_FIELDS).items()
        if site.driver.holds(name)
    }
    role = "main" if want.main == site.name else "mirror"
    fields = {**initial, **values}
    create = Create(want.key, site.name, marker, fields, role, "restore" if hub.restore else "create")
    refusal = known.refusals.get((want.key, site.name, "create"))
    if refusal is None or refusal.wanted != create.fingerprint:
        work.creates.append(create)


def next_marker(workspace: str, key: TaskKey, bindings: Iterable[Binding], tracker: str) -> Marker:
    """The marker of the next binding of this key in that tracker: one generation above all before it."""
    taken = [
        one.generation
        for one in bindings
        if one.key == key and one.ref.tracker == tracker and one.state is not BindingState.COPY
    ]
    return Marker(workspace, key, max(taken, default=0) + 1)


def clear_copies(identity: Identity, seen: Seen, known: Known, work: Work) -> None:
    """A copied task keeps its text and loses our marker, where the tracker allows it."""
    for ref, one in identity.bindings.items():
        task: RemoteTask | None = seen.read.get(ref)
        if one.state is BindingState.COPY and task is not None and ours(task, known.workspace) is not None:
            refusal = known.refusals.get((one.key, ref.tracker, f"marker:{ref.id}"))
            if refusal is None and not seen.site.driver.caps.file_batch:
                work.updates.append(
                    Update(one, {}, dict(task.fields), dict(task.fields), task.raw_status, "")
                )
