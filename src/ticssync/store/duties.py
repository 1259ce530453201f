"""Certificates as taken from the configuration, and what people recorded of duties.  Both enter as events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Table, select

from ticssync.model.certificate import Certificate, DutyRecord, DutyState
from ticssync.store import schema
from ticssync.store.events import By, Event
from ticssync.store.store import Transaction


def record_duty(tx: Transaction, duty: str, record: DutyRecord, by: By) -> Event:
    """A duty was submitted or accepted (event `duty.done`), or opened again where that was a mistake."""
    payload = {
        "state": record.state.value,
        "on": record.on.isoformat(),
        "proof": record.proof,
        "note": record.note,
    }
    return tx.append("duty.done", duty, by, payload)


def duty_records(tx: Transaction) -> dict[str, DutyRecord]:
    """What is recorded, by duty id."""
    return {identity: _record(data) for identity, data in _rows(tx, schema.duty)}


def certificates(tx: Transaction) -> tuple[Certificate, ...]:
    """The certificates as last taken, by id."""
    return tuple(_certificate(identity, data) for identity, data in _rows(tx, schema.certificate))


def certificates_changed(tx: Transaction, configured: Iterable[Certificate], by: By) -> list[Event]:
    """Take the configured certificates into the log (event `certificate.taken`), those that differ only."""
    standing = {known.id: known for known in certificates(tx)}
    return [
        tx.append("certificate.taken", wanted.id, by, _printed(wanted))
        for wanted in sorted(configured, key=lambda known: known.id)
        if standing.get(wanted.id) != wanted
    ]


def _rows(tx: Transaction, table: Table) -> list[tuple[str, dict[str, Any]]]:
    query = select(table.c.id, table.c.payload).where(table.c.workspace_id == tx.workspace)
    found = [(str(row.id), json.loads(row.payload)) for row in tx.connection.execute(query)]
    return sorted(found, key=lambda pair: pair[0])


def _printed(certificate: Certificate) -> dict[str, Any]:
    return {
        "scheme": certificate.scheme,
        "body": certificate.body,
        "number": certificate.number,
        "scope": certificate.scope,
        "issued_on": certificate.issued_on.isoformat(),
        "expires_on": certificate.expires_on.isoformat(),
        "rules_confirmed": certificate.rules_confirmed,
    }


def _certificate(identity: str, data: dict[str, Any]) -> Certificate:
    return Certificate(
        id=identity, scheme=data["scheme"], body=data["body"], number=data["number"], scope=data["scope"],
        issued_on=date.fromisoformat(data["issued_on"]), expires_on=date.fromisoformat(data["expires_on"]),
        rules_confirmed=data["rules_confirmed"],
    )  # fmt: skip


def _record(data: dict[str, Any]) -> DutyRecord:
    return DutyRecord(DutyState(data["state"]), date.fromisoformat(data["on"]), data["proof"], data["note"])
