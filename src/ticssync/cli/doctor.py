"""`ticssync doctor`."""

from __future__ import annotations

from typing import Any, Final

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr

STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "red"}
SIGNS: Final = {"ok": "✓", "warn": "!", "fail": "✗"}


@click.command("doctor", help=tr("Each check ok, warn or fail, and what to do. Writes nothing."))
@common
def command(call: Call) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.app.doctor import doctor

        with call.screen.working(call.text("Looking …")):
            data = doctor(call.around)
        faults = any(one["state"] == "fail" for one in data["checks"])
        return Answer(data, lambda screen: _show(data, screen), 1 if faults else 0)

    call.answer(work)


def _show(data: dict[str, Any], screen: Screen) -> None:
    for one in data["checks"]:
        screen.line(f"{SIGNS[one['state']]} {one['message']}", STYLES[one["state"]])
        if one["fix"]:
            screen.line(f"    → {one['fix']}")
    counts = {state: sum(1 for one in data["checks"] if one["state"] == state) for state in STYLES}
    screen.line(screen.text("{ok} ok, {warn} to look at, {fail} to mend", **counts), "bold")
