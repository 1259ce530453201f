"""`ticssync backup`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "backup",
    help=tr(
        "Put store, evidence, configuration and links into one encrypted file. The passphrase comes from "
        "TICSSYNC_BACKUP_PASSPHRASE, from the secrets folder (backup.passphrase), or is asked for."
    ),
)
@common
@click.argument("file", type=click.Path(path_type=Path))
def command(call: Call, file: Path) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.backup import backup, target_of
        from ticssync.app.passphrase import passphrase
        from ticssync.app.workspace import read_config

        config = read_config(call.around)
        target_of(call.around, config, file)
        ask = (lambda: ask_twice(call)) if can_ask() else None
        words = passphrase(call.around, config.root, ask)
        with call.screen.working(call.text("Writing the backup and reading it back …")):
            done = backup(call.around, config, file, words)
        data = done.plain(call.text)
        return Answer(data, lambda screen: _show(data, screen), 1 if done.problems else 0)

    call.answer(work)


def can_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_twice(call: Call) -> str:
    """A new passphrase, typed the same way two times; not shown.  One that is too short is asked for again."""
    from ticssync.app.passphrase import check_strength
    from ticssync.errors import UsageError

    text = call.text
    call.screen.note(
        text("Without the passphrase nobody can open the backup: write it down and keep it apart.")
    )
    again = text("Once more")
    while True:
        words = str(click.prompt(text("Passphrase"), hide_input=True, confirmation_prompt=again, err=True))
        try:
            check_strength(words)
        except UsageError as error:
            call.screen.error(text.said(error.message))
            call.screen.note("  → " + text.said(error.fix))
        else:
            return words


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(text("Backup: {path}", path=data["paths"]["backup"]))
    screen.line(
        text("{files} files, {bytes} bytes, read back and complete", files=data["files"], bytes=data["bytes"])
    )
    screen.line(
        text("Last event in it: {seq} ({hash})", seq=data["head"]["seq"], hash=data["head"]["hash"][:12])
    )
    screen.line(text("SHA-256 {sha}", sha=data["sha256"]))
    for problem in data["problems"]:
        screen.line(f"! {problem}", "red")
    show_left_out(data, screen)
    screen.line(text("Keep it on another machine or disk than this one, and the passphrase apart from it."))


def show_left_out(data: dict[str, Any], screen: Screen) -> None:
    """What is not in the backup, and why."""
    text = screen.text
    if data["left_out"]:
        screen.line(text("Not in it:"))
        rows = [[one["what"], one["why"]] for one in data["left_out"]]
        screen.table([text("What"), text("Why")], rows, wrap=(0, 1))
