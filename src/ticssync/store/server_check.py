"""What `doctor` says about a store on a database server: reachable, version, isolation, rights, the lock, the line."""

from __future__ import annotations

from collections.abc import Iterator

from ticssync.errors import say
from ticssync.store import server
from ticssync.store.connection import plain_errors
from ticssync.store.session_lock import keeps_sessions
from ticssync.store.store import Store

Finding = tuple[str, str, str, str]
"""(ok, warn or fail; a short name; what was found; what to do)."""


def findings(store: Store) -> Iterator[Finding]:
    """Ask the server.  Nothing is written.  Raises the store's errors where it does not answer."""
    with store.read() as tx:
        found = server.facts(tx.connection)
    with plain_errors(store.where):
        keeps = keeps_sessions(store.engine)
    yield _version(store.where, found)
    yield _rights(store.where, found)
    yield _isolation(found)
    if not keeps:
        yield (
            "fail",
            "sessions",
            say(
                "a pooler in front of the database gives every statement another session: no lock holds there"
            ),
            say("connect to the database itself, or set pool_mode = session (PgBouncer)"),
        )
    if not found.encrypted and not found.local:
        yield (
            "warn",
            "line",
            say("what goes to the database server of the store can be read on the way"),
            say("add ?sslmode=require to store: (verify-full also proves that it is the right server)"),
        )


def _version(where: str, found: server.Facts) -> Finding:
    if found.old:
        message = say("the PostgreSQL of {where} is too old: {version}", where=where, version=found.version)
        return "fail", "server", message, say("PostgreSQL {oldest} or later", oldest=server.OLDEST)
    return (
        "ok",
        "server",
        say("PostgreSQL {version} answers: {where}", version=found.version, where=where),
        "",
    )


def _rights(where: str, found: server.Facts) -> Finding:
    fix = say("give this account the database: ALTER DATABASE … OWNER TO …")
    if found.standby:
        why = say("it only repeats another server")
        return "fail", "rights", say("the store {where} may not be written: {why}", where=where, why=why), fix
    if found.missing:
        names = ", ".join(found.missing)
        return "fail", "rights", say("this account lacks rights in the database: {names}", names=names), fix
    return "ok", "rights", say("this account may read, write and upgrade the store"), ""


def _isolation(found: server.Facts) -> Finding:
    if found.isolation != "repeatable read":
        return (
            "fail",
            "isolation",
            say("a reader does not see one moment (transaction isolation: {found})", found=found.isolation),
            say("is there a pooler or proxy in front of the database that changes transactions?"),
        )
    return "ok", "isolation", say("every reader sees one moment, every writer waits for the one before"), ""
