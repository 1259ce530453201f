"""An account belongs to one person: what is done with it is put down to them."""

from __future__ import annotations

from pathlib import Path

from ticssync.config import load_config

TEXT = """version: 1
workspace: {id: k7m2q9wx4d, name: 小出精密}
trackers:
  factory: {kind: redmine, url: 'https://redmine.example.test', project: tics}
people:
  sato: {name: 佐藤, accounts: {factory: "5"}}
  p5: {name: 佐藤 花子, accounts: {factory: "5", it: "5"}}
  abe: {name: 阿部, accounts: {it: "6"}}
"""


def test_two_people_with_one_account_are_a_problem_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "ticssync.yaml"
    file.write_text(TEXT, "utf-8")
    config, problems = load_config(file, {})

    assert config is None
    assert [(one.line, "sato" in one.message, "p5" in one.message) for one in problems] == [(7, True, True)]


def test_the_same_id_in_two_trackers_is_none(tmp_path: Path) -> None:
    file = tmp_path / "ticssync.yaml"
    file.write_text(TEXT.replace('accounts: {factory: "5", it: "5"}', 'accounts: {it: "5"}'), "utf-8")

    assert load_config(file, {})[1] == []
