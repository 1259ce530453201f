"""The log can be checked by anybody: its two formulas, written out a second time, give the same numbers."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ticssync.store import By, Store
from ticssync.store.events import Event, verify_chain
from ticssync.testing.clock import Clock


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def log() -> list[Event]:
    store = Store.memory("company", Clock())
    with store.write() as tx:
        for number in range(4):
            tx.append("test.told", f"subject {number}", By("hanako@pc", "cli", "sato"), {"words": "㊙ 髙﨑"})
    with store.read() as tx:
        return tx.events()


def test_a_payload_is_committed_together_with_its_salt() -> None:
    """Without the salt whoever sees the log could try out what a payload said that was held back."""
    events = log()

    assert [one.payload_hash for one in events] == [sha256(f"{one.salt}{one.payload}") for one in events]
    assert len({one.salt for one in events}) == len(events)
    assert all(len(one.salt or "") == 32 for one in events)


def test_each_event_is_chained_to_the_one_before() -> None:
    events = log()
    previous = "0" * 64
    for one in events:
        parts = (previous, one.seq, one.at, one.kind, one.subject, one.actor, one.payload_hash)
        assert (one.prev_hash, one.hash) == (previous, sha256("\n".join(map(str, parts))))
        previous = one.hash


@pytest.mark.parametrize(
    "name", ["at", "kind", "subject", "actor", "payload", "channel", "claimed_by", "prev_hash"]
)
def test_whatever_is_changed_afterwards_shows(name: str) -> None:
    events = log()
    events[1] = replace(events[1], **{name: "f" * 64})

    assert verify_chain(events) != ()


def test_an_event_that_was_taken_out_shows_though_the_others_are_numbered_anew() -> None:
    """With another link written over the gap its hash no longer fits."""
    first, _, third, fourth = log()
    joined = [first, replace(third, seq=2, prev_hash=first.hash), replace(fourth, seq=3)]

    assert verify_chain(joined) != ()
