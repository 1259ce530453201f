"""A make-believe tracker with an address, a project and a key, installed like any plugin (`installed`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SecretStr

from ticssync.app.workspace import utc_now
from ticssync.plugin import (
    AuthLost,
    NotSupported,
    Opening,
    Principal,
    Question,
    RemoteSchema,
    TrackerKind,
    Words,
    hookimpl,
)
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_tracker import FakeTracker, capabilities

KEY: Final = "canary-key-0123456789"
VARIABLE: Final = "TICSSYNC_TRACKERS__TRIAL__API_KEY"
server: FakeServer = FakeServer(utc_now)
silent: list[bool] = []
"""Not empty: the kind does not tell what it offers."""


def anew() -> FakeServer:
    """An empty tracker, the one that drivers speak to from now on."""
    globals()["server"] = FakeServer(utc_now)
    silent.clear()
    return server


class TrialSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str
    project: str
    api_key: SecretStr = SecretStr("")


class TrialTracker(FakeTracker):
    def whoami(self) -> Principal:
        settings: Any = self.opening.settings
        if settings.api_key.get_secret_value() != KEY:
            raise AuthLost(self.opening.text("{tracker} does not know the key", tracker=self.opening.name))
        return super().whoami()

    def schema(self) -> RemoteSchema:
        if silent:
            raise NotSupported("schema")
        return super().schema()


def open_trial(opening: Opening) -> TrialTracker:
    return TrialTracker(server, opening)


@hookimpl
def ticssync_trackers() -> Sequence[TrackerKind]:
    questions = (
        Question("url", Words("アドレス", "Address")),
        Question("project", Words("プロジェクト", "Project")),
        Question("api_key", Words("鍵", "Key"), secret=True),
    )
    return [
        TrackerKind(
            name="trial",
            settings=TrialSettings,
            caps=capabilities(server.behaviour),
            open=f"{__name__}:open_trial",
            title=Words("試験", "Trial"),
            questions=questions,
        )
    ]


def installed(folder: Path) -> Path:
    """What an installer leaves behind for this plugin; the folder to put on the path."""
    parts = folder / "ticssync_trial-1.dist-info"
    parts.mkdir(parents=True)
    (parts / "METADATA").write_text("Metadata-Version: 2.1\nName: ticssync-trial\nVersion: 1\n", "utf-8")
    (parts / "entry_points.txt").write_text(f"[ticssync]\ntrial = {__name__}\n", "utf-8")
    return folder
