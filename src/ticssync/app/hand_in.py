"""`evidence add|list|check|take|withdraw`: hand-in through the drop folders and by command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.ledger import read_ledger
from ticssync.app.settle import find_criterion
from ticssync.app.standing import standings
from ticssync.app.workspace import Workspace
from ticssync.errors import RetryLaterError, UsageError, say
from ticssync.evidence.folders import RECEIVED, make_folders
from ticssync.evidence.hand_in import Candidate, Look, add_file, scan, take
from ticssync.store import Transaction
from ticssync.store.collected import gone_evidence
from ticssync.store.evidence import evidence_of, review_evidence, set_evidence_state
from ticssync.store.locker import Locker
from ticssync.store.scopes import scopes
from ticssync.text import Text
from ticssync.yamlfile import nearest

LOOKS = "hand_in:looks"


def drop_folder(workspace: Workspace) -> Path:
    """The drop folders of the shared folder, made where they are missing."""
    if not workspace.config.shared.is_dir():
        # `init` makes it.  Where it is missing a drive is not connected, and a second one must not be begun.
        raise RetryLaterError(
            say("the shared folder {path} is not there", path=str(workspace.config.shared)),
            fix=say("connect the drive, or correct workspace: shared:"),
        )
    with workspace.store.read() as tx:
        taken = scopes(tx)
    items = [item for scope in taken.values() for item in scope["items"] if item["in_scope"]]
    return make_folders(
        workspace.config.shared, items, Text(workspace.config.language(workspace.around.lang))
    )


def take_in(workspace: Workspace) -> dict[str, Any]:
    """Take what lies at rest in the drop folders; what is refused is told with the reason."""
    drop = drop_folder(workspace)
    with workspace.store.read() as tx:
        taken = scopes(tx)
        looks = {name: Look(**look) for name, look in json.loads(tx.meta(LOOKS) or "{}").items()}
    ids = [item["id"] for scope in taken.values() for item in scope["items"]]
    found = scan(drop, looks, workspace.now, ids)
    received = drop / RECEIVED
    done, refused = [], [{"file": str(name), "why": workspace.text.said(why)} for name, why in found.refused]
    for candidate in found.ready:
        try:
            done.append(_take(workspace, candidate, taken, received))
        except RetryLaterError as error:
            # One file that changes or vanishes under our hands must not keep the others waiting.
            refused.append({"file": str(candidate.relative), "why": workspace.text.said(error.message)})
        except OSError as error:
            refused.append({"file": str(candidate.relative), "why": error.strerror or str(error)})
    _remember(workspace, {str(name): asdict(look) for name, look in found.looks.items()})
    return {
        "taken": done,
        "waiting": [str(one) for one in found.waiting],
        "refused": refused,
        "folder": str(drop),
    }


def _take(
    workspace: Workspace, candidate: Candidate, taken: Mapping[str, Mapping[str, Any]], received: Path
) -> dict[str, Any]:
    one = take(
        candidate,
        store=workspace.store,
        locker=Locker(workspace.config.path(workspace.config.values.locker)),
        scopes=taken,
        by=workspace.by("drop"),
        received=received,
        zone=workspace.zone,
        handed_in_by="",
        today=workspace.today,
        lang=workspace.config.language(workspace.around.lang),
    )
    return {
        "file": str(candidate.relative),
        "ids": list(one.ids),
        "criteria": list(candidate.item_ids),
        "sha256": one.sha256,
        "moved_to": str(one.moved_to) if one.moved_to else None,
    }


def _remember(workspace: Workspace, looks: dict[str, Any]) -> None:
    with workspace.store.read() as tx:
        before = json.loads(tx.meta(LOOKS) or "{}")
    if looks != before:
        with workspace.store.write() as tx:
            tx.put_meta(LOOKS, json.dumps(looks, sort_keys=True) if looks else None)


def add(
    workspace: Workspace,
    path: Path | None,
    criteria: Sequence[str],
    *,
    kind: str,
    on: date | None,
    until: date | None,
    keep_mode: str | None,
    evidence_class: str | None,
    note: str,
    handed_in_by: str,
) -> dict[str, Any]:
    """Add one file, or a record of paper or on-site proof, for one or several criteria."""
    if path is not None and not path.is_file():
        raise UsageError(say("{file} does not exist", file=str(path)))
    if path is None and keep_mode not in ("paper", "on_site"):
        raise UsageError(say("give a file, or --paper PLACE or --on-site PLACE"))
    with workspace.store.read() as tx:
        items = [find_criterion(tx, name) for name in criteria]
        taken = scopes(tx)
    ids = add_file(
        path,
        items=items,
        kind=kind,
        dated_on=on or workspace.today,
        valid_until=until,
        keep_mode=keep_mode,
        evidence_class=evidence_class,
        note=note,
        store=workspace.store,
        locker=Locker(workspace.config.path(workspace.config.values.locker)),
        scopes=taken,
        by=workspace.by(),
        handed_in_by=handed_in_by,
    )
    return {"items": [{"id": one} for one in ids]}


def listed(workspace: Workspace, criterion: str | None = None) -> dict[str, Any]:
    """The JSON of `evidence list`."""
    with workspace.store.read() as tx:
        ref = find_criterion(tx, criterion) if criterion else None
        held, gone = evidence_of(tx, ref), gone_evidence(tx)
    return {"items": [_plain(one) | {"source_gone_at": gone.get(one.id)} for one in held]}


def _plain(one: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(one).items()
    }


def check(workspace: Workspace) -> dict[str, Any]:
    """Read every file of the locker again; a changed or missing one is recorded.  And what each item still lacks,
    and which evidence was deleted in the tracker that it came from (its bytes are kept)."""
    locker = Locker(workspace.config.path(workspace.config.values.locker))
    items = []
    with workspace.store.read() as tx:
        held = [one for one in evidence_of(tx) if not one.withdrawn and one.keep_mode == "copy"]
    for one in held:
        found = locker.verify(one.sha256)
        items.append({"id": one.id, "criterion": one.criterion, "name": one.name, "state": found})
        wanted = "held" if found == "ok" else "unreadable"
        if (wanted == "held") != one.readable:
            with workspace.store.write() as tx:
                set_evidence_state(tx, one.id, wanted, workspace.by(), found)
    with workspace.store.read() as tx:
        lacking = [
            {
                "criterion": one.ref,
                "state": one.evidence_state.value,
                "why": workspace.text.said(one.evidence_reason),
            }
            for one in standings(read_ledger(tx))
            if one.item["in_scope"] and one.evidence_state.value != "complete"
        ]
        gone = _gone(tx)
    faults = sum(1 for one in items if one["state"] != "ok")
    return {"items": items, "lacking": lacking, "gone": gone, "faults": faults}


def _gone(tx: Transaction) -> list[dict[str, Any]]:
    since = gone_evidence(tx)
    return [
        {
            "id": one.id,
            "criterion": one.criterion,
            "name": one.name,
            "source": one.source,
            "at": since[one.id],
        }
        for one in evidence_of(tx)
        if one.id in since and not one.withdrawn
    ]


def withdraw(workspace: Workspace, ident: str, reason: str) -> dict[str, Any]:
    """Evidence that no longer counts: kept, and never shown as proof again."""
    with workspace.store.write() as tx:
        if all(one.id != ident for one in evidence_of(tx)):
            raise UsageError(say("there is no evidence {id}", id=ident), fix=say("ticssync evidence list"))
        event = set_evidence_state(tx, ident, "withdrawn", workspace.by(), reason)
    return {"event": event.seq, "id": ident}


def review(workspace: Workspace, ident: str, person: str) -> dict[str, Any]:
    """A named person, other than the one who handed it in, has looked at this evidence."""
    people = workspace.config.organisation.people
    if person not in people:
        near = nearest(person, sorted(people))
        fix = say("did you mean {near}?", near=near) if near else say("add them under people:")
        raise UsageError(say("people: names nobody called {name}", name=person), fix=fix)
    with workspace.store.write() as tx:
        event = review_evidence(tx, ident, person, workspace.by("cli", person))
    return {"event": event.seq, "id": ident, "reviewed_by": person}
