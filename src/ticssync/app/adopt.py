"""`task adopt`: a task that stands in a tracker already becomes the task of a criterion.

The link goes into the store and into links.yaml at once; nothing is written to the tracker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ticssync.app.adopt_desk import Desk, Pairing, at_desk, candidate, refused
from ticssync.app.adopted import Adoption, Candidate, adoption, against, bind, difference
from ticssync.app.display import display_for
from ticssync.app.ledger import read_ledger
from ticssync.app.links import Link, links_file, put_links, trusted
from ticssync.app.sync_once import read_now, settle_in
from ticssync.app.workspace import Workspace
from ticssync.errors import Problem, UsageError
from ticssync.model.canonical import instant_text, plain
from ticssync.store.working import intents
from ticssync.sync.state import read_known


def adopt(workspace: Workspace, pairing: Pairing, *, dry: bool = False) -> dict[str, Any]:
    """Adopt one task.  With `dry` nothing is kept: what it would come to is told.

    Raises UsageError with everything that stands against it.
    """
    with at_desk(workspace, (pairing.tracker,) if pairing.tracker else ()) as desk:
        if not dry:
            trusted(links_file(workspace.config))
            settle_in(workspace, desk.scopes)
        return _adopt(desk, pairing, dry=dry)


def adopt_all(workspace: Workspace, pairings: Sequence[Pairing], *, dry: bool = False) -> dict[str, Any]:
    """Adopt each pair of a list: `items` are those that were, `refused` those that were not, with the reasons."""
    found: dict[str, Any] = {"items": [], "refused": []}
    with at_desk(workspace) as desk:
        if not dry:
            trusted(links_file(workspace.config))
            settle_in(workspace, desk.scopes)
        for one in pairings:
            try:
                found["items"].append(_adopt(desk, one, dry=dry))
            except UsageError as error:
                reasons = error.problems or (Problem(error.message, fix=error.fix),)
                found["refused"].append(_refused(workspace, one, reasons))
    return found


def _refused(workspace: Workspace, one: Pairing, reasons: Sequence[Problem]) -> dict[str, Any]:
    said = workspace.text.said
    return {
        "task": one.key,
        "key": one.ref,
        "place": one.place,
        "problems": [{"message": said(reason.message), "fix": said(reason.fix)} for reason in reasons],
    }


def _adopt(desk: Desk, pairing: Pairing, *, dry: bool) -> dict[str, Any]:
    one = candidate(desk, pairing)
    workspace = desk.workspace
    on = workspace.today.isoformat()
    with workspace.store.read() as tx:
        known = read_known(tx, (one.site.name,))
        problems = against(one, tx.workspace, known.bindings, intents(tx, one.site.name))
        ledger = read_now(read_ledger(tx, workspace.today), workspace.today, tuple(workspace.config.trackers))
    if problems:
        raise refused(pairing, problems)
    made = adoption(one, known.workspace, known.bindings, known.hub.get(one.key), on)
    # Shown as it was before anything is kept, by what the next sync decides with.
    fields = difference(
        one, made, known, display_for(ledger, {name: dict(scope) for name, scope in desk.scopes.items()})
    )
    shown = _plain(one, made, {name: {"from": plain(a), "to": plain(b)} for name, (a, b) in fields.items()})
    if dry:
        return {"event": None, **shown, "links": ""}
    file = links_file(workspace.config)
    with workspace.store.write() as tx:
        problems, _, event = bind(tx, one, workspace.by(), workspace.now, on)
        if problems:
            raise refused(pairing, problems)
        # Inside the transaction: where the file cannot be written, nothing has happened.
        link = Link(
            one.key,
            one.site.name,
            one.task.ref.id,
            one.task.key,
            workspace.around.actor,
            instant_text(tx.now),
        )
        put_links(file, [link], workspace.config.language(workspace.around.lang))
    return {"event": event, **shown, "links": str(file)}


def _plain(one: Candidate, made: Adoption, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task": str(one.key), "tracker": one.site.name, "key": one.shown, "id": one.task.ref.id, "url": one.task.url,
        "title": one.task.fields.get("title"), "fields": fields, "taken": plain(made.values),
        "conflicts": list(made.open_fields), "problems": list(one.task.problems),
    }  # fmt: skip
