"""The tracker contract: creating, and finding again what was created."""

from __future__ import annotations

import pytest

from ticssync.plugin import AuthLost, Done, PreSend, Rejected, Throttled, Unavailable, Unknown
from ticssync.testing.bench import Bench, possible

BATCH_MOST = 120
"""More drafts than this are not made just to overflow one request."""


class CreateLaws:
    """Creates, markers, batches."""

    def test_a_created_task_carries_its_marker_at_once(self, bench: Bench) -> None:
        """The first strong read after a create shows the marker: it went along in the same request."""
        draft = bench.draft()
        ref = bench.create(draft)[0]

        assert bench.read(ref).marker == draft.marker

    def test_a_created_task_reads_back_as_its_view(self, bench: Bench) -> None:
        """Every field of a draft is there, as `view` says that the tracker can show it."""
        draft = bench.full_draft()
        ref = bench.create(draft)[0]
        task = bench.read(ref)

        assert {name: task.fields.get(name, "absent") for name in draft.fields} == bench.views(draft.fields)

    def test_an_answer_that_holds_the_task_holds_what_a_read_shows(self, bench: Bench) -> None:
        """`Done.task`, where it is given, is no echo of the wish but the tracker's state."""
        draft = bench.full_draft()
        outcome = bench.send([draft])[0]

        assert isinstance(outcome, Done)
        if outcome.task is None:
            pytest.skip("the tracker's answer to a create holds no task")
        read = bench.read(outcome.ref)
        assert (outcome.task.ref, outcome.task.marker, dict(outcome.task.fields)) == (
            outcome.ref,
            draft.marker,
            dict(read.fields),
        )

    def test_outcomes_come_in_the_order_of_the_drafts(self, bench: Bench) -> None:
        """The first outcome is the first draft's, and so on."""
        drafts = [bench.draft() for _ in range(3)]
        refs = bench.create(*drafts)

        assert [bench.read(ref).marker for ref in refs] == [one.marker for one in drafts]

    def test_a_batch_larger_than_one_request_keeps_its_order(self, bench: Bench) -> None:
        """The driver splits by its own capability; nothing is lost or doubled at the seam."""
        size = bench.tracker.caps.create_max
        drafts = [bench.draft() for _ in range(min(size + 1, BATCH_MOST) if size > 1 else 4)]
        refs = bench.create(*drafts)
        bench.settle()

        assert bench.marked(*(one.marker for one in drafts)) == {
            one.marker: {ref} for one, ref in zip(drafts, refs, strict=True)
        }

    def test_a_created_task_is_found_by_its_marker(self, bench: Bench) -> None:
        """After the settling time that the driver names, the marker leads to exactly this task."""
        draft = bench.draft()
        ref = bench.create(draft)[0]
        bench.settle()

        assert bench.marked(draft.marker) == {draft.marker: {ref}}

    def test_a_marker_that_nobody_carries_is_not_found(self, bench: Bench) -> None:
        """No near miss is a hit, and the answer names the lag that its own listing has."""
        bench.made()
        bench.settle()
        marker = bench.draft().marker
        found = bench.tracker.find_by_marker([marker], PreSend())

        assert not found.hits.get(marker)
        assert found.lag_s >= bench.tracker.caps.lookup_lag_s

    def test_many_markers_are_looked_up_together(self, bench: Bench) -> None:
        """One call answers for all markers, found and not found alike."""
        drafts = [bench.draft() for _ in range(3)]
        refs = bench.create(*drafts)
        bench.settle()
        absent = [bench.draft().marker for _ in range(2)]

        found = bench.marked(*(one.marker for one in drafts), *absent)
        assert found == {one.marker: {ref} for one, ref in zip(drafts, refs, strict=True)} | {
            one: set() for one in absent
        }

    def test_a_created_task_is_in_the_full_listing(self, bench: Bench) -> None:
        """A listing without a cursor holds every task, with its marker."""
        draft = bench.draft()
        ref = bench.create(draft)[0]
        bench.settle()
        tasks, _ = bench.listed()

        assert ref in tasks
        assert tasks[ref].marker == draft.marker

    def test_a_created_task_is_listed_after_an_older_cursor(self, bench: Bench) -> None:
        """A create of ours comes back as a change too: a second copy of ticssync learns of it."""
        _, cursor = bench.listed()
        ref = bench.made()
        bench.settle()
        tasks, _ = bench.listed(cursor)

        assert ref in tasks

    def test_one_bad_draft_leaves_the_others_done(self, bench: Bench) -> None:
        """A refusal is an outcome in its place, in the tracker's words, and creates nothing."""
        name, value = possible(bench.site.refused_field)
        drafts = [bench.draft(), bench.draft(**{name: value}), bench.draft()]
        first, bad, last = bench.send(drafts)
        bench.settle()

        assert isinstance(first, Done)
        assert isinstance(last, Done)
        assert isinstance(bad, Rejected)
        assert all(word.strip() for word in bad.problems)
        assert bad.problems
        assert bench.marked(*(one.marker for one in drafts)) == {
            drafts[0].marker: {first.ref}, drafts[1].marker: set(), drafts[2].marker: {last.ref},
        }  # fmt: skip

    def test_a_create_whose_answer_is_lost_is_found_by_its_marker(self, bench: Bench) -> None:
        """It is not sent again, it is told as unknown, and exactly one task with this marker stands there."""
        draft = bench.draft()
        with bench.trouble("no answer"):
            try:
                outcome = bench.send([draft])[0]
            except Unavailable:
                outcome = Unknown("raised")
        bench.settle()

        assert isinstance(outcome, Unknown)
        assert len(bench.marked(draft.marker)[draft.marker]) == 1

    def test_a_create_without_a_connection_makes_nothing(self, bench: Bench) -> None:
        """What could not be sent is raised or unknown, never done, and is not there later."""
        draft = bench.draft()
        with bench.trouble("down"):
            try:
                outcomes = bench.send([draft])
            except (AuthLost, Throttled, Unavailable):
                outcomes = []
        bench.settle()

        assert not any(isinstance(one, Done) for one in outcomes)
        assert bench.marked(draft.marker) == {draft.marker: set()}

    def test_the_refs_carry_one_tracker_name_and_ids_of_their_own(self, bench: Bench) -> None:
        """A ref names the tracker as it was opened, and no two tasks share an id."""
        refs = bench.create(*(bench.draft() for _ in range(3)))

        assert len({ref.tracker for ref in refs}) == 1
        assert len({ref.id for ref in refs}) == 3
        assert all(bench.read(ref).ref == ref for ref in refs)
