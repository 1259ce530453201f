"""Reading a pack: every problem at once, each with file, line and column."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticssync.catalog import load_catalog
from ticssync.errors import Problem
from ticssync.model import key
from ticssync.model.criterion import Cadence, CrosswalkEntry, EvidenceRule, KeepMode, Words
from ticssync.yamlfile import parse_yaml

from .conftest import PACK, Load


def at(problem: Problem) -> str:
    """The text of the pack's line from the problem's column on is what the problem points at."""
    assert problem.line is not None
    assert problem.column is not None
    return PACK.split("\n")[problem.line - 1][problem.column - 1 :]


def test_a_pack_is_read_as_it_is_written(load: Load):
    catalog, problems = load()

    assert problems == []
    assert catalog is not None
    first, second, third = catalog.items
    assert catalog.source == "髙﨑㈱ ㊙ 〜 🔒"
    assert (first.ref, first.title, first.keep_mode) == ("demo/A-1", Words("決める", "Decide"), KeepMode.COPY)
    assert first.evidence == EvidenceRule(2, ("register",), 12, True)
    assert first.crosswalk == (CrosswalkEntry("iso27001-2022", "A.5.9", "intersects", "own"),)
    assert second.evidence == EvidenceRule()
    assert second.applies_when == "forms.paper or areas"
    assert third.cadence == (Cadence.HALF_YEARLY,)
    assert catalog.sources == {"S-1": Words("資料 https://example.com/a", "Slides https://example.com/a")}
    assert catalog.unseen_fields == ("late",)


@pytest.mark.parametrize(
    ("old", "new", "message", "fix"),
    [
        ('id: "A-10"', "id: 1.10", "items.2.id must be a text", "put it in quotes"),
        ('id: "A-10"', 'id: "A_10"', "letters (A–Z, a–z), digits and hyphens", ""),
        ('id: "A-10"', f'id: "{"A" * 33}"', "letters (A–Z, a–z), digits and hyphens", ""),
        ('id: "A-10"', 'id: "Ａ-10"', "letters (A–Z, a–z), digits and hyphens", ""),
        ('id: "A-10"', 'id: "A-2"', "the id A-2 is already taken", ""),
        ('id: "A-10"', 'id: "a-2"', "the id a-2 differs from A-2 only in capitals", ""),
        ("chapter: rules", "chapter: rule", "chapter: this file knows no rule", "did you mean rules?"),
        ("chapter: rules", "chapter: xyzzy", "this file knows no xyzzy", "there is: rules, doors"),
        ("[making]", "[makin]", "checklist_fields: this file knows no makin", "did you mean making?"),
        ("[S-1]", "[S-9]", "source: this file knows no S-9", "did you mean S-1?"),
        ("keep_mode: copy", "keep_mode: copied", "items.0.keep_mode must be one of", ""),
        ("class: internal", "class: public", "items.0.class must be one of", ""),
        ("kinds: [register]", "kinds: [video]", "items.0.evidence.kinds.0 must be one of", ""),
        ("kinds: [register]", "kinds: register", "this must be a list", ""),
        ("kinds: [register]", "kinds: [register, register]", "stands in this list twice", ""),
        ("count: 2", "count: 0", "a whole number, 1 or more", ""),
        ("count: 2", "count: true", "a whole number, 1 or more", ""),
        ("count: 2", 'count: "2"', "a whole number, 1 or more", ""),
        ("valid_months: 12", "valid_months: 1.5", "a whole number, 1 or more", ""),
        ("reviewed: true", "reviewed: yes", "this must be true or false", ""),
        ("cadence: [yearly]", "cadence: [weekly]", "items.0.cadence.0 must be one of", ""),
        ("cadence: [yearly]", "cadence: []", "one entry at least", ""),
        ("relation: intersects", "relation: similar", "relation must be one of", ""),
        ("{ja: 決める, en: Decide}", "{ja: 決める}", "items.0.title.en is missing", ""),
        ("{ja: 決める, en: Decide}", "{ja: 決める, en: ' '}", "this text is empty", ""),
        ("title: {ja: 決める, en: Decide}", "title: 決める", "names with values must stand here", ""),
        ("{ja: 決める, en: Decide}", r'{ja: "\ud83d", en: Decide}', "cannot be stored", ""),
        ("{ja: 決める, en: Decide}", r'{ja: "a\0", en: Decide}', "cannot be stored", ""),
        ("basis: derived", "basis: heard", "items.0.basis must be one of", ""),
        ('"2024-08-16"', "2024-08-16", "in_force_on must be a text", "quotes"),
        ('"2024-08-16"', '"2024-02-30"', "a day is written", ""),
        ("version: 1", "version: 2", "version must be one of 1", ""),
        ("status: working", "state: working", "state: this version knows no such key", ""),
        ("  rules: {", "  Rules: {", "small letters, digits and underscores", ""),
    ],
)
def test_a_slip_is_a_problem_with_its_place(load: Load, old: str, new: str, message: str, fix: str):
    catalog, problems = load((old, new))

    assert catalog is None
    told = [problem for problem in problems if message in problem.message]
    assert len(told) == 1, problems
    assert told[0].file.endswith("catalog.yaml")
    assert told[0].line == PACK[: PACK.index(old)].count("\n") + 1
    assert told[0].column is not None
    assert fix in told[0].fix


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_bad_condition_points_at_the_word_within_it(load: Load, quote: str):
    written = f"{quote}forms.paper or aeras{quote}"

    _, problems = load(("applies_when: forms.paper or areas", f"applies_when: {written}"))

    (problem,) = problems
    line = PACK.split("\n").index("    applies_when: forms.paper or areas") + 1
    assert (problem.line, problem.column) == (line, 34 + len(quote))
    assert problem.fix == "did you mean areas?"
    assert problem.place == "items.1.applies_when"


def test_a_folded_condition_is_placed_at_its_line(load: Load):
    _, problems = load(
        ("applies_when: forms.paper or areas", "applies_when: >-\n      forms.paper or\n      aeras")
    )

    (problem,) = problems
    assert "aeras" in problem.message
    assert problem.line is not None


def test_all_problems_are_told_at_once(load: Load):
    """Those of the shape do not hide those that need the whole file."""
    _, problems = load(
        ('id: "A-10"', 'id: "A-2"'),
        ("chapter: rules", "chapter: rule"),
        ("count: 2", "count: -2"),
        ("forms.paper or areas", "forms.paper or"),
        ("confidence: low", "confidence: some"),
    )

    assert len(problems) == 5
    assert len({problem.line for problem in problems}) == 5


def test_a_pack_without_chapters_is_told_once_and_not_per_item(load: Load):
    _, problems = load(("chapters:", "x-chapters:"))

    assert [problem.message for problem in problems] == [
        "chapters is missing",
        "x-chapters: this version knows no such key",
    ]


def test_an_id_whose_marker_would_not_fit_is_refused(load: Load, monkeypatch: pytest.MonkeyPatch):
    long = "A" * 32
    assert load(('id: "A-10"', f'id: "{long}"'))[1] == []

    monkeypatch.setattr(key, "MARKER_MAX", 80)
    _, problems = load(('id: "A-10"', f'id: "{long}"'))

    assert [at(problem) for problem in problems] == ['"A-10"']
    assert "longer than trackers can hold" in problems[0].message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "version is missing"),
        (b"- a\n", "names with values must stand here"),
        (b"just a sentence\n", "names with values must stand here"),
        (b"items:\n  - 1\n", "items.0"),
        (b"items: 1\n", "this must be a list"),
        ("title：x\n  a: b".encode(), "full-width colon"),
        ("日本".encode("cp932"), "Shift_JIS"),
        (b"a: 1\na: 2\n", "stands here twice"),
        (b"a: [1\n", "not YAML"),
    ],
)
def test_what_is_no_pack_is_problems_and_never_a_traceback(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "catalog.yaml").write_bytes(content)

    catalog, problems = load_catalog(tmp_path / "catalog.yaml")

    assert catalog is None
    assert any(message in problem.message for problem in problems), problems


def test_a_missing_pack_is_a_problem(tmp_path: Path):
    catalog, problems = load_catalog(tmp_path / "none.yaml")

    assert catalog is None
    assert "does not exist" in problems[0].message


def test_the_digest_names_the_content_and_not_the_file(load: Load):
    catalog, _ = load()
    commented, _ = load(("status: working", "status: working  # a remark\n"))
    changed, _ = load(("決めて書きます。", "決めて書きます！"))
    renamed, _ = load(("{ja: 資料, en: Slides", "{ja: 資料, en: Papers"))

    assert catalog is not None
    assert commented is not None
    assert len(catalog.digest) == 64
    assert commented.digest == catalog.digest
    assert len({found.digest for found in (catalog, changed, renamed) if found}) == 3


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, part in inner for found in places(part, (*path, name)))]


def damaged(value: Any, path: tuple[str | int, ...], junk: object) -> Any:
    if not path:
        return junk
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = damaged(value[path[0]], path[1:], junk)
    return copy


WHOLE = parse_yaml(PACK.encode(), "pack").value
OVERLAY = {
    "items": {"A-1": {"official_ref": ["1"], "evidence": {"count": 1}}},
    "add": [WHOLE["items"][1] | {"id": "K"}],
}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


def test_a_value_replaced_by_anything_is_problems_or_a_catalogue_and_never_a_traceback(tmp_path: Path):
    reached: Counter[str] = Counter()

    @settings(max_examples=120, deadline=None)
    @given(st.booleans(), st.data())
    def survive(over: bool, data: st.DataObject) -> None:
        target = OVERLAY if over else WHOLE
        path = data.draw(st.sampled_from(places(target)))
        files = [WHOLE, OVERLAY]
        files[over] = damaged(target, path, data.draw(JUNK))
        names = [tmp_path / "catalog.yaml", tmp_path / "overlay.yaml"]
        for name, value in zip(names, files, strict=True):
            name.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        catalog, problems = load_catalog(*names)
        assert (catalog is None) is bool(problems)
        assert not any("Input should" in problem.message for problem in problems), problems
        reached["refused" if problems else "read"] += 1

    survive()

    assert set(reached) == {"refused", "read"}


def test_importing_the_catalogue_loads_neither_pydantic_nor_yaml():
    """Commands that only name the area stay light."""
    code = "import sys, ticssync.catalog; print(sorted({'pydantic', 'ruamel.yaml'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("  rules: {ja: 規則", "  1.10: {ja: 規則", "1.1"),
        ("  making: {ja: 作る", "  012: {ja: 作る", "12"),
        ("  S-1: {ja: 資料", "  true: {ja: 資料", "True"),
        ('  - id: "A-10"', '  - 7: x\n    id: "A-10"', "7"),
    ],
)
def test_a_name_that_yaml_reads_as_a_number_is_told_with_its_place(load: Load, old: str, new: str, name: str):
    """`1.10` without quotes is 1.1: nobody meant that, and whatever refers to 1.10 would not be found."""
    catalog, problems = load((old, new))

    told = [one for one in problems if one.message == f"the key {name} was read as a number"]
    assert catalog is None
    assert [one.line for one in told] == [PACK[: PACK.index(old)].count("\n") + 1]
    assert "put it in quotes" in told[0].fix
