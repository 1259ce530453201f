"""A task that the company made itself becomes the task of a criterion: what stands against it, and the link.

Nothing is written to the tracker here: the marker is one more field of ours, set by the next sync that may.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from ticssync.errors import Problem, say
from ticssync.model.binding import Base, Binding, BindingState
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import NO_FIELDS, Fields, FieldValue, RemoteTask
from ticssync.plugin import NotSupported, PreSend
from ticssync.store import By, Transaction
from ticssync.store.bindings import bindings, put_base
from ticssync.store.hub import NOTE, HubTask, hub_tasks, put_hub
from ticssync.store.working import Intent, intents, set_hot
from ticssync.sync.identity import HOLDING, bound, bound_payload
from ticssync.sync.plan import desired, differences, next_marker
from ticssync.sync.state import Display, Known, Site, Want

HERE: Final = (BindingState.LIVE, BindingState.LOST)
"""States in which a key's place is taken: a deleted task (tomb) may be followed by an adopted one."""
MAKING: Final = ("create", "restore")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task as it was just read, for a key.  `named` is what the person called it; `marked` are tasks that carry
    the key's marker in that tracker now."""

    want: Want
    site: Site
    task: RemoteTask
    named: str
    marked: tuple[RemoteTask, ...] = ()

    @property
    def key(self) -> TaskKey:
        """The task key."""
        return self.want.key

    @property
    def shown(self) -> str:
        """What people call the task."""
        return self.task.key or self.task.ref.id


@dataclass(frozen=True, slots=True)
class Adoption:
    """What adopting comes to.  `values` is what is taken over from the tracker into the hub, `base` what counts as
    agreed, `open_fields` what a person has to settle, since another place of the task says otherwise."""

    binding: Binding
    hub: HubTask
    base: Fields
    values: Fields
    open_fields: tuple[str, ...] = ()
    retired: tuple[Binding, ...] = ()
    new_hub: bool = False


def marked_already(
    site: Site, workspace: str, key: TaskKey, known: Collection[Binding]
) -> tuple[RemoteTask, ...]:
    """Tasks in the tracker that carry a marker of this key and that no binding knows."""
    last = next_marker(workspace, key, known, site.name).generation
    markers = [str(Marker(workspace, key, number)) for number in range(1, last + 1)]
    try:
        hits = site.driver.find_by_marker(markers, PreSend()).hits
    except NotSupported:
        return ()
    places = {one.ref for one in known}
    return tuple(task for tasks in hits.values() for task in tasks if task.ref not in places)


def against(
    one: Candidate, workspace: str, known: Sequence[Binding], sent: Sequence[Intent]
) -> list[Problem]:
    """Everything that stands against adopting; empty where nothing does.  Pure."""
    return [
        problem
        for problem in (
            _bound_already(one, known),
            _place_taken(one, known),
            _under_way(one, sent),
            _foreign_marker(one, workspace, known),
            _made_already(one),
        )
        if problem is not None
    ]


def _problem(one: Candidate, message: str, fix: str) -> Problem:
    return Problem(message, place=one.named, fix=fix)


def _bound_already(one: Candidate, known: Sequence[Binding]) -> Problem | None:
    holder = next((other for other in known if other.ref == one.task.ref and other.state in HOLDING), None)
    if holder is None:
        return None
    said = say("{shown} is bound to {task} already", shown=one.shown, task=str(holder.key))
    if holder.key == one.key:
        return _problem(one, said, say("nothing is left to do: ticssync plan"))
    return _problem(
        one,
        said,
        say("ticssync task drop {task} if that link is wrong, then adopt again", task=str(holder.key)),
    )


def _place_taken(one: Candidate, known: Sequence[Binding]) -> Problem | None:
    holder = next(
        (
            other
            for other in known
            if (other.key, other.ref.tracker) == (one.key, one.site.name) and other.state in HERE
        ),
        None,
    )
    if holder is None or holder.ref == one.task.ref:
        return None
    return _problem(
        one,
        say(
            "{task} stands in {tracker} already: {shown}",
            task=str(one.key),
            tracker=one.site.name,
            shown=holder.display_key or holder.ref.id,
        ),
        say("ticssync task drop {task} lets that one go, then adopt again", task=str(one.key)),
    )


def _under_way(one: Candidate, sent: Sequence[Intent]) -> Problem | None:
    if not any(intent.key == one.key and intent.op in MAKING for intent in sent):
        return None
    return _problem(
        one,
        say(
            "a task for {task} may just have been made in {tracker}: its answer is still missing",
            task=str(one.key),
            tracker=one.site.name,
        ),
        say("ticssync sync finds out, then adopt again if there is none"),
    )


def _foreign_marker(one: Candidate, workspace: str, known: Sequence[Binding]) -> Problem | None:
    marker = Marker.parse(one.task.marker or "")
    if marker is None:
        return None
    if marker.workspace != workspace:
        return _problem(
            one,
            say(
                "{shown} belongs to another workspace of ticssync ({id})",
                shown=one.shown,
                id=marker.workspace,
            ),
            say("take another task; if that workspace is used no more, empty the marker in the tracker"),
        )
    if any(other.ref == one.task.ref and other.state in HOLDING for other in known):
        return None
    if marker.key == one.key:
        return _problem(
            one,
            say("{shown} carries the marker of {task} already", shown=one.shown, task=str(one.key)),
            say(
                "ticssync sync takes it up by itself; after task drop: ticssync task restore {task}",
                task=str(one.key),
            ),
        )
    return _problem(
        one,
        say("{shown} carries the marker of {task}", shown=one.shown, task=str(marker.key)),
        say("take another task, or empty the marker in the tracker"),
    )


def _made_already(one: Candidate) -> Problem | None:
    others = [task for task in one.marked if task.ref != one.task.ref]
    if not others:
        return None
    return _problem(
        one,
        say(
            "{tracker} holds a task of ours for {task} already: {shown}",
            tracker=one.site.name,
            task=str(one.key),
            shown=others[0].key or others[0].ref.id,
        ),
        say("ticssync sync takes it up by itself"),
    )


def adoption(
    one: Candidate, workspace: str, known: Sequence[Binding], hub: HubTask | None, on: str
) -> Adoption:
    """What adopting comes to.  Pure.  `on` is the ISO day that the task counts as planned from.

    The company's own work wins: what the tracker says of status, owner, start and priority is taken over.  Only
    where the task stands in another tracker too is a difference left for a person.
    """
    site, task = one.site, one.task
    kept = hub or HubTask(one.key, planned_on=one.want.planned_on or on)
    two_way = {
        name: value for name, value in task.fields.items() if site.owners.get(name, "ticssync") != "ticssync"
    }
    elsewhere = any(other.key == one.key and other.state in HERE and other.ref != task.ref for other in known)
    differs = tuple(
        name
        for name, value in two_way.items()
        if elsewhere and name in kept.values and site.driver.view(name, kept.values[name]) != value
    )
    agreed = {name for name in two_way if elsewhere and name in kept.values}
    values = {name: value for name, value in two_way.items() if name not in agreed}
    generation = next_marker(workspace, one.key, known, site.name).generation
    return Adoption(
        bound(task, one.key, generation, _role(one)),
        replace(kept, values={**kept.values, **values}, dropped=False, restore=False),
        {name: value for name, value in task.fields.items() if name not in differs},
        values,
        differs,
        tuple(other for other in known if _gone(other, one)),
        hub is None,
    )


def _role(one: Candidate) -> str:
    return "main" if one.want.main == one.site.name else "mirror"


def _gone(other: Binding, one: Candidate) -> bool:
    return (other.key, other.ref.tracker, other.state) == (one.key, one.site.name, BindingState.TOMB)


def difference(
    one: Candidate, made: Adoption, known: Known, display: Display
) -> dict[str, tuple[FieldValue, FieldValue]]:
    """Field → (as it stands, as the next sync writes it): by the very functions that the sync decides with."""
    wishes = {name: wish.value for name, wish in made.hub.wishes.items() if not name.startswith(NOTE)}
    hub = replace(made.hub, values={**made.hub.values, **wishes})
    standing = tuple(
        other for other in known.bindings if other.ref != one.task.ref and other not in made.retired
    )
    show = display((*standing, made.binding))
    values = desired(one.want, hub, one.site, show(one.key, one.site.language))
    held = frozenset(made.open_fields)
    writes = differences(one.key, one.site, one.task.ref, values, one.task.fields, known, held)
    found = {
        name: (one.task.fields[name], one.site.driver.view(name, value)) for name, value in writes.items()
    }
    marker = str(Marker(known.workspace, one.key, made.binding.generation))
    return found | {"marker": (one.task.marker, marker)}


def bind(
    tx: Transaction, one: Candidate, by: By, now: datetime, on: str, more: Mapping[str, Any] = NO_FIELDS
) -> tuple[list[Problem], Adoption | None, int]:
    """(problems, what was bound, number of the event), in one transaction: what stands against it is looked at
    once more, since a sync may have been quicker."""
    known = bindings(tx)
    problems = against(one, tx.workspace, known, intents(tx, one.site.name))
    if problems:
        return problems, None, 0
    made = adoption(one, tx.workspace, known, hub_tasks(tx).get(one.key), on)
    subject, tracker = str(one.key), one.site.name
    if made.new_hub:
        payload = {"on": made.hub.planned_on, "main": one.want.main, "mirrors": list(one.want.mirrors)}
        tx.append("task.planned", subject, by, payload)
    for gone in made.retired:
        payload = {
            "tracker": tracker,
            "remote_id": gone.ref.id,
            "from": "tomb",
            "to": "detached",
            "why": "adopted",
        }
        tx.append("task.state", subject, by, payload)
    payload = bound_payload(one.task, made.binding.generation, made.binding.role)
    event = tx.append("task.bound", subject, by, {**payload, "why": "adopted", **more})
    put_base(tx, one.task.ref, Base(made.base, one.task.version), seen=made.base, local=NO_FIELDS)
    put_hub(tx, made.hub)
    # A tracker that lists only what changed would not show it again: the next pass looks, and sets the marker.
    set_hot(tx, [one.task.ref], now)
    return [], made, event.seq
