"""The tracker contract: who changed what, where the tracker keeps a history."""

from __future__ import annotations

from collections.abc import Sequence

from ticssync.plugin import Done, FieldChange, NotSupported, RemoteRef
from ticssync.testing.bench import Bench, possible


class HistoryLaws:
    """Only for drivers with the verb `history`; a confirmer's own act is proven by it."""

    def test_a_persons_change_stands_in_the_history_under_their_own_account(self, bench: Bench) -> None:
        """Who set a status is told by the account id, the field by the tracker's name as in the mapping."""
        ref = bench.made(status="todo")
        _history(bench, ref)
        bench.person_sets(ref, status="doing")
        entry = _newest(bench, ref)

        assert entry.author
        assert entry.author not in bench.tracker.whoami().own_ids
        if bench.site.person_account:
            assert entry.author == bench.site.person_account
        assert entry.field == _place(bench, entry)
        assert entry.old != entry.new

    def test_our_own_change_stands_in_the_history_under_our_own_account(self, bench: Bench) -> None:
        """What ticssync wrote is never taken for a person's act."""
        ref = bench.made(status="todo")
        before = len(_history(bench, ref))
        outcome = bench.put(ref, status="doing")
        found = _history(bench, ref)[before:]
        principal = possible(bench.tracker.whoami)

        assert isinstance(outcome, Done)
        assert found
        assert {one.author for one in found} <= {principal.id, *principal.own_ids}

    def test_a_history_is_oldest_first(self, bench: Bench) -> None:
        """The last entry is the newest; instants are aware and never go back; no entry has another's id."""
        ref = bench.made(status="todo")
        _history(bench, ref)
        bench.person_sets(ref, status="doing")
        first = _newest(bench, ref)
        bench.person_sets(ref, status="done")
        found = _history(bench, ref)
        places = [(one.id, one.field) for one in found]

        assert (first.id, first.field) in places[:-1]
        assert [one for one in found if one.at.tzinfo is None] == []
        assert [one.at for one in found] == sorted(one.at for one in found)
        assert len(set(places)) == len(places)

    def test_a_history_is_told_task_by_task(self, bench: Bench) -> None:
        """Asked about several tasks at once, each has its own entries and none of another's."""
        changed, beside = bench.create(bench.draft(status="todo"), bench.draft(status="todo"))
        before = _history(bench, beside)
        bench.person_sets(changed, status="doing")
        found = bench.tracker.history([changed, beside])

        assert set(found) == {changed, beside}
        assert list(found[beside]) == list(before)
        assert len(found[changed]) > len(before)

    def test_reading_a_history_writes_nothing(self, bench: Bench) -> None:
        """The task is as it was, and the history too."""
        ref = bench.made(status="todo")
        _history(bench, ref)
        bench.person_sets(ref, status="doing")
        before = bench.read(ref)
        first, second = _history(bench, ref), _history(bench, ref)
        after = bench.read(ref)

        assert list(first) == list(second)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)
        assert dict(after.fields) == dict(before.fields)


def _history(bench: Bench, ref: RemoteRef) -> Sequence[FieldChange]:
    return possible(lambda: bench.tracker.history([ref])).get(ref, ())


def _newest(bench: Bench, ref: RemoteRef) -> FieldChange:
    found = _history(bench, ref)
    assert found, "a person's change is not in the history"
    return found[-1]


def _place(bench: Bench, entry: FieldChange) -> str:
    try:
        return bench.site.place("status")
    except NotSupported:
        return entry.field
