"""A task that is listed without its files, and does not answer when it is asked for by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.unit.sync.giving import files_in, give_file
from tests.unit.sync.test_given_along import Silent, world_of
from ticssync.model.task import RemoteTask
from ticssync.plugin import Page
from ticssync.testing.fake_site import strong
from ticssync.testing.wire import Fault


class Bare(Silent):
    """Its listing shows no files, as that of many trackers."""

    def list_changed(self, cursor: str | None) -> Iterator[Page[RemoteTask]]:
        for page in super().list_changed(cursor):
            yield replace(page, items=[replace(one, attachments=()) for one in page.items])


def test_a_file_is_not_hung_there_again_before_the_task_has_shown_whether_it_came(tmp_path: Path) -> None:
    world = world_of(tmp_path, strong(), Bare)
    give_file(world)
    world.server().fail_next("update", Fault.ANSWER_LOST)
    world.sync()
    Bare.mute = True
    try:
        for _ in range(3):
            world.clock.advance(60)
            world.person("T-01", 担当="1002")
            world.sync()
    finally:
        Bare.mute = False

    world.settle(wait=60)

    assert len(files_in(world)) == 1
