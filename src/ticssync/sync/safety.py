"""When what a tracker shows looks like an accident rather than like work.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ticssync.errors import Said, say
from ticssync.model.binding import Binding
from ticssync.model.canonical import digest, plain
from ticssync.model.task import RemoteRef
from ticssync.sync.look import Seen
from ticssync.sync.state import Known

GONE_SHARE: Final = 0.3
GONE_LEAST: Final = 5
SAME_SHARE: Final = 0.8
SAME_LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing may be written, and the word that accepts exactly this situation once."""

    message: Said
    word: str


def safety_stop(seen: Seen, known: Known) -> Stop | None:
    """Too many tasks gone at once, one change in nearly all of them, or a field emptied nearly everywhere."""
    bound = known.live(seen.site.name)
    return _gone(seen, bound, known) or _same_change(seen, bound, known)


def word_for(tracker: str, what: object, known: Known) -> str:
    """Eight letters that name a situation; the count of what was accepted before makes each word good once."""
    return digest([tracker, plain(what), known.accepted])[:8]


def _gone(seen: Seen, bound: Sequence[Binding], known: Known) -> Stop | None:
    gone = sorted(one.ref.id for one in bound if one.ref in seen.fates)
    if len(gone) < GONE_LEAST or len(gone) <= GONE_SHARE * len(bound):
        return None
    message = say(
        "{gone} of {all} tasks are gone or hidden at once in {tracker}",
        gone=len(gone),
        all=len(bound),
        tracker=seen.site.name,
    )
    return Stop(message, word_for(seen.site.name, ["gone", gone], known))


def _same_change(seen: Seen, bound: Sequence[Binding], known: Known) -> Stop | None:
    if len(bound) < SAME_LEAST:
        return None
    for name, owner in seen.site.owners.items():
        changes = {
            one.ref: seen.read[one.ref].fields[name] for one in bound if _changed(seen, known, one.ref, name)
        }
        if not changes:
            continue
        value, count = Counter(changes.values()).most_common(1)[0]
        wiped = owner != "ticssync" and value in (None, "", ())
        if count >= SAME_SHARE * len(bound) and (owner == "ticssync" or wiped):
            message = say(
                "the field {field} changed to the same value in {count} of {all} tasks of {tracker}",
                field=name,
                count=count,
                all=len(bound),
                tracker=seen.site.name,
            )
            return Stop(
                message, word_for(seen.site.name, [name, value, sorted(ref.id for ref in changes)], known)
            )
    return None


def _changed(seen: Seen, known: Known, ref: RemoteRef, name: str) -> bool:
    task, base = seen.read.get(ref), known.base(ref)
    return task is not None and name in task.fields and name in base and task.fields[name] != base[name]
