"""`secrets/` beside ticssync.yaml is read where no other folder is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticssync.config import Config, load_config

FILE = """\
version: 1
workspace: {id: k7m2q9wx4d, name: ㈱髙﨑精機}
trackers: {factory: {kind: redmine}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "管理" / "ticssync.yaml"
    (found.parent / "secrets").mkdir(parents=True)
    found.write_text(FILE, "utf-8")
    (found.parent / "secrets" / "trackers.factory.api_key").write_text("beside\n", "utf-8")
    return found


def key(config: Config | None) -> object:
    assert config is not None
    return config.trackers["factory"].settings.get("api_key")


def test_the_folder_beside_the_file_is_read_by_itself(file: Path):
    config, problems = load_config(file, {})

    assert (key(config), problems) == ("beside", [])


def test_a_folder_that_is_named_is_read_instead(file: Path, tmp_path: Path):
    named = tmp_path / "other"
    named.mkdir()
    (named / "trackers.factory.api_key").write_text("named", "utf-8")

    assert key(load_config(file, {}, named)[0]) == "named"


def test_a_key_there_is_no_secret_in_the_file(file: Path):
    config, _ = load_config(file, {})

    assert config is not None
    assert config.secrets_in_file == ()


def test_a_name_there_that_the_file_does_not_have_is_told(file: Path):
    (file.parent / "secrets" / "trackers.factry.api_key").write_text("x", "utf-8")
    _, problems = load_config(file, {})

    assert [(one.file, one.fix) for one in problems] == [
        (str(file.parent / "secrets"), "did you mean factory?")
    ]
