"""Time for tests: it stands still until it is moved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

START: Final = datetime(2026, 4, 1, 0, 0, tzinfo=timezone.utc)
"""09:00 on a Wednesday in Japan, the first day of a business year."""


class Clock:
    """Called, it answers the aware UTC time.  `advance` moves it by seconds, `tick` by that much a look."""

    def __init__(self, now: datetime = START, *, tick: float = 0.0) -> None:
        self.now = now
        self.tick = tick

    def __call__(self) -> datetime:
        """The time now, aware UTC."""
        now = self.now
        self.now += timedelta(seconds=self.tick)
        return now

    def advance(self, seconds: float) -> datetime:
        """Let that many seconds pass; answers the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now
