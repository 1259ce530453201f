"""A company for each test that asks for one: made by `init` once, copied before it was first used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.system.company import Company, found_company
from tests.system.history import live_through


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return found_company(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def company(founded: Company, tmp_path: Path) -> Company:
    """A workspace in which nothing has been synced yet."""
    root = tmp_path / "会社"
    shutil.copytree(founded.root, root)
    return Company(root)


@pytest.fixture
def synced(company: Company) -> Company:
    """The same after a first sync: 46 rows in the workbook."""
    company.sync()
    return company


@pytest.fixture(scope="session")
def lived(founded: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company with a long history, to be read only: change a copy."""
    root = tmp_path_factory.mktemp("lived") / "会社"
    shutil.copytree(founded.root, root)
    return live_through(Company(root))
