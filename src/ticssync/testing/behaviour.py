"""The ways of the make-believe tracker, each a switch that a test may turn at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from ticssync.plugin import FieldValue, Finding, Repair
from ticssync.testing.wire import Issue, Listing

STATUSES: Final = ("未着手", "対応中", "確認待ち", "完了", "対象外")
FIELDS: Final = ("件名", "説明", "状態", "担当", "開始日", "期日", "優先度", "ラベル", "番号", "目印")
"""The fields that exist there.  They are Japanese so that a mix-up with canonical names shows at once."""
TITLE: Final = "件名"
STATUS: Final = "状態"
ASSIGNEE: Final = "担当"
MARKER: Final = "目印"


@dataclass(slots=True)
class Behaviour:
    """How the tracker behaves.

    `index_lag_s` (seconds) delays listings and searches where `listing` is INDEX.  `refuses`: fields that a
    write answers with success and leaves as they are.  `workflow`: status → those that may follow (None:
    any).  `tells_workflow`: whether the whole graph is told, else only what may follow now.  `aloud`: whether
    a forbidden move is refused in words or passed over in silence.  `nearest`: canonical status → the one
    written where the mapping has no word for the first.  `required`: status → fields that must be filled to
    get there.  `automation` answers fields that are set right after each of our writes.
    `loses_answers_as_outage`: the driver raises Unavailable where it could answer Unknown.
    `anonymous`: 200 and empty for everybody; `anonymous_finds` is what a look by id then is: 404 or 401.
    `garbled`: 200 with an HTML page for everything.  `skew_s`: the server's clock against ours.
    `throttled_until`: 429 until then.  `keeps_history`: whether it tells who changed what.
    `takes_notes`, `takes_files`: whether it has comments and attachments at all; `drops_files`: a write with files
    is answered with success, and the files are dropped.  `upload_limit`: bytes of the largest file.
    """

    listing: Listing = Listing.STRONG
    index_lag_s: float = 0.0
    page_size: int = 100
    create_max: int = 1
    update_max: int = 1
    fetch_max: int = 100
    file_batch: bool = False
    write_answers: bool = True
    compares: bool = False
    tells_author: bool = True
    keeps_history: bool = True
    takes_notes: bool = True
    takes_files: bool = True
    drops_files: bool = False
    upload_limit: int | None = None
    fields: tuple[str, ...] = FIELDS
    statuses: tuple[str, ...] = STATUSES
    closed: frozenset[str] = frozenset({"完了", "対象外"})
    people: Mapping[str, str] = field(default_factory=lambda: {"1001": "佐藤 花子", "1002": "髙﨑 健"})
    workflow: Mapping[str, tuple[str, ...]] | None = None
    nearest: Mapping[str, str] = field(default_factory=dict)
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aloud: bool = False
    tells_workflow: bool = True
    refuses: set[str] = field(default_factory=set)
    title_max: int | None = 255
    crlf: bool = False
    strips_blanks: bool = False
    automation: Callable[[Issue], Mapping[str, FieldValue]] | None = None
    loses_answers_as_outage: bool = False
    down: bool = False
    garbled: bool = False
    anonymous: bool = False
    anonymous_finds: int = 404
    throttled_until: datetime | None = None
    skew_s: float = 0.0
    credential_expiry: date | None = None
    webhook_secret: str = "canary-webhook-secret"
    notices: list[Finding] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
