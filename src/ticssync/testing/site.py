"""What a plugin author provides, so that `TrackerContract` can try a driver: one object with few methods.

Only `open` must be written.  Each further method lets more of the contract run; what a site cannot do stays
as it is here, and the tests that need it are skipped with the reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

from ticssync.plugin import FieldValue, NotSupported, RemoteRef, TrackerDriver
from ticssync.testing.opening import WORKSPACE


class TrackerSite(ABC):
    """A tracker to try a driver against, and the hands of a person in it.

    The person's methods go around the driver: through the tracker's own API, a recording or the file.  Field
    names and values are canonical (`"status"`, `"doing"`, dates as ISO text); the site puts them into the
    tracker's words.  A tracker that is not made anew for every test sets a `workspace` of its own
    for each run.

    `person_account`: the account id in the tracker of the person whose hands these are (empty: not known).
    `people`: person ids that a task can be given to.  `troubles`: the names that `trouble` understands, out
    of down · login · busy · garbage · no answer.
    """

    workspace: str = WORKSPACE
    person_account: str = ""
    people: Sequence[str] = ()
    troubles: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def open(self) -> TrackerDriver:
        """A driver, opened as the host does it; called again, another one over the same tracker."""

    def wait(self, seconds: float) -> None:
        """Let this time pass, so that a lagging listing catches up (a clock moved on, or a real wait)."""
        raise NotSupported(f"the site cannot let {seconds:g} seconds pass")

    def person_sets(self, ref: RemoteRef, field: str, value: FieldValue) -> None:
        """A person changes one field of a task (None: empties it)."""
        raise _cannot("edit a task", ref, field, value)

    def person_types(self, ref: RemoteRef, field: str, text: str) -> None:
        """A person types any text into the field, also one that means nothing there (a date 未定)."""
        raise _cannot("type free text", ref, field, text)

    def person_deletes(self, ref: RemoteRef) -> None:
        """A person deletes the task for good."""
        raise _cannot("delete a task", ref)

    def person_copies(self, ref: RemoteRef) -> None:
        """A person copies the task, with all that the tracker copies along."""
        raise _cannot("copy a task", ref)

    def person_hides(self, ref: RemoteRef) -> None:
        """Our account may no longer see the task, which still exists."""
        raise _cannot("hide a task", ref)

    def person_creates(self, title: str) -> RemoteRef:
        """A person makes a task by hand, without a marker."""
        raise _cannot("make a task by hand", title)

    def person_attaches(self, ref: RemoteRef, name: str, content: bytes) -> None:
        """A person attaches a file to the task."""
        raise _cannot("attach a file", ref, name, content)

    def place(self, field: str) -> str:
        """The tracker's own name of a canonical field, as a mapping writes it (`"status"` → `"status_id"`)."""
        raise NotSupported(f"the site does not say what the tracker calls the field {field}")

    def refused_field(self) -> tuple[str, FieldValue]:
        """A canonical field and a value with which a create is refused, as (`"title"`, `""`)."""
        raise NotSupported("the site knows no value that the tracker refuses")

    def trouble(self, name: str) -> AbstractContextManager[None]:
        """While inside, the tracker is in this trouble (one of `troubles`).

        down: no connection · login: our account is not (or no longer) known · busy: it asks us to wait ·
        garbage: success with an HTML page in place of data · no answer: the next create happens, its answer
        does not come back.
        """
        raise NotSupported(f"the site cannot be in the trouble “{name}”")


def _cannot(what: str, *_asked: object) -> NotSupported:
    return NotSupported(f"nobody can {what} at this site")
