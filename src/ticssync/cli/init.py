"""`ticssync init`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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
        from ticssync.app.init import Answers, init, parse_sets

        chosen_kind = kind or "workbook"
        chosen_name = name or chosen_kind.replace("-", "_")
        pairs = parse_sets(sets)
        extra = [
            (f"trackers.{chosen_name}.{key}", value)
            for key, value in (("url", url), ("project", project))
            if value
        ]
        asked: dict[str, Any] = (
            {} if non_interactive or call.as_json else _ask(call, folder, company, shared, pairs)
        )
        answers = Answers(
            folder, chosen_kind, asked.get("company", company), chosen_name, asked.get("shared", shared),
            (*pairs, *extra, *asked.get("sets", ())),
        )  # fmt: skip
        made = init(call.around, answers)
        return Answer(made.plain(), lambda screen: _show(made.plain(), screen))

    call.answer(work)


def _ask(
    call: Call, folder: Path, company: str, shared: Path | None, pairs: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    text, given = call.text, dict(pairs)
    answers: dict[str, Any] = {}
    call.screen.note(
        text(
            "Management folder (this machine, this account only): {folder}",
            folder=str((call.around.folder / folder).resolve()),
        )
    )
    answers["company"] = company or click.prompt(text("The company's name"), err=True)
    answers["shared"] = shared or Path(
        click.prompt(text("Shared folder (colleagues work here)"), default="共有", err=True)
    )
    sets = []
    if "roles.manager" not in given:
        manager = click.prompt(text("Name of the responsible manager (管理責任者)"), err=True)
        mail = click.prompt(text("Their mail address"), default="", show_default=False, err=True)
        sets += [
            ("people.manager.name", manager),
            ("people.manager.mail", mail),
            ("roles.manager", "[manager]"),
        ]
    if "roles.owner" not in given:
        owner = click.prompt(text("Name of the person who does most of the work (担当)"), err=True)
        mail = click.prompt(text("Their mail address"), default="", show_default=False, err=True)
        sets += [("people.owner.name", owner), ("people.owner.mail", mail), ("roles.owner", "[owner]")]
    answers["sets"] = tuple(sets)
    return answers


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(text("The workspace {id} is ready.", id=data["workspace"]))
    words = {
        "configuration": text("Configuration"), "store": text("Store"), "keys": text("Signing key"), "locker": text("Evidence locker"),
        "shared": text("Shared folder"), "drop": text("Drop folders for evidence"),
    }  # fmt: skip
    screen.table(
        [text("What"), text("Where")],
        [[words.get(name, name), path] for name, path in data["paths"].items()],
        wrap=(1,),
    )
    screen.line(text("Key fingerprint: {fingerprint}", fingerprint=data["key_fingerprint"]))
    screen.line(text("Next: ticssync doctor, then ticssync plan, then ticssync sync."))
