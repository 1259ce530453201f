"""`ticssync why`."""

from __future__ import annotations

from typing import Any

import click

from ticssync.cli.passes import FIELDS, short
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.text import mark

OWNERS = {
    "ticssync": mark("ticssync has the last word"),
    "tracker": mark("the tracker has the last word"),
    "merge": mark("whoever changed it last"),
}


@click.command(
    "why", help=tr("Base, both sides, the rule applied, and the log lines of a task or criterion.")
)
@common
@click.argument("name", metavar=tr("TASK_OR_CRITERION"))
def command(call: Call, name: str) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.why import why
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = why(workspace, name)
        return Answer(found, lambda screen: show(found, screen))

    call.answer(work)


def show(found: dict[str, Any], screen: Screen) -> None:
    """From the state down to the log."""
    text = screen.text
    screen.title(f"{found['criterion']}: {found['state_label'] or '—'} — {found['reason'] or ''}")
    for name, side in found["sides"].items():
        screen.line(f"{name}: {side['key']} [{side['binding']}] {side['raw_status']} {side['url']}")
        rows = [
            [
                text(FIELDS.get(field, field)),
                short(found["hub"].get(field, value)),
                short(value),
                text(OWNERS.get(found["rule"].get(field, ""), "")),
                text("frozen") if field in side["frozen"] else "",
            ]
            for field, value in side["base"].items()
        ]
        screen.table(
            [text("Field"), text("ticssync"), text("Last agreed"), text("Rule"), ""], rows, wrap=(1, 2)
        )
    for one in found["refusals"]:
        screen.line("! " + text("refused: {field} ({why})", field=one["field"], why=one["why"]), "yellow")
    for event in found["events"]:
        changes = " / ".join(
            f"{field}: {short(change['from'])} → {short(change['to'])}"
            for field, change in event["fields"].items()
        )
        screen.line(
            f"{event['seq']:>5} {event['at'][:16].replace('T', ' ')} {event['kind']} {event['actor']} {changes}".rstrip(),
            "dim",
        )
