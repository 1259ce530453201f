"""Only a confirmation sheet that this workspace made for this person is taken in."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.app.office import WORKSPACE, Office
from ticssync.app.demo import answers_on
from ticssync.app.ledger import read_ledger
from ticssync.app.sheets import export_sheets, import_sheet
from ticssync.app.standing import standings
from ticssync.assess.sheet import sheet_rows, write_sheet
from ticssync.errors import UsageError
from ticssync.text import Text


@pytest.fixture
def waiting(office: Office) -> Office:
    """T-01 waits for 佐藤's confirmation."""
    office.sync()
    office.reported("T-01")
    return office


def exported(office: Office, folder: Path) -> dict[str, Any]:
    with office.open() as workspace:
        (found,) = export_sheets(workspace, folder)["items"]
    return dict(found)


def answered(office: Office, file: Path) -> Path:
    with office.open() as workspace:
        answers_on(file, {"T-01": ("confirm", "")}, workspace)
    return file


def taken(office: Office, file: Path) -> dict[str, Any]:
    with office.open() as workspace:
        return import_sheet(workspace, file)


def made_up(office: Office, file: Path, person: str, sheet: str) -> Path:
    """A file that looks like one of ours, for whomever one likes."""
    with office.open() as workspace:
        organisation = workspace.config.organisation
        with workspace.store.read() as tx:
            ledger = read_ledger(tx)
        rows = sheet_rows(
            [one for one in standings(ledger) if one.waits], ledger.evidence, organisation.people
        )
        raw = write_sheet(
            rows, company="㈱髙﨑精機", confirmer=organisation.people[person], workspace=WORKSPACE, sheet_id=sheet,
            exported_at=datetime(2026, 4, 1, tzinfo=timezone.utc), zone=ZoneInfo("Asia/Tokyo"), text=Text("ja"),
        )  # fmt: skip
    file.write_bytes(raw)
    return answered(office, file)


def test_the_sheet_that_was_made_for_a_person_is_taken_in_once(waiting: Office, tmp_path: Path) -> None:
    file = answered(waiting, Path(exported(waiting, tmp_path)["path"]))
    first, second = taken(waiting, file), taken(waiting, file)

    assert [one["act"] for one in first["recorded"]] == ["confirm"]
    assert (second["recorded"], len(second["left"])) == ([], 1)
    assert waiting.state("T-01") == "confirmed"


@pytest.mark.parametrize("own_id", [False, True])
def test_a_sheet_that_was_never_made_for_that_person_is_refused(
    waiting: Office, tmp_path: Path, *, own_id: bool
) -> None:
    """Neither with an id that nobody gave, nor with that of another person's sheet."""
    sheet = exported(waiting, tmp_path)["sheet"]
    file = made_up(
        waiting, tmp_path / "別の票.xlsx", "takasaki" if own_id else "sato", sheet if own_id else "0" * 12
    )

    with pytest.raises(UsageError) as refused:
        taken(waiting, file)

    assert "was not made by this workspace for this person" in str(refused.value)
    assert (waiting.state("T-01"), waiting.events("act.recorded")) == ("reported", [])


def test_a_sheet_out_of_a_copy_of_the_workspace_is_refused(waiting: Office, tmp_path: Path) -> None:
    copy = waiting.copied_to(tmp_path / "写し")
    file = answered(copy, Path(exported(copy, tmp_path)["path"]))

    with pytest.raises(UsageError):
        taken(waiting, file)

    assert waiting.state("T-01") == "reported"
