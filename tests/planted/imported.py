"""Loaded as a plugin into each run: what is imported must come out of the copy, or the run proves nothing.

That a property fails is all that is asked here: the smallest example that makes it fail is not looked for, and that a
busy machine is slow is no failure.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.planted.workshop import NOT_THE_COPY, TOLD_FILE, TOLD_MODULE


def pytest_configure() -> None:
    """End the run at once where a module would be taken from somewhere else."""
    settings.register_profile(
        "planted", phases=(Phase.explicit, Phase.generate), database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("planted")
    copy = Path(os.environ[TOLD_FILE])
    for name in ("ticssync", "ticssync_redmine", "ticssync_sheets", "tests.planted", os.environ[TOLD_MODULE]):
        found = importlib.util.find_spec(name)
        place = found.origin if found is not None else None
        if place is None or not Path(place).is_relative_to(copy):
            pytest.exit(f"{name} would be imported from {place}, not from {copy}", returncode=NOT_THE_COPY)
