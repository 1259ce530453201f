"""Rows of tasks that stand under other ids in their tracker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, Table, delete, update

ON_ITS_WAY: Final = "moving:"
"""Stands before an id between the two steps: one task's new id may be another one's old."""
LEFT: Final = "left:"
"""Stands before the old id of a task that did not come along, where another task has that id at the new place."""


def left_behind(ident: str, used: Collection[str]) -> str:
    """An id, none of those in use, under which no tracker knows any task."""
    while (ident := f"{LEFT}{ident}") in used:
        pass
    return ident


def is_left(ident: str) -> bool:
    """Whether the tracker knows no such id, so that it must not be asked for it."""
    return ident.startswith(LEFT)


def rename_ids(
    connection: Connection, table: Table, workspace: str, tracker: str, moves: Mapping[str, str]
) -> None:
    """Give rows of the table their new remote ids; what stands under one of these already is somebody else's."""
    mine = (table.c.workspace_id == workspace, table.c.tracker == tracker)
    for taken in set(moves.values()) - set(moves):
        connection.execute(delete(table).where(*mine, table.c.remote_id == taken))
    steps = [(old, f"{ON_ITS_WAY}{old}") for old in moves]
    steps += [(f"{ON_ITS_WAY}{old}", new) for old, new in moves.items()]
    for old, new in steps:
        connection.execute(update(table).where(*mine, table.c.remote_id == old).values(remote_id=new))
