"""The hands of the tracker contract: short names for what its tests do over and over."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import pytest

from ticssync.plugin import (
    Change,
    Done,
    Draft,
    Fate,
    Fields,
    FieldValue,
    Marker,
    NotSupported,
    Outcome,
    OutFile,
    PreSend,
    RemoteRef,
    RemoteTask,
    TaskKey,
)
from ticssync.testing.samples import VALUES
from ticssync.testing.site import TrackerSite

AnswerT = TypeVar("AnswerT")
_numbers: Final = itertools.count(1)


def possible(do: Callable[[], AnswerT]) -> AnswerT:
    """The answer; where the site or an optional verb says NotSupported the test is skipped, and says why."""
    try:
        return do()
    except NotSupported as reason:
        return pytest.skip(str(reason))


class Bench:
    """An open driver at a site.  Tasks are numbered through, so that no test meets another's."""

    def __init__(self, site: TrackerSite) -> None:
        self.site = site
        self.tracker = site.open()
        self._folder: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Close the driver."""
        self.tracker.close()
        if self._folder is not None:
            self._folder.cleanup()

    def reopen(self) -> None:
        """Close the driver and open another over the same tracker."""
        self.tracker.close()
        self.tracker = self.site.open()

    # -- making

    def draft(self, **fields: FieldValue) -> Draft:
        """A draft of a new task: a title and what is named, as far as the tracker has a place for it."""
        key = TaskKey("tics", f"C-{next(_numbers)}")
        wanted: dict[str, FieldValue] = {"title": f"{VALUES['title']} {key.item}", **fields}
        return Draft(key, str(Marker(self.site.workspace, key)), self.held(wanted))

    def full_draft(self) -> Draft:
        """A draft with a value in every field that the tracker holds."""
        return self.draft(**{name: value for name, value in VALUES.items() if name != "title"})

    def held(self, fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """The fields that the tracker has a place for."""
        return {name: value for name, value in fields.items() if self.tracker.holds(name)}

    def need(self, *names: str) -> None:
        """Skip the test where the tracker has no place for one of these fields."""
        missing = [name for name in names if not self.tracker.holds(name)]
        if missing:
            pytest.skip(f"the tracker has no place for {', '.join(missing)}")

    def create(self, *drafts: Draft) -> list[RemoteRef]:
        """Create them all; each must be done."""
        outcomes = self.send(drafts)
        assert [type(one).__name__ for one in outcomes] == ["Done"] * len(drafts), (
            f"create answered {outcomes}"
        )
        return [one.ref for one in outcomes if isinstance(one, Done)]

    def made(self, **fields: FieldValue) -> RemoteRef:
        """One created task."""
        return self.create(self.draft(**fields))[0]

    def send(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Create, the way the host does it: presend, then one write."""
        self.tracker.presend()
        outcomes, _ = self.tracker.write(drafts, ())
        assert len(outcomes) == len(drafts), f"{len(drafts)} drafts, {len(outcomes)} outcomes"
        return outcomes

    def change(self, *changes: Change) -> list[Outcome]:
        """Update, the way the host does it."""
        self.tracker.presend()
        _, outcomes = self.tracker.write((), changes)
        assert len(outcomes) == len(changes), f"{len(changes)} changes, {len(outcomes)} outcomes"
        return outcomes

    def put(self, ref: RemoteRef, **fields: FieldValue) -> Outcome:
        """Update one task."""
        return self.change(Change(ref, fields))[0]

    def file(self, stem: str, content: bytes, ending: str = "txt") -> OutFile:
        """A file of ours as the host names it: part of its hash stands in the name, its bytes lie somewhere else."""
        self._folder = self._folder or TemporaryDirectory()
        sha256 = hashlib.sha256(content).hexdigest()
        path = Path(self._folder.name) / sha256
        path.write_bytes(content)
        return OutFile(f"{stem}__{sha256[:8]}.{ending}", path, "text/plain")

    def attached(self, ref: RemoteRef) -> list[tuple[str, int]]:
        """Name and size of what hangs on the task, as a strong read shows it."""
        return sorted((one.name, one.size) for one in self.read(ref).attachments)

    # -- looking

    def read(self, ref: RemoteRef) -> RemoteTask:
        """The task as a strong read shows it; it must be there."""
        found = self.tracker.fetch([ref])
        assert ref in found, f"fetch left out {ref}"
        task = found[ref].task
        assert found[ref].fate is Fate.PRESENT, f"{ref} is {found[ref].fate}"
        assert task is not None, f"{ref} is present without a task"
        return task

    def fate(self, ref: RemoteRef) -> Fate:
        """What a strong read says of this place."""
        found = self.tracker.fetch([ref])
        assert ref in found, f"fetch left out {ref}"
        return found[ref].fate

    def settle(self) -> None:
        """Wait until listings must show what was written."""
        lag = self.tracker.caps.lookup_lag_s
        if lag:
            possible(lambda: self.site.wait(lag))

    def moment(self) -> None:
        """Let a second pass where listings lag: too little for them to catch up."""
        if self.tracker.caps.lookup_lag_s > 1:
            possible(lambda: self.site.wait(1))

    def listed(self, cursor: str | None = None) -> tuple[dict[RemoteRef, RemoteTask], str | None]:
        """What changed since the cursor (of doubles the last), and where to go on from."""
        found: dict[RemoteRef, RemoteTask] = {}
        for page in self.tracker.list_changed(cursor):
            found |= {task.ref: task for task in page.items}
            cursor = page.cursor
        return found, cursor

    def marked(self, *markers: str) -> dict[str, set[RemoteRef]]:
        """Where these markers stand now; the settling time must have passed."""
        hits = self.tracker.find_by_marker(markers, PreSend()).hits
        return {marker: {task.ref for task in hits.get(marker, ())} for marker in markers}

    def views(self, fields: Fields) -> dict[str, FieldValue]:
        """What the tracker can show of these values."""
        return {name: self.tracker.view(name, value) for name, value in fields.items()}

    # -- people and trouble

    def person_sets(self, ref: RemoteRef, **fields: FieldValue) -> None:
        """A person edits, one field after the other."""
        for name, value in fields.items():
            possible(lambda name=name, value=value: self.site.person_sets(ref, name, value))  # type: ignore[misc]

    @contextmanager
    def trouble(self, name: str) -> Iterator[None]:
        """The tracker is in this trouble; skips where the site cannot make it."""
        if name not in self.site.troubles:
            pytest.skip(f"the site cannot be in the trouble “{name}”")
        with self.site.trouble(name):
            yield


def only(task: RemoteTask, names: Iterable[str]) -> dict[str, FieldValue]:
    """These fields of a task; one that it lacks is absent."""
    return {name: task.fields[name] for name in names if name in task.fields}
