"""From the written form to the values of the model, and a company's overlay laid over them.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, TypeVar

from ticssync.model.canonical import digest, plain
from ticssync.model.criterion import (
    Catalog,
    Criterion,
    CrosswalkEntry,
    EvidenceRule,
    Words,
)

if TYPE_CHECKING:
    from ticssync.catalog.schema import (
        BothWords,
        EvidenceEntry,
        EvidencePatch,
        ItemEntry,
        ItemPatch,
        OverlayFile,
        OwnWords,
        PackFile,
        SomeWords,
        SourceWords,
    )

Text = TypeVar("Text", bound=str)


def merged(pack: PackFile, overlay: OverlayFile | None) -> Catalog:
    """The catalogue with the overlay laid over it: the pack's items in order, then the company's own."""
    items = [criterion(pack.scheme, entry) for entry in pack.items]
    if overlay is not None:
        items = [patched(item, overlay.items.get(item.id)) for item in items]
        items += [criterion(pack.scheme, entry) for entry in overlay.add]
    catalog = _head(pack, tuple(items))
    return replace(catalog, digest=content_digest(catalog), by_id={item.id: item for item in items})


def content_digest(catalog: Catalog) -> str:
    """SHA-256 over the canonical JSON of everything the catalogue says (not of the file's bytes)."""
    content = asdict(replace(catalog, digest="", by_id={}))
    return digest(plain(content))


def criterion(scheme: str, entry: ItemEntry) -> Criterion:
    """One item as the model knows it."""
    return Criterion(
        scheme=scheme,
        id=entry.id,
        chapter=entry.chapter,
        title=_words(entry.title),
        to_do=_words(entry.to_do),
        evidence_hint=_words(entry.evidence.hint),
        applies_when=entry.applies_when or "",
        evidence=_rule(entry.evidence),
        keep_mode=entry.keep_mode,
        evidence_class=entry.evidence_class,
        cadence=tuple(entry.cadence),
        checklist_fields=tuple(entry.checklist_fields),
        official_ref=tuple(entry.official_ref),
        basis=entry.basis,
        confidence=entry.confidence,
        crosswalk=tuple(
            CrosswalkEntry(line.scheme, line.ref, line.relation, line.basis) for line in entry.crosswalk
        ),
        source=tuple(entry.source),
    )


def patched(item: Criterion, patch: ItemPatch | None) -> Criterion:
    """The item with what the company says of it; what the patch does not name stays as it is."""
    if patch is None:
        return item
    return replace(
        item,
        title=_over(item.title, patch.title),
        to_do=_over(item.to_do, patch.to_do),
        evidence_hint=_over(item.evidence_hint, patch.evidence.hint if patch.evidence else None),
        evidence=_rule_over(item.evidence, patch.evidence),
        keep_mode=patch.keep_mode or item.keep_mode,
        evidence_class=patch.evidence_class or item.evidence_class,
        cadence=_listed(patch.cadence, item.cadence),
        official_ref=_listed(patch.official_ref, item.official_ref),
    )


def _head(pack: PackFile, items: tuple[Criterion, ...]) -> Catalog:
    fields = pack.checklist_fields
    return Catalog(
        name=pack.name,
        scheme=pack.scheme,
        edition=pack.edition,
        in_force_on=pack.in_force_on,
        status=pack.status,
        basis=_words(pack.basis),
        source=pack.source,
        chapters=_by_name(pack.chapters),
        checklist_fields=_by_name(fields),
        items=items,
        deleted=tuple(_words(words) for words in pack.deleted_in_2024),
        sources={name: _cited(source) for name, source in pack.sources.items()},
        unseen_fields=tuple(name for name, field in fields.items() if field.seen != "yes"),
    )


def _by_name(texts: Mapping[str, BothWords]) -> dict[str, Words]:
    return {name: _words(words) for name, words in texts.items()}


def _cited(source: SourceWords) -> Words:
    address = f" {source.url}" if source.url else ""
    return Words(source.ja + address, source.en + address)


def _words(words: BothWords | OwnWords) -> Words:
    return Words(words.ja, words.en or words.ja)


def _over(words: Words, patch: SomeWords | None) -> Words:
    return words if patch is None else Words(patch.ja or words.ja, patch.en or words.en)


def _listed(patch: Sequence[Text] | None, present: tuple[Text, ...]) -> tuple[Text, ...]:
    return present if patch is None else tuple(patch)


def _rule(entry: EvidenceEntry | EvidencePatch) -> EvidenceRule:
    return EvidenceRule(entry.count, tuple(entry.kinds), entry.valid_months, entry.reviewed)


def _rule_over(rule: EvidenceRule, patch: EvidencePatch | None) -> EvidenceRule:
    # Only what was written counts: `valid_months: null` means "no end", and leaving it out means "as it is".
    given = patch.model_fields_set - {"hint"} if patch else set()
    values = {name: getattr(patch, name) for name in given}
    if "kinds" in values:
        values["kinds"] = tuple(values["kinds"])
    return replace(rule, **values)
