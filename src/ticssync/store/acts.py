"""Named people's acts in the store (events `act.recorded`, `profile.confirmed`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from ticssync.model.assessment import Act, ActKind
from ticssync.model.canonical import parse_instant
from ticssync.store import schema
from ticssync.store.events import By, Event
from ticssync.store.store import Transaction

_RECORDED: Final = tuple(one.name for one in fields(Act) if one.name not in {"seq", "at", "actor"})

Place = tuple[str, str, str]
"""(criterion, cycle, part): what an act is about."""


def record_act(tx: Transaction, act: Act) -> Act:
    """Write an act into the log; answers it with its number and the instant of recording.

    `act.seq` and `act.at` are not looked at.
    """
    data: dict[str, Any] = {name: getattr(act, name) for name in _RECORDED}
    data |= {
        "kind": act.kind.value,
        "on": act.on.isoformat(),
        "until": act.until.isoformat() if act.until else None,
    }
    event = tx.append("act.recorded", act.criterion, By(act.actor, act.channel, act.person), data)
    return replace(act, seq=event.seq, at=parse_instant(event.at))


def every_act(tx: Transaction, criterion: str | None = None) -> tuple[Act, ...]:
    """All acts (on one criterion) in the order of recording: withdrawals and what they took back included."""
    table = schema.act
    query = select(table.c.seq, table.c.payload).where(table.c.workspace_id == tx.workspace)
    if criterion is not None:
        query = query.where(table.c.criterion == criterion)
    found = [_act(row.seq, json.loads(row.payload)) for row in tx.connection.execute(query)]
    return tuple(sorted(found, key=lambda act: act.seq))


def acts(tx: Transaction, criterion: str | None = None) -> tuple[Act, ...]:
    """The acts that stand, in the order of recording: without withdrawals and without what they took back."""
    return standing(every_act(tx, criterion))


def standing(recorded: Iterable[Act]) -> tuple[Act, ...]:
    """What is left of these acts once every withdrawal has taken its act back."""
    listed = tuple(recorded)
    taken_back = {act.withdraws for act in listed if act.kind is ActKind.WITHDRAW}
    return tuple(act for act in listed if act.kind is not ActKind.WITHDRAW and act.seq not in taken_back)


def latest(stand: Iterable[Act]) -> Mapping[Place, Act]:
    """The last act per criterion, cycle and part.  Whether its period still runs is for the reader to see."""
    return {(act.criterion, act.cycle, act.part): act for act in sorted(stand, key=lambda act: act.seq)}


def taken_sources(tx: Transaction) -> Mapping[str, ActKind]:
    """Where acts were read from (sheet and row) → what was answered there; withdrawn ones too."""
    return {act.source: act.kind for act in every_act(tx) if act.source}


def _act(seq: int, data: Mapping[str, Any]) -> Act:
    values = {name: data[name] for name in _RECORDED if name in data}
    values |= {"kind": ActKind(data["kind"]), "on": date.fromisoformat(data["on"])}
    values["until"] = date.fromisoformat(data["until"]) if data["until"] else None
    return Act(seq=seq, actor=data["actor"], at=parse_instant(data["at"]), **values)


def confirm_profile(
    tx: Transaction,
    scheme: str,
    profile_digest: str,
    by: By,
    *,
    person_name: str,
    role: str,
    on: date,
    reason: str,
    proof: str = "",
    on_behalf: bool = False,
) -> Event:
    """A named person (`by.claimed`) stands behind exactly this profile (event `profile.confirmed`)."""
    return tx.append(
        "profile.confirmed",
        scheme,
        by,
        {
            "profile_digest": profile_digest,
            "person": by.claimed,
            "person_name": person_name,
            "role": role,
            "on": on.isoformat(),
            "reason": reason,
            "proof": proof,
            "on_behalf": on_behalf,
        },
    )
