"""Listings page by page, so that nothing is left out while people go on working."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ticssync.plugin import Translate, Unavailable
from ticssync_redmine.client import PAGE, Answer

Issue: TypeAlias = Mapping[str, Any]
Ask: TypeAlias = Callable[[Mapping[str, Any]], Answer]

BY_NUMBER: Final = "issue_id"


def issues_of(answer: Answer, tracker: str, text: Translate) -> Sequence[Issue]:
    """The issues of an answer.  Raises Unavailable where it holds no list of them."""
    found = answer.data.get("issues")
    if not isinstance(found, list):
        raise Unavailable(
            text(
                "{tracker} does not answer a list of issues ({status})", tracker=tracker, status=answer.status
            )
        )
    return found


def by_id(
    ask: Ask, params: Mapping[str, Any], tracker: str, text: Translate
) -> Iterator[tuple[Sequence[Issue], bool, bool]]:
    """(issues, last page?, first page?), each page from the id after the one before: an offset would leave out
    an issue whenever one before it vanishes between two pages.

    A Redmine that passes over the filter by number is read by offset instead, with one issue of overlap.
    Raises Unavailable where a page holds no issues, or where issues shifted between pages read by offset.
    """
    after = 0
    while True:
        asked = {**params, "sort": "id", "limit": PAGE}
        if after:
            asked[BY_NUMBER] = f">={after + 1}"
        answer = ask(asked)
        issues = issues_of(answer, tracker, text)
        fresh = [issue for issue in issues if int(issue["id"]) > after]
        if issues and not fresh:
            for page, last in _by_offset(ask, params, after, tracker, text):
                yield page, last, False
            return
        last = _total(answer, issues) <= len(issues)
        yield fresh, last, after == 0
        if last:
            return
        after = max(int(issue["id"]) for issue in fresh)


def _by_offset(
    ask: Ask, params: Mapping[str, Any], after: int, tracker: str, text: Translate
) -> Iterator[tuple[Sequence[Issue], bool]]:
    """The pages behind the first.  Each begins with the issue that the one before ended with: where it does not,
    something vanished or came in between."""
    offset = PAGE - 1
    while True:
        answer = ask({**params, "sort": "id", "limit": PAGE, "offset": offset})
        issues = issues_of(answer, tracker, text)
        if not issues or int(issues[0]["id"]) != after:
            raise Unavailable(
                text(
                    "the issues of {tracker} changed while they were read; this Redmine (older than 5.0) cannot list "
                    "them by number, so they are read again from the start next time",
                    tracker=tracker,
                )
            )
        last = _total(answer, issues) <= offset + len(issues)
        yield issues[1:], last
        if last:
            return
        after = int(issues[-1]["id"])
        offset += len(issues) - 1


def _total(answer: Answer, issues: Sequence[Issue]) -> int:
    return int(answer.data.get("total_count", len(issues)))
