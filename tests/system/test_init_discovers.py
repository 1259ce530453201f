"""`init` with a tracker that can be asked, and what compares its mapping with the tracker afterwards."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.system import trial_tracker
from tests.system.company import ITEMS, Company, Ran
from tests.system.trial_tracker import KEY, VARIABLE, installed
from ticssync.cli import root as command_line
from ticssync.mapping import load_mapping
from ticssync.testing.fake_server import FakeServer
from ticssync.yamlfile import read_yaml


@dataclass
class Desk:
    """An admin before a terminal, with an installed make-believe tracker."""

    folder: Path
    server: FakeServer

    @property
    def company(self) -> Company:
        return Company(self.folder, environ={})

    @property
    def office(self) -> Path:
        return self.company.office

    def init(self, *words: str, key: str | None = KEY, typed: str | None = None) -> Ran:
        line = ["init", str(self.office), "--tracker", "trial", "--url", "https://x.jp", "--project", "tics", "--lang", "en"]  # fmt: skip
        line += [] if typed is not None else ["--non-interactive"]
        environ = {VARIABLE: key}
        found = CliRunner(env=environ).invoke(command_line, [*line, *words], input=typed)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Ran(found.exit_code, found.stdout, found.stderr)

    def cli(self, *words: str, key: str | None = KEY) -> Ran:
        company = self.company
        company.environ[VARIABLE] = key or ""
        return company.cli(*words)

    @property
    def mapping(self) -> Path:
        return self.office / "mappings" / "trial.yaml"

    def edit_mapping(self, old: str, new: str) -> None:
        text = self.mapping.read_text("utf-8")
        assert old in text
        self.mapping.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.syspath_prepend(str(installed(tmp_path / "site")))
    return Desk(tmp_path / "会社", trial_tracker.anew())


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """After a first init."""
    assert desk.init("--company", "㈱髙﨑", "--set", "roles.owner=[p1002]", "--set", "roles.manager=[p1001]").code == 0  # fmt: skip
    return desk


# --- init


def test_init_makes_a_mapping_that_fits_and_takes_the_members_over(ready: Desk) -> None:
    mapping, problems = load_mapping(ready.mapping)
    config = read_yaml(ready.company.config).value

    assert problems == []
    assert mapping is not None
    assert {one: ours.value for one, ours in mapping.statuses.items()} == {
        "未着手": "todo", "対応中": "doing", "確認待ち": "review", "完了": "done", "対象外": "wont_do",
    }  # fmt: skip
    assert (mapping.fields["number"].to, mapping.marker) == ("番号", "目印")
    assert config["trackers"]["trial"] == {
        "kind": "trial", "url": "https://x.jp", "project": "tics", "mapping": "mappings/trial.yaml",
    }  # fmt: skip
    assert config["people"]["p1001"] == {"name": "佐藤 花子", "accounts": {"trial": "1001"}}
    assert config["plugins"] == ["ticssync-trial"]


def test_what_init_made_works_as_it_is(ready: Desk) -> None:
    ran = ready.cli("sync", "--json")

    assert (ran.code, ran.json["trackers"]["trial"]["created"], len(ready.server.issues())) == (
        0,
        ITEMS,
        ITEMS,
    )
    assert {one.fields["担当"] for one in ready.server.issues()} == {"1002"}


def test_init_tells_what_it_found_and_what_is_a_guess(desk: Desk) -> None:
    desk.server.behaviour.statuses = ("未着手", "対応中", "謎", "完了")
    tracker = desk.init("--json").json["tracker"]

    assert (tracker["name"], tracker["kind"], tracker["people"]) == ("trial", "trial", 2)
    assert [one["name"] for one in tracker["statuses"] if one["guess"]] == ["謎"]
    assert any("謎" in note for note in tracker["notes"])


def test_the_key_is_in_no_file_and_on_no_screen(desk: Desk) -> None:
    ran = desk.init("--json")
    files = [one for one in desk.folder.rglob("*") if one.is_file()]

    assert ran.code == 0
    assert KEY not in ran.out + ran.err
    assert not [one for one in files if KEY.encode() in one.read_bytes()]


@pytest.mark.parametrize("key", ["wrong", None])
def test_without_the_right_key_init_ends_with_4_and_leaves_nothing(desk: Desk, key: str | None) -> None:
    ran = desk.init("--json", key=key)

    assert (ran.code, ran.json["error"]["code"]) == (4, "credentials")
    assert "TICSSYNC_TRACKERS__TRIAL__" in ran.json["error"]["fix"]
    assert not desk.folder.exists()


def test_a_tracker_that_cannot_be_reached_ends_with_3_and_leaves_nothing(desk: Desk) -> None:
    desk.server.behaviour.down = True
    ran = desk.init("--json")

    assert (ran.code, ran.json["error"]["code"]) == (3, "retry_later")
    assert not desk.folder.exists()


def test_a_tracker_without_statuses_ends_with_2_and_leaves_nothing(desk: Desk) -> None:
    desk.server.behaviour.statuses = ()
    ran = desk.init("--json")

    assert (ran.code, desk.folder.exists()) == (2, False)
    assert "statuses" in ran.json["error"]["problems"][0]["message"]


def test_an_owner_that_is_no_member_is_refused_with_the_members_there_are(desk: Desk) -> None:
    ran = desk.init("--set", "roles.owner=[p9]", "--json")

    assert (ran.code, desk.folder.exists()) == (2, False)
    assert "p1001 佐藤 花子" in ran.json["error"]["fix"]


def test_a_secret_on_the_command_line_is_refused_without_repeating_it(desk: Desk) -> None:
    ran = desk.init("--set", f"trackers.trial.api_key={KEY}", "--json")

    assert (ran.code, desk.folder.exists(), KEY in ran.out + ran.err) == (2, False, False)
    assert VARIABLE in ran.json["error"]["fix"]


def test_a_named_mapping_is_used_and_nobody_is_asked(desk: Desk) -> None:
    desk.server.behaviour.down = True
    own = desk.folder / "own.yaml"
    own.parent.mkdir()
    own.write_text(
        "version: 1\nkind: trial\nfields: {title: 件名, status: 状態}\nstatuses: {未着手: todo, 対応中: doing, 完了: done}\n",
        "utf-8",
    )
    ran = desk.init("--set", f"trackers.trial.mapping={own.as_posix()}", "--json", key=None)

    assert (ran.code, "tracker" in ran.json, desk.mapping.exists()) == (0, False, False)
    assert sum(desk.server.requests.values()) == 0


def test_a_kind_that_tells_nothing_and_has_no_starter_needs_a_mapping(desk: Desk) -> None:
    trial_tracker.silent.append(True)
    ran = desk.init("--json")

    assert (ran.code, desk.folder.exists()) == (2, False)
    assert "trackers.trial.mapping" in ran.json["error"]["fix"]


def test_a_mapping_that_is_there_is_not_written_over(ready: Desk) -> None:
    ready.company.config.unlink()
    ready.mapping.write_text("mine", "utf-8")
    ran = ready.init("--json")

    assert (ran.code, ready.mapping.read_text("utf-8"), ready.company.config.exists()) == (2, "mine", False)


# --- before a terminal


def typed(*answers: str) -> str:
    return "".join(f"{answer}\n" for answer in answers)


CHAPTERS = 10
PEOPLE = ("1", "hanako@x.jp", "2", "")
"""The manager by number with an address, the owner by number without."""


def test_before_a_terminal_a_wrong_key_is_asked_for_again_and_the_right_one_can_be_kept(desk: Desk) -> None:
    ran = desk.init(key=None, typed=typed("㈱髙﨑", "共有", "wrong", KEY, *PEOPLE, "n", "y"))
    kept = desk.office / "secrets" / "trackers.trial.api_key"
    config = read_yaml(desk.company.config).value

    assert ran.code == 0
    assert "does not know the key" in ran.err
    assert KEY not in ran.out + ran.err
    assert kept.read_text("utf-8") == f"{KEY}\n"
    assert os.name == "nt" or stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert config["roles"] == {"manager": ["p1001"], "owner": ["p1002"]}
    assert config["people"]["p1001"]["mail"] == "hanako@x.jp"
    assert "mail" not in config["people"]["p1002"]
    assert KEY not in desk.company.config.read_text("utf-8")


def test_a_kept_key_is_read_by_the_next_command_without_being_told_where(desk: Desk) -> None:
    desk.init(key=None, typed=typed("㈱髙﨑", "共有", KEY, *PEOPLE, "n", "y"))

    assert desk.cli("mapping", "check", key=None).code == 0


def test_a_key_that_is_not_kept_leaves_no_file_and_says_where_to_put_it(desk: Desk) -> None:
    ran = desk.init(key=None, typed=typed("㈱髙﨑", "共有", KEY, *PEOPLE, "n", "n"))

    assert (ran.code, (desk.office / "secrets").exists()) == (0, False)
    assert VARIABLE in ran.err


def test_a_key_that_is_there_is_not_asked_for(desk: Desk) -> None:
    ran = desk.init(typed=typed("㈱髙﨑", "共有", *PEOPLE, "n"))

    assert (ran.code, "Key" in ran.err.replace("Key fingerprint", "")) == (0, False)


def test_three_wrong_keys_end_with_4_and_leave_nothing(desk: Desk) -> None:
    ran = desk.init(key=None, typed=typed("㈱髙﨑", "共有", "a", "b", "c"))

    assert (ran.code, desk.folder.exists()) == (4, False)


def test_a_chapter_may_have_an_owner_of_its_own_even_one_who_is_no_member(desk: Desk) -> None:
    answers = ["1", "髙﨑 誠", *["" for _ in range(CHAPTERS - 2)]]
    ran = desk.init(typed=typed("㈱髙﨑", "共有", *PEOPLE, "y", *answers))
    config = read_yaml(desk.company.config).value
    owners = config["roles"]["owner"]
    other = next(person for person, part in config["people"].items() if part["name"] == "髙﨑 誠")

    assert ran.code == 0
    assert (owners["T-01"], owners["*"]) == (["p1001"], ["p1002"])
    assert [other] in owners.values()
    assert list(owners)[-1] == "*"


# --- mapping suggest


def test_suggest_prints_a_mapping_and_changes_no_file(ready: Desk, tmp_path: Path) -> None:
    ready.mapping.write_text("mine", "utf-8")
    printed, told = ready.cli("mapping", "suggest"), ready.cli("mapping", "suggest", "trial", "--json")
    file = tmp_path / "proposed.yaml"
    file.write_text(printed.out, "utf-8")

    assert (printed.code, told.json["tracker"], told.json["mapping"]) == (0, "trial", printed.out)
    assert load_mapping(file)[1] == []
    assert ready.mapping.read_text("utf-8") == "mine"


@pytest.mark.parametrize(("down", "key", "code"), [(True, KEY, 3), (False, "wrong", 4)])
def test_suggest_ends_like_any_question_to_a_tracker(ready: Desk, down: bool, key: str, code: int) -> None:
    ready.server.behaviour.down = down

    assert ready.cli("mapping", "suggest", key=key).code == code


def test_suggest_has_nothing_to_say_of_a_workbook(company: Company) -> None:
    assert company.cli("mapping", "suggest").code == 2
    assert company.cli("mapping", "suggest", "nobody", "--json").json["error"]["fix"] == "there are: ledger"


# --- mapping check and doctor


def test_check_compares_with_the_live_tracker(ready: Desk) -> None:
    ran = ready.cli("mapping", "check", "--json")

    assert (ran.code, ran.json["warnings"]) == (0, [])
    assert ran.json["trackers"] == [{"tracker": "trial", "state": "ok", "message": ""}]


def test_a_status_that_was_renamed_there_is_a_problem_with_its_line(ready: Desk) -> None:
    ready.server.behaviour.statuses = ("未着手", "対応中", "確認中", "完了", "対象外")
    ran = ready.cli("mapping", "check", "--json")
    problem = ran.json["error"]["problems"][0]
    line = ready.mapping.read_text("utf-8").split("\n")[problem["line"] - 1]

    assert (ran.code, "確認待ち" in line, "確認中" in problem["fix"]) == (2, True, True)


def test_a_status_that_was_added_there_is_shown_and_is_no_error(ready: Desk) -> None:
    ready.server.behaviour.statuses = (*ready.server.behaviour.statuses, "差戻し")
    ran = ready.cli("mapping", "check")

    assert (ran.code, "差戻し" in ran.out) == (0, True)


def test_a_file_is_compared_with_the_tracker_that_uses_it(ready: Desk) -> None:
    ready.edit_mapping('"番号"' if '"番号"' in ready.mapping.read_text("utf-8") else "番号", '"番号X"')
    ran = ready.cli("mapping", "check", str(ready.mapping), "--json")

    assert (ran.code, ran.json["error"]["problems"][0]["fix"]) == (2, "did you mean 番号?")


def test_offline_asks_nobody(ready: Desk) -> None:
    ready.edit_mapping('"番号"', '"番号X"')
    before = sum(ready.server.requests.values())
    ran = ready.cli("mapping", "check", "--offline", "--json", key=None)

    assert (ran.code, ran.json["trackers"]) == (0, [])
    assert sum(ready.server.requests.values()) == before


@pytest.mark.parametrize(("down", "key", "code"), [(True, KEY, 3), (False, "wrong", 4)])
def test_a_tracker_that_cannot_be_asked_is_no_error_of_the_mapping(
    ready: Desk, down: bool, key: str, code: int
) -> None:
    ready.server.behaviour.down = down
    ran = ready.cli("mapping", "check", key=key)

    assert (ran.code, "not compared" in ran.out, str(ready.mapping) in ran.out) == (code, True, True)


def test_doctor_shows_the_same_differences(ready: Desk) -> None:
    fine = ready.cli("doctor", "--json").json["checks"]
    ready.server.behaviour.statuses = ("未着手", "対応中", "確認中", "完了", "対象外")
    wrong = ready.cli("doctor", "--json").json["checks"]
    told = [(one["state"], one["message"]) for one in wrong if one["id"] == "mapping.trial"]

    assert [one["state"] for one in fine if one["id"].startswith("mapping")] == ["ok"]
    assert [state for state, _ in told] == ["fail", "warn"]
    assert f"{ready.mapping}:" in told[0][1]
