"""`ticssync catalog`."""

from __future__ import annotations

from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.group("catalog", help=tr("The criteria of the scheme (a working catalogue, not the official text)."))
def command() -> None:
    """The group."""


@command.command("list", help=tr("All items."))
@common
def list_(call: Call) -> None:
    """List."""

    def work() -> Answer:
        from ticssync.app.catalogue import listed

        data = listed(call.around)
        return Answer(data, lambda screen: _list(data, screen))

    call.answer(work)


def _list(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    for one in data["catalogs"]:
        screen.title(f"{one['name']}（{one['edition']}）")
        screen.line(one["basis"], "dim")
    rows = [
        [
            one["id"],
            "・".join(one["official_ref"]) or "—",
            one["chapter_title"],
            one["title"],
            text("in") if one["in_scope"] else text("out"),
            one["basis_text"],
        ]
        for one in data["items"]
    ]
    screen.table(
        [text("No."), text("Official no."), text("Chapter"), text("Item"), text("Scope"), text("Basis")],
        rows,
        wrap=(3, 5),
    )


@command.command(
    "show", help=tr("One item: what to do, what counts as evidence, whether and why it is in scope.")
)
@common
@click.argument("item", metavar="ID")
def show(call: Call, item: str) -> None:
    """Show."""

    def work() -> Answer:
        from ticssync.app.catalogue import shown

        data = shown(call.around, item)
        return Answer(data, lambda screen: _show(data, screen))

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(f"{data['id']} {data['title']}")
    screen.line(data["to_do"])
    screen.line()
    pairs = [
        (text("Evidence"), data["evidence"]["hint"]),
        (text("Scope"), data["why"]),
        (text("Official no."), "・".join(data["official_ref"]) or text("not filled in yet")),
        (text("Basis"), f"{data['basis_text']} ({data['confidence']})"),
        (text("Class"), data["class"]),
        (text("Keeping"), data["keep_mode"]),
        (text("When"), ", ".join(data["cadence"])),
        (text("See also"), ", ".join(f"{one['scheme']} {one['ref']}" for one in data["crosswalk"])),
    ]
    for head, words in pairs:
        screen.line(f"{head}: {words}")
