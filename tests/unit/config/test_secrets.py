"""Secrets from outside the file: what is wrong with one is told by its name, and never by its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.system.company import Company

from ticssync.config import load_config
from ticssync.config.secrets import from_environment, from_folder
from ticssync.errors import Problem

FILE = """\
version: 1
workspace: {id: k7m2q9wx4d, name: ㈱髙﨑精機}
trackers: {factory: {kind: redmine}}
notify: {mail: {from: a@example.jp}}
"""
WRONG = {
    "TICSSYNC_NOTIFY__MAIL": "s3cret-value",
    "TICSSYNC_NOTIFY": "s3cret-value",
    "TICSSYNC_TRACKERS": '["s3cret-value"]',
    "TICSSYNC_TRACKERS__": "s3cret-value",
    "Ticssync_Trackers__Factory": "s3cret-value",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ticssync.yaml"
    path.write_text(FILE, "utf-8")
    return path


def named(problems: list[Problem]) -> list[str]:
    assert "s3cret" not in repr(problems)
    return [one.place for one in problems]


def test_a_variable_fills_one_setting():
    """Capitals do not count; a text that looks like a number stays a text."""
    found, problems = from_environment({
        "TICSSYNC_TRACKERS__FACTORY__API_KEY": "1.10", "ticssync_notify__mail__password": "🔒㊙", "OTHER": "x",
    })  # fmt: skip

    assert (found["trackers"], found["notify"]) == (
        {"factory": {"api_key": "1.10"}},
        {"mail": {"password": "🔒㊙"}},
    )
    assert problems == []


@pytest.mark.parametrize("name", WRONG)
def test_a_variable_that_names_no_setting_is_told_without_its_value(file: Path, name: str):
    """The password one level too high is the commonest slip."""
    config, problems = load_config(file, {name: WRONG[name], "TICSSYNC_TRACKERS__FACTORY__API_KEY": "good"})

    assert config is None
    assert named(problems) == [name]


def test_all_wrong_variables_are_told_at_once(file: Path):
    """And those that contradict each other are told together."""
    assert named(load_config(file, WRONG)[1]) == sorted(WRONG)

    clash = {"TICSSYNC_NOTIFY__MAIL__PASSWORD__X": "s3cret", "TICSSYNC_NOTIFY__MAIL": "s3cret"}
    assert named(load_config(file, clash)[1]) == ["TICSSYNC_NOTIFY__MAIL"]


def test_the_command_says_it_in_a_line_and_never_the_value(company: Company):
    """No traceback, exit 2."""
    company.environ["TICSSYNC_NOTIFY__MAIL"] = "s3cret-value"

    plain, machine = company.process("status"), company.process("status", "--json")

    assert [one.returncode for one in (plain, machine)] == [2, 2]
    for ran in (plain, machine):
        assert "TICSSYNC_NOTIFY__MAIL" in ran.stdout + ran.stderr
        assert "s3cret" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_secret_in_a_folder_that_is_no_text_is_told_by_its_file(tmp_path: Path):
    """Saved as Shift_JIS or UTF-16 by an old editor; the others are read."""
    (tmp_path / "trackers.factory.api_key").write_bytes("秘密".encode("cp932"))
    (tmp_path / "notify.mail.password").write_bytes(b"good\r\n")

    found, problems = from_folder(tmp_path)

    assert found == {"trackers": {}, "notify": {"mail": {"password": "good"}}}
    assert [(one.file, one.message) for one in problems] == [
        (str(tmp_path / "trackers.factory.api_key"), "this byte is not UTF-8")
    ]


def test_a_folder_that_is_not_there_holds_no_secrets(tmp_path: Path):
    """systemd makes it only where secrets are given."""
    assert from_folder(tmp_path / "none") == ({"trackers": {}, "notify": {}}, [])
