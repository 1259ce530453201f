"""After a pass: what somebody set in the moment between our reading and our writing, and our write took back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ticssync.app.workspace import Workspace
from ticssync.evidence.written_over import written_over
from ticssync.model.task import FieldValue, RemoteRef
from ticssync.plugin import FieldChange, NotSupported
from ticssync.store import By, Transaction
from ticssync.store.collected import Place
from ticssync.sync.state import Site


def tell_written_over(
    workspace: Workspace, site: Site, status: str, ours: Collection[str], places: Sequence[Place], by: By
) -> None:
    """Keep in the log each status that our last write to one of these tasks ran over.

    `status` is the tracker's own field, `ours` are our accounts there.  Asks the history of the tasks to which we
    wrote a status; raises the errors of the door.
    """
    with workspace.store.read() as tx:
        wrote = {one.ref: change for one in places if (change := _wrote(tx, one)) is not None}
    if not (wrote and status):
        return
    try:
        histories = site.driver.history(sorted(wrote))
    except NotSupported:
        return
    for place in (one for one in places if one.ref in histories):
        before, after = wrote[place.ref]
        lost = written_over(histories[place.ref], status, site.statuses, ours, before, after)
        if lost is not None:
            _keep(workspace, place, lost, (before, site.statuses[lost.new or ""]), by)


def _wrote(tx: Transaction, place: Place) -> tuple[FieldValue, FieldValue] | None:
    """(the status that we had read, the one that we wrote) of our last write of one; None where there is none."""
    for event in reversed(tx.events(kind="task.changed", subject=str(place.key))):
        data = event.data
        change = data["fields"].get("status") if data.get("direction") == "out" else None
        if change is not None and RemoteRef(data["tracker"], data["remote_id"]) == place.ref:
            return change["from"], change["to"]
    return None


def _keep(
    workspace: Workspace, place: Place, lost: FieldChange, change: tuple[FieldValue, FieldValue], by: By
) -> None:
    payload = {
        "tracker": place.ref.tracker, "remote_id": place.ref.id, "field": "status", "from": change[0], "to": change[1],
        "entry": lost.id,
    }  # fmt: skip
    with workspace.store.write() as tx:
        known = tx.events(kind="task.overwritten", subject=str(place.key))
        if not any(one.data.get("entry") == lost.id for one in known):
            tx.append("task.overwritten", str(place.key), by, payload)
