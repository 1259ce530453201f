"""`calendar:` of ticssync.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticssync.config import load_config

FILE = """\
version: 1
workspace: {id: k7m2q9wx4d, name: ㈱髙﨑精機}
calendar:
  time_zone: "%s"
"""


def loaded(tmp_path: Path, zone: str):
    file = tmp_path / "ticssync.yaml"
    file.write_text(FILE % zone, "utf-8")
    return load_config(file, {})


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "Europe/Berlin"])
def test_a_zone_that_exists_is_taken(tmp_path: Path, zone: str):
    config, problems = loaded(tmp_path, zone)

    assert problems == []
    assert config is not None
    assert config.values.calendar.time_zone == zone


@pytest.mark.parametrize(
    ("zone", "near"),
    [("Asia/Tokio", "Asia/Tokyo"), ("Japann", "Japan"), ("Asia", ""), ("../../etc/passwd", ""), ("/etc", ""), ("", ""), ("東京", "")],
)  # fmt: skip
def test_a_mistyped_zone_is_told_with_its_place_and_the_nearest_name(tmp_path: Path, zone: str, near: str):
    """Also a folder of zones, a path and nothing at all: zoneinfo has another error for each."""
    config, (problem,) = loaded(tmp_path, zone)

    assert config is None
    assert (problem.line, problem.column) == (4, 14)
    assert f"{zone} is no time zone; did you mean " in problem.message
    assert near in problem.message
