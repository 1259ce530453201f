"""`ticssync restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ticssync.cli.backup import can_ask, show_left_out
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "restore",
    help=tr(
        "Put a backup back as a workspace in DIR (new or empty; default: under its own name in the current folder). "
        "Everything is proven first; nothing is ever written over."
    ),
)
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--store",
    default="",
    metavar="postgresql://…",
    help=tr("Put the store into this empty database (default: a file in the folder)"),
)
@click.option("--check", is_flag=True, help=tr("Only prove that the backup can be restored"))
def command(call: Call, file: Path, folder: Path | None, store: str, check: bool) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.passphrase import passphrase
        from ticssync.app.restore import restore
        from ticssync.app.restore_place import check_place

        if not check:
            check_place(call.around, folder)

        ask = (
            (lambda: str(click.prompt(call.text("Passphrase"), hide_input=True, err=True)))
            if can_ask()
            else None
        )
        words = passphrase(call.around, None, ask)
        with call.screen.working(call.text("Reading and proving the backup …")):
            done = restore(call.around, file, folder, words, check=check, server=store)
        data = done.plain(call.text)
        return Answer(data, lambda screen: _show(data, screen, check=check), 1 if done.notes else 0)

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen, *, check: bool) -> None:
    text = screen.text
    if check:
        screen.title(text("This backup can be restored. Nothing was put in place."))
    else:
        screen.title(text("Restored: {path}", path=data["paths"]["folder"]))
    screen.line(
        text(
            "{company}, as of {made_at} ({age} ago); last event {seq}",
            company=data["company"],
            made_at=_moment(data),
            age=_age(data["age_s"], screen),
            seq=data["head"]["seq"],
        )
    )
    for note in data["notes"]:
        screen.line(f"! {note}", "yellow")
    show_left_out(data, screen)
    if check:
        return
    screen.line(text("What was decided or handed in since then is in it only where a tracker shows it."))
    screen.line(text("If the old workspace still exists somewhere, use only one of the two."))
    screen.line(text("Next: ticssync doctor, then ticssync plan, then ticssync sync (a full look)"), "bold")


def _moment(data: dict[str, Any]) -> str:
    """When it was made, in the company's own time."""
    from zoneinfo import ZoneInfo

    from ticssync.model.canonical import parse_instant

    return parse_instant(data["made_at"]).astimezone(ZoneInfo(data["time_zone"])).strftime("%Y-%m-%d %H:%M")


def _age(seconds: int, screen: Screen) -> str:
    days, hours = seconds // 86400, seconds // 3600
    if days:
        return screen.text("{n} days", n=days)
    return screen.text("{n} hours", n=hours) if hours else screen.text("{n} minutes", n=max(seconds // 60, 0))
