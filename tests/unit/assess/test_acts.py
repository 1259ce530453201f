"""Acts in the log: written, read back, taken back, replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.assess import company

from ticssync.model.assessment import ActKind
from ticssync.store import Store
from ticssync.store.acts import acts, confirm_profile, every_act, latest, record_act, standing, taken_sources
from ticssync.store.events import By, verify_chain
from ticssync.store.scopes import profile_acts
from ticssync.store.store import replay

NOW = datetime(2026, 11, 24, 1, 2, 3, tzinfo=timezone.utc)
BY = By("office@pc-03", "cli", "takasaki")


@pytest.fixture
def store():
    made = Store.memory("ws-test", lambda: NOW)
    yield made
    made.close()


def recorded(store, *drafts):
    with store.write() as tx:
        for draft in drafts:
            record_act(tx, draft)
    with store.read() as tx:
        return acts(tx), every_act(tx)


def profile(tx):
    facts = {
        "person_name": "髙﨑 健一",
        "role": "executive",
        "on": date(2026, 11, 1),
        "reason": "現状のとおり",
    }
    return confirm_profile(tx, "tics", "d" * 64, BY, **facts)


def test_an_act_comes_back_as_it_was_recorded_with_number_and_instant_of_the_log(store):
    draft = company.act(
        seq=99, reason="㊙ 髙﨑㈱〜👍", until=date(2027, 3, 31), proof="f" * 64, self_confirmed=True,
        on_behalf=True, part="drill", cycle="2026",
    )  # fmt: skip
    with store.write() as tx:
        answered = record_act(tx, draft)
    with store.read() as tx:
        (kept,) = acts(tx)

    assert kept == answered == replace(draft, seq=1, at=NOW)


def test_the_log_names_the_criterion_the_claimed_person_and_the_real_account(store):
    recorded(store, company.act(actor="office@pc-03"))
    with store.read() as tx:
        (event,) = tx.events(kind="act.recorded")
        assert verify_chain(tx.events()) == ()

    assert (event.subject, event.claimed_by, event.actor) == ("tics/T-14", "sato", "office@pc-03")
    assert not {"seq", "at", "actor"} & event.data.keys()


def test_what_was_taken_back_is_left_out_together_with_the_taking_back(store):
    first, second = company.act(), company.act(kind=ActKind.RETURN, reason="不足")
    now, ever = recorded(store, first, second, company.act(kind=ActKind.WITHDRAW, withdraws=2))

    assert [one.kind for one in now] == [ActKind.CONFIRM]
    assert [one.kind for one in ever] == [ActKind.CONFIRM, ActKind.RETURN, ActKind.WITHDRAW]


def test_the_last_act_counts_per_criterion_cycle_and_part(store):
    drafts = [company.act(), company.act(part="drill"), company.act(cycle="2027"), company.act(reason="再")]
    now, _ = recorded(store, *drafts)

    assert {place: one.seq for place, one in latest(now).items()} == {
        ("tics/T-14", "", ""): 4,
        ("tics/T-14", "", "drill"): 2,
        ("tics/T-14", "2027", ""): 3,
    }


def test_an_answer_that_was_taken_in_once_is_known_even_after_it_was_taken_back(store):
    answer = company.act(source="sheet:a1:tics/T-14")
    recorded(store, answer, company.act("T-20"), company.act(kind=ActKind.WITHDRAW, withdraws=1))
    with store.read() as tx:
        assert taken_sources(tx) == {"sheet:a1:tics/T-14": ActKind.CONFIRM}


@given(st.lists(st.integers(0, 12), max_size=12))
def test_a_taking_back_removes_the_act_it_names_and_no_other(said):
    """A number from 1 takes that act back (when it is earlier); 0 is a new act."""
    made = [
        company.act(seq=seq, kind=ActKind.WITHDRAW, withdraws=named)
        if 0 < named < seq
        else company.act(seq=seq)
        for seq, named in enumerate(said, start=1)
    ]
    gone = {one.withdraws for one in made if one.kind is ActKind.WITHDRAW}

    assert [one.seq for one in standing(made)] == [
        one.seq for one in made if one.kind is ActKind.CONFIRM and one.seq not in gone
    ]


def test_a_replayed_log_gives_the_same_acts_and_the_same_confirmed_profile(store):
    before, _ = recorded(
        store, company.act(), company.act(kind=ActKind.WITHDRAW, withdraws=1), company.act("T-20")
    )
    with store.write() as tx:
        profile(tx)
    with store.read() as tx:
        events, profiles = tx.events(), profile_acts(tx)
    copy = Store.memory("ws-test", lambda: NOW)
    replay(events, copy)
    with copy.read() as tx:
        assert acts(tx) == before
        assert profile_acts(tx) == profiles
    copy.close()


def test_a_confirmed_profile_names_who_when_and_why(store):
    with store.write() as tx:
        event = profile(tx)
    with store.read() as tx:
        (kept,) = profile_acts(tx).values()

    assert (event.kind, event.subject, event.claimed_by) == ("profile.confirmed", "tics", "takasaki")
    assert (kept["person"], kept["on"], kept["reason"]) == ("takasaki", "2026-11-01", "現状のとおり")
