"""A signature counts for what the sheet showed, and for nothing that came afterwards."""

from __future__ import annotations

from pathlib import Path

from tests.unit.app.office import Office
from tests.unit.app.test_sheet_origin import answered, exported, taken


def waiting(office: Office) -> Office:
    office.sync()
    office.reported("T-01")
    return office


def test_an_answer_on_evidence_that_has_changed_since_is_not_taken(office: Office, tmp_path: Path) -> None:
    """The sheet lay on a desk for a week; meanwhile another paper was handed in."""
    waiting(office)
    file = answered(office, Path(exported(office, tmp_path)["path"]))
    office.proof("T-01", note="金庫 2-B")

    found = taken(office, file)

    assert found["recorded"] == []
    assert [(one["criterion"], "変わったため" in one["why"]) for one in found["left"]] == [
        ("tics/T-01", True)
    ]
    assert office.state("T-01") == "reported"


def test_a_new_sheet_shows_it_and_is_taken(office: Office, tmp_path: Path) -> None:
    waiting(office)
    exported(office, tmp_path / "一度目")
    office.proof("T-01", note="金庫 2-B")
    file = answered(office, Path(exported(office, tmp_path / "二度目")["path"]))

    assert [one["act"] for one in taken(office, file)["recorded"]] == ["confirm"]
    assert office.state("T-01") == "confirmed"


def test_an_answer_that_was_taken_back_does_not_come_back_with_the_same_file(
    office: Office, tmp_path: Path
) -> None:
    """All that it showed stands as before: but its signature was used, and its owner took it back."""
    waiting(office)
    file = answered(office, Path(exported(office, tmp_path)["path"]))
    taken(office, file)
    office.act("withdraw", "T-01", reason="別の票と取り違えた")
    assert office.state("T-01") == "reported"

    found = taken(office, file)

    assert (found["recorded"], len(found["left"])) == ([], 1)
    assert office.state("T-01") == "reported"
