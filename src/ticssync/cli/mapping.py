"""`ticssync mapping`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ticssync.cli.passes import FIELDS, short
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.errors import Problem


@click.group("mapping", help=tr("Mapping files: from a criterion to a task."))
def command() -> None:
    """The group."""


@command.command(
    "check",
    help=tr(
        "All problems of all mapping files at once, with line and column; also against what the live tracker offers."
    ),
)
@common
@click.option("--offline", is_flag=True, help=tr("Do not ask the trackers"))
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(call: Call, file: Path | None, offline: bool) -> None:
    """Check."""

    def work() -> Answer:
        from ticssync.app.mappings import check as check_files

        with call.screen.working(call.text("Comparing with the trackers …")):
            checked = check_files(call.around, file, offline=offline)
        data = checked.plain(call.text)
        return Answer(data, lambda screen: _checked(data, screen), checked.exit_code)

    call.answer(work)


def _checked(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    for one in data["items"]:
        screen.line(text("{file}: ok, {fields} fields, {statuses} statuses", **one))
    for one in data["trackers"]:
        if one["state"] == "ok":
            screen.line(text("{tracker}: compared with the live tracker", tracker=one["tracker"]))
        else:
            said = one["message"] or text("it does not tell what it offers")
            screen.line(text("{tracker}: not compared: {why}", tracker=one["tracker"], why=said))
    if data["warnings"]:
        screen.title(text("Please look at"))
    for one in data["warnings"]:
        screen.line(
            "- "
            + text.problem(Problem(one["message"], one["file"], one["line"], one["column"], fix=one["fix"]))
        )


@command.command(
    "suggest",
    help=tr("A mapping for a tracker as its live project offers it, on standard output; no file is changed."),
)
@common
@click.argument("tracker", required=False, default="")
def suggest(call: Call, tracker: str) -> None:
    """Suggest."""

    def work() -> Answer:
        from ticssync.app.mappings import suggest as propose

        with call.screen.working(call.text("Asking the tracker …")):
            data = propose(call.around, tracker)

        def show(screen: Screen) -> None:
            click.echo(data["mapping"], nl=False)
            for note in data["notes"]:
                screen.note(f"- {note}")

        return Answer(data, show)

    call.answer(work)


@command.command("preview", help=tr("What the task of one criterion will look like in each tracker."))
@common
@click.argument("item", metavar="CRITERION")
def preview(call: Call, item: str) -> None:
    """Preview."""

    def work() -> Answer:
        from ticssync.app.mappings import preview as render

        data = render(call.around, item)
        return Answer(data, lambda screen: _preview(data, screen))

    call.answer(work)


def _preview(data: dict[str, Any], screen: Screen) -> None:
    for one in data["items"]:
        screen.title(f"{one['tracker']} ({one['kind']}): {data['item']}")
        for name, value in one["fields"].items():
            words = str(value) if name == "body" else short(value, 200)
            screen.line(f"{screen.text(FIELDS.get(name, name))}: {words}")


@command.command("schema", help=tr("The JSON Schema of mapping files, for editors."))
@common
def schema(call: Call) -> None:
    """Schema."""

    def work() -> Answer:
        import json

        from ticssync.mapping import json_schema

        data = json_schema()
        return Answer(data, lambda screen: screen.line(json.dumps(data, ensure_ascii=False, indent=2)))

    call.answer(work)
