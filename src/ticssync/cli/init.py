"""`ticssync init`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ticssync.cli.init_ask import ask_company, ask_people, ask_tracker, ask_until_known, offer_to_keep
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "init",
    help=tr(
        "Make a workspace: the management folder DIR (local, yours alone) and the shared folder (colleagues)."
    ),
)
@common
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path), default=Path())
@click.option("--tracker", "kind", default="", metavar="KIND", help=tr("workbook, or another installed kind"))
@click.option("--non-interactive", is_flag=True, help=tr("Ask nothing; what is not given keeps its default"))
@click.option("--company", default="", help=tr("The company's name"))
@click.option("--shared", type=click.Path(path_type=Path), help=tr("The shared folder"))
@click.option("--name", default="", help=tr("Name of the tracker (default: its kind)"))
@click.option("--url", default="", help=tr("The tracker's address, where it has one"))
@click.option("--project", default="", help=tr("The tracker's project, where it has one"))
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help=tr("Any value of ticssync.yaml, e.g. people.sato.name=佐藤 花子"),
)
def command(
    call: Call,
    folder: Path,
    kind: str,
    non_interactive: bool,
    company: str,
    shared: Path | None,
    name: str,
    url: str,
    project: str,
    sets: tuple[str, ...],
) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.init import Answers, begin, init, parse_sets

        chosen_kind = kind or "workbook"
        chosen_name = name or chosen_kind.replace("-", "_")
        extra = [
            (f"trackers.{chosen_name}.{key}", value)
            for key, value in (("url", url), ("project", project))
            if value
        ]
        answers = Answers(
            folder, chosen_kind, company, chosen_name, shared, (*parse_sets(sets), *extra)
        )  # fmt: skip
        start, explored = begin(call.around, answers), None
        asking = not (non_interactive or call.as_json)
        if asking:
            answers = ask_tracker(call, ask_company(call, answers), start)
            answers, explored = ask_until_known(call, answers, start)
            answers = ask_people(call, answers, explored)
        made = init(call.around, answers, explored=explored)
        if asking:
            offer_to_keep(call, answers, start)
        return Answer(made.plain(call.text), lambda screen: _show(made.plain(call.text), screen))

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(text("The workspace {id} is ready.", id=data["workspace"]))
    words = {
        "configuration": text("Configuration"), "mapping": text("Mapping"), "store": text("Store"), "keys": text("Signing key"),
        "locker": text("Evidence locker"), "shared": text("Shared folder"), "drop": text("Drop folders for evidence"),
    }  # fmt: skip
    order = [name for name in words if name in data["paths"]]
    screen.table(
        [text("What"), text("Where")], [[words[name], data["paths"][name]] for name in order], wrap=(1,)
    )
    screen.line(text("Key fingerprint: {fingerprint}", fingerprint=data["key_fingerprint"]))
    if "tracker" in data:
        _found(data["tracker"], screen)
        screen.line(
            text(
                "Next: look through the mapping, ticssync mapping check, ticssync doctor, then ticssync plan."
            )
        )
    else:
        screen.line(text("Next: ticssync doctor, then ticssync plan, then ticssync sync."))


def _found(tracker: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.line()
    screen.title(text("What {tracker} offers, and what the mapping makes of it", tracker=tracker["name"]))
    screen.table(
        [text("Status there"), "ID", text("Status of ticssync"), ""],
        [
            [one["name"], one["key"], one["value"], text("guess") if one["guess"] else ""]
            for one in tracker["statuses"]
        ],
    )
    comma = ", " if text.lang == "en" else "、"
    fields = comma.join(f"{one['name'] or one['value']} ({one['key']})" for one in tracker["fields"])
    screen.line(text("Fields: {fields}", fields=fields))
    screen.line(text("People taken over: {n}", n=tracker["people"]))
    if tracker["notes"]:
        screen.line()
        screen.title(text("Please look at"))
    for note in tracker["notes"]:
        screen.line(f"- {note}")
