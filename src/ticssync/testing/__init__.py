"""The kit for plugin authors: what a driver or a notifier must keep, as tests to subclass.

    from ticssync.testing.contract import TrackerContract
    from ticssync.testing.site import TrackerSite

    class TestOurTracker(TrackerContract):
        @pytest.fixture
        def site(self, tmp_path):
            return OurSite(tmp_path)

`contract` and `notifier_contract` hold the tests, `site` and `channel` what an author provides for them.
`fake_tracker` and `fake_notifier` pass them and stand in for a real tracker or mail server; `fake_plugin`
brings both through the hooks.  `opening` opens things for a test, `factories` build values.  Nothing is
imported from here: each module is light until used.
"""
