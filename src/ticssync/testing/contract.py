"""The contract of every tracker driver, as a class to subclass.

    class TestOurTracker(TrackerContract):
        @pytest.fixture
        def site(self, tmp_path):
            return OurSite(tmp_path)

`OurSite` is a `ticssync.testing.site.TrackerSite`.  Each test is one sentence of the door's law; what the
site or an optional verb cannot do is skipped with the reason.  A driver that passes, and skips neither
creates, updates, reads nor listings, is bronze in the quality scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ticssync.testing.bench import Bench
from ticssync.testing.contract_create import CreateLaws
from ticssync.testing.contract_history import HistoryLaws
from ticssync.testing.contract_open import OpenLaws
from ticssync.testing.contract_read import ReadLaws
from ticssync.testing.contract_text import TextLaws
from ticssync.testing.contract_update import UpdateLaws
from ticssync.testing.site import TrackerSite


class TrackerContract(OpenLaws, CreateLaws, ReadLaws, UpdateLaws, HistoryLaws, TextLaws):
    """Subclass it with one fixture: `site`."""

    @pytest.fixture
    def site(self) -> TrackerSite:
        """What the author provides."""
        raise NotImplementedError("a subclass of TrackerContract defines the fixture `site`")

    @pytest.fixture
    def bench(self, site: TrackerSite) -> Iterator[Bench]:
        """The site with a driver that is open for one test."""
        bench = Bench(site)
        yield bench
        bench.close()
