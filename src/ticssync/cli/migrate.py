"""`ticssync migrate`."""

from __future__ import annotations

from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "migrate",
    help=tr(
        "A tracker stands somewhere else now (another address, or imported anew): its links go there. Writes nothing to a "
        "tracker."
    ),
)
@common
@click.argument("tracker")
@click.option("--dry-run", is_flag=True, help=tr("Only say what it would come to"))
@click.option(
    "--leave-missing", is_flag=True, help=tr("Go on without the tasks that are not found at the new place")
)
def command(call: Call, tracker: str, dry_run: bool, leave_missing: bool) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.migrate_tracker import migrate
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace, call.screen.working(call.text("Looking …")):
            data = migrate(workspace, tracker, dry=dry_run, leave_missing=leave_missing)
        return Answer(data, lambda screen: _show(data, screen), 1 if data["not_found"] else 0)

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    text, name = screen.text, data["tracker"]
    screen.title(
        text(
            "{tracker}: {marked} tasks found by their marker, {titled} by id and title, {missing} not found",
            tracker=name,
            marked=data["by_marker"],
            titled=data["by_title"],
            missing=len(data["not_found"]),
        )
    )
    if data["moved"]:
        screen.line(text("{count} tasks have another id there.", count=len(data["moved"])))
    for one in data["not_found"]:
        screen.line(text("! not found: {task} ({key})", task=one["task"], key=one["key"] or one["id"]))
    if data["event"] is None:
        screen.line(text("Nothing was changed. To move the links: ticssync migrate {tracker}", tracker=name))
        return
    if data["not_found"]:
        screen.line(
            text(
                "What was not found is not made again by itself: ticssync task drop, or look for it in the tracker."
            )
        )
    screen.line(text("The links lead to the new place; nothing was written there. Next: ticssync plan"))
