"""What goes wrong with a database server is told in our words, with what to do, and never with the password."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from tests.servers.postgres import PASSWORD, Cluster
from tests.servers.postgres_fixtures import OTHERS_OUT, administer, at_database, name_of

from ticssync.errors import CorruptStoreError, CredentialsError, RetryLaterError, TicssyncError, UsageError
from ticssync.store import By, Store, server
from ticssync.store.server_check import findings
from ticssync.testing.clock import Clock

pytest_plugins = ["tests.servers.postgres_fixtures"]

WORKSPACE = "contract00"
ROLE = "ticssync_plain"


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    made = Store.create(postgres_url, WORKSPACE, Clock())
    yield made
    made.close()


@pytest.fixture
def plain_account(postgres_cluster: Cluster, postgres_url: str) -> Iterator[Callable[[str], str]]:
    """The URL of this database for an account that owns nothing, with the password that is handed in."""
    administer(postgres_url, f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    yield lambda password: postgres_cluster.url(name_of(postgres_url), ROLE, password)
    administer(postgres_url, f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


def told_by(do: Callable[[], object]) -> TicssyncError:
    """The error; the password is nowhere in it, its causes and its traceback."""
    with pytest.raises(TicssyncError) as told:
        do()
    whole = "".join(traceback.format_exception(told.value)) + told.value.fix
    assert PASSWORD not in whole
    assert "canary" not in whole
    return told.value


def opened(url: str) -> Callable[[], object]:
    return lambda: Store.open(url, WORKSPACE, Clock())


def test_a_wrong_password_and_a_missing_one_are_credentials(plain_account: Callable[[str], str]):
    for url in (plain_account(PASSWORD + "x"), plain_account("")):
        error = told_by(opened(url))
        assert (type(error), error.exit_code) == (CredentialsError, 4)
        assert "TICSSYNC_STORE_PASSWORD" in error.fix


def test_an_account_that_is_not_there_is_told_apart_from_a_database_that_is_not_there(
    postgres_cluster: Cluster,
):
    stranger = told_by(opened(postgres_cluster.url("postgres", "nobody", PASSWORD)))
    missing = told_by(opened(postgres_cluster.url("nothing_here")))

    assert (stranger.exit_code, missing.exit_code) == (4, 5)
    assert "no such database" in str(missing) and "createdb" in missing.fix


@pytest.mark.parametrize(
    "where", [f"tics:{PASSWORD}@127.0.0.1:1/x", f"tics:a@{PASSWORD}@nowhere.invalid/x", f"nowhere.invalid/x?user=a&password={PASSWORD}"]
)  # fmt: skip
def test_a_server_that_does_not_answer_is_tried_again_later(where: str):
    error = told_by(opened(f"postgresql://{where}"))

    assert (type(error), error.exit_code) == (RetryLaterError, 3)
    assert "does not answer" in str(error)


@pytest.mark.parametrize(
    "query", ["sslmode=canary-pw", "canary=1", "sslmode=require", "sslmode=verify-full&sslrootcert=/nothing"]
)
def test_what_the_url_says_wrongly_is_the_configurations_fault(postgres_cluster: Cluster, query: str):
    error = told_by(opened(f"{postgres_cluster.url()}?{query}"))
    assert (type(error), error.exit_code) == (UsageError, 2)


def test_a_database_without_a_store_and_one_with_somebody_elses_tables(postgres_url: str):
    for statement in ("SELECT 1", "CREATE TABLE alembic_version (version_num text)"):
        administer(postgres_url, statement)
        error = told_by(opened(postgres_url))
        assert (error.exit_code, "not a store of ticssync" in str(error)) == (5, True)


def test_another_workspaces_store_a_newer_one_and_a_second_one_are_refused(store: Store, postgres_url: str):
    other = told_by(lambda: Store.open(postgres_url, "another000", Clock()))
    second = told_by(lambda: Store.create(postgres_url, "another000", Clock()))
    administer(postgres_url, "UPDATE alembic_version SET version_num = '9999'")
    newer = told_by(opened(postgres_url))

    assert [one.exit_code for one in (other, second, newer)] == [5, 5, 5]
    assert "belongs to workspace contract00" in str(other)
    assert "already" in str(second) and "database" in second.fix
    assert "newer version" in str(newer)


CODES = {
    "40001": RetryLaterError, "40P01": RetryLaterError, "55P03": RetryLaterError, "57014": RetryLaterError, "53300": RetryLaterError,
    "53100": CorruptStoreError, "25006": CorruptStoreError, "42501": CorruptStoreError, "42P01": CorruptStoreError,
    "XX001": CorruptStoreError, "22012": CorruptStoreError, "23505": CorruptStoreError,
}  # fmt: skip


def test_each_kind_of_failure_is_told_by_what_to_do_next(store: Store):
    """Raised by a real server, with its code and its words."""

    def fail(code: str) -> None:
        with store.write() as tx:
            tx.put_meta("x", "1")
            tx.connection.exec_driver_sql(
                f"DO $$ BEGIN RAISE EXCEPTION 'the reason' USING ERRCODE = '{code}'; END $$"
            )

    errors = {code: told_by(lambda code=code: fail(code)) for code in CODES}
    assert {code: type(error) for code, error in errors.items()} == CODES
    assert "is full" in str(errors["53100"])
    with store.read() as tx:
        assert tx.meta("x") is None


def test_two_that_wait_for_each_other_are_told_to_come_again(store: Store, postgres_url: str):
    """A real deadlock: somebody else's program holds what we want and wants what we hold."""
    import threading

    import psycopg

    other = psycopg.connect(postgres_url)
    other.execute("UPDATE meta SET value = value")
    wrong: list[BaseException] = []

    def ours() -> None:
        try:
            with store.write() as tx:
                tx.append("task.note", "x", By("a"), {})
                ready.set()
                tx.put_meta("made_at", "x")
        except TicssyncError as error:
            wrong.append(error)

    ready = threading.Event()
    thread = threading.Thread(target=ours)
    thread.start()
    assert ready.wait(30)
    try:
        other.execute("SELECT * FROM head FOR UPDATE")
        other.commit()
    except psycopg.errors.DeadlockDetected:
        other.rollback()
    thread.join(60)
    other.close()

    assert all(type(error) is RetryLaterError for error in wrong)
    with store.read() as tx:
        assert tx.head()[0] == (0 if wrong else 1)


def test_a_session_that_is_ended_in_the_middle_writes_nothing_and_the_next_one_goes_through(
    store: Store, postgres_url: str
):
    def cut_off() -> None:
        with store.write() as tx:
            tx.append("task.note", "x", By("a"), {})
            administer(postgres_url, OTHERS_OUT)
            tx.put_meta("x", "1")

    error = told_by(cut_off)
    assert type(error) is RetryLaterError
    with store.write() as tx:
        assert tx.head()[0] == 0
        tx.append("task.note", "x", By("a"), {})


def test_nothing_can_be_written_where_only_reading_was_meant(store: Store):
    def write() -> None:
        with store.read() as tx:
            tx.put_meta("x", "1")

    assert type(told_by(write)) is CorruptStoreError


def test_an_account_without_rights_is_told_so_before_anything_is_made(
    plain_account: Callable[[str], str], postgres_url: str
):
    error = told_by(lambda: Store.create(plain_account(PASSWORD), WORKSPACE, Clock()))
    assert (error.exit_code, "may not be written: CREATE" in str(error)) == (5, True)
    assert "OWNER" in error.fix
    Store.create(postgres_url, WORKSPACE, Clock()).close()
    assert told_by(opened(plain_account(PASSWORD))).exit_code == 5


def test_a_database_in_another_encoding_is_refused(postgres_server: str):
    """It would refuse some of the characters in people's names, one sync at a time."""
    administer(postgres_server, "DROP DATABASE IF EXISTS tics_eucjp WITH (FORCE)")
    administer(
        postgres_server,
        "CREATE DATABASE tics_eucjp TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    error = told_by(lambda: Store.create(at_database(postgres_server, "tics_eucjp"), WORKSPACE, Clock()))
    administer(postgres_server, "DROP DATABASE tics_eucjp WITH (FORCE)")

    assert "EUC_JP" in str(error) and "UTF8" in error.fix


def test_the_words_of_a_japanese_server_are_understood_too():
    """A refused login carries no code, and its words are in the server's language."""

    def kind(words: str) -> type[TicssyncError]:
        return type(server._refused("postgresql://db/x", words))

    assert kind('ユーザー"tics"のパスワード認証に失敗しました') is CredentialsError
    assert kind('ロール"tics"は存在しません') is CredentialsError
    assert kind('データベース"x"は存在しません') is CorruptStoreError
    assert kind("現在クライアント数が多すぎます") is RetryLaterError
    assert kind("データベースシステムは起動処理中です") is RetryLaterError


# -- what doctor says of it


def test_a_server_that_is_in_order_is_told_with_its_version(store: Store):
    found = {name: (level, message) for level, name, message, _ in findings(store)}

    assert {name: level for name, (level, _) in found.items()} == {
        "server": "ok",
        "rights": "ok",
        "isolation": "ok",
    }
    assert "PostgreSQL 1" in found["server"][1]


def test_rights_that_lack_are_named(store: Store, plain_account: Callable[[str], str], postgres_url: str):
    administer(postgres_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}")
    poor = Store.open(plain_account(PASSWORD), WORKSPACE, Clock())
    (rights,) = [one for one in findings(poor) if one[1] == "rights"]
    poor.close()

    assert rights[0] == "fail"
    assert {"CREATE", "event", "lease"} <= set(rights[2].rpartition(": ")[2].split(", "))


def test_a_copy_of_the_database_has_another_name(store: Store, postgres_server: str, postgres_url: str):
    """Made on the same server from the same files: two stores that both believe to be the only one."""
    with store.read() as tx:
        assert store.identity() == server.identity(tx.connection)
    store.close()
    administer(postgres_server, "DROP DATABASE IF EXISTS tics_copy WITH (FORCE)")
    administer(postgres_server, f"CREATE DATABASE tics_copy TEMPLATE {name_of(postgres_url)}")
    copy = Store.open(at_database(postgres_server, "tics_copy"), WORKSPACE, Clock())
    names = (store.identity(), copy.identity())
    copy.close()
    store.close()
    administer(postgres_server, "DROP DATABASE tics_copy WITH (FORCE)")

    assert names[0] != names[1]


def test_the_lock_timeout_is_ours_and_the_text_is_utf_8_whatever_the_environment_says(
    store: Store, monkeypatch: pytest.MonkeyPatch, postgres_url: str
):
    monkeypatch.setenv("PGCLIENTENCODING", "SJIS")
    again = Store.open(postgres_url, WORKSPACE, Clock())
    with again.write() as tx:
        settings = [
            tx.connection.scalar(text(f"SHOW {name}")) for name in ("client_encoding", "lock_timeout")
        ]
        tx.put_meta("x", "髙﨑㈱👩‍👩‍👧")
    with store.read() as tx:
        assert (settings, tx.meta("x")) == (["UTF8", "15s"], "髙﨑㈱👩‍👩‍👧")
    again.close()
