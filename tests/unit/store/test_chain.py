"""What is wrong with an event log is said so that it can be translated."""

from __future__ import annotations

from dataclasses import replace

from ticssync.errors import Said
from ticssync.store import By, Event, Store
from ticssync.store.events import verify_chain
from ticssync.testing.clock import Clock
from ticssync.text import Text


def log() -> list[Event]:
    store = Store.memory("k7m2q9wx4d", Clock())
    with store.write() as tx:
        for number in range(3):
            tx.append("workspace.made", "k7m2q9wx4d", By("sato@pc"), {"number": number})
        found = tx.events()
    store.close()
    return found


def test_a_whole_log_holds():
    """Also with a payload that was erased."""
    first, *rest = log()

    assert verify_chain([replace(first, payload=None, salt=None), *rest]) == ()


def test_every_fault_is_a_sentence_with_a_translation_of_its_own():
    """English by itself, and each part under its own template: number and fault are filled in afterwards."""
    first, second, third = log()
    broken = [
        first,
        replace(second, hash="0" * 64),
        replace(third, payload='{"number":9}'),
        replace(first, seq=5, prev_hash="1" * 64, claimed_by="tanaka"),
    ]

    found = verify_chain(broken)

    assert list(found) == [
        "event 2: its hash does not fit its content",
        "event 3: it does not follow the one before",
        "event 3: its payload was changed",
        "event 5 stands where event 4 is expected",
        "event 5: it does not follow the one before",
        "event 5: its hash does not fit its content",
        "event 5: person or channel was changed",
    ]
    parts = [*found, *(one.values["what"] for one in found if "what" in one.values)]
    assert all(isinstance(one, Said) and not any(map(str.isdigit, one.template)) for one in parts)
    assert [Text("en").said(one) for one in found] == list(found)
