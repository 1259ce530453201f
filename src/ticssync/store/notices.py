"""The reminder ledger: what was claimed, what was sent.  Working state of one store, no part of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from ticssync.model.canonical import canonical_json, instant_text
from ticssync.model.notice import NoticeKey, NoticeRow
from ticssync.store import schema
from ticssync.store.projection import put
from ticssync.store.store import Transaction

_TABLE = schema.notice


def notices(tx: Transaction) -> tuple[NoticeRow, ...]:
    """Every row of the ledger, in the order of its keys."""
    return _read(tx)


def claim(tx: Transaction, rows: Sequence[NoticeRow], seen: Mapping[NoticeKey, NoticeRow]) -> bool:
    """Compare and set: claim all rows, if each still stands as it was `seen` (absent where not seen).

    False, and nothing written, where another process was faster.
    """
    mentioned = (
        _TABLE.c.duty.in_({row.duty for row in rows}),
        _TABLE.c.person.in_({row.person for row in rows}),
    )
    standing = {row.key: row for row in _read(tx, *mentioned)}
    if any(standing.get(row.key) != seen.get(row.key) for row in rows):
        return False
    for row in rows:
        key = {"duty": row.duty, "person": row.person, "step": row.step}
        put(tx.connection, _TABLE, tx.workspace, key, _values(row))
    return True


def record_sent(tx: Transaction, message_id: str, at: datetime) -> int:
    """The message was taken by the other side; how many reminders it carried."""
    done = update(_TABLE).where(*_unsent(tx, message_id)).values(sent_at=instant_text(at))
    return int(tx.connection.execute(done).rowcount)


def release(tx: Transaction, message_id: str, claimed_at: datetime) -> int:
    """The message was certainly not taken: the reminders of exactly this claim are due again.

    A claim that another process has taken up since then is left alone.
    """
    mine = _TABLE.c.claimed_at == instant_text(claimed_at)
    return int(tx.connection.execute(delete(_TABLE).where(*_unsent(tx, message_id), mine)).rowcount)


def _read(tx: Transaction, *where: ColumnElement[bool]) -> tuple[NoticeRow, ...]:
    query = select(_TABLE).where(_TABLE.c.workspace_id == tx.workspace, *where)
    found = [_row(dict(raw)) for raw in tx.connection.execute(query).mappings() if raw["claimed_at"]]
    return tuple(sorted(found, key=lambda row: row.key))


def _unsent(tx: Transaction, message_id: str) -> list[ColumnElement[bool]]:
    mine = (_TABLE.c.workspace_id == tx.workspace, _TABLE.c.message_id == message_id)
    return [*mine, _TABLE.c.sent_at.is_(None)]


def _values(row: NoticeRow) -> dict[str, Any]:
    return {
        "due_on": row.on.isoformat(),
        "claimed_at": instant_text(row.claimed_at),
        "sent_at": None if row.sent_at is None else instant_text(row.sent_at),
        "message_id": row.message_id,
        "payload": canonical_json({"day": row.day.isoformat(), "role": row.role, "tries": row.tries}),
    }


def _row(raw: Mapping[str, Any]) -> NoticeRow:
    payload = json.loads(raw["payload"])
    return NoticeRow(
        duty=raw["duty"],
        person=raw["person"],
        step=raw["step"],
        on=date.fromisoformat(raw["due_on"]),
        day=date.fromisoformat(payload["day"]),
        role=payload["role"],
        message_id=raw["message_id"],
        # Not parse_instant: strptime takes fifty times as long, and the ledger is read whole at each pass.
        claimed_at=datetime.fromisoformat(raw["claimed_at"]),
        sent_at=datetime.fromisoformat(raw["sent_at"]) if raw["sent_at"] else None,
        tries=payload["tries"],
    )
