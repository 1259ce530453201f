"""Whether an item is in scope for a company, and why, in a sentence for people.  Pure.

Nothing is guessed: an item is out of scope only where the profile says so for certain.  A profile that
names no form of information at all has not been filled in (every company handles some form), so a
condition that hangs on it is undecided, and an undecided item stays in scope until someone answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ticssync.catalog.expression import (
    WORDS,
    Expression,
    deciding_words,
    evaluate,
    parse_expression,
)
from ticssync.model.criterion import Criterion, Scope, Words
from ticssync.model.profile import FLAGS, FORMS, Profile

__all__ = ["Expression", "decide", "parse_expression"]

ALWAYS: Final = Words("すべての会社が対象", "In scope for every company")
UNREADABLE: Final = Words(
    "適用条件を読み取れず、対象外と言えないため対象",
    "In scope because its condition cannot be read, so it cannot be left out",
)
NO_FORMS: Final = Words(
    "扱う情報の形（紙・物・電子データ・可搬媒体）が未記入で、対象外と言えないため対象",
    "In scope because the profile names no form of information yet, so it cannot be left out",
)
FORM_NAMES: Final = {
    "paper": Words("紙", "on paper"),
    "object": Words("物", "in objects"),
    "electronic": Words("電子データ", "as electronic data"),
    "portable_media": Words("可搬媒体", "on portable media"),
}


@dataclass(frozen=True, slots=True)
class _Said:
    """A clause that can end (「…ため」) or go on (「…、」) in Japanese, and stand anywhere in English."""

    ending: str
    going_on: str
    en: str


FLAG_CLAUSES: Final = {
    ("areas", True): _Said("管理区域がある", "管理区域があり", "has restricted areas"),
    ("areas", False): _Said("管理区域がない", "管理区域がなく", "has no restricted areas"),
    ("takeout", True): _Said("情報を社外に持ち出す", "情報を社外に持ち出し", "takes information out"),
    ("takeout", False): _Said(
        "情報を社外に持ち出さない", "情報を社外に持ち出さず", "takes no information out"
    ),
    ("remote_work", True): _Said("テレワークを行う", "テレワークを行い", "works remotely"),
    ("remote_work", False): _Said("テレワークを行わない", "テレワークを行わず", "does not work remotely"),
    ("external_systems", True): _Said(
        "外部の情報システムを使う", "外部の情報システムを使い", "uses external information systems"
    ),
    ("external_systems", False): _Said(
        "外部の情報システムを使わない", "外部の情報システムを使わず", "uses no external information systems"
    ),
    ("third_parties", True): _Said(
        "取引先などに情報を渡す", "取引先などに情報を渡し", "gives information to third parties"
    ),
    ("third_parties", False): _Said(
        "取引先などに情報を渡さない", "取引先などに情報を渡さず", "gives no information to third parties"
    ),
}


def decide(criterion: Criterion, profile: Profile) -> Scope:
    """In scope or out, with the reason: which answers of the profile decided it.

    An empty `applies_when` is always in scope.  One that cannot be read is in scope and says so (a
    loaded catalogue has none such; a stored one of another version might).
    """
    if not criterion.applies_when:
        return Scope(True, ALWAYS)
    expression, _ = parse_expression(criterion.applies_when)
    if expression is None:
        return Scope(True, UNREADABLE)
    answers = profile_answers(profile)
    result = evaluate(expression, answers)
    if result is None:
        return Scope(True, NO_FORMS)
    return Scope(result, _reason(result, deciding_words(expression, answers), answers))


def profile_answers(profile: Profile) -> dict[str, bool | None]:
    """What the profile says to each word of WORDS; None where it says nothing."""
    forms = profile.forms & set(FORMS)
    answers: dict[str, bool | None] = {f"forms.{form}": (form in forms) if forms else None for form in FORMS}
    return answers | {flag: bool(getattr(profile, flag)) for flag in FLAGS}


def _reason(result: bool, words: Sequence[str], answers: dict[str, bool | None]) -> Words:
    said = _clauses([word for word in WORDS if word in words], answers)
    *before, last = said
    ja = "、".join([*(clause.going_on for clause in before), last.ending])
    en = _listed([clause.en for clause in said], "and")
    if result:
        return Words(f"{ja}ため対象", f"In scope because the company {en}")
    return Words(f"{ja}ため対象外", f"Out of scope because the company {en}")


def _clauses(words: Sequence[str], answers: dict[str, bool | None]) -> list[_Said]:
    clauses = []
    for handled in (True, False):
        forms = [word.removeprefix("forms.") for word in words if word.startswith("forms.")]
        named = [FORM_NAMES[form] for form in forms if answers[f"forms.{form}"] is handled]
        if named:
            clauses.append(_form_clause(named, handled=handled))
    flags = [word for word in words if word in FLAGS]
    return clauses + [FLAG_CLAUSES[flag, bool(answers[flag])] for flag in flags]


def _form_clause(named: Sequence[Words], *, handled: bool) -> _Said:
    quoted = [f"「{name.ja}」" for name in named]
    if handled:
        ja = "と".join(quoted)
        en = _listed([name.en for name in named], "and")
        return _Said(f"{ja}の情報を扱う", f"{ja}の情報を扱い", f"handles information {en}")
    ja = f"{quoted[0]}を" if len(named) == 1 else f"{'も'.join(quoted)}も"
    en = _listed([name.en for name in named], "or")
    return _Said(f"{ja}扱わない", f"{ja}扱わず", f"handles no information {en}")


def _listed(parts: Sequence[str], joint: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"
