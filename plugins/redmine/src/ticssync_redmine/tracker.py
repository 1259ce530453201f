"""The driver of the kind `redmine`."""

from __future__ import annotations

from collections.abc import Sequence

from ticssync.plugin import Finding, Opening, RemoteSchema, TrackerDriver
from ticssync_redmine import doctor, schema
from ticssync_redmine.writing import Writing


class RedmineTracker(Writing):
    """One project of one Redmine."""

    def schema(self) -> RemoteSchema:
        """Fields, statuses, people and choices, as far as our account may see them."""
        return schema.read(self.client, self.settings.project, self.workflow, self.project_seen)

    def check(self) -> Sequence[Finding]:
        """What `doctor` shows; nothing is changed in Redmine."""
        return doctor.examine(self)


def open_redmine(opening: Opening) -> TrackerDriver:
    """Open it; nothing is asked yet."""
    return RedmineTracker(opening)
