"""A tracker's new name in the working tables (the derived ones follow the event `tracker.renamed`)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, update

from ticssync.store import schema
from ticssync.store.hub import hub_tasks, put_hub
from ticssync.store.store import Transaction
from ticssync.store.working import clear_failure


def rename(tx: Transaction, old: str, new: str) -> None:
    """Bases, cursors, intents, hot tasks, flips and the driver's memory go under the new name."""
    for table in (
        schema.base, schema.cursor, schema.intent, schema.hot, schema.flip, schema.memory, schema.collected,
    ):  # fmt: skip
        tx.connection.execute(
            update(table)
            .where(table.c.workspace_id == tx.workspace, table.c.tracker == old)
            .values(tracker=new)
        )
    for task in hub_tasks(tx).values():
        renamed = {
            name: replace(one, tracker=new) if one.tracker == old else one
            for name, one in task.origins.items()
        }
        if renamed != task.origins:
            put_hub(tx, replace(task, origins=renamed))


def forget_tracker(tx: Transaction, name: str) -> None:
    """A tracker is used no more: where to read on and what its driver put away would mislead another one that
    comes under this name.  What was agreed on its tasks stays, for the case that they come back."""
    for table in (schema.cursor, schema.intent, schema.hot, schema.memory, schema.collected):
        tx.connection.execute(
            delete(table).where(table.c.workspace_id == tx.workspace, table.c.tracker == name)
        )
    clear_failure(tx, name)


def forget_links(tx: Transaction) -> None:
    """All working state about trackers: the tasks there are another workspace's."""
    for table in (
        schema.base, schema.cursor, schema.intent, schema.hot, schema.flip, schema.memory, schema.failure, schema.task,
        schema.collected,
    ):  # fmt: skip
        tx.connection.execute(delete(table).where(table.c.workspace_id == tx.workspace))


def rename_workspace(tx: Transaction, new: str) -> None:
    """A copied workspace gets an id of its own; every row goes under it.  The last thing in its transaction."""
    tx.finish()
    for table in schema.metadata.sorted_tables:
        tx.connection.execute(
            update(table).where(table.c.workspace_id == tx.workspace).values(workspace_id=new)
        )
