"""A store that is made anew: which task in a tracker is which of ours.  Pure.

The marker says it, else links.yaml, else what a bundle remembers.  Nothing that is ours is forgotten: a task whose
item is no longer wanted is bound too, and a task that is gone keeps its place, so that none is made a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ticssync.app.links import Link
from ticssync.errors import Said, say
from ticssync.model.binding import Binding, BindingState
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.plugin import Fate
from ticssync.sync.identity import HOLDING
from ticssync.sync.look import Seen, ours
from ticssync.sync.state import Want

MARKER: Final = "marker"
FILE: Final = "links.yaml"
BUNDLE: Final = "bundle"


@dataclass(frozen=True, slots=True)
class Tie:
    """One task and what it is bound as.  `how`: the marker, links.yaml or the bundle says so."""

    task: RemoteTask
    key: TaskKey
    generation: int
    role: str
    state: BindingState
    how: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A task that links.yaml or the bundle names and that does not show itself.  `held`: its place in the tracker is
    kept for it, since nothing else has taken it."""

    task: TaskKey
    ref: RemoteRef
    shown: str
    state: BindingState
    how: str
    held: bool
    role: str = "main"
    generation: int = 1


@dataclass
class Ties:
    """What one tracker came to; `notes` are tasks that could not be taken, with the reason."""

    found: list[Tie] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)

    def count(self, how: str) -> int:
        """How many live tasks were bound this way."""
        return sum(1 for one in self.found if one.how == how and one.state is BindingState.LIVE)

    def count_state(self, state: BindingState) -> int:
        """How many tasks are bound in this state."""
        return sum(1 for one in self.found if one.state is state)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something says that this task is `key`'s.  `named`: links.yaml names it."""

    task: RemoteTask
    key: TaskKey
    generation: int | None
    how: str
    named: bool = False


def doubtful(links: Iterable[Link], remembered: Iterable[Binding], tracker: str) -> frozenset[RemoteRef]:
    """The places in a tracker to look at by their ids, besides everything that it lists."""
    named = {RemoteRef(tracker, one.id) for one in links if one.tracker == tracker}
    return frozenset(named | {one.ref for one in _held(remembered, tracker)})


def _held(remembered: Iterable[Binding], tracker: str) -> list[Binding]:
    return [one for one in remembered if one.ref.tracker == tracker and one.state in HOLDING]


def tie(
    seen: Seen, workspace: str, wants: Mapping[TaskKey, Want], links: Sequence[Link], remembered: Sequence[Binding] = (),
    dropped: Collection[TaskKey] = (),
) -> Ties:  # fmt: skip
    """Decide for one tracker, once it was looked at as a whole."""
    ties, tracker = Ties(), seen.site.name
    here = [one for one in links if one.tracker == tracker]
    held = _held(remembered, tracker)
    claims = _marked(seen, workspace, {_now(seen, RemoteRef(tracker, one.id)) for one in here})
    claims |= {one.task.ref: one for one in _named(seen, workspace, here, held, ties)}
    claims |= {one.task.ref: one for one in _remembered(seen, held) if one.task.ref not in claims}
    by_key: dict[TaskKey, list[Claim]] = {}
    for claim in claims.values():
        by_key.setdefault(claim.key, []).append(claim)
    for key in sorted(by_key):
        want = wants.get(key)
        wanted = want is not None and tracker in want.trackers and key not in dropped
        ties.found += _settle(by_key[key], role(want, tracker), wanted=wanted)
    taken = {one.key for one in ties.found if one.state is BindingState.LIVE}
    ties.missing = _missing(seen, here, held, wants, taken, dropped)
    return ties


def role(want: Want | None, tracker: str) -> str:
    """The role of a key's task in that tracker."""
    return "mirror" if want is not None and tracker in want.mirrors else "main"


def _now(seen: Seen, ref: RemoteRef) -> RemoteRef:
    return seen.moved.get(ref, ref)


def _marked(seen: Seen, workspace: str, named: Collection[RemoteRef]) -> dict[RemoteRef, Claim]:
    found = {}
    for task in seen.read.values():
        marker = ours(task, workspace)
        if marker is not None:
            found[task.ref] = Claim(task, marker.key, marker.generation, MARKER, task.ref in named)
    return found


def _named(
    seen: Seen, workspace: str, links: Sequence[Link], held: Sequence[Binding], ties: Ties
) -> Iterable[Claim]:
    """Adopted tasks that carry no marker (yet)."""
    known = {one.ref: one for one in held}
    for link in links:
        task = seen.read.get(_now(seen, RemoteRef(link.tracker, link.id)))
        if task is None:
            continue
        marker = Marker.parse(task.marker or "")
        if marker is None:
            before = known.get(task.ref)
            generation = before.generation if before is not None and before.key == link.task else None
            yield Claim(task, link.task, generation, FILE, named=True)
        elif marker.workspace != workspace or marker.key != link.task:
            shown = task.key or task.ref.id
            said = say(
                "links.yaml, line {line}: {shown} carries the marker {marker}: it is not taken as {task}",
                line=link.line or 0,
                shown=shown,
                marker=task.marker or "",
                task=str(link.task),
            )
            ties.notes.append(said)


def _remembered(seen: Seen, held: Sequence[Binding]) -> Iterable[Claim]:
    """Tasks that the bundle knows by their ids and that lost their marker since."""
    for one in held:
        task = seen.read.get(_now(seen, one.ref))
        if task is not None and Marker.parse(task.marker or "") is None:
            yield Claim(task, one.key, one.generation, BUNDLE)


def _settle(claims: Sequence[Claim], role: str, *, wanted: bool) -> list[Tie]:
    """Of several tasks of one key the newest generation is the one in force; of two with one marker that which
    links.yaml names, else the older one: the other is a copy."""
    top = max((one.generation for one in claims if one.generation is not None), default=0)
    # An adopted task without a marker came after all that carry one, or the file would not name it.
    generations = {one.task.ref: one.generation or top + 1 for one in claims}
    ordered = sorted(
        claims,
        key=lambda one: (-generations[one.task.ref], not one.named, len(one.task.ref.id), one.task.ref.id),
    )
    first = ordered[0]
    found = []
    for one in ordered:
        generation = generations[one.task.ref]
        if not wanted:
            state = BindingState.DETACHED
        elif one is first:
            state = BindingState.LIVE
        else:
            same = generation == generations[first.task.ref]
            state = BindingState.COPY if same else BindingState.DETACHED
        found.append(Tie(one.task, one.key, generation, role if wanted else "main", state, one.how))
    return found


def _missing(
    seen: Seen, links: Sequence[Link], held: Sequence[Binding], wants: Mapping[TaskKey, Want],
    taken: Collection[TaskKey], dropped: Collection[TaskKey],
) -> list[Missing]:  # fmt: skip
    """What does not show itself.  Where nothing else has its place, the place is kept: a deleted task is made again
    when a person asks for it, and never by itself."""
    found: dict[RemoteRef, Missing] = {}
    tracker = seen.site.name
    named = [(RemoteRef(tracker, one.id), one.task, one.shown, 1, FILE) for one in links]
    known = [(one.ref, one.key, one.display_key, one.generation, BUNDLE) for one in held]
    places: set[TaskKey] = set()
    for ref, key, shown, generation, how in [*named, *known]:
        want = wants.get(key)
        wanted = want is not None and tracker in want.trackers and key not in dropped
        if ref in found or _now(seen, ref) in seen.read or (how == BUNDLE and (key in taken or not wanted)):
            continue
        state = BindingState.TOMB if seen.fates.get(ref) is Fate.GONE else BindingState.LOST
        free = wanted and key not in taken and key not in places
        places |= {key} if free else set()
        found[ref] = Missing(
            key, ref, shown or ref.id, state, how, free, role(want, tracker), max(generation, 1)
        )
    return list(found.values())
