"""Everything that a cycle decides, between looking and writing.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ticssync.errors import say
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import digest, instant_text, parse_instant, plain
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import NO_FIELDS, Fields, RemoteRef
from ticssync.store.hub import NOTE, FileWish, HubTask, Wish, files_of, without_file
from ticssync.sync.actions import Action
from ticssync.sync.hand_out import asks, attached, file_field, hangs_there
from ticssync.sync.identity import Fact, Identity, identify
from ticssync.sync.look import Seen
from ticssync.sync.plan import (
    FREEZE_AFTER,
    Update,
    Work,
    clear_copies,
    desired,
    differences,
    next_marker,
    plan_task,
)
from ticssync.sync.pull import Pulled, Spoke, pull, spokes_of
from ticssync.sync.state import Display, Known, Site, Want


@dataclass
class Decision:
    """What to commit (facts, hub, bases), what came in (`inbound`) and what to write, tracker by tracker."""

    identity: Identity
    facts: list[Fact] = field(default_factory=list)
    hubs: dict[TaskKey, HubTask] = field(default_factory=dict)
    bases: dict[RemoteRef, Fields] = field(default_factory=dict)
    local: dict[RemoteRef, Fields] = field(default_factory=dict)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    flips: dict[tuple[RemoteRef, str], tuple[tuple[str, ...], str | None]] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    inbound: dict[str, list[Action]] = field(default_factory=dict)


def needed(
    wants: Mapping[TaskKey, Want], sites: Mapping[str, Site], known: Known, display: Display
) -> tuple[set[RemoteRef], dict[str, list[str]]]:
    """(places to read because something is to be written there, markers to make by tracker)."""
    show = display(known.bindings)
    refs: set[RemoteRef] = set()
    make: dict[str, list[str]] = {name: [] for name in sites}
    live = {(one.key, one.ref.tracker): one for one in known.bindings if one.state is BindingState.LIVE}
    taken = {
        (one.key, one.ref.tracker)
        for one in known.bindings
        if one.state in (BindingState.LIVE, BindingState.LOST, BindingState.TOMB)
    }
    let_go: dict[tuple[TaskKey, str], set[RemoteRef]] = {}
    places: dict[TaskKey, list[Binding]] = {}
    for other in known.bindings:
        places.setdefault(other.key, []).append(other)
        if other.state is BindingState.DETACHED:
            let_go.setdefault((other.key, other.ref.tracker), set()).add(other.ref)
    for key, want in wants.items():
        hub = known.hub.get(key) or HubTask(key, planned_on=want.planned_on)
        for name in want.trackers:
            site, one = sites.get(name), live.get((key, name))
            if site is None or hub.dropped:
                continue
            if one is not None:
                if asks(hub, one, known) or differences(
                    key,
                    site,
                    one.ref,
                    desired(want, hub, site, show(key, site.language)),
                    known.base(one.ref),
                    known,
                ):
                    refs.add(one.ref)
            elif (key, name) not in taken or hub.restore:
                # One that was let go may still stand there: it is taken up again, not made a second time.
                refs |= let_go.get((key, name), set())
                make[name].append(str(next_marker(known.workspace, key, places.get(key, ()), name)))
    return refs, make


def decide(
    wants: Mapping[TaskKey, Want], known: Known, seens: Mapping[str, Seen], display: Display, now: datetime
) -> Decision:
    """Bring identity, hub and bases up to what was seen, then plan the writes."""
    good = {name: seen for name, seen in seens.items() if seen.ok}
    identity = identify(known, good.values(), wants)
    decision = Decision(identity, list(identity.facts), works={name: Work() for name in good})
    bases = {ref: base.fields for ref, base in known.bases.items()} | {
        ref: _as_shown(good, ref, sent) for ref, sent in identity.adopted.items()
    }
    halfway = _halfway(good, bases)
    bases |= halfway
    decision.bases |= halfway
    by_key: dict[TaskKey, list[Binding]] = {}
    for one in identity.bindings.values():
        by_key.setdefault(one.key, []).append(one)
    pulls = {
        key: _pull(want, by_key.get(key, []), known, good, bases, decision, now)
        for key, want in wants.items()
    }
    for ref in decision.identity.adopted:
        decision.bases.setdefault(ref, bases[ref])
    moving = _on_the_move(wants, pulls, known, good, identity)
    show = display(_as_it_will_stand(identity, _to_come(wants, identity, known, good), moving))
    for key, want in wants.items():
        _plan(want, pulls[key], by_key.get(key, []), known, good, bases, show, decision, now)
    decision.facts += _settled_refusals(wants, known, good, identity, decision)
    for name, seen in good.items():
        clear_copies(identity, seen, known, decision.works[name])
        decision.inbound[name] = _inbound(name, pulls, identity)
    return decision


def _settled_refusals(
    wants: Mapping[TaskKey, Want],
    known: Known,
    good: Mapping[str, Seen],
    identity: Identity,
    decision: Decision,
) -> list[Fact]:
    """Refusals that nobody needs to look at any more: what was wanted stands there now, or is wanted no more."""
    found = []
    for key, tracker, name in sorted(known.open_refusals):
        want, hub, holder = wants.get(key), known.hub.get(key), identity.holding(key, tracker)
        frozen = holder is not None and known.flips.get((holder.ref, name), ((), None))[1] is not None
        if tracker not in good or frozen:
            continue
        gone = want is None or tracker not in want.trackers or (hub is not None and hub.dropped)
        done = name == "create" and holder is not None
        if gone or done or _agrees(holder, name, known, good[tracker], decision):
            found.append(Fact("refusal.closed", str(key), {"tracker": tracker, "field": name}))
    return found


def _agrees(holder: Binding | None, name: str, known: Known, seen: Seen, decision: Decision) -> bool:
    if holder is None:
        return False
    # A tracker that lists only what changed does not show the task again: what was read last still stands there.
    task, wanted = seen.read.get(holder.ref), decision.local.get(holder.ref, NO_FIELDS)
    if name == "marker":
        expected = str(Marker(known.workspace, holder.key, holder.generation))
        return task is not None and task.marker == expected
    there = task.fields if task is not None else known.base(holder.ref)
    return name in there and name in wanted and there[name] == wanted[name]


def _to_come(
    wants: Mapping[TaskKey, Want], identity: Identity, known: Known, good: Mapping[str, Seen]
) -> list[Binding]:
    """Tasks that this pass makes, as they will stand: what is shown in them must be right from the first write."""
    found = []
    for key, want in wants.items():
        hub = known.hub.get(key) or HubTask(key)
        for name in want.trackers:
            holder = identity.holding(key, name)
            free = holder is None or (holder.state is BindingState.TOMB and hub.restore)
            if name in good and not hub.dropped and free:
                at = want.initial.get(name, NO_FIELDS)
                status, assignee = at.get("status"), at.get("assignee")
                role = "main" if name == want.main else "mirror"
                ref = RemoteRef(name, f"new:{key}")
                found.append(
                    Binding(
                        ref,
                        key,
                        BindingState.LIVE,
                        role=role,
                        status=str(status) if status else None,
                        assignee=str(assignee) if assignee else None,
                    )
                )
    return found


def _on_the_move(
    wants: Mapping[TaskKey, Want],
    pulls: Mapping[TaskKey, Pulled],
    known: Known,
    good: Mapping[str, Seen],
    identity: Identity,
) -> dict[RemoteRef, Binding]:
    """Main tasks whose status this pass is going to write, as they will stand then: what is shown of them in a mirror,
    or in their own fields, goes along in the same pass.  A refusal is seen, and shown, by the next one."""
    found = {}
    for key, want in wants.items():
        seen, one = good.get(want.main), identity.holding(key, want.main)
        hub, held = pulls[key].hub, pulls[key].held
        if seen is None or one is None or one.state is not BindingState.LIVE or hub.dropped:
            continue
        task, site = seen.read.get(one.ref), seen.site
        two_way = site.owners.get("status", "ticssync") != "ticssync" and site.driver.holds("status")
        status = {"status": hub.values["status"]} if two_way and "status" in hub.values else {}
        if task is not None and differences(key, site, one.ref, status, task.fields, known, held):
            shown = site.driver.view("status", status["status"])
            found[one.ref] = replace(identity.bindings[one.ref], status=str(shown) if shown else None)
    return found


def _as_it_will_stand(
    identity: Identity, coming: Sequence[Binding], moving: Mapping[RemoteRef, Binding]
) -> tuple[Binding, ...]:
    """With a restored task the tomb that it replaces no longer counts."""
    places = {(one.key, one.ref.tracker) for one in coming}
    standing = [
        moving.get(one.ref, one)
        for one in identity.bindings.values()
        if one.state is not BindingState.TOMB or (one.key, one.ref.tracker) not in places
    ]
    return (*standing, *coming)


def _halfway(good: Mapping[str, Seen], bases: Mapping[RemoteRef, Fields]) -> dict[RemoteRef, Fields]:
    """Where our own way through a workflow was cut off, the status that it left is agreed, not taken in."""
    return {
        ref: {**bases[ref], "status": seen.read[ref].fields["status"]}
        for seen in good.values()
        for ref in seen.halfway
        if "status" in bases.get(ref, NO_FIELDS) and "status" in seen.read[ref].fields
    }


def _as_shown(good: Mapping[str, Seen], ref: RemoteRef, sent: Fields) -> Fields:
    driver = good[ref.tracker].site.driver
    return {name: driver.view(name, value) for name, value in sent.items()}


def _pull(
    want: Want,
    mine: Sequence[Binding],
    known: Known,
    good: Mapping[str, Seen],
    bases: Mapping[RemoteRef, Fields],
    decision: Decision,
    now: datetime,
) -> Pulled:
    hub = known.hub.get(want.key)
    if hub is None:
        hub = HubTask(want.key, planned_on=want.planned_on)
        decision.facts.append(
            Fact(
                "task.planned",
                str(want.key),
                {"on": want.planned_on, "main": want.main, "mirrors": list(want.mirrors)},
            )
        )
        decision.hubs[want.key] = hub
    pulled = pull(want, hub, spokes_of(want, mine, good, bases), known)
    decision.facts += pulled.facts
    decision.bases |= pulled.bases
    decision.conflicts += pulled.conflicts
    decision.identity.bindings.update(pulled.bindings)
    main = good.get(want.main)
    if main is not None and not main.site.driver.caps.comments:
        # No place for notes there: the reason stands in the field `from_office`, or nowhere.
        kept = {name: wish for name, wish in pulled.hub.wishes.items() if not name.startswith(NOTE)}
        if len(kept) < len(pulled.hub.wishes):
            pulled.hub = replace(pulled.hub, wishes=kept)
    elif main is not None and pulled.conflicts and main.site.conflict_note is not None:
        at = instant_text(now)
        told = Wish(main.site.conflict_note(pulled.conflicts), at)
        pulled.hub = replace(pulled.hub, wishes={**pulled.hub.wishes, f"{NOTE}{at}": told})
    if pulled.hub != hub:
        decision.hubs[want.key] = pulled.hub
    return pulled


def _plan(
    want: Want, pulled: Pulled, mine: Sequence[Binding], known: Known, good: Mapping[str, Seen], bases: Mapping[RemoteRef, Fields],
    show: Any, decision: Decision, now: datetime,
) -> None:  # fmt: skip
    current = [decision.identity.bindings.get(one.ref, one) for one in mine]
    spokes = {spoke.site.name: spoke for spoke in spokes_of(want, current, good, bases)}

    def display(language: str) -> Fields:
        shown: Fields = show(want.key, language)
        return shown

    hub = pulled.hub = _handed_out(want, pulled.hub, spokes, known, decision)
    plan_task(want, hub, spokes, good, decision.identity, known, display, pulled.held, decision.works)
    rendered = digest(
        plain(
            {
                name: {**want.owned.get(name, NO_FIELDS), **display(good[name].site.language)}
                for name in want.trackers
                if name in good
            }
        )
    )
    # An outage changes nothing of what should be there: its passes must not write every task anew.
    if rendered != hub.rendered_hash and all(name in good for name in want.trackers):
        decision.hubs[want.key] = replace(hub, rendered_hash=rendered)
    for spoke in spokes.values():
        values = desired(want, hub, spoke.site, display(spoke.site.language))
        decision.local[spoke.binding.ref] = {
            name: spoke.site.driver.view(name, value) for name, value in values.items()
        }
        decision.facts += _overwritten(pulled, spoke, decision.local[spoke.binding.ref])
        _count_flips(pulled, spoke.binding.ref, decision, known, now)


def _handed_out(
    want: Want, hub: HubTask, spokes: Mapping[str, Spoke], known: Known, decision: Decision
) -> HubTask:
    """Files that hang on the main task already are done with, whoever lost the answer; and where a tracker has no
    place for files at all (any more), it is said, once."""
    main = spokes.get(want.main)
    if main is None or main.task is None or hub.dropped:
        return hub
    for file in files_of(hub):
        there, name = hangs_there(main.task, file), file_field(file)
        if there:
            decision.facts.append(Fact("task.attached", str(want.key), attached(main.binding.ref, file)))
            hub = decision.hubs[want.key] = without_file(hub, file.at)
        if there and (want.key, want.main, name) in known.open_refusals:
            closed = {"tracker": want.main, "field": name}
            decision.facts.append(Fact("refusal.closed", str(want.key), closed))
        elif not there and not main.site.driver.caps.attachments:
            _no_place_for_files(want, name, file, known, decision)
    return hub


def _no_place_for_files(want: Want, name: str, file: FileWish, known: Known, decision: Decision) -> None:
    if (want.key, want.main, name) not in known.refusals:
        why = say("{tracker} has no place for files", tracker=want.main)
        refusal: dict[str, Any] = {
            "tracker": want.main, "field": name, "wanted": file.name, "raw_found": None, "moves": [], "why": str(why),
        }  # fmt: skip
        decision.facts.append(Fact("refusal.opened", str(want.key), refusal))


def _overwritten(pulled: Pulled, spoke: Spoke, shown: Fields) -> list[Fact]:
    """What a person changed in a field of ours and we are about to put back: it is kept in the log.

    A value that is just what should stand there is our own, written by a pass that died before it could say so.
    """
    one = spoke.binding
    return [
        Fact(
            "task.overwritten",
            str(one.key),
            {
                "tracker": one.ref.tracker,
                "remote_id": one.ref.id,
                "field": name,
                "from": plain(old),
                "to": plain(new),
            },
        )
        for name, (old, new) in pulled.changes.get(one.ref, {}).items()
        if spoke.site.owners.get(name) == "ticssync" and shown.get(name) != new
    ]


def _count_flips(pulled: Pulled, ref: RemoteRef, decision: Decision, known: Known, now: datetime) -> None:
    """A foreign change that we are about to write over: counted, and frozen when it keeps coming back."""
    if not pulled.changes.get(ref):
        return
    update = next((one for one in decision.works[ref.tracker].updates if one.binding.ref == ref), None)
    for name in set(pulled.changes[ref]) & set(update.set if update else ()):
        times, _ = known.flips.get((ref, name), ((), None))
        recent = (*(at for at in times if now - parse_instant(at) < timedelta(hours=1)), instant_text(now))
        frozen = instant_text(now) if len(recent) > FREEZE_AFTER else None
        decision.flips[ref, name] = (recent, frozen)
        if frozen:
            assert update is not None
            payload = {"tracker": ref.tracker, "remote_id": ref.id, "field": name, "times": len(recent)}
            decision.facts.append(Fact("task.frozen", str(update.binding.key), payload))
            decision.facts.append(
                Fact("refusal.opened", str(update.binding.key), _frozen_refusal(update, ref, name))
            )
            decision.works[ref.tracker].updates.remove(update)
            update = replace(
                update, set={other: value for other, value in update.set.items() if other != name}
            )
            if update.anything:
                decision.works[ref.tracker].updates.append(update)


def _frozen_refusal(update: Update, ref: RemoteRef, name: str) -> dict[str, Any]:
    """A frozen field stands among the refusals, so that somebody learns of it and can let it go on."""
    why = say(
        "frozen: something keeps changing it back; ticssync task unfreeze {task}",
        task=str(update.binding.key),
    )
    return {
        "tracker": ref.tracker, "field": name, "wanted": plain(update.set[name]), "raw_found": plain(update.before.get(name)),
        "moves": [], "why": str(why),
    }  # fmt: skip


def _inbound(name: str, pulls: Mapping[TaskKey, Pulled], identity: Identity) -> list[Action]:
    found = []
    for fact in identity.facts:
        payload = fact.payload
        if payload.get("tracker") != name:
            continue
        key = TaskKey.parse(fact.subject)
        if fact.kind == "task.bound":
            word = "adopt" if payload["state"] == "live" else "none"
            found.append(
                Action(word, "in", key, payload["key"], why="" if word == "adopt" else payload["state"])
            )
        else:
            one = identity.bindings[RemoteRef(name, payload["remote_id"])]
            found.append(
                Action("none", "in", key, one.display_key, why=f"{payload['from']} → {payload['to']}")
            )
    for key, pulled in pulls.items():
        for ref, changes in pulled.changes.items():
            if ref.tracker == name:
                found.append(Action("update", "in", key, identity.bindings[ref].display_key, changes))
    return found
