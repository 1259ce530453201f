"""`init` asks the live tracker."""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from pathlib import Path
from typing import Final

from ticssync.app.discovery import (
    Asking,
    chapter_items,
    chapter_titles,
    findings,
    proposal_for,
    read_live,
)
from ticssync.app.init_answers import Answers, Explored, Start
from ticssync.app.init_file import document, draft, with_secrets, without_file
from ticssync.app.members import members
from ticssync.app.workspace import Surroundings
from ticssync.errors import UsageError, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.mapping import load_mapping
from ticssync.mapping.discover import mapping_text
from ticssync.plugin import NotSupported
from ticssync.text import Text

ALPHABET: Final = string.ascii_lowercase + string.digits


def new_workspace_id() -> str:
    """Ten lower-case letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))


def discovers(start: Start, answers: Answers) -> bool:
    """Whether the mapping comes from the live tracker: not for a table that we make ourselves, and not where a mapping
    was named."""
    return not start.kind.caps.file_batch and not answers.told(f"trackers.{start.tracker}.mapping")


def explore(around: Surroundings, answers: Answers, start: Start) -> Explored | None:
    """Ask the live tracker and propose a mapping; None where its starter mapping is used.  Nothing is left behind.

    Raises UsageError for wrong answers or a project that cannot be used, CredentialsError for a wrong key,
    RetryLaterError where the tracker cannot be reached.
    """
    if not discovers(start, answers):
        return None
    # People and roles are answered when the members are known.
    early = replace(
        answers, sets=tuple(one for one in answers.sets if not one[0].startswith(("people.", "roles.")))
    )
    around = with_secrets(around, answers, start)
    content = document(start, early, new_workspace_id(), Text(around.lang).lang)
    with draft(around, start.root, content) as (config, host):
        asking = Asking(around, host, config, config.trackers[start.tracker])
        try:
            live = read_live(asking)
        except NotSupported:
            _needs_a_starter(start)
            return None
        proposal = proposal_for(asking, live)
        day = around.clock().date().isoformat()
        text = mapping_text(proposal, source=asking.source, day=day)
        mapping = _readable(start.root, text)
        found = [
            say("{message} → {fix}", message=one.message, fix=one.fix) if one.fix else one.message
            for one in findings(asking, mapping)
            # That no field is there for the marker is among our own notes.
            if proposal.own_marker_field or one.id != "marker"
        ]
        # Our own account is no colleague; where it is the only member there is nobody else to ask.
        others = {account: name for account, name in live.schema.people.items() if account != live.account}
        people = members(others or live.schema.people, start.tracker, answers.sets)
        return Explored(
            proposal, text, people, live.account, chapter_titles(asking), chapter_items(config), (*proposal.notes, *found)
        )  # fmt: skip


def _needs_a_starter(start: Start) -> None:
    if not start.kind.starter_mappings:
        raise UsageError(
            say(
                "the kind {kind} does not tell what it offers and has no starter mapping",
                kind=start.kind.name,
            ),
            fix=say("--set trackers.{name}.mapping=FILE", name=start.tracker),
        )


def _readable(root: Path, text: str) -> TaskMapping:
    """The proposed mapping as it will be read.  Raises UsageError where a tracker's own ids make none."""
    file = root / ".mapping.draft.yaml"
    try:
        file.write_text(text, "utf-8", newline="\n")
        mapping, problems = load_mapping(file)
    finally:
        file.unlink(missing_ok=True)
    if mapping is None:
        raise UsageError(
            say("what the tracker shows makes no mapping"), problems=[without_file(one) for one in problems]
        )
    return mapping
