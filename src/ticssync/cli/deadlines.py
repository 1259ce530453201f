"""`ticssync deadlines`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.text import Text, mark

DAY: Final = click.DateTime(["%Y-%m-%d"])
BASIS: Final = {
    "printed": mark("printed"),
    "confirmed": mark("confirmed by the body"),
    "default": mark("default, not confirmed by your body"),
}
OWN: Final = ("task_due", "evidence_expiry", "credential_expiry", "recurring", "custom")
STATES: Final = {"open": mark("open"), "submitted": mark("submitted"), "accepted": mark("accepted")}


@click.group(
    "deadlines",
    invoke_without_command=True,
    help=tr("What falls due: open, submitted, accepted; what the body confirmed and what is a default."),
)
@common
@click.option("--ics", type=click.Path(path_type=Path), help=tr("Also write a calendar file"))
@click.option("--today", type=DAY, help=tr("As if it were this day"))
@click.pass_context
def command(context: click.Context, call: Call, ics: Path | None, today: datetime | None) -> None:
    """The list, unless a sub-command is named."""
    if context.invoked_subcommand is None:
        _list(call, ics, today.date() if today else None)


@command.command("list", help=tr("What falls due, soonest first."))
@common
@click.option("--ics", type=click.Path(path_type=Path), help=tr("Also write a calendar file"))
@click.option("--today", type=DAY, help=tr("As if it were this day"))
def list_(call: Call, ics: Path | None, today: datetime | None) -> None:
    """The list."""
    _list(call, ics, today.date() if today else None)


def _list(call: Call, ics: Path | None, today: date | None) -> None:
    def work() -> Answer:
        from ticssync.app.deadlines import deadlines, write_ics
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = deadlines(workspace, today)
            if ics is not None:
                write_ics(workspace, ics, today)
        return Answer(found, lambda screen: show(found, ics, screen))

    call.answer(work)


def _basis(one: dict[str, Any], text: Text) -> str:
    """Where the date comes from; what is our own (a task, evidence) has nothing to do with the body."""
    return text("the company's own") if one["kind"] in OWN else text(BASIS[one["basis"]])


def show(found: dict[str, Any], ics: Path | None, screen: Screen) -> None:
    """A table, soonest first."""
    text = screen.text
    rows = [
        [
            one["due_on"],
            one["days_left"],
            one["title"],
            text(STATES[one["state"]]),
            _basis(one, text),
            one["id"],
        ]
        for one in found["items"]
    ]
    styles = [
        "dim"
        if one["state"] != "open"
        else "red"
        if one["days_left"] < 0
        else "yellow"
        if one["days_left"] <= 30
        else ""
        for one in found["items"]
    ]
    heads = [text("Due"), text("Days"), text("What"), text("State"), text("Basis"), text("Name")]
    screen.table(heads, rows, styles=styles, wrap=(2, 4))
    if ics is not None:
        screen.line(text("Calendar file: {file}", file=ics))


def _record(call: Call, duty: str, on: datetime | None, proof: Path | None, note: str, word: str) -> None:
    def work() -> Answer:
        from ticssync.app.deadlines import done
        from ticssync.app.workspace import open_workspace
        from ticssync.model.certificate import DutyState

        with open_workspace(call.around) as workspace:
            found = done(workspace, duty, on.date() if on else workspace.today, proof, DutyState(word), note)
        return Answer(
            found,
            lambda screen: screen.line(
                call.text(
                    "{duty}: {state} on {day}.", duty=duty, state=call.text(STATES[word]), day=found["on"]
                )
            ),
        )

    call.answer(work)


@command.command("done", help=tr("A duty was submitted: the reminders end."))
@common
@click.argument("duty")
@click.option("--on", type=DAY, required=True, help=tr("The day it was submitted"))
@click.option("--proof", type=click.Path(path_type=Path), help=tr("A file that proves it"))
@click.option("--note", default="", help=tr("A remark"))
def done(call: Call, duty: str, on: datetime | None, proof: Path | None, note: str) -> None:
    """Submitted."""
    _record(call, duty, on, proof, note, "submitted")


@command.command("accept", help=tr("The certification body accepted what was submitted."))
@common
@click.argument("duty")
@click.option("--on", type=DAY, help=tr("The day (default: today)"))
@click.option("--proof", type=click.Path(path_type=Path), help=tr("A file that proves it"))
@click.option("--note", default="", help=tr("A remark"))
def accept(call: Call, duty: str, on: datetime | None, proof: Path | None, note: str) -> None:
    """Accepted."""
    _record(call, duty, on, proof, note, "accepted")
