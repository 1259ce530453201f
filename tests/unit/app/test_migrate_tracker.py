"""A tracker stands somewhere else: a sync into a stranger is stopped, and `migrate` moves the links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.app.office import PLACES, Office, outgoing, pack
from tests.unit.app.test_rebind import adopted, quiet
from ticssync.app import hand_out, settle
from ticssync.app.links import Link, links_file, put_links, read_links
from ticssync.app.migrate_tracker import migrate, parked
from ticssync.errors import SafetyStop, UsageError
from ticssync.model.binding import Binding, BindingState
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef
from ticssync.store import Store, collected
from ticssync.store.bindings import bases, bindings
from ticssync.store.store import replay
from ticssync.store.working import intents
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_plugin import FakePlugin
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.wire import Fault


def elsewhere(office: Office) -> FakeServer:
    """ticssync.yaml leads to another server from here on; it is empty."""
    server = FakeServer(office.clock, Behaviour(fields=PLACES))
    text = (office.root / "ticssync.yaml").read_text("utf-8")
    old, new = office.plugins["a"].name, FakePlugin(server)
    (office.root / "ticssync.yaml").write_text(text.replace(f"server: {old}", f"server: {new.name}"), "utf-8")
    office.close()
    office.plugins["a"] = new
    return server


def imported(office: Office, *, before: int = 0, leave_out: int = 0, reverse: bool = False) -> FakeServer:
    """The issues were moved to a new server, where `before` issues of other people stand already."""
    issues = office.server().issues()
    issues = issues[: len(issues) - leave_out]
    server = elsewhere(office)
    for number in range(before):
        server.person_creates({"件名": f"よその課題 {number}", "状態": "対応中"})
    for one in reversed(issues) if reverse else issues:
        server.person_creates(dict(one.fields))
    return server


def moved(office: Office, **more: Any) -> dict[str, Any]:
    with office.open() as workspace:
        return migrate(workspace, "a", **more)


def stands(office: Office) -> dict[str, tuple[str, str]]:
    with office.open() as workspace, workspace.store.read() as tx:
        return {one.key.item: (one.ref.id, one.state.value) for one in bindings(tx, "a")}


# ── without migrate ───────────────────────────────────────────────────────────────────────────────────


def test_a_sync_into_another_server_under_the_same_name_writes_nothing_and_says_what_to_do(
    office: Office,
) -> None:
    """Its issues have the same ids, and are other people's."""
    office.settle()
    before = stands(office)
    server = imported(office, before=2, leave_out=2)
    there = server.issues()
    office.clock.advance(86_400 * 2)
    result = office.sync()

    report = result.reports["a"]
    assert (result.exit_code, report.state, outgoing(result)) == (5, "safety_stop", [])
    assert "migrate" in report.fix
    assert server.issues() == there
    assert stands(office) == before


def test_settings_that_changed_while_the_tasks_are_there_stop_nobody(office: Office) -> None:
    office.settle()
    imported(office)
    office.clock.advance(60)

    assert office.sync().exit_code == 0
    asked = office.server().request_count
    office.clock.advance(60)
    office.sync()
    assert office.server().request_count - asked <= 2


def test_a_tracker_in_which_nothing_is_bound_may_change_as_it_likes(office: Office) -> None:
    office.sync(read_only=True)
    elsewhere(office)
    office.settle()

    assert set(office.issues()) == {"T-01", "T-02"}


def test_an_issue_of_other_people_under_the_id_of_a_lost_one_is_not_taken_for_it(office: Office) -> None:
    office.settle()
    number = office.issues()["T-02"].id
    office.server().hide(number)
    office.clock.advance(86_400 * 2)
    office.settle()
    assert stands(office)["T-02"][1] == "lost"
    office.server().unhide(number)
    office.server().person_sets(number, {"件名": "よその課題", "目印": None})
    office.clock.advance(86_400 * 2)
    office.settle()

    assert stands(office)["T-02"][1] == "lost"
    assert office.server().issue(number).fields["件名"] == "よその課題"


# ── migrate ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reverse", [False, True])
def test_tasks_with_other_ids_are_found_by_their_markers(office: Office, reverse: bool) -> None:
    """Also where the new id of one is the old id of the other."""
    office.settle()
    before = stands(office)
    server = imported(office, before=0 if reverse else 5, reverse=reverse)

    told = moved(office)

    assert (told["by_marker"], told["by_title"], told["not_found"], len(told["moved"])) == (2, 0, [], 2)
    now = stands(office)
    assert {item: ident for item, (ident, _) in now.items()} == {
        str(one.fields["番号"]): one.id for one in server.issues() if one.fields["番号"]
    }
    assert {state for _, state in now.values()} == {"live"}
    assert now != before
    assert quiet(office)
    office.person("T-01", 状態="対応中")
    office.settle()
    assert office.bound("T-01")["a"].status == "doing"
    assert not office.conflicts()
    assert office.keeps_the_law_of_replay()


def test_a_dry_run_changes_nothing(office: Office) -> None:
    office.settle()
    imported(office, before=5)
    before = (stands(office), len(office.events()))

    told = moved(office, dry=True)

    assert (told["by_marker"], told["event"], len(told["moved"])) == (2, None, 2)
    assert (stands(office), len(office.events())) == before


def test_a_task_without_marker_is_found_by_id_and_title(office: Office) -> None:
    office.settle()
    office.person("T-02", 目印=None)
    imported(office)

    told = moved(office)

    assert (told["by_marker"], told["by_title"], told["moved"]) == (1, 1, [])


def test_links_yaml_gets_the_new_ids(office: Office) -> None:
    number = adopted(office)
    office.settle()
    imported(office, before=5)
    moved(office)

    (link,), _ = read_links(office.root / "links.yaml")
    assert link.id == stands(office)["T-01"][0] != number


def test_where_tasks_are_missing_nothing_is_moved_until_a_person_goes_on_without_them(office: Office) -> None:
    office.settle()
    imported(office, before=5, leave_out=1)
    before = stands(office)
    with pytest.raises(SafetyStop):
        moved(office)
    assert stands(office) == before

    told = moved(office, leave_missing=True)
    assert [one["task"] for one in told["not_found"]] == ["tics/T-02"]
    office.clock.advance(86_400 * 2)
    office.settle()

    assert stands(office)["T-01"][1] == "live"
    assert stands(office)["T-02"][1] == "lost"
    assert set(office.issues()) - {"None"} == {"T-01"}
    assert office.server().issue(before["T-02"][0]).fields["件名"].startswith("よその")


def test_a_server_that_has_none_of_them_is_never_moved_to(office: Office) -> None:
    office.settle()
    elsewhere(office)
    with pytest.raises(SafetyStop):
        moved(office, leave_missing=True)


def test_a_tracker_that_is_not_there_is_told(office: Office) -> None:
    office.settle()
    with office.open() as workspace, pytest.raises(UsageError):
        migrate(workspace, "b")


# ── where a new id is the old id of a task that did not come along ────────────────────────────────────


def arranged(office: Office, *items: str) -> FakeServer:
    """At the new place these stand, in the order of their ids; an empty name is somebody else's issue."""
    # Of an issue and its copy the issue itself.
    issues = {str(one.fields["番号"]): one for one in reversed(office.server().issues())}
    server = elsewhere(office)
    for item in items:
        fields = dict(issues[item].fields) if item else {"件名": "よその課題", "状態": "対応中"}
        server.person_creates(fields)
    return server


def replayed(office: Office) -> tuple[Binding, ...]:
    """The bindings of a store that is made from the log alone."""
    with office.open() as workspace:
        again = Store.memory(workspace.config.workspace, office.clock)
        with workspace.store.read() as tx:
            log = tx.events()
        replay(log, again)
        with again.read() as tx:
            found = bindings(tx, "a")
        again.close()
    return found


def kept(office: Office) -> tuple[Binding, ...]:
    with office.open() as workspace, workspace.store.read() as tx:
        return bindings(tx, "a")


def catalogue(office: Office, *items: str) -> None:
    office.close()
    (office.root / "tics.yaml").write_text(pack("tics", *items), "utf-8")


def made_again(office: Office, item: str) -> int:
    return len([one for one in office.server().issues() if one.fields["番号"] == item])


def listened(server: FakeServer, verb: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that are asked for from here on."""
    asked: list[str] = []
    answer = getattr(server, verb)

    def ask(ids: Sequence[str]) -> Any:
        asked.extend(ids)
        return answer(ids)

    monkeypatch.setattr(server, verb, ask)
    return asked


@pytest.fixture
def overlapping(office: Office) -> Office:
    """T-02 was deleted by a person; T-01 moves to its id, T-04 to that of T-03, which is not there."""
    catalogue(office, "T-01", "T-02", "T-03", "T-04")
    office.settle()
    assert [ident for ident, _ in stands(office).values()] == ["10001", "10002", "10003", "10004"]
    office.server().delete("10002")
    office.clock.advance(86_400 * 2)
    office.settle()
    assert stands(office)["T-02"] == ("10002", "tomb")
    arranged(office, "", "T-01", "T-04")
    return office


def test_a_new_id_that_is_the_old_id_of_a_task_left_behind_takes_no_link_away(overlapping: Office) -> None:
    """Neither the deleted task nor the missing one is made again by itself."""
    moved(overlapping, leave_missing=True)

    after = {
        "T-01": ("10002", "live"), "T-02": ("left:10002", "tomb"), "T-03": ("left:10003", "tomb"), "T-04": ("10003", "live"),
    }  # fmt: skip
    assert stands(overlapping) == after
    assert replayed(overlapping) == kept(overlapping)
    overlapping.clock.advance(86_400 * 2)
    overlapping.settle()
    assert stands(overlapping) == after
    assert [made_again(overlapping, item) for item in after] == [1, 0, 0, 1]
    assert overlapping.keeps_the_law_of_replay()


def test_what_was_left_behind_is_made_again_when_a_person_asks_for_it(overlapping: Office) -> None:
    moved(overlapping, leave_missing=True)
    for item in ("T-02", "T-03"):
        with overlapping.open() as workspace:
            settle.restore(workspace, item)
    overlapping.settle()

    assert [made_again(overlapping, item) for item in ("T-01", "T-02", "T-03", "T-04")] == [1, 1, 1, 1]
    assert quiet(overlapping)
    assert overlapping.keeps_the_law_of_replay()


def test_what_was_agreed_on_a_missing_task_is_not_taken_for_the_one_that_has_its_id(
    overlapping: Office,
) -> None:
    with overlapping.open() as workspace, workspace.store.read() as tx:
        before = {ref.id: base.fields["title"] for ref, base in bases(tx, "a").items()}
    moved(overlapping, leave_missing=True)

    with overlapping.open() as workspace, workspace.store.read() as tx:
        after = {ref.id: base.fields["title"] for ref, base in bases(tx, "a").items()}
    assert (after["10002"], after["10003"], after["left:10003"]) == (
        before["10001"],
        before["10004"],
        before["10003"],
    )


def test_what_came_of_notes_and_files_stays_with_the_task_that_was_left_behind(overlapping: Office) -> None:
    """Else those of the task that has the id now would be taken for known."""
    with overlapping.open() as workspace, workspace.store.write() as tx:
        for item, ident in (("T-03", "10003"), ("T-04", "10004")):
            part = collected.Part(
                RemoteRef("a", ident), "attachment:1", TaskKey("tics", item), "様式.docx", "0" * 64
            )
            collected.pass_over(tx, part, "same", workspace.by())
    moved(overlapping, leave_missing=True)

    with overlapping.open() as workspace, workspace.store.read() as tx:
        found = {(ref.id, one.part.task_key.item) for (ref, _), one in collected.sources(tx, "a").items()}
    assert found == {("left:10003", "T-03")}


def test_a_copy_whose_id_is_taken_is_let_go(office: Office) -> None:
    office.settle()
    assert office.server().copy("10001").id == "10003"
    office.settle()
    arranged(office, "", "T-01", "T-02")

    moved(office)

    assert {(one.key.item, one.ref.id, one.state.value) for one in kept(office)} == {
        ("T-01", "10002", "live"), ("T-02", "10003", "live"), ("T-01", "left:10003", "detached"),
    }  # fmt: skip
    assert replayed(office) == kept(office)
    assert quiet(office)


def test_no_tracker_is_asked_for_the_id_of_what_was_left_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that left the catalogue and comes back is looked for where it stood; it stands nowhere."""
    office.settle()
    catalogue(office, "T-01")
    office.settle()
    assert stands(office)["T-02"] == ("10002", "detached")
    server = arranged(office, "", "T-01")
    moved(office)
    assert stands(office)["T-02"] == ("left:10002", "detached")
    asked = listened(server, "fetch", monkeypatch)

    catalogue(office, "T-01", "T-02")
    office.settle()

    assert made_again(office, "T-02") == 1
    assert not [one for one in asked if one.startswith("left:")]
    assert quiet(office)


def test_what_was_left_behind_twice_under_one_id_stays_two(office: Office) -> None:
    def bound(ident: str, item: str) -> Binding:
        return Binding(RemoteRef("a", ident), TaskKey("tics", item), BindingState.TOMB)

    one, other, moving = bound("left:2", "T-01"), bound("2", "T-02"), bound("5", "T-03")

    assert parked([one, other, moving], {"5": "2"}) == {"left:left:2": other}
    assert parked([one, other, moving], {"5": "2", "2": "5"}) == {}


def test_links_yaml_loses_the_line_whose_id_is_another_tasks_now(overlapping: Office) -> None:
    """Two lines with one id would make the file wrong."""
    with overlapping.open() as workspace:
        file = links_file(workspace.config)
    put_links(
        file,
        [Link(TaskKey("tics", item), "a", ident) for item, ident in (("T-03", "10003"), ("T-04", "10004"))],
    )
    moved(overlapping, leave_missing=True)

    (link,), problems = read_links(file)
    assert (str(link.task), link.id, problems) == ("tics/T-04", "10003", [])


# ── notes and files whose answer was lost ─────────────────────────────────────────────────────────────


def test_a_note_whose_answer_was_lost_is_found_at_the_new_place_and_not_written_twice(office: Office) -> None:
    office.settle()
    with office.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です ㊙")
    office.server().fail_next("update", Fault.ANSWER_LOST)
    office.clock.advance(60)
    office.sync()
    (comment,) = office.server().issue("10001").comments
    server = arranged(office, "", "T-02", "T-01")
    server.person_comments("10003", comment.text)

    moved(office)
    with office.open() as workspace, workspace.store.read() as tx:
        (intent,) = intents(tx, "a")
    assert (intent.op, intent.payload["remote_id"], intent.marker in comment.text) == (
        "comment",
        "10003",
        True,
    )
    office.clock.advance(3_600)
    office.settle()

    assert [one.text for one in server.issue("10003").comments] == [comment.text]
    assert len(office.events("task.noted")) == 1
    assert quiet(office)


def test_a_note_that_did_not_arrive_is_written_once_at_the_new_place(office: Office) -> None:
    office.settle()
    with office.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です")
    office.server().fail_next("update", Fault.ANSWER_LOST)
    office.clock.advance(60)
    office.sync()
    server = arranged(office, "", "T-02", "T-01")

    moved(office)
    office.clock.advance(3_600)
    office.settle()

    assert len(server.issue("10003").comments) == 1
    assert server.issue("10002").comments == ()


def test_a_file_whose_answer_was_lost_is_looked_for_at_the_new_place(office: Office) -> None:
    office.settle()
    form = office.root / "様式.docx"
    form.write_bytes(b"PK\x03\x04 form")
    with office.open() as workspace:
        hand_out.attach(workspace, "T-01", form)
    office.server().fail_next("update", Fault.ANSWER_LOST)
    office.clock.advance(60)
    office.sync()
    (file,) = office.server().issue("10001").attachments
    server = arranged(office, "", "T-02", "T-01")
    server.attach("10003", file.name, form.read_bytes())

    moved(office)
    office.clock.advance(3_600)
    office.settle()

    assert [one.name for one in server.issue("10003").attachments] == [file.name]


def test_a_note_for_a_task_that_was_left_behind_is_looked_for_nowhere(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written when a person has the task made again."""
    office.settle()
    with office.open() as workspace:
        hand_out.note(workspace, "T-02", "期限は月末です")
    office.server().fail_next("update", Fault.ANSWER_LOST)
    office.clock.advance(60)
    office.sync()
    server = arranged(office, "", "T-01")
    asked = listened(server, "comments", monkeypatch)

    moved(office, leave_missing=True)
    office.clock.advance(3_600)
    office.settle()
    assert not [one for one in asked if one.startswith("left:")]
    assert not [one for one in server.issues() if one.comments]
    with office.open() as workspace:
        settle.restore(workspace, "T-02")
    office.settle()

    assert [len(one.comments) for one in server.issues()] == [0, 0, 1]
