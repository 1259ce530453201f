"""What our account may do with statuses, learned from the issues themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses
from plugins.redmine.tests.desk import URL, issue, marker, payload, tracker
from responses import matchers

from ticssync.plugin import Change, Done, Draft, RemoteRef, TaskKey
from ticssync.testing.clock import Clock
from ticssync.testing.opening import FakeMemory
from ticssync_redmine.workflow import Workflow

REF = RemoteRef("factory", "1")
DAY_S = 86400.0


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mocked:
        yield mocked


def workflow(memory: FakeMemory, clock: Clock, shown: list[str] | None = None) -> Workflow:
    return Workflow(memory, clock, lambda status: f"9{status}", (shown if shown is not None else []).append)


@pytest.mark.parametrize("name", ["5.0.4-shown", "6.1.5-shown"])
def test_an_issue_tells_what_may_follow(web, name: str):
    """All but the status that it has."""
    web.get(f"{URL}/issues/1.json", json=payload(name))

    moves = tracker().next_statuses([REF])

    assert [one.to_status for one in moves[REF]] == ["2", "3", "4", "5"]


def test_an_account_that_may_only_read_may_set_nothing(web):
    """An empty list is a fact, not "not known"."""
    web.get(f"{URL}/issues/1.json", json=payload("5.0.4-shown-to-reader"))

    assert tracker().next_statuses([REF]) == {REF: []}


def test_an_issue_that_cannot_be_seen_tells_nothing(web):
    web.get(f"{URL}/issues/1.json", status=403)

    assert tracker().next_statuses([REF]) == {}


def test_one_answer_serves_three_questions(web):
    """Statuses, notes and history of an issue are one request; the same question again is a new one."""
    web.get(f"{URL}/issues/1.json", json=payload("5.0.4-history"))
    driver = tracker()

    driver.next_statuses([REF])
    driver.comments([REF])
    driver.history([REF])
    assert driver.requests == 1
    driver.comments([REF])
    assert driver.requests == 2


def test_what_was_learned_holds_for_a_day():
    """Rights change: a row that is older is looked for again."""
    memory, clock = FakeMemory(), Clock()
    workflow(memory, clock).learn(issue())
    shown: list[str] = []

    clock.advance(DAY_S - 1)
    assert workflow(memory, clock, shown).after("1") == ["2", "3", "4", "5"]
    assert shown == []
    clock.advance(1)
    assert workflow(memory, clock, shown).after("1") == ()
    assert shown == ["91"]


def test_a_status_in_which_nothing_stands_is_looked_for_once():
    """Not in each cycle again, and not once more for the same status."""
    shown: list[str] = []
    found = workflow(FakeMemory(), Clock(), shown)

    assert found.after("3") == ()
    assert found.after("3") == ()
    assert shown == ["93"]


def test_a_new_answer_replaces_the_old_one():
    memory, clock = FakeMemory(), Clock()
    found = workflow(memory, clock)
    found.learn(issue())
    found.learn(issue(allowed_statuses=[{"id": 1, "name": "新規"}, {"id": 3, "name": "解決"}]))

    assert found.after("1") == ["3"]
    assert found.known() == {"1": ["1", "3"]}


def test_names_are_learned_on_the_way():
    """People read 解決, not 3; kept for the next start."""
    memory = FakeMemory()
    workflow(memory, Clock()).learn(issue())

    assert workflow(memory, Clock()).names["3"] == "解決"


def test_what_stands_in_a_status_is_found_among_our_own_kind(web):
    """One question for an issue of our tracker in that status, one to show it; the row is known then."""
    there = issue("5.0.4-shown", id=8, status={"id": 3, "name": "解決", "is_closed": False})
    asked = {"status_id": "3", "limit": "1", "sort": "id:desc", "tracker_id": "2"}
    web.get(
        f"{URL}/projects/tics/issues.json", json={"issues": [there], "total_count": 1},
        match=[matchers.query_param_matcher(asked)],
    )  # fmt: skip
    web.get(f"{URL}/issues/8.json", json={"issue": there})
    driver = tracker()

    assert driver.moves_from("3") == ["1", "2", "4", "5"]
    assert driver.moves_from("3") == ["1", "2", "4", "5"]
    assert driver.requests == 2


def test_a_redmine_that_tells_nothing_is_noticed():
    """Before 5.0: not known is not the same as not allowed."""
    found = workflow(FakeMemory(), Clock())
    plain = issue()
    del plain["allowed_statuses"]

    assert found.learn(plain) is None
    assert found.silent
    assert found.known() == {}


# ── several hops ──────────────────────────────────────────────────────────────────────────────────────


def status(number: int, name: str) -> dict[str, object]:
    return {"id": number, "name": name, "is_closed": number > 4}


def test_a_way_over_several_statuses_is_read_back_at_each(web):
    """Each move but the last by itself and looked at; the last goes with the fields."""
    address = f"{URL}/issues/1.json"
    web.put(address, status=204, match=[matchers.json_params_matcher({"issue": {"status_id": "2"}})])
    web.get(f"{URL}/issues.json", json={"issues": [issue(status=status(2, "進行中"))], "total_count": 1})
    last = {"issue": {"status_id": "3", "due_date": "2026-05-01"}}
    web.put(address, status=204, match=[matchers.json_params_matcher(last)])

    (outcome,) = tracker().update(
        [Change(REF, {"status": "review", "due": "2026-05-01"}, status_path=("2", "3"))]
    )

    assert outcome == Done(REF, None, {})


def test_a_way_that_ends_on_the_way_is_told(web):
    """204 and unchanged: where it stopped and which status was not taken, by name; the other fields go through."""
    address = f"{URL}/issues/1.json"
    web.put(address, status=204, match=[matchers.json_params_matcher({"issue": {"status_id": "2"}})])
    web.get(f"{URL}/issues.json", json={"issues": [issue(status=status(1, "新規"))], "total_count": 1})
    web.put(address, status=204, match=[matchers.json_params_matcher({"issue": {"due_date": "2026-05-01"}})])
    memory = FakeMemory()
    workflow(memory, Clock()).learn(issue())

    (outcome,) = tracker(memory=memory).update(
        [Change(REF, {"status": "review", "due": "2026-05-01"}, status_path=("2", "3"))]
    )

    assert isinstance(outcome, Done)
    assert outcome.refused["status"].startswith(
        "the way through the workflow stopped at 新規: 進行中 was not taken"
    )
    assert "Workflow" in outcome.refused["status"]


def test_a_way_that_redmine_refuses_is_told_in_its_words(web):
    web.put(f"{URL}/issues/1.json", status=422, json={"errors": ["対象バージョン を入力してください"]})

    (outcome,) = tracker().update([Change(REF, {"status": "review"}, status_path=("2", "3"))])

    assert outcome == Done(REF, None, {"status": "対象バージョン を入力してください"})


# ── how many requests ─────────────────────────────────────────────────────────────────────────────────


def test_a_new_issue_in_the_first_status_is_one_request(web):
    """The answer to the create is the state that was saved: nothing is asked for again."""
    web.post(f"{URL}/issues.json", status=201, json=payload("5.0.4-created"))
    driver = tracker()

    (outcome,) = driver.create(
        [Draft(TaskKey("tics", "T-14"), marker(), {"title": "規程", "status": "todo"})]
    )

    assert isinstance(outcome, Done)
    assert driver.requests == 1


def test_a_new_issue_in_another_status_is_three(web):
    """Made in the first status (201), moved, read back."""
    web.post(f"{URL}/issues.json", status=201, json=payload("5.0.4-created"))
    web.put(f"{URL}/issues/1.json", status=204)
    web.get(f"{URL}/issues.json", json={"issues": [issue(status=status(2, "進行中"))], "total_count": 1})
    driver = tracker()

    (outcome,) = driver.create(
        [Draft(TaskKey("tics", "T-14"), marker(), {"title": "規程", "status": "doing"})]
    )

    assert isinstance(outcome, Done)
    assert outcome.task is not None
    assert (outcome.task.fields["status"], outcome.refused, driver.requests) == ("doing", {}, 3)


def test_a_new_issue_that_may_not_stand_there_is_made_all_the_same(web):
    """204 and unchanged: the issue is done, its status is refused by name."""
    web.post(f"{URL}/issues.json", status=201, json=payload("5.0.4-created"))
    web.put(f"{URL}/issues/1.json", status=204)
    web.get(f"{URL}/issues.json", json={"issues": [issue()], "total_count": 1})

    (outcome,) = tracker().create(
        [Draft(TaskKey("tics", "T-14"), marker(), {"title": "規程", "status": "wont_do"})]
    )

    assert isinstance(outcome, Done)
    assert outcome.refused.keys() == {"status"}
