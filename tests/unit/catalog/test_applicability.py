"""What a profile leaves in scope, and the sentence that says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticssync.catalog import decide, load_catalog, shipped_catalog
from ticssync.catalog.applicability import ALWAYS, FLAG_CLAUSES, NO_FORMS, UNREADABLE
from ticssync.model.criterion import Criterion, EvidenceRule, KeepMode, Words
from ticssync.model.profile import FLAGS, FORMS, Profile

profiles = st.builds(
    Profile,
    forms=st.frozensets(st.sampled_from(FORMS)),
    **{flag: st.booleans() for flag in FLAGS},  # type: ignore[arg-type]
)


def item(condition: str) -> Criterion:
    words = Words("題", "title")
    return Criterion(
        "demo", "A-1", "rules", words, words, words, condition, EvidenceRule(), KeepMode.COPY, "internal",
        (), (), (), "guess", "low",
    )  # fmt: skip


def why(condition: str, **profile: object) -> tuple[bool, str, str]:
    scope = decide(item(condition), Profile(**profile))  # type: ignore[arg-type]
    return scope.in_scope, scope.reason.ja, scope.reason.en


def forms(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_an_item_without_a_condition_is_for_every_company():
    assert decide(item(""), Profile()).reason == ALWAYS


def test_being_in_scope_names_the_forms_that_are_handled():
    assert why("forms.paper or forms.object or areas", forms=forms("paper", "object")) == (
        True,
        "「紙」と「物」の情報を扱うため対象",
        "In scope because the company handles information on paper and in objects",
    )


def test_being_out_of_scope_names_what_is_not_handled():
    assert why("forms.electronic", forms=forms("paper")) == (
        False,
        "「電子データ」を扱わないため対象外",
        "Out of scope because the company handles no information as electronic data",
    )


def test_a_form_and_a_flag_join_into_one_sentence():
    assert why("forms.paper or areas", forms=forms("paper"), areas=True)[1:] == (
        "「紙」の情報を扱い、管理区域があるため対象",
        "In scope because the company handles information on paper and has restricted areas",
    )
    assert why("forms.paper or takeout", forms=forms("electronic"))[1:] == (
        "「紙」を扱わず、情報を社外に持ち出さないため対象外",
        "Out of scope because the company handles no information on paper and takes no information out",
    )
    assert why("forms.paper or forms.object or areas", forms=forms("electronic"))[1].startswith(
        "「紙」も「物」も扱わず、"
    )


def test_a_negation_speaks_of_what_is_so_and_not_of_the_formula():
    assert why("forms.paper and not areas", forms=forms("paper"), areas=True)[:2] == (
        False,
        "管理区域があるため対象外",
    )
    assert why("forms.paper and not forms.object", forms=forms("paper"))[:2] == (
        True,
        "「紙」の情報を扱い、「物」を扱わないため対象",
    )


def test_a_profile_that_names_no_form_leaves_nothing_out():
    """Every company handles some form: an empty list is "not answered yet", never "no"."""
    assert decide(item("forms.paper"), Profile()).reason == NO_FORMS
    assert decide(item("forms.paper"), Profile()).in_scope
    assert decide(item("not forms.paper"), Profile()).in_scope


def test_a_form_of_a_later_version_does_not_count_as_an_answer():
    assert decide(item("forms.paper"), Profile(forms=forms("hologram"))).reason == NO_FORMS


def test_a_flag_still_decides_where_the_forms_are_not_answered():
    assert why("forms.paper or areas", areas=True)[:2] == (True, "管理区域があるため対象")
    assert why("forms.paper and areas")[:2] == (False, "管理区域がないため対象外")


def test_a_condition_that_cannot_be_read_leaves_nothing_out():
    scope = decide(item("forms.hologram"), Profile(forms=forms("paper")))

    assert (scope.in_scope, scope.reason) == (True, UNREADABLE)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", [True, False])
def test_every_flag_has_its_words_both_ways(flag: str, value: bool):
    scope = decide(item(flag), replace(Profile(), **{flag: value}))

    assert scope.in_scope is value
    assert scope.reason.ja == FLAG_CLAUSES[flag, value].ending + ("ため対象" if value else "ため対象外")


@given(profiles)
def test_the_sentence_always_agrees_with_the_decision(profile: Profile):
    for criterion in SHIPPED:
        scope = decide(criterion, profile)
        assert scope.reason.ja.endswith("対象" if scope.in_scope else "対象外")
        assert scope.reason.en.startswith("In scope" if scope.in_scope else "Out of scope")


@given(profiles)
def test_handling_more_never_takes_an_item_of_the_shipped_catalogue_out(profile: Profile):
    everything = Profile(frozenset(FORMS), *(True for _ in FLAGS))
    wider = replace(profile, forms=everything.forms)

    for criterion in SHIPPED:
        assert decide(criterion, everything).in_scope
        assert decide(criterion, wider).in_scope or not decide(criterion, profile).in_scope


SHIPPED = (load_catalog(shipped_catalog("tics-2024"))[0] or pytest.fail("no catalogue")).items
