"""Confirmations that a confirmer makes in the tracker, with an account of their own: read after each pass.

What a task's history answered is kept per tracker as long as the task stands as confirmed there: so an entry
that cannot be taken is shown in every pass without asking again, and a history that could not be read, or was
not read because the process died, is asked for later.  All of it can be lost: the next look rebuilds it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ticssync.app.ledger import read_ledger
from ticssync.app.named_acts import Wanted, checked, record
from ticssync.app.standing import Ledger, Standing, standings
from ticssync.app.workspace import Workspace
from ticssync.assess.from_tracker import (
    AGAIN,
    CHANNEL,
    EVIDENCE_CHANGED,
    Case,
    NotTaken,
    Sign,
    actor_of,
    confirmed_from,
    sign_of,
    source_of,
    who_confirms,
)
from ticssync.errors import Problem, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import canonical_json, instant_text, parse_instant
from ticssync.model.state import State, confirmable
from ticssync.model.task import NO_FIELDS, RemoteRef, RemoteTask
from ticssync.plugin import FieldChange, NotSupported
from ticssync.store import Transaction, working
from ticssync.store.acts import every_act
from ticssync.store.bindings import bases, bindings
from ticssync.store.locker import Locker
from ticssync.sync.actions import Action
from ticssync.sync.cycle import Pass
from ticssync.sync.look import Seen, with_errors
from ticssync.sync.state import Site

NOT_TAKEN: Final = "confirmation_not_taken"
NOT_READ: Final = "history_not_read"
Notice = dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a history answered about one task: the newest entry that confirms (None: there is none), as of which
    version of the task, and why the facts were against it when it was first seen (empty: they were not)."""

    version: str
    entry: FieldChange | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept of one tracker.  `own_ids` are our own accounts there."""

    asked: Mapping[RemoteRef, Asked] = field(default_factory=dict)
    own_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ready:
    """One confirmation that may be recorded."""

    act: Act
    standing: Standing
    binding: Binding
    entry: FieldChange


@dataclass
class Judged:
    """What came of the tasks that stand as confirmed in one tracker."""

    memory: Memory
    ready: list[Ready] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def take_tracker_acts(workspace: Workspace, this: Pass, mappings: Mapping[str, TaskMapping]) -> None:
    """Record what confirmers confirmed in their trackers, and say what cannot be taken; nothing in a dry pass."""
    if this.order.dry:
        return
    for name, site in this.sites.items():
        sign, seen = sign_of(mappings[name]), this.seens.get(name)
        if sign is not None and seen is not None and seen.ok:
            there = _standing_there(workspace, site.name, sign, seen)
            memory, notices = _asked(workspace, site, sign, seen, there)
            judged = _settled(workspace, seen, there, memory, mappings)
            report = this.reports[name]
            report.notices += [*notices, *judged.notices]
            report.actions += [_told(workspace, one) for one in judged.ready]


def _standing_there(workspace: Workspace, tracker: str, sign: Sign, seen: Seen) -> dict[RemoteRef, Binding]:
    """The tasks that stand as confirmed, as they were left by this pass."""
    with workspace.store.read() as tx:
        kept = bases(tx, tracker) if sign.name != "status" else {}
        live = [one for one in bindings(tx, tracker) if one.state is BindingState.LIVE and one.role == "main"]
    found = {}
    for one in live:
        task = seen.read.get(one.ref)
        base = kept[one.ref].fields if one.ref in kept else NO_FIELDS
        if sign.stands(one.raw_status, task.fields if task is not None else base):
            found[one.ref] = one
    return found


def _asked(
    workspace: Workspace, site: Site, sign: Sign, seen: Seen, there: Mapping[RemoteRef, Binding]
) -> tuple[Memory, list[Notice]]:
    """Ask the history where it may tell something new, for all tasks at once."""
    with workspace.store.read() as tx:
        before = _remembered(tx, site.name)
        by_ref = {one.ref: one for one in standings(read_ledger(tx))} if there else {}
    open_ = [ref for ref, one in there.items() if not _holds(by_ref.get(one.key.criterion), ref)]
    kept = {ref: before.asked[ref] for ref in open_ if ref in before.asked}
    due = [ref for ref in sorted(open_) if _to_ask(kept.get(ref), seen.read.get(ref))]
    if not due:
        return Memory(kept, before.own_ids if kept else frozenset()), []
    histories, own_ids, notices = _histories(workspace, site, due)
    # What is not known to be the newest entry decides nothing: it is left out here, and the next pass asks.
    kept = {ref: one for ref, one in kept.items() if ref not in due}
    kept |= {
        ref: _answer(sign, history, seen.read.get(ref), before.asked.get(ref))
        for ref, history in histories.items()
        if ref in due
    }
    return Memory(kept, own_ids or before.own_ids), notices


def _holds(standing: Standing | None, ref: RemoteRef) -> bool:
    """Whether the criterion is confirmed by an act that was read from this very task."""
    return (
        standing is not None
        and standing.derived.state is State.CONFIRMED
        and confirmed_from(standing.act, ref)
    )


def _to_ask(kept: Asked | None, task: RemoteTask | None) -> bool:
    return kept is None or (task is not None and _version(task) != kept.version)


def _version(task: RemoteTask | None) -> str:
    if task is None:
        return ""
    return f"{task.version or ''}|{instant_text(task.updated_at) if task.updated_at else ''}"


def _answer(
    sign: Sign, history: Sequence[FieldChange], task: RemoteTask | None, before: Asked | None
) -> Asked:
    entry = sign.newest(history)
    same = (
        before is not None and before.entry is not None and entry is not None and before.entry.id == entry.id
    )
    return Asked(_version(task), entry, before.refused if same and before else "")


def _histories(
    workspace: Workspace, site: Site, due: Sequence[RemoteRef]
) -> tuple[Mapping[RemoteRef, Sequence[FieldChange]], frozenset[str], list[Notice]]:
    """(the histories that could be read; our own accounts; what is to be said)."""
    text, trial, found = workspace.text, Seen(site), dict[RemoteRef, Sequence[FieldChange]]()
    own: set[str] = set()
    unable = False

    def ask() -> None:
        nonlocal unable
        try:
            found.update(site.driver.history(due))
        except NotSupported:
            unable = True
            return
        own.update(site.driver.own_ids())

    with_errors(trial, ask)
    if unable:
        message = text("{tracker} keeps no history: who confirmed there cannot be proven", tracker=site.name)
        return {}, frozenset(), [_notice(NOT_READ, message, text("take confirm_when: out of the mapping"))]
    if not trial.ok:
        if trial.until is not None:
            with workspace.store.write() as tx:
                working.put_failure(tx, site.name, str(trial.message), trial.until)
        message = text(
            "who confirmed in {tracker} could not be read: {why}",
            tracker=site.name,
            why=text.said(trial.message),
        )
        return {}, frozenset(), [_notice(NOT_READ, message, text("the next pass asks again"))]
    return found, frozenset(own), []


def _settled(
    workspace: Workspace,
    seen: Seen,
    there: Mapping[RemoteRef, Binding],
    memory: Memory,
    mappings: Mapping[str, TaskMapping],
) -> Judged:
    """Judge, and commit where something is to be kept: a pass that finds nothing new commits nothing."""
    tracker = seen.site.name
    with workspace.store.read() as tx:
        before = _remembered(tx, tracker)
        judged = _judged(workspace, tx, seen, there, memory)
    if not judged.ready and judged.memory == before:
        return judged
    with workspace.store.write() as tx:
        # Judged again: people's acts need no lease, and one may have come in meanwhile.
        judged = _judged(workspace, tx, seen, there, memory)
        for one in judged.ready:
            act = replace(one.act, proof=_proof(workspace, seen.site, one))
            source, actor = source_of(one.binding.ref, one.entry), actor_of(tracker, one.entry)
            record(workspace, tx, act, one.standing, dict(mappings), source, actor)
        _remember(tx, tracker, judged.memory)
    return judged


def _judged(
    workspace: Workspace, tx: Transaction, seen: Seen, there: Mapping[RemoteRef, Binding], memory: Memory
) -> Judged:
    judged = Judged(memory)
    if not memory.asked:
        return judged
    ledger = read_ledger(tx)
    by_ref, touched = {one.ref: one for one in standings(ledger)}, _evidence_touched(tx)
    asked = dict(memory.asked)
    for ref, one in memory.asked.items():
        binding, standing = there[ref], by_ref.get(there[ref].key.criterion)
        if standing is None:
            continue
        moments = [touched.get(standing.ref), *_attached(seen.read.get(ref))]
        case = Case(
            ref, one.entry, every_act(tx, standing.ref), standing.derived.state is State.CONFIRMED,
            max((at for at in moments if at is not None), default=None),
        )  # fmt: skip
        found = _verdict(workspace, ledger, standing, binding, case, memory)
        if isinstance(found, Ready):
            judged.ready.append(found)
        elif found is not None:
            judged.notices.append(_against(workspace, binding, one.entry, found))
            # What was confirmed then is not what will stand here once the facts have changed.
            if not one.refused and (why := _facts_against(standing, case)):
                asked[ref] = replace(one, refused=workspace.text.said(why))
    judged.memory = Memory(asked, memory.own_ids)
    return judged


def _facts_against(standing: Standing, case: Case) -> str:
    if case.evidence_changed:
        return EVIDENCE_CHANGED
    return "" if confirmable(standing.facts) else standing.derived.reason


def _verdict(
    workspace: Workspace, ledger: Ledger, standing: Standing, binding: Binding, case: Case, memory: Memory
) -> Ready | NotTaken | None:
    """Whose confirmation it is, and then the one way of deciding that every act goes through."""
    claim = who_confirms(case, workspace.config.organisation, memory.own_ids, workspace.zone)
    if claim is None or isinstance(claim, NotTaken) or case.entry is None:
        return claim if isinstance(claim, NotTaken) else None
    wanted = Wanted(
        ActKind.CONFIRM, standing.ref, claim.person, claim.on, channel=CHANNEL,
        cycle=binding.key.cycle, part=binding.key.part,
    )  # fmt: skip
    act, problems = checked(workspace, wanted, ledger, standing)
    refused = memory.asked[case.ref].refused
    if act is None:
        return _reasons(workspace, problems)
    if refused:
        return NotTaken(say("when it was set: {why}", why=refused), AGAIN)
    return Ready(act, standing, binding, case.entry)


def _reasons(workspace: Workspace, problems: Sequence[Problem]) -> NotTaken:
    said = " / ".join(workspace.text.said(one.message) for one in problems)
    return NotTaken(said, next((one.fix for one in problems if one.fix), AGAIN))


def _against(workspace: Workspace, binding: Binding, entry: FieldChange | None, found: NotTaken) -> Notice:
    """One notice: who, what, why not, and what to do."""
    text = workspace.text
    what = {
        "task": str(binding.key),
        "key": binding.display_key,
        "tracker": binding.ref.tracker,
        "why": text.said(found.why),
    }
    if entry is None:
        message = text(
            "{task} ({key}) stands as confirmed in {tracker}, but is not taken as a confirmation: {why}",
            **what,
        )
    else:
        message = text(
            "{task} ({key}): what {who} confirmed in {tracker} on {at} is not taken as a confirmation: {why}",
            who=_who(workspace, binding.ref.tracker, entry),
            at=f"{entry.at.astimezone(workspace.zone):%Y-%m-%d %H:%M}",
            **what,
        )
    return _notice(NOT_TAKEN, message, text.said(found.fix))


def _who(workspace: Workspace, tracker: str, entry: FieldChange) -> str:
    organisation = workspace.config.organisation
    person = organisation.by_account(tracker, entry.author)
    return organisation.people[person].name if person else entry.author_name or entry.author


def _notice(ident: str, message: str, fix: str) -> Notice:
    return {"id": ident, "level": "warn", "message": message, "fix": fix}


def _told(workspace: Workspace, one: Ready) -> Action:
    why = workspace.text(
        "{name} confirmed it in {tracker} on {day}",
        name=one.act.person_name,
        tracker=one.binding.ref.tracker,
        day=one.act.on.isoformat(),
    )
    return Action("none", "in", one.binding.key, one.binding.display_key, why=why)


def _proof(workspace: Workspace, site: Site, one: Ready) -> str:
    """The entry as it was read, kept in the locker; its SHA-256."""
    entry, binding = one.entry, one.binding
    told = {
        "tracker": site.name,
        "kind": site.kind,
        "task": str(binding.key),
        "id": binding.ref.id,
        "key": binding.display_key,
        "url": binding.url,
        "entry": _entry_plain(entry),
        "read_at": instant_text(workspace.now),
    }
    locker = Locker(workspace.config.path(workspace.config.values.locker))
    return locker.put(io.BytesIO(canonical_json(told).encode("utf-8", "replace"))).sha256


# -- what the criterion's evidence went through


def _evidence_touched(tx: Transaction) -> dict[str, datetime]:
    """Criterion → when its evidence was last handed in or withdrawn.  What came out of a tracker is left out
    here: it was taken in by the pass, long after it stood there (`_attached`)."""
    criterion: dict[str, str] = {}
    found: dict[str, datetime] = {}
    for event in tx.events():
        if event.kind == "evidence.added":
            criterion[event.subject] = str(event.data.get("criterion", ""))
        if event.kind not in ("evidence.added", "evidence.state") or _from_tracker(event.channel, event.data):
            continue
        # What a bundle gave back was handed in when the bundle says.
        at = parse_instant(event.data.get("restored", {}).get("at", event.at))
        ref = criterion.get(event.subject, "")
        found[ref] = max(at, found.get(ref, at))
    return found


def _from_tracker(channel: str, data: Mapping[str, Any]) -> bool:
    return bool({channel, data.get("channel")} & {CHANNEL, "sync"})


def _attached(task: RemoteTask | None) -> list[datetime | None]:
    return [one.created_at for one in task.attachments] if task is not None else []


# -- what is kept from pass to pass


def _place(tracker: str) -> str:
    return f"confirmed_there.{tracker}"


def _remembered(tx: Transaction, tracker: str) -> Memory:
    kept = json.loads(tx.meta(_place(tracker)) or "{}")
    asked = {RemoteRef(tracker, ident): _asked_of(one) for ident, one in kept.get("tasks", {}).items()}
    return Memory(asked, frozenset(kept.get("own", ())))


def _remember(tx: Transaction, tracker: str, memory: Memory) -> None:
    tasks = {
        ref.id: {
            "version": one.version,
            "entry": _entry_plain(one.entry) if one.entry else None,
            "refused": one.refused,
        }
        for ref, one in memory.asked.items()
    }
    body = canonical_json({"own": sorted(memory.own_ids), "tasks": tasks}) if tasks else None
    tx.put_meta(_place(tracker), body)


def _entry_plain(entry: FieldChange) -> dict[str, Any]:
    return {
        "id": entry.id, "field": entry.field, "old": entry.old, "new": entry.new, "author": entry.author,
        "author_name": entry.author_name, "at": instant_text(entry.at),
    }  # fmt: skip


def _asked_of(kept: Mapping[str, Any]) -> Asked:
    raw = kept["entry"]
    entry = FieldChange(**{**raw, "at": parse_instant(raw["at"])}) if raw else None
    return Asked(kept["version"], entry, kept["refused"])
