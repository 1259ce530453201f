"""How a pass over the trackers is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ticssync.cli.screen import Screen
from ticssync.text import Text, mark

if TYPE_CHECKING:
    from ticssync.app.sync_once import SyncResult
    from ticssync.sync.actions import Action, TrackerReport

ACTIONS: Final = {
    ("create", "out"): mark("create"),
    ("restore", "out"): mark("create again"),
    ("update", "out"): mark("write"),
    ("comment", "out"): mark("comment"),
    ("marker", "out"): mark("put right"),
    ("attach", "out"): mark("attach"),
    ("update", "in"): mark("take in"),
    ("adopt", "in"): mark("adopt"),
    ("attach", "in"): mark("take in a file"),
    ("comment", "in"): mark("take in a note"),
    ("none", "in"): mark("note"),
}
STATES: Final = {
    "ok": mark("ok"),
    "unavailable": mark("unavailable"),
    "credentials": mark("login refused"),
    "safety_stop": mark("stopped for safety"),
}
FIELDS: Final = {
    "number": mark("number"),
    "chapter": mark("chapter"),
    "title": mark("title"),
    "body": mark("what to do"),
    "status": mark("status"),
    "assignee": mark("owner"),
    "due": mark("due"),
    "evidence": mark("evidence"),
    "from_office": mark("from the office"),
    "confirmation": mark("confirmation"),
    "labels": mark("labels"),
    "priority": mark("priority"),
    "start": mark("start"),
    "marker": mark("marker"),
    "note": mark("note"),
    "file": mark("file"),
}
MANY: Final = 12
"""More lines than this of one kind are summed up on a terminal; `--json` has them all."""


def show_pass(result: SyncResult, screen: Screen, *, dry: bool) -> None:
    """Tracker by tracker: how it went, what was done, what a person has to settle."""
    text = screen.text
    for name, report in result.reports.items():
        screen.title(_headline(name, report, text, dry=dry))
        if report.message:
            screen.line("  " + text.said(report.message_said or report.message), "yellow")
        if report.fix:
            screen.line("  → " + text.said(report.fix))
        if report.word:
            screen.line(
                "  → " + text("If this is meant: ticssync sync --accept-mass-change {word}", word=report.word)
            )
        _actions(report, screen)
        _settle(report, screen)
        if dry and report.notifications:
            screen.line(
                "  " + text("At most: each write counts as one mail, however many people it goes to."), "dim"
            )
        _created(report, screen)
    if not dry and not any(report.actions for report in result.reports.values()) and result.exit_code == 0:
        screen.line(text("Nothing to do: everything is up to date."), "green")


def _headline(name: str, report: TrackerReport, text: Text, *, dry: bool) -> str:
    numbers = report.plain()
    words = (
        text(
            "{created} to create, {updated} to write, {pulled} to take in, {unchanged} unchanged",
            **_counts(numbers),
        )
        if dry
        else text(
            "{created} created, {updated} written, {pulled} taken in, {unchanged} unchanged",
            **_counts(numbers),
        )
    )
    mails = text(" · up to {n} notification mails", n=report.notifications) if report.notifications else ""
    state = "" if report.state == "ok" else f" [{text(STATES[report.state])}]"
    return f"{name}{state}: {words}{mails}"


def _counts(numbers: dict[str, object]) -> dict[str, object]:
    return {name: numbers[name] for name in ("created", "updated", "pulled", "unchanged")}


def _actions(report: TrackerReport, screen: Screen) -> None:
    text, seen = screen.text, Counter[tuple[str, str]]()
    rows = []
    for action in report.actions:
        kind = (action.action, action.direction)
        seen[kind] += 1
        if seen[kind] <= MANY or not screen.fancy:
            rows.append(_row(action, text))
    if rows:
        screen.table([text("What"), text("Task"), text("Fields")], rows, wrap=(2,))
    for (action_name, direction), count in seen.items():
        if count > MANY and screen.fancy:
            what = text(ACTIONS.get((action_name, direction), action_name))
            screen.line("  " + text("… and {n} more: {what}", n=count - MANY, what=what), "dim")


def _row(action: Action, text: Text) -> list[str]:
    what = text(ACTIONS.get((action.action, action.direction), action.action))
    if action.action in ("create", "restore"):
        fields = short(action.fields.get("title", ("", ""))[1])
    else:
        parts = [
            f"{text(FIELDS.get(name, name))}: {worded(name, old, text)} → {worded(name, new, text)}"
            for name, (old, new) in action.fields.items()
        ]
        fields = " / ".join(parts) or text.said(action.why)
    return [what, str(action.task), fields]


def short(value: object, limit: int = 40) -> str:
    """A value on one line."""
    words = "—" if value in (None, "") else str(value).replace("\n", " ")
    return words if len(words) <= limit else words[: limit - 1] + "…"


def worded(name: str, value: object, text: Text, limit: int = 40) -> str:
    """A field's value as people say it; `--json` has the value itself."""
    if name == "status":
        from ticssync.app.history import STATUSES

        if str(value) in STATUSES:
            return STATUSES[str(value)].in_language(text.lang)
    return short(value, limit)


def all_sides(conflict: Mapping[str, Any], text: Text) -> str:
    """All sides' values of a conflict on one line."""
    return " / ".join(
        f"{side}: {worded(conflict['field'], value, text)}" for side, value in conflict["values"].items()
    )


def _created(report: TrackerReport, screen: Screen) -> None:
    """What was made, with where it stands and how to take it back by hand."""
    if not report.created_keys:
        return
    from ticssync.app.created import undo_words

    text = screen.text
    screen.line("  " + text("Created in {tracker}:", tracker=report.name))
    shown = report.created_keys[:MANY] if screen.fancy else report.created_keys
    for one in shown:
        screen.line("    " + "  ".join(filter(None, (one["key"], one["task"], one["url"]))))
    if len(shown) < len(report.created_keys):
        more = len(report.created_keys) - len(shown)
        screen.line("    " + text("… and {n} more: {what}", n=more, what=text("create")), "dim")
    if report.created_list:
        screen.line("  " + text("The whole list: {file}", file=report.created_list))
    screen.line("  " + undo_words(text))


def _settle(report: TrackerReport, screen: Screen) -> None:
    text = screen.text
    for refusal in report.refusals:
        line = text(
            "refused: {task} {field} ← {wanted} ({why})",
            task=refusal["task"],
            field=text(FIELDS.get(refusal["field"].partition(":")[0], refusal["field"])),
            wanted=worded(refusal["field"], refusal["wanted"], text),
            why=text.said(refusal["why"]),
        )
        screen.line("  ! " + line, "yellow")
    for conflict in report.conflicts:
        screen.line(
            "  ! "
            + text(
                "conflict {id}: {task} {field} ({sides}), taken: {taken}",
                id=conflict["id"],
                task=conflict["task"],
                field=text(FIELDS.get(conflict["field"], conflict["field"])),
                sides=all_sides(conflict, text),
                taken=worded(conflict["field"], conflict["taken"], text),
            ),
            "yellow",
        )
    for notice in report.notices:
        if notice["level"] != "ok":
            screen.line(
                f"  ! {notice['message']}" + (f" → {notice['fix']}" if notice["fix"] else ""), "yellow"
            )
    for waiting in report.waiting:
        screen.line("  … " + text("{task}: waiting until the tracker shows what became of it", task=waiting))
