"""Fixtures with a real PostgreSQL: `pytest_plugins = ["tests.servers.postgres_fixtures"]`.

One server per test process, started by the first test that asks; each test gets an empty database of its own.
Where TICSSYNC_TEST_POSTGRES names a server (a URL with an account that may make databases), that one is used.
(PYTEST_DONT_REWRITE: the module may have been read before pytest registers it.)
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.servers import postgres as real
from tests.servers.postgres import Cluster

NAMED = "TICSSYNC_TEST_POSTGRES"
FIXTURES = {"postgres_server", "postgres_cluster", "postgres_url", "new_database", "own_cluster"}
NewDatabase = Callable[[], str]
OTHERS_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

EMPTIED = (
    "DROP SCHEMA public CASCADE", "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
)  # fmt: skip
"""As a new database has it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses a server is marked, so that `-m "not postgres"` leaves it out."""
    for item in items:
        chosen = getattr(getattr(item, "callspec", None), "params", {})
        # A fixture with several kinds of store asks for the server only where its turn has come.
        named = any(
            value in ("postgres", "postgresql") for value in chosen.values() if isinstance(value, str)
        )
        if named or FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A server of our own, shared by the tests of this process; skips with the reason where none can run."""
    if why := real.available():
        pytest.skip(why)
    cluster = real.start()
    yield cluster
    real.remove(cluster)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server for one test alone, which may stop it and start it anew."""
    if why := real.available():
        pytest.skip(why)
    cluster = real.start()
    yield cluster
    real.remove(cluster)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The URL of a server, with an account that may make databases: the one that is named, else ours."""
    named = os.environ.get(NAMED, "")
    return named or request.getfixturevalue("postgres_cluster").url()


@pytest.fixture(scope="session")
def spare_databases(postgres_server: str) -> Iterator[list[str]]:
    """Emptied ones to be taken again: making one costs 0.2 s, emptying one a tenth of that."""
    spare: list[str] = []
    yield spare
    for url in spare:
        administer(postgres_server, f"DROP DATABASE IF EXISTS {name_of(url)} WITH (FORCE)")


@pytest.fixture
def new_database(postgres_server: str, spare_databases: list[str]) -> Iterator[NewDatabase]:
    """Makes empty databases and gives their URLs; whoever is still connected afterwards is thrown out."""
    made: list[str] = []

    def make() -> str:
        url = spare_databases.pop() if spare_databases else _made(postgres_server)
        made.append(url)
        return url

    yield make
    for url in made:
        administer(url, OTHERS_OUT, *EMPTIED)
        spare_databases.append(url)


def _made(server: str) -> str:
    name = f"ticssync_test_{secrets.token_hex(8)}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    return at_database(server, name)


@pytest.fixture
def postgres_url(new_database: NewDatabase) -> str:
    """The URL of a fresh, empty database."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgres"])
def any_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is still to be made, of each kind in turn."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{(tmp_path / 'ticssync.db').as_posix()}"


def administer(url: str, *statements: str) -> None:
    """Run statements, each by itself, as whoever the URL names."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def at_database(url: str, name: str) -> str:
    """The same server and account, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """The database in a URL."""
    return make_url(url).database or ""
