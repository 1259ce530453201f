"""`ticssync plan`."""

from __future__ import annotations

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.command(
    "plan",
    help=tr(
        "What a sync would write, per tracker and field, and how many notifications it may cause. Reads only."
    ),
)
@common
@click.option("--only", default="", help=tr("Items, separated by commas: T-14,T-20"))
@click.option("--tracker", "trackers", multiple=True, help=tr("Only this tracker (may be repeated)"))
def command(call: Call, only: str, trackers: tuple[str, ...]) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.sync_once import SyncOrder, sync
        from ticssync.app.workspace import open_workspace
        from ticssync.cli.passes import show_pass

        order = SyncOrder(tuple(filter(None, only.split(","))), trackers, dry=True)
        with open_workspace(call.around) as workspace, call.screen.working(call.text("Reading …")):
            result = sync(workspace, order)
        return Answer(result.plain(), lambda screen: show_pass(result, screen, dry=True), result.exit_code)

    call.answer(work)
