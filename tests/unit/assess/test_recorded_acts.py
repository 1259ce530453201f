"""Named people's acts in the store: what was recorded comes back, and a withdrawal takes back one act."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from ticssync.model.assessment import Act, ActKind
from ticssync.store import By, Store, Transaction
from ticssync.store.acts import acts, confirm_profile, every_act, latest, record_act, taken_sources
from ticssync.store.events import verify_chain
from ticssync.store.scopes import profile_acts
from ticssync.store.store import replay

NOW = datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=timezone.utc)
WORKSPACE = "k7m2q9wx4d"
ANY = datetime.min.replace(tzinfo=timezone.utc)


@pytest.fixture
def store() -> Store:
    return Store.memory(WORKSPACE, lambda: NOW)


def draft(kind: ActKind = ActKind.CONFIRM, criterion: str = "tics/T-14", **values: object) -> Act:
    act = Act(
        0, kind, criterion, "", "sato", "髙﨑 花子㊙", "manager", "admin@pc-12", "sheet",
        date(2026, 11, 20), ANY,
        reason="〜まで確認 👍", proof="ab" * 32,
    )  # fmt: skip
    return replace(act, **values)  # type: ignore[arg-type]


def record(tx: Transaction, *drafts: Act) -> list[Act]:
    return [record_act(tx, one) for one in drafts]


def test_what_was_recorded_comes_back_whole(store: Store) -> None:
    """Every value, text byte for byte; number and instant are the log's."""
    full = draft(
        until=date(2027, 11, 20),
        self_confirmed=True,
        on_behalf=True,
        part="drill",
        cycle="2026",
        source="sheet:1:T-14",
    )
    with store.write() as tx:
        recorded = record_act(tx, full)
    with store.read() as tx:
        (found,) = acts(tx)

    assert found == recorded == replace(full, seq=1, at=NOW)


def test_the_event_says_who_acted_for_whom_and_which_way(store: Store) -> None:
    """Account, claimed person and channel are kept apart."""
    with store.write() as tx:
        record_act(tx, draft())
        (event,) = tx.events(kind="act.recorded", subject="tics/T-14")

    assert (event.actor, event.claimed_by, event.channel) == ("admin@pc-12", "sato", "sheet")


def test_a_withdrawal_takes_back_its_act_and_no_other(store: Store) -> None:
    """The act before it stands again; all that was ever recorded stays readable."""
    with store.write() as tx:
        first, second = record(tx, draft(), draft(ActKind.RETURN))
        record(tx, draft(ActKind.WITHDRAW, withdraws=second.seq))

        assert acts(tx) == (first,)
        assert [one.kind for one in every_act(tx)] == [ActKind.CONFIRM, ActKind.RETURN, ActKind.WITHDRAW]


def test_acts_are_read_per_criterion_in_the_order_of_recording(store: Store) -> None:
    """Not in the order of the days that people give."""
    with store.write() as tx:
        record(tx, draft(), draft(criterion="tics/T-15"), draft(ActKind.RETURN, on=date(2026, 1, 1)))

        assert [one.seq for one in acts(tx, "tics/T-14")] == [1, 3]


def test_the_latest_act_is_kept_per_criterion_cycle_and_part(store: Store) -> None:
    """One part's act is never another's."""
    with store.write() as tx:
        record(tx, draft(part="plan"), draft(part="drill"), draft(ActKind.RETURN, part="plan"))
        found = latest(acts(tx))

    assert {place: act.seq for place, act in found.items()} == {
        ("tics/T-14", "", "plan"): 3,
        ("tics/T-14", "", "drill"): 2,
    }


def test_a_line_that_was_read_before_is_known_even_after_its_act_was_withdrawn(store: Store) -> None:
    """The same sheet, imported again, does not bring back what a person took back."""
    with store.write() as tx:
        (taken,) = record(tx, draft(source="sheet:ab12:tics/T-14"))
        record(tx, draft(ActKind.WITHDRAW, withdraws=taken.seq))

        assert dict(taken_sources(tx)) == {"sheet:ab12:tics/T-14": ActKind.CONFIRM}


def test_a_profile_is_confirmed_by_a_named_person_for_exactly_its_content(store: Store) -> None:
    """Another digest is another profile and asks again."""
    with store.write() as tx:
        confirm_profile(
            tx, "tics", "d1", By("admin@pc-12", "cli", "sato"), person_name="佐藤 花子", role="manager",
            on=date(2026, 11, 20), reason="試作棟なし", proof="cd" * 32,
        )  # fmt: skip
        found = profile_acts(tx)

    assert set(found) == {("tics", "d1")}
    assert (found["tics", "d1"]["person"], found["tics", "d1"]["reason"]) == ("sato", "試作棟なし")


def test_the_log_alone_brings_all_acts_back(store: Store) -> None:
    """Replayed into an empty store, they read the same, and the chain holds."""
    with store.write() as tx:
        _, second = record(tx, draft(), draft(ActKind.RETURN))
        record(tx, draft(ActKind.WITHDRAW, withdraws=second.seq))
    with store.read() as tx:
        events, before = tx.events(), (acts(tx), every_act(tx))
    again = Store.memory(WORKSPACE, lambda: NOW)
    replay(events, again)
    with again.read() as tx:
        after = (acts(tx), every_act(tx))

    assert after == before
    assert verify_chain(events) == ()
