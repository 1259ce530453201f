"""All planted faults.  A new part of the product adds its own: a tuple of `Fault` in a module of its kind."""

from __future__ import annotations

from typing import Final

from tests.planted import doing, engine, keeping, rules, trackers
from tests.planted.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *engine.FAULTS, *doing.FAULTS, *keeping.FAULTS, *trackers.FAULTS, *rules.FAULTS,
)  # fmt: skip
