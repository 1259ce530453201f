"""What is held enters the store as events, and comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ticssync.errors import UsageError
from ticssync.store import Store
from ticssync.store.evidence import (
    add_evidence,
    evidence_of,
    next_evidence_id,
    review_evidence,
    set_evidence_state,
)
from ticssync.store.scopes import evidence_seqs
from ticssync.store.store import erase_payload, replay

from .factory import BY, Factory, evidence


def test_a_piece_comes_back_as_it_was_added(factory: Factory):
    """Every field, nasty text and an open period included."""
    piece = evidence(
        name="髙﨑㈱〜㊙ か\u3099.pdf", note="棚3\n<b>", sha256="ab" * 32, valid_until=None, cycle="2026"
    )

    with factory.store.write() as tx:
        event = add_evidence(tx, piece, BY)

    assert factory.held() == (piece,)
    assert (event.kind, event.subject) == ("evidence.added", "E-00001")
    assert event.data["dated_on"] == "2026-04-01"
    assert event.data["valid_until"] is None


def test_numbers_never_come_back(factory: Factory):
    """A withdrawn piece and one whose words were erased still use up their numbers."""
    with factory.store.write() as tx:
        seen = []
        for _ in range(3):
            seen.append(next_evidence_id(tx))
            event = add_evidence(tx, evidence(seen[-1]), BY)
        set_evidence_state(tx, "E-00002", "withdrawn", BY, "別人の記録")
        erase_payload(tx, event.seq)

        assert seen == ["E-00001", "E-00002", "E-00003"]
        assert next_evidence_id(tx) == "E-00004"


def test_a_number_brought_from_elsewhere_is_passed_over(factory: Factory):
    """After a restore from a bundle the count goes on behind the highest number."""
    with factory.store.write() as tx:
        add_evidence(tx, evidence("E-00040"), BY)
        add_evidence(tx, evidence("X-7"), BY)

        assert next_evidence_id(tx) == "E-00041"


def test_a_known_number_is_refused(factory: Factory):
    """One piece never takes the place of another."""
    with factory.store.write() as tx:
        add_evidence(tx, evidence(), BY)
        with pytest.raises(ValueError, match="E-00001 stands in the store"):
            add_evidence(tx, evidence(name="other.pdf"), BY)

    assert factory.held() == (evidence(),)


def test_the_order_is_that_of_the_numbers(factory: Factory):
    """E-100000 comes after E-99999; one criterion can be asked for."""
    with factory.store.write() as tx:
        for number in ("E-100000", "E-99999", "E-00002"):
            add_evidence(tx, evidence(number), BY)
        add_evidence(tx, evidence("E-00001", criterion="tics/T-15"), BY)

    assert [one.id for one in factory.held("tics/T-14")] == ["E-00002", "E-99999", "E-100000"]
    assert len(factory.held()) == 4


def test_states_go_to_and_fro(factory: Factory):
    """Unreadable, good again, withdrawn: each an event with from, to and reason."""
    with factory.store.write() as tx:
        add_evidence(tx, evidence(), BY)
        set_evidence_state(tx, "E-00001", "unreadable", BY, "missing")
        assert [one.readable for one in evidence_of(tx)] == [False]
        set_evidence_state(tx, "E-00001", "held", BY, "ok")
        assert [one.readable for one in evidence_of(tx)] == [True]
        event = set_evidence_state(tx, "E-00001", "withdrawn", BY, "誤って提出")
        assert [one.withdrawn for one in evidence_of(tx)] == [True]

    plain = {name: event.data[name] for name in ("from", "to", "reason")}
    assert plain == {"from": "held", "to": "withdrawn", "reason": "誤って提出"}


@pytest.mark.parametrize("to", ["withdrawn", "unreadable"])
def test_a_withdrawn_piece_stays_withdrawn(factory: Factory, to: str):
    """A check of the locker must not make it count again, and twice is once."""
    with factory.store.write() as tx:
        add_evidence(tx, evidence(), BY)
        set_evidence_state(tx, "E-00001", "withdrawn", BY, "")

        with pytest.raises(UsageError, match="withdrawn already"):
            set_evidence_state(tx, "E-00001", to, BY, "")


def test_an_unknown_number_and_an_unknown_word_are_told(factory: Factory):
    """The number is the user's mistake, the word the program's."""
    with factory.store.write() as tx:
        with pytest.raises(UsageError, match="there is no evidence E-00009"):
            set_evidence_state(tx, "E-00009", "withdrawn", BY, "")
        with pytest.raises(ValueError, match="no state of evidence"):
            set_evidence_state(tx, "E-00009", "gone", BY, "")


def test_a_review_is_by_another_person(factory: Factory):
    """It is kept with the piece, and leaves a confirmation standing: the proof itself did not change."""
    with factory.store.write() as tx:
        added = add_evidence(tx, evidence(handed_in_by="tanaka"), BY)
        with pytest.raises(UsageError, match="another person"):
            review_evidence(tx, "E-00001", "tanaka", BY)
        review_evidence(tx, "E-00001", "suzuki", BY)

        assert [one.reviewed_by for one in evidence_of(tx)] == ["suzuki"]
        assert evidence_seqs(tx) == {"tics/T-14": added.seq}


def test_a_replayed_log_holds_the_same(factory: Factory):
    """Added, marked, reviewed, withdrawn: an empty store that reads the log answers alike."""
    with factory.store.write() as tx:
        for number in ("E-00001", "E-00002", "E-00003"):
            add_evidence(tx, evidence(number), BY)
        set_evidence_state(tx, "E-00001", "unreadable", BY, "missing")
        review_evidence(tx, "E-00002", "suzuki", BY)
        set_evidence_state(tx, "E-00003", "withdrawn", BY, "")
    with factory.store.read() as tx:
        log = tx.events()

    other = Store.memory("abcdefghij", factory.clock)
    replay(log, into=other)

    with other.read() as tx:
        assert evidence_of(tx) == factory.held()


def test_a_name_that_no_database_keeps_is_kept_as_near_as_can_be(factory: Factory):
    """A broken name of an old disk (a lone surrogate) does not stop the hand-in."""
    with factory.store.write() as tx:
        add_evidence(tx, replace(evidence(), name="\udc83\x00名簿.pdf", dated_on=date(2026, 1, 1)), BY)

    assert factory.held()[0].name.endswith("名簿.pdf")
