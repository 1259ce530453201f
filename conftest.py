"""For all tests of the repository: each is alone with its log, and a busy machine fails none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """A log that a test sent into its own captured output is closed with it: the next test must not write there."""
    yield
    structlog.reset_defaults()
