"""`ticssync demo`."""

from __future__ import annotations

from pathlib import Path

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "demo",
    help=tr(
        "The whole job in DIR, without network: map, sync, a person's edits, sync back, confirmation, reminders, bundle, verify."
    ),
)
@common
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path), default=Path("demo")
)
def command(call: Call, folder: Path) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.demo import demo

        run = demo(call.around, folder, call.screen.note)
        data = run.plain()
        text = call.text
        words = {
            "workbook": text("The workbook of tasks (Excel)"),
            "confirmation_sheet": text("The confirmation sheet of the manager (Excel)"),
            "confirmation_sheet_answered": text("The same, answered"),
            "mail": text("A reminder mail (.eml)"),
            "calendar": text("Deadlines for the calendar (.ics)"),
            "bundle": text("The evidence bundle (ZIP): extract all, then open 00_START.html"),
            "configuration": text("The configuration"),
        }

        def show(screen: Screen) -> None:
            screen.line()
            screen.title(text("Open these:"))
            screen.table(
                [text("What"), text("Where")],
                [[words.get(name, name), path] for name, path in run.paths.items()],
                wrap=(0, 1),
            )
            config = run.paths["configuration"]
            screen.line(text("Go on with: ticssync status --config {file}", file=f'"{config}"'))
            bundle, fingerprint = run.paths["bundle"], run.facts["key_fingerprint"]
            screen.line(f'ticssync bundle verify "{bundle}" --fingerprint {fingerprint}')

        flawless = data["verify"]["authentic"] is True and not data["left"]
        return Answer(data, show, 0 if flawless else 1)

    call.answer(work)
