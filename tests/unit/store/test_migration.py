"""A store of an older version is brought up to date, and nothing of it is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from ticssync.model.canonical import canonical_json
from ticssync.store import By, Store, schema
from ticssync.store.bindings import bindings
from ticssync.store.collected import due, put_due, sources
from ticssync.store.connection import revision_of
from ticssync.store.migrate import schema_differences
from ticssync.testing.clock import Clock

pytest_plugins = ["tests.servers.postgres_fixtures"]

WORKSPACE = "contract00"
BOUND = {
    "tracker": "factory", "remote_id": "123", "generation": 1, "role": "main", "key": "#123", "url": "", "raw_status": "1",
}  # fmt: skip


@pytest.fixture
def first_version(any_store_url: str) -> str:
    """The address of a store as the first version made it, with one task in it."""
    url = any_store_url
    store = Store.create(url, WORKSPACE, Clock())
    with store.write() as tx:
        tx.append("task.bound", "tics/T-14", By("sato@pc"), BOUND)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE collected"))
        connection.execute(text("DROP TABLE source"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    return url


def test_a_store_of_the_first_version_is_brought_up_to_date_when_it_is_opened(first_version: str):
    store = Store.open(first_version, WORKSPACE, Clock())
    with store.engine.connect() as connection:
        assert revision_of(connection) == schema.REVISION == "0002"
        assert schema_differences(connection) == []
    with store.write() as tx:
        (one,) = bindings(tx)
        put_due(tx, "factory", {one.ref})
        assert due(tx, "factory") == {one.ref}
        assert sources(tx, "factory") == {}
    store.close()


def test_the_older_store_is_kept_beside_the_new_one(first_version: str, tmp_path: Path):
    """On a server that is the server's own business (pg_dump): nothing is written here."""
    Store.open(first_version, WORKSPACE, Clock()).close()
    kept = [file.name for file in tmp_path.glob("*before*")]
    assert kept == ([] if first_version.startswith("postgresql") else ["ticssync.db.before-0001"])


def test_a_new_store_has_the_tables_that_the_migrations_make(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.engine.connect() as connection:
        assert schema_differences(connection) == []
    store.close()


def test_the_migrations_alone_make_the_whole_schema(any_store_url: str):
    """From nothing: the first one makes no table of a later one."""
    from ticssync.store.migrate import upgrade

    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.engine.begin() as connection:
        schema.metadata.drop_all(connection)
        connection.execute(text("DELETE FROM alembic_version"))
    upgrade(store, "0000")
    with store.engine.connect() as connection:
        assert schema_differences(connection) == []
    store.close()


def test_every_table_belongs_to_a_workspace():
    assert all("workspace_id" in table.primary_key.columns for table in schema.metadata.sorted_tables)


def test_what_was_bound_by_the_first_version_is_read_as_it_was(first_version: str):
    store = Store.open(first_version, WORKSPACE, Clock())
    with store.read() as tx:
        (event,) = tx.events(kind="task.bound")
    assert event.payload == canonical_json({**BOUND, "by": {"channel": "cli", "claimed": None}})
    store.close()


def test_two_that_open_an_older_store_at_once_bring_it_up_to_date_once(first_version: str):
    """The second one finds it done, or waits for the first."""
    wrong = list[BaseException]()

    def open_it() -> None:
        try:
            Store.open(first_version, WORKSPACE, Clock()).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    assert wrong == []
