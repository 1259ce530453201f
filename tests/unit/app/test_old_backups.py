"""A backup of every released version comes back, brought up to date."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.app.old_backups import DATA, PHRASE, PROOF, WORKSPACE, file_of
from ticssync.app.restore import restore
from ticssync.app.workspace import Surroundings
from ticssync.errors import CorruptStoreError
from ticssync.store import Store, dump, schema
from ticssync.store.bindings import bindings
from ticssync.store.connection import revision_of
from ticssync.store.locker import Locker
from ticssync.store.migrate import schema_differences
from ticssync.testing.clock import START, Clock

KEPT = sorted(file.stem.partition("-")[2] for file in DATA.glob("backup-*.age"))


def around(folder: Path) -> Surroundings:
    clock = Clock(START)
    clock.advance(400 * 86400)
    return Surroundings(folder, {}, clock, "ja", "hanako", "pc", 4711, "machine-1")


def test_there_is_one_of_each_schema_that_was_ever_released():
    numbers = [f"{number:04d}" for number in range(1, int(schema.REVISION) + 1)]
    assert numbers == KEPT, "python -m tests.unit.app.old_backups"


@pytest.mark.parametrize("revision", KEPT)
def test_a_backup_of_an_older_version_comes_back_up_to_date(revision: str, tmp_path: Path):
    found = restore(around(tmp_path), file_of(revision), Path("neu"), PHRASE)

    assert (found.age.days, found.event, found.told.revision) == (400, 3, revision)
    store = Store.open(f"sqlite:///{tmp_path / 'neu' / 'ticssync.db'}", WORKSPACE, Clock())
    with store.read() as tx:
        assert revision_of(tx.connection) == schema.REVISION
        assert schema_differences(tx.connection) == []
        assert dump.wrong_with_log(tx) == ()
        assert [(str(one.key), one.ref.id) for one in bindings(tx)] == [("tics/T-14", "123")]
        assert tx.events()[1].claimed_by == "sato"
    store.close()
    sha = hashlib.sha256(PROOF).hexdigest()
    assert Locker(tmp_path / "neu" / "locker").path(sha).read_bytes() == PROOF
    assert sorted(one.name for one in (tmp_path / "neu").iterdir()) == [
        "locker",
        "ticssync.db",
        "ticssync.yaml",
    ]


def test_a_backup_of_a_newer_version_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schema, "REVISION", "0000")
    with pytest.raises(CorruptStoreError, match="newer version") as caught:
        restore(around(tmp_path), file_of("0001"), Path("neu"), PHRASE)
    assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []
