"""What `confirm`, `return`, `exclude` and `withdraw` share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.text import mark

DAY: Final = click.DateTime(["%Y-%m-%d"])
DONE: Final = {
    "confirm": mark("{criterion} is confirmed by {name} ({day})."),
    "return": mark(
        "{criterion} is returned by {name} ({day}); the member reads the reason with the next sync."
    ),
    "exclude": mark("{criterion} is left out by {name} ({day})."),
    "withdraw": mark("The last act on {criterion} is taken back by {name} ({day})."),
}


def act_command(name: str, summary: str, *, until: bool = True) -> click.Command:
    """The command of one kind of act."""

    @click.command(name, help=summary)
    @common
    @click.argument("criterion")
    @click.option(
        "--by", "person", required=True, metavar="PERSON", help=tr("Whose act it is (a name under people:)")
    )
    @click.option("--cycle", default="", help=tr("The cycle, where the work recurs"))
    @click.option("--part", default="", help=tr("The part, where the task has parts"))
    @click.option("--on", type=DAY, help=tr("The day of the act (default: today)"))
    @click.option("--until", "until_", type=DAY, hidden=not until, help=tr("The last day it holds"))
    @click.option("--reason", default="", help=tr("The reason (needed to return or exclude)"))
    @click.option(
        "--proof",
        type=click.Path(path_type=Path),
        help=tr("A file that proves it; needed where somebody else enters it"),
    )
    def command(
        call: Call,
        criterion: str,
        person: str,
        cycle: str,
        part: str,
        on: datetime | None,
        until_: datetime | None,
        reason: str,
        proof: Path | None,
    ) -> None:
        def work() -> Answer:
            from ticssync.app.confirm import Wanted, act
            from ticssync.app.workspace import open_workspace
            from ticssync.model.assessment import ActKind

            wanted = Wanted(
                ActKind(name),
                criterion,
                person,
                on.date() if on else None,
                until_.date() if until_ else None,
                reason,
                "",
                "cli",
                cycle,
                part,
            )
            with open_workspace(call.around) as workspace:
                data = act(workspace, wanted, proof)
            return Answer(data, _shower(data, name))

        call.answer(work)

    return command


def _shower(data: dict[str, Any], name: str) -> Callable[[Screen], None]:
    def show(screen: Screen) -> None:
        text = screen.text
        screen.line(text(DONE[name], criterion=data["criterion"], name=data["person_name"], day=data["on"]))
        if data["on_behalf"]:
            screen.line(text("Entered for them by another account: this is shown wherever the act is shown."))
        if data["self_confirmed"]:
            screen.line(
                text("Confirmed by the person who did the work: this is shown wherever the act is shown.")
            )

    return show
