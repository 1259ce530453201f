"""A key that a mapping file cannot have is told with its place: nothing that a person wrote is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticssync.mapping import load_mapping

GOOD = """\
version: 1
kind: fake
title: "{{ title }}"
due: {anchor: planned, days: 30}
collect: {notes: true}
fields:
  title: 件名
  status: {to: 状態, owner: merge}
statuses: {未着手: todo, 対応中: doing, 完了: done}
overrides:
  T-14: {title: 教育}
"""


def loaded(folder: Path, text: str):
    file = folder / "割り付け.yaml"
    file.write_text(text, "utf-8")
    return load_mapping(file, item_ids=["T-14"])


def test_the_file_without_a_slip_is_taken(tmp_path: Path) -> None:
    mapping, problems = loaded(tmp_path, GOOD)

    assert mapping is not None
    assert problems == []


@pytest.mark.parametrize(
    ("right", "slip", "line"),
    [
        ("title:", "titel:", 3),
        ("days: 30", "day: 30", 4),
        ("notes: true", "note: true", 5),
        ("owner: merge", "ownr: merge", 8),
        ("{title: 教育}", "{titel: 教育}", 11),
        ("version: 1\n", "version: 1\nmarkr: 目印\n", 2),
    ],
)
def test_a_slip_in_a_key_is_told_with_its_line(tmp_path: Path, right: str, slip: str, line: int) -> None:
    mapping, problems = loaded(tmp_path, GOOD.replace(right, slip, 1))

    assert mapping is None
    assert [one.line for one in problems] == [line]
    assert slip.partition(":")[0].removeprefix("{").rpartition("\n")[2] in str(problems[0].message)
