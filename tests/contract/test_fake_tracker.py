"""The kit's own tracker keeps the contract that it asks of others, in every way of listing."""

import pytest

from ticssync.testing.clock import Clock
from ticssync.testing.contract import TrackerContract
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_site import FakeSite, full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.opening import FEW_STATUSES, opening
from ticssync.testing.site import TrackerSite


class TestFullListing(TrackerContract):
    """Like a workbook."""

    @pytest.fixture
    def site(self):
        return FakeSite(full())


class TestStrongListing(TrackerContract):
    """Like Redmine."""

    @pytest.fixture
    def site(self):
        return FakeSite(strong())


class TestIndexListing(TrackerContract):
    """Like Jira."""

    @pytest.fixture
    def site(self):
        return FakeSite(index())


class TestFewStatusesAndComparing(TrackerContract):
    """Three statuses for our five, a short title, and a look before each write."""

    @pytest.fixture
    def site(self):
        return FakeSite(
            strong(compares=True, nearest={"review": "doing", "wont_do": "done"}, title_max=210), FEW_STATUSES
        )


class SmallestSite(TrackerSite):
    """All that an author must write."""

    def __init__(self):
        self.server = FakeServer(Clock())

    def open(self):
        return FakeTracker(self.server, opening(clock=self.server.clock))


class TestSmallestSite(TrackerContract):
    """A site that can only open a driver: what needs a person is skipped, the rest holds."""

    @pytest.fixture
    def site(self):
        return SmallestSite()
