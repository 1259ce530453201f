"""Every crash point and every network fault of whole passes, enumerated, for every kind of tracker and for mirrors.

A point is a store commit or a request, before and after.  At each one the process dies (or the network fails)
once; then at most three passes must repair everything: one task per item, no lost edit, no false tomb, no storm
of requests, and quiet in the end.
"""

from __future__ import annotations

import pytest

from tests.faults import stories
from tests.faults.stories import IN_SHORT, MAKERS, NETWORK, STORIES, Story
from tests.faults.table import ALL, Tally, some
from tests.unit.sync.world import World
from ticssync.testing.fake_site import strong
from ticssync.testing.wire import Fault

DRIVERS = tuple(MAKERS) if ALL else IN_SHORT
MIRRORED = tuple(name for name in MAKERS if "&" in name)
IN_FULL = ("first sync", "later pass")
"""The stories of which `make test` tries every death, and a part of the network faults; of the others a part of the deaths."""
SHARE = 12


def deaths(driver: str, scenario: str, story: Story, share: int) -> None:
    with Tally(driver, scenario, "death", found=story.points) as tally:
        for at in some(story.points, tally.seed, share):
            tally.add(*stories.dies_at(story, at), at)


def network(driver: str, scenario: str, story: Story, share: int) -> None:
    places = stories.requests_of(story)
    for name, kind in NETWORK.items():
        with Tally(driver, scenario, name, found=len(places)) as tally:
            for at in some(len(places), tally.seed, share):
                tally.add(*stories.breaks_at(story, *places[at - 1], kind), places[at - 1])


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("scenario", STORIES)
def test_death_at_every_commit_and_request_leaves_one_task_per_item_and_no_lost_edit(
    driver: str, scenario: str
) -> None:
    story = STORIES[scenario](driver)
    deaths(driver, scenario, story, 1 if scenario in IN_FULL and driver not in MIRRORED else SHARE)

    assert story.points >= 8


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("scenario", STORIES if ALL else IN_FULL)
def test_a_network_fault_at_every_request_leaves_one_task_per_item_and_no_lost_edit(
    driver: str, scenario: str
) -> None:
    network(driver, scenario, STORIES[scenario](driver), SHARE)


@pytest.mark.parametrize("driver", MIRRORED)
def test_edits_on_both_sides_of_a_mirrored_task_are_kept_whatever_breaks_on_the_way(driver: str) -> None:
    story = stories.both_sides(driver)
    deaths(driver, "edits on both sides", story, SHARE)
    network(driver, "edits on both sides", story, SHARE)


def test_the_harness_sees_a_tracker_that_drops_our_marker() -> None:
    """The checker checked: without a marker a lost answer makes doubles, and this test expects to see them."""
    from ticssync.testing.fake_tracker import FakeTracker

    class Forgetful(FakeTracker):
        def create(self, drafts):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            return super().create([replace(one, marker="") for one in drafts])

    story = stories.first_sync("fake, redmine-like")
    world = World(items=stories.ITEMS, behaviours={"a": strong()}, drivers={"a": Forgetful})
    world.server().fail_next("create", Fault.ANSWER_LOST)
    world.sync()
    passes, harm = story.repaired(world)

    assert (passes <= 3, harm.duplicates, harm.none) == (True, 1, False)
