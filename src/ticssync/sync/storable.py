"""What a tracker shows, made fit to be kept.  Pure.

Some trackers cut a text at a number of UTF-16 units, through the middle of an emoji: what is left is half a
character, which no database, file or mail can hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ticssync.model.canonical import storable_text
from ticssync.model.task import FieldValue, RemoteTask


def storable(task: RemoteTask) -> RemoteTask:
    """The same task; half characters and NUL in its texts are shown as U+FFFD.  The task itself where it has none."""
    if _fits(task):
        return task
    return replace(
        task,
        fields={name: _value(value) for name, value in task.fields.items()},
        key=storable_text(task.key),
        raw_status=storable_text(task.raw_status),
        attachments=tuple(replace(one, name=storable_text(one.name)) for one in task.attachments),
    )


def _fits(task: RemoteTask) -> bool:
    names = (one.name for one in task.attachments)
    return all(map(_fits_text, (task.key, task.raw_status, *names, *_texts(task.fields.values()))))


def _texts(values: Iterable[FieldValue]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from value


def _fits_text(text: str) -> bool:
    return (text.isascii() and "\x00" not in text) or storable_text(text) == text


def _value(value: FieldValue) -> FieldValue:
    if isinstance(value, tuple):
        return tuple(map(storable_text, value))
    return storable_text(value) if isinstance(value, str) else value
