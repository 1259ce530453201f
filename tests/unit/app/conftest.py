"""The small company, made anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.app.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Nothing has been synced yet."""
    with closing(Office(tmp_path / "管理").found()) as made:
        yield made
