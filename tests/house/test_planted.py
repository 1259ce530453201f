"""The list of planted faults is in order: each can still be planted, in the way that it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.planted.__main__ import main
from tests.planted.fault import Fault, Stale, stale
from tests.planted.faults import FAULTS
from tests.planted.table import LEFT_OUT, verdict
from tests.planted.workshop import NOT_THE_COPY, Ran

AREAS = frozenset({
    "merge", "plan", "apply", "record", "recover", "identity", "look", "safety", "quiet", "cycle", "store", "lease",
    "locker", "evidence", "collect", "mapping", "driver redmine", "driver workbook", "http", "deadlines", "reminders",
    "bundle verify", "bundle export", "confirm", "links", "places", "secrets",
})  # fmt: skip
"""What must be broken at least once; a new area is entered here with its first faults."""

LEAST = 240


def a_fault(**changes: object) -> Fault:
    values: dict[str, object] = {
        "id": "one", "area": "merge", "suffers": "Something.", "file": "part.py", "find": "a == b", "put": "a != b",
        "tests": ("part.py",),
    }  # fmt: skip
    return Fault(**{**values, **changes})  # type: ignore[arg-type]


def test_every_fault_can_still_be_planted() -> None:
    """Its text stands exactly once in its file, what it becomes is Python, and its tests are there."""
    assert stale(FAULTS) == []


def test_every_fault_has_a_name_of_its_own_and_changes_something() -> None:
    assert [name for name, count in Counter(one.id for one in FAULTS).items() if count > 1] == []
    assert [one.id for one in FAULTS if one.find == one.put] == []


def test_every_area_is_broken_somewhere_and_there_are_enough_of_them() -> None:
    assert {one.area for one in FAULTS} == AREAS
    assert len(FAULTS) >= LEAST


def test_every_fault_says_in_a_sentence_what_a_user_would_suffer() -> None:
    assert [one.id for one in FAULTS if not one.suffers.endswith(".") or len(one.suffers) < 20] == []
    assert [name for name, count in Counter(one.suffers for one in FAULTS).items() if count > 1] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a == b\n", ""),
        ("a is b\n", "one: its text stands 0 times in part.py"),
        ("a == b\na == b\n", "one: its text stands 2 times in part.py"),
    ],
)
def test_a_text_that_does_not_stand_there_once_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "part.py").write_text(text)

    assert stale((a_fault(),), tmp_path) == ([problem] if problem else [])
    if problem:
        with pytest.raises(Stale):
            a_fault().broken(text)


def test_what_would_be_no_python_and_a_test_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("a == b\n")

    no_python, no_test = stale((a_fault(put="a ="), a_fault(tests=("gone.py",))), tmp_path)

    assert no_python.startswith("one: broken like this it is no Python")
    assert no_test == "one: there is no gone.py"


@pytest.mark.parametrize(
    ("ran", "hangs", "noticed"),
    [
        (Ran(1, 1.0, "tests/test_a.py::test_a", ""), False, True),
        (Ran(0, 1.0, "", "3 passed in 1s"), False, False),
        (Ran(None, 60.0, "", ""), False, False),
        (Ran(None, 60.0, "", ""), True, True),
        (Ran(2, 1.0, "", "Interrupted: 1 error during collection"), False, False),
        (Ran(NOT_THE_COPY, 1.0, "", ""), False, False),
    ],
)
def test_only_a_test_that_failed_has_noticed_a_fault(ran: Ran, hangs: bool, noticed: bool) -> None:
    """A copy that no longer loads, or another that was imported, proves nothing; a hang only where it is meant."""
    assert verdict(a_fault(hangs=hangs), ran).noticed is noticed


def test_tests_that_left_themselves_out_are_told_apart() -> None:
    found = verdict(a_fault(server=True), Ran(0, 1.0, "", "2 skipped in 1s"))

    assert (found.noticed, found.by) == (False, LEFT_OUT)


def test_the_list_is_shown_without_running_anything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--area", "merge"]) == 0

    assert len(capsys.readouterr().out.splitlines()) == sum(one.area == "merge" for one in FAULTS)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(SystemExit):
        main(["--only", "no-such-fault"])
