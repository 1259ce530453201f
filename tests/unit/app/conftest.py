"""The small company, made anew for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.app.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Nothing has been synced yet."""
    return Office(tmp_path / "管理").found()
