"""`ticssync plugins`."""

from __future__ import annotations

from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.words import tr


@click.command(
    "plugins", help=tr("What is loaded and allowed, versions, kinds, capabilities, quality level.")
)
@common
def command(call: Call) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.plugins import describe

        found = describe(call.around)
        text = call.text

        def show(screen: Any) -> None:
            rows = [
                [
                    one["name"],
                    one["version"],
                    text("yes") if one["allowed"] else text("no"),
                    ", ".join(one["trackers"]),
                    ", ".join(one["notifiers"]),
                    one["quality"],
                ]
                for one in found["items"]
            ]
            screen.table(
                [
                    text("Plugin"),
                    text("Version"),
                    text("Allowed"),
                    text("Trackers"),
                    text("Channels"),
                    text("Quality"),
                ],
                rows,
            )

        return Answer(found, show)

    call.answer(work)
