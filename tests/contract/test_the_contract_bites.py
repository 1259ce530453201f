"""Drivers that are broken on purpose, one fault each: the law that speaks of the fault must catch it.

Every law of the contract stands in at least one row, so that none of them passes for anything.
"""

import inspect
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import BytesIO
from typing import ClassVar

import pytest

from ticssync.plugin import (
    AuthLost,
    Done,
    Fate,
    Fetched,
    FieldChange,
    Finding,
    Level,
    MarkerHits,
    Page,
    Principal,
    Rejected,
    RemoteRef,
    RemoteTask,
    Throttled,
    Unavailable,
    canonical_text,
    instant_text,
)
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.bench import Bench
from ticssync.testing.contract import TrackerContract
from ticssync.testing.fake_convert import Converter
from ticssync.testing.fake_site import FakeSite, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.wire import AnswerLost, Edit, Issue, Refused


def converting(**methods: Callable) -> type[FakeTracker]:
    """A driver whose converter has these methods instead."""
    broken = type("BrokenConverter", (Converter,), {"__slots__": (), **methods})

    class Broken(FakeTracker):
        @property
        def convert(self):
            sound = super().convert
            return broken(sound.tracker, sound.table, sound.behaviour, sound.text)

    return Broken


def decoding(change: Callable[[RemoteTask, Issue], RemoteTask]) -> type[FakeTracker]:
    """A driver that misreads tasks."""
    return converting(decode=lambda self, issue: change(Converter.decode(self, issue), issue))


def showing(change: Callable[[str, object], object]) -> type[FakeTracker]:
    """A driver whose view is wrong."""
    return converting(view=lambda self, name, value: change(name, Converter.view(self, name, value)))


def fields(task: RemoteTask, **changes: object) -> RemoteTask:
    return replace(task, fields={**task.fields, **changes})


def editing(change: Callable[[dict], dict]) -> type[FakeTracker]:
    """A driver that sends other fields than asked in an update."""

    class Broken(FakeTracker):
        def _edit(self, asked):
            edit = super()._edit(asked)
            return Edit(edit.id, change(dict(edit.fields)), edit.comment)

    return Broken


def drafting(change: Callable[[dict], dict]) -> type[FakeTracker]:
    """A driver that sends other fields than asked in a create."""

    class Broken(FakeTracker):
        def _draft(self, draft):
            return change(dict(super()._draft(draft)))

    return Broken


def hanging(change: Callable[[tuple], tuple]) -> type[FakeTracker]:
    """A driver that hangs other files on the task than it handed in."""

    class Broken(FakeTracker):
        def _with_files(self, asked):
            edit, refused = super()._with_files(asked)
            return replace(edit, uploads=change(edit.uploads)), refused

    return Broken


class CutsFiles(FakeTracker):
    def _hand_in(self, file):
        return self.server.upload(file.path.read_bytes()[:-1])


class HangsAllOnTheFirst(FakeTracker):
    def update(self, changes):
        files = tuple(file for one in changes for file in one.files)
        rest = [replace(one, files=()) for one in changes[1:]]
        return super().update([replace(changes[0], files=files), *rest] if changes else [])


class Nameless(FakeTracker):
    def whoami(self):
        return Principal("", "")

    def check(self):
        return (Finding("", Level.OK, ""),)


class AnonymousIsSomebody(FakeTracker):
    def whoami(self):
        try:
            return super().whoami()
        except AuthLost:
            return Principal("anonymous", "Anonymous")


class DoubleSchema(FakeTracker):
    def schema(self):
        schema = super().schema()
        return replace(schema, fields=[*schema.fields, schema.fields[0]])


class HoldsEverything(FakeTracker):
    def holds(self, field_name):
        return True


class KeepsMarkersToItself(FakeTracker):
    def __init__(self, server, opening):
        super().__init__(server, opening)
        self.markers: dict[str, str] = {}

    def create(self, drafts):
        outcomes = super().create([replace(one, marker="") for one in drafts])
        self.markers |= {
            one.ref.id: draft.marker
            for one, draft in zip(outcomes, drafts, strict=True)
            if isinstance(one, Done)
        }
        return outcomes

    def fetch(self, refs):
        found = super().fetch(refs)
        return {
            ref: replace(one, task=replace(one.task, marker=self.markers.get(ref.id))) if one.task else one
            for ref, one in found.items()
        }


class CountsNothing(FakeTracker):
    requests = 0


class Sleeps(FakeTracker):
    def whoami(self):
        time.sleep(0.001)
        return super().whoami()


class TouchesOnEmptyWrite(FakeTracker):
    def write(self, drafts, changes):
        self.server.update([Edit(one.id, {}, "同期しました") for one in self.server.issues()])
        return super().write(drafts, changes)


class TouchesOnListing(FakeTracker):
    def list_changed(self, cursor):
        self.server.update([Edit(one.id, {}, "見ました") for one in self.server.issues()])
        return super().list_changed(cursor)


class RawErrors(FakeTracker):
    def _raised(self, error):
        return error


class EmptyWhenInTrouble(FakeTracker):
    def list_changed(self, cursor):
        try:
            yield from super().list_changed(cursor)
        except (AuthLost, Throttled, Unavailable):
            yield Page([], cursor, complete=True)


class DeadForGood(FakeTracker):
    dead = False

    def _raised(self, error):
        self.dead = True
        return super()._raised(error)

    def fetch(self, refs):
        if self.dead:
            raise Unavailable("still dead")
        return super().fetch(refs)


class EchoesTheWish(FakeTracker):
    def _outcome(self, answer):
        outcome = super()._outcome(answer)
        return (
            replace(outcome, task=fields(outcome.task, number="wish"))
            if isinstance(outcome, Done)
            else outcome
        )


class Reorders(FakeTracker):
    def create(self, drafts):
        return super().create(drafts)[::-1]

    def update(self, changes):
        return super().update(changes)[::-1]


class FindsNothing(FakeTracker):
    def find_by_marker(self, markers, hint):
        return MarkerHits({}, self.caps.lookup_lag_s)


class FindsEverything(FakeTracker):
    def find_by_marker(self, markers, hint):
        tasks = tuple(map(self.convert.decode, self.server.issues()))
        return MarkerHits(dict.fromkeys(markers, tasks))


class FindsTheFirst(FakeTracker):
    def find_by_marker(self, markers, hint):
        return super().find_by_marker(markers[:1], hint)


class OneHolderPerMarker(FakeTracker):
    def find_by_marker(self, markers, hint):
        found = super().find_by_marker(markers, hint)
        return replace(found, hits={marker: tasks[:1] for marker, tasks in found.hits.items()})


class SaysStrongForAnIndex(FakeTracker):
    def find_by_marker(self, markers, hint):
        return replace(super().find_by_marker(markers, hint), lag_s=0.0)


class ForgetsTheNewest(FakeTracker):
    def list_changed(self, cursor):
        for page in super().list_changed(cursor):
            yield replace(page, items=page.items[:-1])


class CursorInTheFuture(FakeTracker):
    def list_changed(self, cursor):
        for page in list(super().list_changed(cursor)):
            yield replace(page, cursor=instant_text(self.server.now() + timedelta(hours=1)))


class CursorForgetsTheLag(FakeTracker):
    def _cursor(self, served):
        return instant_text(served)


class NoCursor(FakeTracker):
    def list_changed(self, cursor):
        for page in super().list_changed(cursor):
            yield replace(page, cursor=None)


class AlwaysComplete(FakeTracker):
    def list_changed(self, cursor):
        for page in super().list_changed(cursor):
            yield replace(page, complete=True)


class ListsFromACache(FakeTracker):
    def list_changed(self, cursor):
        for page in super().list_changed(cursor):
            yield replace(page, items=[fields(task, title="前の題") for task in page.items])


class ListsWithoutBodies(FakeTracker):
    def list_changed(self, cursor):
        for page in super().list_changed(cursor):
            yield replace(page, items=[fields(task, body=None) for task in page.items])


class StopsAtARefusal(FakeTracker):
    def create(self, drafts):
        outcomes = super().create(drafts)
        bad = next((number for number, one in enumerate(outcomes) if isinstance(one, Rejected)), None)
        return outcomes if bad is None else outcomes[: bad + 1]


class DoneForARefusal(FakeTracker):
    def _outcome(self, answer):
        return Done(RemoteRef("fake", "0")) if isinstance(answer, Refused) else super()._outcome(answer)


class SendsAgain(FakeTracker):
    def _create_some(self, drafts):
        try:
            return super()._create_some(drafts)
        except AnswerLost:
            super()._create_some(drafts)
            raise


class DoneWhenDown(FakeTracker):
    def presend(self):
        return None

    def create(self, drafts):
        try:
            return super().create(drafts)
        except Unavailable:
            return [Done(RemoteRef("fake", "0")) for _ in drafts]


class OneRefForAll(FakeTracker):
    def create(self, drafts):
        outcomes = super().create(drafts)
        return [outcomes[0]] * len(outcomes)


class FatesOff(FakeTracker):
    fates: ClassVar[dict[Fate, Fetched]] = {}

    def fetch(self, refs):
        return {ref: self.fates.get(one.fate, one) for ref, one in super().fetch(refs).items()}


class GoneReadsHidden(FatesOff):
    fates: ClassVar = {Fate.GONE: Fetched(Fate.HIDDEN)}


class HiddenReadsGone(FatesOff):
    fates: ClassVar = {Fate.HIDDEN: Fetched(Fate.GONE)}


class InventsTasks(FakeTracker):
    def fetch(self, refs):
        return {
            ref: Fetched(Fate.PRESENT, RemoteTask(ref, {})) if one.fate is Fate.GONE else one
            for ref, one in super().fetch(refs).items()
        }


class LeavesOutTheGone(FakeTracker):
    def fetch(self, refs):
        return {ref: one for ref, one in super().fetch(refs).items() if one.fate is not Fate.GONE}


class EmptyDownloads(FakeTracker):
    def download(self, ref, attachment):
        return BytesIO()


class AnswersWithAnything(FakeTracker):
    def resolve(self, text):
        return RemoteRef("fake", self.server.issues()[0].id)

    def search(self, query):
        yield from map(self.convert.decode, self.server.issues())


class TouchesTheTaskBeside(FakeTracker):
    def _update_some(self, changes):
        edits = [self._edit(one) for one in changes]
        for issue in self.server.issues():
            self.server.update([Edit(issue.id, edit.fields) for edit in edits])
        return super()._update_some(changes)


class OneFailureForAll(FakeTracker):
    def update(self, changes):
        outcomes = super().update(changes)
        if any(isinstance(one, Rejected) for one in outcomes):
            raise Unavailable("one of them failed")
        return outcomes


class AnswersForEverybody(FakeTracker):
    def next_statuses(self, refs):
        return super().next_statuses([RemoteRef("fake", one.id) for one in self.server.issues()])


class NoteWithoutMarker(FakeTracker):
    def _edit(self, change):
        edit = super()._edit(change)
        return replace(edit, comment=change.note.text if change.note else "")


class NoteTwice(FakeTracker):
    def _update_some(self, changes):
        self.server.update([Edit(one.ref.id, {}, one.note.text) for one in changes if one.note])
        return super()._update_some(changes)


class BlindToChanges(FakeTracker):
    def _stale(self, change):
        return ""


class CreatesOnly(FakeTracker):
    def write(self, drafts, changes):
        made, changed = super().write(drafts, changes)
        return (made, []) if drafts else (made, changed)


def remembering(change: Callable[[FieldChange], FieldChange]) -> type[FakeTracker]:
    """A driver that misreads entries of the history."""

    class Misremembers(FakeTracker):
        def history(self, refs):
            return {ref: [change(one) for one in found] for ref, found in super().history(refs).items()}

    return Misremembers


class NewestFirst(FakeTracker):
    def history(self, refs):
        return {ref: list(reversed(found)) for ref, found in super().history(refs).items()}


class OneForAll(FakeTracker):
    def history(self, refs):
        found = [one for some in super().history(refs).values() for one in some]
        return dict.fromkeys(refs, found)


class LooksAndTouches(FakeTracker):
    def history(self, refs):
        for ref in refs:
            self.server.person_sets(ref.id, {"説明": f"{self.server.request_count} 回目"})
        return super().history(refs)


def unreadable_is_empty(task, issue):
    return task if "due" in task.fields else replace(fields(task, due=None), problems=())


def swapped_dates(task, issue):
    return fields(task, start=task.fields.get("due"), due=task.fields.get("start"))


def raw_text(task, issue):
    return fields(task, body=issue.fields["説明"])


def without_empties(task, issue):
    return replace(task, fields={name: value for name, value in task.fields.items() if value is not None})


def a_day_early(sent):
    day = sent.get("期日")
    return {**sent, "期日": (date.fromisoformat(day) - timedelta(days=1)).isoformat()} if day else sent


def title_by(change: Callable[[str], object]) -> Callable[[dict], dict]:
    return lambda sent: {**sent, "件名": change(sent["件名"])} if isinstance(sent.get("件名"), str) else sent


def bytes_cut(text):
    return text.encode()[:60].decode(errors="ignore")


def never_again_todo(sent):
    return {name: value for name, value in sent.items() if value != "未着手"}


def no_way_for_people(self, name, value):
    if name == "assignee" and value is not None:
        return self.table.people[value]
    return Converter.encode(self, name, value)


@dataclass(frozen=True)
class Row:
    fault: str
    driver: type[FakeTracker]
    laws: tuple[str, ...]
    behaviour: Callable[[], Behaviour] = strong


def answering() -> Behaviour:
    return strong(write_answers=True)


def comparing() -> Behaviour:
    return strong(compares=True)


ROWS = [
    Row("no name and no words", Nameless, ("whoami_names_us_or_is_not_supported", "check_answers_findings")),
    Row(
        "an anonymous visitor is somebody",
        AnonymousIsSomebody,
        ("a_lost_login_is_auth_lost", "a_lost_login_proves_no_deletion"),
    ),
    Row("a field stands twice in the schema", DoubleSchema, ("the_schema_names_every_field_once",)),
    Row("a place for everything", HoldsEverything, ("a_title_and_a_status_have_a_place",)),
    Row(
        "markers live in the driver",
        KeepsMarkersToItself,
        ("a_closed_driver_can_be_opened_again_and_sees_the_same",),
    ),
    Row("requests are not counted", CountsNothing, ("requests_are_counted",)),
    Row("it sleeps", Sleeps, ("no_call_sleeps",)),
    Row("a write of nothing touches tasks", TouchesOnEmptyWrite, ("nothing_asked_writes_nothing",)),
    Row("a look touches tasks", TouchesOnListing, ("reading_writes_nothing",)),
    Row(
        "raw errors get out",
        RawErrors,
        ("only_the_errors_of_the_door_get_out", "a_tracker_that_is_down_is_unavailable"),
    ),
    Row(
        "trouble reads as an empty project",
        EmptyWhenInTrouble,
        (
            "a_tracker_that_is_down_is_unavailable",
            "a_busy_tracker_says_until_when",
            "garbage_is_no_empty_project",
        ),
    ),
    Row("one outage ends it for good", DeadForGood, ("after_trouble_everything_is_as_before",)),
    Row(
        "the marker is dropped",
        drafting(lambda sent: {**sent, "目印": None}),
        ("a_created_task_carries_its_marker_at_once", "a_create_whose_answer_is_lost_is_found_by_its_marker"),
    ),
    Row(
        "a create forgets the body",
        drafting(lambda sent: {**sent, "説明": None}),
        ("a_created_task_reads_back_as_its_view",),
    ),
    Row(
        "the answer echoes the wish",
        EchoesTheWish,
        (
            "an_answer_that_holds_the_task_holds_what_a_read_shows",
            "a_done_update_that_holds_the_task_holds_what_a_read_shows",
        ),
        answering,
    ),
    Row(
        "outcomes out of order",
        Reorders,
        (
            "outcomes_come_in_the_order_of_the_drafts",
            "a_batch_larger_than_one_request_keeps_its_order",
            "outcomes_come_in_the_order_of_the_changes",
        ),
    ),
    Row("no marker is ever found", FindsNothing, ("a_created_task_is_found_by_its_marker",)),
    Row("every marker is found everywhere", FindsEverything, ("a_marker_that_nobody_carries_is_not_found",)),
    Row("only the first marker is looked up", FindsTheFirst, ("many_markers_are_looked_up_together",)),
    Row("one holder per marker", OneHolderPerMarker, ("a_copy_shows_two_holders_of_one_marker",)),
    Row("strong in words only", SaysStrongForAnIndex, ("the_lag_of_a_lookup_is_the_one_declared",), index),
    Row(
        "the newest task is left out",
        ForgetsTheNewest,
        (
            "a_created_task_is_in_the_full_listing",
            "a_sweep_holds_every_task",
            "only_a_listing_without_lag_is_complete",
        ),
    ),
    Row(
        "the cursor is in the future",
        CursorInTheFuture,
        (
            "a_created_task_is_listed_after_an_older_cursor",
            "a_persons_change_is_listed_after_the_cursor",
            "a_change_during_a_listing_is_in_this_one_or_the_next",
        ),
    ),
    Row(
        "the cursor forgets the lag",
        CursorForgetsTheLag,
        ("a_change_just_before_a_look_is_in_this_one_or_the_next",),
        index,
    ),
    Row("no cursor", NoCursor, ("every_page_has_a_cursor_to_go_on_from",)),
    Row("a lagging index is complete", AlwaysComplete, ("only_a_listing_without_lag_is_complete",), index),
    Row(
        "a listing out of a cache",
        ListsFromACache,
        ("a_strong_listing_shows_what_was_written_the_moment_before",),
    ),
    Row("listings without bodies", ListsWithoutBodies, ("a_listing_and_a_fetch_agree",)),
    Row("a batch ends at a refusal", StopsAtARefusal, ("one_bad_draft_leaves_the_others_done",)),
    Row("a refusal is done", DoneForARefusal, ("one_bad_draft_leaves_the_others_done",)),
    Row("a lost answer is sent again", SendsAgain, ("a_create_whose_answer_is_lost_is_found_by_its_marker",)),
    Row("done without a connection", DoneWhenDown, ("a_create_without_a_connection_makes_nothing",)),
    Row("one ref for all", OneRefForAll, ("the_refs_carry_one_tracker_name_and_ids_of_their_own",)),
    Row(
        "versions count our looks",
        decoding(lambda task, issue: replace(task, version=str(time.perf_counter_ns()))),
        ("a_second_listing_yields_nothing_new",),
    ),
    Row("what is gone is only hidden", GoneReadsHidden, ("a_deleted_task_is_gone",)),
    Row("what is not seen is gone", HiddenReadsGone, ("a_hidden_task_is_not_gone",)),
    Row("a task for every id", InventsTasks, ("a_task_that_never_was_is_not_present",)),
    Row("the gone are left out", LeavesOutTheGone, ("fetch_answers_every_ref_that_was_asked",)),
    Row(
        "an edit costs the marker",
        decoding(lambda task, issue: replace(task, marker=None) if issue.by_person else task),
        ("the_marker_survives_a_persons_edit",),
    ),
    Row("dates are swapped", decoding(swapped_dates), ("a_person_sees_what_we_see",)),
    Row("empty is absent", decoding(without_empties), ("an_emptied_field_is_empty_and_not_absent",)),
    Row(
        "a field from nowhere",
        decoding(lambda task, issue: fields(task, chapter=None)),
        ("a_field_without_a_place_is_absent",),
    ),
    Row("unreadable is empty", decoding(unreadable_is_empty), ("what_cannot_be_read_is_absent_and_said",)),
    Row(
        "naive moments",
        decoding(lambda task, issue: replace(task, updated_at=task.updated_at.replace(tzinfo=None))),
        ("moments_are_aware",),
    ),
    Row("downloads are empty", EmptyDownloads, ("an_attachment_can_be_downloaded",)),
    Row(
        "any text leads to a task",
        AnswersWithAnything,
        ("a_task_is_found_by_what_a_person_pastes", "a_search_with_no_hits_is_empty"),
    ),
    Row(
        "an update empties the body",
        editing(lambda sent: {**sent, "説明": None}),
        ("an_update_sets_only_what_it_names", "writing_what_is_there_changes_no_value"),
    ),
    Row("an update hits all tasks", TouchesTheTaskBeside, ("an_update_leaves_other_tasks_alone",)),
    Row(
        "priority is never sent",
        editing(lambda sent: {name: value for name, value in sent.items() if name != "優先度"}),
        ("every_field_reads_back_as_its_view_or_is_refused",),
    ),
    Row("one failure for all", OneFailureForAll, ("a_change_to_a_deleted_task_leaves_the_others_done",)),
    Row(
        "status is never sent",
        editing(lambda sent: {name: value for name, value in sent.items() if name != "状態"}),
        ("each_status_reads_back_or_is_refused",),
    ),
    Row("todo is never sent", editing(never_again_todo), ("a_status_can_be_taken_back",)),
    Row("moves of everybody", AnswersForEverybody, ("next_statuses_answers_only_for_what_was_asked",)),
    Row("a day early", editing(a_day_early), ("a_day_stays_that_day",)),
    Row(
        "nothing is ever emptied",
        editing(lambda sent: {name: value for name, value in sent.items() if value is not None}),
        ("a_field_can_be_emptied",),
    ),
    Row(
        "an unknown person is a crash",
        converting(encode=no_way_for_people),
        ("a_person_who_is_unknown_there_is_no_crash",),
    ),
    Row(
        "everybody is the first person",
        editing(lambda sent: {**sent, "担当": "1001"} if "担当" in sent else sent),
        ("people_are_assigned_and_taken_off",),
    ),
    Row("a note without its marker", NoteWithoutMarker, ("a_note_is_written_once_with_its_marker",)),
    Row(
        "a note twice",
        NoteTwice,
        ("a_note_is_written_once_with_its_marker", "a_note_goes_with_fields_in_one_change"),
    ),
    Row(
        "a file under another name",
        hanging(lambda files: tuple(replace(one, name=one.name.partition("__")[0]) for one in files)),
        ("a_file_hangs_there_by_its_name_and_size", "files_hang_on_their_own_task"),
    ),
    Row("a file that comes short", CutsFiles, ("a_file_hangs_there_by_its_name_and_size",)),
    Row(
        "one file per change",
        hanging(lambda files: files[:1]),
        ("files_go_with_fields_and_a_note_in_one_change",),
    ),
    Row("all files on one task", HangsAllOnTheFirst, ("files_hang_on_their_own_task",)),
    Row(
        "the marker is never set later",
        editing(lambda sent: {name: value for name, value in sent.items() if name != "目印"}),
        ("a_marker_can_be_set_on_a_task_that_a_person_made",),
    ),
    Row("it does not compare", BlindToChanges, ("a_change_that_knows_an_older_state_is_refused",), comparing),
    Row("updates beside creates are left out", CreatesOnly, ("creates_and_updates_go_in_one_write",)),
    Row(
        "one field per update",
        editing(lambda sent: dict(list(sent.items())[:1])),
        ("several_fields_go_in_one_change",),
    ),
    Row(
        "Japanese becomes question marks",
        drafting(title_by(lambda text: text.encode("cp932", "replace").decode("cp932"))),
        ("nasty_titles_come_back_as_they_were",),
    ),
    Row(
        "numbers are numbers",
        drafting(title_by(lambda text: str(int(text)) if text.isdigit() else text)),
        ("nasty_titles_come_back_as_they_were",),
    ),
    Row(
        "markup is stripped",
        drafting(
            lambda sent: {**sent, "説明": str(sent["説明"]).replace("<", "")} if sent.get("説明") else sent
        ),
        ("nasty_bodies_come_back_as_they_were",),
    ),
    Row("titles are cut by bytes", editing(title_by(bytes_cut)), ("nasty_text_survives_an_update_too",)),
    Row(
        "a long title is cut without a word",
        converting(view=lambda self, name, value: canonical_text(value) if isinstance(value, str) else value),
        ("a_title_that_is_too_long_reads_back_as_its_view",),
    ),
    Row(
        "a view that is never done",
        showing(lambda name, value: value[:-1] if isinstance(value, str) and len(value) > 3 else value),
        ("a_view_of_a_view_is_the_view",),
    ),
    Row(
        "a view that flips",
        showing(lambda name, value: {"doing": "review", "review": "doing"}.get(value, value)),
        ("a_view_of_a_view_is_the_view_for_every_field",),
    ),
    Row("text as the tracker keeps it", decoding(raw_text), ("what_was_read_is_its_own_view",)),
    Row(
        "every change is ours",
        remembering(lambda entry: replace(entry, author="900")),
        ("a_persons_change_stands_in_the_history_under_their_own_account",),
    ),
    Row(
        "a field by its canonical name",
        remembering(lambda entry: replace(entry, field="status")),
        ("a_persons_change_stands_in_the_history_under_their_own_account",),
    ),
    Row(
        "every change is a person's",
        remembering(lambda entry: replace(entry, author="1001")),
        ("our_own_change_stands_in_the_history_under_our_own_account",),
    ),
    Row("the newest first", NewestFirst, ("a_history_is_oldest_first",)),
    Row(
        "instants without a zone",
        remembering(lambda entry: replace(entry, at=entry.at.replace(tzinfo=None))),
        ("a_history_is_oldest_first",),
    ),
    Row("one history for all", OneForAll, ("a_history_is_told_task_by_task",)),
    Row("a look that leaves a trace", LooksAndTouches, ("reading_a_history_writes_nothing",)),
    Row(
        "line ends are a difference",
        converting(view=lambda self, name, value: value),
        ("text_that_nobody_sees_makes_no_change",),
    ),
]
PARAMETERS = {
    "only_the_errors_of_the_door_get_out": "down",
    "each_status_reads_back_or_is_refused": "doing",
    "a_day_stays_that_day": "2028-02-29",
}
CASES = [pytest.param(row, law, id=f"{row.fault}: {law}") for row in ROWS for law in row.laws]


def run(row: Row, driver: type[FakeTracker], law: str) -> None:
    parameter = [PARAMETERS[law]] if law in PARAMETERS else []
    with closing(Bench(FakeSite(row.behaviour(), driver=driver))) as bench:
        getattr(TrackerContract(), f"test_{law}")(bench, *parameter)


def outcome(row: Row, driver: type[FakeTracker], law: str) -> str:
    """What pytest would say."""
    try:
        run(row, driver, law)
    except pytest.skip.Exception:
        return "skipped"
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure of a test is a failure
        return "failed"
    return "passed"


@pytest.mark.parametrize(("row", "law"), CASES)
def test_the_law_catches_its_fault(row, law):
    """A sound driver passes this law under the same conditions, and the one with the fault does not."""
    assert outcome(row, FakeTracker, law) == "passed"
    assert outcome(row, row.driver, law) == "failed"


def test_every_law_catches_something():
    """No law of the contract stands there for show."""
    laws = {
        name.removeprefix("test_")
        for name, _ in inspect.getmembers(TrackerContract)
        if name.startswith("test_")
    }

    assert {law for row in ROWS for law in row.laws} == laws
    assert len(laws) >= 35
