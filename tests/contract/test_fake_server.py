"""The make-believe tracker misbehaves in exactly the ways that it is told to."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from ticssync.plugin import (
    AuthLost,
    Change,
    Done,
    Draft,
    Fate,
    Finding,
    Level,
    Marker,
    Note,
    NotSupported,
    PreSend,
    Rejected,
    RemoteRef,
    Repair,
    Throttled,
    Unavailable,
    Unknown,
)
from ticssync.testing import factories
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.clock import Clock
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_site import WORKFLOW, full, index, strong
from ticssync.testing.fake_tracker import FakeTracker, sign
from ticssync.testing.opening import WORKSPACE, FakeMemory, opening, silent_log
from ticssync.testing.wire import Fault


class Crash(BaseException):
    """Like a kill: nothing catches it."""


def world(behaviour: Behaviour | None = None) -> tuple[FakeServer, FakeTracker]:
    server = FakeServer(Clock(), behaviour or strong())
    return server, FakeTracker(server, opening(clock=server.clock))


def draft(item: str = "T-1", **fields) -> Draft:
    return Draft(factories.key(item), factories.marker(item), {"title": f"{item} の課題", **fields})


def made(tracker: FakeTracker, item: str = "T-1", **fields) -> RemoteRef:
    (outcome,) = tracker.create([draft(item, **fields)])
    assert isinstance(outcome, Done)
    return outcome.ref


def listed(tracker: FakeTracker, cursor: str | None = None) -> dict[RemoteRef, object]:
    return {task.ref: task for page in tracker.list_changed(cursor) for task in page.items}


def test_an_index_shows_a_write_only_after_its_lag():
    """Listing and marker search lag; a look by id does not."""
    server, tracker = world(index())
    ref = made(tracker)
    early = (listed(tracker), tracker.find_by_marker([factories.marker("T-1")], PreSend()).hits)
    server.clock.advance(60)
    late = (set(listed(tracker)), set(tracker.find_by_marker([factories.marker("T-1")], PreSend()).hits))

    assert early == ({}, {})
    assert tracker.fetch([ref])[ref].fate is Fate.PRESENT
    assert late == ({ref}, {factories.marker("T-1")})


def test_an_index_still_shows_what_was_deleted_a_moment_ago():
    """A stale hit is no proof of life either."""
    server, tracker = world(index())
    ref = made(tracker)
    server.clock.advance(60)
    server.delete(ref.id)

    assert set(listed(tracker)) == {ref}
    assert tracker.fetch([ref])[ref].fate is Fate.GONE
    server.clock.advance(60)
    assert listed(tracker) == {}


def test_a_silent_refusal_answers_success_and_changes_nothing():
    """The field keeps its value, the others in the same request are saved."""
    server, tracker = world(strong(refuses={"期日"}))
    ref = made(tracker, due="2026-05-01")
    (outcome,) = tracker.update([Change(ref, {"due": "2027-01-01", "title": "新しい題"})])

    assert isinstance(outcome, Done)
    assert server.issue(ref.id).fields["期日"] is None
    assert server.issue(ref.id).fields["件名"] == "新しい題"


@pytest.mark.parametrize(("aloud", "kind"), [(False, Done), (True, Rejected)])
def test_a_forbidden_move_is_passed_over_or_refused_in_words(aloud, kind):
    """Either way the status stays."""
    server, tracker = world(strong(workflow=WORKFLOW, aloud=aloud))
    ref = made(tracker)
    (outcome,) = tracker.update([Change(ref, {"status": "done"})])

    assert isinstance(outcome, kind)
    assert server.issue(ref.id).fields["状態"] == "未着手"


def test_a_longer_way_is_walked_move_by_move():
    """Three moves, three requests, and the note goes with the last."""
    server, tracker = world(strong(workflow=WORKFLOW))
    ref = made(tracker)
    before = server.requests["update"]
    note = Note("完了しました", "note-1")
    change = Change(ref, {"status": "done"}, status_path=("対応中", "確認待ち", "完了"), note=note)
    tracker.update([change])

    assert server.issue(ref.id).fields["状態"] == "完了"
    assert server.requests["update"] - before == 3
    assert [one.text for one in tracker.comments([ref])[ref]] == ["完了しました\n\nnote-1"]


def test_a_move_may_ask_for_a_field():
    """The refusal names the field, and `next_statuses` said so before."""
    _, tracker = world(strong(required={"完了": ("担当",)}))
    ref = made(tracker)
    (outcome,) = tracker.update([Change(ref, {"status": "done"})])

    assert outcome == Rejected(("担当を入力してください",), "assignee")
    assert ("完了", ("担当",)) in [
        (one.to_status, one.required_fields) for one in tracker.next_statuses([ref])[ref]
    ]
    assert isinstance(tracker.update([Change(ref, {"status": "done", "assignee": "sato"})])[0], Done)


def test_a_lost_answer_leaves_the_work_done():
    """Unknown for the one whose answer was lost, and the batch goes on."""
    server, tracker = world()
    server.fail_next("create", Fault.ANSWER_LOST)
    outcomes = tracker.create([draft("T-1"), draft("T-2")])

    assert [type(one) for one in outcomes] == [Unknown, Done]
    assert len(server.with_marker(factories.marker("T-1"))) == 1


def test_a_lost_answer_may_also_end_as_an_outage():
    """Some drivers cannot tell which item it was."""
    server, tracker = world(strong(loses_answers_as_outage=True))
    server.fail_next("create", Fault.ANSWER_LOST)

    with pytest.raises(Unavailable):
        tracker.create([draft()])
    assert len(server.issues()) == 1


def test_an_outage_in_the_middle_of_a_batch_tells_what_was_done():
    """The first is done, the rest is unknown and not there."""
    server, tracker = world()
    server.fail_at(2, Fault.NOT_SENT)
    outcomes = tracker.create([draft("T-1"), draft("T-2"), draft("T-3")])

    assert [type(one) for one in outcomes] == [Done, Unknown, Unknown]
    assert len(server.issues()) == 1


def test_a_request_that_was_not_sent_does_nothing():
    """Unavailable, and an empty tracker."""
    server, tracker = world()
    server.fail_next("any", Fault.NOT_SENT)

    with pytest.raises(Unavailable):
        tracker.create([draft()])
    assert server.issues() == []
    assert server.request_count == 1


def test_a_file_batch_is_one_request_for_everything():
    """Two new rows and a change are one write; its lost answer leaves all of them unknown."""
    server, tracker = world(full())
    made_, _ = tracker.write([draft("T-1")], ())
    server.fail_next("write", Fault.ANSWER_LOST)
    drafts, changes = [draft("T-2"), draft("T-3")], [Change(made_[0].ref, {"title": "新しい題"})]
    new, changed = tracker.write(drafts, changes)

    assert server.requests["write"] == 2
    assert [type(one) for one in (*new, *changed)] == [Unknown] * 3
    assert len(server.issues()) == 3


def test_repairs_are_done_by_the_next_write_though_it_is_empty():
    """And then there are none."""
    server, tracker = world(full())
    server.behaviour.repairs.append(Repair(RemoteRef("fake", "10001"), "行が消えました"))
    server.behaviour.notices.append(Finding("copy", Level.WARN, "写しがあります"))
    before = (len(tracker.repairs()), len(tracker.notices()))
    tracker.write((), ())

    assert before == (1, 1)
    assert tracker.repairs() == ()
    assert server.requests["write"] == 1


def test_presend_fails_before_anything_is_sent():
    """It is asked without being counted, and a fault planned for "any" request does not fall on it."""
    server, tracker = world()
    server.fail_next("presend", Fault.NOT_SENT)

    with pytest.raises(Unavailable):
        tracker.presend()
    assert server.request_count == 0
    made(tracker)
    assert tracker.presend().hint == "1"


def test_an_anonymous_visitor_sees_an_empty_project():
    """200 and nothing; a look by id says 404; only whoami tells the truth."""
    server, tracker = world()
    ref = made(tracker)
    server.behaviour.anonymous = True

    assert listed(tracker) == {}
    assert tracker.fetch([ref])[ref].fate is Fate.GONE
    with pytest.raises(AuthLost):
        tracker.whoami()
    server.behaviour.anonymous_finds = 401
    with pytest.raises(AuthLost):
        tracker.fetch([ref])


def test_a_throttled_tracker_names_the_moment_and_then_works_again():
    """429 until exactly then."""
    server, tracker = world()
    until = server.now() + timedelta(seconds=90)
    server.behaviour.throttled_until = until
    with pytest.raises(Throttled) as caught:
        made(tracker)
    server.clock.advance(90)

    assert caught.value.until == until
    assert made(tracker)


def test_hidden_is_not_gone_and_comes_back():
    """Absent from listings, 403 by id, and the time of change never moves."""
    server, tracker = world()
    ref = made(tracker)
    before = server.issue(ref.id).updated_at
    server.clock.advance(10)
    server.hide(ref.id)
    hidden = (set(listed(tracker)), tracker.fetch([ref])[ref].fate)
    server.unhide(ref.id)

    assert hidden == (set(), Fate.HIDDEN)
    assert set(listed(tracker)) == {ref}
    assert server.issue(ref.id).updated_at == before


def test_a_moved_issue_leads_to_its_new_place_and_a_renamed_one_stays():
    """301 with the task there; another display key leaves the ref as it was."""
    server, tracker = world()
    ref, other = made(tracker, "T-1"), made(tracker, "T-2")
    new = server.move(ref.id)
    server.rename(other.id, "OTHER-9")
    found = tracker.fetch([ref, other])

    assert (found[ref].fate, found[ref].moved_to) == (Fate.MOVED, RemoteRef("fake", new.id))
    assert found[ref].task is not None
    assert found[ref].task.marker == factories.marker("T-1")
    assert found[other].task is not None
    assert (found[other].task.ref, found[other].task.key) == (other, "OTHER-9")


def test_automation_flips_a_field_back_behind_the_answer():
    """The writer is shown its own value, the next reader the robot's."""
    _, tracker = world(strong(write_answers=True, automation=lambda _: {"状態": "未着手"}))
    ref = made(tracker)
    (outcome,) = tracker.update([Change(ref, {"status": "doing"})])
    task = tracker.fetch([ref])[ref].task

    assert isinstance(outcome, Done)
    assert outcome.task is not None
    assert outcome.task.fields["status"] == "doing"
    assert task is not None
    assert task.fields["status"] == "todo"
    assert task.changed_by_person is False


def test_a_list_that_moves_while_it_is_read_is_read_again():
    """A deletion between two pages shifts the rest up: nobody slips through."""
    server, tracker = world(strong(page_size=2))
    refs = [made(tracker, f"T-{number}") for number in range(1, 7)]
    pages = tracker.list_changed(None)
    seen = {task.ref for task in next(pages).items}
    server.delete(refs[0].id)
    seen |= {task.ref for page in pages for task in page.items}

    assert seen == set(refs)


def test_a_list_that_never_stands_still_is_given_up():
    """The number of starts is bounded; the end is Unavailable, never a listing with holes."""
    server, tracker = world(strong(page_size=2))
    for number in range(1, 7):
        made(tracker, f"T-{number}")

    def stir(point: str) -> None:
        if point == "before list":
            oldest = min(server.issues(), key=lambda issue: issue.updated_at)
            server.clock.advance(1)
            server.person_sets(oldest.id, {"説明": f"{server.request_count} 回目"})

    server.watch = stir
    with pytest.raises(Unavailable):
        list(tracker.list_changed(None))
    assert server.requests["list"] < 20


def test_a_crash_before_a_request_did_nothing_and_one_after_it_did():
    """The two sides of every request can be told apart."""
    server, tracker = world()
    points: list[str] = []

    def die(at: str):
        def watch(point: str) -> None:
            points.append(point)
            if point == at:
                raise Crash

        return watch

    server.watch = die("before create")
    with pytest.raises(Crash):
        tracker.create([draft()])
    nothing = len(server.issues())
    server.watch = die("after create")
    with pytest.raises(Crash):
        tracker.create([draft()])

    assert (nothing, len(server.issues())) == (0, 1)
    assert points == ["before create", "before create", "after create"]


def test_people_are_told_from_robots_with_their_time():
    """An edit of a person carries the moment that the test names."""
    server, tracker = world()
    ref = made(tracker)
    at = server.now() - timedelta(minutes=5)
    server.person_sets(ref.id, {"状態": "対応中"}, at=at)
    task = tracker.fetch([ref])[ref].task
    server.behaviour.tells_author = False

    assert task is not None
    assert (task.updated_at, task.changed_by_person) == (at, True)
    assert tracker.fetch([ref])[ref].task.changed_by_person is None


def test_an_idle_look_costs_one_request():
    """Listing from the cursor is one request and brings nothing."""
    server, tracker = world()
    made(tracker)
    cursor = list(tracker.list_changed(None))[-1].cursor
    server.clock.advance(1)
    before = tracker.requests
    again = listed(tracker, list(tracker.list_changed(None))[-1].cursor)

    assert cursor is not None
    assert again == {}
    assert tracker.requests - before == 2


def test_a_clock_that_is_wrong_is_found_and_loses_no_change():
    """The cursor is in the server's time; doctor warns of the difference."""
    server, tracker = world(strong(skew_s=-600))
    ref = made(tracker)
    cursor = list(tracker.list_changed(None))[-1].cursor
    server.clock.advance(1)
    server.person_sets(ref.id, {"状態": "対応中"})

    assert set(listed(tracker, cursor)) == {ref}
    assert [one.level for one in tracker.check()] == [Level.OK, Level.WARN]


@pytest.mark.parametrize("behaviour", [strong, full])
def test_a_closed_driver_is_not_to_be_asked(behaviour):
    """A host that goes on after close is told at once, and nothing is written."""
    server, tracker = world(behaviour())
    tracker.close()

    with pytest.raises(RuntimeError):
        listed(tracker)
    with pytest.raises(RuntimeError):
        tracker.write([draft()], ())
    assert server.issues() == []


def test_a_workflow_may_be_told_whole_or_move_by_move():
    """Either the schema has the graph, or only `next_statuses` knows."""
    server, tracker = world(strong(workflow=WORKFLOW))
    ref = made(tracker)
    told = tracker.schema().moves
    server.behaviour.tells_workflow = False

    assert told == WORKFLOW
    assert tracker.schema().moves == {}
    assert [one.to_status for one in tracker.next_statuses([ref])[ref]] == ["対応中", "対象外"]


def test_a_webhook_is_a_hint_only_with_its_signature():
    """A wrong one says nothing."""
    server, tracker = world()
    body = json.dumps({"id": "10001"}).encode()

    assert tracker.hints_from_webhook({"X-Fake-Signature": sign(server, body)}, body) == (
        RemoteRef("fake", "10001"),
    )
    assert tracker.hints_from_webhook({"X-Fake-Signature": "0" * 64}, body) == ()


def test_a_deleted_attachment_moves_no_time_of_change():
    """As in Redmine: only a sweep sees it."""
    server, tracker = world()
    ref = made(tracker)
    file = server.attach(ref.id, "台帳.pdf", b"1")
    before = server.issue(ref.id).updated_at
    server.clock.advance(5)
    server.detach(ref.id, file.id)
    task = tracker.fetch([ref])[ref].task

    assert task is not None
    assert (task.attachments, task.updated_at) == ((), before)


def test_a_memory_forgets_in_a_crash_what_was_not_committed():
    """What the host had committed stays."""
    memory = FakeMemory()
    memory.put("serial", "1")
    memory.commit()
    memory.put("serial", "2")
    memory.put("other", "x")
    memory.crash()

    assert (memory.get("serial"), memory.get("other")) == ("1", None)


def test_a_silent_log_keeps_what_was_logged(capsys):
    """Nothing is printed; the entries are there for a test to look at."""
    entries: list[dict] = []
    silent_log(entries).warning("something", tracker="fake")

    assert entries == [{"event": "something", "tracker": "fake", "level": "warning"}]
    assert capsys.readouterr() == ("", "")


def test_factories_build_values_that_fit_together():
    """Marker, key, catalogue, scope and task speak of the same things."""
    held = factories.catalog(factories.criterion("T-14"), factories.criterion("T-15", applies_when="takeout"))
    payload = factories.scope_payload(held, factories.profile(takeout=False))
    task = factories.remote_task(marker=factories.marker("T-14"), fields={"status": "done"})

    assert {item["id"]: item["in_scope"] for item in payload["items"]} == {"T-14": True, "T-15": False}
    assert Marker.parse(task.marker or "") == Marker(WORKSPACE, factories.key("T-14"))
    assert (task.raw_status, task.fields["status"]) == ("完了", "done")
    assert factories.certificate().id == factories.duty().certificate
    assert factories.person().accounts == {"fake": "1002"}


def test_the_pytest_plugin_is_light():
    """Loaded in every test run of the machine, it brings neither the product's values nor a database."""
    heavy = ("sqlalchemy", "pydantic", "hypothesis", "structlog", "ticssync.plugin", "ticssync.model")
    code = "import sys, ticssync.testing.pytest_plugin; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(heavy) & set(shown.stdout.split()) == set()


def test_the_fixtures_of_the_plugin_fit_together(ticssync_server, ticssync_opening, ticssync_clock):
    """Server and opening stand on the same clock."""
    tracker = FakeTracker(ticssync_server, ticssync_opening(name="other"))
    ref = made(tracker)

    assert ref.tracker == "other"
    assert ticssync_server.issue(ref.id).updated_at == ticssync_clock()


def test_the_history_tells_who_changed_what_and_not_what_an_issue_was_made_with():
    """A person, ticssync and the tracker's own robot are three accounts."""
    server, tracker = world(strong(automation=lambda issue: {"優先度": "high"}))
    ref = made(tracker, status="todo")
    server.person_sets(ref.id, {"状態": "対応中"}, author="1002")
    tracker.update([Change(ref, {"title": "別の題"})])
    told = [(one.field, one.new, one.author, one.author_name) for one in tracker.history([ref])[ref]]

    assert told == [
        ("状態", "対応中", "1002", "髙﨑 健"),
        ("件名", "別の題", "900", "ticssync"),
        ("優先度", "high", "901", "automation"),
    ]
    assert tracker.history([RemoteRef("fake", "77")]) == {}


def test_a_tracker_may_keep_no_history():
    """Then the verb is not supported."""
    server, tracker = world(strong(keeps_history=False))

    with pytest.raises(NotSupported):
        tracker.history([made(tracker)])
    assert server.requests["history"] == 0
