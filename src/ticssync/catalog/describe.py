"""The catalogue as plain JSON values: for people's commands, and for the event log.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from ticssync.catalog.applicability import decide
from ticssync.model.criterion import Catalog, Criterion, Scope, Words
from ticssync.model.profile import Profile

BASIS_WORDS: Final = {
    "named_by_meti": Words("経済産業省の資料が話題として挙げている", "METI's slides name the topic"),
    "pre_revision": Words("改正前の基準について挙げられている", "named for the criteria before the revision"),
    "derived": Words(
        "含むとされる他の基準から導いた", "derived from schemes that the criteria are said to cover"
    ),
    "guess": Words("推定", "a guess"),
    "official": Words("利用者が公表資料から写した", "taken over by a user from the published text"),
    "company": Words("自社で加えた", "added by the company"),
}
"""What the word in `basis` means, in a phrase for people."""


def catalog_json(catalog: Catalog, lang: str) -> list[dict[str, Any]]:
    """The items of `catalog list --json`, in catalogue order, texts in `lang` ("ja" or "en")."""
    return [
        {
            "scheme": item.scheme,
            "id": item.id,
            "chapter": item.chapter,
            "chapter_title": catalog.chapters[item.chapter].in_language(lang),
            "title": item.title.in_language(lang),
            "official_ref": list(item.official_ref),
            "cadence": _values(item.cadence),
            "class": item.evidence_class,
            "keep_mode": item.keep_mode.value,
            "applies_when": item.applies_when,
            "basis": item.basis,
            "confidence": item.confidence,
        }
        for item in catalog.items
    ]


def criterion_json(criterion: Criterion, scope: Scope, lang: str) -> dict[str, Any]:
    """The item of `catalog show ID --json`: everything it says, and whether and why it is in scope."""
    return {
        "scheme": criterion.scheme,
        "id": criterion.id,
        "chapter": criterion.chapter,
        "title": criterion.title.in_language(lang),
        "to_do": criterion.to_do.in_language(lang),
        "evidence": {"hint": criterion.evidence_hint.in_language(lang), **_rule(criterion)},
        "class": criterion.evidence_class,
        "keep_mode": criterion.keep_mode.value,
        "cadence": _values(criterion.cadence),
        "applies_when": criterion.applies_when,
        "in_scope": scope.in_scope,
        "why": scope.reason.in_language(lang),
        "checklist_fields": list(criterion.checklist_fields),
        "official_ref": list(criterion.official_ref),
        "basis": criterion.basis,
        "basis_text": _basis_text(criterion.basis, lang),
        "confidence": criterion.confidence,
        "source": list(criterion.source),
        "crosswalk": [asdict(entry) for entry in criterion.crosswalk],
    }


def scope_payload(catalog: Catalog, profile: Profile) -> dict[str, Any]:
    """What a `scope.taken` event holds: the catalogue as it was, the profile, and what that leaves in scope.

    Both languages, so that a bundle of either can be made from the log alone.
    """
    return {
        "scheme": catalog.scheme,
        "catalog": catalog.name,
        "edition": catalog.edition,
        "in_force_on": catalog.in_force_on,
        "status": catalog.status,
        "basis": _both(catalog.basis),
        "source": catalog.source,
        "digest": catalog.digest,
        "profile": profile.plain(),
        "profile_digest": profile.digest,
        "chapters": _named(catalog.chapters),
        "items": [_scoped(item, decide(item, profile)) for item in catalog.items],
    }


def _scoped(item: Criterion, scope: Scope) -> dict[str, Any]:
    return {
        "id": item.id,
        "chapter": item.chapter,
        "title": _both(item.title),
        "to_do": _both(item.to_do),
        "evidence_hint": _both(item.evidence_hint),
        "evidence": _rule(item),
        "keep_mode": item.keep_mode.value,
        "evidence_class": item.evidence_class,
        "cadence": _values(item.cadence),
        "official_ref": list(item.official_ref),
        "basis": item.basis,
        "confidence": item.confidence,
        "checklist_fields": list(item.checklist_fields),
        "crosswalk": [asdict(entry) for entry in item.crosswalk],
        "applies_when": item.applies_when,
        "in_scope": scope.in_scope,
        "why": _both(scope.reason),
    }


def _rule(item: Criterion) -> dict[str, Any]:
    rule = item.evidence
    return {
        "count": rule.count,
        "kinds": list(rule.kinds),
        "valid_months": rule.valid_months,
        "reviewed": rule.reviewed,
    }


def _basis_text(basis: str, lang: str) -> str:
    # Lists of words may grow: a pack of a later version is shown with its bare word.
    return BASIS_WORDS.get(basis, Words(basis, basis)).in_language(lang)


def _values(words: tuple[Any, ...]) -> list[str]:
    return [str(getattr(word, "value", word)) for word in words]


def _both(words: Words) -> dict[str, str]:
    return {"ja": words.ja, "en": words.en}


def _named(texts: Mapping[str, Words]) -> dict[str, dict[str, str]]:
    return {name: _both(words) for name, words in texts.items()}
