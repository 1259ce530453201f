"""`backup` and `restore` over make-believe trackers: nothing doubled, nothing lost, nothing half."""

from __future__ import annotations

import copy
import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.unit.app.office import Office, outgoing
from ticssync.app import hand_in, hand_out
from ticssync.app.backup import Backed, backup
from ticssync.app.backup_contents import contents
from ticssync.app.passphrase import check_strength
from ticssync.app.restore import Restored, restore
from ticssync.app.sealed import DamagedBackupError, SealedReader, SealedWriter, WrongPassphraseError
from ticssync.app.workspace import Surroundings, read_config
from ticssync.errors import CorruptStoreError, TicssyncError, UsageError
from ticssync.plugin import NotSupported
from ticssync.store import Store, Transaction, dump
from ticssync.store.locker import Locker
from ticssync.store.working import Intent, intents
from ticssync.testing.clock import Clock
from ticssync.testing.fake_plugin import FakePlugin

pytest_plugins = ["tests.servers.postgres_fixtures"]

PHRASE = "正しい馬 電池 ホチキス staple"
WORK = 2
ALL = os.environ.get("TICSSYNC_FAULTS") == "all"
heavy = pytest.mark.skipif(not ALL, reason="with TICSSYNC_FAULTS=all")
SECRETS = ("s3cret-of-the-api", "pass-of-the-mail-0815", "store-pass-4711")


def save(office: Office, file: Path, **more: object) -> Backed:
    return backup(office.around, read_config(office.around), file, PHRASE, work=WORK, **more)  # type: ignore[arg-type]


def back(office: Office, file: Path, folder: Path, **more: object) -> Restored:
    plugins = tuple(office.plugins.values())[:1]
    around = replace(office.around, folder=office.root.parent)
    return restore(around, file, folder, PHRASE, extra=plugins, **more)  # type: ignore[arg-type]


def lose(office: Office, file: Path) -> Office:
    """The folder is gone; the same office goes on in a restored one."""
    office.close()
    shutil.rmtree(office.root)
    back(office, file, office.root)
    return office


def inside(file: Path) -> dict[str, bytes]:
    """What lies in a backup: name → bytes."""
    with file.open("rb") as source:
        raw = SealedReader(source, PHRASE).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar.getmembers()}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office whose tasks stand in the tracker; never used, only gone back to."""
    place = tmp_path_factory.mktemp("first")
    with closing(Office(place / "管理").found()) as office:
        office.settle()
        office.close()
        shutil.copytree(office.root, place / "kept")
        yield office


@pytest.fixture
def settled(first: Office) -> Iterator[Office]:
    """The office as it was then, folder and tracker: settling a new one for each test takes far longer."""
    if first.root.exists():
        shutil.rmtree(first.root)
    shutil.copytree(first.root.with_name("kept"), first.root)
    clock, server = copy.deepcopy((first.clock, first.server()))
    plugins = {"a": FakePlugin(server, name=first.plugins["a"].name)}
    with closing(Office(first.root, clock, plugins)) as office:
        yield office


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "控え.age"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Path]]:
    """A settled office and its backup, for tests that change neither."""
    place = tmp_path_factory.mktemp("kept")
    with closing(Office(place / "管理").found()) as office:
        office.settle()
        office.close()
        save(office, place / "b.age")
        yield office, place / "b.age"


@pytest.fixture
def saved(kept: tuple[Office, Path], file: Path) -> Office:
    """The office of `kept`; its backup lies in `file`."""
    shutil.copyfile(kept[1], file)
    return kept[0]


# --- put back ---------------------------------------------------------------------------------------------


def test_a_workspace_that_was_put_back_says_the_same_and_has_nothing_to_write(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    settled.reported("T-01")
    settled.act("confirm", "T-01")
    settled.settle()
    before, events = json.dumps(settled.status()), settled.events()
    save(settled, file)

    lose(settled, file)

    assert json.dumps(settled.status()) == before
    assert settled.events()[: len(events)] == events
    assert [one.kind for one in settled.events()[len(events) :]] == ["store.restored"]
    assert settled.keeps_the_law_of_replay()
    requests = settled.server().request_count
    assert outgoing(settled.sync()) == []
    assert settled.server().request_count > requests


def test_the_next_pass_looks_at_everything(settled: Office, file: Path) -> None:
    save(settled, file)
    lose(settled, file)
    with settled.open() as workspace, workspace.store.read() as tx:
        from ticssync.store.working import cursor

        assert cursor(tx, "a") == (None, None)
        assert tx.meta("quiet") is None
        assert tx.meta("place") == workspace.place()


def test_tasks_made_after_the_backup_are_found_by_their_marker_and_not_made_again(
    office: Office, file: Path
) -> None:
    save(office, file)
    office.settle()
    made = {item: one.id for item, one in office.issues().items()}
    office.person("T-01", 状態="対応中")
    assert len(made) == 2

    lose(office, file)
    office.settle()

    assert {item: one.id for item, one in office.issues().items()} == made
    assert len(office.server().issues()) == 2
    assert office.issues()["T-01"].fields["状態"] == "対応中"
    assert {one.ref.id for item in made for one in office.bound(item).values()} == set(made.values())


def test_what_people_changed_after_the_backup_is_taken_over(settled: Office, file: Path) -> None:
    save(settled, file)
    settled.person("T-01", 状態="対応中", 担当="1002")
    settled.settle()
    settled.person("T-02", 状態="完了")

    lose(settled, file)
    written = settled.sync()

    assert "a:update:T-02" not in [one for one in outgoing(written) if "状態" in one]
    assert settled.issues()["T-01"].fields["状態"] == "対応中"
    assert settled.issues()["T-02"].fields["状態"] == "完了"
    assert settled.bound("T-01")["a"].status == "doing"
    settled.settle()
    assert settled.issues()["T-01"].fields["担当"] == "1002"


def test_an_act_of_after_the_backup_whose_mark_stands_in_the_tracker_is_undone_by_nobody(
    settled: Office, file: Path
) -> None:
    """A person sent a task back: the tracker shows it, the restored store does not know why, and leaves it."""
    settled.reported("T-01")
    save(settled, file)
    settled.act("return", "T-01", reason="押印がない")
    settled.settle()
    assert settled.issues()["T-01"].fields["状態"] == "対応中"

    lose(settled, file)
    settled.settle()

    assert settled.issues()["T-01"].fields["状態"] == "対応中"
    assert settled.conflicts() == ()


def test_a_note_that_waited_in_the_backup_and_was_written_since_is_not_written_again(
    settled: Office, file: Path
) -> None:
    with settled.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です")
    save(settled, file)
    settled.settle()
    (comment,) = settled.server().issue(settled.issues()["T-01"].id).comments

    lose(settled, file)
    settled.settle()

    assert list(settled.server().issue(settled.issues()["T-01"].id).comments) == [comment]
    assert len(settled.events("task.noted")) == 1


@pytest.mark.parametrize("missing", ["plugin", "setting"])
def test_neither_is_it_where_the_trackers_kind_was_not_known_when_it_was_put_back(
    settled: Office, file: Path, missing: str
) -> None:
    """A new machine often lacks a plugin at first, or ticssync.yaml needs a look there."""
    with settled.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です")
    config, settings = settled.root / "ticssync.yaml", read_config(settled.around)
    sound = config.read_bytes()
    if missing == "setting":
        config.write_bytes(sound + b"unheard_of: 1\n")
    backup(settled.around, settings, file, PHRASE, work=WORK)
    config.write_bytes(sound)
    settled.settle()
    settled.close()
    shutil.rmtree(settled.root)

    around = replace(settled.around, folder=settled.root.parent)
    plugins = tuple(settled.plugins.values())[:1] if missing == "setting" else ()
    found = restore(around, file, settled.root, PHRASE, extra=plugins)
    config.write_bytes(sound)
    settled.settle()

    assert found.event
    assert len(settled.server().issue(settled.issues()["T-01"].id).comments) == 1
    assert waiting(settled) == ()


def waiting(office: Office) -> tuple[Intent, ...]:
    """What was sent, and not yet answered for."""
    with office.open() as workspace, workspace.store.read() as tx:
        return intents(tx, "a")


def test_a_tracker_without_notes_is_not_asked_for_one_for_ever(settled: Office, file: Path) -> None:
    with settled.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です")
    settled.server().behaviour.takes_notes = False
    save(settled, file)
    settled.close()
    shutil.rmtree(settled.root)
    restore(replace(settled.around, folder=settled.root.parent), file, settled.root, PHRASE)
    assert len(waiting(settled)) == 1

    def as_a_driver_without_them(point: str) -> None:
        if point == "before comments":
            raise NotSupported("comments")

    settled.server().watch = as_a_driver_without_them
    result = settled.settle()

    assert (result.reports["a"].state, waiting(settled)) == ("ok", ())
    assert not settled.server().issue(settled.issues()["T-01"].id).comments


def test_a_restore_onto_a_server_that_breaks_off_can_be_run_again(
    saved: Office, file: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only what it left there itself is taken for nothing: a store with events stays as it is."""
    around = replace(saved.around, environ={"TICSSYNC_STORE_PASSWORD": make_url(postgres_url).password or ""})
    bare, plugins = dump.without_password(postgres_url), tuple(saved.plugins.values())[:1]

    def run(name: str) -> Restored:
        return restore(around, file, tmp_path / name, PHRASE, server=bare, extra=plugins)

    def full(_source: Store, _target: Store) -> None:
        raise CorruptStoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(dump, "copy", full)
        with pytest.raises(CorruptStoreError, match="full"):
            run("一")
    found = run("二")

    config = read_config(replace(around, folder=tmp_path / "二"))
    with closing(Store.open(config.store_url, config.workspace, saved.clock)) as store, store.read() as tx:
        assert (tx.head()[0], dump.wrong_with_log(tx)) == (found.event, ())
        assert json.loads(tx.meta("place") or "")["database"] == store.identity()
    with pytest.raises(CorruptStoreError, match="already"):
        run("三")
    assert not (tmp_path / "三").exists()


def test_a_store_of_another_workspace_is_not_taken_for_what_a_restore_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    with closing(Store.create(url, "another234", Clock())) as store, store.read() as tx:
        assert dump.untouched(tx)
        assert not dump.untouched(Transaction(tx.connection, "k7m2q9wx4d", tx.now, tx.salt))


@heavy
def test_a_note_that_was_never_written_is_written_once(settled: Office, file: Path) -> None:
    with settled.open() as workspace:
        hand_out.note(workspace, "T-01", "期限は月末です")
    save(settled, file)

    lose(settled, file)
    settled.settle()

    assert len(settled.server().issue(settled.issues()["T-01"].id).comments) == 1


@heavy
def test_a_file_that_waited_in_the_backup_and_hangs_there_by_now_is_not_hung_twice(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    form = tmp_path / "様式.docx"
    form.write_bytes(b"PK\x03\x04 form")
    with settled.open() as workspace:
        hand_out.attach(workspace, "T-01", form)
    save(settled, file)
    settled.settle()

    lose(settled, file)
    settled.settle()

    assert len(settled.server().issue(settled.issues()["T-01"].id).attachments) == 1


@heavy
def test_a_task_deleted_after_the_backup_is_not_made_again(settled: Office, file: Path) -> None:
    save(settled, file)
    settled.server().delete(settled.issues()["T-01"].id)
    settled.settle()

    lose(settled, file)
    settled.settle()

    assert set(settled.issues()) == {"T-02"}
    assert settled.bound("T-01")["a"].state.value == "tomb"


@heavy
def test_a_mirror_and_its_main_that_were_changed_after_the_backup_come_to_one_value(
    office: Office, file: Path
) -> None:
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.settle()
    save(office, file)
    office.person("T-01", "a", 状態="対応中")
    office.settle()
    office.person("T-01", "b", 状態="完了")

    lose(office, file)
    office.settle()

    assert {office.issues(name)["T-01"].fields["状態"] for name in "ab"} == {"完了"}


# --- what is in it, and what is not -----------------------------------------------------------------------


def test_the_evidence_comes_back_byte_for_byte(settled: Office, file: Path, tmp_path: Path) -> None:
    proof = tmp_path / "写真.bin"
    proof.write_bytes(os.urandom(300_000))
    with settled.open() as workspace:
        hand_in.add(
            workspace, proof, ["T-01"], kind="document", keep_mode="copy", evidence_class=None, handed_in_by="tanaka",
            on=None, until=None, note="",
        )  # fmt: skip
    save(settled, file)
    lose(settled, file)

    locker = Locker(settled.root / "locker")
    (held,) = locker.folder.glob("??/*")
    assert held.read_bytes() == proof.read_bytes()
    assert locker.verify(held.parent.name + held.name) == "ok"


def test_no_secret_and_no_private_key_is_inside(settled: Office, file: Path) -> None:
    root = settled.root
    for folder, name, words in (
        ("secrets", "trackers.a.api_key", SECRETS[0]),
        ("keys", "bundle-key.pem", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n"),
        ("keys", "bundle-key.pub.pem", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"),
        ("mappings", "old.yaml", f"# {SECRETS[1]} stands in a comment\nx: 1\n"),
        ("mappings", "key.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
    ):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / name).write_text(words, "utf-8")
    text = (root / "ticssync.yaml").read_text("utf-8")
    text = text.replace(
        "notify: {",
        f"notify: {{mail: {{host: mail.example.jp, password: {SECRETS[1]}, security: starttls}}, ",
    )
    (root / "ticssync.yaml").write_text(text, "utf-8")

    done = save(settled, file)
    found = inside(file)

    whole = b"".join(found.values())
    assert [one for one in (*SECRETS, PHRASE) if one.encode() in whole] == []
    assert b"PRIVATE KEY" not in whole
    assert "folder/keys/bundle-key.pub.pem" in found
    assert b"mail.example.jp" in found["folder/ticssync.yaml"]
    left = {one.what for one in done.left_out}
    assert left >= {
        "ticssync.yaml: notify.mail.password", "secrets/trackers.a.api_key", "keys/bundle-key.pem", "old.yaml",
        str(root / "mappings" / "key.txt"),
    }  # fmt: skip
    assert [one for one in SECRETS if one in json.dumps(done.plain(settled.around.text))] == []


def test_a_password_in_the_address_of_the_store_or_in_a_base_file_stays_out(settled: Office) -> None:
    config = settled.root / "ticssync.yaml"
    base = settled.root / "base.yaml"
    base.write_text(f"notify: {{mail: {{host: a.example.jp, password: {SECRETS[1]}}}}}  # 社内\n", "utf-8")
    more = f"extends: base.yaml\nstore: postgresql://tics:{SECRETS[2]}@db.example.jp/tics  # 本番\n"
    config.write_text(more + config.read_text("utf-8"), "utf-8")

    found = contents(read_config(settled.around), ())

    assert [one for one in SECRETS for raw in found.inside.values() if one.encode() in raw] == []
    assert b"store: postgresql://tics@db.example.jp/tics" in found.inside["ticssync.yaml"]
    assert "# 本番".encode() in found.inside["ticssync.yaml"]
    assert "# 社内".encode() in found.inside["base.yaml"]
    assert {one.what for one in found.left_out} >= {"ticssync.yaml: store", "base.yaml: notify.mail.password"}


def test_the_inside_is_checked_with_tar_and_sha256sum_alone(settled: Office, file: Path) -> None:
    import hashlib

    save(settled, file)
    found = inside(file)
    lines = found.pop("manifest-sha256.txt").decode().splitlines()

    assert next(iter(found)) == "backup.json"
    assert sorted(lines) == sorted(
        f"{hashlib.sha256(raw).hexdigest()}  {name}" for name, raw in found.items()
    )
    rows = [json.loads(line) for line in found["store/event.jsonl"].splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert not {"store/lease.jsonl", "store/request.jsonl"} & set(found)


def test_files_that_the_configuration_names_elsewhere_come_along_and_are_told(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    other = settled.root.parent / "共通"
    other.mkdir()
    (other / "base.yaml").write_text("calendar: {time_zone: Asia/Tokyo}\n", "utf-8")
    config = settled.root / "ticssync.yaml"
    config.write_text(f"extends: ../共通/base.yaml\n{config.read_text('utf-8')}", "utf-8")
    save(settled, file)
    settled.close()
    shutil.rmtree(settled.root)
    shutil.rmtree(other)

    found = back(settled, file, settled.root)

    assert (settled.root / "outside" / "1-base.yaml").read_text("utf-8").startswith("calendar")
    assert any("base.yaml" in note and "outside/1-base.yaml" in note for note in found.notes)


def test_a_store_and_a_locker_that_lay_elsewhere_come_into_the_folder(office: Office, file: Path) -> None:
    office.close()
    elsewhere = office.root.parent / "別の場所"
    elsewhere.mkdir()
    (office.root / "ticssync.db").rename(elsewhere / "s.db")
    config = office.root / "ticssync.yaml"
    named = f"store: sqlite:///{elsewhere / 's.db'}  # 速い方\nlocker: {elsewhere / 'L'}\n"
    config.write_text(config.read_text("utf-8") + named, "utf-8")
    office.settle()
    before = json.dumps(office.status())
    save(office, file)
    office.close()
    shutil.rmtree(elsewhere)

    lose(office, file)

    assert "store: sqlite:///ticssync.db" in config.read_text("utf-8")
    assert "# 速い方" in config.read_text("utf-8")
    assert json.dumps(office.status()) == before
    assert outgoing(office.sync()) == []


def test_evidence_that_is_missing_or_damaged_is_told_and_stops_nothing(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        proof = tmp_path / f"{number}.pdf"
        proof.write_bytes(b"%PDF" + bytes([number]) * 100)
        with settled.open() as workspace:
            hand_in.add(
                workspace, proof, ["T-01"], kind="document", keep_mode="copy", evidence_class=None, handed_in_by="tanaka",
                on=None, until=None, note="",
            )  # fmt: skip
    gone, broken = sorted((settled.root / "locker").glob("??/*"))
    gone.chmod(0o600)
    gone.unlink()
    broken.chmod(0o600)
    broken.write_bytes(b"%PDF other")

    done = save(settled, file)

    assert len(done.problems) == 2
    assert back(settled, file, tmp_path / "neu").files > 0


# --- whole or not at all ----------------------------------------------------------------------------------


STEPS = ("opened", "begun", "proven", "marked", "ready")
KILLED = (*STEPS, "in place") if ALL else ("begun", "ready", "in place")
KILLED_SAVING = ("begun", "written", "proven", "named") if ALL else ("written", "named")


def outside_of(file: Path, folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one != file)


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_breaks_off_leaves_nothing(
    saved: Office, file: Path, tmp_path: Path, step: str
) -> None:
    before = outside_of(file, tmp_path)

    with pytest.raises(KeyboardInterrupt):
        back(saved, file, tmp_path / "neu", watch=stop_at(step))

    assert outside_of(file, tmp_path) == before


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
@pytest.mark.parametrize("step", KILLED)
def test_a_restore_that_is_killed_leaves_nothing_in_its_place_or_the_whole(
    saved: Office, file: Path, tmp_path: Path, step: str
) -> None:
    target = tmp_path / "neu"

    killed_at(step, lambda watch: back(saved, file, target, watch=watch))

    assert target.exists() == (step == "in place")
    if step != "in place":
        found = back(saved, file, target)
        assert any("broke off" in note for note in found.notes) == (step != "opened")
    around = replace(saved.around, folder=target)
    store = Store.open(read_config(around).store_url, "k7m2q9wx4d", saved.clock)
    with store.read() as tx:
        assert dump.wrong_with_log(tx) == ()
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
@pytest.mark.parametrize("step", KILLED_SAVING)
def test_a_backup_that_is_killed_leaves_no_file_under_the_name_or_the_whole(
    settled: Office, file: Path, step: str
) -> None:
    settled.close()
    killed_at(step, lambda watch: save(settled, file, watch=watch))

    assert file.exists() == (step == "named")
    if step == "named":
        assert inside(file)


def stop_at(step: str) -> Callable[[str], None]:
    def watch(now: str) -> None:
        if now == step:
            raise KeyboardInterrupt

    return watch


def killed_at(step: str, run: Callable[[Callable[[str], None]], object]) -> None:
    """In a process of its own, which ends there and then."""

    def watch(now: str) -> None:
        if now == step:
            os._exit(9)

    process = os.fork()
    if process == 0:
        try:
            run(watch)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9


def test_a_restore_writes_over_nothing(saved: Office, file: Path, tmp_path: Path) -> None:
    (tmp_path / "neu").mkdir()
    (tmp_path / "neu" / "x.txt").write_text("mine")

    for taken in (saved.root, tmp_path / "neu", file):
        with pytest.raises(UsageError, match="not empty"):
            back(saved, file, taken)
    assert (tmp_path / "neu" / "x.txt").read_text() == "mine"


def test_an_empty_folder_may_be_the_place_and_the_current_one_may_not(
    saved: Office, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "neu").mkdir()
    assert back(saved, file, tmp_path / "neu").folder == tmp_path / "neu"
    (tmp_path / "hier").mkdir()
    with pytest.raises(UsageError, match="stands in it"):
        restore(replace(saved.around, folder=tmp_path / "hier"), file, Path(), PHRASE)


def test_without_a_folder_it_comes_back_under_its_own_name(saved: Office, file: Path, tmp_path: Path) -> None:
    (tmp_path / "新しいPC").mkdir()
    found = restore(replace(saved.around, folder=tmp_path / "新しいPC"), file, None, PHRASE)
    assert found.folder == tmp_path / "新しいPC" / saved.root.name


def test_a_check_proves_everything_and_leaves_nothing(saved: Office, file: Path, tmp_path: Path) -> None:
    before = outside_of(file, tmp_path)
    found = back(saved, file, tmp_path / "neu", check=True)
    assert (found.folder, found.event > 0, outside_of(file, tmp_path)) == (None, False, before)


def test_a_wrong_passphrase_and_a_damaged_file_leave_nothing(
    saved: Office, file: Path, tmp_path: Path
) -> None:
    before = outside_of(file, tmp_path)
    with pytest.raises(WrongPassphraseError) as wrong:
        restore(saved.around, file, tmp_path / "neu", "another passphrase")
    assert wrong.value.exit_code == 2
    raw = file.read_bytes()
    for bad in (raw[:-1], raw[: len(raw) // 2], raw[:-100] + b"\0" * 100):
        file.write_bytes(bad)
        with pytest.raises(DamagedBackupError) as damaged:
            back(saved, file, tmp_path / "neu")
        assert damaged.value.exit_code == 5
    assert outside_of(file, tmp_path) == before


def test_a_log_that_does_not_hold_together_is_told_when_it_is_saved_and_refused_when_it_is_put_back(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    settled.close()
    with sqlite3.connect(settled.root / "ticssync.db") as raw:
        raw.execute("UPDATE event SET actor = 'somebody else' WHERE seq = 3")
    raw.close()
    done = save(settled, file)
    assert "does not hold together" in done.problems[0]
    with pytest.raises(CorruptStoreError, match="does not hold together"):
        back(settled, file, tmp_path / "neu")
    assert not (tmp_path / "neu").exists()


# --- the file ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="rights are told otherwise there")
def test_the_file_and_the_folder_are_for_this_account_alone(
    settled: Office, file: Path, tmp_path: Path
) -> None:
    save(settled, file)
    back(settled, file, tmp_path / "neu")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "neu").stat().st_mode) == 0o700


def test_a_file_that_is_there_is_not_written_over(settled: Office, file: Path) -> None:
    file.write_bytes(b"mine")
    with pytest.raises(UsageError, match="there already"):
        save(settled, file)
    assert file.read_bytes() == b"mine"


def test_a_file_that_came_there_meanwhile_is_not_written_over(settled: Office, file: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        save(settled, file, watch=lambda step: file.write_bytes(b"mine") if step == "proven" else None)
    assert file.read_bytes() == b"mine"
    assert [one.name for one in file.parent.iterdir() if one.name.startswith(".")] == []


def test_the_shared_folder_is_no_place_for_it(settled: Office) -> None:
    (settled.root / "共有" / "x").mkdir(parents=True)
    with pytest.raises(UsageError, match="shared folder"):
        save(settled, settled.root / "共有" / "x" / "b.age")


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaaaaaa", "12345678901"])
def test_a_passphrase_that_can_be_found_by_trying_is_refused(weak: str) -> None:
    with pytest.raises(UsageError, match="too short"):
        check_strength(weak)


def test_the_store_is_of_one_moment_while_others_write(settled: Office, file: Path) -> None:
    """An act that comes while the lines are written is in all of them or in none."""
    with settled.open() as workspace, workspace.store.read() as tx:
        head = tx.head()
        settled_rows = list(dump.rows(tx, "event"))
        other = Store.open(workspace.config.store_url, workspace.config.workspace, settled.clock)
        with other.write() as beside:
            beside.append("task.bound", "tics/T-01", workspace.by(), bound())
        other.close()
        assert list(dump.rows(tx, "event")) == settled_rows
        assert tx.head() == head


def bound() -> dict[str, object]:
    return {
        "tracker": "a", "remote_id": "9999", "generation": 1, "role": "main", "key": "#9999", "url": "", "state": "copy",
        "raw_status": "",
    }  # fmt: skip


def test_what_a_driver_lost_or_a_stranger_sealed_is_no_backup(file: Path, tmp_path: Path) -> None:
    with file.open("wb") as sink, SealedWriter(sink, PHRASE, work=WORK) as writer:
        writer.write(b"my diary\n" * 1000)
    around = Surroundings(tmp_path, {}, Office(tmp_path / "x").clock)
    with pytest.raises(TicssyncError, match="not a backup"):
        restore(around, file, tmp_path / "neu", PHRASE)


def test_a_backup_that_does_not_read_back_gets_no_name(settled: Office, file: Path) -> None:
    """A memory stick that swallows a byte."""

    def spoil(step: str) -> None:
        if step == "written":
            (part,) = file.parent.glob(f".{file.name}.*")
            raw = bytearray(part.read_bytes())
            raw[len(raw) // 2] ^= 1
            part.write_bytes(raw)

    with pytest.raises(DamagedBackupError):
        save(settled, file, watch=spoil)
    assert list(file.parent.iterdir()) == []


# --- an inside that somebody made who knows the passphrase ------------------------------------------------


def entries(saved: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(plain(name, raw), raw) for name, raw in inside(saved).items()]


def plain(name: str, raw: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = len(raw)
    return entry


def link(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


Entries = list[tuple[tarfile.TarInfo, bytes]]


def changed(name: str, old: bytes, new: bytes) -> Callable[[Entries], Entries]:
    def change(found: Entries) -> Entries:
        return [
            (plain(one.name, raw.replace(old, new)), raw.replace(old, new))
            if one.name == name
            else (one, raw)
            for one, raw in found
        ]

    return change


def more(name: str) -> Callable[[Entries], Entries]:
    return lambda found: [*found[:-1], (plain(name, b"x"), b"x"), found[-1]]


WRONG: dict[str, Callable[[Entries], Entries]] = {
    "a row was changed": changed("store/event.jsonl", b"hanako@pc", b"tanaka@pc"),
    "a setting was changed": changed("folder/ticssync.yaml", b"sato", b"mito"),
    "an entry is missing": lambda found: [one for one in found if one[0].name != "store/meta.jsonl"],
    "there is one too many": more("folder/more.yaml"),
    "one leaves the folder": more("folder/../../evil.yaml"),
    "one is absolute": more("/tmp/evil.yaml"),
    "one is of Windows": more("folder/..\\evil.yaml"),
    "one is doubled": lambda found: [*found[:-1], found[3], found[-1]],
    "one is a link": lambda found: [*found[:-1], (link("folder/link.yaml"), b""), found[-1]],
    "there is no manifest": lambda found: found[:-1],
    "something follows the manifest": lambda found: [*found, (plain("folder/late.yaml", b"x"), b"x")],
    "another workspace": changed("backup.json", b"k7m2q9wx4d", b"../../evil"),
    "another place for the store": changed("backup.json", b'"path":"ticssync.db"', b'"path":"../tics.db"'),
    "another head": changed("backup.json", b'"seq":', b'"seq":1'),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_inside_that_does_not_hold_together_is_refused_and_leaves_nothing(
    saved: Office, file: Path, tmp_path: Path, what: str
) -> None:
    found = WRONG[what](entries(file))
    before = outside_of(file, tmp_path)
    with (
        file.open("wb") as sink,
        SealedWriter(sink, PHRASE, work=WORK) as sealed,
        tarfile.open(fileobj=sealed, mode="w|") as tar,  # type: ignore[call-overload]
    ):
        for entry, raw in found:
            tar.addfile(entry, io.BytesIO(raw))

    with pytest.raises(TicssyncError) as caught:
        back(saved, file, tmp_path / "neu")

    assert caught.value.exit_code == 5, caught.value.message
    assert outside_of(file, tmp_path) == before


@pytest.mark.parametrize(
    "row", [b'{"seq": 1}', b"not json", b'{"name": "x", "value": {}}', b'{"name": 1.5, "value": ""}']
)
def test_a_line_that_is_no_row_of_its_table_is_told_with_its_place(row: bytes, tmp_path: Path) -> None:
    store = dump.make_at(f"sqlite:///{tmp_path / 'a.db'}", "k7m2q9wx4d", Clock(), "0002")
    with pytest.raises(dump.StrangeDumpError, match="line 1 of meta"):
        dump.load(store, "0002", "meta", [row])
    with pytest.raises(dump.StrangeDumpError, match="no table"):
        dump.load(store, "0002", "nothing", [row])
    store.close()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("sqlite:///ticssync.db", "sqlite:///ticssync.db"),
        ("postgresql://tics@db.example.jp/tics", "postgresql://tics@db.example.jp/tics"),
        ("postgresql://tics:p%40ss@db/tics?sslmode=require", "postgresql://tics@db/tics?sslmode=require"),
        ("postgresql://db/tics?user=tics&password=geheim", "postgresql://db/tics?user=tics"),
        ("postgresql://tics:geheim@:notaport/x/y z", ""),
    ],
)
def test_the_address_of_a_store_is_kept_without_its_password(url: str, kept: str) -> None:
    assert dump.without_password(url) == kept
