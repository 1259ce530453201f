"""The texts that ticssync shows in a task of how its criterion stands: told before, or worth keeping."""

from __future__ import annotations

from typing import Final

from ticssync.model.state import LABEL, State
from ticssync.model.task import RemoteTask
from ticssync.sync.state import Site

SAYS_WHO: Final = frozenset({State.CONFIRMED, State.RETURNED, State.EXCLUDED})
"""With these stands who decided, and when: after a loss it may be the only place that still tells."""


def stale_texts(site: Site, task: RemoteTask) -> frozenset[str]:
    """`confirmation` and `from_office`, where the first is a bare word for a state: whatever both say now is told
    anew.  What names a person and a day is kept until somebody decides."""
    if "confirmation" not in task.fields:
        empty = task.fields.get("from_office", "") is None
        return frozenset({"from_office"}) if empty else frozenset()
    there = task.fields["confirmation"]
    words = (LABEL[state].in_language(site.language) for state in State if state not in SAYS_WHO)
    told = {site.driver.view("confirmation", word) for word in words}
    if there is None or there in told:
        return frozenset({"confirmation", "from_office"} & set(task.fields))
    return frozenset()
