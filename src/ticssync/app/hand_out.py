"""`task note|attach|recall`: what the office gives the person who works on a task; the next sync puts it there."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ticssync.app.settle import find_task
from ticssync.app.workspace import Workspace
from ticssync.errors import Problem, Said, UsageError, say
from ticssync.evidence.flags import HEAD, flags
from ticssync.evidence.scan import refusal
from ticssync.model.binding import BindingState
from ticssync.model.canonical import instant_text, parse_instant, storable_text
from ticssync.model.key import TaskKey
from ticssync.plugin import AuthLost, NotSupported, Throttled, Unavailable, Unsafe
from ticssync.store import Transaction
from ticssync.store.bindings import bindings
from ticssync.store.hub import FILE, NOTE, FileWish, HubTask, Wish, files_of, hub_tasks, notes_of, put_hub
from ticssync.store.locker import Locker
from ticssync.store.scopes import scopes
from ticssync.store.working import intents, not_before, refusals
from ticssync.sync.hand_out import file_field, name_there, note_field

_TYPES: Final = mimetypes.MimeTypes()
"""Python's own table: what a file is must not depend on the machine's registry."""

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_MORE_TYPES: Final[Mapping[str, str]] = {
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def note(workspace: Workspace, name: str, words: str) -> dict[str, Any]:
    """A note for the person who works on the task.  Raises UsageError where the tracker has no comments."""
    with workspace.store.write() as tx:
        key, tracker = _place(tx, workspace, name)
        problems = _against_note(workspace, tracker, words)
        if problems:
            raise UsageError(_cannot(key), problems=problems)
        event = _ask_note(tx, workspace, key, words)
    return {"event": event, "task": str(key)}


def attach(workspace: Workspace, name: str, path: Path, words: str = "") -> dict[str, Any]:
    """A file for the person who works on the task, and a note where `words` are given.

    The bytes are kept in the locker.  A file that waits already is not asked for twice; one that was refused is
    tried again.  Raises UsageError with every reason at once, CorruptStoreError where the locker cannot be written.
    """
    with workspace.store.read() as tx:
        key, tracker = _place(tx, workspace, name)
    problems = [*_against_file(workspace, tracker, path)]
    if words:
        problems += _against_note(workspace, tracker, words)
    if problems:
        raise UsageError(_cannot(key), problems=problems)
    with path.open("rb") as stream:
        kept = Locker(workspace.config.path(workspace.config.values.locker)).put(stream)
    own = storable_text(path.name)
    with workspace.store.write() as tx:
        key, _ = _place(tx, workspace, name)
        hub, there = hub_tasks(tx)[key], name_there(own, kept.sha256)
        waiting = next((one for one in files_of(hub) if one.there == there), None)
        file = waiting or FileWish(
            own, there, kept.sha256, kept.size, content_type(own), _moment(hub, tx.now)
        )
        payload = {
            "at": file.at, "name": own, "file": there, "sha256": kept.sha256, "size": kept.size,
            "content_type": file.content_type, "note": words,
        }  # fmt: skip
        event = tx.append("task.file_asked", str(key), workspace.by(), payload)
        put_hub(tx, replace(hub, wishes={**hub.wishes, f"{FILE}{file.at}": file.wish()}))
        _open_again(tx, workspace, key, file_field(file))
        if words:
            _ask_note(tx, workspace, key, words)
    return {"event": event.seq, "task": str(key), "file": there, "sha256": kept.sha256}


def recall(workspace: Workspace, name: str) -> dict[str, Any]:
    """Notes and files that wait for a task are not sent any more; what is there stays there."""
    with workspace.store.write() as tx:
        key = find_task(tx, name)
        hub = hub_tasks(tx).get(key) or HubTask(key)
        found = waiting(tx, workspace, hub)
        if not found:
            raise UsageError(say("nothing waits to be put into {task}", task=str(key)))
        event = tx.append("task.recalled", str(key), workspace.by(), {"at": [one["at"] for one in found]})
        kept = {name: wish for name, wish in hub.wishes.items() if not name.startswith((NOTE, FILE))}
        put_hub(tx, replace(hub, wishes=kept))
        for one in found:
            _open_again(tx, workspace, key, one["field"])
    return {"event": event.seq, "task": str(key), "recalled": len(found)}


def waiting(tx: Transaction, workspace: Workspace, hub: HubTask) -> list[dict[str, Any]]:
    """What waits for a task, oldest first.  `state`: waiting, sent (the answer was lost, the next sync looks), or
    refused (`task attach` again, or `sync --retry-refused`, tries once more)."""
    if not notes_of(hub) and not files_of(hub):
        return []
    key = hub.key
    sent = {
        (one.op, one.payload["wish_at"])
        for tracker in workspace.config.trackers
        for one in intents(tx, tracker)
        if one.key == key and one.op in ("comment", "attach")
    }
    refused = {one.field for one in refusals(tx) if one.key == key}

    def state(op: str, at: str, field: str) -> str:
        return "refused" if field in refused else "sent" if (op, at) in sent else "waiting"

    notes = [
        {"what": "note", "at": one.at, "text": str(one.value), "field": note_field(one),
         "state": state("comment", one.at, note_field(one))}
        for one in notes_of(hub)
    ]  # fmt: skip
    files = [
        {"what": "file", "at": one.at, "text": one.name, "file": one.there, "sha256": one.sha256,
         "field": file_field(one), "state": state("attach", one.at, file_field(one))}
        for one in files_of(hub)
    ]  # fmt: skip
    return sorted([*notes, *files], key=lambda one: str(one["at"]))


def content_type(name: str) -> str:
    """What the name says of a file's kind."""
    suffix = Path(name).suffix.lower()
    return _MORE_TYPES.get(suffix) or _TYPES.guess_type(name)[0] or "application/octet-stream"


def _cannot(key: TaskKey) -> Said:
    return say("this cannot be put into {task}", task=str(key))


def _place(tx: Transaction, workspace: Workspace, name: str) -> tuple[TaskKey, str]:
    """The task and its main tracker.  Raises UsageError where nothing is ever written to it."""
    key = find_task(tx, name)
    route, hub = workspace.config.route(key.item), hub_tasks(tx).get(key)
    in_scope = {
        f"{scheme}/{item['id']}"
        for scheme, scope in scopes(tx).items()
        for item in scope["items"]
        if item["in_scope"]
    }
    if hub is None or hub.dropped:
        raise UsageError(
            say("{task} was let go: nothing is written to it", task=str(key)),
            fix=say("ticssync task restore {task}", task=str(key)),
        )
    if route is None or key.criterion not in in_scope:
        raise UsageError(
            say("{task} belongs to no tracker now: nothing is written to it", task=str(key)),
            fix=say("ticssync status"),
        )
    if _deleted(tx, key, route[0]) and not hub.restore:
        raise UsageError(
            say("{task} was deleted in {tracker}", task=str(key), tracker=route[0]),
            fix=say("ticssync task restore {task}", task=str(key)),
        )
    return key, route[0]


def _deleted(tx: Transaction, key: TaskKey, tracker: str) -> bool:
    held = [one.state for one in bindings(tx) if one.key == key and one.ref.tracker == tracker]
    return BindingState.TOMB in held and BindingState.LIVE not in held


def _against_note(workspace: Workspace, tracker: str, words: str) -> list[Problem]:
    problems = []
    if not words.strip():
        problems.append(Problem(say("the note is empty")))
    if not _kind(workspace, tracker).caps.comments:
        fix = say("what a returned item lacks stands in the field 事務局から")
        problems.append(Problem(say("{tracker} has no place for notes", tracker=tracker), fix=fix))
    return problems


def _against_file(workspace: Workspace, tracker: str, path: Path) -> Sequence[Problem]:
    if not _kind(workspace, tracker).caps.attachments:
        fix = say("put the file into the shared folder")
        return [Problem(say("{tracker} has no place for files", tracker=tracker), fix=fix)]
    if not path.is_file():
        return [Problem(say("{file} does not exist", file=str(path)))]
    try:
        with path.open("rb") as stream:
            why = refusal(flags(path.name, stream.read(HEAD)))
    except OSError as error:
        why = say("it cannot be read: {why}", why=error.strerror or str(error))
    if why is not None:
        return [Problem(why, file=str(path))]
    size, limit = path.stat().st_size, _upload_limit(workspace, tracker)
    if limit is not None and size > limit:
        large = say(
            "it is too large for {tracker}: {size:,} bytes, at most {limit:,}", tracker=tracker, size=size, limit=limit
        )  # fmt: skip
        return [Problem(large, file=str(path))]
    return []


def _kind(workspace: Workspace, tracker: str) -> Any:
    return workspace.host.trackers[workspace.config.trackers[tracker].kind]


def _upload_limit(workspace: Workspace, tracker: str) -> int | None:
    """Bytes of the largest file that the tracker takes; None where it does not tell, or cannot be asked now: then
    the sync learns it."""
    from ticssync.app.sync_once import driver_failed, load_mappings, open_sites
    from ticssync.store.working import memory
    from ticssync.sync.state import HostMemory

    with workspace.store.read() as tx:
        until, kept = not_before(tx, tracker), HostMemory(memory(tx, tracker))
    if until is not None and parse_instant(until) > workspace.now:
        return None
    sites = open_sites(workspace, load_mappings(workspace), {tracker: kept}, (tracker,), {})
    for site in sites.values():
        try:
            return site.driver.schema().upload_limit
        except (AuthLost, Throttled, Unavailable, Unsafe, NotSupported):
            return None
        except Exception as error:  # noqa: BLE001 - a plugin's bug must not keep the file back
            driver_failed(tracker, error)
            return None
        finally:
            site.driver.close()
    return None


def _ask_note(tx: Transaction, workspace: Workspace, key: TaskKey, words: str) -> int:
    hub, text = hub_tasks(tx)[key], storable_text(words)
    wish = Wish(text, _moment(hub, tx.now))
    event = tx.append("task.note_asked", str(key), workspace.by(), {"at": wish.at, "text": text})
    put_hub(tx, replace(hub, wishes={**hub.wishes, f"{NOTE}{wish.at}": wish}))
    return event.seq


def _moment(hub: HubTask, now: datetime) -> str:
    """The moment of the act; never that of another one: each is kept under its own."""
    while {f"{NOTE}{instant_text(now)}", f"{FILE}{instant_text(now)}"} & hub.wishes.keys():
        now += timedelta(microseconds=1)
    return instant_text(now)


def _open_again(tx: Transaction, workspace: Workspace, key: TaskKey, field: str) -> None:
    for one in refusals(tx):
        if one.key == key and one.field == field:
            closed = {"tracker": one.tracker, "field": field}
            tx.append("refusal.closed", str(key), workspace.by(), closed)
