"""Committing what came of the writes: bindings, bases as read back, refusals, and the events of all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ticssync.errors import say
from ticssync.model.binding import Base, BindingState
from ticssync.model.canonical import plain
from ticssync.model.key import TaskKey
from ticssync.model.task import Fields, FieldValue, RemoteRef, RemoteTask
from ticssync.plugin import Done, Outcome, Rejected, Repair
from ticssync.store import By, Transaction, working
from ticssync.store import bindings as binding_rows
from ticssync.store import hub as hub_rows
from ticssync.store.hub import FileWish, Wish
from ticssync.sync.actions import Action, TrackerReport
from ticssync.sync.hand_out import ALL_FILES, ONE_NOTE, attached, file_field, hangs_there, note_field
from ticssync.sync.identity import bound_payload, shown
from ticssync.sync.look import moment
from ticssync.sync.plan import Create, Update
from ticssync.sync.state import Known, Site


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What was asked and what was answered, in order.  `intents` by marker, `notes` and `walks` by place, `files` by
    place and name there, name the rows to settle; `routeless` are status changes that no workflow allows, `lost`
    files whose bytes are not to be had."""

    made: Sequence[tuple[Create, Outcome]] = ()
    changed: Sequence[tuple[Update, Outcome]] = ()
    intents: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[RemoteRef, str] = field(default_factory=dict)
    walks: Mapping[RemoteRef, str] = field(default_factory=dict)
    repairs: Sequence[Repair] = ()
    routeless: Sequence[tuple[Update, str]] = ()
    files: Mapping[tuple[RemoteRef, str], str] = field(default_factory=dict)
    lost: Sequence[tuple[Update, FileWish, str]] = ()


def record(
    tx: Transaction,
    site: Site,
    known: Known,
    outcomes: Outcomes,
    by: By,
    report: TrackerReport,
    hot_until: datetime | None = None,
) -> None:
    """One transaction's worth: everything that one call to the tracker brought about."""
    for create, outcome in outcomes.made:
        _made(tx, site, known, create, outcome, outcomes, by, report)
    for update, outcome in outcomes.changed:
        _changed(tx, site, known, update, outcome, outcomes, by, report)
    for update, why in outcomes.routeless:
        wanted = site.driver.view("status", update.set["status"])
        _refuse(
            tx, update.binding.key, site.name, "status", wanted, update.before.get("status"), why, by, report
        )
    for update, file, why in outcomes.lost:
        _refuse(tx, update.binding.key, site.name, file_field(file), file.name, None, why, by, report)
    for repair in outcomes.repairs:
        subject = str(repair.key) if repair.key else repair.ref.id
        tx.append(
            "task.repaired",
            subject,
            by,
            {"tracker": site.name, "remote_id": repair.ref.id, "what": repair.what},
        )
        if repair.key is not None:
            report.actions.append(Action("marker", "out", repair.key, repair.ref.id, why=repair.what))
    if hot_until is not None and hot_until > tx.now:
        done = [one.ref for _, one in (*outcomes.made, *outcomes.changed) if isinstance(one, Done)]
        working.set_hot(tx, done, hot_until)


def _made(
    tx: Transaction,
    site: Site,
    known: Known,
    create: Create,
    outcome: Outcome,
    outcomes: Outcomes,
    by: By,
    report: TrackerReport,
) -> None:
    intent = outcomes.intents.get(str(create.marker))
    if isinstance(outcome, Rejected):
        _rejected(tx, create.key, site.name, create.op, create.fingerprint, outcome, by, report)
        if intent:
            working.drop_intent(tx, intent)
        return
    if not isinstance(outcome, Done) or outcome.task is None:
        # Unknown: the intent stays, the next cycle finds out.
        report.waiting.append(str(create.key))
        return
    task = outcome.task
    _retire(tx, site.name, create, by)
    payload = bound_payload(task, create.marker.generation, create.role)
    tx.append("task.bound", str(create.key), by, payload)
    base = _base_after_create(tx, site, create, outcome, by, report)
    binding_rows.put_base(
        tx,
        task.ref,
        Base(base, task.version),
        seen=task.fields,
        local={n: site.driver.view(n, v) for n, v in create.fields.items()},
    )
    _into_hub(tx, create.key, site, base)
    if intent:
        working.drop_intent(tx, intent)
    _unrefuse(tx, known, create.key, site.name, "create", by)
    report.actions.append(
        Action(
            create.op,
            "out",
            create.key,
            task.key,
            {name: (None, site.driver.view(name, value)) for name, value in create.fields.items()},
        )
    )


def _retire(tx: Transaction, tracker: str, create: Create, by: By) -> None:
    """A restored task takes the place of the one that was deleted."""
    for one in binding_rows.bindings(tx, tracker, create.key):
        if one.state is BindingState.TOMB:
            payload = {
                "tracker": tracker,
                "remote_id": one.ref.id,
                "from": "tomb",
                "to": "detached",
                "why": "restored",
            }
            tx.append("task.state", str(create.key), by, payload)


def _base_after_create(
    tx: Transaction, site: Site, create: Create, done: Done, by: By, report: TrackerReport
) -> dict[str, FieldValue]:
    """What was read back.  A two-way field that differs may be a person who was quicker than our read: what we
    sent stays its base, so that the next cycle takes the difference in as theirs; unless the tracker said no."""
    task = done.task
    assert task is not None
    base = dict(task.fields)
    for name, value in create.fields.items():
        wanted = site.driver.view(name, value)
        if name not in task.fields or task.fields[name] == wanted:
            continue
        if site.owners.get(name) == "ticssync" or name in done.refused:
            why = done.refused.get(name) or say("the tracker kept another value; change it there by hand")
            _refuse(tx, create.key, site.name, name, wanted, task.fields[name], why, by, report)
        else:
            base[name] = wanted
    return base


def _into_hub(tx: Transaction, key: TaskKey, site: Site, base: Fields) -> None:
    hub = hub_rows.hub_task(tx, key) or hub_rows.HubTask(key)
    new = {
        name: value
        for name, value in base.items()
        if site.owners.get(name, "ticssync") != "ticssync" and name not in hub.values
    }
    hub_rows.put_hub(tx, replace(hub, values={**hub.values, **new}, restore=False))


def _changed(
    tx: Transaction,
    site: Site,
    known: Known,
    update: Update,
    outcome: Outcome,
    outcomes: Outcomes,
    by: By,
    report: TrackerReport,
) -> None:
    one = update.binding
    if isinstance(outcome, Rejected):
        _given_settled(tx, update, outcomes)
        _update_rejected(tx, site, update, outcome, by, report)
        return
    if not isinstance(outcome, Done):
        report.waiting.append(str(one.key))
        return
    if one.ref in outcomes.walks:
        working.drop_intent(tx, outcomes.walks[one.ref])
    if update.note is not None:
        _note_done(tx, known, update, outcome, outcomes, by, report)
    task = outcome.task
    if task is None:
        # Whether the files hang there is not known: their intents stay, the next cycle finds out.
        return
    for file in update.files:
        _file_done(tx, known, update, file, outcome, outcomes, by, report)
    if update.marker is not None:
        _marker_done(tx, site, known, update, task, by, report)
    base = _base_after_update(tx, site, known, update, outcome, by, report)
    _event(tx, update, task, by)
    binding_rows.put_base(tx, one.ref, Base(base, task.version), seen=base, local=_local(site, update, base))
    if update.set:
        lines = {
            name: (update.before.get(name), site.driver.view(name, value))
            for name, value in update.set.items()
        }
        report.actions.append(Action("update", "out", one.key, task.key or one.display_key, lines))


def _local(site: Site, update: Update, base: Fields) -> dict[str, FieldValue]:
    return {
        **base,
        **{
            name: site.driver.view(name, value)
            for name, value in update.set.items()
            if base.get(name) == update.before.get(name)
        },
    }


def _base_after_update(
    tx: Transaction, site: Site, known: Known, update: Update, done: Done, by: By, report: TrackerReport
) -> dict[str, FieldValue]:
    """Only the fields that were set take the read-back value; what else changed meanwhile stays a change, to
    be taken in by the next cycle."""
    one, task = update.binding, done.task
    assert task is not None
    base = dict(update.base)
    for name, value in update.set.items():
        wanted, found = site.driver.view(name, value), task.fields.get(name)
        if name not in task.fields or found == wanted:
            base[name] = wanted
            _unrefuse(tx, known, one.key, site.name, name, by)
        elif name in done.refused or _ours(name, found, site, update, task):
            base[name] = found
            why = done.refused.get(name) or say(
                "the tracker accepted it and did not change it: ticssync's account may not set it there; have it allowed, "
                "or set it there by hand"
            )
            _refuse(tx, one.key, site.name, name, wanted, found, why, by, report)
        else:
            # A third value: a person was quicker than our read.
            base[name] = wanted
    return base


def _ours(name: str, found: FieldValue, site: Site, update: Update, task: RemoteTask) -> bool:
    """Whether what was read back is what was left of our own write, and no person's value: it is as before, or
    the field is ours, or the status stopped on the way that we took."""
    stopped = (
        name == "status" and task.raw_status in update.status_path and task.changed_by_person is not True
    )
    return found == update.before.get(name) or site.owners.get(name) == "ticssync" or stopped


def _event(tx: Transaction, update: Update, task: RemoteTask, by: By) -> None:
    one, now = update.binding, shown(task)
    fields = {name: (update.before.get(name), task.fields.get(name)) for name in update.set}
    fields |= {name: (getattr(one, name), now[name]) for name in now if name in update.set}
    payload: dict[str, Any] = {
        "tracker": one.ref.tracker,
        "remote_id": one.ref.id,
        "direction": "out",
        "updated_at": moment(task),
        "raw_status": task.raw_status,
        "display_key": task.key,
        "url": task.url,
        "fields": {
            name: {"from": plain(old), "to": plain(new)} for name, (old, new) in fields.items() if old != new
        },
    }
    # A tracker that answers 204 and changes nothing has not changed anything, in the log neither.
    if payload["fields"]:
        tx.append("task.changed", str(one.key), by, payload)


def _marker_done(
    tx: Transaction,
    site: Site,
    known: Known,
    update: Update,
    task: RemoteTask,
    by: By,
    report: TrackerReport,
) -> None:
    one = update.binding
    if (task.marker or "") == update.marker:
        _unrefuse(tx, known, one.key, site.name, "marker", by)
        payload = {"tracker": site.name, "remote_id": one.ref.id, "what": "marker"}
        tx.append("task.repaired", str(one.key), by, payload)
        report.actions.append(
            Action("marker", "out", one.key, one.display_key, {"marker": (None, update.marker)})
        )
    else:
        name = "marker" if one.state is BindingState.LIVE else f"marker:{one.ref.id}"
        _refuse(
            tx, one.key, site.name, name, update.marker, task.marker, "the marker was not taken", by, report
        )


def _given_settled(tx: Transaction, update: Update, outcomes: Outcomes) -> None:
    """The tracker answered that nothing was taken: what went along certainly is not there."""
    ref = update.binding.ref
    names = [outcomes.notes.get(ref), *(outcomes.files.get((ref, file.there)) for file in update.files)]
    for intent in names:
        if intent is not None:
            working.drop_intent(tx, intent)


def _note_done(
    tx: Transaction,
    known: Known,
    update: Update,
    done: Done,
    outcomes: Outcomes,
    by: By,
    report: TrackerReport,
) -> None:
    one, wish = update.binding, update.note
    assert wish is not None
    working.drop_intent(tx, outcomes.notes[one.ref])
    if ONE_NOTE in done.refused:
        name, why = note_field(wish), done.refused[ONE_NOTE]
        _refuse(tx, one.key, one.ref.tracker, name, wish.value, None, why, by, report)
        return
    note_written(tx, one.key, wish.at, str(wish.value), one.ref, by)
    _unrefuse(tx, known, one.key, one.ref.tracker, note_field(wish), by)
    report.actions.append(Action("comment", "out", one.key, one.display_key, {"note": (None, wish.value)}))


def note_written(tx: Transaction, key: TaskKey, at: str, words: str, ref: RemoteRef, by: By) -> None:
    """The note of the act at that moment stands in the task; a later one still waits."""
    hub = hub_rows.hub_task(tx, key)
    if hub is not None:
        hub_rows.put_hub(tx, hub_rows.without_note(hub, at))
    payload = {"tracker": ref.tracker, "remote_id": ref.id, "text": words}
    tx.append("task.noted", str(key), by, payload)


def _file_done(
    tx: Transaction,
    known: Known,
    update: Update,
    file: FileWish,
    done: Done,
    outcomes: Outcomes,
    by: By,
    report: TrackerReport,
) -> None:
    """A file counts as given where the task shows it; a tracker may say yes and drop it (Redmine, where the role
    may not attach)."""
    one, task = update.binding, done.task
    assert task is not None
    working.drop_intent(tx, outcomes.files[one.ref, file.there])
    if not hangs_there(task, file):
        why = done.refused.get(file.there) or done.refused.get(ALL_FILES)
        why = why or say("accepted, but the task does not show it")
        _refuse(tx, one.key, one.ref.tracker, file_field(file), file.name, None, why, by, report)
        return
    hub = hub_rows.hub_task(tx, one.key)
    if hub is not None:
        hub_rows.put_hub(tx, hub_rows.without_file(hub, file.at))
    tx.append("task.attached", str(one.key), by, attached(one.ref, file))
    _unrefuse(tx, known, one.key, one.ref.tracker, file_field(file), by)
    report.actions.append(Action("attach", "out", one.key, one.display_key, {"file": (None, file.there)}))


def _update_rejected(
    tx: Transaction, site: Site, update: Update, outcome: Rejected, by: By, report: TrackerReport
) -> None:
    why = "; ".join(outcome.problems)
    note = [update.note] if update.note is not None else []
    files = list(update.files)
    given: dict[str, tuple[list[Wish], list[FileWish]]] = {
        ONE_NOTE: (note, []), ALL_FILES: ([], files), **{file.there: ([], [file]) for file in files},
    }  # fmt: skip
    # One part that the tracker names is refused, else all fields, and where there were none all that went along.
    fields = [outcome.field] if outcome.field in update.set else list(update.set)
    if outcome.field in given:
        fields, (note, files) = [], given[outcome.field]
    elif fields:
        note, files = [], []
    for wish in note:
        _refuse(tx, update.binding.key, site.name, note_field(wish), wish.value, None, why, by, report)
    for file in files:
        _refuse(tx, update.binding.key, site.name, file_field(file), file.name, None, why, by, report)
    for name in fields:
        _refuse(
            tx,
            update.binding.key,
            site.name,
            name,
            site.driver.view(name, update.set[name]),
            update.before.get(name),
            why,
            by,
            report,
        )
    if not update.set and outcome.field not in given and update.marker is not None:
        name = "marker" if update.binding.state is BindingState.LIVE else f"marker:{update.binding.ref.id}"
        _refuse(tx, update.binding.key, site.name, name, update.marker, None, why, by, report)


def _rejected(
    tx: Transaction,
    key: TaskKey,
    tracker: str,
    op: str,
    fingerprint: str,
    outcome: Rejected,
    by: By,
    report: TrackerReport,
) -> None:
    why = "; ".join(outcome.problems)
    report.rejected.append({"task": str(key), "action": op, "why": why})
    _refuse(tx, key, tracker, "create", fingerprint, None, why, by, report)


def _refuse(
    tx: Transaction,
    key: TaskKey,
    tracker: str,
    name: str,
    wanted: FieldValue,
    found: FieldValue,
    why: str,
    by: By,
    report: TrackerReport,
) -> None:
    payload = {
        "tracker": tracker,
        "field": name,
        "wanted": plain(wanted),
        "raw_found": plain(found),
        "moves": [],
        "why": str(why),
    }
    tx.append("refusal.opened", str(key), by, payload)
    report.refusals.append(
        {
            "task": str(key),
            "key": "",
            "field": name,
            "wanted": plain(wanted),
            "found": plain(found),
            "why": str(why),
        }
    )


def _unrefuse(tx: Transaction, known: Known, key: TaskKey, tracker: str, name: str, by: By) -> None:
    if (key, tracker, name) in known.open_refusals:
        tx.append("refusal.closed", str(key), by, {"tracker": tracker, "field": name})
