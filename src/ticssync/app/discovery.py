"""Asking a live tracker what it offers, before there is a mapping for it: for `init`, `mapping suggest`, `mapping
check` and `doctor`.  Nothing is written there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ticssync.app.scope import catalogs
from ticssync.app.sync_once import driver_failed
from ticssync.app.workspace import Surroundings
from ticssync.config import Config, TrackerPart
from ticssync.errors import CredentialsError, Problem, RetryLaterError, TicssyncError, UsageError, say
from ticssync.host import Host
from ticssync.mapping import Mapping as TaskMapping
from ticssync.mapping.compare import Compared, compare
from ticssync.mapping.discover import Proposal, propose
from ticssync.plugin import (
    AuthLost,
    Finding,
    Level,
    NotSupported,
    RemoteSchema,
    Throttled,
    TrackerDriver,
    Unavailable,
    Unsafe,
)
from ticssync.sync.state import HostMemory
from ticssync.yamlfile import read_yaml


@dataclass(frozen=True, slots=True)
class Asking:
    """Where to ask: a loaded host, the configuration (a draft, for `init`) and one tracker of it."""

    around: Surroundings
    host: Host
    config: Config
    part: TrackerPart

    @property
    def language(self) -> str:
        """What the company's own files are written in."""
        return self.config.language(self.around.lang)

    @property
    def source(self) -> str:
        """What is asked, for people: the address and the project where the kind has them, else the name."""
        known = [str(self.part.settings[key]) for key in ("url", "project") if self.part.settings.get(key)]
        return " ".join(known) or self.part.name

    @property
    def lists_itself(self) -> bool:
        """Whether the tracker is a table that we make ourselves (a workbook): there is nothing to discover."""
        kind = self.host.trackers.get(self.part.kind)
        return kind is None or kind.caps.file_batch


@dataclass(frozen=True, slots=True)
class Live:
    """What the tracker answered.  `account`: our own account's id there, empty where it does not tell."""

    schema: RemoteSchema
    account: str = ""


def provisional(kind: str, language: str) -> TaskMapping:
    """A mapping to open a driver with while there is no other; nothing is ever written with it."""
    return TaskMapping.model_validate(
        {
            "version": 1,
            "kind": kind,
            "language": language,
            "fields": {"title": "title", "status": "status"},
            "statuses": {"-": "todo"},
        }
    )


@contextmanager
def opened(asking: Asking, mapping: TaskMapping | None = None) -> Iterator[TrackerDriver]:
    """An open driver.  What it lets out comes as an error of ours: CredentialsError, RetryLaterError, UsageError."""
    name = asking.part.name
    used = mapping or provisional(asking.part.kind, asking.language)
    with _translated(name):
        driver = asking.host.open_tracker(
            asking.config, asking.part, used, HostMemory(), asking.around.clock, asking.around.text.lang
        )
        try:
            yield driver
        finally:
            driver.close()


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except AuthLost as error:
        raise CredentialsError(str(error), tracker=name, fix=_where_keys_go(name)) from error
    except (Throttled, Unavailable) as error:
        raise RetryLaterError(
            str(error), fix=say("try again when {tracker} answers", tracker=name), until=error.until
        ) from error
    except Unsafe as error:
        raise UsageError(str(error), fix=error.fix) from error
    except (TicssyncError, NotSupported):
        raise
    except Exception as error:
        raise UsageError(driver_failed(name, error)) from error


def _where_keys_go(name: str) -> str:
    return say(
        "put the key into the environment (TICSSYNC_TRACKERS__{name}__…) or into secrets/ beside ticssync.yaml",
        name=name.upper(),
    )


def read_live(asking: Asking) -> Live:
    """Who we are there and what the tracker offers.  Raises CredentialsError (wrong key), RetryLaterError (cannot be
    reached), UsageError (no such project, …), NotSupported where the kind does not tell."""
    with opened(asking) as driver:
        # First of all: with a wrong key some trackers answer as to a stranger, with an empty list.
        account = _account(driver)
        try:
            return Live(driver.schema(), account)
        except (Unavailable, Unsafe) as error:
            wrong = [one for one in driver.check() if one.level is Level.FAIL and one.message != str(error)]
            if not wrong:
                raise
            raise UsageError(
                str(error),
                problems=[Problem(one.message, place=asking.part.name, fix=one.fix) for one in wrong],
            ) from error


def _account(driver: TrackerDriver) -> str:
    try:
        return driver.whoami().id
    except NotSupported:
        return ""


def compared_live(asking: Asking, file: Path, mapping: TaskMapping) -> Compared:
    """The mapping of this file against the live tracker.  Raises what `read_live` raises."""
    return compare(read_yaml(file), mapping, read_live(asking).schema)


def findings(asking: Asking, mapping: TaskMapping) -> tuple[Finding, ...]:
    """What the driver itself finds wrong or worth saying with this mapping; nothing where it cannot be asked now."""
    try:
        with opened(asking, mapping) as driver:
            return tuple(one for one in driver.check() if one.level is not Level.OK)
    except (TicssyncError, NotSupported):
        return ()


def proposal_for(asking: Asking, live: Live) -> Proposal:
    """The proposed mapping.  Raises UsageError where the tracker shows too little for one."""
    found = propose(asking.part.kind, live.schema, chapter_titles(asking), asking.language)
    if found.problems:
        raise UsageError(
            say("{tracker} does not show enough for a mapping", tracker=asking.part.name),
            problems=found.problems,
        )
    return found


def chapter_titles(asking: Asking) -> dict[str, str]:
    """Chapter id → title in the company's language, of all scheme packs."""
    return {
        ident: words.in_language(asking.language)
        for catalog in catalogs(asking.config)
        for ident, words in catalog.chapters.items()
    }


def chapter_items(config: Config) -> Mapping[str, Sequence[str]]:
    """Chapter id → the items in it."""
    found: dict[str, list[str]] = {}
    for catalog in catalogs(config):
        for item in catalog.items:
            found.setdefault(item.chapter, []).append(item.id)
    return found
