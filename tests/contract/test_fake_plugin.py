"""The make-believe plugin comes through the same door as any other, and every hook reaches it."""

import pluggy

from ticssync.host import load_host
from ticssync.plugin import Message, NotifierOpening, TrackerKind, hookspecs
from ticssync.testing.clock import START, Clock
from ticssync.testing.fake_plugin import (
    FakePlugin,
    FakePostSettings,
    FakeSettings,
    open_notifier,
    open_tracker,
)
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_site import strong
from ticssync.testing.opening import opening
from ticssync.text import Text


def plugin() -> FakePlugin:
    return FakePlugin(FakeServer(Clock(), strong(create_max=7)))


def test_the_host_learns_its_kinds_through_ticssync_trackers_and_ticssync_notifiers():
    """What the hooks answer is what the host knows, capabilities too."""
    host = load_host((), extra=(plugin(),))

    assert isinstance(host.trackers["fake"], TrackerKind)
    assert host.trackers["fake"].caps.create_max == 7
    assert "fake" in host.notifiers


def test_a_tracker_is_opened_over_the_server_that_the_settings_name():
    """Two plugins in one test run keep their servers apart."""
    first, second = plugin(), plugin()
    tracker = open_tracker(opening(settings=FakeSettings(server=first.name), clock=first.server.clock))
    list(tracker.list_changed(None))

    assert (first.server.request_count, second.server.request_count) == (1, 0)
    assert tracker.requests == 1


def test_a_message_lands_in_the_post_that_the_settings_name(tmp_path):
    """And in no other."""
    first, second = plugin(), plugin()
    notifier = open_notifier(
        NotifierOpening(FakePostSettings(post=first.name), tmp_path, Clock(), Text("ja"))
    )
    notifier.send(Message("<1@x>", "髙﨑 健", "t@example.co.jp", "件名", "本文", "", START))

    assert [one.message_id for one in first.post.taken] == ["<1@x>"]
    assert second.post.taken == []


def test_review_and_events_reach_the_plugin_and_its_veto_comes_back():
    """`ticssync_review_plan` answers the veto, `ticssync_event` only listens."""
    fake = plugin()
    manager = pluggy.PluginManager(hookspecs.NAME)
    manager.add_hookspecs(hookspecs)
    manager.register(fake)
    silent = manager.hook.ticssync_review_plan(tracker="fake", actions=[{"op": "create"}])
    fake.veto = "決算期のため待ってください"
    said = manager.hook.ticssync_review_plan(tracker="fake", actions=[])
    manager.hook.ticssync_event(event={"seq": 1, "kind": "task.bound"})

    assert (silent, said) == ([], ["決算期のため待ってください"])
    assert [tracker for tracker, _ in fake.reviewed] == ["fake", "fake"]
    assert fake.events == [{"seq": 1, "kind": "task.bound"}]
