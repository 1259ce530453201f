"""`ticssync bundle`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ticssync.cli.report import Answer, Call, common
from ticssync.cli.screen import Screen
from ticssync.cli.words import tr


@click.group("bundle", help=tr("The evidence bundle for the auditor."))
def command() -> None:
    """The group."""


@command.command("export", help=tr("Write the bundle: one ZIP that opens with nothing installed, signed."))
@common
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("bundles"),
    help=tr("Target folder (default: bundles beside ticssync.yaml)"),
)
@click.option("--purpose", default="first", help=tr("What for: first, report-2026, renewal-2028 …"))
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help=tr("The day that the states speak of (default: the last sync)"),
)
@click.option("--handling-class", default="", help=tr("Handling class printed on the cover"))
@click.option("--preview", is_flag=True, help=tr("Only say what would go in and what stays out"))
def export(
    call: Call, out: Path, purpose: str, as_of: datetime | None, handling_class: str, preview: bool
) -> None:
    """Export."""

    def work() -> Answer:
        from ticssync.app.bundle import bundle_export, bundle_plan
        from ticssync.app.workspace import open_workspace

        day = as_of.date() if as_of else None
        with open_workspace(call.around) as workspace, call.screen.working(call.text("Exporting …")):
            if preview:
                plan = bundle_plan(workspace, purpose, day, handling_class)
                left = [
                    {"what": one.what, "why": one.why.in_language(call.around.lang)} for one in plan.left_out
                ]
                data: dict[str, Any] = {
                    "files": len(plan.files),
                    "paths": [one.path for one in plan.files],
                    "left_out": left,
                }
                return Answer(data, lambda screen: _preview(data, screen))
            done = bundle_export(workspace, workspace.config.path(out), purpose, day, handling_class)
        data = done.plain(call.around.lang)
        return Answer(data, lambda screen: _exported(data, screen))

    call.answer(work)


def _preview(data: dict[str, Any], screen: Screen) -> None:
    for path in data["paths"]:
        screen.line(path)
    _left_out(data, screen)


def _exported(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    screen.title(text("Bundle: {path}", path=data["path"]))
    screen.line(
        text(
            "{files} files, {bytes} bytes, snapshot {snapshot}",
            files=data["files"],
            bytes=data["bytes"],
            snapshot=data["snapshot"][:8],
        )
    )
    screen.line(text("SHA-256 {sha}", sha=data["sha256"]))
    screen.line(
        text(
            "Key fingerprint {fingerprint} — hand it to the auditor beforehand, by another way",
            fingerprint=data["key_fingerprint"],
        )
    )
    _left_out(data, screen)


def _left_out(data: dict[str, Any], screen: Screen) -> None:
    if data["left_out"]:
        screen.line(screen.text("Stays in the house:"))
        screen.table(
            [screen.text("What"), screen.text("Why")],
            [[one["what"], one["why"]] for one in data["left_out"]],
            wrap=(0, 1),
        )


@command.command("verify", help=tr("Five answers: readable, complete, unaltered, authentic, time."))
@common
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--fingerprint", metavar="SHA256:…", help=tr("The key fingerprint that was handed over beforehand")
)
def verify(call: Call, file: Path, fingerprint: str | None) -> None:
    """Verify."""

    def work() -> Answer:
        from ticssync.bundle.verify import verify as judge

        verdict = judge(file, expected_fingerprint=fingerprint)
        data = verdict.plain()
        data["problems"] = [
            {"path": one["path"], "problem": call.text.said(one["problem"])} for one in data["problems"]
        ]
        return Answer(data, lambda screen: _verdict(data, screen), 0 if verdict.flawless else 1)

    call.answer(work)


def _verdict(data: dict[str, Any], screen: Screen) -> None:
    text = screen.text
    words = {True: text("yes"), False: text("NO"), None: text("cannot be said")}
    authentic = (
        text("waiting for comparison (give --fingerprint)")
        if data["authentic"] is None
        else words[data["authentic"]]
    )
    rows = [
        [text("readable"), words[data["readable"]]],
        [text("complete"), words[data["complete"]]],
        [text("unaltered"), words[data["unaltered"]]],
        [text("authentic"), authentic],
        [
            text("time"),
            text("no timestamp inside") if data["timestamp"] is None else words[data["timestamp"]],
        ],
    ]
    screen.table([text("Question"), text("Answer")], rows)
    screen.line(text("Key fingerprint inside: {fingerprint}", fingerprint=data["key_fingerprint"] or "—"))
    for one in data["problems"]:
        screen.line(f"! {one['path']}: {one['problem']}", "red")
