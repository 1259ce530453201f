"""Scheme packs: what a certification scheme asks for, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class KeepMode(StrEnum):
    """How evidence of an item is kept; only `copy` puts the file's bytes into a bundle."""

    COPY = "copy"
    HASH_ONLY = "hash_only"
    ON_SITE = "on_site"
    PAPER = "paper"


class Cadence(StrEnum):
    """How often the work of an item comes round."""

    ONCE = "once"
    YEARLY = "yearly"
    HALF_YEARLY = "half_yearly"
    QUARTERLY = "quarterly"
    MONTHLY = "monthly"
    ON_EVENT = "on_event"


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages.  Japanese is the main one."""

    ja: str
    en: str

    def in_language(self, lang: str) -> str:
        """The text in `lang` ("ja" or "en"; anything else reads as Japanese)."""
        return self.en if lang == "en" else self.ja


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What proof an item needs before it can wait for confirmation.

    `count` files or records at least; `kinds` are words such as document, register, record, photo,
    screenshot, certificate (empty = any); `valid_months` counts from the evidence's own date (None = no
    end); `reviewed` asks for another person than the one who handed it in.
    """

    count: int = 1
    kinds: tuple[str, ...] = ()
    valid_months: int | None = None
    reviewed: bool = False


@dataclass(frozen=True, slots=True)
class CrosswalkEntry:
    """One reference into another scheme: `relation` is equal, superset, subset or intersects."""

    scheme: str
    ref: str
    relation: str
    basis: str


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item.  `applies_when` is an expression over the profile ("" = always); `basis` and `confidence`
    say where the item comes from, `source` names entries of the catalogue's `sources`; `official_ref` stays
    empty until the company fills it from the notice."""

    scheme: str
    id: str
    chapter: str
    title: Words
    to_do: Words
    evidence_hint: Words
    applies_when: str
    evidence: EvidenceRule
    keep_mode: KeepMode
    evidence_class: str
    cadence: tuple[Cadence, ...]
    checklist_fields: tuple[str, ...]
    official_ref: tuple[str, ...]
    basis: str
    confidence: str
    crosswalk: tuple[CrosswalkEntry, ...] = ()
    source: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """`scheme/id`, the criterion's name everywhere."""
        return f"{self.scheme}/{self.id}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """A scheme pack with the company's overlay already laid over it.  `digest` names exactly this content.

    `unseen_fields` are checklist fields whose name nobody has seen in full.
    """

    name: str
    scheme: str
    edition: str
    in_force_on: str
    status: str
    basis: Words
    source: str
    chapters: Mapping[str, Words]
    checklist_fields: Mapping[str, Words]
    items: tuple[Criterion, ...]
    deleted: tuple[Words, ...] = ()
    digest: str = ""
    by_id: Mapping[str, Criterion] = field(default_factory=dict)
    sources: Mapping[str, Words] = field(default_factory=dict)
    unseen_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Whether an item is in scope for this company, and why, in a sentence for people."""

    in_scope: bool
    reason: Words
