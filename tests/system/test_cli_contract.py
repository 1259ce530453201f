"""The public contract of the command line: exit codes, JSON shapes, one document on standard output, no traceback."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.system.company import ITEMS, Company, Moment
from ticssync.cli import COMMANDS, root
from ticssync.config import load_config

ISO = re.compile(r"\d{4}-\d\d-\d\d")


@pytest.fixture(scope="module")
def kept(lived: Company, tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """The company with a long history, where each test may do what it likes."""
    place = tmp_path_factory.mktemp("contract") / "会社"
    shutil.copytree(lived.root, place)
    company = Company(place)
    assert company.cli("rebind", "--moved").code == 0
    company.sync()
    return Moment(company, place.with_name("kept"))


@pytest.fixture
def own(kept: Moment) -> Company:
    return kept.back()


def shape(value: Any, keys: str) -> None:
    """The value has (at least) these keys."""
    missing = set(keys.split()) - set(value)
    assert not missing, f"missing: {missing}"


# --- what each command answers with --json


def test_sync_and_plan_answer_in_the_shape_of_the_contract(own: Company) -> None:
    own.person({"T-21": {"status": "対応中"}})
    for command in ("plan", "sync"):
        ran = own.cli(command, "--json")
        shape(ran.json, "trackers duration_s")
        for report in ran.json["trackers"].values():
            shape(
                report,
                "requests notifications created updated pulled adopted unchanged actions refusals conflicts state message",
            )
            assert report["state"] in ("ok", "unavailable", "credentials", "safety_stop")
            for action in report["actions"]:
                shape(action, "action direction criterion task key fields")
                assert action["action"] in (
                    "create",
                    "adopt",
                    "update",
                    "comment",
                    "attach",
                    "restore",
                    "marker",
                    "none",
                )
                assert action["direction"] in ("out", "in")
                for change in action["fields"].values():
                    shape(change, "from to")
            for refusal in report["refusals"]:
                shape(refusal, "task key field wanted why")
            for conflict in report["conflicts"]:
                shape(conflict, "id task field owner base values taken at")


def test_a_conflict_and_a_refusal_that_are_open_make_the_code_1(own: Company) -> None:
    found = own.cli("sync", "--json")

    assert found.code == 1
    assert found.json["trackers"]["board"]["refusals"]
    assert found.json["trackers"]["ledger"]["conflicts"]


def test_status_answers_in_the_shape_of_the_contract(own: Company) -> None:
    found = own.cli("status", "--json").json
    shape(found, "catalogs as_of summary piles criteria")
    shape(found["catalogs"][0], "scheme edition basis")
    shape(found["piles"], "confirmed waiting open")

    assert sum(found["summary"].values()) == len(found["criteria"]) == ITEMS
    assert ISO.fullmatch(found["as_of"])
    for one in found["criteria"]:
        shape(
            one,
            "scheme id cycle title chapter state late task_status evidence_state confirmed_by confirmed_on confirmed_via entered_by"
            " due_on owner tasks",
        )
        for task in one["tasks"]:
            shape(task, "task part cycle role tracker key url problems status raw_status updated_at binding")
            assert task["binding"] in ("live", "lost", "tomb", "copy", "detached")
            assert task["role"] in ("main", "mirror")


def test_deadlines_answer_in_the_shape_of_the_contract(own: Company) -> None:
    for command in (("deadlines",), ("deadlines", "list")):
        found = own.cli(*command, "--json").json
        shape(found, "as_of items")
        assert found["items"]
        for one in found["items"]:
            shape(one, "id kind certificate state title due_on remind_on days_left basis owner")
            assert one["state"] in ("open", "submitted", "accepted")
            assert one["basis"] in ("printed", "confirmed", "default")


def test_remind_answers_in_the_shape_of_the_contract(own: Company) -> None:
    days = [day for one in own.cli("deadlines", "--json").json["items"] for day in one["remind_on"]]
    ran = own.cli("remind", "--today", days[0], "--json")

    shape(ran.json, "sent skipped failed")
    assert ran.json["sent"]
    for one in ran.json["sent"]:
        shape(one, "to kind subject due_on channel")


def test_bundle_export_and_verify_answer_in_the_shape_of_the_contract(own: Company) -> None:
    done = own.cli("bundle", "export", "--json")
    shape(done.json, "path sha256 snapshot files bytes key_fingerprint left_out")
    known = own.cli(
        "bundle",
        "verify",
        done.json["path"],
        "--fingerprint",
        done.json["key_fingerprint"],
        "--json",
        config=False,
    )
    unknown = own.cli("bundle", "verify", done.json["path"], "--json", config=False)

    assert (done.code, known.code) == (0, 0)
    assert {known.json[name] for name in ("readable", "complete", "unaltered", "authentic")} == {True}
    assert unknown.json["authentic"] is None
    shape(known.json, "timestamp key_fingerprint problems")


def test_verify_of_a_changed_bundle_is_code_1_with_the_problems(own: Company) -> None:
    path = Path(own.cli("bundle", "export", "--json").json["path"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    ran = own.cli("bundle", "verify", str(path), "--json", config=False)

    assert ran.code == 1
    for one in ran.json["problems"]:
        shape(one, "path problem")


def test_doctor_answers_in_the_shape_of_the_contract(own: Company) -> None:
    found = own.cli("doctor", "--json")

    assert found.code == (1 if any(one["state"] == "fail" for one in found.json["checks"]) else 0)
    for one in found.json["checks"]:
        shape(one, "id state message fix")
        assert one["state"] in ("ok", "warn", "fail")


LISTS = [
    ("mapping", "check"), ("mapping", "preview", "T-14"), ("catalog", "list"), ("evidence", "list"), ("evidence", "list", "T-01"),
    ("evidence", "check"), ("plugins",), ("profile", "show"), ("conflicts", "list"), ("conflicts", "list", "--all"), ("sheet", "export"),
]  # fmt: skip


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_a_list_answers_with_items(own: Company, command: tuple[str, ...]) -> None:
    ran = own.cli(*command, "--json")

    assert ran.code == (1 if command == ("conflicts", "list") else ran.code)
    assert ran.code in (0, 1)
    assert isinstance(ran.json["items"], list)
    assert ran.json["items"] or command[0] == "sheet"


def test_show_why_and_schema_answer_with_the_thing_itself(own: Company) -> None:
    assert own.cli("catalog", "show", "T-14", "--json").json["id"] == "T-14"
    shape(own.cli("why", "T-22", "--json").json, "task sides base rule events")
    shape(own.cli("why", "tics/T-22", "--json").json, "task sides base rule events")
    shape(own.cli("mapping", "schema", "--json").json, "$schema properties")


def acts(proof: Path) -> list[tuple[str, ...]]:
    by = ("--by", "sato", "--proof", str(proof), "--reason", "会議で決定")
    return [
        ("confirm", "T-10", *by), ("return", "T-01", *by), ("exclude", "T-41", *by, "--until", "2027-03-31"), ("withdraw", "T-40", *by),
        ("profile", "confirm", *by), ("task", "drop", "T-12"), ("task", "restore", "T-31"), ("task", "unfreeze", "T-11"),
        ("conflicts", "resolve", "C-0002", "--take", "board"), ("evidence", "withdraw", "E-00001", "--reason", "古い"),
        ("deadlines", "accept", "main:periodic_report:1", "--on", "2026-01-05"), ("rebind", "--moved"), ("tracker", "drop", "board"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(13), ids=[" ".join(one[:2]) for one in acts(Path("x"))])
def test_an_act_answers_with_the_number_of_its_event(own: Company, number: int) -> None:
    command = list(acts(own.config)[number])
    if command[0] == "deadlines":
        items = own.cli("deadlines", "--json").json["items"]
        command[2] = next(one["id"] for one in items if one["kind"] == "periodic_report")
        command[4] = next(iter(own.cli("status", "--json").json["read_on"].values()))
    ran = own.cli(*command, "--json")

    assert ran.code == 0, ran.out
    assert ran.json["event"] == own.events()[-1].seq or command[0] == "rebind" or ran.json["event"] > 0


def test_evidence_comes_in_by_command_and_by_folder(own: Company) -> None:
    added = own.cli("evidence", "add", str(own.config), "--criterion", "T-02", "--json")
    taken = own.cli("evidence", "take", "--json")

    assert (added.code, bool(added.json["items"])) == (0, True)
    shape(taken.json, "taken waiting refused")


def test_init_answers_with_the_paths_it_made(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        root, ["init", str(tmp_path / "管理"), "--non-interactive", "--company", "㈱髙﨑", "--json"]
    )
    found = json.loads(ran.stdout)

    assert ran.exit_code == 0
    assert all(Path(path).exists() for path in found["paths"].values())
    assert set(found["paths"]) >= {"configuration", "store", "keys", "locker", "shared"}


@pytest.mark.slow
def test_demo_does_the_whole_job_and_answers_with_what_to_open(tmp_path: Path) -> None:
    for lang in ("ja", "en"):
        ran = CliRunner().invoke(root, ["demo", str(tmp_path / "demo"), "--json", "--lang", lang])
        found = json.loads(ran.stdout)

        assert ran.exit_code == 0
        assert all(Path(path).exists() for path in found["paths"].values())
        assert (found["created"], found["second_sync_writes"], found["verify"]["authentic"]) == (
            ITEMS,
            0,
            True,
        )


def test_daemon_once_answers_with_its_three_jobs(own: Company) -> None:
    ran = own.cli("daemon", "--once", "--json")

    assert ran.code == 1
    shape(ran.json, "sync evidence remind")


# --- a wrong command line


WRONG = [
    ("sync", "--nope"), ("nope",), ("confirm", "T-01"), ("confirm", "T-01", "--by", "sato", "--on", "yesterday"), ("sync", "--only", "T-99"),
    ("sync", "--tracker", "x"), ("task", "restore", "T-99"), ("task", "restore", "T-05"), ("task",), ("conflicts", "resolve", "C-1", "--take", "x"),
    ("conflicts", "resolve", "C-0002", "--take", "nobody"), ("why", "T-99"), ("catalog", "show", "T-99"), ("mapping", "preview", "T-99"),
    ("confirm", "T-01", "--by", "nobody"), ("return", "T-01", "--by", "sato"), ("deadlines", "done", "x", "--on", "2026-01-01"),
    ("sheet", "import", "nowhere.xlsx"), ("evidence", "add", "nowhere.pdf", "--criterion", "T-01"), ("evidence", "add", "--criterion", "T-01"),
    ("evidence", "withdraw", "x", "--reason", "y"), ("evidence", "list", "T-99"), ("tracker", "drop", "x"), ("tracker", "rename", "x", "y"),
    ("rebind",), ("rebind", "--moved", "--copied"), ("profile", "confirm", "--by", "x", "--reason", ""), ("remind", "--today", "2026-99-99"),
    ("bundle", "verify", "nowhere.zip"), ("mapping", "check", "nowhere.yaml"), ("daemon", "--every", "0"), ("confirm", "T-01", "--by", "sato", "--proof", "nowhere.pdf"),
]  # fmt: skip


@pytest.mark.parametrize("command", WRONG, ids=" ".join)
def test_a_wrong_command_line_is_code_2_with_a_message_and_changes_nothing(
    own: Company, command: tuple[str, ...]
) -> None:
    before = own.events()
    ran = own.cli(*command, "--json")
    shown = own.cli(*command)
    error = ran.json["error"]

    assert (ran.code, shown.code, error["code"]) == (2, 2, "usage")
    shape(error, "code message problems")
    assert error["message"]
    for problem in error["problems"]:
        shape(problem, "file line column message")
    assert shown.err
    assert "Traceback" not in shown.err + shown.out
    assert own.events() == before


def test_the_nearest_name_is_offered(own: Company) -> None:
    assert "sync" in own.cli("snyc").err
    assert "T-39" in own.cli("why", "T-99").err or "T-" in own.cli("why", "T-99").err


def test_without_json_messages_go_to_standard_error_and_results_to_standard_output(own: Company) -> None:
    wrong, right = own.cli("why", "T-99"), own.cli("status", lang="ja")

    assert (wrong.out, bool(wrong.err)) == ("", True)
    assert ("株式会社小出精密" in right.out, right.err) == (True, "")


# --- a secret


CANARY = "canary-7f3a91-秘密"


def everything_under(folder: Path) -> bytes:
    found = [
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and "秘密の棚" not in path.parts
    ]
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as package:
            found += [package.read(name) for name in package.namelist()]
    return b"\n".join(found)


def test_a_secret_reaches_no_output_no_log_no_file_and_no_bundle(own: Company) -> None:
    own.edit_config(
        "notify:\n  folder:\n    path: outbox",
        "notify:\n  mail: {host: 127.0.0.1, port: 9, security: none, from: a@example.jp, user: u}",
    )
    shelf = own.root / "秘密の棚"
    shelf.mkdir()
    (shelf / "notify.mail.password").write_text(CANARY, "utf-8")
    own.environ["TICSSYNC_NOTIFY__MAIL__PASSWORD"] = CANARY
    config, _ = load_config(own.config, own.environ, shelf)
    assert config is not None
    assert config.notify["mail"]["password"] == CANARY
    commands = [
        ("sync", "-v"), ("status",), ("doctor",), ("remind", "-v"), ("daemon", "--once", "-v"), ("bundle", "export"), ("plugins",),
        ("why", "T-22"), ("sync", "--tracker", "x"), ("evidence", "check"),
    ]  # fmt: skip
    said = []
    for command in commands:
        for more in ((), ("--json",), ("--secrets-dir", str(shelf))):
            ran = own.cli(*command, *more)
            said += [ran.out, ran.err]

    assert CANARY not in "\n".join(said)
    assert CANARY.encode() not in everything_under(own.root)
    assert CANARY.encode("utf-16-le") not in everything_under(own.root)


def test_a_secret_in_the_file_itself_is_never_repeated_by_a_message(own: Company) -> None:
    own.edit_config(
        "notify:\n  folder:\n    path: outbox",
        f"notify:\n  mail: {{host: [{CANARY}], password: {CANARY}, from: 5}}",
    )
    ran = [own.cli(command, *more) for command in ("sync", "doctor", "remind") for more in ((), ("--json",))]

    assert all(one.code != 0 for one in ran)
    assert CANARY not in "".join(one.out + one.err for one in ran)


def test_a_secret_for_a_tracker_that_is_not_there_is_named_with_the_nearest_and_not_repeated(
    own: Company,
) -> None:
    own.environ["TICSSYNC_TRACKERS__LEGDER__API_KEY"] = CANARY
    ran = own.cli("sync", "--json")
    own.environ.clear()
    (problem,) = ran.json["error"]["problems"]

    assert ran.code == 2
    assert "ledger" in problem["fix"]
    assert CANARY not in ran.out + ran.err


# --- help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    ran = CliRunner().invoke(root, [name, "--help"])

    assert ran.exit_code == 0
    assert len(ran.stdout.splitlines()) > 5
