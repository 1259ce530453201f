"""A company loses its machine: backup, restore, and the workbook in the shared folder that went on meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.system.company import Company, outgoing
from tests.unit.app.at_a_terminal import at_a_terminal
from ticssync.app import confirm, hand_in
from ticssync.app.backup import backup
from ticssync.app.confirm import Wanted
from ticssync.app.passphrase import FILE, VARIABLE
from ticssync.app.restore import restore
from ticssync.config.schema import ConfigFile
from ticssync.model.assessment import ActKind
from ticssync.store import Store
from ticssync.store.dump import without_password
from ticssync.store.scopes import scopes

pytest_plugins = ["tests.servers.postgres_fixtures"]

ALL = os.environ.get("TICSSYNC_FAULTS") == "all"
heavy = pytest.mark.skipif(not ALL, reason="with TICSSYNC_FAULTS=all")
PHRASE = "正しい馬 電池 ホチキス staple"
SECRET = "api-key-0815-of-the-tracker"


def save(company: Company, file: Path) -> None:
    with company.open() as workspace:
        backup(company.around, workspace.config, file, PHRASE, work=2)


def lose(company: Company, file: Path) -> None:
    """The management folder is gone, the shared one is not."""
    shutil.rmtree(company.office)
    restore(company.around, file, company.office, PHRASE)


def worked(company: Company) -> Company:
    """Evidence handed in, an item confirmed, a task under way."""
    company.person({"T-01": {"status": "完了"}, "T-02": {"status": "対応中"}})
    company.sync()
    with company.open() as workspace:
        with workspace.store.read() as tx:
            items = {item["id"]: item["evidence"]["kinds"] for item in scopes(tx)["tics"]["items"]}
        made = hand_in.add(
            workspace, company.config, ["T-01"], kind=items["T-01"][0], on=workspace.today, until=None, keep_mode="copy",
            evidence_class="社内", note="㊙", handed_in_by="tanaka",
        )  # fmt: skip
        hand_in.review(workspace, str(made["items"][0]["id"]), "sato")
        confirm.act(workspace, Wanted(ActKind.CONFIRM, "T-01", "sato"), company.config)
    company.sync()
    return company


def marks(company: Company) -> dict[str, str]:
    """Item → the hidden id of its row."""
    return dict(zip(company.rows(), company.markers(), strict=True))


def test_a_lost_machine_is_put_back_by_two_commands_and_nothing_is_left_to_do(
    synced: Company, tmp_path: Path
) -> None:
    company, file = worked(synced), tmp_path / "控え.age"
    shelf = company.office / "secrets"
    shelf.mkdir()
    (shelf / "old.api_token").write_text(SECRET)
    (shelf / FILE).write_text(f"{PHRASE}\n", "utf-8")
    before, book = company.cli("status", "--json").out, company.book.read_bytes()

    saved = company.cli("backup", str(file), "--json")
    key = (company.office / "keys" / "bundle-key.pem").read_bytes()
    shutil.rmtree(company.office)
    company.environ[VARIABLE] = PHRASE
    again = company.cli("restore", str(file), "--json")

    assert (saved.code, again.code) == (0, 0), saved.err + again.err
    assert saved.json["paths"] == {"backup": str(file)}
    assert again.json["paths"]["folder"] == str(company.office.resolve())
    assert company.cli("status", "--json").out == before
    result = company.sync()
    assert outgoing(result) == []
    assert company.book.read_bytes() == book
    assert company.cli("restore", str(file)).code == 2
    checks = {one["id"]: one["state"] for one in company.cli("doctor", "--json").json["checks"]}
    assert (checks["store.chain"], checks["places.rights"]) == ("ok", "ok")
    inside = decrypted(file)
    assert [word for word in (SECRET.encode(), PHRASE.encode(), key.splitlines()[1]) if word in inside] == []
    assert {"secrets/old.api_token", f"secrets/{FILE}"} <= {one["what"] for one in saved.json["left_out"]}


def decrypted(file: Path) -> bytes:
    from ticssync.app.sealed import SealedReader

    with file.open("rb") as source:
        return SealedReader(source, PHRASE).read()


def test_an_old_backup_doubles_nothing_and_loses_nobodys_edit(company: Company, tmp_path: Path) -> None:
    """Saved before the rows were made; then the company worked for a while; then the machine was lost."""
    file = tmp_path / "alt.age"
    save(company, file)
    company.sync()
    worked(company)
    company.person({"T-10": {"status": "確認依頼", "assignee": "佐藤 花子"}, "T-20": {"status": "対応中"}})
    rows = marks(company)

    lose(company, file)
    company.sync()
    assert outgoing(company.sync()) == []

    assert marks(company) == rows
    assert len(company.bound()) == len(rows) == 46
    assert {item: company.cell(item, "status") for item in ("T-01", "T-02", "T-10", "T-20")} == {
        "T-01": "完了", "T-02": "対応中", "T-10": "確認依頼", "T-20": "対応中",
    }  # fmt: skip
    assert company.cell("T-10", "assignee") == "佐藤 花子"


@heavy
def test_edits_made_since_the_backup_are_taken_over_and_none_is_written_back(
    synced: Company, tmp_path: Path
) -> None:
    company, file = synced, tmp_path / "b.age"
    company.person({"T-03": {"status": "対応中"}})
    company.sync()
    save(company, file)
    worked(company)
    company.person({"T-03": {"status": "完了"}, "T-04": {"status": "対応中"}})

    lose(company, file)
    written = outgoing(company.sync())

    assert {item: company.cell(item, "status") for item in ("T-01", "T-02", "T-03", "T-04")} == {
        "T-01": "完了", "T-02": "対応中", "T-03": "完了", "T-04": "対応中",
    }  # fmt: skip
    assert all(not one.startswith("create") for one in written)
    # What was confirmed after the backup is not in it: the row says so, and nobody's word is changed.
    assert json.loads(company.status_bytes())["summary"].get("confirmed", 0) == 0
    assert outgoing(company.sync()) == []


@heavy
def test_a_person_is_asked_for_the_passphrase_twice_and_it_is_not_shown(
    company: Company, tmp_path: Path
) -> None:
    if os.name != "posix":
        pytest.skip("needs a terminal of POSIX")
    file = tmp_path / "b.age"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TICSSYNC_")}

    typed = ["kurz", "kurz", PHRASE, PHRASE]
    code, shown = at_a_terminal(company.process_line("backup", str(file)), typed, environ)

    assert (code, file.exists()) == (0, True), shown
    assert "too short" in shown
    assert PHRASE not in shown
    assert "kurz" not in shown


def test_where_nobody_can_be_asked_it_says_how_to_give_the_passphrase(
    company: Company, tmp_path: Path
) -> None:
    ran = company.cli("backup", str(tmp_path / "b.age"), "--json")
    assert ran.code == 2
    assert VARIABLE in ran.json["error"]["fix"]
    assert list(tmp_path.glob("*.age")) == []


def test_a_passphrase_that_is_too_short_is_refused(company: Company, tmp_path: Path) -> None:
    company.environ[VARIABLE] = "kurz"
    ran = company.cli("backup", str(tmp_path / "b.age"))
    assert ran.code == 2
    assert "12" in ran.err
    assert "kurz" not in ran.err


def test_every_path_that_a_configuration_can_name_was_thought_of() -> None:
    """A new setting that names a file has to go into the backup, or to be left out on purpose."""
    paths = {name for name, one in ConfigFile.model_fields.items() if "Path" in str(one.annotation)}
    assert paths == {"overlay", "locker", "keys", "log"}, "see app/backup_contents.py"


@heavy
def test_a_large_locker_goes_through_without_being_held_in_memory(synced: Company, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as stream:
        for _ in range(400):
            stream.write(os.urandom(1 << 20))
    from ticssync.store.locker import Locker

    with large.open("rb") as stream:
        Locker(synced.office / "locker").put(stream)
    file = tmp_path / "b.age"
    found = measured(synced, "backup", str(file))
    shutil.rmtree(synced.office)
    again = measured(synced, "restore", str(file))
    assert max(found, again) < 400_000, (found, again)


def measured(company: Company, *words: str) -> int:
    """The most memory that the command took, in kilobytes."""
    code = (
        "import resource, sys\n"
        "from ticssync.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    line = [sys.executable, "-c", code, *words, "--config", str(company.config), "--lang", "en"]
    ran = subprocess.run(
        line, capture_output=True, text=True, check=True, env={**os.environ, VARIABLE: PHRASE}, timeout=300
    )
    return int(ran.stderr.splitlines()[-1])


@heavy
def test_a_store_on_a_server_is_saved_the_same_way_and_comes_back_in_a_file(
    company: Company, postgres_url: str, tmp_path: Path
) -> None:
    with company.open() as workspace:
        ident = workspace.config.workspace
    company.store_file.unlink()
    company.edit_config("store: sqlite:///ticssync.db", f"store: {postgres_url}")
    Store.create(postgres_url, ident, company.clock).close()
    company.sync()
    worked(company)
    before, file = company.status_bytes(), tmp_path / "b.age"
    save(company, file)

    lose(company, file)

    assert company.store_file.exists()
    assert "store: sqlite:///ticssync.db" in company.config.read_text("utf-8")
    assert company.status_bytes() == before
    assert outgoing(company.sync()) == []
    password = make_url(postgres_url).password
    assert not password or password.encode() not in decrypted(file)


def test_a_store_of_a_file_is_put_onto_a_server(synced: Company, postgres_url: str, tmp_path: Path) -> None:
    company, file = worked(synced), tmp_path / "b.age"
    before = company.status_bytes()
    save(company, file)
    shutil.rmtree(company.office)
    url = make_url(postgres_url)
    bare = without_password(postgres_url)
    company.environ |= {VARIABLE: PHRASE, "TICSSYNC_STORE_PASSWORD": url.password or ""}

    if url.password:
        assert company.cli("restore", str(file), "--store", postgres_url).code == 2
    ran = company.cli("restore", str(file), "--store", bare, "--json")

    assert ran.code == 0, ran.err
    assert ran.json["paths"]["store"] == bare
    assert f"store: {bare}" in company.config.read_text("utf-8")
    assert not company.store_file.exists()
    assert company.cli("status", "--json").code == 0
    again = company.cli("sync", "--json")
    assert [one["actions"] for one in again.json["trackers"].values()] == [[]]
    assert before
