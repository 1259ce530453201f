"""A store that is made anew knows of no reminder: those that were due by now count as sent, or everybody would get
every old one at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ticssync.app.deadlines import duties_in
from ticssync.app.workspace import Workspace
from ticssync.deadlines.reminders import Notice, Recipients, due_notices
from ticssync.model.notice import NoticeRow
from ticssync.model.person import Person, Role
from ticssync.store import Transaction
from ticssync.store.notices import claim

MESSAGE: Final = "<rebind@ticssync.invalid>"
"""Stands in the ledger for the messages that nobody remembers."""


def count_as_sent(tx: Transaction, workspace: Workspace) -> int:
    """Put every step up to today into the ledger as sent; how many."""
    organisation, today = workspace.config.organisation, workspace.today

    def holders(role: str, criterion: str | None, on: date) -> Sequence[Person]:
        return organisation.holders(Role(role), (criterion or "").rpartition("/")[2], on)

    due = due_notices(duties_in(tx, workspace, today), today, Recipients(holders, organisation.people), ())
    rows = [row for notice in due for row in _rows(notice, workspace)]
    claim(tx, rows, {})
    return len(rows)


def _rows(notice: Notice, workspace: Workspace) -> list[NoticeRow]:
    # The day of the message lies before today: today's mail is still to come for what falls due from here on.
    return [
        NoticeRow(
            notice.duty.id, notice.person.id, step.name, step.on, min(step.on, workspace.today - timedelta(days=1)),
            notice.role, MESSAGE, workspace.now, workspace.now,
        )
        for step in notice.steps
    ]  # fmt: skip
