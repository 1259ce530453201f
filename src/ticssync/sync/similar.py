"""Which criterion and which task mean the same, by their titles.  Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, Generic, TypeVar

THRESHOLD: Final = 0.6
"""Pairs below this are not proposed (0 = nothing in common, 1 = the same).  `difflib` calls 0.6 a close match; a
wrong proposal costs a person a look, a missing one a search by hand, so it is not set higher."""

CriterionT = TypeVar("CriterionT")
TaskT = TypeVar("TaskT")

_KATAKANA: Final = range(0x30A1, 0x30F7)
_TO_HIRAGANA: Final = 0x60


@dataclass(frozen=True, slots=True)
class Pair(Generic[CriterionT, TaskT]):
    """A proposal.  `similarity` lies between THRESHOLD and 1."""

    criterion: CriterionT
    task: TaskT
    similarity: float


@lru_cache(maxsize=4096)
def folded(title: str) -> str:
    """A title as it is compared: NFKC, lower case, katakana as hiragana, letters and digits only.

    For comparison alone: it is never shown or written (NFKC would turn ㊙ into 秘).
    """
    # Once more after folding the case: "ŉ" and its like come apart there.
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())
    kana = (chr(ord(char) - _TO_HIRAGANA) if ord(char) in _KATAKANA else char for char in text)
    return "".join(char for char in kana if unicodedata.category(char)[0] in "LMN")


def similarity(one: str, other: str) -> float:
    """How much two titles have in common, 0 to 1.  A title without a letter or digit resembles nothing."""
    # `ratio` depends on the order of its two texts; the longer one always comes first, so ours does not.
    long, short = sorted((folded(one), folded(other)), key=lambda text: (-len(text), text))
    return SequenceMatcher(None, long, short, autojunk=False).ratio() if short else 0.0


def propose(
    criteria: Mapping[CriterionT, Sequence[str]],
    tasks: Mapping[TaskT, str],
    threshold: float = THRESHOLD,
) -> list[Pair[CriterionT, TaskT]]:
    """The best pairs first; no criterion and no task stands in two of them.

    A criterion may have several titles (as in the catalogue, as the mapping writes it): its best one counts.
    Of equally similar pairs the one that stands earlier in `criteria`, then in `tasks`, is taken.
    """
    found: list[Pair[CriterionT, TaskT]] = []
    for criterion, titles in criteria.items():
        for task, title in tasks.items():
            close = _closest(titles, title, threshold)
            if close >= threshold:
                found.append(Pair(criterion, task, close))
    # The sort is stable, so equals stay in the order of the two mappings.
    found.sort(key=lambda pair: -pair.similarity)
    return list(_greedy(found))


def _closest(titles: Iterable[str], title: str, threshold: float) -> float:
    best = 0.0
    for one in titles:
        if _may_reach(folded(one), folded(title), threshold):
            best = max(best, similarity(one, title))
    return best


def _may_reach(one: str, other: str, threshold: float) -> bool:
    """Whether their lengths alone leave that much in common: most pairs end here, which is what makes a
    project of a thousand tasks a matter of a second."""
    shorter, longer = sorted((len(one), len(other)))
    if not shorter or 2 * shorter < threshold * (shorter + longer):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).quick_ratio() >= threshold


def _greedy(pairs: Iterable[Pair[CriterionT, TaskT]]) -> Iterable[Pair[CriterionT, TaskT]]:
    criteria: set[CriterionT] = set()
    tasks: set[TaskT] = set()
    for pair in pairs:
        if pair.criterion not in criteria and pair.task not in tasks:
            criteria.add(pair.criterion)
            tasks.add(pair.task)
            yield pair
