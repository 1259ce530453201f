"""`ticssync tracker`."""

from __future__ import annotations

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.group("tracker", help=tr("What a person decides about a tracker."))
def command() -> None:
    """The group."""


@command.command("rename", help=tr("The tracker has another name in ticssync.yaml now."))
@common
@click.argument("old")
@click.argument("new")
def rename(call: Call, old: str, new: str) -> None:
    """Rename."""

    def work() -> Answer:
        from ticssync.app.settle import rename_tracker
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around, trackers_may_differ=True) as workspace:
            found = rename_tracker(workspace, old, new)
        return Answer(
            found,
            lambda screen: screen.line(
                call.text("{old} is now {new}; its links came along.", old=old, new=new)
            ),
        )

    call.answer(work)


@command.command("drop", help=tr("The tracker is no longer used; its tasks are left as they are."))
@common
@click.argument("name")
def drop(call: Call, name: str) -> None:
    """Drop."""

    def work() -> Answer:
        from ticssync.app.settle import drop_tracker
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around, trackers_may_differ=True) as workspace:
            found = drop_tracker(workspace, name)
        return Answer(
            found,
            lambda screen: screen.line(
                call.text("{name} is given up; nothing was changed there.", name=name)
            ),
        )

    call.answer(work)
