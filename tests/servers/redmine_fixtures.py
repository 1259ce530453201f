"""Fixtures with a real Redmine in the state of the seed: `pytest_plugins = ["tests.servers.redmine_fixtures"]`.

One server per version and test process, started by the first test that asks and put back before each test.
(PYTEST_DONT_REWRITE: the module may have been read before pytest registers it.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from tests.servers import redmine as real
from tests.servers.redmine import Server

VERSIONS = ("5.0", "6.0", "6.1")
FIXTURES = {"redmine", "redmine_60", "redmine_61", "any_redmine", "foreign_redmine"}
FOREIGN = ("TICSSYNC_TEST_REDMINE_URL", "TICSSYNC_TEST_REDMINE_KEY")
Ready = Callable[[str], Server]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses a server is marked, so that `-m "not redmine"` leaves it out."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.redmine)


@pytest.fixture(scope="session")
def redmine_ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Version → its server in the state of the seed; skips the test with the reason where it cannot run."""
    running: dict[str, Server] = {}

    def ready(version: str) -> Server:
        if why := real.available(version):
            pytest.skip(why)
        if version not in running:
            running[version] = real.start(tmp_path_factory.mktemp("redmine"), version=version)
        else:
            real.reset(running[version])
        return running[version]

    yield ready
    for server in running.values():
        real.stop(server)


@pytest.fixture
def redmine(redmine_ready: Ready) -> Server:
    """Redmine 5.0."""
    return redmine_ready("5.0")


@pytest.fixture
def redmine_60(redmine_ready: Ready) -> Server:
    """Redmine 6.0."""
    return redmine_ready("6.0")


@pytest.fixture
def redmine_61(redmine_ready: Ready) -> Server:
    """Redmine 6.1."""
    return redmine_ready("6.1")


@pytest.fixture(params=VERSIONS)
def any_redmine(request: pytest.FixtureRequest, redmine_ready: Ready) -> Server:
    """Each version in turn."""
    return redmine_ready(request.param)


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody's server, with the key of an account there: nothing of it may be changed."""

    url: str
    key: str = field(repr=False)


@pytest.fixture(scope="session")
def foreign_redmine() -> Foreign:
    """The server that the environment names, for tests that only read."""
    url, key = (os.environ.get(name, "") for name in FOREIGN)
    if not url or not key:
        pytest.skip(f"no other Redmine is named ({', '.join(FOREIGN)})")
    return Foreign(url.rstrip("/"), key)
