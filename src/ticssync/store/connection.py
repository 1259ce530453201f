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
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from ticssync.errors import CorruptStoreError, RetryLaterError, UsageError, say

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
        engine = _server(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
        # sqlite3's legacy mode opens no transaction before SELECT: two read-modify-write transactions would
        # overwrite each other without an error (52 of 200 updates survived when tried).
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _server(url: str) -> Engine:
    try:
        return create_engine(url)
    except ImportError as error:
        raise UsageError(
            say("the driver for this kind of store is not installed: {name}", name=error.name or ""),
            fix=say("pip install {names}", names=error.name or "psycopg"),
        ) from error
    except (ArgumentError, ValueError):
        # The URL may hold a password, and the message repeats it, or the part that was taken for the port.
        raise UsageError(say("store: is not a URL that a database knows")) from None


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
    except OperationalError as error:
        raise _operational(where, str(error.orig)) from error
    except DatabaseError as error:
        raise CorruptStoreError(
            say("the store {where} is damaged: {why}", where=where, why=str(error.orig)),
            fix=say("put your backup of the management folder back"),
        ) from error
    except sqlite3.Error as error:
        raise CorruptStoreError(
            say("the store {where} cannot be read: {why}", where=where, why=str(error))
        ) from error


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
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except DatabaseError:
        return None
