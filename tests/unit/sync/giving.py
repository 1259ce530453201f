"""Notes and files that a person gives along with a task, as the commands leave them in the hub."""

from __future__ import annotations

import hashlib
from io import BytesIO

from tests.unit.sync.world import World, key
from ticssync.model.canonical import instant_text
from ticssync.store.hub import FILE, NOTE, FileWish, HubTask, Wish, hub_tasks, put_wish
from ticssync.sync.hand_out import name_there

FORM = "様式1 誓約書.docx"


def give_note(world: World, words: str) -> None:
    world.clock.advance(1)
    with world.store.write() as tx:
        at = instant_text(tx.now)
        put_wish(tx, key(), f"{NOTE}{at}", Wish(words, at))


def give_file(world: World, name: str = FORM, content: bytes = b"PK form") -> str:
    """Its name there."""
    assert world.locker is not None
    world.clock.advance(1)
    kept = world.locker.put(BytesIO(content))
    there = name_there(name, kept.sha256)
    with world.store.write() as tx:
        file = FileWish(name, there, kept.sha256, kept.size, "application/octet-stream", instant_text(tx.now))
        put_wish(tx, key(), f"{FILE}{file.at}", file.wish())
    return there


def hub(world: World) -> HubTask:
    with world.store.read() as tx:
        return hub_tasks(tx)[key()]


def files_in(world: World, tracker: str = "a") -> list[str]:
    return [one.name for one in world.issue("T-01", tracker).attachments]


def notes_in(world: World, tracker: str = "a") -> list[str]:
    return [one.text.split("\n")[0] for one in world.issue("T-01", tracker).comments]


def short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
