"""`ticssync conflicts`."""

from __future__ import annotations

import click

from ticssync.cli.passes import FIELDS, all_sides, worded
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.group("conflicts", help=tr("What was changed on several sides."))
def command() -> None:
    """The group."""


@command.command("list", help=tr("Open conflicts with all sides' values."))
@common
@click.option("--all", "everything", is_flag=True, help=tr("Also those that are settled"))
def list_(call: Call, everything: bool) -> None:
    """List them."""

    def work() -> Answer:
        from ticssync.app.settle import conflict_list
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = conflict_list(workspace, everything=everything)
        text = call.text
        rows = [
            [
                one["id"],
                one["task"],
                text(FIELDS.get(one["field"], one["field"])),
                all_sides(one, text),
                worded(one["field"], one["taken"], text),
            ]
            for one in found["items"]
        ]
        heads = [text("No."), text("Task"), text("Field"), text("Sides"), text("In force")]
        code = 1 if any(not one["resolved_at"] for one in found["items"]) else 0
        return Answer(
            found,
            lambda screen: (
                screen.table(heads, rows, wrap=(3,)) if rows else screen.line(text("No conflicts."))
            ),
            code,
        )

    call.answer(work)


@command.command("resolve", help=tr("Settle one: local (what is in force), remote, or a tracker's name."))
@common
@click.argument("conflict_id", metavar="ID")
@click.option("--take", required=True, metavar="local|remote|TRACKER")
def resolve(call: Call, conflict_id: str, take: str) -> None:
    """Settle one."""

    def work() -> Answer:
        from ticssync.app.settle import resolve as settle
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = settle(workspace, conflict_id, take)
        return Answer(
            found,
            lambda screen: screen.line(
                call.text(
                    "{id} is settled: {taken}. The next sync writes it.",
                    id=found["id"],
                    taken=worded(found["field"], found["taken"], call.text),
                )
            ),
        )

    call.answer(work)
