"""The command line: one lazy file per command, so that a small command loads little."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from ticssync import __version__
from ticssync.cli.words import tr, without_language

COMMANDS = {
    "demo": "demo", "init": "init", "doctor": "doctor", "catalog": "catalog", "profile": "profile", "mapping": "mapping",
    "plan": "plan", "sync": "sync", "status": "status", "why": "why", "conflicts": "conflicts", "task": "task",
    "tracker": "tracker", "confirm": "confirm", "return": "return_", "exclude": "exclude", "withdraw": "withdraw",
    "sheet": "sheet", "evidence": "evidence", "deadlines": "deadlines", "remind": "remind", "daemon": "daemon",
    "bundle": "bundle", "plugins": "plugins", "backup": "backup", "restore": "restore", "rebind": "rebind", "migrate": "migrate",
}  # fmt: skip
"""Command → module of this package.  Order is the order of `--help`: the way a company goes."""


class LazyGroup(click.Group):
    """Imports a command's module when it is called, or when its own help is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order that a company meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"ticssync.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line each, without importing any of them."""
        from ticssync.cli.summaries import SUMMARIES

        with formatter.section(tr("Commands")):
            formatter.write_dl([(name, tr(SUMMARIES[name])) for name in COMMANDS])

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """As click; a wrong command line is a JSON document too where one was asked for."""
        words = without_language(list(sys.argv[1:] if args is None else args))
        if "--json" not in words:
            return super().main(words, prog_name, **extra)
        try:
            code = super().main(words, prog_name, standalone_mode=False, **extra)
        except click.UsageError as error:
            from ticssync.cli.report import print_usage

            print_usage(error.format_message(), (error.ctx or click.Context(self)).get_usage())
            sys.exit(2)
        except click.Abort:
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest name in the message."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], list(COMMANDS), 1, 0.5)
            hint = tr(" — did you mean {near}?", near=near[0]) if near else ""
            raise click.UsageError(tr("there is no command {name}", name=args[0]) + hint)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, help=tr("The criteria of TICS as tasks in the tracker that your company already uses.")
)
@click.version_option(__version__, prog_name="ticssync", message="%(prog)s %(version)s")
def root() -> None:
    """The whole command line."""


def main(args: list[str] | None = None) -> Any:
    """Entry point.  Every stream speaks UTF-8: ㊙, ✓ and — are not in the code page of a Japanese Windows."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    return root.main(args=args, prog_name="ticssync")
