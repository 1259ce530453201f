"""`ticssync task`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.group("task", help=tr("What a person decides about a task."))
def command() -> None:
    """The group."""


def _act(call: Call, name: str, chosen: str, done: str, *more: str) -> None:
    def work() -> Answer:
        from ticssync.app import settle
        from ticssync.app.workspace import open_workspace

        act: Callable[..., dict[str, Any]] = getattr(settle, chosen)
        with open_workspace(call.around) as workspace:
            found = act(workspace, name, *more)
        return Answer(found, lambda screen: screen.line(call.text(done, task=found["task"])))

    call.answer(work)


@command.command("restore", help=tr("A deleted task is made again by the next sync."))
@common
@click.argument("key")
def restore(call: Call, key: str) -> None:
    """Restore."""
    _act(call, key, "restore", "{task} is made again by the next sync.")


@command.command("drop", help=tr("A task is let go; nothing is deleted in the tracker."))
@common
@click.argument("key")
@click.option("--tracker", default="", help=tr("Only its place in this tracker (after a route changed)"))
def drop(call: Call, key: str, tracker: str) -> None:
    """Drop."""
    _act(call, key, "drop", "{task} is let go. Nothing was deleted in the tracker.", tracker)


@command.command("unfreeze", help=tr("Frozen fields are written again."))
@common
@click.argument("key")
def unfreeze(call: Call, key: str) -> None:
    """Unfreeze."""
    _act(call, key, "unfreeze", "The fields of {task} are written again by the next sync.")
