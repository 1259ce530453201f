"""The hooks: few, typed, each documented and tested.

A plugin package declares an entry point in the group `ticssync` that names a module with hook
implementations, marked `@ticssync.plugin.hookimpl`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pluggy

from ticssync.plugin.kinds import TrackerKind
from ticssync.plugin.notifier import NotifierKind

NAME: Final = "ticssync"
hookspec: Final = pluggy.HookspecMarker(NAME)
hookimpl: Final = pluggy.HookimplMarker(NAME)


@hookspec
def ticssync_trackers() -> Sequence[TrackerKind]:  # type: ignore[empty-body]
    """The tracker kinds of this plugin.  Called once, when the host loads; no I/O."""


@hookspec
def ticssync_notifiers() -> Sequence[NotifierKind]:  # type: ignore[empty-body]
    """The notifier kinds of this plugin.  Called once, when the host loads; no I/O."""


@hookspec
def ticssync_review_plan(tracker: str, actions: Sequence[Mapping[str, Any]]) -> str | None:
    """Called with the planned actions of one tracker (the JSON shape of `plan`) before anything is written.

    A text vetoes the writes of that tracker in this cycle and is shown to the admin; None lets them pass.
    """


@hookspec
def ticssync_event(event: Mapping[str, Any]) -> None:
    """Called after an event was committed, with its public form (seq, at, kind, subject).

    An error here is logged and changes nothing.
    """
