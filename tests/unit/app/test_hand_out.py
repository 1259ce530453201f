"""`task note`, `task attach` and `task recall`: what the office gives along, what is refused, what is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.app.office import Office, outgoing
from ticssync.app import hand_out
from ticssync.app.why import why
from ticssync.cli import task as task_commands
from ticssync.errors import UsageError
from ticssync.store.locker import Locker
from ticssync.testing.wire import Fault

FORM = b"PK\x03\x04 form"


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """A form with a Japanese name."""
    file = tmp_path / "様式1 誓約書.docx"
    file.write_bytes(FORM)
    return file


@pytest.fixture
def synced(office: Office) -> Office:
    """The tasks stand in the tracker."""
    office.settle()
    return office


def give(office: Office, file: Path, words: str = "", item: str = "T-01") -> dict[str, object]:
    with office.open() as workspace:
        return hand_out.attach(workspace, item, file, words)


def tell(office: Office, words: str, item: str = "T-01") -> dict[str, object]:
    with office.open() as workspace:
        return hand_out.note(workspace, item, words)


def waits(office: Office, item: str = "T-01") -> list[tuple[str, str]]:
    with office.open() as workspace:
        found = why(workspace, item)["waiting"]
    shown = [one for task in office.criterion(item)["tasks"] for one in task["waiting"]]
    assert found == shown
    return [(one["what"], one["state"]) for one in found]


def refused(office: Office, file: Path, words: str = "") -> list[str]:
    with pytest.raises(UsageError) as caught:
        give(office, file, words)
    return [str(one.message) for one in caught.value.problems]


def test_a_file_and_its_note_are_kept_told_and_put_there_by_the_next_sync(synced: Office, form: Path) -> None:
    answer = give(synced, form, "記入してください")
    told = waits(synced)
    form.unlink()
    synced.settle()
    issue = synced.issues()["T-01"]

    assert list(answer) == ["event", "task", "file", "sha256"]
    assert (answer["task"], [one.name for one in issue.attachments]) == ("tics/T-01", [answer["file"]])
    assert synced.server().files[issue.attachments[0].id] == FORM
    assert [one.text.split("\n")[0] for one in issue.comments] == ["記入してください"]
    assert (told, waits(synced)) == ([("file", "waiting"), ("note", "waiting")], [])
    with synced.open() as workspace:
        kept = Locker(workspace.config.path(workspace.config.values.locker))
        assert kept.verify(str(answer["sha256"])) == "ok"
    assert synced.keeps_the_law_of_replay()


def test_notes_of_one_moment_are_both_kept(synced: Office) -> None:
    tell(synced, "一つ目")
    tell(synced, "二つ目")
    synced.settle()

    assert [one.text.split("\n")[0] for one in synced.issues()["T-01"].comments] == ["一つ目", "二つ目"]


def test_a_file_that_waits_already_is_not_put_there_twice(synced: Office, form: Path) -> None:
    give(synced, form)
    synced.clock.advance(5)
    give(synced, form)
    told = waits(synced)
    synced.settle()

    assert (told, len(synced.issues()["T-01"].attachments)) == ([("file", "waiting")], 1)


def test_a_file_whose_answer_was_lost_is_told_as_sent(synced: Office, form: Path) -> None:
    give(synced, form)
    synced.server().fail_next("update", Fault.ANSWER_LOST)
    synced.sync()

    assert waits(synced) == [("file", "sent")]


def test_a_file_that_was_refused_is_told_and_tried_again_where_it_is_given_again(
    synced: Office, form: Path
) -> None:
    synced.server().behaviour.drops_files = True
    give(synced, form)
    result = synced.sync()
    told = waits(synced)
    synced.server().behaviour.drops_files = False
    quiet = outgoing(synced.sync())
    synced.clock.advance(5)
    give(synced, form)
    synced.settle()

    assert (result.exit_code, told, quiet) == (1, [("file", "refused")], [])
    assert (len(synced.issues()["T-01"].attachments), synced.refusals(), waits(synced)) == (1, (), [])


def test_what_waits_can_be_recalled(synced: Office, form: Path) -> None:
    synced.server().behaviour.drops_files = True
    give(synced, form)
    synced.sync()
    tell(synced, "やはり不要です")
    with synced.open() as workspace:
        answer = hand_out.recall(workspace, "T-01")
    result = synced.settle()

    assert (answer["recalled"], waits(synced), synced.refusals()) == (2, [], ())
    assert (result.exit_code, synced.issues()["T-01"].comments) == (0, ())
    with synced.open() as workspace, pytest.raises(UsageError, match="nothing waits"):
        hand_out.recall(workspace, "T-01")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("空.docx", b"", "it is empty"),
        ("様式.pdf.exe", b"MZ", "its name makes a program look like a document"),
        ("道具.bat", b"@echo", "it is a program or a script"),
        ("近道.lnk", b"L\x00", "it is a shortcut"),
    ],
)
def test_what_hand_in_would_not_take_is_not_given_out_either(
    synced: Office, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    (why_not,) = refused(synced, file)
    assert words in why_not
    assert waits(synced) == []


def test_a_file_larger_than_the_tracker_takes_is_refused_with_both_sizes(synced: Office, form: Path) -> None:
    synced.server().behaviour.upload_limit = 3

    (why_not,) = refused(synced, form)
    assert why_not == "it is too large for a: 9 bytes, at most 3"


def test_a_tracker_that_is_down_does_not_keep_a_file_from_being_given(synced: Office, form: Path) -> None:
    synced.server().behaviour.down = True
    give(synced, form)
    synced.server().behaviour.throttled_until = synced.clock() + timedelta(seconds=1)
    synced.server().behaviour.down = False
    synced.clock.advance(60)
    synced.settle()

    assert len(synced.issues()["T-01"].attachments) == 1


def test_where_there_is_no_place_for_files_and_notes_all_reasons_are_told_at_once(
    office: Office, form: Path
) -> None:
    office.server().behaviour.takes_files = office.server().behaviour.takes_notes = False
    office.settle()

    assert refused(office, form, "記入") == ["a has no place for files", "a has no place for notes"]
    assert refused(office, form, " ") == [
        "a has no place for files",
        "the note is empty",
        "a has no place for notes",
    ]


def test_a_file_that_is_not_there_is_refused(synced: Office, tmp_path: Path) -> None:
    assert refused(synced, tmp_path / "ない.docx") == [f"{tmp_path / 'ない.docx'} does not exist"]


def test_a_task_that_nothing_is_written_to_takes_nothing(synced: Office) -> None:
    from ticssync.app import settle

    synced.server().delete(synced.issues()["T-02"].id)
    synced.clock.advance(90_000)
    synced.settle()
    with pytest.raises(UsageError, match="was deleted in a"):
        tell(synced, "記入してください", "T-02")
    with synced.open() as workspace:
        settle.drop(workspace, "T-01")
    with pytest.raises(UsageError, match="was let go"):
        tell(synced, "記入してください")
    synced.configure(route=())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("様式.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
     ("見本.PDF", "application/pdf"), ("写真.jpg", "image/jpeg"), ("何か.誓約", "application/octet-stream")],
)  # fmt: skip
def test_what_a_file_is_follows_its_name_on_every_machine(name: str, kind: str) -> None:
    assert hand_out.content_type(name) == kind


def test_the_commands_answer_in_the_shape_of_the_contract(
    synced: Office, form: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ticssync.app import workspace as workspaces

    monkeypatch.setattr(workspaces, "open_workspace", lambda _around: synced.open())
    run = CliRunner()
    gave = run.invoke(task_commands.command, ["attach", "T-01", str(form), "--note", "記入を", "--json"])
    told = run.invoke(task_commands.command, ["note", "T-01", "期限は月末です"])

    found = json.loads(gave.stdout)
    assert (gave.exit_code, told.exit_code) == (0, 0)
    assert set(found) == {"event", "task", "file", "sha256"}
    assert "T-01" in told.output
