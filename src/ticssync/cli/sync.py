"""`ticssync sync`."""

from __future__ import annotations

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.command("sync", help=tr("One pass: take in what changed in the trackers, write what is due."))
@common
@click.option("--only", default="", help=tr("Items, separated by commas: T-14,T-20"))
@click.option("--tracker", "trackers", multiple=True, help=tr("Only this tracker (may be repeated)"))
@click.option("--read-only", is_flag=True, help=tr("Take in only; write nothing to trackers"))
@click.option("--retry-refused", is_flag=True, help=tr("Ask again for what was refused"))
@click.option(
    "--accept-mass-change",
    "accept",
    default="",
    metavar="WORD",
    help=tr("Accept what a safety stop named, once"),
)
def command(
    call: Call, only: str, trackers: tuple[str, ...], read_only: bool, retry_refused: bool, accept: str
) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.sync_once import SyncOrder, sync
        from ticssync.app.workspace import open_workspace
        from ticssync.cli.passes import show_pass

        order = SyncOrder(
            tuple(filter(None, only.split(","))), trackers, read_only, False, accept, retry_refused
        )
        with open_workspace(call.around) as workspace, call.screen.working(call.text("Syncing …")):
            result = sync(workspace, order)
        return Answer(result.plain(), lambda screen: show_pass(result, screen, dry=False), result.exit_code)

    call.answer(work)
