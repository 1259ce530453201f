"""`ticssync daemon`."""

from __future__ import annotations

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.command(
    "daemon", help=tr("Run sync, hand-in and reminders on schedule until stopped (Ctrl+C, SIGTERM).")
)
@common
@click.option("--once", "one_time", is_flag=True, help=tr("Everything that is due, one time (for cron)"))
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help=tr("Seconds between two syncs"),
)
def command(call: Call, one_time: bool, every: int) -> None:
    """Run it."""

    def work() -> Answer:
        from ticssync.daemon import Daemon, once, stop_signals

        if one_time:
            found = once(call.around)
            data = {"sync": found.sync, "evidence": found.evidence, "remind": found.remind}

            def show(screen: Screen) -> None:
                for name, report in found.sync["trackers"].items():
                    screen.line(
                        call.text(
                            "{name}: {created} created, {updated} written, {pulled} taken in",
                            name=name,
                            created=report["created"],
                            updated=report["updated"],
                            pulled=report["pulled"],
                        )
                    )
                screen.line(call.text("evidence: {n} taken in", n=len(found.evidence["taken"])))
                screen.line(call.text("reminders: {n} sent", n=len(found.remind.get("sent", []))))

            return Answer(data, show, found.exit_code)
        daemon = Daemon(call.around, sync_every_s=every)
        call.screen.note(call.text("Running; stop with Ctrl+C."))
        with stop_signals(daemon):
            code = daemon.run()
        return Answer({"stopped": True}, lambda screen: screen.line(call.text("Stopped.")), code)

    call.answer(work)
