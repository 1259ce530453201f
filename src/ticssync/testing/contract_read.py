"""The tracker contract: listings, strong reads, and what people do in between."""

from __future__ import annotations

import pytest

from ticssync.plugin import (
    AuthLost,
    Fate,
    NotSupported,
    Page,
    PreSend,
    Read,
    RemoteRef,
    RemoteTask,
    Throttled,
    Unavailable,
)
from ticssync.testing.bench import Bench, possible
from ticssync.testing.samples import OTHER_VALUES


class ReadLaws:
    """Listings, cursors, fates."""

    def test_a_second_listing_yields_nothing_new(self, bench: Bench) -> None:
        """From the cursor on, only what changed may come; a double must be the same as before."""
        bench.create(bench.draft(), bench.draft())
        bench.settle()
        first, cursor = bench.listed()
        second, _ = bench.listed(cursor)

        assert {ref: _state(task) for ref, task in second.items()} == {
            ref: _state(first[ref]) for ref in second if ref in first
        }

    def test_a_persons_change_is_listed_after_the_cursor(self, bench: Bench) -> None:
        """What a person changed since the last look is in the next one, with the new value."""
        ref = bench.made()
        bench.settle()
        _, cursor = bench.listed()
        bench.person_sets(ref, status="doing")
        bench.settle()
        tasks, _ = bench.listed(cursor)

        assert ref in tasks
        assert tasks[ref].fields["status"] == bench.tracker.view("status", "doing")

    def test_a_change_during_a_listing_is_in_this_one_or_the_next(self, bench: Bench) -> None:
        """The cursor is from before the look, so that nothing falls between two looks."""
        refs = bench.create(*(bench.draft() for _ in range(4)))
        bench.settle()
        pages = bench.tracker.list_changed(None)
        seen, cursor = _taken(next(pages)), None
        bench.person_sets(refs[-1], status="doing")
        for page in pages:
            seen |= _taken(page)
            cursor = page.cursor
        bench.settle()
        seen |= bench.listed(cursor)[0]

        assert set(refs) <= set(seen)
        assert seen[refs[-1]].fields["status"] == bench.tracker.view("status", "doing")

    def test_a_change_just_before_a_look_is_in_this_one_or_the_next(self, bench: Bench) -> None:
        """What a lagging index could not show yet lies after the cursor, not before it."""
        ref = bench.made()
        bench.settle()
        bench.person_sets(ref, status="doing")
        bench.moment()
        seen, cursor = bench.listed()
        bench.settle()
        seen |= bench.listed(cursor)[0]

        assert seen[ref].fields["status"] == bench.tracker.view("status", "doing")

    def test_every_page_has_a_cursor_to_go_on_from(self, bench: Bench) -> None:
        """A listing ends with a cursor, or says that it lists everything each time."""
        bench.made()
        pages = list(bench.tracker.list_changed(None))

        assert pages
        assert pages[-1].cursor is not None or bench.tracker.caps.listing

    def test_only_a_listing_without_lag_is_complete(self, bench: Bench) -> None:
        """`complete` proves an absent marker absent: a lagging index never says it, a full one holds all."""
        refs = bench.create(bench.draft(), bench.draft())
        pages = list(bench.tracker.list_changed(None))
        listed = {task.ref for page in pages for task in page.items}

        assert not (pages[-1].complete and bench.tracker.caps.lookup_lag_s)
        assert set(refs) <= listed or not pages[-1].complete
        assert pages[-1].complete or not bench.tracker.caps.listing
        assert not any(page.read is Read.STRONG for page in pages) or not bench.tracker.caps.lookup_lag_s

    def test_a_strong_listing_shows_what_was_written_the_moment_before(self, bench: Bench) -> None:
        """Where a listing calls itself strong it is the read: no second look follows."""
        ref = bench.made()
        pages = list(bench.tracker.list_changed(None))
        if any(page.read is Read.INDEX for page in pages):
            pytest.skip("the listing is an index")
        listed = {task.ref: task for page in pages for task in page.items}

        assert ref in listed
        assert dict(listed[ref].fields) == dict(bench.read(ref).fields)

    def test_a_listing_and_a_fetch_agree(self, bench: Bench) -> None:
        """The same task reads the same, whichever way it came."""
        ref = bench.create(bench.full_draft())[0]
        bench.settle()
        listed, fetched = bench.listed()[0][ref], bench.read(ref)

        assert dict(listed.fields) == dict(fetched.fields)
        assert (listed.marker, listed.version, listed.raw_status, listed.closed) == (
            fetched.marker, fetched.version, fetched.raw_status, fetched.closed,
        )  # fmt: skip

    def test_a_sweep_holds_every_task(self, bench: Bench) -> None:
        """The cheapest full listing leaves out no task and tells its marker where it tells one."""
        drafts = [bench.draft(), bench.draft()]
        refs = bench.create(*drafts)
        bench.settle()
        stubs = {
            stub.ref: stub for page in possible(lambda: list(bench.tracker.sweep())) for stub in page.items
        }

        assert set(refs) <= set(stubs)
        assert all(stubs[ref].marker in (None, draft.marker) for ref, draft in zip(refs, drafts, strict=True))

    def test_fetch_answers_every_ref_that_was_asked(self, bench: Bench) -> None:
        """None is left out: not the living, not the unknown."""
        refs = [*bench.create(bench.draft(), bench.draft()), RemoteRef(bench.made().tracker, "999999999")]

        assert set(bench.tracker.fetch(refs)) == set(refs)
        assert bench.tracker.fetch([]) == {}

    def test_a_deleted_task_is_gone(self, bench: Bench) -> None:
        """A strong read of a deleted task says GONE, which is the only proof of it."""
        ref, other = bench.create(bench.draft(), bench.draft())
        possible(lambda: bench.site.person_deletes(ref))
        bench.settle()

        assert bench.fate(ref) is Fate.GONE
        assert bench.fate(other) is Fate.PRESENT

    def test_a_hidden_task_is_not_gone(self, bench: Bench) -> None:
        """What we may not see still exists: HIDDEN, so that nobody mourns it."""
        ref = bench.made()
        possible(lambda: bench.site.person_hides(ref))

        assert bench.fate(ref) is Fate.HIDDEN

    def test_a_lost_login_proves_no_deletion(self, bench: Bench) -> None:
        """While the tracker does not know us, GONE never stands beside a whoami that names somebody."""
        ref = bench.made()
        with bench.trouble("login"):
            try:
                fate = bench.fate(ref)
                bench.tracker.whoami()
            except (AuthLost, NotSupported, Throttled, Unavailable):
                return

        assert fate is not Fate.GONE

    def test_a_task_that_never_was_is_not_present(self, bench: Bench) -> None:
        """An id that the tracker never gave leads to no task."""
        ref = RemoteRef(bench.made().tracker, "999999999")

        assert bench.tracker.fetch([ref])[ref].task is None
        assert bench.fate(ref) not in (Fate.PRESENT, Fate.MOVED)

    def test_a_copy_shows_two_holders_of_one_marker(self, bench: Bench) -> None:
        """A person's copy is seen as a second task, and the original keeps its id."""
        draft = bench.draft()
        ref = bench.create(draft)[0]
        possible(lambda: bench.site.person_copies(ref))
        bench.settle()
        holders = bench.marked(draft.marker)[draft.marker]

        assert ref in holders
        assert len(holders) == 2

    def test_the_marker_survives_a_persons_edit(self, bench: Bench) -> None:
        """An edit of title and status takes nothing from the identity."""
        draft = bench.draft()
        ref = bench.create(draft)[0]
        bench.person_sets(ref, title="人が直した題", status="doing")
        task = bench.read(ref)

        assert (task.ref, task.marker) == (ref, draft.marker)
        assert task.fields["title"] == bench.tracker.view("title", "人が直した題")

    def test_a_person_sees_what_we_see(self, bench: Bench) -> None:
        """Each value that a person sets is read as that value: no field is mistaken for another."""
        ref = bench.create(bench.full_draft())[0]
        values = bench.held(
            {
                name: value
                for name, value in OTHER_VALUES.items()
                if name in ("title", "status", "due", "start")
            }
        )
        bench.person_sets(ref, **values)
        task = bench.read(ref)

        assert {name: task.fields.get(name, "absent") for name in values} == bench.views(values)

    def test_an_emptied_field_is_empty_and_not_absent(self, bench: Bench) -> None:
        """A person who empties a field is read as "empty"; only a field that does not exist is absent."""
        bench.need("due")
        ref = bench.made(due="2028-02-29")
        bench.person_sets(ref, due=None)
        task = bench.read(ref)

        assert task.fields.get("due", "absent") == bench.tracker.view("due", None)

    def test_a_field_without_a_place_is_absent(self, bench: Bench) -> None:
        """A read names no field that the tracker does not hold."""
        task = bench.read(bench.create(bench.full_draft())[0])

        assert [name for name in task.fields if not bench.tracker.holds(name)] == []

    def test_what_cannot_be_read_is_absent_and_said(self, bench: Bench) -> None:
        """“未定” in a date is no date and no emptied field: it is absent, with a problem for people."""
        bench.need("due")
        ref = bench.made(due="2028-02-29")
        possible(lambda: bench.site.person_types(ref, "due", "未定"))
        task = bench.read(ref)

        assert "due" not in task.fields
        assert any("未定" in one for one in task.problems)

    def test_moments_are_aware(self, bench: Bench) -> None:
        """Every time carries its zone; a naive one would be a guess."""
        ref = bench.made()
        bench.settle()
        tasks = [bench.read(ref), bench.listed()[0][ref]]
        moments = [task.updated_at for task in tasks] + [
            one.created_at for task in tasks for one in task.attachments
        ]

        assert [one for one in moments if one is not None and one.tzinfo is None] == []

    def test_an_attachment_can_be_downloaded(self, bench: Bench) -> None:
        """The bytes and the Japanese name of a file come back as they were."""
        ref = bench.made()
        content = "鍵管理台帳\r\n".encode() + bytes(range(256))
        possible(lambda: bench.site.person_attaches(ref, "鍵管理台帳（髙﨑）.bin", content))
        attachment = bench.read(ref).attachments[0]
        with possible(lambda: bench.tracker.download(ref, attachment)) as stream:
            got = stream.read()

        assert (attachment.name, attachment.size, got) == ("鍵管理台帳（髙﨑）.bin", len(content), content)

    def test_a_task_is_found_by_what_a_person_pastes(self, bench: Bench) -> None:
        """Its display key leads to it, an address of its own too; other text leads to nothing."""
        ref, other = bench.create(bench.full_draft(), bench.draft())
        bench.settle()
        task, beside = bench.read(ref), bench.read(other)
        given = [
            mine for mine, its in ((task.key, beside.key), (task.url, beside.url)) if mine and mine != its
        ]
        found = possible(lambda: [bench.tracker.resolve(text) for text in given])

        assert given
        assert found == [ref] * len(given)
        assert bench.tracker.resolve("どこにもない") is None

    def test_a_search_with_no_hits_is_empty(self, bench: Bench) -> None:
        """Looking for tasks to adopt never answers with everything."""
        bench.made()
        bench.settle()

        assert list(possible(lambda: list(bench.tracker.search("どこにもない言葉")))) == []

    def test_the_lag_of_a_lookup_is_the_one_declared(self, bench: Bench) -> None:
        """A found marker and its lag come from one place: strong means strong for both."""
        hits = bench.tracker.find_by_marker([bench.draft().marker], PreSend())

        assert hits.lag_s >= 0
        assert bool(hits.lag_s) == bool(bench.tracker.caps.lookup_lag_s)


def _state(task: RemoteTask) -> tuple[object, ...]:
    return task.version, task.marker, dict(task.fields)


def _taken(page: Page[RemoteTask]) -> dict[RemoteRef, RemoteTask]:
    return {task.ref: task for task in page.items}
