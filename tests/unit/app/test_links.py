"""`links.yaml`: written whole, read with places, people's comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticssync.app.links import Link, put_links, read_links, set_aside, take_out, trusted
from ticssync.errors import UsageError
from ticssync.model.key import TaskKey

AT = "2026-04-01T00:00:00.000000Z"


def link(item: str, ident: str, tracker: str = "a", shown: str = "") -> Link:
    return Link(TaskKey("tics", item), tracker, ident, shown, "hanako@pc", AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "links.yaml"


def pairs(file: Path) -> list[tuple[str, str]]:
    return [(one.task.item, one.id) for one in trusted(file)]


@pytest.mark.parametrize(
    "ident", ["0123", "1e5", "true", "null", "1.10", "2026-04-01", "TICS-12", "髙﨑: #5"]
)
def test_an_id_is_a_text_whatever_it_looks_like(file: Path, ident: str) -> None:
    put_links(file, [link("T-01", ident, shown="#123")])

    assert [(one.id, one.shown, one.by, one.at) for one in trusted(file)] == [
        (ident, "#123", "hanako@pc", AT)
    ]


def test_a_newer_link_of_the_same_place_takes_the_older_one_s_line(file: Path) -> None:
    put_links(file, [link("T-01", "1"), link("T-01", "2", "b")])
    put_links(file, [link("T-01", "3")])

    assert sorted(pairs(file)) == [("T-01", "2"), ("T-01", "3")]


def test_comments_stay_with_the_line_that_they_are_about(file: Path) -> None:
    put_links(file, [link("T-01", "1"), link("T-02", "2"), link("T-03", "3")])
    text = file.read_text("utf-8").replace(
        "  - task: tics/T-02", "  # 佐藤さんに確認済 ㊙\n  - task: tics/T-02  # 本社"
    )
    file.write_text(f"# うちの注記\n{text}", "utf-8")
    take_out(file, TaskKey("tics", "T-01"))
    put_links(file, [link("T-04", "4")])

    found = file.read_text("utf-8")
    assert found.startswith("# うちの注記\n")
    assert (
        found.index("佐藤さんに確認済 ㊙")
        < found.index("tics/T-02")
        < found.index("# 本社")
        < found.index("tics/T-03")
    )
    assert pairs(file) == [("T-02", "2"), ("T-03", "3"), ("T-04", "4")]


def test_the_last_line_may_go_and_others_may_come(file: Path) -> None:
    put_links(file, [link("T-01", "1")])
    file.write_text(file.read_text("utf-8").replace("  - task", "  # 一件目\n  - task"), "utf-8")
    assert take_out(file, TaskKey("tics", "T-01"))
    assert pairs(file) == []
    put_links(file, [link("T-02", "2")])
    assert pairs(file) == [("T-02", "2")]


def test_a_line_of_another_tracker_stays(file: Path) -> None:
    put_links(file, [link("T-01", "1"), link("T-01", "2", "b")])
    take_out(file, TaskKey("tics", "T-01"), "b")

    assert pairs(file) == [("T-01", "1")]


def test_taking_out_what_is_not_there_leaves_the_file_alone(file: Path) -> None:
    put_links(file, [link("T-01", "1")])
    before = file.stat().st_mtime_ns, file.read_bytes()

    assert not take_out(file, TaskKey("tics", "T-02"))
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


@pytest.mark.parametrize("text", ["version: 1\n", "version: 1\nlinks:\n", "version: 1\nlinks: []\n"])
def test_a_file_without_links_is_in_order(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")

    assert pairs(file) == []
    put_links(file, [link("T-02", "2")])
    assert pairs(file) == [("T-02", "2")]


def test_no_file_means_no_links(file: Path) -> None:
    assert read_links(file) == ((), [])


def test_a_file_saved_by_a_windows_editor_is_read_and_changed(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfversion: 1\r\nlinks:\r\n  - {task: tics/T-01, tracker: a, id: '1'}\r\n")
    put_links(file, [link("T-02", "2")])

    assert pairs(file) == [("T-01", "1"), ("T-02", "2")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("version: 2\n", [(1, 10)]),
        ("version: 1\nlinks:\n  - {task: T-01, tracker: a, id: '1'}\n  - {task: tics/T-02, tracker: a, id: 2}\n", [(3, 12), (4, 39)]),
        ("version: 1\nlinks:\n  - {task: tics/T-01, tracker: a, id: '1', who: me}\n", [(3, 49)]),
        ("version: 1\nlinks:\n  - {task: tics/T-01, tracker: a, id: '1'}\n  - {task: tics/T-01, tracker: a, id: '2'}\n", [(4, 12)]),
        ("version: 1\nlinks:\n  - {task: tics/T-01, tracker: a, id: '1'}\n  - {task: tics/T-02, tracker: a, id: '1'}\n", [(4, 39)]),
        ("version: 1\nlinks：\n  - x\n", [(4, 1)]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(
    file: Path, text: str, places: list[tuple[int, int]]
) -> None:
    file.write_text(text, "utf-8")

    assert [(one.line, one.column) for one in read_links(file)[1]] == places
    with pytest.raises(UsageError):
        put_links(file, [link("T-09", "9")])
    assert file.read_text("utf-8") == text


def test_a_copy_s_links_are_kept_under_another_name(file: Path) -> None:
    put_links(file, [link("T-01", "1")])
    aside = set_aside(file, "k7m2q9wx4d")

    assert aside is not None
    assert (pairs(aside), file.exists()) == ([("T-01", "1")], False)
