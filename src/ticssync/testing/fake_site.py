"""The make-believe tracker as a site for its own contract: an example of what an author writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import ClassVar, Final

from ticssync.plugin import FieldValue, RemoteRef, Table, TrackerDriver
from ticssync.testing.behaviour import TITLE, Behaviour
from ticssync.testing.clock import Clock
from ticssync.testing.fake_server import PERSON, FakeServer
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.opening import TABLE, opening
from ticssync.testing.site import TrackerSite
from ticssync.testing.wire import Fault, Listing

BUSY_S: Final = 30
WORKFLOW: Final = {
    "未着手": ("対応中", "対象外"),
    "対応中": ("未着手", "確認待ち"),
    "確認待ち": ("対応中", "完了"),
    "完了": ("対応中",),
    "対象外": ("未着手",),
}
"""Done is three moves away from to do; leaving out is one, and there is a way back from everything."""


class FakeSite(TrackerSite):
    """A `FakeServer` with a person in it.  `driver` is the class that is tried."""

    person_account = PERSON
    people = ("sato", "takasaki")
    troubles: ClassVar[Sequence[str]] = ("down", "login", "busy", "garbage", "no answer")

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        table: Table = TABLE,
        driver: type[FakeTracker] = FakeTracker,
    ) -> None:
        self.clock = Clock()
        self.server = FakeServer(self.clock, behaviour)
        self.table = table
        self.driver = driver

    def open(self) -> TrackerDriver:
        """Another driver over the same server."""
        return self.driver(self.server, opening(table=self.table, clock=self.clock))

    def wait(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.advance(seconds)

    def person_sets(self, ref: RemoteRef, field: str, value: FieldValue) -> None:
        """In the tracker's words, one second later than whatever was before."""
        self.clock.advance(1)
        remote: FieldValue = value
        if field == "status":
            remote = self.table.remote_status(str(value))
        elif field == "assignee" and value is not None:
            remote = self.table.people[str(value)]
        self.server.person_sets(ref.id, {self.table.fields[field]: remote})

    def person_types(self, ref: RemoteRef, field: str, text: str) -> None:
        """As it is."""
        self.server.person_sets(ref.id, {self.table.fields[field]: text})

    def person_deletes(self, ref: RemoteRef) -> None:
        """Gone for good."""
        self.server.delete(ref.id)

    def person_copies(self, ref: RemoteRef) -> None:
        """With the marker."""
        self.server.copy(ref.id)

    def person_hides(self, ref: RemoteRef) -> None:
        """403 from now on."""
        self.server.hide(ref.id)

    def person_creates(self, title: str) -> RemoteRef:
        """Without a marker."""
        return RemoteRef("fake", self.server.person_creates({TITLE: title}).id)

    def person_attaches(self, ref: RemoteRef, name: str, content: bytes) -> None:
        """A file."""
        self.server.attach(ref.id, name, content)

    def place(self, field: str) -> str:
        """Out of the mapping's table."""
        return self.table.fields[field]

    def refused_field(self) -> tuple[str, FieldValue]:
        """No task without a title."""
        return "title", ""

    @contextmanager
    def trouble(self, name: str) -> Iterator[None]:
        """Turn the switch, and back."""
        ways = self.server.behaviour
        if name == "no answer":
            self.server.fail_next("write" if ways.file_batch else "create", Fault.ANSWER_LOST)
        ways.down, ways.anonymous, ways.garbled = name == "down", name == "login", name == "garbage"
        ways.throttled_until = self.server.now() + timedelta(seconds=BUSY_S) if name == "busy" else None
        yield
        ways.down, ways.anonymous, ways.garbled, ways.throttled_until = False, False, False, None


def full(**switches: object) -> Behaviour:
    """A workbook: everything is listed each time, all writes are one."""
    ways = {"listing": Listing.FULL, "file_batch": True, "create_max": 0, "update_max": 0, "fetch_max": 0}
    return _behaviour(ways, switches)


def strong(**switches: object) -> Behaviour:
    """A Redmine: one create a request, answers without the task, forbidden moves passed over in silence."""
    return _behaviour(
        {"listing": Listing.STRONG, "crlf": True, "write_answers": False, "page_size": 3}, switches
    )


def index(**switches: object) -> Behaviour:
    """A Jira: an index that lags a minute, three creates a request, a workflow that refuses in words."""
    ways = {
        "listing": Listing.INDEX,
        "index_lag_s": 60.0,
        "page_size": 3,
        "create_max": 3,
        "strips_blanks": True,
        "aloud": True,
        "workflow": WORKFLOW,
    }
    return _behaviour(ways, switches)


def _behaviour(ways: Mapping[str, object], switches: Mapping[str, object]) -> Behaviour:
    make: Callable[..., Behaviour] = Behaviour
    return make(**{**ways, **switches})
