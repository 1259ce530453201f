"""Tasks that stand under other ids since their tracker moved, in the working tables (the derived ones follow the event
`tracker.moved`)."""

from __future__ import annotations

from collections.abc import Mapping

from ticssync.store import schema
from ticssync.store.remote_ids import rename_ids
from ticssync.store.renames import forget_tracker
from ticssync.store.store import Transaction


def move_tasks(tx: Transaction, tracker: str, moves: Mapping[str, str]) -> None:
    """What was agreed goes under the new ids; where to read on and what the driver put away is forgotten."""
    for table in (schema.base, schema.flip):
        rename_ids(tx.connection, table, tx.workspace, tracker, moves)
    forget_tracker(tx, tracker)
    tx.touched = True
