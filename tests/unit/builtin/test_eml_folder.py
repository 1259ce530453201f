"""The folder of .eml files."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.builtin.test_mail import MESSAGE, NOW

from ticssync.builtin import ticssync_notifiers
from ticssync.builtin.eml_folder import EmlFolder, open_folder
from ticssync.builtin.settings import FolderSettings
from ticssync.plugin import Level, NotifierOpening, SendFailed
from ticssync.text import Text


@pytest.fixture
def folder(tmp_path: Path) -> EmlFolder:
    return open_folder(
        NotifierOpening(FolderSettings(path=Path("送信箱")), tmp_path, lambda: NOW, Text("en"))
    )


def test_a_message_becomes_one_file_named_by_day_and_recipient(folder: EmlFolder, tmp_path: Path) -> None:
    folder.send(MESSAGE)

    (file,) = (tmp_path / "送信箱").iterdir()
    assert file.name.startswith("2027-08-31_sato@example.co.jp_")
    assert file.suffix == ".eml"
    assert (
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)["Subject"] == MESSAGE.subject
    )


def test_the_same_message_twice_is_the_same_file_even_on_another_day(
    folder: EmlFolder, tmp_path: Path
) -> None:
    folder.send(MESSAGE)
    folder.send(replace(MESSAGE, sent_at=NOW + timedelta(days=3)))

    assert len(list((tmp_path / "送信箱").iterdir())) == 1


def test_two_messages_to_one_person_on_one_day_are_two_files(folder: EmlFolder, tmp_path: Path) -> None:
    folder.send(MESSAGE)
    folder.send(replace(MESSAGE, message_id="<other@example.co.jp>"))

    assert len(list((tmp_path / "送信箱").iterdir())) == 2


def test_a_file_that_a_person_has_marked_up_is_left_alone(folder: EmlFolder, tmp_path: Path) -> None:
    folder.send(MESSAGE)
    (file,) = (tmp_path / "送信箱").iterdir()
    file.write_text("処理済み", encoding="utf-8")

    folder.send(MESSAGE)

    assert file.read_text(encoding="utf-8") == "処理済み"


def test_an_address_cannot_lead_out_of_the_folder(folder: EmlFolder, tmp_path: Path) -> None:
    folder.send(replace(MESSAGE, to_address="../../x/y@example.co.jp"))

    (file,) = (tmp_path / "送信箱").iterdir()
    assert file.name.startswith("2027-08-31_.._.._x_y@example.co.jp_")


def test_a_folder_whose_parent_is_gone_is_tried_later_and_not_made_elsewhere(tmp_path: Path) -> None:
    lost = open_folder(
        NotifierOpening(FolderSettings(path=Path("gone/outbox")), tmp_path, lambda: NOW, Text("en"))
    )

    with pytest.raises(SendFailed, match="takes no files") as failed:
        lost.send(MESSAGE)

    assert not failed.value.permanent
    assert list(tmp_path.iterdir()) == []
    assert lost.check()[0].level is Level.FAIL


def test_doctor_leaves_nothing_behind(folder: EmlFolder, tmp_path: Path) -> None:
    assert folder.check()[0].level is Level.OK

    assert list((tmp_path / "送信箱").iterdir()) == []


def test_both_kinds_come_through_the_door_for_plugins() -> None:
    kinds = {kind.name: kind for kind in ticssync_notifiers()}

    assert set(kinds) == {"mail", "folder"}
    assert kinds["mail"].secrets == ("password",)
    for kind in kinds.values():
        module, _, function = kind.open.partition(":")
        assert callable(getattr(__import__(module, fromlist=[function]), function))
