"""What people give along with a task, notes and files: under which name, which of it waits, what is there.  Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Final

from ticssync.model.binding import Binding
from ticssync.model.canonical import canonical_text, digest
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.store.hub import FILE, NOTE, FileWish, HubTask, Wish, files_of, notes_of
from ticssync.store.working import Intent
from ticssync.sync.state import Known

ALL_FILES: Final = "files"
"""What a driver may name in `Done.refused` or `Rejected.field` where the tracker refused all files together."""

ONE_NOTE: Final = "note"
_STEM_LONGEST: Final = 120
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f/\\\\?%*:|\"'<>]+")


def name_there(name: str, sha256: str) -> str:
    """The name of a file in the tracker: `<stem>__<first 8 hex of its hash>.<ext>`, by which it is found again.

    Characters that a tracker or Windows would replace are replaced here, so that the name reads back as it was
    sent; the rest stays byte for byte.
    """
    safe = _FORBIDDEN.sub("_", name.strip())
    suffix = PurePosixPath(safe).suffix
    stem = (safe.removesuffix(suffix) if suffix else safe)[:_STEM_LONGEST].strip(" .") or "file"
    return f"{stem}__{sha256[:8]}{suffix.rstrip(' .')}"


def hangs_there(task: RemoteTask, file: FileWish) -> bool:
    """Whether the task shows this file: by its name in the tracker, and its size."""
    wanted = canonical_text(file.there)
    return any(canonical_text(one.name) == wanted and one.size == file.size for one in task.attachments)


def attached(ref: RemoteRef, file: FileWish) -> dict[str, Any]:
    """The payload of `task.attached`: this file of ours hangs on the task at this place."""
    return {
        "tracker": ref.tracker,
        "remote_id": ref.id,
        "name": file.name,
        "file": file.there,
        "sha256": file.sha256,
        "size": file.size,
    }


def note_field(note: Wish) -> str:
    """Under which name a note that was not taken stands among the refusals."""
    return f"{NOTE}{note.at}"


def note_intent(key: TaskKey, ref: RemoteRef, note: Wish, at: str) -> Intent:
    """What is committed before a note is sent, and found again by its marker.  `at`: the moment, UTC text."""
    name = digest(["note", str(key), ref.tracker, note.at])[:20]
    payload = {"remote_id": ref.id, "text": note.value, "wish_at": note.at}
    return Intent(name, key, ref.tracker, "comment", f"[ticssync {name[:12]}]", "", at, payload)


def file_field(file: FileWish) -> str:
    """Under which name a file that was not taken stands among the refusals."""
    return f"{FILE}{file.there}"


def to_hand_out(hub: HubTask, binding: Binding, known: Known) -> tuple[list[Wish], list[FileWish]]:
    """Notes and files that wait for this place, oldest first; what was refused there waits for a person.

    They go to the main task only: what stands in two places is read as two things.
    """
    if binding.role != "main":
        return [], []

    def open_(name: str) -> bool:
        return (binding.key, binding.ref.tracker, name) not in known.refusals

    notes = [one for one in notes_of(hub) if open_(note_field(one))]
    return notes, [one for one in files_of(hub) if open_(file_field(one))]


def asks(hub: HubTask, binding: Binding, known: Known) -> bool:
    """Whether something that a person asked for is to be written at this place."""
    fields = any(not name.startswith((NOTE, FILE)) for name in hub.wishes)
    return fields or any(to_hand_out(hub, binding, known))
