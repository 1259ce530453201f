"""The catalogue as plain values: what commands print and what the event log keeps."""

from __future__ import annotations

import json

import pytest

from ticssync.catalog import catalog_json, criterion_json, decide, scope_payload
from ticssync.catalog.describe import BASIS_WORDS
from ticssync.catalog.schema import PackBasis
from ticssync.model.canonical import canonical_json
from ticssync.model.criterion import Catalog
from ticssync.model.profile import Profile

from .conftest import Load

PROFILE = Profile(frozenset({"electronic"}), remote_work=True, classes=("極秘", "秘"))


@pytest.fixture
def catalog(load: Load) -> Catalog:
    loaded, problems = load()
    assert problems == []
    assert loaded is not None
    return loaded


def test_the_list_is_in_catalogue_order_and_in_the_language_asked_for(catalog: Catalog):
    japanese, english = catalog_json(catalog, "ja"), catalog_json(catalog, "en")

    assert [item["id"] for item in japanese] == ["A-1", "A-2", "A-10"]
    assert [item["title"] for item in english] == ["Decide", "Lock", "Count"]
    assert japanese[1] == {
        "scheme": "demo",
        "id": "A-2",
        "chapter": "doors",
        "chapter_title": "扉",
        "title": "閉める",
        "official_ref": [],
        "cadence": ["on_event"],
        "class": "secret",
        "keep_mode": "hash_only",
        "applies_when": "forms.paper or areas",
        "basis": "guess",
        "confidence": "low",
    }


def test_one_item_says_everything_and_why_it_is_in_scope_or_not(catalog: Catalog):
    item = catalog.by_id["A-2"]

    shown = criterion_json(item, decide(item, PROFILE), "ja")

    assert shown["in_scope"] is False
    assert shown["why"] == "「紙」を扱わず、管理区域がないため対象外"
    assert shown["basis_text"] == "推定"
    assert shown["evidence"] == {
        "hint": "写真", "count": 1, "kinds": [], "valid_months": None, "reviewed": False,
    }  # fmt: skip


def test_english_is_english_throughout(catalog: Catalog):
    item = catalog.by_id["A-1"]

    shown = criterion_json(item, decide(item, PROFILE), "en")

    assert json.dumps(shown, ensure_ascii=False).isascii()


def test_the_scope_keeps_catalogue_profile_and_decision_in_both_languages(catalog: Catalog):
    payload = scope_payload(catalog, PROFILE)

    assert {name: payload[name] for name in payload if name not in ("items", "profile")} == {
        "scheme": "demo",
        "catalog": "demo-1",
        "edition": "1",
        "in_force_on": "2024-08-16",
        "status": "working",
        "basis": {"ja": "作業用カタログ", "en": "Working catalogue"},
        "source": "髙﨑㈱ ㊙ 〜 🔒",
        "digest": catalog.digest,
        "profile_digest": PROFILE.digest,
        "chapters": {"rules": {"ja": "規則", "en": "Rules"}, "doors": {"ja": "扉", "en": "Doors"}},
    }
    assert payload["profile"] == PROFILE.plain()
    assert payload["items"][0] == {
        "id": "A-1",
        "chapter": "rules",
        "title": {"ja": "決める", "en": "Decide"},
        "to_do": {"ja": "決めて書きます。", "en": "Decide and write."},
        "evidence_hint": {"ja": "一覧", "en": "The list"},
        "evidence": {"count": 2, "kinds": ["register"], "valid_months": 12, "reviewed": True},
        "keep_mode": "copy",
        "evidence_class": "internal",
        "cadence": ["yearly"],
        "official_ref": [],
        "basis": "derived",
        "confidence": "low",
        "checklist_fields": ["making"],
        "crosswalk": [{"scheme": "iso27001-2022", "ref": "A.5.9", "relation": "intersects", "basis": "own"}],
        "applies_when": "",
        "in_scope": True,
        "why": {"ja": "すべての会社が対象", "en": "In scope for every company"},
    }
    assert [item["in_scope"] for item in payload["items"]] == [True, False, True]


def test_the_scope_is_plain_json_that_comes_back_the_same(catalog: Catalog):
    payload = scope_payload(catalog, PROFILE)

    assert json.loads(canonical_json(payload)) == payload
    assert {type(value) for item in payload["items"] for value in item.values()} == {str, dict, list, bool}


def test_every_word_of_basis_has_a_phrase_in_both_languages():
    assert set(BASIS_WORDS) == set(PackBasis.__args__)
