"""`ticssync mapping`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ticssync.cli.passes import FIELDS, short
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.group("mapping", help=tr("Mapping files: from a criterion to a task."))
def command() -> None:
    """The group."""


@command.command("check", help=tr("All problems of all mapping files at once, with line and column."))
@common
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(call: Call, file: Path | None) -> None:
    """Check."""

    def work() -> Answer:
        from ticssync.app.mappings import check as check_files

        data = check_files(call.around, file)

        def show(screen: Screen) -> None:
            for one in data["items"]:
                screen.line(call.text("{file}: ok, {fields} fields, {statuses} statuses", **one))

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
