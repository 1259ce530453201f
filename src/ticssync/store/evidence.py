"""What is held as proof (table `evidence`), and how it got there.  Everything enters as an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from ticssync.errors import UsageError, say
from ticssync.model.canonical import date_text, storable_text
from ticssync.model.evidence import Evidence
from ticssync.store import schema
from ticssync.store.events import By, Event
from ticssync.store.store import Transaction

PREFIX: Final = "E-"
STATES: Final = ("held", "withdrawn", "unreadable")
_TEXTS: Final = ("name", "note", "handed_in_by")


def next_evidence_id(tx: Transaction) -> str:
    """`E-00001` and on.  Every piece ever added counts, so that a number never comes back."""
    table = schema.event
    rows = tx.connection.execute(
        select(table.c.subject).where(table.c.workspace_id == tx.workspace, table.c.kind == "evidence.added")
    )
    numbers = [_number(row.subject) for row in rows]
    return f"{PREFIX}{max([len(numbers), *numbers]) + 1:05d}"


def _number(identity: str) -> int:
    digits = identity.removeprefix(PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def add_evidence(tx: Transaction, item: Evidence, by: By, origin: Mapping[str, str] | None = None) -> Event:
    """A piece of proof is held from now on (event `evidence.added`).  Raises ValueError for a known id.

    `origin` says which part of which task it was taken from (`store.collected`).
    """
    if _row(tx, item.id) is not None:
        raise ValueError(f"evidence {item.id} stands in the store already")
    values = asdict(item)
    payload = values | {name: storable_text(values[name]) for name in _TEXTS}
    payload["dated_on"] = date_text(item.dated_on)
    payload["valid_until"] = date_text(item.valid_until)
    if origin:
        payload["origin"] = dict(origin)
    return tx.append("evidence.added", item.id, by, payload)


def set_evidence_state(tx: Transaction, evidence_id: str, to: str, by: By, reason: str) -> Event:
    """A piece is withdrawn, found unreadable, or good again (event `evidence.state`).

    Raises UsageError for an id that is not there, for a state that it has already, and for a withdrawn piece
    that would become unreadable (its withdrawal would be forgotten); ValueError for a word outside `STATES`.
    """
    if to not in STATES:
        raise ValueError(f"{to!r} is no state of evidence")
    state = _state(tx, evidence_id)
    if state == to or (state == "withdrawn" and to == "unreadable"):
        raise UsageError(say("evidence {id} is {state} already", id=evidence_id, state=_shown(state)))
    payload = {"from": state, "to": to, "reason": storable_text(reason)}
    return tx.append("evidence.state", evidence_id, by, payload)


def review_evidence(tx: Transaction, evidence_id: str, reviewer: str, by: By) -> Event:
    """Another person than the one who handed it in has looked at it (event `evidence.reviewed`).

    `reviewer` is a person id.  Raises UsageError where it is the same person, or the id is not there.
    """
    _state(tx, evidence_id)
    held = next(one for one in evidence_of(tx) if one.id == evidence_id)
    if not reviewer or reviewer == held.handed_in_by:
        raise UsageError(
            say(
                "evidence {id} must be reviewed by another person than the one who handed it in",
                id=evidence_id,
            )
        )
    return tx.append("evidence.reviewed", evidence_id, by, {"reviewed_by": storable_text(reviewer)})


def evidence_of(tx: Transaction, criterion: str | None = None) -> tuple[Evidence, ...]:
    """All pieces, withdrawn ones too, by id; of one criterion (`tics/T-14`) where it is named."""
    table = schema.evidence
    query = select(table.c.state, table.c.payload).where(table.c.workspace_id == tx.workspace)
    if criterion is not None:
        query = query.where(table.c.criterion == criterion)
    found = [_evidence(str(row.state), json.loads(row.payload)) for row in tx.connection.execute(query)]
    return tuple(sorted(found, key=lambda one: (len(one.id), one.id)))


def _evidence(state: str, data: Mapping[str, Any]) -> Evidence:
    values = {name: data[name] for name in Evidence.__dataclass_fields__ if name in data}
    until = data["valid_until"]
    values |= {
        "dated_on": date.fromisoformat(data["dated_on"]),
        "valid_until": date.fromisoformat(until) if until else None,
        "withdrawn": state == "withdrawn",
        "readable": state != "unreadable",
    }
    return Evidence(**values)


def _row(tx: Transaction, evidence_id: str) -> str | None:
    table = schema.evidence
    query = select(table.c.state).where(table.c.workspace_id == tx.workspace, table.c.id == evidence_id)
    return tx.connection.execute(query).scalar_one_or_none()


def _state(tx: Transaction, evidence_id: str) -> str:
    state = _row(tx, evidence_id)
    if state is None:
        raise UsageError(say("there is no evidence {id}", id=evidence_id), fix=say("ticssync evidence list"))
    return state


def _shown(state: str) -> str:
    return {"held": say("held"), "withdrawn": say("withdrawn"), "unreadable": say("marked as unreadable")}[
        state
    ]
