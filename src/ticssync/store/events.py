"""The event log: facts in order, chained by commitments.

    payload_hash = SHA-256( salt ‖ payload )                                   salt: 32 hex characters
    hash         = SHA-256( prev ⏎ seq ⏎ at ⏎ kind ⏎ subject ⏎ actor ⏎ payload_hash )     ⏎ = line feed

Only commitments are chained, so a payload can be withheld (redaction) or erased (personal data) and the
chain still verifies.  None of the joined parts may hold a line feed, so the joint is unambiguous and any
language can check it.  The payload repeats the claimed person and the channel (`by`): their columns are for
queries, the payload is what is committed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ticssync.errors import Said, say
from ticssync.model.canonical import canonical_json, instant_text, plain, storable_text

GENESIS: Final = "0" * 64
"""`prev` of the first event."""


@dataclass(frozen=True, slots=True)
class By:
    """Who really acted (`actor`: account@host, or daemon), for whom (`claimed`: a person id) and which way."""

    actor: str
    channel: str = "cli"
    claimed: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log.  `payload` and `salt` are None where the payload was erased."""

    seq: int
    at: str
    kind: str
    subject: str
    actor: str
    claimed_by: str | None
    channel: str
    payload: str | None
    salt: str | None
    payload_hash: str
    prev_hash: str
    hash: str

    @property
    def data(self) -> dict[str, Any]:
        """The payload as a plain value; empty where it was erased."""
        return dict(json.loads(self.payload)) if self.payload is not None else {}


def payload_hash(salt: str, payload: str) -> str:
    """The commitment to one payload."""
    return hashlib.sha256((salt + payload).encode("utf-8")).hexdigest()


def chain_hash(prev: str, seq: int, at: str, kind: str, subject: str, actor: str, payload: str) -> str:
    """The hash that stands for the whole log up to here.  Raises ValueError for a part with a line feed."""
    parts = (prev, str(seq), at, kind, subject, actor, payload)
    if any("\n" in part for part in parts):
        raise ValueError("a line feed in a chained part would make the joint ambiguous")
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def make_event(
    previous: tuple[int, str],
    *,
    at: datetime,
    kind: str,
    subject: str,
    by: By,
    payload: Mapping[str, Any],
    salt: str,
) -> Event:
    """The next event after `previous` (its seq and hash)."""
    seq, moment = previous[0] + 1, instant_text(at)
    # What is committed is what a database keeps: a chain over half a character would never hold again.
    subject, actor = storable_text(subject), storable_text(by.actor)
    claimed = None if by.claimed is None else storable_text(by.claimed)
    told = canonical_json(plain({**payload, "by": {"channel": by.channel, "claimed": claimed}}))
    body = storable_text(told)
    committed = payload_hash(salt, body)
    return Event(
        seq, moment, kind, subject, actor, claimed, by.channel, body, salt, committed, previous[1],
        chain_hash(previous[1], seq, moment, kind, subject, actor, committed),
    )  # fmt: skip


def verify_chain(events: Iterable[Event]) -> tuple[Said, ...]:
    """What is wrong with the chain, in order; empty = every link and every payload that is there holds."""
    problems: list[Said] = []
    seq, prev = 0, GENESIS
    for event in events:
        seq += 1
        if event.seq != seq:
            problems.append(
                say("event {found} stands where event {expected} is expected", found=event.seq, expected=seq)
            )
            seq = event.seq
        problems.extend(say("event {seq}: {what}", seq=event.seq, what=what) for what in _wrong(event, prev))
        prev = event.hash
    return tuple(problems)


def _wrong(event: Event, prev: str) -> Sequence[Said]:
    wrong = []
    if event.prev_hash != prev:
        wrong.append(say("it does not follow the one before"))
    if event.hash != chain_hash(
        event.prev_hash, event.seq, event.at, event.kind, event.subject, event.actor, event.payload_hash
    ):
        wrong.append(say("its hash does not fit its content"))
    if event.payload is not None and event.payload_hash != payload_hash(event.salt or "", event.payload):
        wrong.append(say("its payload was changed"))
    elif event.payload is not None and event.data.get("by") != {
        "channel": event.channel,
        "claimed": event.claimed_by,
    }:
        wrong.append(say("person or channel was changed"))
    return wrong
