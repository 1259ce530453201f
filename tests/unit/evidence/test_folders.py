"""The drop folders: one per item, kept however people rename them, names that Windows can hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticssync.evidence.folders import (
    NAME_MAX,
    criterion_folder,
    folder_name,
    item_of_folder,
    items_in_name,
    make_folders,
    unknown_in_name,
)
from ticssync.testing.samples import TITLES
from ticssync.text import Text

from .factory import IDS, ITEMS, item


def names(drop: Path) -> list[str]:
    return sorted(path.name for path in drop.iterdir())


def test_the_folders_are_made_once_and_again_without_a_change(tmp_path: Path):
    """未分類, 受付済, a folder per item and the instructions; a second run changes nothing."""
    drop = make_folders(tmp_path, ITEMS, Text("ja"))
    first = names(drop)
    make_folders(tmp_path, ITEMS, Text("ja"))

    assert drop == tmp_path / "証跡受付"
    assert {"00_未分類", "受付済", "置き方.txt", "T-14_従業員を教育・訓練する"} <= set(first)
    assert len(first) == len(ITEMS) + 3
    assert names(drop) == first


def test_titles_follow_the_readers_language(tmp_path: Path):
    """English where English was asked for; the fixed folders keep their names."""
    drop = make_folders(tmp_path, [item("T-14")], Text("en"))

    assert names(drop) == ["00_未分類", "T-14_Educate and train staff", "受付済", "置き方.txt"]


@pytest.mark.parametrize("name", ["T-14", "T-14_教育（総務 田中）", "Ｔ－１４＿教育", "t-14_kyoiku"])
def test_a_renamed_folder_is_kept(tmp_path: Path, name: str):
    """Whoever renames a folder behind its number finds no second one beside it."""
    (tmp_path / "証跡受付" / name).mkdir(parents=True)

    drop = make_folders(tmp_path, [item("T-14")], Text("ja"))

    assert names(drop) == sorted(["00_未分類", name, "受付済", "置き方.txt"])
    assert criterion_folder(drop, "T-14") == drop / name


def test_t_1_and_t_14_are_two_items(tmp_path: Path):
    """A number that begins like another is not taken for it."""
    drop = make_folders(tmp_path, [item("T-14")], Text("ja"))

    assert criterion_folder(drop, "T-1") is None
    assert item_of_folder("T-14_教育", ["T-1", "T-14"]) == "T-14"
    assert item_of_folder("T-14教育", ["T-1", "T-14"]) is None


def test_a_file_called_like_a_folder_is_no_folder(tmp_path: Path):
    """Only a folder takes files in."""
    drop = tmp_path / "証跡受付"
    drop.mkdir()
    (drop / "T-14_メモ").write_text("x")

    make_folders(tmp_path, [item("T-14")], Text("ja"))

    assert criterion_folder(drop, "T-14") == drop / "T-14_従業員を教育・訓練する"


def test_the_instructions_open_in_an_old_notepad_and_are_not_overwritten(tmp_path: Path):
    """UTF-8 with the mark, CRLF only, Japanese before English; a company's own wording stays."""
    how_to = make_folders(tmp_path, ITEMS, Text("ja")) / "置き方.txt"
    raw = how_to.read_bytes()
    words = raw.decode("utf-8-sig")

    assert raw.startswith(b"\xef\xbb\xbf")
    assert words.count("\n") == words.count("\r\n") > 20
    assert words.index("証跡の置き方") < words.index("How to hand in evidence")
    how_to.write_text("当社の決まり", "utf-8")
    make_folders(tmp_path, ITEMS, Text("ja"))
    assert how_to.read_text("utf-8") == "当社の決まり"


@given(st.text(max_size=120) | st.sampled_from(list(TITLES.values())))
def test_any_title_makes_a_name_that_windows_holds(title: str):
    """At most 40 units of UTF-16, nothing forbidden, no blank or dot at the end, found by its number."""
    name = folder_name("T-14", title)

    assert len(name.encode("utf-16-le")) // 2 <= NAME_MAX
    assert not set(name) & set('\\/:*?"<>|') | {char for char in name if ord(char) < 32}
    assert name[-1] not in " ."
    assert item_of_folder(name, IDS) == "T-14"


def test_windows_counts_rare_characters_twice():
    """𠮷 is two units there: half as many of them fit."""
    assert folder_name("T-14", "𠮷" * 60) == "T-14_" + "𠮷" * 17


@pytest.mark.parametrize("whole", ["か\u309a", "葛\U000e0100", "👨‍👩‍👧", "𠮷"])
def test_a_character_is_never_cut_in_two(whole: str):
    """What does not fit any more is left out whole: no half kana, variant, family or surrogate."""
    name = folder_name("T-14", "あ" * 34 + whole + "い")

    assert name.removeprefix("T-14_").rstrip("い") in ("あ" * 34, "あ" * 34 + whole)


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("T-14_名簿.pdf", ("T-14",)),
        ("T-14.pdf", ("T-14",)),
        ("T-14名簿.pdf", ("T-14",)),
        ("T-14,T-15_名簿.pdf", ("T-14", "T-15")),
        ("T-14、T-15、T-21 名簿.pdf", ("T-14", "T-15", "T-21")),
        ("T-14_T-15_名簿.pdf", ("T-14", "T-15")),
        ("T-14，T-14_名簿.pdf", ("T-14",)),
        ("ｔ－１４＿名簿.pdf", ("T-14",)),
        ("T-14_2026_T-15.pdf", ("T-14",)),
        ("T-14_T-99_x.pdf", ("T-14",)),
        ("T-14,名簿.pdf", ("T-14",)),
        ("T-14,2026-11-05_名簿.pdf", ("T-14",)),
        ("T-140_名簿.pdf", ()),
        ("T-14-2_名簿.pdf", ()),
        ("名簿_T-14.pdf", ()),
        ("SCAN0001.pdf", ()),
        ("", ()),
    ],
)
def test_a_name_tells_its_items_at_its_beginning(name: str, items: tuple[str, ...]):
    """Joined by commas or underscores, in narrow or wide letters; a number further on is only text."""
    assert items_in_name(name, IDS) == items


@pytest.mark.parametrize(
    ("name", "slip"),
    [
        ("T-14,T-99_x.pdf", "T-99"),
        ("T-14、Ｔ－９９　x.pdf", "T-99"),
        ("T-14,T-15,R-1.pdf", "R-1"),
        ("T-14, t-99_T-15.pdf", "t-99"),
    ],
)
def test_a_list_with_an_unknown_item_names_none(name: str, slip: str):
    """Taken for T-14 alone, the file would be missing where it was meant to be."""
    assert items_in_name(name, IDS) == ()
    assert unknown_in_name(name, IDS) == slip


def test_where_items_are_numbered_without_letters_a_number_in_a_list_is_one():
    """`101,102` of a company's own scheme: 103 is a slip there, while elsewhere a number is a day."""
    assert unknown_in_name("101,103_x.pdf", ["101", "102"]) == "103"
    assert unknown_in_name("T-14,103_x.pdf", IDS) is None
