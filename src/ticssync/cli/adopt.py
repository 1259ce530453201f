"""`ticssync task adopt`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ticssync.cli.passes import FIELDS, MANY, short
from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "adopt",
    help=tr(
        "A task that stands in the tracker already becomes the task of a criterion. REF is its key (#123), its "
        "address or its id. Nothing is written to the tracker by this: what the next sync would change is shown."
    ),
)
@common
@click.argument("key", required=False, default="")
@click.argument("ref", required=False, default="")
@click.option("--tracker", default="", help=tr("In this tracker (default: where the routes lead)"))
@click.option("--query", "words", default="", metavar="TEXT", help=tr("Only list tasks with these words"))
@click.option(
    "--propose",
    "propose",
    is_flag=True,
    help=tr("Only propose pairs of criteria and tasks with similar titles"),
)
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path), metavar="FILE",
    help=tr("Write the proposals to this file too, for a spreadsheet"),
)  # fmt: skip
@click.option(
    "--accept",
    "listed",
    default="",
    metavar="FILE|-",
    help=tr("Adopt every pair of such a list (CSV or JSON)"),
)
@click.option("--dry-run", is_flag=True, help=tr("Show what would come of it; keep nothing"))
def adopt(
    call: Call, key: str, ref: str, tracker: str, words: str, propose: bool, csv_file: Path | None, listed: str, dry_run: bool,
) -> None:  # fmt: skip
    """Adopt."""

    def work() -> Answer:
        from ticssync.errors import UsageError, say

        ways = [bool(key), bool(words), propose, bool(listed)]
        if sum(ways) != 1 or bool(key) != bool(ref) or (csv_file is not None and not propose):
            raise UsageError(
                say("say KEY and REF, or one of --query, --propose and --accept"),
                fix=say("ticssync task adopt --help"),
            )
        if words:
            return _queried(call, words, tracker)
        if propose:
            return _proposed(call, tracker, csv_file)
        return _accepted(call, listed, dry=dry_run) if listed else _one(call, key, ref, tracker, dry=dry_run)

    call.answer(work)


def _one(call: Call, key: str, ref: str, tracker: str, *, dry: bool) -> Answer:
    from ticssync.app.adopt import adopt as adopt_one
    from ticssync.app.adopt_desk import Pairing
    from ticssync.app.workspace import open_workspace

    with open_workspace(call.around) as workspace, call.screen.working(call.text("Reading …")):
        found = adopt_one(workspace, Pairing(key, ref, tracker), dry=dry)
    return Answer(found, lambda screen: _show_one(found, screen), 1 if found["conflicts"] else 0)


def _show_one(found: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    said = (
        text("{task} would adopt {key} in {tracker}.", **_names(found))
        if found["event"] is None
        else text("{task} has adopted {key} in {tracker}. Nothing was written there.", **_names(found))
    )
    screen.title(said)
    screen.line(f"  {found['title'] or ''}  {found['url']}".rstrip())
    screen.line(text("The next sync that may write changes there:"))
    rows = [
        [text(FIELDS.get(name, name)), short(change["from"]), short(change["to"])]
        for name, change in found["fields"].items()
    ]
    screen.table([text("Field"), text("Now"), text("Then")], rows, wrap=(1, 2))
    taken = [f"{text(FIELDS.get(name, name))}: {short(value)}" for name, value in found["taken"].items()]
    if taken:
        screen.line(text("Taken over from the tracker: {values}", values=" / ".join(taken)))
    for name in found["conflicts"]:
        field = text(FIELDS.get(name, name))
        screen.line(
            "! " + text("{field} differs from the task's other place: a conflict to settle", field=field),
            "yellow",
        )
    for problem in found["problems"]:
        screen.line("! " + text.said(problem), "yellow")
    if found["event"] is not None:
        screen.line(
            text(
                "Not meant? ticssync task drop {task} lets it go again, before the next sync.",
                **_names(found),
            )
        )


def _names(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("task", "key", "tracker")}


def _queried(call: Call, words: str, tracker: str) -> Answer:
    from ticssync.app.propose import query
    from ticssync.app.workspace import open_workspace

    with open_workspace(call.around) as workspace, call.screen.working(call.text("Reading …")):
        found = query(workspace, words, tracker)
    text = call.text
    rows = [
        [one["tracker"], one["key"], short(one["title"], 60), one["bound_to"] or "", one["url"]]
        for one in found["items"]
    ]
    heads = [text("Tracker"), text("Key"), text("Title"), text("Bound to"), text("Address")]
    return Answer(found, _table(heads, rows, text("No task with these words was found."), (2,)))


def _proposed(call: Call, tracker: str, csv_file: Path | None) -> Answer:
    from ticssync.app.files import write_file
    from ticssync.app.propose import as_csv, proposals
    from ticssync.app.workspace import open_workspace

    with open_workspace(call.around) as workspace, call.screen.working(call.text("Reading …")):
        found = proposals(workspace, tracker)
    if csv_file is not None:
        file = call.around.folder / csv_file
        write_file(file, as_csv(found["items"]))
        found["file"] = str(file)
    text = call.text
    rows = [
        [
            f"{one['similarity']:.0%}",
            one["task"],
            short(one["criterion_title"]),
            one["tracker"],
            one["key"],
            short(one["title"]),
        ]
        for one in found["items"]
    ]
    heads = [text("Alike"), text("Task"), text("Criterion"), text("Tracker"), text("Key"), text("Title")]
    shown = _table(heads, rows, text("No titles are alike enough to be proposed."), (2, 5))

    def show(screen: Screen) -> None:
        shown(screen)
        if csv_file is not None and rows:
            screen.line(
                text(
                    "Take out the lines that are wrong, then: ticssync task adopt --accept {file}",
                    file=str(csv_file),
                )
            )

    return Answer(found, show)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], empty: str, wrap: Sequence[int]
) -> Callable[[Screen], None]:
    return lambda screen: screen.table(heads, rows, wrap=wrap) if rows else screen.line(empty)


def _accepted(call: Call, listed: str, *, dry: bool) -> Answer:
    from ticssync.app.adopt import adopt_all
    from ticssync.app.propose import read_list
    from ticssync.app.workspace import open_workspace

    raw = sys.stdin.buffer.read() if listed == "-" else (call.around.folder / listed).read_bytes()
    pairings = read_list(raw, listed)
    with open_workspace(call.around) as workspace, call.screen.working(call.text("Reading …")):
        found = adopt_all(workspace, pairings, dry=dry)
    unsettled = found["refused"] or any(one["conflicts"] for one in found["items"])
    return Answer(found, lambda screen: _show_all(found, screen, dry=dry), 1 if unsettled else 0)


def _show_all(found: dict[str, Any], screen: Screen, *, dry: bool) -> None:
    text, items = screen.text, found["items"]
    words = (
        text("{n} tasks would be adopted.", n=len(items))
        if dry
        else text("{n} tasks are adopted. Nothing was written to the trackers.", n=len(items))
    )
    screen.title(words)
    shown = items[:MANY] if screen.fancy else items
    rows = [[one["task"], one["tracker"], one["key"], _changes(one, screen)] for one in shown]
    if rows:
        screen.table(
            [text("Task"), text("Tracker"), text("Key"), text("The next sync changes")], rows, wrap=(3,)
        )
    if len(shown) < len(items):
        screen.line(
            "  " + text("… and {n} more: {what}", n=len(items) - len(shown), what=text("adopt")), "dim"
        )
    for one in found["refused"]:
        for problem in one["problems"]:
            line = text("not adopted: {task} ← {key} ({place}): {why}", **{**one, "why": problem["message"]})
            screen.line("! " + line + (f" → {problem['fix']}" if problem["fix"] else ""), "yellow")


def _changes(one: dict[str, Any], screen: Screen) -> str:
    return " / ".join(
        f"{screen.text(FIELDS.get(name, name))}: {short(change['from'])} → {short(change['to'])}"
        for name, change in one["fields"].items()
    )
