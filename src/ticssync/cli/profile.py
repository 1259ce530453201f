"""`ticssync profile`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.group("profile", help=tr("What is in scope and why; a named person confirms it."))
def command() -> None:
    """The group."""


@command.command("show", help=tr("Every item, in or out, with the reason."))
@common
def show(call: Call) -> None:
    """Show."""

    def work() -> Answer:
        from ticssync.app.confirm import profile_show
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = profile_show(workspace)
        return Answer(data, lambda screen: _show(data, screen))

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    for scheme, one in data["confirmed"].items():
        if one is None:
            screen.line(
                text("{scheme}: the profile as it stands has not been confirmed by anybody", scheme=scheme),
                "yellow",
            )
        else:
            screen.line(
                text(
                    "{scheme}: confirmed by {name} on {day} ({reason})",
                    scheme=scheme,
                    name=one["person_name"],
                    day=one["on"],
                    reason=one["reason"],
                )
            )
    rows = [
        [one["id"], one["title"], text("in") if one["in_scope"] else text("out"), one["why"]]
        for one in data["items"]
    ]
    screen.table(
        [text("No."), text("Item"), text("Scope"), text("Why")],
        rows,
        styles=["" if one["in_scope"] else "dim" for one in data["items"]],
        wrap=(1, 3),
    )


@command.command("confirm", help=tr("A named manager or executive confirms the profile."))
@common
@click.option(
    "--by", "person", required=True, metavar="PERSON", help=tr("Whose act it is (a name under people:)")
)
@click.option("--reason", required=True, help=tr("The reason"))
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help=tr("The day of the act (default: today)"))
@click.option(
    "--proof",
    type=click.Path(path_type=Path),
    help=tr("A file that proves it; needed where somebody else enters it"),
)
def confirm(call: Call, person: str, reason: str, on: datetime | None, proof: Path | None) -> None:
    """Confirm."""

    def work() -> Answer:
        from ticssync.app.confirm import profile_confirm
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = profile_confirm(workspace, person, reason, on.date() if on else None, proof)
        return Answer(
            data,
            lambda screen: screen.line(
                call.text("The profile is confirmed by {name} ({day}).", name=person, day=data["on"])
            ),
        )

    call.answer(work)
