"""Redmine's issues ↔ tasks, against payloads of real servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.redmine.tests.desk import JAPANESE, TABLE, converter, issue, marker, payload, stored

from ticssync.plugin import canonical_text
from ticssync.testing.samples import BODIES, TITLES
from ticssync_redmine import block, convert

TEXT = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(list(BODIES.values()))
VALUES = {
    "title": TEXT | st.sampled_from(list(TITLES.values())) | st.text("髙か\u3099🔒a \n", min_size=250, max_size=300),
    "body": TEXT | st.none(),
    "status": st.sampled_from([*TABLE.statuses.values()]),
    "assignee": st.sampled_from(["yamada", "sato", "nobody", None]),
    "start": st.dates().map(date.isoformat) | st.none() | st.just("soon"),
    "due": st.dates().map(date.isoformat) | st.none(),
    "priority": st.sampled_from(["low", "normal", "high", "urgent"]),
    "progress": st.integers(0, 10).map(lambda tenth: tenth * 10),
    "number": TEXT | st.none(),
    "result": st.sampled_from(["ok", "not_ok", "unheard-of", None]),
    "evidence": st.lists(st.text(max_size=8), max_size=4, unique_by=canonical_text).map(lambda found: tuple(sorted(found)))
    | st.none(),
    "confirmed": st.dates().map(date.isoformat) | st.none(),
    "score": st.integers() | st.none(),
    "onsite": st.booleans() | st.none(),
    "remark": TEXT | st.none(),
}  # fmt: skip
BASES = ("5.0.4-shown", "5.0.4-closed", "6.1.5-shown", "6.1.5-files")


def test_every_field_of_the_mapping_is_tried():
    assert VALUES.keys() == TABLE.fields.keys()


@pytest.mark.parametrize("name", sorted(VALUES))
def test_what_is_written_reads_back_as_the_view(name: str):
    """decode(encode(v)) == view(v), and the view of a view is itself: a value is never written twice."""
    reached: Counter[str] = Counter()

    @settings(max_examples=40)
    @given(VALUES[name], st.sampled_from(BASES))
    def written(value, base):
        found, made = issue(base), converter()

        after = stored(found, made.request({name: value}, None, found["description"]))
        shown = made.decode(after)
        reached["empty" if shown.fields[name] is None else "shown"] += 1

        assert shown.problems == ()
        assert shown.fields[name] == made.view(name, value)
        assert made.view(name, shown.fields[name]) == shown.fields[name]

    written()

    assert reached["shown"]


@pytest.mark.parametrize("base", BASES)
def test_a_field_that_is_not_written_stays(base: str):
    """A request names what changes and nothing else."""
    found, made = issue(base), converter()
    before = made.decode(found).fields

    after = made.decode(stored(found, made.request({"remark": "x"}, None, found["description"]))).fields

    assert {**before, "remark": "x"} == after


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_issue_of_5_0():
    """All that is mapped, with the names that people know it by."""
    task = converter().decode(issue("5.0.4-closed"))

    assert (task.ref.id, task.key, task.url) == ("1", "#1", "https://redmine.example.test/issues/1")
    assert (task.raw_status, task.closed) == ("5", True)
    assert str(task.version).startswith("2026-11-23T01:46:47Z ")
    assert task.updated_at == datetime(2026, 11, 23, 1, 46, 47, tzinfo=timezone.utc)
    assert task.fields == {
        "title": "題を変えた", "body": None, "status": "done", "assignee": "sato", "start": "2026-11-23", "due": None,
        "priority": "normal", "progress": 0, "number": "I-1-(1)", "result": "ok", "evidence": ("規程", "記録"),
        "confirmed": "2027-03-31", "score": "3", "onsite": "1", "remark": None,
    }  # fmt: skip
    assert task.problems == ()


def test_a_description_without_our_block_is_not_our_body():
    """「説明」 was written by a person: our field is empty, not theirs."""
    assert issue()["description"] == "説明"
    assert converter().decode(issue()).fields["body"] is None


@pytest.mark.parametrize("name", ["5.0.4-list", "6.1.5-list"])
def test_a_listed_issue_reads_as_a_shown_one(name: str):
    """Lists and single issues have the same shape."""
    tasks = [converter().decode(one) for one in payload(name)["issues"]]

    assert len(tasks) == 2
    assert all(task.fields["status"] for task in tasks)


def test_a_field_that_the_issue_does_not_have_is_absent():
    """A custom field that is not for this tracker is missing, which is not the same as empty."""
    found = issue()
    found["custom_fields"] = [one for one in found["custom_fields"] if one["id"] != 7]

    fields = converter().decode(found).fields

    assert "remark" not in fields
    assert converter().decode(issue()).fields["remark"] is None


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "status",
            {"status": {"id": 77, "name": "保留"}},
            "#1: the status 保留 (id 77) is not in the mapping",
        ),
        (
            "assignee",
            {"assigned_to": {"id": 88, "name": "協力 会社"}},
            "#1: 協力 会社 (account 88) belongs to nobody",
        ),
        (
            "priority",
            {"priority": {"id": 99, "name": "最優先"}},
            "#1: 最優先 in priority_id is not in the mapping",
        ),
    ],
)
def test_an_unknown_value_is_a_problem_and_never_empty(name: str, changes, said: str):
    """What the mapping does not know is absent and told with the issue's number: nobody takes it for emptied."""
    task = converter().decode(issue(**changes))

    assert name not in task.fields
    assert [one for one in task.problems if one.startswith(said)] == list(task.problems)
    assert len(task.problems) == 1
    assert name in converter().decode(issue()).fields


def test_an_unknown_value_of_a_custom_field_is_a_problem_too():
    found = stored(issue(), {"custom_fields": [{"id": 2, "value": "該当なし"}]})

    task = converter().decode(found)

    assert "result" not in task.fields
    assert task.problems == ("#1: 該当なし in cf_2 is not in the mapping",)


def test_nobody_assigned_is_empty_and_no_problem():
    """Redmine leaves the field out: that is empty, not unknown."""
    found = issue()
    assert "assigned_to" not in found

    task = converter().decode(found)

    assert task.fields["assignee"] is None
    assert task.problems == ()


def test_several_statuses_of_theirs_may_be_one_of_ours():
    """フィードバック counts as being worked on; what is written is the first."""
    task = converter().decode(issue(status={"id": 4, "name": "フィードバック", "is_closed": False}))

    assert task.fields["status"] == "doing"
    assert converter().encode("status", "doing") == "2"


def test_several_values_of_a_custom_field():
    """Sorted, as text, an empty list is empty; one value is written alone."""
    assert converter().decode(issue()).fields["evidence"] == ("規程", "記録")
    assert converter().decode(issue("6.1.5-files")).fields["evidence"] is None
    assert converter().request({"evidence": ("写真", "記録")}, None, None) == {
        "custom_fields": [{"id": 3, "value": ["写真", "記録"]}]
    }
    assert converter().request({"evidence": None}, None, None) == {"custom_fields": [{"id": 3, "value": ""}]}


def test_an_issue_in_another_project_is_told():
    """Moved to a project that can still be seen: a problem with the number and the project's name."""
    moved = issue(project={"id": 7, "name": "別の仕事"})

    assert converter(project="1").decode(moved).problems == ("#1 was moved to the project 別の仕事",)
    assert converter(project="1").decode(issue()).problems == ()
    assert converter(project="").decode(moved).problems == ()


def test_problems_are_japanese_where_the_readers_are():
    task = converter(JAPANESE, project="1").decode(
        issue(project={"id": 7, "name": "別の仕事"}, status={"id": 77, "name": "保留"})
    )

    assert len(task.problems) == 2
    assert all("#1" in one and any("ぁ" <= char <= "ん" for char in one) for one in task.problems)


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_field_is_written_as_an_empty_text():
    """null would leave an assignee or a date as it is."""
    assert converter().request({"due": None, "assignee": None, "remark": None}, None, None) == {
        "due_date": "",
        "assigned_to_id": "",
        "custom_fields": [{"id": 7, "value": ""}],
    }


def test_a_subject_is_one_line_of_at_most_255():
    """Cut where Redmine would refuse it; kept to the byte where it would not."""
    made = converter()

    assert made.encode("title", "二行\nです") == "二行 です"
    assert made.encode("title", "髙" * 300) == "髙" * 255
    assert made.encode("title", "か\u3099 ") == "か\u3099 "


def test_yes_and_no_are_redmine_s_digits():
    """A tick box holds "1" or "0" there, as recorded; Python's words would be refused."""
    made = converter()

    assert (made.encode("onsite", True), made.encode("onsite", False)) == ("1", "0")
    assert made.view("onsite", True) == made.decode(issue()).fields["onsite"] == "1"


def test_the_marker_goes_into_its_field():
    """Set, taken away, or left alone; read only from there."""
    made = converter()
    found = stored(issue(), made.request({}, marker(), "説明"))

    assert made.marker_of(found) == marker()
    assert found["description"] == "説明"
    assert made.marker_of(stored(found, made.request({}, "", "説明"))) is None
    assert made.request({"remark": "x"}, None, "説明") == {"custom_fields": [{"id": 7, "value": "x"}]}


def test_the_marker_in_the_text_keeps_the_body_and_the_rest():
    """Without a field for it the marker stands in the closing line; setting it touches nothing else."""
    made = converter(table=replace(TABLE, marker_place="description"))
    old = block.compose("前書き", "本文", marker("T-1"), "en") + "\n後書き"
    found = issue(description=old)
    assert made.marker_of(found) == marker("T-1")

    moved = stored(found, made.request({}, marker("T-2"), old))
    renewed = stored(moved, made.request({"body": "新しい"}, None, moved["description"]))

    assert made.marker_of(renewed) == marker("T-2")
    assert block.parse(renewed["description"]).body == "新しい"
    assert renewed["description"].startswith("前書き\n\n")
    assert renewed["description"].endswith("\n後書き")
    assert made.marker_of(stored(renewed, made.request({}, "", renewed["description"]))) is None


def test_a_place_that_no_issue_has_is_no_place():
    """A slip in the mapping writes nothing."""
    made = converter(table=replace(TABLE, fields={"title": "subject", "remark": "cf_x", "body": "text"}))

    assert made.request({"title": "a", "remark": "b", "body": "c"}, None, None) == {"subject": "a"}
    assert made.decode(issue()).fields.keys() == {"title"}


# ── notes, histories, files ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["5.0.4", "6.1.5"])
def test_notes_with_the_private_ones_named(version: str):
    """Entries without words are no notes; a private one says so, so that it goes to nobody else."""
    found = convert.notes(issue(f"{version}-notes"))

    assert [(one.text, one.private, one.author, one.author_name) for one in found] == [
        ("証跡を確認した", False, "5", "太郎 山田"),
        ("secret", True, "5", "太郎 山田"),
    ]
    assert all(one.created_at and one.created_at.tzinfo for one in found)


def test_a_history_of_fields_and_custom_fields():
    """Who changed what from what to what, ids as in the mapping; notes and files are no changes."""
    found = convert.changes(issue("5.0.4-history"))

    assert [(one.field, one.old, one.new, one.author) for one in found] == [
        ("status_id", "1", "3", "5"),
        ("subject", "技術情報の管理責任者", "題を変えた", "5"),
        ("assigned_to_id", None, "6", "5"),
        ("status_id", "3", "5", "1"),
        ("cf_2", "適合", "不適合", "5"),
    ]
    assert found[0].at == datetime(2026, 11, 23, 1, 46, 46, tzinfo=timezone.utc)
    assert found[3].author_name == "Redmine Admin"
    assert convert.changes(issue("6.1.5-files")) == ()


@pytest.mark.parametrize("version", ["5.0.4", "6.1.5"])
def test_files_as_an_issue_lists_them(version: str):
    (found,) = converter().decode(issue(f"{version}-files")).attachments

    assert (found.id, found.name, found.size, found.author_name) == ("1", "証跡 2026.pdf", 314, "太郎 山田")


def test_a_journal_of_a_deleted_account_is_read():
    """Redmine may name nobody: an entry without a user is still an entry."""
    found = issue("5.0.4-history")
    for one in found["journals"]:
        del one["user"]

    assert {one.author for one in convert.changes(found)} == {""}
    assert len(convert.notes(found)) == 2


def test_what_happens_within_one_second_is_another_version():
    """Redmine's time of change has whole seconds; a value or a file that differs shows all the same."""
    read = converter().decode
    one = issue("5.0.4-files")
    others = [
        {**one, "done_ratio": 90},
        {**one, "attachments": []},
        {**one, "custom_fields": [{"id": 1, "name": "x", "value": "z"}]},
        {**one, "assigned_to": {"id": 99, "name": "z"}},
    ]

    assert len({read(found).version for found in [one, *others]}) == 1 + len(others)
    assert read(one).version == read({**one, "spent_hours": 3.0, "journals": []}).version
