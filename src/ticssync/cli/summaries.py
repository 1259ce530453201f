"""One line about each command, for `--help`."""

from __future__ import annotations

from typing import Final

from ticssync.text import mark

SUMMARIES: Final = {
    "demo": mark("The whole job in a new folder, without network: see what it does"),
    "init": mark("Make a workspace: configuration, mapping, store, keys, folders"),
    "doctor": mark("Check everything and say how to mend what is wrong"),
    "catalog": mark("The criteria of the scheme: list, show"),
    "profile": mark("What is in scope and why; a named person confirms it"),
    "mapping": mark("Mapping files: check, preview, schema"),
    "plan": mark("What a sync would write; reads only"),
    "sync": mark("One pass: take in what changed, write what is due"),
    "status": mark("Where the company stands, per criterion"),
    "why": mark("Why a task or criterion stands as it does"),
    "conflicts": mark("What was changed on several sides: list, resolve"),
    "task": mark("Adopt, restore, drop or unfreeze a task"),
    "tracker": mark("Rename or drop a tracker"),
    "confirm": mark("A named person accepts a criterion"),
    "return": mark("A named person sends a criterion back, with a reason"),
    "exclude": mark("A named person leaves a criterion out, with a reason"),
    "withdraw": mark("Take the last act on a criterion back"),
    "sheet": mark("The confirmation sheet (Excel): export, import"),
    "evidence": mark("Evidence: add, list, check, take in the drop folders"),
    "deadlines": mark("What falls due; record what was submitted"),
    "remind": mark("Send the reminders that are due"),
    "daemon": mark("Run sync and reminders on schedule"),
    "bundle": mark("The evidence bundle for the auditor: export, verify"),
    "plugins": mark("Which plugins are loaded and allowed"),
    "backup": mark("Everything in one encrypted file"),
    "restore": mark("A workspace out of a backup, whole or not at all"),
    "rebind": mark("Make a lost store anew, or say whether it was moved or copied"),
    "migrate": mark("A tracker stands somewhere else now: its links go there"),
}
