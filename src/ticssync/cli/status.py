"""`ticssync status`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.why import show_waiting
from ticssync.cli.words import tr
from ticssync.text import mark

MANY: Final = 5
"""So many copies are named; `--json` has them all."""

STYLES: Final = {
    "confirmed": "green", "excluded": "green", "not_applicable": "dim", "reported": "cyan", "exclusion_proposed": "cyan",
    "reported_without_evidence": "yellow", "returned": "yellow", "expired": "red", "fetch_failed": "red", "unknown": "red",
}  # fmt: skip


@click.command("status", help=tr("Where the company stands, per criterion; three piles."))
@common
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help=tr("The day to look at (default: the day of the last sync)"),
)
@click.option("--open", "only_open", is_flag=True, help=tr("Only what is not confirmed"))
def command(call: Call, as_of: datetime | None, only_open: bool) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.status import status
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            found = status(workspace, as_of.date() if as_of else None)
            name = workspace.config.company
        return Answer(found, lambda screen: show(found, name, screen, only_open=only_open))

    call.answer(work)


def show(found: dict[str, Any], company: str, screen: Screen, *, only_open: bool) -> None:
    """Three piles on top, then the criteria by chapter."""
    text, piles = screen.text, found["piles"]
    screen.title(text("{company} · as of {day}", company=company, day=found["as_of"]))
    for catalog in found["catalogs"]:
        screen.line(f"{catalog['catalog']}: {catalog['basis']}", "dim")
    screen.line(
        text(
            "Confirmed {confirmed} · waiting for you {waiting} · open {open}",
            confirmed=piles["confirmed"],
            waiting=piles["waiting"],
            open=piles["open"],
        ),
        "bold",
    )
    if piles["warning"]:
        screen.line(text("No information or not readable: {n}", n=piles["warning"]), "red")
    late = sum(1 for one in found["criteria"] if one["late"])
    if late:
        screen.line(text("Late: {n}", n=late), "red")
    _copies(found["copies"], screen)
    shown = [one for one in found["criteria"] if not (only_open and one["pile"] == "confirmed")]
    rows = [_row(one, screen) for one in shown]
    heads = [
        text("No."),
        text("Item"),
        text("State"),
        text("Task"),
        text("Evidence"),
        text("Owner"),
        text("Due"),
        text("Decided"),
    ]
    screen.table(heads, rows, styles=[STYLES.get(one["state"], "") for one in shown], wrap=(1,))
    for one in shown:
        for task in one["tasks"]:
            for problem in task["problems"]:
                screen.line(f"! {one['id']} ({task['tracker']}): {problem}", "yellow")
            show_waiting(task["waiting"], screen, f"{one['id']} ({task['tracker']}): ")


def _copies(copies: list[dict[str, Any]], screen: Screen) -> None:
    """How many there are, and where: two processes or a person made them."""
    if not copies:
        return
    text = screen.text
    names = ", ".join(f"{one['tracker']} {one['key']} ({one['task']})" for one in copies[:MANY])
    more = text(" and {n} more", n=len(copies) - MANY) if len(copies) > MANY else ""
    screen.line(text("Copies in trackers: {n}", n=len(copies)) + f" — {names}{more}", "yellow")
    screen.line(
        "  → " + text("Not synced, and counted nowhere. Delete or close in the tracker what is not needed."),
        "dim",
    )


def _row(one: dict[str, Any], screen: Screen) -> list[str]:
    text = screen.text
    decided = ""
    if one["confirmed_by"]:
        extra = [
            text("entered for them") if one["on_behalf"] else "",
            text("confirmed by themselves") if one["self_confirmed"] else "",
        ]
        note = "・".join(filter(None, extra))
        decided = f"{one['confirmed_by']} {one['confirmed_on']}" + (f"（{note}）" if note else "")
    late = " " + text("Late") if one["late"] else ""
    task = one["tasks"][0]["raw_status"] if one["tasks"] else "—"
    return [
        one["id"],
        one["title"],
        one["state_label"] + late,
        task,
        text(EVIDENCE[one["evidence_state"]]),
        one["owner_name"],
        one["due_on"] or "",
        decided,
    ]


EVIDENCE: Final = {
    "none": mark("none"), "partial": mark("partial"), "complete": mark("complete"), "expired": mark("expired"),
    "unreadable": mark("unreadable"), "unknown": mark("not known"),
}  # fmt: skip
