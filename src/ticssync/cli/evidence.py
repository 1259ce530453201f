"""`ticssync evidence`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr
from ticssync.text import Text

DAY: Final = click.DateTime(["%Y-%m-%d"])
KINDS: Final = ["document", "register", "record", "photo", "screenshot", "certificate"]


@click.group("evidence", help=tr("Evidence: the locker and the hand-in."))
def command() -> None:
    """The group."""


@command.command("take", help=tr("Take in what lies at rest in the drop folders."))
@common
def take(call: Call) -> None:
    """Take."""

    def work() -> Answer:
        from ticssync.app.hand_in import take_in
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = take_in(workspace)
        return Answer(data, lambda screen: _taken(data, screen), 1 if data["refused"] else 0)

    call.answer(work)


def _taken(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    for one in data["taken"]:
        screen.line(
            text(
                "taken: {file} → {ids} ({criteria})",
                file=one["file"],
                ids=", ".join(one["ids"]) or "=",
                criteria=", ".join(one["criteria"]),
            )
        )
    for name in data["waiting"]:
        screen.line(text("still being written: {file}", file=name))
    for one in data["refused"]:
        screen.line("! " + text("refused: {file} ({why})", file=one["file"], why=one["why"]), "yellow")
    if not (data["taken"] or data["waiting"] or data["refused"]):
        screen.line(text("Nothing lies in {folder}.", folder=data["folder"]))


@command.command(
    "add", help=tr("Add a file (or a record of paper or on-site proof) for one or several items.")
)
@common
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--criterion", "criteria", multiple=True, required=True, help=tr("The item; may be repeated"))
@click.option(
    "--kind", type=click.Choice(KINDS), default=None, help=tr("What kind of proof (default: by the name)")
)
@click.option("--on", type=DAY, help=tr("The day that the proof speaks of"))
@click.option("--until", type=DAY, help=tr("Its last good day"))
@click.option("--paper", default="", metavar="PLACE", help=tr("Kept on paper, where"))
@click.option("--on-site", default="", metavar="PLACE", help=tr("Shown on site, where"))
@click.option("--hash-only", is_flag=True, help=tr("Record the hash only; the file stays where it is"))
@click.option("--class", "evidence_class", default=None, help=tr("Handling class (default: the item's)"))
@click.option("--by", "person", default="", metavar="PERSON", help=tr("Who handed it in"))
@click.option("--note", default="", help=tr("A remark"))
def add(
    call: Call,
    file: Path | None,
    criteria: tuple[str, ...],
    kind: str | None,
    on: datetime | None,
    until: datetime | None,
    paper: str,
    on_site: str,
    hash_only: bool,
    evidence_class: str | None,
    person: str,
    note: str,
) -> None:
    """Add."""

    def work() -> Answer:
        from ticssync.app.hand_in import add as add_one
        from ticssync.app.workspace import open_workspace

        mode = "paper" if paper else "on_site" if on_site else "hash_only" if hash_only else None
        words = " ".join(filter(None, (paper or on_site, note)))
        with open_workspace(call.around) as workspace:
            data = add_one(
                workspace,
                file,
                criteria,
                kind=kind or "",
                on=on.date() if on else None,
                until=until.date() if until else None,
                keep_mode=mode,
                evidence_class=evidence_class,
                note=words,
                handed_in_by=person,
            )
        return Answer(
            data,
            lambda screen: screen.line(
                call.text("added: {ids}", ids=", ".join(one["id"] for one in data["items"]))
            ),
        )

    call.answer(work)


@command.command("list", help=tr("What is held."))
@common
@click.argument("criterion", required=False)
def list_(call: Call, criterion: str | None) -> None:
    """List."""

    def work() -> Answer:
        from ticssync.app.hand_in import listed
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = listed(workspace, criterion)
        text = call.text
        rows = [
            [
                one["id"],
                one["criterion"],
                one["name"],
                one["kind"],
                one["dated_on"],
                one["valid_until"] or "",
                one["keep_mode"],
                _remark(one, text),
            ]
            for one in data["items"]
        ]
        heads = [
            text("No."),
            text("Item"),
            text("Name"),
            text("Kind"),
            text("Dated"),
            text("Good until"),
            text("Keeping"),
            "",
        ]
        return Answer(data, lambda screen: screen.table(heads, rows, wrap=(2,)))

    call.answer(work)


def _remark(one: dict[str, Any], text: Text) -> str:
    if one["withdrawn"]:
        return text("withdrawn")
    return text("deleted in the tracker, kept here") if one["source_gone_at"] else ""


@command.command("check", help=tr("Read every kept file again, and say what each item still lacks."))
@common
def check(call: Call) -> None:
    """Check."""

    def work() -> Answer:
        from ticssync.app.hand_in import check as check_all
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = check_all(workspace)

        def show(screen: Screen) -> None:
            text = screen.text
            screen.line(
                text(
                    "{n} files read, {faults} missing or changed", n=len(data["items"]), faults=data["faults"]
                )
            )
            for one in data["gone"]:
                screen.line(
                    "! "
                    + text(
                        "deleted in the tracker, kept here: {id} {name} ({criterion})",
                        id=one["id"],
                        name=one["name"],
                        criterion=one["criterion"],
                    ),
                    "yellow",
                )
            rows = [[one["criterion"], one["why"]] for one in data["lacking"]]
            if rows:
                screen.table([text("Item"), text("Still lacking")], rows, wrap=(1,))

        return Answer(data, show, 1 if data["faults"] else 0)

    call.answer(work)


@command.command("withdraw", help=tr("Evidence that no longer counts: kept, never shown as proof again."))
@common
@click.argument("ident", metavar="ID")
@click.option("--reason", required=True, help=tr("The reason"))
def withdraw(call: Call, ident: str, reason: str) -> None:
    """Withdraw."""

    def work() -> Answer:
        from ticssync.app.hand_in import withdraw as withdraw_one
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = withdraw_one(workspace, ident, reason)
        return Answer(data, lambda screen: screen.line(call.text("{id} is withdrawn.", id=ident)))

    call.answer(work)


@command.command("review", help=tr("A named person, other than the one who handed it in, has looked at it."))
@common
@click.argument("ident", metavar="ID")
@click.option("--by", "person", required=True, metavar="PERSON", help=tr("Who looked at it"))
def review(call: Call, ident: str, person: str) -> None:
    """Review."""

    def work() -> Answer:
        from ticssync.app.hand_in import review as review_one
        from ticssync.app.workspace import open_workspace

        with open_workspace(call.around) as workspace:
            data = review_one(workspace, ident, person)
        return Answer(
            data,
            lambda screen: screen.line(call.text("{id} was looked at by {name}.", id=ident, name=person)),
        )

    call.answer(work)
