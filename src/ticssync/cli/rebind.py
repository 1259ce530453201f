"""`ticssync rebind`."""

from __future__ import annotations

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.command(
    "rebind",
    help=tr("Say what happened to this folder: moved (the only one there is) or copied (a second one)."),
)
@common
@click.option("--moved", is_flag=True, help=tr("It was moved; the old place is no longer used"))
@click.option(
    "--copied",
    is_flag=True,
    help=tr("It is a copy; it gets an id of its own and leaves the first one's tasks alone"),
)
def command(call: Call, moved: bool, copied: bool) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app import rebind
        from ticssync.app.workspace import open_workspace
        from ticssync.errors import UsageError, say

        if moved == copied:
            raise UsageError(say("say --moved or --copied"))
        with open_workspace(call.around) as workspace:
            data = rebind.moved(workspace) if moved else rebind.copied(workspace)
        return Answer(
            data,
            lambda screen: screen.line(
                call.text("This is workspace {id} from here on.", id=data["workspace"])
            ),
        )

    call.answer(work)
