"""The make-believe tracker and post as a plugin, for tests of the host, of use cases and of commands.

    plugin = FakePlugin(FakeServer(clock))
    host = load_host((), extra=(plugin,))

In ticssync.yaml the tracker then is `kind: fake` with the setting `server: <plugin.name>`, the channel
`notify: {fake: {post: <plugin.name>}}`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from ticssync.plugin import (
    NotifierKind,
    NotifierOpening,
    Opening,
    TrackerKind,
    Words,
    hookimpl,
)
from ticssync.testing.fake_notifier import FakeNotifier, FakePost
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_tracker import FakeTracker, capabilities

_plugins: Final[dict[str, FakePlugin]] = {}
_numbers: Final = itertools.count(1)


class FakeSettings(BaseModel):
    """`server` is the name of a `FakePlugin`."""

    model_config = ConfigDict(extra="forbid")
    server: str


class FakePostSettings(BaseModel):
    """`post` is the name of a `FakePlugin`."""

    model_config = ConfigDict(extra="forbid")
    post: str


class FakePlugin:
    """All hooks, implemented.  `veto` is what `ticssync_review_plan` answers; `reviewed` and `events`
    keep what the host told us.  `name` is new for each plugin, so that tests do not meet."""

    def __init__(self, server: FakeServer, post: FakePost | None = None, name: str = "") -> None:
        self.name = name or f"fake-{next(_numbers)}"
        self.server = server
        self.post = post or FakePost()
        self.veto: str | None = None
        self.reviewed: list[tuple[str, Sequence[Mapping[str, Any]]]] = []
        self.events: list[Mapping[str, Any]] = []
        _plugins[self.name] = self

    @hookimpl
    def ticssync_trackers(self) -> Sequence[TrackerKind]:
        """The kind `fake`, with what the server can do now."""
        return [
            TrackerKind(
                name="fake",
                settings=FakeSettings,
                caps=capabilities(self.server.behaviour),
                open=f"{__name__}:open_tracker",
                title=Words("試験用のトラッカー", "Make-believe tracker"),
            )
        ]

    @hookimpl
    def ticssync_notifiers(self) -> Sequence[NotifierKind]:
        """The channel `fake`."""
        return [NotifierKind(name="fake", settings=FakePostSettings, open=f"{__name__}:open_notifier")]

    @hookimpl
    def ticssync_review_plan(self, tracker: str, actions: Sequence[Mapping[str, Any]]) -> str | None:
        """Keep what is planned, and answer the veto."""
        self.reviewed.append((tracker, actions))
        return self.veto

    @hookimpl
    def ticssync_event(self, event: Mapping[str, Any]) -> None:
        """Keep the event."""
        self.events.append(event)


def open_tracker(opening: Opening) -> FakeTracker:
    """A driver for the server that the settings name.  Raises KeyError where there is none."""
    assert isinstance(opening.settings, FakeSettings)
    return FakeTracker(_plugins[opening.settings.server].server, opening)


def open_notifier(opening: NotifierOpening) -> FakeNotifier:
    """A notifier to the post that the settings name.  Raises KeyError where there is none."""
    assert isinstance(opening.settings, FakePostSettings)
    return FakeNotifier(_plugins[opening.settings.post].post)
