"""The written form of a scheme pack and of a company's overlay, as pydantic models.

Shape only: what needs the whole file (duplicates, unknown chapters, conditions) is checked in `load`, which
has the places.  Texts are kept byte for byte.  Import this module lazily: pydantic is heavy.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from ticssync.errors import say
from ticssync.model.canonical import storable_text
from ticssync.model.criterion import Cadence, KeepMode
from ticssync.model.key import PART_PATTERN

EvidenceKind = Literal["document", "register", "record", "photo", "screenshot", "certificate"]
EvidenceClass = Literal["internal", "personal", "secret"]
Relation = Literal["equal", "superset", "subset", "intersects"]
Confidence = Literal["high", "medium", "low"]
PackBasis = Literal["named_by_meti", "pre_revision", "derived", "guess", "official", "company"]
"""Where an item comes from: METI names the topic · named for the criteria before the revision · derived
from schemes that METI says are covered · a guess · taken over by a user from the published text · the
company's own."""

_CHAPTER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError(say("this text is empty"))
    # YAML's \u escapes can write half a character; neither a file nor a database could keep it.
    if storable_text(text) != text:
        raise ValueError(say("this text holds a character that cannot be stored"))
    return text


def _item_id(text: str) -> str:
    if not re.fullmatch(PART_PATTERN, text):
        raise ValueError(say("an id is 1 to 32 letters (A–Z, a–z), digits and hyphens"))
    return text


def _word(text: str) -> str:
    if not _CHAPTER.fullmatch(text):
        raise ValueError(say("a name here is small letters, digits and underscores, beginning with a letter"))
    return text


def _day(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(say('a day is written "2024-08-16", in quotes'))


def _whole(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(say("this must be a whole number, 1 or more"))
    return value


def _yes_or_no(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(say("this must be true or false"))
    return value


def _list(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError(say("this must be a list: [a, b]"))
    return value


def _once_each(value: list[Any]) -> list[Any]:
    if len({str(part) for part in value}) != len(value):
        raise ValueError(say("the same entry stands in this list twice"))
    return value


def _some(value: list[Any]) -> list[Any]:
    if not value:
        raise ValueError(say("one entry at least must stand here"))
    return value


def _mapping(value: object) -> object:
    # pydantic's own message names the class and never says what to write.
    if not isinstance(value, (dict, BaseModel)):
        raise ValueError(say("names with values must stand here, such as “ja: …”"))
    return value


def _nothing(empty: Any) -> BeforeValidator:
    # A block whose lines are all commented out reads as null; in an overlay that means "nothing".
    return BeforeValidator(lambda value: empty if value is None else value)


Filled = Annotated[StrictStr, AfterValidator(_filled)]
ItemId = Annotated[StrictStr, AfterValidator(_item_id)]
Name = Annotated[StrictStr, AfterValidator(_word)]
Day = Annotated[StrictStr, AfterValidator(_day)]
Whole = Annotated[int, BeforeValidator(_whole)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
IsList = BeforeValidator(_list)
OnceEach = AfterValidator(_once_each)
Some = AfterValidator(_some)
Mapped = BeforeValidator(_mapping)
Names = Annotated[list[Name], IsList, OnceEach]
Texts = Annotated[list[Filled], IsList, OnceEach]
Kinds = Annotated[list[EvidenceKind], IsList, OnceEach]
Cadences = Annotated[list[Cadence], IsList, OnceEach, Some]


class Strict(BaseModel):
    """Keys that a version does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BothWords(Strict):
    """A text in both languages, both filled."""

    ja: Filled
    en: Filled


class OwnWords(Strict):
    """A company's own text: Japanese is enough, English falls back to it."""

    ja: Filled
    en: Filled | None = None


class SomeWords(Strict):
    """Words that replace the pack's: a language left out keeps the pack's text."""

    ja: Filled | None = None
    en: Filled | None = None


class FieldWords(BothWords):
    """A field of the self-check list; `seen` says whether its published name was seen."""

    seen: Literal["yes", "partly", "no"] = "yes"


class SourceWords(BothWords):
    """Where a topic was read."""

    url: Filled | None = None


class EvidenceEntry(Strict):
    """What proof an item needs; `valid_months` null = no end."""

    hint: Annotated[BothWords, Mapped]
    count: Whole = 1
    kinds: Kinds = []
    valid_months: Whole | None = None
    reviewed: YesOrNo = False


class OwnEvidence(EvidenceEntry):
    """The same for a company's own item."""

    hint: Annotated[OwnWords, Mapped]  # type: ignore[assignment]  # one language less is the point


class CrosswalkLine(Strict):
    """A reference into another scheme; `basis` says who drew it."""

    scheme: ItemId
    ref: Filled
    relation: Relation
    basis: Filled = "own"


class ItemEntry(Strict):
    """One item of a pack."""

    id: ItemId
    chapter: Name
    title: Annotated[BothWords, Mapped]
    to_do: Annotated[BothWords, Mapped]
    evidence: Annotated[EvidenceEntry, Mapped]
    evidence_class: EvidenceClass = Field(alias="class")
    keep_mode: KeepMode
    cadence: Cadences
    applies_when: Filled | None = None
    checklist_fields: Names = []
    official_ref: Texts = []
    source: Texts = []
    basis: PackBasis
    confidence: Confidence
    crosswalk: Annotated[list[Annotated[CrosswalkLine, Mapped]], IsList] = []


class OwnItem(ItemEntry):
    """An item of the company's own, in its overlay: what is left out gets the careful default."""

    title: Annotated[OwnWords, Mapped]  # type: ignore[assignment]  # as OwnEvidence
    to_do: Annotated[OwnWords, Mapped]  # type: ignore[assignment]
    evidence: Annotated[OwnEvidence, Mapped]
    evidence_class: EvidenceClass = Field("internal", alias="class")
    keep_mode: KeepMode = KeepMode.HASH_ONLY
    cadence: Cadences = [Cadence.YEARLY]
    basis: PackBasis = "company"
    confidence: Confidence = "high"


class PackFile(Strict):
    """A whole `catalog.yaml`."""

    version: Literal[1]
    name: ItemId
    scheme: ItemId
    edition: Filled
    in_force_on: Day
    status: Literal["working", "official"]
    basis: Annotated[BothWords, Mapped]
    source: Filled
    chapters: Annotated[dict[Name, Annotated[BothWords, Mapped]], Mapped]
    checklist_fields: Annotated[dict[Name, Annotated[FieldWords, Mapped]], Mapped] = {}
    deleted_in_2024: Annotated[list[Annotated[BothWords, Mapped]], IsList] = []
    sources: Annotated[dict[Filled, Annotated[SourceWords, Mapped]], Mapped] = {}
    items: Annotated[list[Annotated[ItemEntry, Mapped]], IsList, Some]


class EvidencePatch(Strict):
    """The parts of an evidence rule that a company sets differently."""

    hint: Annotated[SomeWords, Mapped] | None = None
    count: Whole = 1
    kinds: Kinds = []
    valid_months: Whole | None = None
    reviewed: YesOrNo = False


class ItemPatch(Strict):
    """What a company may say about an item of the pack.  Leaving one out of scope is a named person's act."""

    official_ref: Texts | None = None
    title: Annotated[SomeWords, Mapped] | None = None
    to_do: Annotated[SomeWords, Mapped] | None = None
    evidence_class: EvidenceClass | None = Field(None, alias="class")
    keep_mode: KeepMode | None = None
    evidence: Annotated[EvidencePatch, Mapped] | None = None
    cadence: Cadences | None = None


class OverlayFile(Strict):
    """A whole `overlay.yaml`; `catalog`, where given, must be the pack's name."""

    version: Literal[1] = 1
    catalog: StrictStr | None = None
    items: Annotated[dict[StrictStr, Annotated[ItemPatch, Mapped]], Mapped, _nothing({})] = {}
    add: Annotated[list[Annotated[OwnItem, Mapped]], IsList, _nothing([])] = []
