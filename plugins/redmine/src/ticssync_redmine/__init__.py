"""Redmine as a tracker for ticssync: the kind `redmine`, over Redmine's own REST API (5.0 and later)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ticssync.plugin import Capabilities, Question, TrackerKind, Words, hookimpl
from ticssync_redmine.settings import RedmineSettings

CAPS: Final = Capabilities(comments=True, attachments=True, notifies=True)
"""One issue a request, listings true at once (a database, no index), notes and files on every issue."""

REDMINE = TrackerKind(
    name="redmine",
    settings=RedmineSettings,
    caps=CAPS,
    open="ticssync_redmine.tracker:open_redmine",
    title=Words("Redmine", "Redmine"),
    questions=(
        Question(
            "url",
            Words("Redmine の URL（例: https://redmine.example.co.jp）", "Address of the Redmine"),
        ),
        Question(
            "project",
            Words(
                "プロジェクトの識別子（URL の /projects/ に続く文字）",
                "Identifier of the project (what follows /projects/ in its address)",
            ),
        ),
        Question(
            "api_key",
            Words(
                "ticssync 用アカウントの API アクセスキー（個人設定の画面にあります）",
                "API access key of ticssync's own account (shown on its page My account)",
            ),
            secret=True,
        ),
    ),
    starter_mappings=("redmine",),
)
"""The tracker kind `redmine`."""


@hookimpl
def ticssync_trackers() -> Sequence[TrackerKind]:
    """The kinds of this package."""
    return [REDMINE]
