"""Which notes and files of a task in a tracker become evidence, and as what.  Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from ticssync.model.canonical import canonical_text, instant_text, sha256_text, storable_text
from ticssync.model.task import Attachment, Comment, RemoteTask
from ticssync.text import Text

NOTE: Final = "note:"
FILE: Final = "attachment:"
_OWN_LINE: Final = re.compile(r"^[ \t]*\[ticssync [^\]\n]+\][ \t]*$", re.MULTILINE)
_OWN_NAME: Final = re.compile(r"__([0-9a-f]{8})(?:\.[^.]*)?\Z")
_NO_NAME: Final = re.compile(r'[\s\\/:*?"<>|\x00-\x1f\x7f]+')
_NAME_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Collects:
    """What is taken from the tasks of one tracker: as its mapping says, and as far as it has such a thing.

    `status` is the tracker's own field of the status.
    """

    notes: bool = False
    private_notes: bool = False
    files: bool = False
    status: str = ""

    @property
    def anything(self) -> bool:
        """Whether a task need be looked at at all."""
        return self.notes or self.files

    def stamp(self, version: str) -> str:
        """What a task of this version is remembered by; empty where it has none, which never counts as collected.

        With other rules the task is looked at again.
        """
        rules = "".join(
            letter
            for letter, on in (("n", self.notes), ("p", self.notes and self.private_notes), ("f", self.files))
            if on
        )
        return f"{rules} {version}" if version else ""


def version_of(task: RemoteTask) -> str:
    """The tracker's own version, else its time of the last change; empty where it keeps neither."""
    return task.version or (instant_text(task.updated_at) if task.updated_at else "")


# --- notes ------------------------------------------------------------------------------------------------


def is_ours(note: Comment, own_ids: Collection[str]) -> bool:
    """Whether ticssync wrote the note: with its account, or with its sign on a line of its own."""
    return note.author in own_ids or _OWN_LINE.search(note.text.replace("\r", "\n")) is not None


def note_digest(note: Comment) -> str:
    """What tells one wording from another: trackers change line ends on their own."""
    return sha256_text(storable_text(canonical_text(note.text)))


def new_notes(
    notes: Iterable[Comment], collects: Collects, own_ids: Collection[str], known: Mapping[str, str]
) -> list[Comment]:
    """The notes of people that were not taken yet in this wording.  `known`: part (`note:12`) → digest."""
    return [
        one
        for one in notes
        if one.text.strip()
        and (collects.private_notes or not one.private)
        and known.get(NOTE + one.id) != note_digest(one)
        and not is_ours(one, own_ids)
    ]


def note_file(note: Comment, key: str, task: str, author: str, zone: tzinfo, text: Text) -> bytes:
    """The note as a small text (UTF-8): which task (`key` in the tracker, `task` ours), who, when (the company's
    zone), and the words as they were written."""
    at = note.created_at.astimezone(zone) if note.created_at else None
    when = f"{at:%Y-%m-%d %H:%M:%S} ({zone})" if at else "—"
    head = (
        text("Task: {key} ({task})", key=key, task=task),
        text("Written by: {name}", name=author or "—"),
        text("Written at: {when}", when=when),
    )
    return storable_text("\n".join((*head, "", note.text, ""))).encode("utf-8")


def note_name(item: str, day: str, author: str, text: Text) -> str:
    """`T-14 のコメント 2026-11-25 佐藤花子.txt`: for people, and good as a file's name."""
    who = storable_text(_NO_NAME.sub("", author))[:_NAME_MAX].strip(".")
    name = text("{item} comment {day} {name}", item=item, day=day, name=who)
    return f"{name.strip()}.txt"


# --- files ------------------------------------------------------------------------------------------------


def new_files(files: Iterable[Attachment], known: Collection[str]) -> list[Attachment]:
    """The files of which nothing is known yet.  `known`: parts (`attachment:45`)."""
    return [one for one in files if FILE + one.id not in known]


def own_hash(name: str) -> str:
    """The eight digits of the hash that ticssync puts into the name of a file of its own; empty: no such name."""
    match = _OWN_NAME.search(name)
    return match[1] if match else ""


def is_short(file: Attachment, size: int) -> bool:
    """Whether fewer bytes came than the tracker says that there are: cut off on the way."""
    return size < file.size


def changed_presence(
    files: Iterable[Attachment], gone: Mapping[str, bool]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(parts that the task no longer shows, parts that it shows again).  `gone`: known part → missing until now."""
    shown = {FILE + one.id for one in files}
    left = tuple(sorted(part for part, missing in gone.items() if not missing and part not in shown))
    back = tuple(sorted(part for part, missing in gone.items() if missing and part in shown))
    return left, back
