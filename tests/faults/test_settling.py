"""What is settled after a store was lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.sync.world import World
from ticssync.app import settle
from ticssync.errors import UsageError
from ticssync.store import By
from ticssync.testing.fake_site import full, strong


def test_the_value_here_cannot_be_taken_where_a_new_store_holds_none() -> None:
    """Both trackers show another status and nothing was ever agreed: there is no value here that could be taken."""
    world = World(items=("T-01",), behaviours={"a": strong(), "b": full()})
    world.settle(wait=130)
    world.person("T-01", "a", 状態="対応中")
    world.person("T-01", "b", 状態="完了")
    world.put_store_back(None)
    world.settle(wait=130)
    (conflict,) = world.conflicts()
    office: Any = SimpleNamespace(store=world.store, by=lambda: By("test@host", "conflicts"))

    with pytest.raises(UsageError):
        settle.resolve(office, conflict.id, "local")
    settle.resolve(office, conflict.id, "a")
    world.settle(wait=130)
    assert [world.issue("T-01", name).fields["状態"] for name in ("a", "b")] == ["対応中", "対応中"]
