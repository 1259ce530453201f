"""A store as lines of text and back: one canonical JSON object a row, the same for SQLite and PostgreSQL.

Left out is what speaks of one machine or of one moment of a process: who held the lease, what a running daemon
was asked, where the store lay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import URL, Connection, MetaData, Table, delete, insert, make_url, select, update
from sqlalchemy.exc import ArgumentError

from ticssync.errors import CorruptStoreError, Said, say
from ticssync.model.canonical import canonical_json
from ticssync.model.key import TaskKey
from ticssync.store import schema
from ticssync.store.bindings import bindings
from ticssync.store.connection import connect, plain_errors, revision_of
from ticssync.store.events import GENESIS, Event, verify_chain
from ticssync.store.hub import Wish, hub_tasks, notes_of
from ticssync.store.store import Clock, Store, Transaction

OF_A_MACHINE: Final = frozenset({"lease", "request"})
FORGOTTEN: Final = frozenset({"place", "quiet"})
"""Names in `meta` that are no part of a dump: the next pass has to look at everything by itself."""

NOBODY: Final = -1
"""The token of no lease."""

BATCH: Final = 500


class StrangeDumpError(CorruptStoreError):
    """The lines are not those of a store of that revision."""


def without_password(url: str) -> str:
    """The store's address as it may be kept elsewhere; the very same text where it holds no password.

    Empty for what no database knows: nobody can say which part of it is secret.
    """
    if not url or url.startswith("sqlite"):
        return url
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return ""
    kept = {name: value for name, value in parts.query.items() if "password" not in name.lower()}
    if parts.password is None and len(kept) == len(parts.query):
        return url
    # `parts.set(password=None)` would leave it as it is.
    bare = URL.create(parts.drivername, parts.username, None, parts.host, parts.port, parts.database, kept)
    return bare.render_as_string(hide_password=False)


def revision(tx: Transaction) -> str:
    """The migration that this store stands at."""
    return revision_of(tx.connection) or ""


def tables() -> tuple[str, ...]:
    """The tables of a dump, in the order of their names."""
    return tuple(sorted(set(schema.metadata.tables) - OF_A_MACHINE))


def rows(tx: Transaction, name: str) -> Iterator[str]:
    """The lines of one table, without line ends: events by number, the others by their bytes."""
    table = schema.metadata.tables[name]
    columns = [column for column in table.columns if column.name != "workspace_id"]
    query = select(*columns).where(table.c.workspace_id == tx.workspace)
    if table is schema.event:
        found = tx.connection.execute(
            query.order_by(schema.event.c.seq), execution_options={"yield_per": BATCH}
        )
        yield from (canonical_json(dict(row)) for row in found.mappings())
        return
    kept = (dict(row) for row in tx.connection.execute(query).mappings())
    if table is schema.meta:
        kept = (row for row in kept if row["name"] not in FORGOTTEN)
    yield from sorted(map(canonical_json, kept))


def stream_events(tx: Transaction) -> Iterator[Event]:
    """The log in order, a few hundred at a time."""
    table = schema.event
    query = select(table).where(table.c.workspace_id == tx.workspace).order_by(table.c.seq)
    found = tx.connection.execute(query, execution_options={"yield_per": BATCH})
    for row in found.mappings():
        yield Event(**{name: row[name] for name in Event.__dataclass_fields__})


def wrong_with_log(tx: Transaction) -> tuple[Said, ...]:
    """What does not hold in the event log and its head; empty where all does."""
    last = (0, GENESIS)

    def passing() -> Iterator[Event]:
        nonlocal last
        for event in stream_events(tx):
            last = (event.seq, event.hash)
            yield event

    problems = verify_chain(passing())
    if tx.head() != last:
        said = say(
            "the head names event {head}, the last one there is {last}", head=tx.head()[0], last=last[0]
        )
        problems = (*problems, said)
    return problems


# --- and back ---------------------------------------------------------------------------------------------


def make_at(url: str, workspace: str, clock: Clock, found: str) -> Store:
    """A new, empty store as the version that stood at this revision made it.  Raises CorruptStoreError (exit 5)."""
    if found > schema.REVISION:
        raise CorruptStoreError(
            say(
                "this backup was made by a newer version (store {found}, this one knows {known})",
                found=found,
                known=schema.REVISION,
            ),
            fix=say("install the newer ticssync and restore with that one"),
        )
    if found == schema.REVISION:
        store = Store.create(url, workspace, clock)
        with store.engine.begin() as connection:
            # Its own facts come with the lines.
            connection.execute(delete(schema.meta))
        return store
    return _older(url, workspace, clock, found)


def _older(url: str, workspace: str, clock: Clock, found: str) -> Store:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    from ticssync.store.migrate import SCRIPTS

    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    try:
        ScriptDirectory.from_config(settings).get_revision(found)
    except CommandError as error:
        raise StrangeDumpError(say("no version of ticssync made a store {found}", found=found)) from error
    store = Store(connect(url), workspace, url, clock)
    with plain_errors(url), store.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, found)
    return store


def load(store: Store, found: str, name: str, lines: Iterable[bytes]) -> int:
    """Put the lines of one table into the empty store that `make_at` made at revision `found`; how many there were.

    Raises StrangeDumpError for a table or a column that a store of this revision does not have.
    """
    if name in OF_A_MACHINE:
        raise StrangeDumpError(say("a backup holds no table {name}", name=name))
    with plain_errors(store.where), store.engine.begin() as connection:
        table = _table(connection, found, name)
        number, batch = 0, list[dict[str, Any]]()
        for line in lines:
            number += 1
            batch.append(_row(store.workspace, table, line, number))
            if len(batch) == BATCH:
                connection.execute(insert(table), batch)
                batch.clear()
        if batch:
            connection.execute(insert(table), batch)
    return number


def _table(connection: Connection, found: str, name: str) -> Table:
    """As it is in this store, which may be older than our schema."""
    known = schema.metadata
    if found != schema.REVISION:
        known = MetaData()
        known.reflect(connection, only=lambda one, _: one == name)
    if name not in known.tables:
        raise StrangeDumpError(say("a store of this version has no table {name}", name=name))
    return known.tables[name]


def _row(workspace: str, table: Table, line: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    names = {column.name for column in table.columns} - {"workspace_id"}
    fits = isinstance(row, dict) and set(row) == names
    if not fits or not all(value is None or type(value) in (str, int) for value in row.values()):
        raise StrangeDumpError(
            say("line {line} of {name} is no row of this table", line=number, name=table.name)
        )
    return {"workspace_id": workspace, **row}


def bring_up(store: Store, found: str) -> None:
    """Run the migrations after the revision that the lines came from."""
    if found < schema.REVISION:
        from ticssync.store.migrate import upgrade

        upgrade(store, found)


def untouched(tx: Transaction) -> bool:
    """Whether the store is this workspace's and holds nothing but what `Store.create` puts there."""
    owners = set(tx.connection.execute(select(schema.meta.c.workspace_id).distinct()).scalars())
    others = (table for table in schema.metadata.sorted_tables if table is not schema.meta)
    held = any(tx.connection.execute(select(table).limit(1)).first() is not None for table in others)
    return owners == {tx.workspace} and not held


def copy(source: Store, target: Store) -> None:
    """All rows of one store into another, new one of the same revision, in one transaction.  Raises CorruptStoreError."""
    with source.read() as tx, plain_errors(target.where), target.engine.begin() as connection:
        connection.execute(delete(schema.meta))
        for table in schema.metadata.sorted_tables:
            found = tx.connection.execute(select(table), execution_options={"yield_per": BATCH})
            for batch in found.mappings().partitions(BATCH):
                connection.execute(insert(table), [dict(row) for row in batch])


def look_anew(tx: Transaction) -> None:
    """A store that was put back knows nothing of what happened since: the next pass asks for everything.

    What was agreed with the trackers (bases) stays, so that a difference is known for somebody's change; so do
    the intents, which are looked for before anything is sent again.
    """
    for table in (schema.cursor, schema.hot, schema.failure, schema.lease, schema.request):
        tx.connection.execute(delete(table).where(table.c.workspace_id == tx.workspace))
    # Whoever sent them is gone, and the numbers of leases begin anew.
    sent = update(schema.intent).where(schema.intent.c.workspace_id == tx.workspace)
    tx.connection.execute(sent.values(token=NOBODY))
    for name in FORGOTTEN:
        tx.put_meta(name, None)
    tx.touched = True


def waiting_notes(tx: Transaction) -> tuple[tuple[TaskKey, str, str, Wish], ...]:
    """Notes that were to be written: (task, tracker, remote id of its main place, note).

    They may stand there by now, written by the store that was lost.
    """
    main = {one.key: one.ref for one in bindings(tx) if one.role == "main" and one.state.value == "live"}
    return tuple(
        (key, main[key].tracker, main[key].id, note)
        for key, task in sorted(hub_tasks(tx).items())
        if key in main
        for note in notes_of(task)
    )
