"""`ticssync why`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from ticssync.cli.passes import FIELDS, all_sides, short, worded
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.text import mark

OWNERS = {
    "ticssync": mark("ticssync has the last word"),
    "tracker": mark("the tracker has the last word"),
    "merge": mark("whoever changed it last"),
}
WAITING: Final = {
    ("note", "waiting"): mark("a note waits for the next sync: {text}"),
    ("note", "sent"): mark("a note was sent, and the next sync looks whether it is there: {text}"),
    ("note", "refused"): mark("a note was not taken: {text}"),
    ("file", "waiting"): mark("a file waits for the next sync: {text}"),
    ("file", "sent"): mark("a file was sent, and the next sync looks whether it is there: {text}"),
    ("file", "refused"): mark("a file was not taken: {text}"),
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


def show_waiting(waiting: Sequence[Mapping[str, Any]], screen: Screen, before: str = "") -> None:
    """Notes and files that are not in the task yet."""
    for one in waiting:
        words = screen.text(WAITING[one["what"], one["state"]], text=short(one["text"]))
        screen.line(f"… {before}{words}", "yellow" if one["state"] == "refused" else "dim")


def show(found: dict[str, Any], screen: Screen) -> None:
    """From the state down to the log."""
    text = screen.text
    screen.title(f"{found['criterion']}: {found['state_label'] or '—'} — {found['reason'] or ''}")
    for name, side in found["sides"].items():
        screen.line(f"{name}: {side['key']} [{side['binding']}] {side['raw_status']} {side['url']}")
        rows = [
            [
                text(FIELDS.get(field, field)),
                worded(field, found["hub"].get(field, value), text),
                worded(field, value, text),
                text(OWNERS.get(found["rule"].get(field, ""), "")),
                text("frozen") if field in side["frozen"] else "",
            ]
            for field, value in side["base"].items()
        ]
        screen.table(
            [text("Field"), text("ticssync"), text("Last agreed"), text("Rule"), ""], rows, wrap=(1, 2)
        )
    for field, origin in found["origins"].items():
        name, at = text(FIELDS.get(field, field)), (origin["at"] or "")[:16].replace("T", " ")
        if at:
            said = text("{field} was set last by {side}, {at}", field=name, side=origin["side"], at=at)
        else:
            said = text("{field} was set last by {side}", field=name, side=origin["side"])
        screen.line(said, "dim")
    for one in found["open_conflicts"]:
        screen.line(
            "! "
            + text(
                "conflict {id}: {field} ({sides}; in force: {taken}). Settle it: ticssync conflicts resolve {id} --take SIDE",
                id=one["id"],
                field=text(FIELDS.get(one["field"], one["field"])),
                sides=all_sides(one, text),
                taken=worded(one["field"], one["taken"], text),
            ),
            "yellow",
        )
    show_waiting(found["waiting"], screen)
    for one in found["refusals"]:
        screen.line("! " + text("refused: {field} ({why})", field=one["field"], why=one["why"]), "yellow")
    for event in found["events"]:
        changes = " / ".join(
            f"{text(FIELDS.get(field, field))}: {worded(field, change['from'], text)} → {worded(field, change['to'], text)}"
            for field, change in event["fields"].items()
        )
        who = f"{event['actor']}{_way(event, text.lang)}"
        screen.line(
            f"{event['seq']:>5} {event['at'][:16].replace('T', ' ')} {_kind(event, text.lang)} {who} {changes}".rstrip(),
            "dim",
        )


def _kind(event: dict[str, Any], lang: str) -> str:
    """What happened, in words; `--json` has the kind as it stands in the log."""
    from ticssync.bundle.labels import label

    return label("event", event["kind"]).in_language(lang)


def _way(event: dict[str, Any], lang: str) -> str:
    """Which way something came that a person decided or handed in."""
    from ticssync.bundle.labels import label

    return f"（{label('channel', event['channel']).in_language(lang)}）" if event.get("channel") else ""
