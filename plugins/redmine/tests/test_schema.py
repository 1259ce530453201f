"""What a project offers, as a member account sees it, an administrator's, and in older Redmines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
from plugins.redmine.tests.desk import URL, issue, payload, tracker

from ticssync.plugin import Level, Unavailable
from ticssync.testing.opening import FakeMemory

PROJECT = {
    **payload("5.0.4-projects")["projects"][0],
    "issue_categories": [{"id": 4, "name": "体制とルール"}],
}


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def offered(web: responses.RequestsMock, *, project: dict[str, Any] = PROJECT, admin: bool = False) -> None:
    """The answers of a 5.0.4 to all that the schema asks."""
    web.get(f"{URL}/projects/tics.json", json={"project": project})
    web.get(f"{URL}/issue_statuses.json", json=payload("5.0.4-statuses"))
    web.get(f"{URL}/projects/tics/versions.json", json=payload("5.0.4-versions"))
    web.get(f"{URL}/enumerations/issue_priorities.json", json=payload("5.0.4-priorities"))
    web.get(f"{URL}/projects/tics/memberships.json", json=payload("5.0.4-memberships"))
    web.get(f"{URL}/projects/tics/issues.json", json=payload("5.0.4-list"))
    if admin:
        web.get(f"{URL}/custom_fields.json", json=payload("5.0.4-custom-fields"))
    else:
        web.get(f"{URL}/custom_fields.json", status=403)


def test_what_a_member_sees(web):
    """Statuses, people, choices; custom fields by number and name, found in issues where the project tells none."""
    offered(web)
    assert PROJECT["issue_custom_fields"] == []

    found = tracker().schema()

    assert found.statuses == {
        "1": "新規",
        "2": "進行中",
        "3": "解決",
        "4": "フィードバック",
        "5": "終了",
        "6": "却下",
    }
    assert found.closed_statuses == {"5", "6"}
    assert found.people == {"5": "太郎 山田", "6": "花子 佐藤"}
    assert found.choices["tracker_id"] == {"1": "バグ", "2": "機能", "3": "サポート"}
    assert found.choices["category_id"] == {"4": "体制とルール"}
    assert found.choices["priority_id"]["2"] == "通常"
    assert (
        "2026年度 年次報告" in found.choices["fixed_version_id"].values() or found.choices["fixed_version_id"]
    )
    named = {one.id: one.name for one in found.fields}
    assert named["cf_1"] == "TICS criterion"
    assert named["due_date"] == "期日"
    assert [one.required for one in found.fields if one.id == "subject"] == [True]


def test_what_an_administrator_s_key_sees(web):
    """Kinds, lengths and possible values of custom fields too."""
    offered(web, admin=True)

    fields = {one.id: one for one in tracker().schema().fields}

    assert fields["cf_2"].type == "list"
    assert "適合" in fields["cf_2"].options
    assert fields["cf_4"].type == "date"
    assert fields["cf_6"].type == "bool"


def test_members_on_several_pages(web):
    """More than a hundred members are all read; groups are no people."""
    offered(web)
    first = [{"id": n, "user": {"id": n, "name": f"人{n}"}} for n in range(1, 101)]
    second = [
        {"id": 101, "user": {"id": 101, "name": "人101"}},
        {"id": 102, "group": {"id": 102, "name": "組"}},
    ]
    web.remove(responses.GET, f"{URL}/projects/tics/memberships.json")
    for some in (first, second):
        web.get(f"{URL}/projects/tics/memberships.json", json={"memberships": some, "total_count": 102})

    found = tracker().schema()

    assert len(found.people) == 101
    assert "102" not in found.people


def test_a_project_that_cannot_be_seen(web):
    """The schema of a project that is not there is trouble, with its identifier."""
    web.get(f"{URL}/projects/tics.json", status=404)

    with pytest.raises(Unavailable, match=r"the project tics cannot be seen \(404\)"):
        tracker().schema()


# ── the project's number ──────────────────────────────────────────────────────────────────────────────


def listing(web: responses.RequestsMock, *projects: int) -> None:
    """A listing with one issue in each of these projects."""
    found = [
        issue(id=n + 1, project={"id": number, "name": f"P{number}"}) for n, number in enumerate(projects)
    ]
    web.get(f"{URL}/projects/tics/issues.json", json={"issues": found, "total_count": len(found)})


def me(web: responses.RequestsMock, *projects: int) -> None:
    """Our account, a member of these projects."""
    user = payload("5.0.4-me")["user"]
    memberships = [{"id": n, "project": {"id": n, "name": f"P{n}"}, "roles": []} for n in projects]
    web.get(f"{URL}/users/current.json", json={"user": {**user, "memberships": memberships}})


def problems(driver: Any) -> list[str]:
    return [problem for page in driver.list_changed(None) for task in page.items for problem in task.problems]


def test_the_number_is_learned_from_the_schema(web):
    """What init and doctor ask anyway: from then on an issue in another project is noticed, also after a restart."""
    offered(web)
    memory = FakeMemory()
    driver = tracker(memory=memory)
    assert driver.convert.project == ""

    driver.schema()

    assert driver.convert.project == "1"
    again = tracker(memory=memory)
    moved = issue(project={"id": 7, "name": "別の仕事"})
    assert again.convert.decode(moved).problems == ("#1 was moved to the project 別の仕事",)


def test_the_number_is_learned_from_the_first_listing_without_a_request_more(web):
    """Our account is a member of one of the listed projects: that one is ours."""
    me(web, 1)
    listing(web, 1, 1, 7)
    driver = tracker()

    assert problems(driver) == ["#3 was moved to the project P7"]
    assert len(web.calls) == 2


@pytest.mark.parametrize("memberships", [(), (7,), (1, 7)])
def test_a_listing_that_leaves_doubt_teaches_nothing_wrong(web, memberships: tuple[int, ...]):
    """Subprojects are listed too: where several or none could be ours, nobody is told that an issue was moved."""
    me(web, *memberships)
    listing(web, 1, 7) if memberships != (7,) else listing(web, 1)
    driver = tracker()

    assert problems(driver) == []
    assert driver.convert.project == ""


def test_the_number_is_learned_from_what_we_made(web):
    """A create names the project by its identifier, its answer by number: that settles it."""
    from plugins.redmine.tests.test_client import draft

    web.post(f"{URL}/issues.json", status=201, json=payload("5.0.4-created"))
    memory = FakeMemory()
    driver = tracker(memory=memory)

    driver.create([draft()])

    assert driver.convert.project == "1"
    assert tracker(memory=memory).convert.project == "1"


def test_the_number_of_another_project_is_not_ours(web):
    """After project: or url: was changed the remembered number does not count."""
    offered(web)
    memory = FakeMemory()
    tracker(memory=memory).schema()

    assert tracker(memory=memory, project="other").convert.project == ""
    assert tracker(memory=memory, url="https://other.example.test").convert.project == ""


def test_a_number_given_as_the_project_is_the_number():
    assert tracker(project="12").convert.project == "12"


def test_a_wrong_guess_is_put_right(web):
    """What Redmine says of our own identifier goes before what a listing made likely."""
    me(web, 7)
    listing(web, 7)
    driver = tracker()
    problems(driver)
    assert driver.convert.project == "7"

    driver.project_seen({"id": 1})

    assert driver.convert.project == "1"


# ── before 5.0 ────────────────────────────────────────────────────────────────────────────────────────


def old(found: dict[str, Any]) -> dict[str, Any]:
    """As Redmine 4 answers it: nothing of what closes an issue, nothing of what may follow."""
    found.pop("allowed_statuses", None)
    found["status"].pop("is_closed", None)
    return found


def test_an_old_redmine_tells_in_its_list_of_statuses_what_closes(web):
    """Known once the schema was read; kept for the next start."""
    offered(web)
    memory = FakeMemory()
    closed = old(issue("5.0.4-closed"))
    web.get(f"{URL}/issues.json", json={"issues": [closed], "total_count": 1})
    driver = tracker(memory=memory)
    ref = driver.convert.ref(1)
    assert driver.fetch([ref])[ref].task.closed is False

    driver.schema()

    assert driver.fetch([ref])[ref].task.closed is True
    assert tracker(memory=memory).fetch([ref])[ref].task.closed is True
    assert driver.fetch([ref])[ref].task.fields["status"] == "done"


def test_an_old_redmine_is_told_by_doctor(web):
    """What it cannot tell, what that means, and what to do, in one finding; nothing is invented in its place."""
    offered(web)
    web.replace(responses.GET, f"{URL}/projects/tics/issues.json",
                json={"issues": [old(issue())], "total_count": 1})  # fmt: skip
    web.get(f"{URL}/issues/1.json", json={"issue": old(issue())})
    driver = tracker()
    from ticssync_redmine import doctor_fields

    found = list(doctor_fields.statuses(driver))

    assert [(one.id, one.level) for one in found] == [("statuses.old", Level.WARN)]
    assert "older than 5.0" in found[0].message
    assert driver.next_statuses([driver.convert.ref(1)]) == {}
    assert driver.moves_from("1") == ()
