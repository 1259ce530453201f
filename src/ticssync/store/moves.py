"""Tasks that stand under other ids since their tracker moved, in the working tables (the derived ones follow the event
`tracker.moved`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ticssync.store import schema
from ticssync.store.remote_ids import is_left, rename_ids
from ticssync.store.renames import forget_tracker
from ticssync.store.store import Transaction
from ticssync.store.working import Intent, add_intents, intents

HANDED_OUT: Final = ("comment", "attach")
"""What may hang on a task since an answer was lost, and has come along with it then."""


def move_tasks(tx: Transaction, tracker: str, moves: Mapping[str, str]) -> None:
    """What was agreed goes under the new ids; where to read on and what the driver put away is forgotten.

    A note or file that may have been sent is looked for at the new place before it is sent again.
    """
    sent = [_moved(one, moves) for one in intents(tx, tracker) if one.op in HANDED_OUT]
    for table in (schema.base, schema.flip):
        rename_ids(tx.connection, table, tx.workspace, tracker, moves)
    forget_tracker(tx, tracker)
    for one in sent:
        # A task that did not come along shows nothing any more; if it is made again, it has nothing of this.
        if not is_left(str(one.payload["remote_id"])):
            add_intents(tx, [one], one.token)
    tx.touched = True


def _moved(one: Intent, moves: Mapping[str, str]) -> Intent:
    ident = str(one.payload["remote_id"])
    return replace(one, payload={**one.payload, "remote_id": moves.get(ident, ident)})
