"""From what a live tracker offers to a mapping file that fits it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.mapping.schemas import CHAPTERS, JIRA, numbered, redmine

from ticssync.mapping import load_mapping
from ticssync.mapping.compare import compare
from ticssync.mapping.discover import Proposal, mapping_text, propose
from ticssync.mapping.schema import Mapping
from ticssync.model.task import Status
from ticssync.plugin import FieldSchema, RemoteSchema
from ticssync.shipped import shipped_mappings
from ticssync.yamlfile import parse_yaml, read_yaml, validate


def read(proposal: Proposal, tmp_path: Path) -> Mapping:
    """The file as it is read back, without a problem."""
    file = tmp_path / "mapping.yaml"
    file.write_text(mapping_text(proposal, source="https://x tics", day="2026-11-24"), "utf-8")
    mapping, problems = load_mapping(file)

    assert problems == []
    assert mapping is not None
    return mapping


def statuses(schema: RemoteSchema) -> dict[str, str]:
    return {one.name: one.value for one in propose("redmine", schema, {}, "ja").statuses}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_redmine_becomes_a_mapping_that_loads_and_fits_it(tmp_path: Path, language: str):
    mapping = read(propose("redmine", redmine(), CHAPTERS, language), tmp_path)
    compared = compare(read_yaml(tmp_path / "mapping.yaml"), mapping, redmine())

    assert {name: rule.to for name, rule in mapping.fields.items()} == {
        "title": "subject", "body": "description", "status": "status_id", "assignee": "assigned_to_id", "due": "due_date",
        "priority": "priority_id", "chapter": "category_id",
    }  # fmt: skip
    assert mapping.values["chapter"] == {"2": "検知"}
    assert mapping.values["priority"] == {
        "1": "low", "2": "normal", "3": "high", "4": "urgent", "5": "urgent",
    }  # fmt: skip
    assert (mapping.given, mapping.marker, mapping.language) == ({"tracker_id": "2"}, "description", language)
    assert (compared.problems, compared.warnings) == ((), ())


def test_each_status_stands_by_its_id_with_its_name_beside_it():
    text = mapping_text(propose("redmine", redmine(), {}, "ja"))

    assert '  "1": todo                             # 新規\n' in text
    assert "# 解決 [推定: 確認してください]\n" in text


def test_the_surest_status_comes_first_because_it_is_the_one_that_is_written(tmp_path: Path):
    mapping = read(propose("redmine", redmine(), {}, "ja"), tmp_path)

    assert [one for one, ours in mapping.statuses.items() if ours is Status.DOING] == ["2", "4"]
    assert mapping_text(propose("redmine", redmine(), {}, "ja")).count("読むだけ") == 2


@pytest.mark.parametrize(
    ("name", "closed", "ours"),
    [
        ("未着手", False, "todo"), ("着手", False, "doing"), ("対応中", False, "doing"), ("作業中（社外）", False, "doing"), ("保留", False, "doing"),
        ("確認待ち", False, "review"), ("完了確認待ち", False, "review"), ("レビュー", False, "review"), ("ｸﾛｰｽﾞ", True, "done"),
        ("完了", True, "done"), ("対象外", True, "wont_do"), ("未完了", False, "todo"), ("Won't do", True, "wont_do"),
        ("解決", True, "done"), ("謎", True, "done"), ("謎", False, "doing"),
    ],
)  # fmt: skip
def test_names_decide_first_and_closing_second(name: str, closed: bool, ours: str):
    schema = RemoteSchema(
        redmine().fields,
        {"1": "New", "8": name, "9": "Closed"},
        frozenset({"9", "8"} if closed else {"9"}),
    )

    assert statuses(schema)[name] == ours


def test_what_no_name_explains_is_a_guess_and_something_stands_for_todo_and_done(tmp_path: Path):
    schema = redmine(statuses={"a": "甲", "b": "乙", "c": "丙"}, closed_statuses=frozenset())
    proposal = propose("redmine", schema, {}, "ja")

    assert [(one.name, one.value, one.guess) for one in proposal.statuses] == [
        ("甲", "todo", True), ("乙", "doing", True), ("丙", "done", True),
    ]  # fmt: skip
    assert set(read(proposal, tmp_path).statuses) == {"a", "b", "c"}


def test_without_a_status_in_between_a_return_goes_back_to_the_beginning(tmp_path: Path):
    schema = redmine(statuses={"1": "新規", "5": "終了"}, closed_statuses=frozenset({"5"}))

    assert read(propose("redmine", schema, {}, "ja"), tmp_path).on_return is Status.TODO


def test_a_custom_field_for_the_marker_and_one_for_the_number_are_used(tmp_path: Path):
    own = (FieldSchema("cf_7", "ticssync-id", ""), FieldSchema("cf_3", "基準番号", ""))
    proposal = propose("redmine", redmine(*own), {}, "ja")
    mapping = read(proposal, tmp_path)

    assert (mapping.marker, mapping.fields["number"].to, mapping.title) == ("cf_7", "cf_3", "{{ title }}")
    assert "新しいカスタムフィールド" not in mapping_text(proposal)


def test_without_a_field_for_the_marker_the_file_says_how_an_administrator_makes_one():
    text = mapping_text(propose("redmine", redmine(), {}, "ja"))

    assert "marker: description" in text
    assert all(word in text for word in ("管理 → カスタムフィールド", "ticssync-id", "フィルタとして使用", "marker: cf_番号"))  # fmt: skip


def test_without_a_field_for_the_number_it_stands_in_the_title(tmp_path: Path):
    assert read(propose("redmine", redmine(), {}, "ja"), tmp_path).title == "{{ number }} {{ title }}"


def test_a_required_field_that_nothing_fills_is_named_with_its_values():
    proposal = propose(
        "redmine", redmine(FieldSchema("cf_9", "部門", "list", True, None, {"a": "本社"})), {}, "ja"
    )

    assert "#   cf_9: 部門 (選べる値: 本社)" in mapping_text(proposal)
    assert any("部門" in note for note in proposal.notes)


def test_a_category_that_only_resembles_a_chapter_is_left_to_a_person():
    proposal = propose("redmine", redmine(), CHAPTERS, "ja")

    assert [(one.name, one.value) for one in proposal.like_chapters] == [("物理的管理", "物理的対策")]
    assert '#     "1": "物理的対策"  # 物理的管理' in mapping_text(proposal)


@pytest.mark.parametrize(
    "empty", [{"category_id": {}}, {"category_id": numbered("営業", "総務"), "priority_id": {}}]
)
def test_without_values_to_write_a_field_is_left_out(tmp_path: Path, empty: dict[str, dict[str, str]]):
    choices = {**redmine().choices, **empty}
    mapping = read(propose("redmine", redmine(choices=choices), CHAPTERS, "ja"), tmp_path)

    assert "chapter" not in mapping.fields
    assert ("priority" in mapping.fields) == bool(choices["priority_id"])


def test_moves_that_are_known_are_listed_by_name():
    text = mapping_text(propose("redmine", redmine(moves={"1": ("1", "2", "3")}), {}, "ja"))

    assert "#   新規 → 進行中、解決\n" in text


def test_a_jira_is_understood_as_well(tmp_path: Path):
    proposal = propose("jira", JIRA, {}, "en")
    mapping = read(proposal, tmp_path)

    assert {name: rule.to for name, rule in mapping.fields.items()} == {
        "title": "summary", "body": "description", "status": "status", "assignee": "assignee", "due": "duedate",
        "priority": "priority",
    }  # fmt: skip
    assert (mapping.given, mapping.marker) == ({"issuetype": "10002"}, "labels")
    assert [one.key for one in proposal.required] == ["customfield_10010"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (RemoteSchema(), "no field for title"),
        (RemoteSchema(redmine().fields, {"1": "新規"}), "1 statuses; two are needed"),
    ],
)
def test_a_tracker_that_shows_too_little_is_a_problem_and_no_traceback(schema: RemoteSchema, words: str):
    proposal = propose("redmine", schema, CHAPTERS, "ja")

    assert words in " ".join(str(one) for one in proposal.problems)


@pytest.mark.parametrize(("name", "language"), [("redmine.yaml", "ja"), ("redmine.en.yaml", "en")])
def test_the_shipped_starters_fit_a_redmine_with_its_default_data(name: str, language: str):
    file = shipped_mappings() / "tics-2024" / name
    mapping, problems = load_mapping(file)

    assert problems == []
    assert mapping is not None
    assert mapping.language == language
    assert compare(read_yaml(file), mapping, redmine()).problems == ()


NAMES = st.text(max_size=40)
IDS = st.text(min_size=1, max_size=12)
WORDS = st.sampled_from(
    [
        "新規",
        "進行中",
        "完了",
        "却下",
        "Closed",
        "確認待ち",
        "謎",
        "a: b # c",
        "\x85\u2028\x00\ufeff",
        "'\"{[",
        "𠮷🔒",
    ]
)
TYPES = st.sampled_from(["", "text", "list", "date"])


@st.composite
def schemas(draw: st.DrawFn) -> RemoteSchema:
    fields = [FieldSchema("subject", draw(NAMES)), FieldSchema("status_id", draw(NAMES), "list")]
    others = st.builds(
        FieldSchema, IDS, st.one_of(NAMES, WORDS, st.just("ticssync-id")), TYPES, st.booleans()
    )
    fields += draw(st.lists(others, max_size=4, unique_by=lambda one: one.id))
    fields += [FieldSchema(one, draw(NAMES), "list") for one in ("priority_id", "category_id")]
    found = draw(st.dictionaries(IDS, st.one_of(NAMES, WORDS), min_size=2, max_size=6))
    closed = frozenset(one for one in found if draw(st.booleans()))
    choice = st.dictionaries(IDS, st.one_of(NAMES, WORDS), max_size=4)
    places = ("tracker_id", "priority_id", "category_id", "fixed_version_id")
    return RemoteSchema(
        list({one.id: one for one in fields}.values()),
        found,
        closed,
        {},
        None,
        {one: tuple(found) for one in found if draw(st.booleans())},
        {one: draw(choice) for one in places},
    )


def test_whatever_a_tracker_calls_things_the_file_reads_back_with_the_very_ids():
    """Quotes, line ends, control characters, YAML's own words: in names they are only comments, in ids they stay."""
    reached: Counter[str] = Counter()

    @settings(max_examples=250, derandomize=True, deadline=None)
    @given(schemas(), st.sampled_from(["redmine", "jira", "other"]), st.sampled_from(["ja", "en"]))
    def live(schema: RemoteSchema, kind: str, language: str) -> None:
        proposal = propose(kind, schema, {"a": "謎", "b": "検知"}, language)
        if proposal.problems:
            reached["problem"] += 1
            return
        mapping, problems = validate(parse_yaml(mapping_text(proposal).encode(), "x"), Mapping)
        reached["chapter" if "chapter" in mapping.fields else "plain"] += 1
        reached["given"] += bool(mapping.given)

        assert problems == []
        assert set(mapping.statuses) == set(schema.statuses)
        assert {Status.TODO, Status.DONE, mapping.on_return} <= set(mapping.statuses.values())
        assert set(mapping.values.get("priority", schema.choices["priority_id"])) == set(
            schema.choices["priority_id"]
        )

    live()

    assert min(reached[name] for name in ("plain", "chapter", "given")) >= 3, reached
