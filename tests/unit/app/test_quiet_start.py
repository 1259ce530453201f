"""A quiet start: a few items first, and a list of what was made, for undoing by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.unit.app.office import Office, outgoing, pack
from ticssync.app import created
from ticssync.app.sync_once import SyncResult
from ticssync.cli.passes import show_pass
from ticssync.cli.screen import Screen
from ticssync.testing.wire import Fault
from ticssync.text import Text


def lists(office: Office) -> dict[str, list[dict[str, str]]]:
    """File → its rows."""
    found = {}
    for file in sorted((office.root / "created").glob("*.csv")):
        raw = file.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        found[file.name] = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    return found


def test_a_pilot_leaves_the_rest_untouched_and_a_full_sync_makes_it(office: Office) -> None:
    """`--only` for plan and for sync; the second pass makes what is missing and nothing twice."""
    assert outgoing(office.sync(dry=True, only=("T-02",))) == ["a:create:T-02"]
    assert outgoing(office.sync(only=("T-02",))) == ["a:create:T-02"]
    assert list(office.issues()) == ["T-02"]
    assert outgoing(office.sync()) == ["a:create:T-01"]
    assert sorted(office.issues()) == ["T-01", "T-02"]


def test_a_pilot_takes_in_the_rest_and_writes_none_of_it(office: Office) -> None:
    """Somebody changed a title of ours in another item: a partial pass leaves it, a full one puts it right."""
    office.settle()
    office.person("T-01", 件名="わたしの題名", 状態="対応中")
    office.clock.advance(60)
    office.sync(only=("T-02",))

    assert (office.issues()["T-01"].fields["件名"], office.criterion("T-01")["task_status"]) == (
        "わたしの題名",
        "doing",
    )
    office.settle()
    assert office.issues()["T-01"].fields["件名"] == "項目T-01"


def test_what_a_pass_made_is_listed_with_where_it_stands(office: Office) -> None:
    result = office.sync()
    report = result.reports["a"]

    made = [(one["task"], one["key"], one["url"], one["title"]) for one in report.created_keys]
    assert made == [
        ("tics/T-01", "FAKE-1", "https://fake.example/FAKE-1", "項目T-01"),
        ("tics/T-02", "FAKE-2", "https://fake.example/FAKE-2", "項目T-02"),
    ]
    assert [tuple(row.values()) for row in lists(office)["2026-04-01-a.csv"]] == [
        (key, task, url, title) for task, key, url, title in made
    ]
    assert (report.plain()["created_keys"], report.plain()["created_list"]) == (
        report.created_keys, str(office.root / "created" / "2026-04-01-a.csv"),
    )  # fmt: skip


def test_further_passes_of_the_day_are_appended(office: Office) -> None:
    office.sync(only=("T-02",))
    office.sync()

    assert {name: [row["task"] for row in rows] for name, rows in lists(office).items()} == {
        "2026-04-01-a.csv": ["tics/T-02", "tics/T-01"]
    }


def test_a_plan_and_an_idle_pass_write_no_list(office: Office) -> None:
    office.sync(dry=True)
    assert not (office.root / "created").exists()
    office.sync()
    before = (office.root / "created" / "2026-04-01-a.csv").read_bytes()
    office.settle()
    assert (office.root / "created" / "2026-04-01-a.csv").read_bytes() == before


def test_a_task_whose_answer_was_lost_is_listed_by_the_pass_that_finds_it(office: Office) -> None:
    office.server().fail_next("create", Fault.ANSWER_LOST)
    first = office.sync(only=("T-01",))
    office.clock.advance(60)
    office.sync(only=("T-01",))

    assert first.reports["a"].created_keys == []
    assert [row["key"] for row in lists(office)["2026-04-01-a.csv"]] == ["FAKE-1"]


def test_a_list_that_stands_open_elsewhere_is_written_beside(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows a file open in Excel cannot be replaced: the pass is not stopped, and nothing is left out."""
    office.sync(only=("T-02",))
    real = created.write_file

    def locked(file: Path, content: bytes) -> None:
        if file.name == "2026-04-01-a.csv":
            raise PermissionError(13, "in use")
        real(file, content)

    monkeypatch.setattr(created, "write_file", locked)
    report = office.sync().reports["a"]

    assert Path(report.created_list).name != "2026-04-01-a.csv"
    assert [row["task"] for row in lists(office)[Path(report.created_list).name]] == ["tics/T-01"]


def test_a_folder_that_takes_no_list_stops_nothing(office: Office) -> None:
    (office.root / "created").write_text("ここには置けません", "utf-8")
    report = office.sync().reports["a"]

    assert [one["id"] for one in report.notices] == ["created_list"]
    assert (len(report.created_keys), len(office.issues())) == (2, 2)


def shown(result: SyncResult, capsys: pytest.CaptureFixture[str], *, fancy: bool, dry: bool = False) -> str:
    screen = Screen(Text("ja"))
    screen.fancy = fancy
    show_pass(result, screen, dry=dry)
    return capsys.readouterr().out


def test_the_list_and_how_to_undo_stand_on_the_screen(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shown(office.sync(), capsys, fancy=False)

    assert "FAKE-1  tics/T-01  https://fake.example/FAKE-1" in words
    assert "ticssync task drop KEY" in words


def test_a_long_list_is_summed_up_on_a_terminal_and_whole_in_a_pipe(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    (office.root / "tics.yaml").write_text(
        pack("tics", *(f"T-{number:02}" for number in range(1, 31))), "utf-8"
    )
    result = office.sync()

    assert shown(result, capsys, fancy=True).count("fake.example") == 12
    assert shown(result, capsys, fancy=False).count("fake.example") == 30
