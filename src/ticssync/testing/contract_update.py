"""The tracker contract: changing tasks."""

from __future__ import annotations

from collections import deque

import pytest

from ticssync.plugin import Change, Done, FieldValue, Note, Outcome, Rejected, RemoteRef, Unknown
from ticssync.testing.bench import Bench, only, possible
from ticssync.testing.samples import DATES, OTHER_VALUES, STATUSES, VALUES

HOPS_MOST = 5


class UpdateLaws:
    """Updates, statuses, notes."""

    def test_an_update_sets_only_what_it_names(self, bench: Bench) -> None:
        """Every field that is not named stays as it is, the marker too."""
        draft = bench.full_draft()
        ref = bench.create(draft)[0]
        before = bench.read(ref)
        _done(bench.put(ref, title="書き直した題"))
        after = bench.read(ref)

        others = [name for name in before.fields if name != "title"]
        assert after.fields["title"] == bench.tracker.view("title", "書き直した題")
        assert only(after, others) == only(before, others)
        assert after.marker == draft.marker

    def test_an_update_leaves_other_tasks_alone(self, bench: Bench) -> None:
        """The task beside it keeps every value."""
        ref, beside = bench.create(bench.full_draft(), bench.full_draft())
        before = bench.read(beside)
        _done(bench.put(ref, title="書き直した題"))

        assert dict(bench.read(beside).fields) == dict(before.fields)

    def test_every_field_reads_back_as_its_view_or_is_refused(self, bench: Bench) -> None:
        """Done means that a read shows `view(value)`; anything else is told as a refusal, with words."""
        ref = bench.create(bench.full_draft())[0]
        values = bench.held(OTHER_VALUES)
        outcomes = {name: bench.put(ref, **{name: value}) for name, value in values.items()}
        task = bench.read(ref)

        taken = {name: value for name, value in values.items() if _kept(outcomes[name])}
        assert {name: task.fields.get(name, "absent") for name in taken} == bench.views(taken)

    def test_a_done_update_that_holds_the_task_holds_what_a_read_shows(self, bench: Bench) -> None:
        """`Done.task` is the tracker's state after the write, not the wish."""
        ref = bench.create(bench.full_draft())[0]
        outcome = bench.put(ref, title="書き直した題")

        assert isinstance(outcome, Done)
        if outcome.task is None:
            pytest.skip("the tracker's answer to an update holds no task")
        assert dict(outcome.task.fields) == dict(bench.read(ref).fields)

    def test_outcomes_come_in_the_order_of_the_changes(self, bench: Bench) -> None:
        """Each change reaches its own task."""
        refs = bench.create(*(bench.draft() for _ in range(3)))
        outcomes = bench.change(
            *(Change(ref, {"title": f"{number} 番目"}) for number, ref in enumerate(refs))
        )

        assert [_done(one) for one in outcomes] == refs
        assert [bench.read(ref).fields["title"] for ref in refs] == ["0 番目", "1 番目", "2 番目"]

    def test_a_change_to_a_deleted_task_leaves_the_others_done(self, bench: Bench) -> None:
        """A task that is gone gives an outcome in its place, never an error for all."""
        first, gone, last = bench.create(bench.draft(), bench.draft(), bench.draft())
        possible(lambda: bench.site.person_deletes(gone))
        bench.listed()  # a workbook takes no write over a file that changed since it was read
        outcomes = bench.change(*(Change(ref, {"title": "書き直した題"}) for ref in (first, gone, last)))

        assert isinstance(outcomes[1], (Rejected, Unknown))
        assert [_done(outcomes[0]), _done(outcomes[2])] == [first, last]
        assert [bench.read(ref).fields["title"] for ref in (first, last)] == ["書き直した題"] * 2

    @pytest.mark.parametrize("status", STATUSES)
    def test_each_status_reads_back_or_is_refused(self, bench: Bench, status: str) -> None:
        """A status is shown as `view` says, or refused with words; never taken and then not there."""
        bench.need("status")
        ref = bench.made()
        outcome = _go_to(bench, ref, status)

        if _kept(outcome):
            assert bench.read(ref).fields["status"] == bench.tracker.view("status", status)

    def test_a_status_can_be_taken_back(self, bench: Bench) -> None:
        """Done and then to do again: the tracker follows or says no."""
        bench.need("status")
        ref = bench.made()
        if not _kept(_go_to(bench, ref, "done")) or not _kept(_go_to(bench, ref, "todo")):
            pytest.skip("the tracker refuses this way, in words")

        assert bench.read(ref).fields["status"] == bench.tracker.view("status", "todo")

    def test_next_statuses_answers_only_for_what_was_asked(self, bench: Bench) -> None:
        """Moves are named by the tracker's own statuses, as `raw_status` names them."""
        ref, other = bench.create(bench.draft(), bench.draft())
        moves = bench.tracker.next_statuses([ref])

        assert set(moves) <= {ref}
        assert all(move.to_status for move in moves.get(ref, ()))
        assert other not in moves

    @pytest.mark.parametrize("day", DATES)
    def test_a_day_stays_that_day(self, bench: Bench, day: str) -> None:
        """No zone moves a date: not at New Year, not on a leap day."""
        held = bench.held({"due": day})
        if not held:
            pytest.skip("the tracker has no place for due")
        ref = bench.made(start="2026-04-01")
        outcome = bench.put(ref, **held)

        if _kept(outcome):
            assert bench.read(ref).fields["due"] == bench.tracker.view("due", day) == day

    def test_a_field_can_be_emptied(self, bench: Bench) -> None:
        """Writing None empties the field, and it reads as empty."""
        bench.need("due")
        ref = bench.made(due="2028-02-29")
        outcome = bench.put(ref, due=None)

        if _kept(outcome):
            assert bench.read(ref).fields.get("due", "absent") == bench.tracker.view("due", None)

    def test_a_person_who_is_unknown_there_is_no_crash(self, bench: Bench) -> None:
        """An assignee without an account is refused in words or shown as `view` says."""
        bench.need("assignee")
        ref = bench.made()
        outcome = bench.put(ref, assignee="nobody-of-that-name")

        if _kept(outcome):
            assert bench.read(ref).fields.get("assignee") == bench.tracker.view(
                "assignee", "nobody-of-that-name"
            )

    def test_people_are_assigned_and_taken_off(self, bench: Bench) -> None:
        """Each person of the site can be given a task, and nobody can be."""
        bench.need("assignee")
        if not bench.site.people:
            pytest.skip("the site names no people")
        ref = bench.made()
        wanted: list[FieldValue] = [*bench.site.people, None]
        seen = []
        for person in wanted:
            _done(bench.put(ref, assignee=person))
            seen.append(bench.read(ref).fields.get("assignee", "absent"))

        assert seen == wanted

    def test_a_note_is_written_once_with_its_marker(self, bench: Bench) -> None:
        """A comment of ours holds its text and its marker, by which it is found again."""
        if not bench.tracker.caps.comments:
            pytest.skip("the tracker has no comments")
        ref = bench.made()
        note = Note("差戻し：台帳の写真を付けてください 🔒", f"note.{bench.draft().marker}")
        _done(bench.change(Change(ref, {}, note=note))[0])
        texts = [one.text for one in possible(lambda: bench.tracker.comments([ref]))[ref]]

        assert [note.text in text and note.marker in text for text in texts] == [True]

    def test_a_note_goes_with_fields_in_one_change(self, bench: Bench) -> None:
        """A change with a note does both, whole."""
        if not bench.tracker.caps.comments:
            pytest.skip("the tracker has no comments")
        ref = bench.made()
        note = Note("確認しました", f"note.{bench.draft().marker}")
        _done(bench.change(Change(ref, {"title": "書き直した題"}, note=note))[0])
        texts = [one.text for one in possible(lambda: bench.tracker.comments([ref]))[ref]]

        assert bench.read(ref).fields["title"] == "書き直した題"
        assert len(texts) == 1

    def test_a_file_hangs_there_by_its_name_and_size(self, bench: Bench) -> None:
        """A file of ours shows among the task's attachments, under the name that it was given, its bytes whole."""
        _need_files(bench)
        ref, content = bench.made(), "様式1：髙﨑㈱ 🔒\r\n".encode()
        file = bench.file("様式1 誓約書（記入用）", content)
        _done(bench.change(Change(ref, {}, files=(file,)))[0])

        assert bench.attached(ref) == [(file.name, len(content))]
        (attachment,) = bench.read(ref).attachments
        with possible(lambda: bench.tracker.download(ref, attachment)) as stream:
            assert stream.read() == content

    def test_files_go_with_fields_and_a_note_in_one_change(self, bench: Bench) -> None:
        """A change with several files does all of it, whole, and a second change adds to what is there."""
        _need_files(bench)
        ref = bench.made()
        files = (bench.file("様式1", b"one"), bench.file("様式2", b"number two"))
        note = Note("記入してください", f"note.{bench.draft().marker}")
        comments = bench.tracker.caps.comments
        _done(
            bench.change(
                Change(ref, {"title": "書き直した題"}, note=note if comments else None, files=files)
            )[0]
        )
        later = bench.file("様式3", b"and three")
        _done(bench.change(Change(ref, {}, files=(later,)))[0])

        assert bench.read(ref).fields["title"] == "書き直した題"
        assert bench.attached(ref) == sorted((one.name, one.path.stat().st_size) for one in (*files, later))
        if comments:
            assert len(possible(lambda: bench.tracker.comments([ref]))[ref]) == 1

    def test_files_hang_on_their_own_task(self, bench: Bench) -> None:
        """Two tasks that get files in one write get each its own, under equal names too."""
        _need_files(bench)
        first, second, beside = bench.create(bench.draft(), bench.draft(), bench.draft())
        one, other = bench.file("様式", b"of the first"), bench.file("様式", b"of the second one")
        for outcome in bench.change(Change(first, {}, files=(one,)), Change(second, {}, files=(other,))):
            _done(outcome)

        shown = [bench.attached(ref) for ref in (first, second, beside)]
        assert shown == [[(one.name, 12)], [(other.name, 17)], []]

    def test_a_marker_can_be_set_on_a_task_that_a_person_made(self, bench: Bench) -> None:
        """Adopting: the marker is one more thing to write, and then it is found."""
        ref = possible(lambda: bench.site.person_creates("人が作った課題"))
        marker = bench.draft().marker
        before = bench.read(ref)
        _done(bench.change(Change(ref, {}, marker=marker))[0])
        bench.settle()

        assert before.marker is None
        assert bench.read(ref).marker == marker
        assert bench.read(ref).fields["title"] == before.fields["title"]
        assert bench.marked(marker) == {marker: {ref}}

    def test_a_change_that_knows_an_older_state_is_refused(self, bench: Bench) -> None:
        """A driver that can compare does not write over what a person changed in between."""
        if not bench.tracker.caps.expected_version:
            pytest.skip("the tracker cannot compare before it writes")
        ref = bench.made()
        read = bench.read(ref)
        bench.person_sets(ref, title="人が先に直した")
        outcome = bench.change(Change(ref, {"title": "こちらの題"}, expect={"title": read.fields["title"]}))[
            0
        ]

        assert isinstance(outcome, Rejected)
        assert bench.read(ref).fields["title"] == "人が先に直した"

    def test_writing_what_is_there_changes_no_value(self, bench: Bench) -> None:
        """The same values once more leave the task as it reads."""
        ref = bench.create(bench.full_draft())[0]
        before = bench.read(ref)
        _done(bench.put(ref, title=before.fields["title"]))

        assert dict(bench.read(ref).fields) == dict(before.fields)

    def test_creates_and_updates_go_in_one_write(self, bench: Bench) -> None:
        """One write of both answers for both, in order."""
        ref, draft = bench.made(), bench.draft()
        bench.tracker.presend()
        made, changed = bench.tracker.write([draft], [Change(ref, {"title": "書き直した題"})])

        assert [type(one) for one in (*made, *changed)] == [Done, Done]
        assert bench.read(_done(made[0])).marker == draft.marker
        assert bench.read(ref).fields["title"] == "書き直した題"

    def test_several_fields_go_in_one_change(self, bench: Bench) -> None:
        """Several fields at once are all there afterwards, or the refusal says which was not."""
        ref = bench.create(bench.full_draft())[0]
        values = bench.held({name: OTHER_VALUES[name] for name in ("title", "body", "due") if name in VALUES})
        outcome = bench.put(ref, **values)

        if _kept(outcome):
            assert only(bench.read(ref), values) == bench.views(values)


def _need_files(bench: Bench) -> None:
    if not bench.tracker.caps.attachments:
        pytest.skip("the tracker has no attachments")


def _done(outcome: Outcome) -> RemoteRef:
    assert isinstance(outcome, Done), f"not done: {outcome}"
    return outcome.ref


def _kept(outcome: Outcome) -> bool:
    """Whether it was done; a refusal must come with words, and nothing may stay unknown here."""
    assert not isinstance(outcome, Unknown), f"unknown without any trouble: {outcome}"
    if isinstance(outcome, Rejected):
        assert [word for word in outcome.problems if word.strip()], "a refusal without words"
    return isinstance(outcome, Done)


def _go_to(bench: Bench, ref: RemoteRef, status: str) -> Outcome:
    """Set a status as the host does: along the workflow where the driver knows one."""
    return bench.change(Change(ref, {"status": status}, status_path=_way(bench, ref, status)))[0]


def _way(bench: Bench, ref: RemoteRef, status: str) -> tuple[str, ...]:
    """The shortest way to a remote status that reads as `status`, tried out on a task beside it.

    The driver tells only what may follow now, so each step of the search is walked by a scout of its own.
    """
    goal = bench.tracker.view("status", status)
    here = bench.read(ref)
    if here.fields.get("status") == goal or not bench.tracker.next_statuses([ref]).get(ref):
        return ()
    queue: deque[tuple[str, ...]] = deque([()])
    seen = {here.raw_status}
    while queue:
        way = queue.popleft()
        scout = _scout(bench, way)
        if way and bench.read(scout).fields.get("status") == goal:
            return way
        for move in bench.tracker.next_statuses([scout]).get(scout, ()):
            if move.to_status not in seen and len(way) < HOPS_MOST:
                seen.add(move.to_status)
                queue.append((*way, move.to_status))
    return ()


def _scout(bench: Bench, way: tuple[str, ...]) -> RemoteRef:
    scout = bench.made()
    if way:
        bench.change(Change(scout, {}, status_path=way))
    return scout
