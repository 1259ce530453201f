"""Writing to one tracker: intents first, then the call, then what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ticssync.errors import say
from ticssync.model.canonical import digest, instant_text, plain
from ticssync.model.task import RemoteTask
from ticssync.plugin import Change, Done, Draft, Fate, Move, Note, Outcome, OutFile, Repair
from ticssync.store import By, Store
from ticssync.store.bindings import held
from ticssync.store.hub import FileWish
from ticssync.store.locker import Locker
from ticssync.store.working import Intent, add_intents, put_failure, put_memory
from ticssync.sync.actions import Action, TrackerReport
from ticssync.sync.hand_out import hangs_there, note_intent
from ticssync.sync.look import Seen, with_errors
from ticssync.sync.path import status_path
from ticssync.sync.plan import Create, Update, Work
from ticssync.sync.record import Outcomes, record
from ticssync.sync.state import Known, Site
from ticssync.sync.storable import storable

CHUNK: Final = 50
"""Creates in one go where the tracker takes any number: bounds what one lost answer leaves unknown."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What writing needs from outside: the store, who acts, a check of the lease directly before each send,
    the plugins' veto (a text, or None), and the locker that holds the files to be sent.

    `token`: that of the lease; `on_its_way_s`: for how many seconds what was sent under another one may still come
    to be; `request_s`: the same of what a process sent that came to its end in order, or this one: a tracker may still
    carry out a request whose sender waits no longer.
    """

    store: Store
    by: By
    token: int
    guard: Callable[[], None]
    review: Callable[[str, Sequence[Mapping[str, Any]]], str | None]
    locker: Locker | None = None
    on_its_way_s: float = 0.0
    request_s: float = 0.0


def outgoing(site: Site, work: Work, repairs: Sequence[Repair]) -> list[Action]:
    """The writes as lines of `plan` and `sync`."""
    lines = [
        Action(
            one.op,
            "out",
            one.key,
            "",
            {name: (None, site.driver.view(name, value)) for name, value in one.fields.items()},
        )
        for one in work.creates
    ]
    for update in work.updates:
        one = update.binding
        if update.set:
            fields = {
                name: (update.before.get(name), site.driver.view(name, value))
                for name, value in update.set.items()
            }
            lines.append(Action("update", "out", one.key, one.display_key, fields))
        if update.note is not None:
            lines.append(
                Action("comment", "out", one.key, one.display_key, {"note": (None, update.note.value)})
            )
        lines += [
            Action("attach", "out", one.key, one.display_key, {"file": (None, file.there)})
            for file in update.files
        ]
        if update.marker is not None:
            lines.append(Action("marker", "out", one.key, one.display_key, {"marker": (None, update.marker)}))
    return lines + [
        Action("marker", "out", repair.key, repair.ref.id, {}, why=repair.what)
        for repair in repairs
        if repair.key is not None
    ]


def route(site: Site, work: Work, known: Known) -> list[tuple[Update, str]]:
    """Find the way through the workflow for each wanted status; what has none is taken out and returned with
    the reason.  Reads only.  A status refused before is asked for again only where the tracker now says that it
    may be set."""
    asking = [one for one in work.updates if "status" in one.set]
    if not asking:
        return []
    moves = _moves(site)
    allowed = {} if moves else site.driver.next_statuses([one.binding.ref for one in asking])
    refused = []
    for update in asking:
        # What the tracker can show of it: one with fewer words than ours goes to the nearest that it has.
        shown = site.driver.view("status", update.set["status"])
        goals = [remote for remote, canonical in site.statuses.items() if canonical == shown]
        path, why = _way(site, update, goals, moves, allowed.get(update.binding.ref))
        before = known.refusals.get((update.binding.key, site.name, "status"))
        silent = before is not None and not known.retry and not moves and update.binding.ref not in allowed
        work.updates.remove(update)
        if why and (before is None or before.why != str(why)):
            refused.append((update, why))
        if why or silent:
            kept = replace(
                update, set={name: value for name, value in update.set.items() if name != "status"}
            )
        else:
            kept = replace(update, status_path=path)
        if kept.anything:
            work.updates.append(kept)
    return refused


def _moves(site: Site) -> Mapping[str, Sequence[str]]:
    return site.driver.schema().moves if site.driver.caps.workflow else {}


def _way(
    site: Site,
    update: Update,
    goals: Sequence[str],
    moves: Mapping[str, Sequence[str]],
    allowed: Sequence[Move] | None,
) -> tuple[tuple[str, ...], str]:
    if not goals:
        return (), say("the mapping has no word for the status {status}", status=update.set["status"])
    if moves:
        found = status_path(moves, update.raw_status, goals)
        return (found, "") if found is not None else ((), _no_way(site, update, goals))
    if allowed is None:
        return (), ""
    move = next((one for one in allowed if one.to_status in goals), None)
    if move is not None and move.required_fields:
        return (), say(
            "the tracker wants {fields} filled for {goal}",
            fields=", ".join(move.required_fields),
            goal=site.driver.status_name(move.to_status),
        )
    found = (move.to_status,) if move is not None else _over_several(site, update, goals, allowed)
    if found is None:
        known = ", ".join(site.driver.status_name(one.to_status) for one in allowed) or "-"
        return (), say(
            "the tracker does not allow {goal} now (allowed: {known}); let ticssync's account set it in the workflow there, "
            "or set it there by hand",
            goal=" / ".join(map(site.driver.status_name, goals)),
            known=known,
        )
    return found, ""


def _no_way(site: Site, update: Update, goals: Sequence[str]) -> str:
    name = site.driver.status_name
    return say(
        "the workflow has no way from {start} to {goal}; let ticssync's account set it in the workflow there, or set it "
        "there by hand",
        start=name(update.raw_status),
        goal=" / ".join(map(name, goals)),
    )


def _over_several(
    site: Site, update: Update, goals: Sequence[str], allowed: Sequence[Move]
) -> tuple[str, ...] | None:
    """A way of several moves: the first is what may be set now, the others what the tracker is known to allow.
    A move that asks for fields is no part of it: nobody would fill them."""
    free = tuple(one.to_status for one in allowed if not one.required_fields)

    def following(status: str) -> Sequence[str]:
        return free if status == update.raw_status else site.driver.moves_from(status)

    return status_path(following, update.raw_status, goals)


def apply(
    seen: Seen, work: Work, known: Known, hands: Hands, report: TrackerReport, now: Callable[[], datetime]
) -> None:
    """Write to one tracker.  Errors of the door end this tracker's part of the cycle and no other's."""
    site = seen.site
    refused: list[tuple[Update, str]] = []
    with_errors(seen, lambda: refused.extend(route(site, work, known)))
    if not seen.ok:
        _tell(seen, report)
        return
    lines = outgoing(site, work, seen.repairs)
    veto = hands.review(site.name, [line.plain() for line in lines]) if lines else None
    if veto:
        report.state, report.message = "safety_stop", veto
        return
    lost = _without_bytes(work, hands.locker)
    if refused or lost:
        # Committed before anything is sent: a refusal must not be lost with a later failure.
        with hands.store.write() as tx:
            record(tx, site, known, Outcomes(routeless=refused, lost=lost), hands.by, report)
    if work.creates or work.updates or seen.repairs:
        with_errors(seen, lambda: _send_all(seen, work, known, hands, report, now))
        if not seen.ok:
            # How long the tracker asks to be left alone must outlive this process.
            with hands.store.write() as tx:
                put_failure(tx, site.name, str(seen.message), seen.until)
        _tell(seen, report)


def _without_bytes(work: Work, locker: Locker | None) -> list[tuple[Update, FileWish, str]]:
    """Take out the files whose bytes the locker does not hold (any more): something else must not go out for them."""
    lost = []
    for update in [one for one in work.updates if one.files]:
        states = {file: locker.verify(file.sha256) if locker else "missing" for file in update.files}
        lost += [(update, file, _why_lost(state)) for file, state in states.items() if state != "ok"]
        kept = replace(update, files=tuple(file for file, state in states.items() if state == "ok"))
        work.updates[work.updates.index(update)] = kept
    work.updates[:] = [one for one in work.updates if one.anything]
    return lost


def _why_lost(state: str) -> str:
    if state == "missing":
        return say("the locker does not hold its bytes any more")
    return say("its bytes in the locker were changed, or cannot be read")


def _tell(seen: Seen, report: TrackerReport) -> None:
    if not seen.ok:
        report.state, report.message, report.holder = seen.state, seen.message, seen.holder
        report.until = instant_text(seen.until) if seen.until else None


def _send_all(
    seen: Seen, work: Work, known: Known, hands: Hands, report: TrackerReport, now: Callable[[], datetime]
) -> None:
    driver = seen.site.driver
    hint = driver.presend().hint
    size = driver.caps.create_max or CHUNK
    batches = (
        [work.creates]
        if driver.caps.file_batch
        else [work.creates[at : at + size] for at in range(0, len(work.creates), size)]
    )
    for number, batch in enumerate(batches or [[]]):
        last = number == len(batches or [[]]) - 1
        updates = work.updates if driver.caps.file_batch or (last and not batch) else []
        _send(seen, batch, updates, known, hands, report, now, hint)
    if not driver.caps.file_batch and work.creates:
        _send(seen, [], work.updates, known, hands, report, now, hint)


def _send(
    seen: Seen, creates: Sequence[Create], updates: Sequence[Update], known: Known, hands: Hands, report: TrackerReport,
    now: Callable[[], datetime], hint: str,
) -> None:  # fmt: skip
    site, driver = seen.site, seen.site.driver
    if not creates and not updates and not seen.repairs:
        return
    intents: list[Intent] = []
    notes = {one.binding.ref: _note_intent(one, now()) for one in updates if one.note is not None}
    walks = {one.binding.ref: _walk_intent(one, site, now()) for one in updates if len(one.status_path) > 1}
    files = {one.binding.ref: [_file_intent(one, file, site, now()) for file in one.files] for one in updates}
    given = [*notes.values(), *walks.values(), *(file for some in files.values() for file in some)]
    if creates or given:
        with hands.store.write() as tx:
            # A person may have adopted a task for this key since we looked: its place is taken, none is made.
            taken = held(tx, site.name, [one.key for one in creates])
            creates = [one for one in creates if one.key not in taken]
            intents = [_intent(one, site, hint, now()) for one in creates]
            add_intents(tx, [*intents, *given], hands.token)
    if not creates and not updates and not seen.repairs:
        return
    hands.guard()
    drafts = [Draft(one.key, str(one.marker), one.fields) for one in creates]
    changes = [_change(one, notes.get(one.binding.ref), hands.locker) for one in updates]
    made, changed = driver.write(drafts, changes)
    made, changed = _read_back(site, made, changed, updates)
    outcomes = Outcomes(
        made=list(zip(creates, made, strict=True)), changed=list(zip(updates, changed, strict=True)),
        intents={**{str(one.marker): intent.id for one, intent in zip(creates, intents, strict=True)}},
        notes={ref: intent.id for ref, intent in notes.items()},
        walks={ref: intent.id for ref, intent in walks.items()},
        files={(ref, intent.marker): intent.id for ref, some in files.items() for intent in some}, repairs=tuple(seen.repairs),
    )  # fmt: skip
    with hands.store.write() as tx:
        record(
            tx, site, known, outcomes, hands.by, report, now() + timedelta(seconds=driver.caps.lookup_lag_s)
        )
        put_memory(tx, site.name, site.memory.take())


def _intent(one: Create, site: Site, hint: str, at: datetime) -> Intent:
    payload = {"fields": plain(one.fields), "role": one.role}
    return Intent(
        digest(["create", str(one.marker), site.name])[:20],
        one.key,
        site.name,
        one.op,
        str(one.marker),
        hint,
        instant_text(at),
        payload,
    )


def _note_intent(one: Update, at: datetime) -> Intent:
    assert one.note is not None
    return note_intent(one.binding.key, one.binding.ref, one.note, instant_text(at))


def _file_intent(one: Update, file: FileWish, site: Site, at: datetime) -> Intent:
    ref = one.binding.ref
    name = digest(["attach", str(one.binding.key), site.name, file.at, file.there])[:20]
    payload = {"remote_id": ref.id, "sha256": file.sha256, "size": file.size, "wish_at": file.at}
    return Intent(name, one.binding.key, site.name, "attach", file.there, "", instant_text(at), payload)


def _walk_intent(one: Update, site: Site, at: datetime) -> Intent:
    """A status that takes several moves: what is found on the way afterwards must be known as ours."""
    ref = one.binding.ref
    name = digest(["status", str(one.binding.key), site.name, ref.id])[:20]
    payload = {"remote_id": ref.id, "path": list(one.status_path)}
    return Intent(name, one.binding.key, site.name, "status", "", "", instant_text(at), payload)


def _change(one: Update, note: Intent | None, locker: Locker | None) -> Change:
    expect = {name: one.before[name] for name in one.set if name in one.before}
    text = Note(str(note.payload["text"]), note.marker) if note is not None else None
    files = tuple(
        OutFile(file.there, locker.path(file.sha256), file.content_type) for file in one.files if locker
    )
    return Change(one.binding.ref, one.set, expect, one.status_path, text, one.marker, one.binding.key, files)


def _read_back(
    site: Site, made: Sequence[Outcome], changed: Sequence[Outcome], updates: Sequence[Update]
) -> tuple[list[Outcome], list[Outcome]]:
    """2xx is no proof: what the answer did not carry is read again, all in one strong read."""
    files = {one.binding.ref: one.files for one in updates}

    def told(one: Done) -> bool:
        task = one.task
        return task is not None and all(hangs_there(task, file) for file in files.get(one.ref, ()))

    bare = [one.ref for one in (*made, *changed) if isinstance(one, Done) and not told(one)]
    answers = site.driver.fetch(bare) if bare else {}

    def completed(one: Outcome) -> Outcome:
        if not isinstance(one, Done):
            return one
        if one.ref not in bare:
            return replace(one, task=storable(one.task) if one.task is not None else None)
        answer = answers.get(one.ref)
        task: RemoteTask | None = (
            answer.task if answer is not None and answer.fate in (Fate.PRESENT, Fate.MOVED) else None
        )
        return Done(one.ref, storable(task) if task is not None else None, one.refused)

    return [completed(one) for one in made], [completed(one) for one in changed]
