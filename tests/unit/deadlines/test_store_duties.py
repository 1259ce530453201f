"""Certificates and recorded duties in the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest
from tests.unit.deadlines.sample import MAIN, REPORT_1, SUBMITTED, WORKSPACE

from ticssync.model.certificate import DutyRecord, DutyState
from ticssync.store import By, Store
from ticssync.store.duties import certificates, certificates_changed, duty_records, record_duty
from ticssync.store.store import replay

BY = By("it@pc-07", "cli", "sato")


def clock() -> datetime:
    return datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.fixture
def store() -> Store:
    return Store.memory(WORKSPACE, clock)


def test_a_certificate_is_taken_once_and_again_only_when_it_differs(store: Store) -> None:
    renewed = replace(MAIN, issued_on=date(2028, 4, 1), expires_on=date(2031, 3, 31))

    with store.write() as tx:
        first = certificates_changed(tx, [MAIN], BY)
        second = certificates_changed(tx, [MAIN], BY)
        third = certificates_changed(tx, [renewed], BY)

    assert ([event.kind for event in first], second, len(third)) == (["certificate.taken"], [], 1)
    with store.read() as tx:
        assert certificates(tx) == (renewed,)


def test_a_recorded_duty_comes_back_as_it_was_recorded(store: Store) -> None:
    accepted = DutyRecord(DutyState.ACCEPTED, date(2026, 4, 20), note="受理通知 ㊙ 髙﨑")

    with store.write() as tx:
        record_duty(tx, REPORT_1, SUBMITTED, BY)
        event = record_duty(tx, REPORT_1, accepted, BY)

    assert (event.kind, event.claimed_by, event.actor) == ("duty.done", "sato", "it@pc-07")
    with store.read() as tx:
        assert duty_records(tx) == {REPORT_1: accepted}


def test_replaying_the_log_gives_the_same_certificates_and_records(store: Store) -> None:
    with store.write() as tx:
        certificates_changed(tx, [MAIN, replace(MAIN, id="branch")], BY)
        record_duty(tx, REPORT_1, SUBMITTED, BY)
        log = tx.events()
    again = Store.memory(WORKSPACE, clock)

    replay(log, again)

    with store.read() as one, again.read() as other:
        assert certificates(one) == certificates(other)
        assert duty_records(one) == duty_records(other)
