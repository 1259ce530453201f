"""Which number our project has in Redmine.

Issues name their project by number, ticssync.yaml by its identifier.  Only with the number can an issue be noticed
that was moved to another project and can still be seen.  It is learned from what is asked anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ticssync.plugin import Memory

KEPT: Final = "project_id"


class Projects:
    """The number, in the driver's memory together with the project that it belongs to."""

    def __init__(self, memory: Memory, url: str, project: str) -> None:
        self._memory = memory
        self._place = f"{url}/projects/{project}"
        self._ours = project
        self._memberships: frozenset[str] = frozenset()
        place, _, number = (memory.get(KEPT) or "").rpartition(" ")
        self.number = number if place == self._place else project if project.isdigit() else ""
        """Empty where it is not known yet."""

    def told(self, project: Mapping[str, Any]) -> None:
        """What Redmine answers for our own identifier."""
        number = str(project.get("id") or "")
        if number and number != self.number:
            self.number = number
            self._memory.put(KEPT, f"{self._place} {number}")

    def member_of(self, user: Mapping[str, Any]) -> None:
        """Which projects our account is a member of."""
        projects = (one.get("project") or {} for one in user.get("memberships", ()))
        self._memberships = frozenset(str(one["id"]) for one in projects if "id" in one)

    def listed(self, issues: Iterable[Mapping[str, Any]]) -> None:
        """A listing of our project holds issues of its subprojects too: it settles the number only where exactly
        one of their projects is one that our account is a member of."""
        if self.number or not self._memberships:
            return
        seen = {str((issue.get("project") or {}).get("id", "")) for issue in issues} & self._memberships
        if len(seen) == 1:
            self.told({"id": seen.pop()})
