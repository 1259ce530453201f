"""The small factory, fresh for each test."""

from pathlib import Path

import pytest

from .factory import Factory


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    """A store, a locker and drop folders of their own."""
    return Factory(tmp_path)
