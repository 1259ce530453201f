"""PostgreSQL as a store: how it is connected, what its errors mean, what must be right with it.

The driver is psycopg 3 (the extra `postgres`).  Whatever libpq reads besides the URL counts: PGPASSWORD, PGPASSFILE,
~/.pgpass, PGSSLMODE and the others.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from ticssync.errors import (
    CorruptStoreError,
    CredentialsError,
    RetryLaterError,
    TicssyncError,
    UsageError,
    say,
)

OLDEST: Final = 14
"""The oldest PostgreSQL that is let through: older ones get no mends any more."""
LOCK_TIMEOUT_MS: Final = 15_000
CONNECT_S: Final = 10
NETWORK: Final = {
    "connect_timeout": CONNECT_S, "keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
    "client_encoding": "utf8",
}  # fmt: skip
"""A server or a network that is gone is noticed within a minute.  The encoding is ours, whatever PGCLIENTENCODING says."""
FORGOTTEN_MS: Final = 600_000
"""A transaction in which nothing happens for so long belongs to a process that is frozen: nobody waits for it forever."""


@cache
def process_name() -> str:
    """What the sessions of this process are called on the server, and those of no other process, on no other machine."""
    return f"ticssync-{os.getpid()}-{secrets.token_hex(6)}"


def connect(url: str) -> Engine:
    """An engine for `url`, which need not name the driver.  No connection is made yet."""
    try:
        parts = make_url(url)
        if parts.drivername == "postgresql":
            parts = parts.set(drivername="postgresql+psycopg")
        given = {name: value for name, value in NETWORK.items() if name not in parts.query}
        given["application_name"] = process_name()
        engine = create_engine(parts, connect_args=given, pool_pre_ping=True)
    except ImportError as error:
        raise UsageError(
            say("the driver for this kind of store is not installed: {name}", name=error.name or ""),
            fix=say("pip install {names}", names='"ticssync[postgres]"'),
        ) from error
    except (ArgumentError, ValueError):
        # The URL may hold a password, and the message repeats it, or the part that was taken for the port.
        raise UsageError(say("store: is not a URL that a database knows")) from None
    event.listen(engine, "connect", _patience)
    return engine


def _patience(raw: Any, _record: Any) -> None:
    # As long as SQLite's busy timeout: who waits longer for another process is told so.
    before, raw.autocommit = raw.autocommit, True
    raw.execute(
        f"SET lock_timeout = {LOCK_TIMEOUT_MS}; SET idle_in_transaction_session_timeout = {FORGOTTEN_MS}"
    )
    raw.autocommit = before


READ_ONLY: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Everything in such a transaction sees one moment."""


# ── what its errors mean ──────────────────────────────────────────────────────────────────────────────
# The codes are PostgreSQL's (its manual, appendix A).  A connection that was refused has none, and its words are in
# the server's language.

_LATER: Final = frozenset(
    {"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "53200", "53300", "25P03"}
)
_NO_TABLES: Final = frozenset({"42P01", "3F000"})
_LOGIN: Final = (
    "password",
    "authentication",
    "pg_hba",
    "role ",
    "log in",
    "パスワード",
    "認証",
    "ロール",
    "ログイン",
)
_NO_DATABASE: Final = ('database "', "データベース")
_BUSY: Final = (
    "too many",
    "多すぎ",
    "starting up",
    "shutting down",
    "recovery",
    "slots",
    "起動",
    "終了",
    "シャットダウン",
    "接続",
)


def of_driver(error: BaseException | None) -> bool:
    """Whether psycopg raised it; without importing psycopg, which a store in a file does without."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def plain(where: str, error: BaseException | None) -> TicssyncError:
    """An error of the driver as ours.  Nothing of the URL is repeated but `where`."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _without_code(where, error)
    why = getattr(getattr(error, "diag", None), "message_primary", None) or type(error).__name__
    if state in _LATER or state.startswith("08"):
        return RetryLaterError(say("the store {where} is busy: {why}", where=where, why=why))
    if state == "53100":
        return CorruptStoreError(
            say("the disk that holds the store {where} is full", where=where),
            fix=say("make room and run again; nothing was lost"),
        )
    if state in ("42501", "25006"):
        return CorruptStoreError(
            say("the store {where} may not be written: {why}", where=where, why=why),
            fix=say("give this account the database: ALTER DATABASE … OWNER TO …"),
        )
    if state in _NO_TABLES:
        return not_a_store(where)
    if state in ("XX001", "XX002"):
        return CorruptStoreError(
            say("the store {where} is damaged: {why}", where=where, why=why),
            fix=say("put your backup of the database back"),
        )
    return CorruptStoreError(say("the store {where} cannot be used: {why}", where=where, why=why))


def not_a_store(where: str) -> CorruptStoreError:
    """The database is there, and no store of ours is in it."""
    return CorruptStoreError(
        say("{where} is not a store of ticssync", where=where),
        fix=say("ticssync init makes a new one; if there was one, put your backup of the database back"),
    )


def _without_code(where: str, error: BaseException | None) -> TicssyncError:
    """No connection, or one that broke."""
    told, kinds = str(error), {kind.__name__ for kind in type(error).__mro__}
    if "ProgrammingError" in kinds or ("invalid" in told and "value" in told):
        # A parameter, or a value of one, that libpq does not know: it is in the URL, which is not repeated.
        return UsageError(say("store: is not a URL that a database knows"))
    # What stands before it names the host, into which a password with an @ of its own reaches.
    why = _behind("FATAL:", told)
    if why:
        return _refused(where, why)
    if "password" in told and "supplied" in told:
        return _refused(where, "no password supplied")
    if "SSL" in told or "certificate" in told:
        why = _behind("failed:", told) or "SSL"
        return UsageError(
            say("no safe line to the database server of the store {where}: {why}", where=where, why=why),
            fix=say("see to sslmode, sslrootcert and the server's certificate"),
        )
    return RetryLaterError(
        say("the database server of the store {where} does not answer", where=where),
        fix=say("is it running, and can this machine reach it? (psql asks the same way)"),
    )


def _behind(word: str, told: str) -> str:
    """The first line after the last time the word stands there."""
    _, found, rest = told.rpartition(word)
    return rest.strip().splitlines()[0] if found and rest.strip() else ""


def _refused(where: str, why: str) -> TicssyncError:
    lowered = why.lower()
    if any(word in lowered for word in _NO_DATABASE) and not any(word in lowered for word in _BUSY):
        return CorruptStoreError(
            say("there is no such database: {where}: {why}", where=where, why=why),
            fix=say("createdb makes an empty one, ticssync init the store in it"),
        )
    if any(word in lowered for word in _LOGIN) and "too many" not in lowered:
        return CredentialsError(
            say("the database server of the store {where} refuses who we are: {why}", where=where, why=why),
            fix=say(
                "set TICSSYNC_STORE_PASSWORD, or put the password into secrets/store.password beside ticssync.yaml"
            ),
        )
    if any(word in lowered for word in _BUSY):
        return RetryLaterError(say("the store {where} is busy: {why}", where=where, why=why))
    return CorruptStoreError(say("the store {where} cannot be used: {why}", where=where, why=why))


# ── what must be right with it ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself.  `version` as 15.8, `number` as 150008; `missing` names rights that lack."""

    version: str
    number: int
    encoding: str
    isolation: str
    missing: tuple[str, ...]
    standby: bool
    encrypted: bool
    local: bool

    @property
    def old(self) -> bool:
        """Older than what gets mends."""
        return self.number < OLDEST * 10_000


def facts(connection: Connection) -> Facts:
    """Ask, in one round."""
    row = connection.execute(
        text(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int, "
            "current_setting('server_encoding'), current_setting('transaction_isolation'), pg_is_in_recovery(), "
            "coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), "
            "inet_client_addr() IS NULL OR inet_client_addr() = inet_server_addr(), "
            "has_schema_privilege(current_schema(), 'CREATE'), has_schema_privilege(current_schema(), 'USAGE')"
        )
    ).one()
    version, number, encoding, isolation, standby, encrypted, local, create, usage = row
    missing = [name for name, held in (("CREATE", create), ("USAGE", usage)) if not held]
    missing += _not_writable(connection)
    return Facts(version.split()[0], number, encoding, isolation, tuple(missing), standby, encrypted, local)


def _not_writable(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND NOT "
            "(has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'SELECT') AND "
            "has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'INSERT') AND "
            "has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'UPDATE') AND "
            "has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'DELETE'))"
        )
    )
    return sorted(row.tablename for row in rows)


def fit_for_a_store(where: str, connection: Connection) -> None:
    """Before a store is made: raises CorruptStoreError for a server on which it could not be kept."""
    found = facts(connection)
    if found.encoding != "UTF8":
        raise CorruptStoreError(
            say("the database {where} keeps text as {encoding}", where=where, encoding=found.encoding),
            fix=say("make one with UTF-8: createdb --encoding UTF8 --template template0 NAME"),
        )
    if found.old:
        raise CorruptStoreError(
            say("the PostgreSQL of {where} is too old: {version}", where=where, version=found.version),
            fix=say("PostgreSQL {oldest} or later", oldest=OLDEST),
        )
    if found.standby or found.missing:
        why = ", ".join(found.missing) or say("it only repeats another server")
        raise CorruptStoreError(
            say("the store {where} may not be written: {why}", where=where, why=why),
            fix=say("give this account the database: ALTER DATABASE … OWNER TO …"),
        )


def identity(connection: Connection) -> str:
    """Names this database and no other: a copy, also on the same server, has another name; a replica that took over
    has the same."""
    system, database = connection.execute(
        text(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text, "
            "(SELECT oid FROM pg_database WHERE datname = current_database())::text"
        )
    ).one()
    return f"{system}/{database}"


def exclusively(connection: Connection, schema_only: str = "ticssync/schema") -> None:
    """One process at a time makes or changes tables; until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": schema_only})
