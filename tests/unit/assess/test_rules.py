"""Who may confirm, return, exclude and withdraw; and for whom it waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.assess import company

from ticssync.app.standing import standings
from ticssync.assess.rules import NOT_YET, Request, check_act, confirmer_of, nobody_for, waiting_for
from ticssync.config.people import Organisation
from ticssync.errors import say
from ticssync.model.assessment import ActKind
from ticssync.model.person import Role, RoleHolder

TODAY = company.TODAY
ASKED = Request(ActKind.CONFIRM, "tics/T-14", "sato", "sheet", date(2026, 11, 20), None, "", "")


def check(request=ASKED, **changes):
    facts = {
        "people": company.PEOPLE, "roles_of": (Role.MANAGER,), "assignees": {"tanaka"},
        "handed_in_by": {"tanaka"},
        "actor_person": "sato", "today": TODAY, "confirmable": True, "reason_not": "",
    }  # fmt: skip
    return check_act(request, **(facts | changes))


def refused(request=ASKED, **changes):
    act, problems = check(request, **changes)
    assert act is None
    return [str(one.message) for one in problems]


def test_a_manager_confirms_and_all_that_was_claimed_is_in_the_act():
    request = replace(
        ASKED, until=date(2027, 11, 19), reason="確認した㊙", proof="f" * 64, cycle="2026", part="drill"
    )
    act, problems = check(request)

    assert problems == []
    assert (act.kind, act.criterion, act.cycle, act.part) == (ActKind.CONFIRM, "tics/T-14", "2026", "drill")
    assert (act.person, act.person_name, act.role, act.channel) == ("sato", "佐藤 花子", "manager", "sheet")
    assert (act.on, act.until, act.reason, act.proof) == (request.on, request.until, "確認した㊙", "f" * 64)
    assert (act.seq, act.actor, act.at) == (0, "", NOT_YET)
    assert not act.self_confirmed
    assert not act.on_behalf


@pytest.mark.parametrize("kind", ActKind)
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.AUDITOR, Role.CONSULTANT])
def test_nobody_but_manager_and_executive_decides_anything(kind, role):
    assert len(refused(replace(ASKED, kind=kind, reason="理由"), roles_of=(role,))) == 1


@pytest.mark.parametrize(("role", "said"), [(Role.CONSULTANT, "consultant"), (Role.AUDITOR, "auditor")])
def test_a_consultant_or_auditor_never_decides_even_as_manager_and_is_told_why(role, said):
    (message,) = refused(roles_of=(Role.MANAGER, role))

    assert "佐藤 花子" in message
    assert said in message


def test_who_holds_no_role_on_that_day_is_told_the_day():
    (message,) = refused(roles_of=())

    assert "2026-11-20" in message


@pytest.mark.parametrize(
    "changes", [{"assignees": {"sato"}}, {"handed_in_by": {"sato"}}, {"handed_in_by": {"hanako"}}]
)
@pytest.mark.parametrize("kind", [ActKind.CONFIRM, ActKind.EXCLUDE])
def test_own_work_and_own_proof_may_be_confirmed_but_it_is_written_down(changes, kind):
    act, _ = check(replace(ASKED, kind=kind, reason="理由"), **changes)

    assert act.self_confirmed


def test_an_account_that_is_empty_or_another_persons_makes_no_self_confirmation():
    act, _ = check(replace(ASKED, person="tanaka"), assignees={"", "sato"}, handed_in_by={"", "髙﨑"})

    assert not act.self_confirmed


def test_sending_back_ones_own_work_is_no_self_confirmation():
    act, _ = check(replace(ASKED, kind=ActKind.RETURN, reason="不足"), assignees={"sato"})

    assert not act.self_confirmed


def test_who_is_manager_and_executive_decides_about_own_work_as_executive():
    both = (Role.MANAGER, Role.EXECUTIVE)

    assert check(roles_of=both)[0].role == "manager"
    assert check(roles_of=both, assignees={"sato"})[0].role == "executive"
    assert check(roles_of=(Role.EXECUTIVE,))[0].role == "executive"


@pytest.mark.parametrize("kind", [ActKind.RETURN, ActKind.EXCLUDE])
def test_returning_and_excluding_need_a_reason(kind):
    assert len(refused(replace(ASKED, kind=kind, reason=" 　"))) == 1
    assert check(replace(ASKED, kind=kind, reason="理由"))[0].reason == "理由"


def test_a_confirmation_needs_something_to_confirm_and_says_what_is_missing():
    (message,) = refused(confirmable=False, reason_not=say("nothing has been handed in"))

    assert "nothing has been handed in" in message
    for kind in (ActKind.RETURN, ActKind.EXCLUDE, ActKind.WITHDRAW):
        assert check(replace(ASKED, kind=kind, reason="理由"), confirmable=False)[0].kind is kind


def test_days_are_not_in_the_future_and_end_after_they_begin():
    day = timedelta(days=1)

    assert check(replace(ASKED, on=TODAY))[0].on == TODAY
    assert len(refused(replace(ASKED, on=TODAY + day))) == 1
    assert len(refused(replace(ASKED, until=ASKED.on))) == 1
    assert check(replace(ASKED, until=ASKED.on + day))[0].until == ASKED.on + day
    assert len(refused(replace(ASKED, kind=ActKind.RETURN, reason="不足", until=TODAY))) == 1


@pytest.mark.parametrize("actor", [None, "tanaka"])
def test_entering_for_somebody_else_on_the_command_line_needs_the_paper(actor):
    request = replace(ASKED, channel="cli")
    _, problems = check(request, actor_person=actor)
    act, _ = check(replace(request, proof="f" * 64), actor_person=actor)

    assert [str(one.fix) for one in problems] == ["--proof FILE"]
    assert act.on_behalf


def test_ones_own_account_or_another_way_in_is_not_on_behalf():
    assert not check(replace(ASKED, channel="cli"))[0].on_behalf
    assert not check(actor_person=None)[0].on_behalf


@pytest.mark.parametrize(
    ("typed", "meant"), [("sat", "sato"), ("佐藤 花子", "sato"), ("takasakki", "takasaki")]
)
def test_an_unknown_person_is_answered_with_the_nearest_id(typed, meant):
    act, problems = check(replace(ASKED, person=typed), roles_of=())

    assert act is None
    assert [str(one.fix) for one in problems] == [f"did you mean {meant}?"]


def test_everything_wrong_is_said_at_once():
    request = Request(ActKind.EXCLUDE, "tics/T-14", "mori", "cli", TODAY + timedelta(days=2), TODAY, "", "")

    assert len(refused(request, roles_of=(Role.MANAGER, Role.CONSULTANT, Role.AUDITOR))) == 6


def test_an_act_comes_out_exactly_when_nothing_speaks_against_it():
    reached = Counter()

    @settings(max_examples=400)
    @given(
        kind=st.sampled_from(ActKind),
        roles=st.sampled_from([{Role.MANAGER}, {Role.EXECUTIVE}, {Role.OWNER}])
        | st.sets(st.sampled_from(Role)),
        channel=st.sampled_from(["cli", "sheet", "web", "tracker"]),
        actor=st.sampled_from([None, "sato", "tanaka"]),
        reason=st.sampled_from(["", " ", "理由"]),
        proof=st.sampled_from(["", "f" * 64]),
        shift=st.integers(-2, 2),
        until=st.none() | st.integers(-2, 3),
        ready=st.booleans(),
    )
    def holds(kind, roles, channel, actor, reason, proof, shift, until, ready):
        on = TODAY + timedelta(days=shift)
        last = None if until is None else TODAY + timedelta(days=until)
        request = Request(kind, "tics/T-14", "sato", channel, on, last, reason, proof)
        act, problems = check(request, roles_of=tuple(roles), actor_person=actor, confirmable=ready)

        allowed = (
            bool(roles & {Role.MANAGER, Role.EXECUTIVE})
            and not roles & {Role.CONSULTANT, Role.AUDITOR}
            and on <= TODAY
            and (kind not in (ActKind.RETURN, ActKind.EXCLUDE) or reason == "理由")
            and (last is None or (kind in (ActKind.CONFIRM, ActKind.EXCLUDE) and last > on))
            and (kind is not ActKind.CONFIRM or ready)
            and not (channel == "cli" and actor != "sato" and not proof)
        )
        assert (act is not None) == allowed == (not problems)
        reached[allowed] += 1

    holds()
    assert reached[True] > 0
    assert reached[False] > 0


def by_person(organisation, **facts):
    waiting = waiting_for(company.waiting(**facts), organisation, TODAY)
    return {person: [one.item["id"] for one in found] for person, found in waiting.items()}


def test_what_waits_lies_with_the_manager_and_the_managers_own_items_with_the_executive():
    assert by_person(company.organisation()) == {
        "takasaki": ["T-05"],
        "sato": ["T-12", "T-14", "T-20", "T-31", "T-46"],
    }


def test_without_an_executive_the_managers_own_items_stay_with_the_manager():
    assert by_person(company.organisation(executive=[]))["sato"][0] == "T-05"


def test_an_executive_who_does_the_work_too_gives_way_to_the_next_one():
    tasks = (
        company.task("T-05", assignee="sato"),
        company.task("T-05", assignee="takasaki", key="tics/T-05.b", id="b"),
    )
    facts = {"bindings": tasks, "scopes": {"tics": {"items": [company.item("T-05")]}}}

    assert by_person(company.organisation(executive=["takasaki", "yoshida"]), **facts) == {
        "yoshida": ["T-05"]
    }
    assert by_person(company.organisation(), **facts) == {"sato": ["T-05"]}


def test_without_a_manager_it_is_the_executives_and_without_both_nobodys():
    everything = [one.item["id"] for one in company.waiting()]

    assert by_person(company.organisation(manager=[])) == {"takasaki": everything}
    nobody = company.organisation(manager=[], executive=[])
    assert by_person(nobody) == {}
    assert [one.item["id"] for one in nobody_for(company.waiting(), nobody, TODAY)] == everything


def test_the_deputy_gets_it_while_the_manager_is_away():
    away = company.organisation(manager=[("sato", None, TODAY - timedelta(days=1)), "yoshida"])

    assert by_person(away) == {"yoshida": ["T-05", "T-14", "T-20", "T-31", "T-46"], "takasaki": ["T-12"]}


def test_nothing_is_sent_to_a_consultant_who_is_named_as_manager():
    assert set(by_person(company.organisation(manager=["mori", "sato"]))) == {"sato", "takasaki"}


def test_roles_by_item_are_asked_with_the_items_own_number():
    roles = {Role.MANAGER: (("T-2*", (RoleHolder("yoshida"),)), ("*", (RoleHolder("sato"),)))}
    asked = {
        one.item["id"]: confirmer_of(one, Organisation(company.PEOPLE, roles), TODAY)
        for one in company.waiting()
    }

    assert asked["T-20"] == "yoshida"
    assert asked["T-14"] == "sato"


def test_only_what_waits_is_handed_out():
    standing = standings(company.ledger(acts=(company.act("T-20", seq=5),)))
    waiting = waiting_for(standing, company.organisation(), TODAY)

    assert "T-20" in [one.item["id"] for one in standing]
    assert "T-20" not in [one.item["id"] for found in waiting.values() for one in found]
