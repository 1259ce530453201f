"""`ticssync sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.group(
    "sheet", help=tr("The confirmation sheet (確認票.xlsx): out per confirmer, back in with its proof.")
)
def command() -> None:
    """The group."""


@command.command("export", help=tr("One sheet per confirmer, with only what waits for that person."))
@common
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--for", "person", default=None, metavar="PERSON", help=tr("Only for this person"))
def export(call: Call, folder: Path | None, person: str | None) -> None:
    """Export."""

    def work() -> Answer:
        from ticssync.app.sheets import export_sheets
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = export_sheets(workspace, folder or workspace.config.shared / "確認票", person)

        def show(screen: Screen) -> None:
            for one in data["items"]:
                screen.line(
                    call.text(
                        "{name}: {n} to look at → {path}",
                        name=one["name"],
                        n=len(one["criteria"]),
                        path=one["path"],
                    )
                )
            if data["nobody"]:
                screen.line(
                    call.text(
                        "Nobody is named who may decide on: {items} (roles: manager or executive)",
                        items=", ".join(data["nobody"]),
                    ),
                    "yellow",
                )
            elif not data["items"]:
                screen.line(call.text("Nothing waits for anybody's confirmation."))

        return Answer(data, show)

    call.answer(work)


@command.command("import", help=tr("Take the answers in; the file itself is kept as the proof."))
@common
@click.argument("file", type=click.Path(path_type=Path))
def import_(call: Call, file: Path) -> None:
    """Import."""

    def work() -> Answer:
        from ticssync.app.sheets import import_sheet
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = import_sheet(workspace, file)
        return Answer(data, lambda screen: _show(data, screen), 1 if data["left"] else 0)

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    words = {
        "confirm": text("confirmed"),
        "return": text("returned"),
        "exclude": text("left out"),
        "withdraw": text("taken back"),
    }
    for one in data["recorded"]:
        screen.line(f"{one['criterion']}: {words[one['act']]} {one['on']}")
    for one in data["left"]:
        screen.line(
            "! "
            + text(
                "not taken: {criterion} {cell} {why}",
                criterion=one["criterion"],
                cell=one["cell"],
                why=one["why"],
            ),
            "yellow",
        )
    screen.line(text("Kept as proof: SHA-256 {sha}", sha=data["proof"]))
