"""What a mapping makes of an item: texts that fit every tracker, and days on which people work."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ticssync.mapping import Facts, render_task
from ticssync.mapping.schema import Mapping

FRIDAY, SUNDAY = date(2026, 6, 26), date(2026, 6, 28)
ITEM: dict[str, Any] = {
    "id": "T-14", "title": {"ja": "従業員を教育する", "en": "Train"}, "to_do": {"ja": "行う", "en": "Do"},
    "evidence_hint": {"ja": "記録", "en": "Record"}, "evidence": {"count": 2, "kinds": ["record"]},
    "chapter_title": {"ja": "人", "en": "People"}, "cadence": ["yearly"], "keep_mode": "copy", "basis": "derived",
    "confidence": "low", "why": {"ja": "対象", "en": "in scope"},
}  # fmt: skip


def mapping(**parts: Any) -> Mapping:
    fields = {"title": "件名", "status": "状態", "due": "期日", "assignee": "担当", "priority": "優先度"}
    return Mapping.model_validate(
        {"version": 1, "kind": "fake", "fields": fields, "statuses": {"完了": "done"}, **parts}
    )


def before_weekend(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


@pytest.mark.parametrize("letter", ["a", "規", "㊙"])
def test_a_title_fits_into_the_shortest_of_all_trackers(letter: str) -> None:
    """255 characters: cut there by us, it is the same everywhere, and none of them refuses the task."""
    title = render_task(mapping(title=letter * 300), ITEM, Facts("㈱髙﨑精機", FRIDAY)).owned["title"]

    assert title == letter * 255


def test_a_title_is_one_line() -> None:
    title = render_task(mapping(title="{{ id }}\n{{ title }}"), ITEM, Facts("㈱髙﨑精機", FRIDAY)).owned[
        "title"
    ]

    assert title == "T-14 従業員を教育する"


@pytest.mark.parametrize(("days", "due"), [(2, FRIDAY), (0, FRIDAY), (3, date(2026, 6, 29))])
def test_a_task_falls_due_on_a_day_on_which_people_work(days: int, due: date) -> None:
    """A Sunday becomes the Friday before: what is due then can be finished in time."""
    facts = Facts("㈱髙﨑精機", FRIDAY, target_day=before_weekend)

    owned = render_task(mapping(due={"days": days}), ITEM, facts).owned

    assert owned["due"] == due.isoformat()


def test_a_date_that_hangs_on_a_certificate_is_empty_without_one() -> None:
    owned = render_task(
        mapping(due={"anchor": "expires", "days": -30}), ITEM, Facts("㈱髙﨑精機", FRIDAY)
    ).owned

    assert owned["due"] is None


def test_status_and_assignee_are_given_once_and_are_not_ours_afterwards() -> None:
    rendered = render_task(mapping(priority="high"), ITEM, Facts("㈱髙﨑精機", FRIDAY, owner="sato"))

    assert rendered.initial == {"status": "todo", "assignee": "sato", "priority": "high"}
    assert not set(rendered.owned) & set(rendered.initial)
