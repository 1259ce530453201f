"""The table of the fault harness tells what was handed in, and does not pass over what is not as it must be."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.faults import table
from tests.faults.table import HISTORIES, REACHED_AT_LEAST, Harm, Lived, Tally, hand_in, main

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(table.OUT, str(tmp_path / "out"))
    return tmp_path / "out"


def lived(**changes: object) -> Lived:
    reached = {"died": REACHED_AT_LEAST}
    made: dict[str, object] = {
        "setup": "fake",
        "seed": 1,
        "histories": HISTORIES,
        "violations": 0,
        "reached": reached,
    }
    return Lived(**{**made, "wanted": ["died"], **changes})  # type: ignore[arg-type]


def tell(harm: Harm = Harm(), passes: int = 1) -> None:  # noqa: B008 - frozen
    with Tally("fake", "first sync", "death", found=2) as tally:
        tally.add(passes, harm, "point 1")


def test_the_shares_of_a_row_from_several_workers_are_one_line(out: Path, tmp_path: Path) -> None:
    tell(passes=2)
    tell()
    hand_in(lived())

    assert main([str(out)], NOW, tmp_path / "FAULTS.md") == 0
    (row,) = json.loads((tmp_path / "FAULTS.json").read_text("utf-8"))["rows"]
    assert (row["found"], row["tried"], row["passes"], row["failed"]) == (2, 2, 2, 0)
    assert "| fake | first sync | death | 2 | 2 | 0 | 0 | 0 | 0 | 2 | 0 |" in (
        tmp_path / "FAULTS.md"
    ).read_text("utf-8")


@pytest.mark.parametrize(
    ("harm", "passes"),
    [(Harm(duplicates=1), 1), (Harm(lost=1), 1), (Harm(tombs=1), 1), (Harm(storms=1), 1), (Harm(), 4)],
)
def test_a_point_that_was_not_lived_through_fails_its_test_and_stands_in_the_table(
    out: Path, tmp_path: Path, harm: Harm, passes: int
) -> None:
    with pytest.raises(AssertionError, match="point 1"):
        tell(harm, passes)
    hand_in(lived())

    assert main([str(out)], NOW, tmp_path / "FAULTS.md") == 1
    assert "- fake, first sync, death: 1 of 1 points (point 1" in (tmp_path / "FAULTS.md").read_text("utf-8")


def test_a_test_that_stops_on_the_way_leaves_no_row_without_a_fault(out: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Tally("fake", "first sync", "death", found=2):
        raise RuntimeError
    hand_in(lived())

    assert main([str(out)], NOW, tmp_path / "FAULTS.md") == 1


@pytest.mark.parametrize(
    "changes", [{"histories": HISTORIES - 1}, {"violations": 1}, {"reached": {"died": REACHED_AT_LEAST - 1}}]
)
def test_too_few_histories_a_violation_or_a_step_that_hardly_came_up_is_told(
    out: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    tell()
    hand_in(lived(**changes))

    assert main([str(out)], NOW, tmp_path / "FAULTS.md") == 1


def test_a_folder_without_a_row_is_no_success(tmp_path: Path) -> None:
    assert main([str(tmp_path)], NOW, tmp_path / "FAULTS.md") == 1
