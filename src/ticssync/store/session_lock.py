"""PostgreSQL's own lock beside the lease: held by a session, so it ends with the process or its connection.

The connection is of its own: a pool would keep the lock after `close`.  Whoever takes over from a holder that went
silent ends the holder's session, so that a frozen process learns of it before it sends.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ticssync.store.connection import plain_errors
from ticssync.store.server import process_name

PATIENCE_MS: Final = 3_000
"""A session whose process has just ended gives its lock back within moments; for longer nobody waits here."""
AGAIN_MS: Final = 500
"""The same for a holder that takes up its own lock again: who has it now has come to stay."""
LOCK_TIMEOUT: Final = "55P03"
"""PostgreSQL's lock_not_available (its manual, appendix A)."""
Answer = TypeVar("Answer")

_HOLDER: Final = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = :high AND objid::bigint = :low AND pid <> pg_backend_pid()
"""
_OF_HIS_PROCESS: Final = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user
    AND (pid = :pid OR application_name <> :own AND application_name LIKE 'ticssync-%'
         AND application_name = (SELECT application_name FROM pg_stat_activity WHERE pid = :pid))
"""
_END: Final = "SELECT pg_terminate_backend(pid) FROM unnest(:pids) AS pid"


class NotOurs(Exception):  # noqa: N818 - not a failure: an answer that the lease turns into its own error
    """Another session holds the lock."""


class SessionLock:
    """The lock of one workspace.  Its methods may be called from several threads."""

    def __init__(self, engine: Engine, workspace: str, where: str) -> None:
        self._engine = engine
        self._where = where
        self._workspace = workspace
        self._turn = threading.RLock()
        self._connection: Connection | None = None
        self._backend = 0
        self._closed = False

    def take(self, patience_ms: int | None = None) -> bool:
        """Open a connection and lock; False where another session holds it (milliseconds, else PATIENCE_MS)."""
        with self._turn, plain_errors(self._where):
            self._drop()
            connection = self._open()
            try:
                connection.exec_driver_sql(f"SET lock_timeout = {patience_ms or PATIENCE_MS}")
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key(connection)})
                self._backend = _backend(connection)
            except OperationalError as error:
                connection.close()
                if getattr(error.orig, "sqlstate", None) == LOCK_TIMEOUT:
                    return False
                raise
            self._connection = connection
            return True

    def evict(self) -> bool:
        """End the sessions of the process that holds the lock: all of them, since it may have been frozen within a
        transaction for which everybody else would wait.  False where there is none, or where they are another account's.
        """
        with self._aside() as connection:
            return self._end(connection, self._process_of(connection, self._holder(connection)))

    @contextmanager
    def _aside(self) -> Iterator[Connection]:
        with self._turn, plain_errors(self._where):
            connection = self._open()
            try:
                yield connection
            finally:
                connection.close()

    def _holder(self, connection: Connection) -> int:
        low, high = _halves(self._key(connection))
        return connection.execute(text(_HOLDER), {"low": low, "high": high}).scalar() or 0

    @staticmethod
    def _process_of(connection: Connection, pid: int) -> list[int]:
        found = connection.execute(text(_OF_HIS_PROCESS), {"pid": pid, "own": process_name()})
        return list(found.scalars())

    @staticmethod
    def _end(connection: Connection, pids: list[int]) -> bool:
        # Found first and ended then: as soon as the holder is gone, nobody can tell what else was his.
        return bool(pids) and any(connection.execute(text(_END), {"pids": pids}).scalars().all())

    def run(self, ask: Callable[[Connection], Answer]) -> Answer:
        """Ask on the very connection that holds the lock.

        One that broke (the server was started anew) is replaced where the lock can be had again; raises NotOurs
        where another session has it by now.
        """
        with self._turn, plain_errors(self._where):
            try:
                return self._ask(ask)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                self._drop()
            return self._again(ask)

    def _ask(self, ask: Callable[[Connection], Answer]) -> Answer:
        if self._connection is None or _backend(self._connection) != self._backend:
            # Closed, or a pooler in between has given our statements to another session, which holds no lock.
            return self._again(ask)
        return ask(self._connection)

    def _again(self, ask: Callable[[Connection], Answer]) -> Answer:
        if self._closed:
            raise NotOurs
        # Where the network broke, the server may take long to notice: our own former session would be in our way.
        with self._aside() as connection:
            if self._holder(connection) == self._backend:
                self._end(connection, [self._backend])
        if not self.take(AGAIN_MS) or self._connection is None:
            raise NotOurs
        return ask(self._connection)

    def close(self) -> None:
        """Give the lock back."""
        with self._turn:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        return connection

    def _key(self, connection: Connection) -> int:
        # Locks are the database's: two stores in two schemas of it are two.
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        name = f"ticssync/lease/{schema}/{self._workspace}".encode()
        return int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)


def _backend(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def _halves(key: int) -> tuple[int, int]:
    """(low, high) as pg_locks shows a key of 64 bits."""
    whole = key & 0xFFFF_FFFF_FFFF_FFFF
    return whole & 0xFFFF_FFFF, whole >> 32


def keeps_sessions(engine: Engine) -> bool:
    """Whether a connection has a session of its own: not so behind a pooler of transactions.

    While a second connection is busy, the first is asked again: a pooler lends the idle session to whoever comes.
    """
    with engine.connect() as first, engine.connect() as second:
        first.execution_options(isolation_level="AUTOCOMMIT")
        own = _backend(first)
        with second.begin():
            others = _backend(second)
            return others != own and all(_backend(first) == own for _ in range(3))
