"""How a store is connected: SQLite (WAL, synchronous=FULL, BEGIN IMMEDIATE), or PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from ticssync.errors import CorruptStoreError, RetryLaterError, say
from ticssync.model.canonical import storable_text
from ticssync.store import server

MEMORY: Final = "sqlite://"
BUSY_MS: Final = 15_000
ROOM_BYTES: Final = 256 * 1024
"""With less room than this an error without a name is taken for a full disk."""


def connect(url: str) -> Engine:
    """An engine for `url`.  No connection is made yet."""
    if url == MEMORY:
        engine = create_engine(
            url, poolclass=StaticPool, connect_args={"check_same_thread": False, "isolation_level": None}
        )
    elif url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"isolation_level": None, "timeout": BUSY_MS / 1000})
    else:
        engine = server.connect(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
        # sqlite3's legacy mode opens no transaction before SELECT: two read-modify-write transactions would
        # overwrite each other without an error (52 of 200 updates survived when tried).
        event.listen(engine, "begin", _begin_immediate)
    event.listen(engine, "before_cursor_execute", _storable, retval=True)
    return engine


def _storable(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """No database keeps a NUL or half a character, and each would say so in its own way: replaced on both alike."""
    return statement, _cleaned(parameters)


def _cleaned(given: Any) -> Any:
    values = given.values() if isinstance(given, dict) else given
    if all(map(_fits, values)):
        return given
    if isinstance(given, dict):
        return {name: _cleaned_value(value) for name, value in given.items()}
    return type(given)(map(_cleaned_value, given))


def _fits(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):  # one row of several
        return False
    return not isinstance(value, str) or (
        "\x00" not in value and (value.isascii() or storable_text(value) == value)
    )


def _cleaned_value(value: Any) -> Any:
    if isinstance(value, (list, tuple, dict)):
        return _cleaned(value)
    return storable_text(value) if isinstance(value, str) else value


def _sqlite_pragmas(raw: Any, _record: Any) -> None:
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    mode = "DEFERRED" if connection.get_execution_options().get("reads_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def store_file(url: str) -> Path | None:
    """The file of a SQLite store; None for memory and PostgreSQL."""
    prefix = "sqlite:///"
    return Path(url[len(prefix) :]) if url.startswith(prefix) and url != MEMORY else None


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Database errors as ours: busy → try later; disk full, read-only, damaged → the store's own error."""
    try:
        yield
    except sqlite3.Error as error:
        raise CorruptStoreError(
            say("the store {where} cannot be read: {why}", where=where, why=str(error))
        ) from error
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if server.of_driver(cause):
            # Its own words may hold parts of the URL: the chain of causes ends here.
            raise server.plain(where, cause) from None
        if isinstance(error, DBAPIError):
            raise _of_sqlite(where, error) from error
        raise


def _of_sqlite(where: str, error: DBAPIError) -> Exception:
    if isinstance(error, OperationalError):
        return _operational(where, str(error.orig))
    return CorruptStoreError(
        say("the store {where} is damaged: {why}", where=where, why=str(error.orig)),
        fix=say("put your backup of the management folder back"),
    )


def _operational(where: str, reason: str) -> Exception:
    lowered = reason.lower()
    if "locked" in lowered or "busy" in lowered:
        return RetryLaterError(say("the store {where} is busy: {why}", where=where, why=reason))
    if "full" in lowered or _no_room(where):
        return CorruptStoreError(
            say("the disk that holds the store {where} is full", where=where),
            fix=say("make room and run again; nothing was lost"),
        )
    if "readonly" in lowered or "read-only" in lowered or not os.access(_folder(where), os.W_OK):
        return CorruptStoreError(
            say("the store {where} may not be written: {why}", where=where, why=reason),
            fix=say("mend the permissions of its folder"),
        )
    return CorruptStoreError(
        say("the store {where} cannot be used: {why}", where=where, why=reason),
        fix=say("see whether this account may read and write that file and its folder"),
    )


def _folder(where: str) -> Path:
    return Path(where).absolute().parent


def _no_room(where: str) -> bool:
    # SQLite says only "disk I/O error" where it cannot make the small files beside the store.
    try:
        return shutil.disk_usage(_folder(where)).free < ROOM_BYTES
    except OSError:
        return False


def revision_of(connection: Connection) -> str | None:
    """The migration that the store stands at; None where it has no such table (not a store of ours)."""
    query = text("SELECT version_num FROM alembic_version")
    if connection.dialect.name != "sqlite":
        # A statement that fails would end the whole transaction there.
        there = connection.dialect.has_table(connection, "alembic_version")
        return connection.execute(query).scalar_one_or_none() if there else None
    try:
        return connection.execute(query).scalar_one_or_none()
    except DatabaseError:
        return None
