"""Which events touch the proof of a criterion: after those, and no others, a confirmation has to be given anew."""

from __future__ import annotations

import pytest

from ticssync.store.evidence import add_evidence, review_evidence, set_evidence_state
from ticssync.store.scopes import evidence_seqs

from .factory import BY, Factory, evidence


@pytest.fixture
def held(factory: Factory) -> Factory:
    with factory.store.write() as tx:
        add_evidence(tx, evidence("E-00001"), BY)
    return factory


def touched(factory: Factory) -> dict[str, int]:
    with factory.store.read() as tx:
        return evidence_seqs(tx)


def test_a_file_server_that_is_away_for_a_night_touches_nothing(held: Factory):
    """The proof is unreadable for a while and then the same as before."""
    before = touched(held)
    for state in ("unreadable", "held"):
        with held.store.write() as tx:
            set_evidence_state(tx, "E-00001", state, BY, "")

    assert touched(held) == before


def test_a_second_look_touches_nothing(held: Factory):
    before = touched(held)
    with held.store.write() as tx:
        review_evidence(tx, "E-00001", "takasaki", BY)

    assert touched(held) == before


@pytest.mark.parametrize("states", [("withdrawn",), ("withdrawn", "held")])
def test_a_piece_that_is_withdrawn_or_brought_back_does(held: Factory, states: tuple[str, ...]):
    for state in states:
        before = touched(held)
        with held.store.write() as tx:
            event = set_evidence_state(tx, "E-00001", state, BY, "別人の記録")

        assert touched(held) != before
        assert set(touched(held).values()) == {event.seq}


def test_another_piece_does(held: Factory):
    with held.store.write() as tx:
        event = add_evidence(tx, evidence("E-00002"), BY)

    assert set(touched(held).values()) == {event.seq}


def test_what_people_only_say_does_not(held: Factory):
    """A thank-you in the tracker."""
    before = touched(held)
    with held.store.write() as tx:
        add_evidence(tx, evidence("E-00002", kind="note"), BY)

    assert touched(held) == before
