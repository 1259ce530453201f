"""`rebind --moved|--copied`: a person says what happened to the folder."""

from __future__ import annotations

import re
from typing import Any

from ticssync.app.files import write_file
from ticssync.app.init import new_workspace_id
from ticssync.app.links import links_file, set_aside
from ticssync.app.workspace import Workspace
from ticssync.errors import SafetyStop, say
from ticssync.store.lease import forget
from ticssync.store.renames import forget_links, rename_workspace


def moved(workspace: Workspace) -> dict[str, Any]:
    """The only store there is now lives here."""
    with workspace.store.write() as tx:
        event = tx.append("store.moved", workspace.config.workspace, workspace.by(), {})
        tx.put_meta("place", workspace.place())
        forget(tx)
    return {"event": event.seq, "workspace": workspace.config.workspace}


def copied(workspace: Workspace, *, new_id: str = "") -> dict[str, Any]:
    """A second one: it gets an id of its own, and the first one's tasks are left alone.

    The links to the trackers end here, since they belong to the first workspace.
    """
    ident = new_id or new_workspace_id()
    old = workspace.config.workspace
    file = workspace.config.file
    text = file.read_text("utf-8")
    changed, count = re.subn(rf"(\bid:\s*[\"']?){re.escape(old)}\b", rf"\g<1>{ident}", text, count=1)
    if not count:
        raise SafetyStop(
            say("{file} does not hold the workspace id in a form that can be changed", file=str(file)),
            fix=say("write id: {id} there by hand", id=ident),
        )
    with workspace.store.write() as tx:
        event = tx.append("store.copied", old, workspace.by(), {"to": ident})
        forget_links(tx)
        forget(tx)
        tx.put_meta("place", workspace.place())
        rename_workspace(tx, ident)
    # The links are the first workspace's too: both would write to the same tasks.
    set_aside(links_file(workspace.config), old)
    write_file(file, changed.encode("utf-8"))
    return {"event": event.seq, "workspace": ident, "from": old}
