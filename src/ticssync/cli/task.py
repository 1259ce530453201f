"""`ticssync task`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ticssync.cli.adopt import adopt
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr
from ticssync.text import mark

if TYPE_CHECKING:
    from ticssync.app.workspace import Workspace


@click.group("task", help=tr("What a person decides about a task."))
def command() -> None:
    """The group."""


command.add_command(adopt)


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


def _hand_out(call: Call, work: Callable[[Workspace], dict[str, Any]], done: str) -> None:
    def answer() -> Answer:
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = work(workspace)
        shown = {name: value for name, value in found.items() if name != "event"}
        return Answer(found, lambda screen: screen.line(call.text(done, **shown)))

    call.answer(answer)


@command.command(
    "note", help=tr("A note for the person who works on the task; the next sync writes it there.")
)
@common
@click.argument("key")
@click.argument("words", metavar="TEXT")
def note(call: Call, key: str, words: str) -> None:
    """Note."""

    def work(workspace: Workspace) -> dict[str, Any]:
        from ticssync.app import hand_out

        return hand_out.note(workspace, key, words)

    _hand_out(call, work, mark("The note is written into {task} by the next sync."))


@command.command("attach", help=tr("A file for the person who works on the task (a form to fill in)."))
@common
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", "words", default="", metavar="TEXT", help=tr("A note that goes along with it"))
def attach(call: Call, key: str, file: Path, words: str) -> None:
    """Attach."""

    def work(workspace: Workspace) -> dict[str, Any]:
        from ticssync.app import hand_out

        return hand_out.attach(workspace, key, file, words)

    _hand_out(call, work, mark("{file} is attached to {task} by the next sync."))


@command.command("recall", help=tr("Notes and files that still wait for the task are not sent any more."))
@common
@click.argument("key")
def recall(call: Call, key: str) -> None:
    """Recall."""

    def work(workspace: Workspace) -> dict[str, Any]:
        from ticssync.app import hand_out

        return hand_out.recall(workspace, key)

    _hand_out(call, work, mark("{recalled} that waited for {task} are not sent any more."))
