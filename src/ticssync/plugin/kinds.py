"""Which kinds of tracker exist, and what one is opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import BaseModel

from ticssync.model.criterion import Words
from ticssync.plugin.driver import Capabilities, TrackerDriver

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

API_VERSION: Final = 1
"""Raised when a driver written for the old door would no longer work."""


class Translate(Protocol):
    """`ticssync.text.Text`: an English message and its values, in the language of the reader."""

    lang: str

    def __call__(self, message: str, /, **values: object) -> str:
        """The message in that language, with `{name}` places filled."""


class Memory(Protocol):
    """A small keyed store that the host keeps for one tracker between cycles (serials, hashes).

    What is put becomes durable with the host's next commit; drivers hold no other state.
    """

    def get(self, name: str) -> str | None:
        """The text kept under `name`."""

    def put(self, name: str, value: str | None) -> None:
        """Keep `value` under `name`; None forgets it."""


NEAREST: Final[Mapping[str, tuple[str, ...]]] = {
    "doing": ("todo",),
    "review": ("doing", "todo"),
    "wont_do": ("done",),
}
"""Canonical status → those that stand in for it where a tracker has no word of its own: nothing that is open is shown
as finished, and nothing that is finished as open.  Every mapping has words for todo and done."""


@dataclass(frozen=True, slots=True)
class Table:
    """Canonical ↔ remote, made from the mapping file.

    `fields`: canonical field → the tracker's field or column.  `statuses`: remote status → canonical, in
    the mapping's order; the first remote status of a canonical one is what we write.  `people`: person id →
    account there; `names`: person id → display name.  `labels`: texts the tracker shows, by a name that the
    kind documents (column heads, sheet names).  `values`: canonical field → the tracker's own value → ours, the
    first of equal ones is written.  `given`: the tracker's own field → value, once at creation.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    marker_place: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def remote_status(self, canonical: str) -> str | None:
        """What to write for a canonical status: the first that stands for it, else for the nearest that the tracker
        has (a tracker with fewer statuses shows 確認待ち as 対応中); None where there is none."""
        for wanted in (canonical, *NEAREST.get(canonical, ())):
            for remote, known in self.statuses.items():
                if known == wanted:
                    return remote
        return None


def nobody_else() -> None:
    """For `before_write` where no lease is held: nobody is asked."""


@dataclass(frozen=True, slots=True)
class Opening:
    """All that a driver gets, in one frozen value.

    `settings` is the kind's own validated model; `root` is the folder that relative paths are relative to;
    `clock` gives aware UTC; `workspace` is the workspace id (for markers); `lang` the language of what
    the tracker's users read.
    `before_write` is to be called directly before each request that may change a task: it raises (let it pass) where
    another process acts for this workspace by now.
    """

    name: str
    workspace: str
    settings: BaseModel
    table: Table
    root: Path
    clock: Callable[[], datetime]
    log: FilteringBoundLogger
    text: Translate
    memory: Memory
    http: Any = None
    company: str = ""
    before_write: Callable[[], None] = nobody_else


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that `init` asks for this kind; also the option `--set PATH=VALUE`."""

    path: str
    prompt: Words
    default: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class TrackerKind:
    """A kind of tracker.  `open` is a dotted name `package.module:function`, imported when used."""

    name: str
    settings: type[BaseModel]
    caps: Capabilities
    open: str
    api: int = API_VERSION
    title: Words = field(default_factory=lambda: Words("", ""))
    questions: Sequence[Question] = ()
    starter_mappings: Sequence[str] = ()
    quality: str = "bronze"


OpenFunction = Callable[[Opening], TrackerDriver]
