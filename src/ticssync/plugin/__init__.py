"""The one door for plugins: everything a tracker or notifier plugin needs, and nothing else.

    from ticssync.plugin import Capabilities, TrackerDriver, TrackerKind, hookimpl

    @hookimpl
    def ticssync_trackers():
        return [TrackerKind(name="backlog", settings=Settings, caps=CAPS, open="ticssync_backlog.tracker:open")]

A plugin runs with the tokens of its tracker, so only those named under `plugins:` in ticssync.yaml are loaded.
`ticssync.plugin.http` is imported where it is used, not from here: a plugin without HTTP need not load it.
"""

from ticssync.model.canonical import canonical_text, instant_text, parse_instant
from ticssync.model.criterion import Words
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import (
    Attachment,
    Comment,
    Fields,
    FieldValue,
    Priority,
    RemoteRef,
    RemoteStub,
    RemoteTask,
    Status,
    Task,
)
from ticssync.plugin.driver import (
    Capabilities,
    Change,
    Draft,
    FieldChange,
    FieldSchema,
    Move,
    Note,
    NotSupported,
    OutFile,
    PreSend,
    RemoteSchema,
    Repair,
    TrackerDriver,
)
from ticssync.plugin.hookspecs import hookimpl
from ticssync.plugin.kinds import API_VERSION, Memory, Opening, Question, Table, TrackerKind, Translate
from ticssync.plugin.notifier import (
    Attached,
    Message,
    Notifier,
    NotifierKind,
    NotifierOpening,
    SendFailed,
)
from ticssync.plugin.outcomes import (
    AuthLost,
    Done,
    Fate,
    Fetched,
    Finding,
    Level,
    MarkerHits,
    Outcome,
    Page,
    Principal,
    Read,
    Rejected,
    Throttled,
    Unavailable,
    Unknown,
    Unsafe,
)
from ticssync.tables import (
    Book,
    Cell,
    DateProblem,
    Grid,
    UnreadableTable,
    cell_name,
    cell_text,
    read_date,
    read_grids,
)

__all__ = [
    "API_VERSION",
    "Attached",
    "Attachment",
    "AuthLost",
    "Book",
    "Capabilities",
    "Cell",
    "Change",
    "Comment",
    "DateProblem",
    "Done",
    "Draft",
    "Fate",
    "Fetched",
    "FieldChange",
    "FieldSchema",
    "FieldValue",
    "Fields",
    "Finding",
    "Grid",
    "Level",
    "Marker",
    "MarkerHits",
    "Memory",
    "Message",
    "Move",
    "NotSupported",
    "Note",
    "Notifier",
    "NotifierKind",
    "NotifierOpening",
    "Opening",
    "OutFile",
    "Outcome",
    "Page",
    "PreSend",
    "Principal",
    "Priority",
    "Question",
    "Read",
    "Rejected",
    "RemoteRef",
    "RemoteSchema",
    "RemoteStub",
    "RemoteTask",
    "Repair",
    "SendFailed",
    "Status",
    "Table",
    "Task",
    "TaskKey",
    "Throttled",
    "TrackerDriver",
    "TrackerKind",
    "Translate",
    "Unavailable",
    "Unknown",
    "UnreadableTable",
    "Unsafe",
    "Words",
    "canonical_text",
    "cell_name",
    "cell_text",
    "hookimpl",
    "instant_text",
    "parse_instant",
    "read_date",
    "read_grids",
]
