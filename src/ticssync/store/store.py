"""Opening, making and checking a store, and its transactions.

Only `init`, `restore` and `rebind` make a store; every other command opens one and stops with exit 5 where
there is none, where it belongs to another workspace, or where a newer version wrote it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, make_url, select, text, update

from ticssync.errors import CorruptStoreError, say
from ticssync.model.canonical import instant_text
from ticssync.store import schema, server
from ticssync.store.connection import MEMORY, connect, plain_errors, revision_of, store_file
from ticssync.store.events import GENESIS, By, Event, make_event
from ticssync.store.projection import inserting, project, put

Clock = Callable[[], datetime]
Watch = Callable[[str], None]
"""Called with `before commit` and `after commit`: the place where the fault harness kills."""


TOUCHES: Final = "touches"
"""Counts the transactions that changed what tasks should be or were agreed to be, with an event or without."""

Listener = Callable[[list[Event]], None]
"""Called with the events of a transaction once they are committed."""


def _salt() -> str:
    return secrets.token_hex(16)


def _ignore(_what: object) -> None:
    return None


@dataclass
class Transaction:
    """One short transaction.  Everything in it happens or nothing does."""

    connection: Connection
    workspace: str
    now: datetime
    salt: Callable[[], str]
    written: list[Event] = field(default_factory=list)
    last: Event | None = None
    """The event written last in this transaction; the head row follows at its end."""

    touched: bool = False
    """Whether what the next pass has to do may have changed."""

    def append(
        self, kind: str, subject: str, by: By, payload: Mapping[str, Any], at: datetime | None = None
    ) -> Event:
        """Write a fact into the log and bring the derived tables up to it.  `at` (aware) defaults to now."""
        head = self.head()
        event = make_event(
            head, at=at or self.now, kind=kind, subject=subject, by=by, payload=payload, salt=self.salt()
        )
        self.insert_event(event)
        project(self.connection, self.workspace, event)
        self.written.append(event)
        return event

    def head(self) -> tuple[int, str]:
        """Number and hash of the last event; (0, 64 zeros) before the first."""
        if self.last is not None:
            # This transaction holds the head row.
            return self.last.seq, self.last.hash
        table = schema.head
        row = self.connection.execute(
            select(table.c.seq, table.c.hash).where(table.c.workspace_id == self.workspace)
        ).one_or_none()
        return (row.seq, row.hash) if row else (0, GENESIS)

    def standing(self) -> str:
        """Names the state of everything that a pass decides by: as long as it stays, so does every decision."""
        return f"{self.head()[0]}/{self.meta(TOUCHES) or 0}"

    def insert_event(self, event: Event) -> None:
        """Write an event row as it is; used by `append` and by replay."""
        row = {
            "workspace_id": self.workspace,
            **{name: getattr(event, name) for name in Event.__dataclass_fields__},
        }
        self.connection.execute(inserting(schema.event), row)
        self.last = event

    def finish(self) -> None:
        """What is written once at the end, however much was done."""
        if self.last is not None:
            values = {"seq": self.last.seq, "hash": self.last.hash}
            put(self.connection, schema.head, self.workspace, {}, values)
        if self.touched:
            self.put_meta(TOUCHES, str(int(self.meta(TOUCHES) or "0") + 1))
        self.last, self.touched = None, False

    def events(self, since: int = 0, kind: str | None = None, subject: str | None = None) -> list[Event]:
        """Events after number `since`, in order."""
        table = schema.event
        query = select(table).where(table.c.workspace_id == self.workspace, table.c.seq > since)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        rows = self.connection.execute(query.order_by(table.c.seq)).mappings()
        return [Event(**{name: row[name] for name in Event.__dataclass_fields__}) for row in rows]

    def meta(self, name: str) -> str | None:
        """A fact about the store itself (where it lives, who made it)."""
        table = schema.meta
        query = select(table.c.value).where(table.c.workspace_id == self.workspace, table.c.name == name)
        return self.connection.execute(query).scalar_one_or_none()

    def put_meta(self, name: str, value: str | None) -> None:
        """Keep a fact about the store; None forgets it."""
        if value is None:
            table = schema.meta
            self.connection.execute(
                delete(table).where(table.c.workspace_id == self.workspace, table.c.name == name)
            )
            return
        put(self.connection, schema.meta, self.workspace, {"name": name}, {"value": value})


class Store:
    """One workspace's store.  Use `create`, `open` or `memory`."""

    def __init__(
        self, engine: Engine, workspace: str, where: str, clock: Clock, *, salt: Callable[[], str] = _salt
    ) -> None:
        self.engine = engine
        self.workspace = workspace
        self.where = where
        self.clock = clock
        self.salt = salt
        self.watch: Watch = _ignore
        self.listener: Listener = _ignore
        self.at_close: list[Callable[[], None]] = []

    @classmethod
    def create(cls, url: str, workspace: str, clock: Clock, *, salt: Callable[[], str] = _salt) -> Store:
        """Make a new, empty store.  Raises CorruptStoreError where one stands already."""
        store = cls(connect(url), workspace, _shown(url), clock, salt=salt)
        try:
            with plain_errors(store.where), store.engine.begin() as connection:
                store._make(connection)
        except BaseException:
            store.close()
            raise
        return store

    def _make(self, connection: Connection) -> None:
        self._vacant(connection)
        schema.metadata.create_all(connection)
        connection.execute(
            text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        )
        connection.execute(
            text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": schema.REVISION}
        )
        put(
            connection,
            schema.meta,
            self.workspace,
            {"name": "made_at"},
            {"value": instant_text(self.clock())},
        )

    @classmethod
    def check_vacant(cls, url: str) -> None:
        """Whether `create` would go through on this server: raises what it would raise, and makes nothing."""
        engine = connect(url)
        store = cls(engine, "", _shown(url), lambda: datetime.now(timezone.utc))
        try:
            with plain_errors(store.where), store._begin(reads_only=True) as connection:
                store._vacant(connection)
        finally:
            store.close()

    def _vacant(self, connection: Connection) -> None:
        if self.on_server:
            server.fit_for_a_store(self.where, connection)
            server.exclusively(connection)
        if revision_of(connection) is not None:
            raise CorruptStoreError(
                say("{where}: a store stands here already", where=self.where),
                fix=say("ticssync init with another database")
                if self.on_server
                else say("ticssync init in another folder"),
            )

    @property
    def on_server(self) -> bool:
        """Whether a database server holds it (PostgreSQL), and not a file or this process's memory."""
        return self.engine.dialect.name != "sqlite"

    def identity(self) -> str:
        """On a server: names this very database; a copy of it has another name.  Empty for a file."""
        if not self.on_server:
            return ""
        with plain_errors(self.where), self._begin(reads_only=True) as connection:
            return server.identity(connection)

    @classmethod
    def memory(cls, workspace: str, clock: Clock, *, salt: Callable[[], str] = _salt) -> Store:
        """A store that lives as long as the object: the test store, and the target of a replay."""
        return cls.create(MEMORY, workspace, clock, salt=salt)

    @classmethod
    def open(cls, url: str, workspace: str, clock: Clock) -> Store:
        """Open an existing store.  Raises CorruptStoreError (exit 5): missing, foreign, newer, older, damaged."""
        file = store_file(url)
        if file is not None and not file.exists():
            raise CorruptStoreError(
                say("there is no store at {where}", where=str(file)),
                fix=say(
                    "ticssync init makes a new one; if there was one: ticssync restore with a backup, "
                    "or ticssync rebind to make it anew from the trackers"
                ),
            )
        store = cls(connect(url), workspace, _shown(url), clock)
        try:
            with plain_errors(store.where):
                store._check()
        except BaseException:
            store.close()
            raise
        return store

    def _check(self) -> None:
        with self._begin(reads_only=True) as connection:
            revision = self._known_revision(connection)
        if revision < schema.REVISION:
            from ticssync.store.migrate import upgrade

            upgrade(self, revision)
        with self._begin(reads_only=True) as connection:
            self._check_workspace(connection)

    def _known_revision(self, connection: Connection) -> str:
        revision = revision_of(connection)
        if revision is None and self.on_server:
            raise server.not_a_store(self.where)
        if revision is None:
            raise CorruptStoreError(
                say("{where} is not a store of ticssync", where=self.where),
                fix=say("put your backup of the management folder back"),
            )
        if revision > schema.REVISION:
            raise CorruptStoreError(
                say(
                    "the store {where} was written by a newer version ({found}, this one knows {known})",
                    where=self.where,
                    found=revision,
                    known=schema.REVISION,
                ),
                fix=say("install the newer ticssync again; an older one must not write this store"),
            )
        return revision

    def _check_workspace(self, connection: Connection) -> None:
        found = connection.execute(select(schema.meta.c.workspace_id).distinct()).scalars().all()
        if found and self.workspace not in found:
            raise CorruptStoreError(
                say(
                    "the store {where} belongs to workspace {found}, ticssync.yaml says {wanted}",
                    where=self.where,
                    found=", ".join(sorted(found)),
                    wanted=self.workspace,
                ),
                fix=say(
                    "put the id back into ticssync.yaml, or give this workspace a store of its own (store:)"
                ),
            )

    @contextmanager
    def _begin(self, *, reads_only: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            if reads_only:
                options: dict[str, Any] = dict(server.READ_ONLY) if self.on_server else {"reads_only": True}
                connection.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads: everything in it sees one moment."""
        with plain_errors(self.where), self._begin(reads_only=True) as connection:
            yield Transaction(connection, self.workspace, self.clock(), self.salt)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write.  The head row is locked first, so the log has no gaps."""
        with plain_errors(self.where):
            with self._begin(reads_only=False) as connection:
                if self.on_server:
                    self._lock_head(connection)
                tx = Transaction(connection, self.workspace, self.clock(), self.salt)
                yield tx
                tx.finish()
                self.watch("before commit")
            self.watch("after commit")
        if tx.written:
            self.listener(tx.written)

    def _lock_head(self, connection: Connection) -> None:
        table = schema.head
        mine = select(table.c.seq).where(table.c.workspace_id == self.workspace).with_for_update()
        if connection.execute(mine).one_or_none() is None:
            # The first writer makes the row; whoever comes at the same moment waits for it here.
            from sqlalchemy.dialects.postgresql import insert

            first = insert(table).values(workspace_id=self.workspace, seq=0, hash=GENESIS)
            connection.execute(first.on_conflict_do_nothing())
            connection.execute(mine)

    def close(self) -> None:
        """Give the connections back, those of held leases too; SQLite folds its write-ahead log into the file."""
        while self.at_close:
            self.at_close.pop()()
        self.engine.dispose()


def replay(events: list[Event], into: Store) -> None:
    """Write a log into an empty store: the derived tables come out as they were.

    The law of the store, tested: `status --json` of the replayed store has the same bytes.
    """
    with into.write() as tx:
        for event in events:
            tx.insert_event(event)
            project(tx.connection, tx.workspace, event)


def erase_payload(tx: Transaction, seq: int) -> None:
    """Forget what an event said (personal data); its commitment stays, so the chain still verifies."""
    table = schema.event
    tx.connection.execute(
        update(table)
        .where(table.c.workspace_id == tx.workspace, table.c.seq == seq)
        .values(payload=None, salt=None, claimed_by=None)
    )


def _shown(url: str) -> str:
    """Where the store is, for people: the file, or server and database.  Never who logs in, nor with what."""
    file = store_file(url)
    if file is not None:
        return str(file)
    parts = make_url(url)
    # Only what may be shown is put together: a secret can stand before the @ and behind the ? alike.  A password
    # with an @ of its own reaches into what SQLAlchemy takes for the host.
    host = (parts.host or "").rpartition("@")[2]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.get_backend_name()}://{host}{port}/{parts.database or ''}"
