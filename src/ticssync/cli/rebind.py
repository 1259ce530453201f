"""`ticssync rebind`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr

if TYPE_CHECKING:
    from ticssync.app.rebind_store import Rebuilt


@click.command(
    "rebind",
    help=tr(
        "Make a lost store anew from the trackers, links.yaml and a bundle; or say what happened to this folder: moved "
        "(the only one there is) or copied (a second one). Writes nothing to a tracker."
    ),
)
@common
@click.option("--moved", is_flag=True, help=tr("It was moved; the old place is no longer used"))
@click.option(
    "--copied",
    is_flag=True,
    help=tr("It is a copy; it gets an id of its own and leaves the first one's tasks alone"),
)
@click.option(
    "--from",
    "bundle",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help=tr("Take confirmations, exclusions, evidence and duties out of this bundle"),
)
@click.option(
    "--fingerprint",
    default="",
    metavar="SHA256:…",
    help=tr("The bundle's key fingerprint, where the company's key is lost too"),
)
def command(call: Call, moved: bool, copied: bool, bundle: Path | None, fingerprint: str) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.rebind_store import rebuild
        from ticssync.errors import UsageError, say

        if moved + copied + (bundle is not None) > 1:
            raise UsageError(say("--moved, --copied and --from exclude each other"))
        if fingerprint and bundle is None:
            raise UsageError(say("--fingerprint belongs to --from"))
        if moved or copied:
            return _settled(call, moved=moved)
        with call.screen.working(call.text("Looking at the trackers …")):
            found = rebuild(call.around, bundle=bundle, fingerprint=fingerprint)
        data = _plain(found, call)
        return Answer(data, lambda screen: _show(data, screen), 1 if found.open_ends else 0)

    call.answer(work)


def _settled(call: Call, *, moved: bool) -> Answer:
    from ticssync.app import rebind
    from ticssync.app.workspace import open_workspace

    with open_workspace(call.around) as workspace:
        data = rebind.moved(workspace) if moved else rebind.copied(workspace)
    return Answer(
        data,
        lambda screen: screen.line(call.text("This is workspace {id} from here on.", id=data["workspace"])),
    )


def _plain(found: Rebuilt, call: Call) -> dict[str, Any]:
    from ticssync.app.rebind_bundle import lost_since

    said = call.text.said
    trackers = {
        name: {**told, "notes": [said(note) for note in told["notes"]]}
        for name, told in found.trackers.items()
    }
    data: dict[str, Any] = {
        "workspace": found.workspace,
        "store": found.store,
        "trackers": trackers,
        "reminders_counted_as_sent": found.reminders,
        "bundle": None,
        "left_out": [],
    }
    if found.bundle is not None and found.restored is not None:
        origin = found.bundle.origin
        restored = {**found.restored.plain(), "files": found.files}
        data["bundle"] = {**origin.plain(), "exported_at": origin.exported_at, "restored": restored}
        data["bundle"]["lost"] = said(lost_since(origin))
        data["left_out"] = [
            {"what": said(one["what"]), "why": said(one["why"])} for one in found.restored.left_out
        ]
    return data


def _show(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(text("The store was made anew: {where}", where=data["store"]))
    heads = [
        text("Tracker"), text("By marker"), text("By links.yaml"), text("By the bundle"), text("Copies"),
        text("No longer in scope"), text("Differences"), text("Not found"),
    ]  # fmt: skip
    names = ("by_marker", "by_links", "by_bundle", "copies", "detached", "differences")
    rows = [
        [name, *(told[one] for one in names), len(told["not_found"])]
        for name, told in data["trackers"].items()
    ]
    screen.table(heads, rows)
    for name, told in data["trackers"].items():
        _tell(name, told, screen)
    _show_bundle(data, screen)
    if data["reminders_counted_as_sent"]:
        screen.line(
            text(
                "{count} reminders of the past count as sent, so that nobody gets old mail.",
                count=data["reminders_counted_as_sent"],
            )
        )
    if any(told["differences"] for told in data["trackers"].values()):
        screen.line(text("Where two sides differ you decide: ticssync conflicts list"))
    screen.line(text("Nothing was written to a tracker. What the next sync would write: ticssync plan"))


def _tell(name: str, told: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    for one in told["not_found"]:
        screen.line(
            text(
                "! {tracker} shows no task {key} ({task}) any more",
                tracker=name,
                key=one["key"],
                task=one["task"],
            )
        )
        if one["held"]:
            screen.line(
                "  "
                + text(
                    "none is made in its place; if you want one: ticssync task restore {task}",
                    task=one["task"],
                )
            )
    for note in told["notes"]:
        screen.line(f"! {note}")
    if told["without_marker"]:
        screen.line(
            text(
                "{count} tasks of {tracker} carry no marker; ticssync sync --retry-refused sets it",
                count=told["without_marker"],
                tracker=name,
            )
        )


def _show_bundle(data: dict[str, Any], screen: Screen) -> None:
    text, bundle = screen.text, data["bundle"]
    if bundle is None:
        screen.line(
            text(
                "Confirmations, exclusions and evidence are not in the trackers. With a bundle they come back: before that "
                "move this new store away, then ticssync rebind --from BUNDLE"
            )
        )
        return
    restored = bundle["restored"]
    screen.line(
        text(
            "Out of {bundle}: {acts} decisions of named people, {evidence} pieces of evidence ({files} files put back), "
            "{duties} duties",
            bundle=bundle["bundle"],
            **restored,
        )
    )
    screen.line("! " + bundle["lost"])
    if data["left_out"]:
        screen.line(text("Not in the bundle:"))
        screen.table(
            [text("What"), text("Why")], [[one["what"], one["why"]] for one in data["left_out"]], wrap=(0, 1)
        )
