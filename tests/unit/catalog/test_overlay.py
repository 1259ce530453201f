"""A company's overlay: what it changes, what it leaves, what it may not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticssync.catalog import load_catalog
from ticssync.model.criterion import Cadence, Catalog, EvidenceRule, KeepMode, Words

from .conftest import Load


def laid(load: Load, overlay: str) -> Catalog:
    catalog, problems = load(overlay=overlay)
    assert problems == []
    assert catalog is not None
    return catalog


def test_official_numbers_and_the_companys_choices_come_over_the_pack(load: Load):
    catalog = laid(
        load,
        """
        items:
          A-1:
            official_ref: ["3(2)", "3(3)"]
            title: {ja: 第三の二 ㊙}
            class: secret
            keep_mode: on_site
            cadence: [quarterly, on_event]
            evidence: {count: 1, hint: {ja: 台帳}}
        """,
    )

    item = catalog.by_id["A-1"]
    assert item.official_ref == ("3(2)", "3(3)")
    assert item.title == Words("第三の二 ㊙", "Decide")
    assert (item.evidence_class, item.keep_mode) == ("secret", KeepMode.ON_SITE)
    assert item.cadence == (Cadence.QUARTERLY, Cadence.ON_EVENT)
    assert item.evidence == EvidenceRule(1, ("register",), 12, True)
    assert item.evidence_hint == Words("台帳", "The list")
    assert catalog.items[0] is item


def test_what_the_overlay_does_not_name_stays_as_the_pack_has_it(load: Load):
    plain, _ = load()
    catalog = laid(load, "items: {A-1: {official_ref: ['1']}}")

    assert plain is not None
    assert catalog.items[1:] == plain.items[1:]
    assert catalog.by_id["A-1"].to_do == plain.by_id["A-1"].to_do
    assert catalog.digest != plain.digest


def test_no_end_of_validity_is_something_else_than_saying_nothing(load: Load):
    assert laid(load, "items: {A-1: {evidence: {valid_months: null}}}").by_id["A-1"].evidence == EvidenceRule(
        2, ("register",), None, True
    )
    assert laid(load, "items: {A-1: {evidence: {kinds: []}}}").by_id["A-1"].evidence == EvidenceRule(
        2, (), 12, True
    )


@pytest.mark.parametrize(
    "overlay", ["", "# nothing yet\n", "version: 1\nitems:\nadd:\n", "catalog: demo-1\n"]
)
def test_an_overlay_that_says_nothing_changes_nothing(load: Load, overlay: str):
    plain, _ = load()

    assert laid(load, overlay) == plain


def test_an_item_of_the_companys_own_comes_last_with_careful_defaults(load: Load):
    catalog = laid(
        load,
        """
        add:
          - id: "K-01"
            chapter: rules
            title: {ja: 委員会を開く}
            to_do: {ja: 委員会を開きます。}
            evidence: {hint: {ja: 議事録}}
            applies_when: not areas
        """,
    )

    item = catalog.items[-1]
    assert [found.id for found in catalog.items] == ["A-1", "A-2", "A-10", "K-01"]
    assert item.ref == "demo/K-01"
    assert item.title == Words("委員会を開く", "委員会を開く")
    assert (item.keep_mode, item.evidence_class, item.basis) == (KeepMode.HASH_ONLY, "internal", "company")
    assert item.applies_when == "not areas"
    assert catalog.by_id["K-01"] is item


OWN = "add: [{%s, title: {ja: あ}, to_do: {ja: い}, evidence: {hint: {ja: う}}%s}]"


@pytest.mark.parametrize(
    ("overlay", "message", "fix"),
    [
        ("items: {A-11: {}}", "the catalogue has no item A-11", "did you mean A-1"),
        ("items: {B: {}}", "the catalogue has no item B", "under “add”"),
        (
            "items: {A-1: {exclude: no}}",
            "items.A-1.exclude: this version knows no such key",
            "ticssync exclude",
        ),
        ("items: {A-1: {applies_when: areas}}", "items.A-1.applies_when: this version knows no such key", ""),
        ("items: {A-1: {official_ref: [3.2]}}", "items.A-1.official_ref.0 must be a text", "in quotes"),
        ("items: {A-1: {official_ref: '3'}}", "this must be a list", ""),
        ("items: {A-1: {title: 題}}", "names with values must stand here", ""),
        ("items: {A-1: {title: {ja: ''}}}", "this text is empty", ""),
        ("items: {A-1: }", "names with values must stand here", ""),
        ("items: [A-1]", "names with values must stand here", ""),
        ("catalog: demo-2", "this overlay is for demo-2, but it was laid over demo-1", ""),
        (OWN % ("id: 1.10, chapter: rules", ""), "add.0.id must be a text", "in quotes"),
        (OWN % ('id: "A-1", chapter: rules', ""), "the id A-1 is already taken", ""),
        (OWN % ('id: "a-1", chapter: rules', ""), "the id a-1 differs from A-1 only in capitals", ""),
        (OWN % ('id: "K-1", chapter: rule', ""), "this file knows no rule", "did you mean rules?"),
        (OWN % ('id: "K-1", chapter: rules', ", applies_when: papers"), "has no word papers", ""),
        (OWN % ('id: "K-1", chapter: rules', ", keep_mode: none"), "keep_mode must be one of", ""),
    ],
)
def test_a_slip_in_the_overlay_is_a_problem_in_the_overlay(load: Load, overlay: str, message: str, fix: str):
    catalog, problems = load(overlay=overlay)

    assert catalog is None
    told = [problem for problem in problems if message in problem.message]
    assert len(told) == 1, problems
    assert told[0].file.endswith("overlay.yaml")
    assert (told[0].line, told[0].column is not None) == (1, True)
    assert fix in told[0].fix


def test_problems_of_both_files_come_together(load: Load):
    _, problems = load(("count: 2", "count: 0"), overlay="items: {A-3: {}}")

    assert [Path(problem.file).name for problem in problems] == ["catalog.yaml", "overlay.yaml"]


def test_an_unreadable_pack_does_not_make_every_line_of_the_overlay_wrong(tmp_path: Path):
    (tmp_path / "catalog.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "overlay.yaml").write_text("items: {A-1: {}}\n", encoding="utf-8")

    _, problems = load_catalog(tmp_path / "catalog.yaml", tmp_path / "overlay.yaml")

    assert {Path(problem.file).name for problem in problems} == {"catalog.yaml"}


def test_an_overlay_that_is_named_but_missing_is_a_problem(load: Load, tmp_path: Path):
    load()

    catalog, problems = load_catalog(tmp_path / "catalog.yaml", tmp_path / "gone.yaml")

    assert catalog is None
    assert "does not exist" in problems[0].message


def test_an_item_number_that_yaml_reads_as_a_number_is_told(load: Load):
    """Items of official numbers look like `1.10`: without quotes the overlay would speak of item 1.1."""
    catalog, problems = load(
        ('id: "A-10"', 'id: "1-10"'), overlay="items:\n  1.10: {official_ref: ['1']}\n  'A-1': {}\n"
    )

    told = [(one.line, str(one.message)) for one in problems]
    assert catalog is None
    assert told[0] == (2, "the key 1.1 was read as a number")
    assert "put it in quotes" in problems[0].fix


def test_a_number_as_a_key_alone_is_enough_to_refuse_the_overlay(load: Load):
    """Also where the text of that number is an item that exists: `7` may have been written 07."""
    number = ('id: "A-10"', 'id: "7"')

    assert load(number, overlay="items: {'7': {official_ref: ['1']}}")[1] == []
    catalog, (problem,) = load(number, overlay="items: {7: {official_ref: ['1']}}")

    assert catalog is None
    assert problem.message == "the key 7 was read as a number"
