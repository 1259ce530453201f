"""An opened workspace: configuration, plugins, store, and who is acting."""

from __future__ import annotations

import os
import platform
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from ticssync import log
from ticssync.config import Config, load_config
from ticssync.errors import CorruptStoreError, UsageError, say
from ticssync.host import Host, load_host, secret_values
from ticssync.model.canonical import canonical_json
from ticssync.store import By, Store, Transaction
from ticssync.store.connection import store_file
from ticssync.store.lease import Holder, Lease
from ticssync.text import Text

CONFIG_NAME = "ticssync.yaml"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command finds around it.  Everything that would otherwise be read from the process stands here.

    `clock` gives aware UTC; `account` is the operating system's user; `machine` names this machine and no other.
    """

    folder: Path
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    lang: str = "ja"
    account: str = ""
    host: str = ""
    pid: int = 0
    machine: str = ""
    config: Path | None = None
    secrets_folder: Path | None = None
    verbose: bool = False
    tick: Callable[[str], None] = field(default=lambda _text: None)

    @property
    def text(self) -> Text:
        """Messages in the reader's language."""
        return Text(self.lang)

    @property
    def config_file(self) -> Path:
        """The configuration: given, else $TICSSYNC_CONFIG, else ticssync.yaml in the current folder."""
        named = self.config or (
            Path(self.environ["TICSSYNC_CONFIG"]) if self.environ.get("TICSSYNC_CONFIG") else None
        )
        return (self.folder / named) if named else self.folder / CONFIG_NAME

    @property
    def actor(self) -> str:
        """Who really acts: account@host."""
        return f"{self.account}@{self.host}"

    def at(self, clock: Callable[[], datetime]) -> Surroundings:
        """The same with another clock."""
        return replace(self, clock=clock)


def utc_now() -> datetime:
    """The machine's time, aware."""
    return datetime.now(timezone.utc)


def of_this_process(
    lang: str = "", config: Path | None = None, secrets_folder: Path | None = None, *, verbose: bool = False
) -> Surroundings:
    """The surroundings of a real command."""
    environ = dict(os.environ)
    folder = environ.get("CREDENTIALS_DIRECTORY")
    account = account_name()
    return Surroundings(
        Path.cwd(), environ, utc_now, lang or _language(environ), account, socket.gethostname(), os.getpid(), machine_name(),
        config, secrets_folder or (Path(folder) if folder else None), verbose,
    )  # fmt: skip


def _language(environ: Mapping[str, str]) -> str:
    # Japanese is the main language; English only where somebody asked for it.
    return "en" if environ.get("TICSSYNC_LANG", "").lower().startswith("en") else "ja"


def account_name() -> str:
    """The account that this process runs as, told by the system: $LOGNAME and $USER are what anybody says."""
    if sys.platform == "win32":
        # Windows' own GetUserNameW there, and no variable.
        return os.getlogin()
    import pwd

    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def machine_name() -> str:
    """A name that another machine does not have: systemd's machine id, else the node's name."""
    for file in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            found = file.read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if found:
            return found
    return platform.node() or sys.platform


@dataclass
class Workspace:
    """One company's workspace, opened for one command.  `lease`: held by the daemon for its whole life."""

    around: Surroundings
    config: Config
    host: Host
    store: Store
    lease: Lease | None = None

    @property
    def text(self) -> Text:
        """Messages in the reader's language."""
        return self.around.text

    @cached_property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.config.values.calendar.time_zone)

    @property
    def now(self) -> datetime:
        """The moment, aware UTC."""
        return self.around.clock()

    @property
    def today(self) -> date:
        """The company's day."""
        return self.now.astimezone(self.zone).date()

    def by(self, channel: str = "cli", claimed: str | None = None) -> By:
        """Who acts, for the event log."""
        return By(self.around.actor, channel, claimed)

    @cached_property
    def holder(self) -> Holder:
        """This process as a holder of the lease."""
        return Holder(secrets.token_hex(8), self.around.host, self.around.pid)

    def place(self) -> str:
        """Where the store lives: machine and path; on a server this very database, whichever machine asks."""
        if self.store.on_server:
            return canonical_json({"database": self.store.identity()})
        file = store_file(self.config.store_url)
        return canonical_json({"machine": self.around.machine, "path": str(file) if file else ""})

    def check_place(self, tx: Transaction) -> None:
        """Before anything is written outside: a store that was moved or copied stops here (exit 5)."""
        known = tx.meta("place")
        if known is not None and known != self.place():
            raise CorruptStoreError(
                say("this store was moved or copied: it was first used elsewhere"),
                fix=say(
                    "ticssync rebind --moved (the only one there is), or ticssync rebind --copied (a second one: it gets an id of its own)"
                ),
            )


def read_config(around: Surroundings) -> Config:
    """The configuration, or UsageError with all problems."""
    config, problems = load_config(around.config_file, around.environ, around.secrets_folder)
    if config is None:
        raise UsageError(
            say("the configuration is wrong: {file}", file=str(around.config_file)), problems=problems
        )
    return config


@contextmanager
def open_workspace(
    around: Surroundings, *, extra: tuple[object, ...] = (), trackers_may_differ: bool = False
) -> Iterator[Workspace]:
    """Read the configuration, load the allowed plugins, open the store.  Raises the errors of all three.

    `trackers_may_differ` is for the commands that settle a tracker's new name.
    """
    config = read_config(around)
    log.set_up(secrets=secret_values(config), verbose=around.verbose)
    host = load_host(config.values.plugins, extra=extra)
    problems = host.check(config)
    if problems:
        raise UsageError(say("the configuration is wrong: {file}", file=str(config.file)), problems=problems)
    store = Store.open(config.store_url, config.workspace, around.clock)
    try:
        if not trackers_may_differ:
            check_trackers(store, config)
        store.listener = host.tell
        yield Workspace(around, config, host, store)
    finally:
        store.close()


def check_trackers(store: Store, config: Config) -> None:
    """A tracker's name is its identity in the store: a bound name that left the file stops here (exit 5)."""
    from ticssync.store.bindings import bindings

    with store.read() as tx:
        bound = {one.ref.tracker for one in bindings(tx) if one.state.value in ("live", "lost", "tomb")}
    gone = sorted(bound - set(config.trackers))
    if gone:
        raise CorruptStoreError(
            say(
                "ticssync.yaml no longer names the tracker {name}, but tasks are bound to it",
                name=", ".join(gone),
            ),
            fix=say(
                "ticssync tracker rename {old} NEW (it has another name now) or ticssync tracker drop {old} (it is no longer used)",
                old=gone[0],
            ),
        )
