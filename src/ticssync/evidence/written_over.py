"""A person's edit that our own write ran over, found afterwards in the task's history.  Pure.

No tracker without a lock can prevent it: somebody saves between our reading and our writing.  Its history keeps who
set what; what was lost like this is told in ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ticssync.model.task import FieldValue
from ticssync.plugin import FieldChange


def written_over(
    history: Sequence[FieldChange],
    place: str,
    words: Mapping[str, FieldValue],
    ours: Collection[str],
    before: FieldValue,
    wrote: FieldValue,
) -> FieldChange | None:
    """The change (of a history that is oldest first) that our last write to this place took back, None where there
    is none.

    `words`: the tracker's value → ours; `ours`: our accounts there; `before` is what we had read, `wrote` what we
    wrote.  A way over several values is followed back to where it began.
    """
    changes = [one for one in history if one.field == place]
    last = next((at for at in range(len(changes) - 1, -1, -1) if _is(changes[at], ours, words, wrote)), None)
    if last is None:
        return None
    first = last
    while first > 0 and words.get(changes[first].old or "") != before and changes[first - 1].author in ours:
        first -= 1
    found = words.get(changes[first].old or "")
    lost = changes[first - 1] if first > 0 else None
    return lost if found is not None and found != before and lost is not None else None


def _is(one: FieldChange, ours: Collection[str], words: Mapping[str, FieldValue], wrote: FieldValue) -> bool:
    return one.author in ours and words.get(one.new or "") == wrote
