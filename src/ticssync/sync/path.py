"""The way from one status to another through a tracker's workflow.  Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

MAX_HOPS: Final = 4
"""More hops than this are no path that a person meant; each hop may send mail."""


def status_path(
    moves: Mapping[str, Sequence[str]] | Callable[[str], Sequence[str]], start: str, goals: Sequence[str]
) -> tuple[str, ...] | None:
    """The shortest way from `start` to one of `goals` (statuses by the tracker's id), None where there is none.

    `moves` is the workflow, or a function that finds out what may follow a status: it is asked only for statuses
    that the way may lead through.

    The way leaves out `start`; it is empty where `start` is a goal.  Of equally short ways the one through
    statuses that stand earlier in the workflow is taken, so that the answer never depends on chance.
    """
    following = moves if callable(moves) else lambda status: moves.get(status, ())
    if start in goals:
        return ()
    seen = {start}
    queue: deque[tuple[str, tuple[str, ...]]] = deque([(start, ())])
    while queue:
        here, way = queue.popleft()
        for follower in following(here):
            found: tuple[str, ...] = (*way, follower)
            if follower in goals:
                return found
            if follower not in seen and len(found) < MAX_HOPS:
                seen.add(follower)
                queue.append((follower, found))
    return None
