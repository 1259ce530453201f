"""A task of the company's own becomes the task of a criterion; nothing is written to the tracker by that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.app.office import Office, outgoing
from ticssync.app import rebind, settle
from ticssync.app.adopt import adopt, adopt_all
from ticssync.app.adopt_desk import Pairing
from ticssync.app.links import read_links
from ticssync.app.propose import as_csv, proposals, query, read_list
from ticssync.errors import RetryLaterError, UsageError
from ticssync.model.key import Marker, TaskKey
from ticssync.store.hub import hub_tasks
from ticssync.store.working import intents
from ticssync.testing.wire import Fault, Issue, Listing

OWN = {"件名": "規程を書く", "説明": "去年からの課題です。", "状態": "対応中"}
"""What the company wrote in its own task."""


def own(office: Office, tracker: str = "a", **fields: Any) -> Issue:
    return office.server(tracker).person_creates({**OWN, **fields})


def adopted(
    office: Office, key: str = "T-01", ref: str = "", tracker: str = "", **more: Any
) -> dict[str, Any]:
    with office.open() as workspace:
        return adopt(
            workspace, Pairing(key, ref or office.server(tracker or "a").issues()[-1].key, tracker), **more
        )


def refused(office: Office, *words: str, **more: Any) -> list[str]:
    """The reasons, in words."""
    with pytest.raises(UsageError) as caught:
        adopted(office, *words, **more)
    assert all(one.fix for one in caught.value.problems)
    return [one.message for one in caught.value.problems]


def links(office: Office) -> list[tuple[str, str, str]]:
    found, problems = read_links(office.root / "links.yaml")
    assert problems == []
    return [(str(one.task), one.tracker, one.id) for one in found]


def now_and_then(found: dict[str, Any], *names: str) -> dict[str, tuple[Any, Any]]:
    return {name: (found["fields"][name]["from"], found["fields"][name]["to"]) for name in names}


# -- what adopting does


def test_the_link_is_kept_in_store_and_file_and_nothing_is_written(office: Office) -> None:
    issue = own(office)
    found = adopted(office)

    assert office.server().issues() == [issue]
    assert (office.bound("T-01")["a"].ref.id, office.bound("T-01")["a"].state.value) == (issue.id, "live")
    assert links(office) == [("tics/T-01", "a", issue.id)]
    assert (found["key"], found["url"]) == ("FAKE-1", "https://fake.example/FAKE-1")


@pytest.mark.parametrize("ref", ["FAKE-1", "https://fake.example/FAKE-1", "10001"])
def test_a_task_is_named_by_key_address_or_id(office: Office, ref: str) -> None:
    own(office)

    assert adopted(office, "tics/T-01", ref)["id"] == "10001"


def test_the_difference_is_what_the_next_sync_writes(office: Office) -> None:
    issue = own(office)
    found = adopted(office)
    planned = office.sync(dry=True).reports["a"]
    office.sync()
    after = office.server().issue(issue.id).fields

    assert now_and_then(found, "title", "body", "marker") == {
        "title": ("規程を書く", "項目T-01"),
        "body": ("去年からの課題です。", after["説明"]),
        "marker": (None, str(Marker("k7m2q9wx4d", TaskKey("tics", "T-01")))),
    }
    shown = {
        name: change
        for one in planned.actions
        if one.task.item == "T-01"
        for name, change in one.fields.items()
    }
    assert shown == {name: (change["from"], change["to"]) for name, change in found["fields"].items()}
    assert (after["件名"], after["目印"]) == ("項目T-01", found["fields"]["marker"]["to"])


def test_the_company_s_own_work_wins(office: Office) -> None:
    """Status and owner stay as the company has them; no conflict is made of it."""
    issue = own(office, 担当=None)
    found = adopted(office)
    office.settle()

    assert found["taken"]["status"] == "doing"
    assert office.server().issue(issue.id).fields["状態"] == "対応中"
    assert office.conflicts() == ()
    assert office.criterion("T-01")["task_status"] == "doing"


def test_what_a_person_does_between_adopting_and_the_first_sync_is_taken_in(office: Office) -> None:
    issue = own(office)
    adopted(office)
    office.clock.advance(60)
    office.server().person_sets(issue.id, {"状態": "完了"})
    office.settle()

    assert (office.conflicts(), office.criterion("T-01")["task_status"]) == ((), "done")
    assert office.server().issue(issue.id).fields["状態"] == "完了"


def test_no_second_task_is_made_for_the_key(office: Office) -> None:
    own(office)
    adopted(office)
    office.settle()

    assert sorted(office.issues()) == ["T-01", "T-02"]


def test_what_the_company_had_written_stays_in_the_log(office: Office) -> None:
    own(office)
    adopted(office)

    assert office.events("task.bound")[0].data["fields"]["body"] == "去年からの課題です。"
    assert office.keeps_the_law_of_replay()


def test_a_task_that_a_delta_listing_does_not_show_gets_its_marker_too(office: Office) -> None:
    """The tracker lists only what changed since the last look, and the adopted task was written years ago."""
    issue = own(office)
    office.sync(only=("T-02",))
    office.clock.advance(3600)
    office.sync(only=("T-02",))
    adopted(office, "T-01", issue.key)
    office.clock.advance(60)
    office.sync()

    assert office.server().issue(issue.id).fields["目印"]


def test_a_dry_run_keeps_nothing(office: Office) -> None:
    own(office)
    found = adopted(office, dry=True)

    assert "title" in found["fields"]
    assert (office.bound("T-01"), office.events("task.bound"), (office.root / "links.yaml").exists()) == (
        {},
        [],
        False,
    )


def test_a_deleted_task_may_be_followed_by_an_adopted_one(office: Office) -> None:
    office.settle()
    office.server().delete(office.issues()["T-01"].id)
    office.clock.advance(90_000)
    office.settle()
    issue = own(office)
    adopted(office)
    office.settle()
    mine = office.server().issue(issue.id).fields

    assert (mine["番号"], mine["状態"]) == ("T-01", "対応中")
    assert str(mine["目印"]).split(".")[-2] == "g2"


def test_another_place_of_the_task_that_differs_is_left_to_a_person(office: Office) -> None:
    """The mirror holds the task already: neither side's status is written over the other's."""
    office.configure(trackers=("a", "b"), route=("b",))
    office.settle()
    office.person("T-01", "b", 状態="完了")
    office.settle()
    office.configure(route=("a", "b"))
    issue = own(office)
    found = adopted(office)
    office.settle()

    assert "status" in found["conflicts"]
    assert [one.field for one in office.conflicts()] == ["status"]
    assert (office.server().issue(issue.id).fields["状態"], office.issues("b")["T-01"].fields["状態"]) == (
        "対応中",
        "完了",
    )


# -- what stands against it


def marked(item: str = "T-01", workspace: str = "k7m2q9wx4d") -> str:
    return str(Marker(workspace, TaskKey("tics", item)))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("T-09", "FAKE-1"), "the catalogue has no item T-09"),
        (("T-01", "FAKE-9"), "a shows no task FAKE-9"),
        (("T-01", "FAKE-1", "b"), "no route leads tics/T-01 to b"),
    ],
)
def test_what_is_not_there_is_refused(office: Office, words: tuple[str, ...], reason: str) -> None:
    office.configure(trackers=("a", "b"))
    own(office)

    assert reason in refused(office, *words)


def test_everything_that_is_wrong_is_told_at_once(office: Office) -> None:
    """Neither the route leads there nor is the task free."""
    office.configure(trackers=("a", "b"))
    own(office, "b", 目印=marked("T-02"))

    assert refused(office, "T-01", "", "b") == [
        "no route leads tics/T-01 to b", "FAKE-1 carries the marker of tics/T-02",
    ]  # fmt: skip


def test_a_task_of_another_workspace_is_refused(office: Office) -> None:
    own(office, 目印=marked(workspace="aaaaaaaaaa"))

    assert refused(office) == ["FAKE-1 belongs to another workspace of ticssync (aaaaaaaaaa)"]


def test_a_task_that_got_our_marker_meanwhile_is_refused(office: Office) -> None:
    own(office, 目印=marked())

    assert "FAKE-1 carries the marker of tics/T-01 already" in refused(office)


def test_a_hidden_task_is_refused(office: Office) -> None:
    issue = own(office)
    office.server().hide(issue.id)

    assert refused(office, "T-01", issue.id) == [f"a shows no task {issue.id}"]


def test_a_task_that_is_bound_and_a_place_that_is_taken_are_refused(office: Office) -> None:
    office.settle()
    second = office.issues()["T-02"].key

    assert refused(office, "T-01", second) == [
        f"{second} is bound to tics/T-02 already",
        f"tics/T-01 stands in a already: {office.issues()['T-01'].key}",
    ]


def test_a_task_of_ours_that_the_store_does_not_know_is_taken_up_instead(office: Office) -> None:
    own(office, 件名="前の記録が作った", 目印=marked())
    own(office)

    assert "a holds a task of ours for tics/T-01 already: FAKE-1" in refused(office, "T-01", "FAKE-2")


def test_a_tracker_that_is_down_says_so(office: Office) -> None:
    own(office)
    office.server().behaviour.down = True

    with pytest.raises(RetryLaterError):
        adopted(office)


# -- races with a pass


def during(office: Office, point: str, act: Callable[[], None]) -> None:
    """Let somebody act once the pass has come to this point."""

    def watch(here: str) -> None:
        if here == point:
            office.server().watch = lambda _point: None
            act()

    office.server().watch = watch


@pytest.mark.parametrize("point", ["after list", "before presend", "after presend"])
def test_a_pass_under_way_makes_no_second_task(office: Office, point: str) -> None:
    """A person adopts after the pass has looked and decided to make one: none is made for that key."""
    issue = own(office)
    during(office, point, lambda: adopted(office, "T-01", issue.key) and None)
    office.sync()

    assert len(office.server().issues()) == 2
    office.settle()
    assert {item: one.id for item, one in office.issues().items()}["T-01"] == issue.id
    assert [one for one in office.server().issues() if one.fields["目印"] == marked()] != []


def test_while_a_create_is_under_way_nothing_is_adopted(office: Office) -> None:
    issue = own(office)
    said: list[str] = []
    during(office, "before create", lambda: said.extend(refused(office, "T-01", issue.key)))
    office.sync()

    assert said == ["a task for tics/T-01 may just have been made in a: its answer is still missing"]
    assert len(office.server().issues()) == 3


def test_a_create_whose_answer_was_lost_is_refused_until_a_sync_has_looked(office: Office) -> None:
    """The index does not show the task yet: its marker cannot be found, only the intent says that it may be there."""
    behaviour = office.server().behaviour
    behaviour.listing, behaviour.index_lag_s = Listing.INDEX, 600
    issue = own(office)
    office.clock.advance(3600)
    office.server().fail_next("create", Fault.ANSWER_LOST)
    office.sync(only=("T-01",))
    with office.open() as workspace, workspace.store.read() as tx:
        assert [one.key.item for one in intents(tx, "a")] == ["T-01"]
    reasons = refused(office, "T-01", issue.key)

    assert "a task for tics/T-01 may just have been made in a: its answer is still missing" in reasons


# -- links.yaml


def test_a_new_store_reads_the_links_first(office: Office) -> None:
    """The store is lost before the marker was written: the adopted task is found again, none is made for it."""
    issue = own(office)
    adopted(office)
    lose_the_store(office)
    planned = office.sync(dry=True)
    result = office.sync()

    assert outgoing(planned) == ["a:create:T-02"]
    assert next((one.action, one.key) for one in result.reports["a"].actions) == ("adopt", issue.key)
    assert office.bound("T-01")["a"].ref.id == issue.id
    assert len(office.server().issues()) == 2


def lose_the_store(office: Office) -> None:
    office.close()
    for file in office.root.glob("ticssync.db*"):
        file.unlink()
    root = office.root
    from ticssync.app.workspace import read_config
    from ticssync.store import By, Store

    config = read_config(office.around)
    store = Store.create(config.store_url, config.workspace, office.clock)
    with store.write() as tx:
        tx.append("workspace.made", config.workspace, By("hanako@pc"), {"company": str(root)})
    store.close()


def test_a_link_that_leads_nowhere_is_told_and_stops_nothing(office: Office) -> None:
    own(office)
    adopted(office)
    office.server().delete(office.server().issues()[0].id)
    lose_the_store(office)
    result = office.sync()

    (notice,) = result.reports["a"].notices
    assert (notice["id"], notice["message"].startswith("links.yaml:5: ")) == ("link", True)
    assert "FAKE-1" in notice["message"]
    assert sorted(office.issues()) == ["T-01", "T-02"]


def test_a_tracker_whose_links_cannot_be_read_is_left_alone(office: Office) -> None:
    """Otherwise the pass would make a second task for each of them."""
    own(office)
    adopted(office)
    lose_the_store(office)
    office.server().fail_next("fetch", Fault.NOT_SENT)
    result = office.sync()

    assert result.reports["a"].state == "unavailable"
    assert len(office.server().issues()) == 1


def test_a_file_that_a_person_broke_makes_nothing(office: Office) -> None:
    (office.root / "links.yaml").write_text(
        "version: 1\nlinks:\n  - {task: tics/T-01, tracker: a, id: 12}\n", "utf-8"
    )
    with pytest.raises(UsageError) as caught:
        office.sync()

    assert [(one.line, one.column) for one in caught.value.problems] == [(3, 39)]
    assert office.server().issues() == []


def test_dropping_takes_the_line_out(office: Office) -> None:
    own(office)
    adopted(office)
    with office.open() as workspace:
        settle.drop(workspace, "T-01")
    office.settle()

    assert links(office) == []
    assert office.server().issues()[0].fields["目印"] is None


def test_a_dropped_task_may_be_adopted_again(office: Office) -> None:
    """Before its first sync: it was a slip, and another is taken."""
    wrong, right = own(office), own(office, 件名="こちら")
    adopted(office, "T-01", wrong.key)
    with office.open() as workspace:
        settle.drop(workspace, "T-01")
    adopted(office, "T-01", right.key)
    office.settle()

    assert office.issues()["T-01"].id == right.id
    assert office.server().issue(wrong.id) == wrong


def test_a_renamed_tracker_s_links_come_along(office: Office) -> None:
    own(office)
    adopted(office)
    office.plugins["c"] = office.plugins["a"]
    office.configure(trackers=("c",), route=("c",))
    with office.open(trackers_may_differ=True) as workspace:
        settle.rename_tracker(workspace, "a", "c")

    assert [tracker for _, tracker, _ in links(office)] == ["c"]


def test_a_copied_workspace_leaves_the_first_one_s_links_alone(office: Office, tmp_path: Path) -> None:
    own(office)
    adopted(office)
    copy = office.copied_to(tmp_path / "写し")
    with copy.open() as workspace:
        rebind.copied(workspace, new_id="bbbbbbbbbb")

    assert [one.name for one in copy.root.glob("links*")] == ["links-k7m2q9wx4d.yaml"]
    assert links(office) != []


def test_a_partial_pass_leaves_an_adopted_task_bound(office: Office) -> None:
    """`sync --only` of another item, as the very first pass: the adopted one is neither written nor let go."""
    issue = own(office)
    adopted(office)
    office.sync(only=("T-02",))

    assert office.bound("T-01")["a"].state.value == "live"
    assert office.server().issue(issue.id) == issue
    with office.open() as workspace, workspace.store.read() as tx:
        assert TaskKey("tics", "T-01") in hub_tasks(tx)


# -- lists


def test_candidates_are_listed_and_nothing_is_bound(office: Office) -> None:
    own(office)
    with office.open() as workspace:
        found = query(workspace, "規程")["items"]

    assert [(one["key"], one["title"], one["bound_to"]) for one in found] == [("FAKE-1", "規程を書く", None)]
    assert office.bound("T-01") == {}


def test_pairs_with_similar_titles_are_proposed_and_can_be_accepted(office: Office) -> None:
    own(office, 件名="項目 Ｔ－０１ の件")
    own(office, 件名="社員旅行の幹事")
    with office.open() as workspace:
        found = proposals(workspace)["items"]
        for raw in (as_csv(found), as_csv(found).decode("utf-8-sig").encode("cp932")):
            assert [(one.key, one.ref, one.tracker) for one in read_list(raw, "x.csv")] == [
                ("tics/T-01", "10001", "a")
            ]
        done = adopt_all(workspace, read_list(as_csv(found), "x.csv"))

    assert [(one["task"], one["key"], one["criterion_title"]) for one in found] == [
        ("tics/T-01", "FAKE-1", "項目T-01")
    ]
    assert ([one["task"] for one in done["items"]], done["refused"]) == (["tics/T-01"], [])
    assert office.bound("T-01")["a"].ref.id == "10001"


def test_of_a_list_each_pair_stands_for_itself(office: Office) -> None:
    own(office)
    with office.open() as workspace:
        pairs = read_list(b"task,key\nT-01,FAKE-1\nT-02,FAKE-7\n", "x.csv")
        done = adopt_all(workspace, pairs)

    assert [one["task"] for one in done["items"]] == ["tics/T-01"]
    assert [(one["task"], one["place"]) for one in done["refused"]] == [("T-02", "x.csv:3")]


@pytest.mark.parametrize(
    ("text", "line"), [("item,key\nT-01,x\n", 1), ("task,key\n,FAKE-1\n", 2), ("task,key\nT-01,\n", 2), ('{"items": [{"task": "T-01"', 1)]
)  # fmt: skip
def test_a_list_that_is_wrong_says_where(text: str, line: int) -> None:
    with pytest.raises(UsageError) as caught:
        read_list(text.encode(), "x.csv")

    assert [one.line for one in caught.value.problems] == [line]


def test_a_title_is_no_formula_in_a_spreadsheet() -> None:
    assert b"'=1+1" in as_csv([{"task": "tics/T-01", "title": "=1+1"}])
