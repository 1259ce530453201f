"""What our account may do with statuses, as far as it has been seen.

Redmine tells a member no workflow, only which statuses one issue may get now.  Each answer teaches one row; a row
that is missing is looked for in an issue that stands in that status.  Rows are kept for a day: rights change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ticssync.plugin import Memory, instant_text, parse_instant

KEPT: Final = timedelta(days=1)
ROWS: Final = "workflow"
NAMES: Final = "status_names"
CLOSED: Final = "closed_statuses"


class Workflow:
    """Rows by status id, and the statuses' names, in the driver's memory."""

    def __init__(
        self,
        memory: Memory,
        clock: Callable[[], datetime],
        an_issue_in: Callable[[str], str | None],
        show: Callable[[str], None],
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._an_issue_in = an_issue_in
        self._show = show
        self._looked: set[str] = set()
        self.names: dict[str, str] = json.loads(memory.get(NAMES) or "{}")
        self.silent = False
        """Whether an issue was shown that tells nothing of what may follow: Redmine before 5.0."""

    def name(self, status: Mapping[str, Any] | None) -> None:
        """An issue told what a status is called."""
        if status and self.names.get(str(status["id"])) != status.get("name"):
            self.names[str(status["id"])] = str(status.get("name", ""))
            self._memory.put(NAMES, json.dumps(self.names, ensure_ascii=False, sort_keys=True))

    def all_known(self, statuses: Sequence[Mapping[str, Any]]) -> None:
        """Redmine listed all its statuses, and which of them close an issue."""
        for status in statuses:
            self.name(status)
        closed = json.dumps(sorted(str(one["id"]) for one in statuses if one.get("is_closed")))
        if statuses and self._memory.get(CLOSED) != closed:
            self._memory.put(CLOSED, closed)

    def with_closed(self, issue: Mapping[str, Any]) -> Mapping[str, Any]:
        """The issue with `is_closed` in its status: Redmine before 5.0 tells it in the list of statuses only."""
        status = issue.get("status")
        if not isinstance(status, dict) or "is_closed" in status:
            return issue
        closed = str(status["id"]) in json.loads(self._memory.get(CLOSED) or "[]")
        return {**issue, "status": {**status, "is_closed": closed}}

    def learn(self, issue: Mapping[str, Any]) -> Sequence[str] | None:
        """What may follow the issue's status; None where this Redmine does not tell (before 5.0)."""
        if "allowed_statuses" not in issue:
            self.silent = True
            return None
        for status in issue["allowed_statuses"]:
            self.name(status)
        here = str(issue["status"]["id"])
        allowed = [str(one["id"]) for one in issue["allowed_statuses"]]
        rows = self._rows()
        if rows.get(here, {}).get("to") != allowed or not self._fresh(rows[here]):
            rows[here] = {"to": allowed, "at": instant_text(self._clock())}
            self._memory.put(ROWS, json.dumps(rows, sort_keys=True))
        return allowed

    def after(self, status: str) -> Sequence[str]:
        """What may follow a status; nothing where no issue stands in it that could tell."""
        row = self._rows().get(status)
        if (row is None or not self._fresh(row)) and status not in self._looked:
            self._looked.add(status)
            ident = self._an_issue_in(status)
            if ident is not None:
                self._show(ident)
            row = self._rows().get(status)
        return [to for to in row["to"] if to != status] if row is not None and self._fresh(row) else ()

    def known(self) -> dict[str, Sequence[str]]:
        """All rows that are fresh."""
        return {status: row["to"] for status, row in self._rows().items() if self._fresh(row)}

    def _fresh(self, row: Mapping[str, Any]) -> bool:
        return abs(self._clock() - parse_instant(row["at"])) < KEPT

    def _rows(self) -> dict[str, Any]:
        rows: dict[str, Any] = json.loads(self._memory.get(ROWS) or "{}")
        return rows
