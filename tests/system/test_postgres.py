"""A company whose store is on a PostgreSQL server: everything as with a file, and the password in no file of ours."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.servers.postgres import PASSWORD, Cluster, programs
from tests.servers.postgres_fixtures import OTHERS_OUT, NewDatabase, administer, at_database, name_of
from tests.system.company import ITEMS, Company, found_company, outgoing
from ticssync.app.leasing import leased
from ticssync.app.rebind import moved
from ticssync.app.scope import scopes_now
from ticssync.app.status import status_json
from ticssync.app.sync_once import settle_in
from ticssync.app.workspace import open_workspace, read_config
from ticssync.errors import RetryLaterError, TicssyncError
from ticssync.store import Store
from ticssync.store.events import verify_chain
from ticssync.store.store import replay
from ticssync.text import Text

pytest_plugins = ["tests.servers.postgres_fixtures"]

ROLE = "ticssync_company"


@pytest.fixture
def owned(postgres_cluster: Cluster, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL, without a password, of a database that an account of its own may use; the password is in the environment."""
    name = name_of(postgres_url)
    administer(
        postgres_url, f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'",
        f"ALTER SCHEMA public OWNER TO {ROLE}",
    )  # fmt: skip
    monkeypatch.setenv("TICSSYNC_STORE_PASSWORD", PASSWORD)
    yield postgres_cluster.url(name, ROLE)
    administer(
        postgres_url,
        OTHERS_OUT,
        f"DROP OWNED BY {ROLE} CASCADE",
        "DROP SCHEMA IF EXISTS public CASCADE",
        f"DROP ROLE {ROLE}",
        "CREATE SCHEMA public",
    )


@pytest.fixture
def on_server(company: Company, owned: str) -> Company:
    """The company of the other tests, with an empty store on the server instead of its file."""
    with company.open() as workspace:
        ident = workspace.config.workspace
    company.store_file.unlink()
    company.edit_config("store: sqlite:///ticssync.db", f"store: {owned}")
    Store.create(read_config(company.around).store_url, ident, company.clock).close()
    return company


def test_a_company_lives_on_a_server_as_it_does_in_a_file(owned: str, tmp_path: Path):
    """init, sync, a person's edit, sync back, an idle pass, doctor, status; and the law of the store."""
    on_server = found_company(tmp_path / "会社", store=owned)
    assert len(outgoing(on_server.sync())) == ITEMS
    on_server.person({"T-01": {"status": "完了"}})
    on_server.sync()
    idle = on_server.sync()
    doctor, status = on_server.cli("doctor", "--json"), on_server.cli("status", "--json")
    found = {one["id"]: (one["state"], one["message"]) for one in doctor.json["checks"]}
    task = next(one for one in status.json["criteria"] if one["id"] == "T-01")

    assert outgoing(idle) == []
    assert {name: found[name][0] for name in ("store.chain", "store.server", "store.rights", "store.isolation")} == {
        "store.chain": "ok", "store.server": "ok", "store.rights": "ok", "store.isolation": "ok",
    }  # fmt: skip
    assert "store.place" not in found and "secrets" not in found
    assert "PostgreSQL" in found["store.server"][1]
    assert task["tasks"][0]["status"] == "done"
    assert not on_server.store_file.exists()
    _the_law_holds(on_server)
    everything = b"".join(file.read_bytes() for file in on_server.root.rglob("*") if file.is_file())
    assert PASSWORD.encode() not in everything
    assert PASSWORD not in doctor.out + doctor.err + status.out + status.err


def _the_law_holds(company: Company) -> None:
    with company.open() as workspace, workspace.store.read() as here:
        events = here.events()
        into = Store.memory(workspace.config.workspace, company.clock)
        replay(events, into)
        with into.read() as there:
            assert (
                json.dumps(status_json(there, Text("ja")), ensure_ascii=False).encode()
                == company.status_bytes()
            )
        into.close()
    assert verify_chain(events) == ()


def test_the_password_may_lie_in_the_secrets_folder_and_is_asked_for_where_it_is_nowhere(
    on_server: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("TICSSYNC_STORE_PASSWORD")
    without = on_server.cli("status")
    shelf = on_server.office / "secrets"
    shelf.mkdir()
    (shelf / "store.password").write_text(PASSWORD + "\n", "utf-8")
    with_it = on_server.cli("status")

    assert (without.code, with_it.code) == (4, 0)
    assert "secrets/store.password" in without.err


def test_libpqs_own_ways_to_know_a_password_count_too(on_server: Company, monkeypatch: pytest.MonkeyPatch):
    file = on_server.root / "pgpass"
    file.write_text(f"*:*:*:{ROLE}:{PASSWORD}\n", "utf-8")
    file.chmod(0o600)
    monkeypatch.delenv("TICSSYNC_STORE_PASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(file))

    assert on_server.cli("status").code == 0


def test_a_password_in_the_file_works_and_doctor_says_that_it_should_not_stand_there(
    on_server: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("TICSSYNC_STORE_PASSWORD")
    on_server.edit_config(f"{ROLE}@", f"{ROLE}:{PASSWORD}@")
    doctor = on_server.cli("doctor", "--json")

    assert [one["message"] for one in doctor.json["checks"] if one["id"] == "secrets"] == [
        "store stands in ticssync.yaml"
    ]
    assert PASSWORD not in doctor.out + doctor.err


def test_two_machines_work_on_one_store_one_after_the_other(on_server: Company):
    """The store is not moved by that; while one holds the lease, the other is told who."""
    _used_for_the_first_time(on_server)
    elsewhere = dataclasses.replace(on_server.around, machine="another-machine", host="second", pid=4711)
    with open_workspace(elsewhere) as workspace:
        with workspace.store.read() as tx:
            workspace.check_place(tx)
        with leased(workspace), pytest.raises(RetryLaterError) as told:
            on_server.sync()
    assert "second, process 4711" in str(told.value)
    with on_server.open() as workspace, leased(workspace) as lease:
        assert lease.token == 2


def _used_for_the_first_time(company: Company) -> None:
    with company.open() as workspace:
        settle_in(workspace, scopes_now(workspace))


def test_a_restored_dump_is_a_copy_until_a_person_says_that_it_is_the_only_one(
    on_server: Company, postgres_server: str, new_database: NewDatabase, tmp_path: Path
):
    """Backup and restore as the reference page tells it: pg_dump and pg_restore."""
    where, file = programs(), tmp_path / "ticssync.dump"
    if where is None:
        pytest.skip("pg_dump is not installed")
    _used_for_the_first_time(on_server)
    before = on_server.status_bytes()
    old, new = at_database(postgres_server, _database(on_server)), new_database()
    _ran(where / "pg_dump", "--no-owner", "--format", "custom", "--file", file, old)
    _ran(where / "pg_restore", "--no-owner", "--dbname", new, file)
    on_server.edit_config(_store_line(on_server), f"store: {new}")

    stopped = on_server.cli("sync")
    assert (stopped.code, "moved or copied" in stopped.err) == (5, True)
    with on_server.open() as workspace:
        moved(workspace)
        with workspace.store.read() as tx:
            workspace.check_place(tx)
    assert json.loads(on_server.status_bytes())["criteria"] == json.loads(before)["criteria"]


def _ran(*words: Path | str) -> None:
    subprocess.run(words, capture_output=True, check=True)


def _store_line(company: Company) -> str:
    return next(line for line in company.config.read_text("utf-8").splitlines() if line.startswith("store:"))


def _database(company: Company) -> str:
    return make_url(_store_line(company).partition(" ")[2]).database or ""


@pytest.mark.parametrize("fault", ["down", "taken", "no such database"])
def test_init_leaves_nothing_behind_where_the_server_does_not_take_the_store(
    postgres_cluster: Cluster, postgres_url: str, tmp_path: Path, fault: str
):
    if fault == "taken":
        administer(
            postgres_url,
            "CREATE TABLE alembic_version (version_num text)",
            "INSERT INTO alembic_version VALUES ('0002')",
        )
    url = {
        "down": "postgresql://x@127.0.0.1:1/x",
        "taken": postgres_url,
        "no such database": postgres_cluster.url("nothing_here"),
    }[fault]
    with pytest.raises(TicssyncError) as told:
        found_company(tmp_path / "会社", store=url)

    assert told.value.exit_code == (3 if fault == "down" else 5)
    assert not (tmp_path / "会社").exists()
