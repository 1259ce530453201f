"""What the shipped TICS pack says: complete in both languages, honest about its sources, up to date."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from ticssync.catalog import load_catalog, shipped_catalog
from ticssync.errors import UsageError
from ticssync.model.criterion import Cadence, Catalog, Criterion, KeepMode, Words

IDS = (
    "T-01", "T-02", "T-03", "T-04", "T-05", "T-06", "T-07", "T-08", "T-09", "T-10",
    "T-11", "T-12", "T-13", "T-14", "T-15", "T-16", "T-17", "T-18", "T-19", "T-20",
    "T-21", "T-22", "T-23", "T-24", "T-25", "T-26", "T-27", "T-28", "T-29", "T-30",
    "T-31", "T-32", "T-33", "T-34", "T-35", "T-36", "T-37", "T-38", "T-39", "T-40",
    "T-41", "T-42", "T-43", "T-44", "T-45", "T-46",
)  # fmt: skip
NAMED_BY_METI = (
    "T-01", "T-02", "T-03", "T-05", "T-06", "T-10", "T-13", "T-14", "T-15", "T-16", "T-17",
    "T-20", "T-21", "T-24", "T-26", "T-33", "T-37", "T-38", "T-40", "T-43", "T-44",
)  # fmt: skip
CONDITIONS = {
    "T-18": "remote_work or takeout",
    "T-20": "forms.paper or forms.object or forms.portable_media",
    "T-21": "areas",
    "T-22": "forms.paper or forms.object or areas",
    "T-23": "areas",
    **{f"T-{number}": "forms.electronic" for number in range(24, 38) if number != 27},
    "T-27": "forms.electronic or forms.portable_media",
    "T-38": "external_systems",
    "T-39": "external_systems",
    "T-40": "third_parties",
    "T-41": "third_parties",
    "T-42": "third_parties",
}
MONTHS = {Cadence.YEARLY: 12, Cadence.HALF_YEARLY: 6, Cadence.QUARTERLY: 3, Cadence.MONTHLY: 1}
DROPPED = re.compile(
    r"厚さ|厚み|高さ|材質|耐火|目盛|ダイヤル|金網|鉄格子|格子|細断|ミリ|センチ|粒|[㎜㎝]|mm\b|cm\b|"
    r"thick|height|fireproof|fire.resist|graduation|\bmesh\b|\bbars?\b|particle|millimet|\bDIN\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    loaded, problems = load_catalog(shipped_catalog("tics-2024"))
    assert problems == []
    assert loaded is not None
    return loaded


def texts(item: Criterion) -> tuple[Words, ...]:
    return item.title, item.to_do, item.evidence_hint


def test_all_46_items_are_there_in_order(catalog: Catalog):
    assert tuple(item.id for item in catalog.items) == IDS
    assert tuple(catalog.by_id) == IDS


def test_the_head_says_that_this_is_not_the_official_text(catalog: Catalog):
    assert (catalog.scheme, catalog.name, catalog.in_force_on) == ("tics", "tics-2024", "2024-08-16")
    assert catalog.status == "working"
    assert "公式の条文・番号ではありません" in catalog.basis.ja
    assert "not the official text" in catalog.basis.en


def test_no_official_number_is_claimed(catalog: Catalog):
    assert [item.official_ref for item in catalog.items if item.official_ref] == []


@pytest.mark.parametrize("part", ["title", "to_do", "evidence_hint"])
def test_both_languages_are_complete_and_in_their_language(catalog: Catalog, part: str):
    for item in catalog.items:
        words: Words = getattr(item, part)
        assert re.search(r"[ぁ-ん]", words.ja) or part == "evidence_hint", (item.id, words.ja)
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", words.ja), (item.id, words.ja)
        assert re.fullmatch(r"[\x20-\x7e\né]+", words.en), (item.id, words.en)


def test_each_task_text_is_two_to_five_lines_in_both_languages_alike(catalog: Catalog):
    for item in catalog.items:
        ja, en = item.to_do.ja.split("\n"), item.to_do.en.split("\n")
        assert 2 <= len(ja) <= 5, item.id
        assert len(ja) == len(en), item.id
        assert all(line.endswith("。") for line in ja), item.id


def test_titles_fit_a_line_of_a_tracker(catalog: Catalog):
    assert [item.id for item in catalog.items if len(item.title.ja) > 30 or len(item.title.en) > 70] == []
    assert len({item.title.ja for item in catalog.items}) == len(IDS)


def test_no_numeric_requirement_that_the_2024_revision_dropped_is_asked_for(catalog: Catalog):
    found = {
        (item.id, match[0])
        for item in catalog.items
        for words in texts(item)
        for match in [DROPPED.search(words.ja), DROPPED.search(words.en)]
        if match
    }

    assert found == set()


def test_task_texts_hold_no_number_at_all_but_the_year_of_the_revision(catalog: Catalog):
    """Numbers would read as requirements of the notice, and none of its numbers is known."""
    for item in catalog.items:
        for words in texts(item):
            for text in (words.ja, words.en):
                assert set(re.findall(r"[0-9０-９]+", text)) <= {"2024"}, (item.id, text)


def test_the_four_items_concerned_say_that_the_numbers_are_gone(catalog: Catalog):
    saying = {item.id for item in catalog.items if "数値要件は2024年の改正でなくなりました" in item.to_do.ja}

    assert saying == {"T-17", "T-20", "T-21", "T-22"}
    assert len(catalog.deleted) == 4


def test_the_conditions_are_those_of_the_facts(catalog: Catalog):
    assert {item.id: item.applies_when for item in catalog.items if item.applies_when} == CONDITIONS


def test_every_item_says_where_it_comes_from(catalog: Catalog):
    assert Counter(item.basis for item in catalog.items) == {
        "named_by_meti": 21,
        "derived": 17,
        "guess": 5,
        "pre_revision": 3,
    }
    assert tuple(item.id for item in catalog.items if item.basis == "named_by_meti") == NAMED_BY_METI
    for item in catalog.items:
        assert item.source
        assert set(item.source) <= set(catalog.sources)
        assert (item.confidence == "high") == (item.basis == "named_by_meti"), item.id


def test_chapters_and_fields_are_ten_and_eight_and_the_unseen_ones_are_marked(catalog: Catalog):
    assert len(catalog.chapters) == 10
    assert {item.chapter for item in catalog.items} == set(catalog.chapters)
    assert len(catalog.checklist_fields) == 8
    assert catalog.unseen_fields == ("limit_damage", "area8")
    assert all("未確認" in catalog.checklist_fields[name].ja for name in catalog.unseen_fields)


def test_evidence_lives_as_long_as_the_longest_cycle_and_for_ever_without_one(catalog: Catalog):
    for item in catalog.items:
        cycles = [MONTHS[word] for word in item.cadence if word in MONTHS]
        assert item.evidence.valid_months == max(cycles, default=None), item.id
        assert item.evidence.kinds, item.id


def test_a_year_holds_about_eighty_cycles_of_work(catalog: Catalog):
    assert sum(12 // MONTHS[word] for item in catalog.items for word in item.cadence if word in MONTHS) == 80


def test_names_and_floor_plans_do_not_leave_the_house_by_default(catalog: Catalog):
    for item in catalog.items:
        leaves = item.keep_mode is KeepMode.COPY
        assert leaves == (item.evidence_class == "internal"), item.id
    personal = {"T-10", "T-11", "T-12", "T-14", "T-22", "T-23", "T-24", "T-45"}
    assert all(catalog.by_id[name].evidence_class == "personal" for name in personal)
    assert all(catalog.by_id[name].evidence_class == "secret" for name in ("T-01", "T-04", "T-21"))


def test_the_crosswalk_is_our_own_and_claims_no_more_than_an_overlap(catalog: Catalog):
    lines = [line for item in catalog.items for line in item.crosswalk]

    assert {(line.relation, line.basis) for line in lines} == {("intersects", "own")}
    assert {line.scheme for line in lines} == {"iso27001-2022", "jama-japia"}
    for item in catalog.items:
        assert {line.scheme for line in item.crosswalk} == {"iso27001-2022", "jama-japia"}, item.id


def test_every_id_is_written_in_quotes():
    text = shipped_catalog("tics-2024").read_text(encoding="utf-8")

    assert len(re.findall(r'^  - id: "T-\d\d"$', text, re.MULTILINE)) == len(IDS)
    assert re.findall(r"^  - id: [^\"]", text, re.MULTILINE) == []


def test_the_overlay_and_the_table_in_the_source_page_are_true(tmp_path: Path, catalog: Catalog):
    page = shipped_catalog("tics-2024").with_name("SOURCE.md").read_text(encoding="utf-8")
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    counts = {
        word: int(count) for word, count in re.findall(r"^\| `(\w+)` .*\| (\d+) \|$", page, re.MULTILINE)
    }

    loaded, problems = load_catalog(shipped_catalog("tics-2024"), overlay)

    assert problems == []
    assert loaded is not None
    assert loaded.by_id["T-14"].official_ref == ("3(2)",)
    assert loaded.by_id["K-01"].evidence.valid_months == 3
    assert counts == Counter(item.basis for item in catalog.items)


def test_an_unknown_pack_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError) as caught:
        shipped_catalog("tics-2023")

    assert caught.value.fix == "did you mean tics-2024?"


@pytest.mark.parametrize("name", ["", "..", "../tics-2024", "tics-2024/..", "/etc"])
def test_a_pack_name_is_no_path(name: str):
    with pytest.raises(UsageError):
        shipped_catalog(name)
