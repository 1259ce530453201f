"""Issues shown by themselves: one request answers several questions about the same issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Issue = Mapping[str, Any]


@dataclass
class _Shown:
    issue: Issue
    asked: set[str] = field(default_factory=set)


class Shows:
    """Answers of `GET /issues/N.json` with journals, kept until somebody asks the same question again.

    Editing a note does not move an issue's time of change, so an answer may serve each question once only: who
    asks again wants to know what is there now.
    """

    def __init__(self, ask: Callable[[str], Issue | None]) -> None:
        self._ask = ask
        self._kept: dict[str, _Shown] = {}

    def of(self, ident: str, question: str) -> Issue | None:
        """The issue, None where it cannot be seen."""
        kept = self._kept.get(ident)
        if kept is None or question in kept.asked:
            issue = self._ask(ident)
            if issue is None:
                self._kept.pop(ident, None)
                return None
            kept = self._kept[ident] = _Shown(issue)
        kept.asked.add(question)
        return kept.issue

    def check(self, ident: str, version: str | None) -> None:
        """A listing has shown this version: an answer of another one is old."""
        kept = self._kept.get(ident)
        if kept is not None and str(kept.issue.get("updated_on") or "") != (version or ""):
            del self._kept[ident]

    def drop(self, ident: str) -> None:
        """We wrote to the issue."""
        self._kept.pop(ident, None)
