"""`ticssync remind`."""

from __future__ import annotations

from datetime import datetime

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command("remind", help=tr("One pass over the reminder ledger: one digest per person and day."))
@common
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    help=tr("As if it were this day; a dry run unless mail goes to a folder"),
)
@click.option("--dry-run", is_flag=True, help=tr("Say what would be sent; send and record nothing"))
def command(call: Call, today: datetime | None, dry_run: bool) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.remind import remind
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = remind(workspace, today.date() if today else None, dry_run=dry_run)

        def show(screen: Screen) -> None:
            for word, head in (("sent", tr("sent")), ("skipped", tr("skipped")), ("failed", tr("failed"))):
                for one in found.plain[word]:
                    screen.line(
                        f"{head}: {one['to']} {one['subject']}"
                        + (f"（{one['why']}）" if one.get("why") else "")
                    )
            if not any(found.plain.values()):
                screen.line(call.text("Nothing is due to be sent."))

        return Answer(found.plain, show, found.exit_code)

    call.answer(work)
