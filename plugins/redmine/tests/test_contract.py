"""A real Redmine keeps the contract of a tracker, with a plain member's key; the marker in a field and in the text."""

from __future__ import annotations

import pytest
from plugins.redmine.tests.site import RedmineSite
from tests.servers.redmine import Server

from ticssync.testing.contract import TrackerContract

pytest_plugins = ["tests.servers.redmine_fixtures"]


class TestMarkerInACustomField(TrackerContract):
    @pytest.fixture
    def site(self, redmine: Server) -> RedmineSite:
        return RedmineSite(redmine)


class TestMarkerInTheDescription(TrackerContract):
    @pytest.fixture
    def site(self, redmine: Server) -> RedmineSite:
        return RedmineSite(redmine, marker="description")
