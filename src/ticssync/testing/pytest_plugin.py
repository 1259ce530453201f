"""The kit's entry point for pytest (`pytest11`).

It is loaded in every test run on a machine that has ticssync, so it imports nothing of the product: it makes
the contracts' asserts readable and offers three fixtures that import when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ticssync.plugin import Opening
    from ticssync.testing.clock import Clock
    from ticssync.testing.fake_server import FakeServer

_LAWS = ("create", "open", "read", "text", "update")
_REWRITTEN = ("bench", "contract", "notifier_contract", *(f"contract_{name}" for name in _LAWS))
pytest.register_assert_rewrite(*(f"ticssync.testing.{name}" for name in _REWRITTEN))


@pytest.fixture
def ticssync_clock() -> Clock:
    """A clock that stands still until it is moved."""
    from ticssync.testing.clock import Clock

    return Clock()


@pytest.fixture
def ticssync_opening(
    ticssync_clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Opening]:
    """`ticssync.testing.opening.opening` with this test's clock and a folder of its own."""
    from functools import partial

    from ticssync.testing.opening import opening

    return partial(opening, clock=ticssync_clock, root=tmp_path_factory.mktemp("ticssync"))


@pytest.fixture
def ticssync_server(ticssync_clock: Clock) -> FakeServer:
    """A make-believe tracker on this test's clock."""
    from ticssync.testing.fake_server import FakeServer

    return FakeServer(ticssync_clock)
