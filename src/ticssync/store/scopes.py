"""Scopes as last taken (tables `scope` and `profile_act`), and the status changes that states derive from."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from ticssync.model.evidence import REMARK
from ticssync.store import schema
from ticssync.store.store import Transaction


def scopes(tx: Transaction) -> dict[str, dict[str, Any]]:
    """The payload of the newest `scope.taken` of each scheme."""
    table = schema.scope
    rows = tx.connection.execute(
        select(table.c.scheme, table.c.payload).where(table.c.workspace_id == tx.workspace)
    )
    found = {}
    for row in rows:
        payload = json.loads(row.payload)
        payload.pop("by", None)
        found[str(row.scheme)] = payload
    return dict(sorted(found.items()))


def profile_acts(tx: Transaction) -> dict[tuple[str, str], dict[str, Any]]:
    """(scheme, profile digest) → who confirmed exactly this profile."""
    table = schema.profile_act
    rows = tx.connection.execute(select(table).where(table.c.workspace_id == tx.workspace)).mappings()
    return {
        (row["scheme"], row["profile_digest"]): json.loads(row["payload"]) | {"seq": row["seq"]}
        for row in rows
    }


def evidence_seqs(tx: Transaction) -> dict[str, int]:
    """Criterion → number of the last event that touched its proof.  What people say beside it is none: a thank-you
    in the tracker must not undo a confirmation."""
    table = schema.evidence
    rows = tx.connection.execute(
        select(table.c.criterion, table.c.seq, table.c.payload).where(table.c.workspace_id == tx.workspace)
    )
    found: dict[str, int] = {}
    for row in rows:
        if json.loads(row.payload)["kind"] == REMARK:
            continue
        found[row.criterion] = max(found.get(row.criterion, 0), row.seq)
    return found
