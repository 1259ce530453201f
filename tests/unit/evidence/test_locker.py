"""The locker keeps bytes under their hash: whole or not at all, once, and never overwritten."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

import pytest

from ticssync.errors import CorruptStoreError
from ticssync.store.locker import CHUNK, Kept, Locker, hash_of

CONTENT = "髙﨑㈱ 教育の記録 ㊙".encode()
HASH = hashlib.sha256(CONTENT).hexdigest()


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_bytes_lie_under_their_hash(tmp_path: Path):
    """Two hex characters for the folder, the other 62 for the file; the answer names hash and size."""
    locker = Locker(tmp_path / "locker")

    kept = locker.put(io.BytesIO(CONTENT))

    assert kept == Kept(HASH, len(CONTENT))
    assert everything(tmp_path / "locker") == [f"{HASH[:2]}/{HASH[2:]}"]
    with locker.open(HASH) as stream:
        assert stream.read() == CONTENT
    assert locker.verify(HASH) == "ok"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_size_comes_back_as_it_was(tmp_path: Path, size: int):
    """Files around the chunk size lose nothing at the seams."""
    content = os.urandom(size)

    kept = Locker(tmp_path).put(io.BytesIO(content))

    assert Locker(tmp_path).path(kept.sha256).read_bytes() == content
    assert kept == hash_of(io.BytesIO(content))


@pytest.mark.skipif(os.name != "posix", reason="rights are told this way on POSIX only")
def test_what_is_kept_can_only_be_read_by_its_owner(tmp_path: Path):
    """Nobody changes a kept file by mistake, and other accounts do not see it."""
    locker = Locker(tmp_path / "locker")
    locker.put(io.BytesIO(CONTENT))

    assert stat.S_IMODE(locker.path(HASH).stat().st_mode) == 0o400
    assert stat.S_IMODE(locker.path(HASH).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(locker.folder.stat().st_mode) == 0o700


def test_the_same_bytes_are_kept_once_and_not_written_again(tmp_path: Path):
    """A second hand-in of the same bytes leaves the kept file as it is."""
    locker = Locker(tmp_path)
    locker.put(io.BytesIO(CONTENT))
    before = locker.path(HASH).stat()

    assert locker.put(io.BytesIO(CONTENT)).sha256 == HASH

    after = locker.path(HASH).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(everything(tmp_path)) == 1


def test_missing_and_changed_files_are_told_apart(tmp_path: Path):
    """A file that is gone is `missing`; one with other bytes is `changed`."""
    locker = Locker(tmp_path)
    locker.put(io.BytesIO(CONTENT))
    locker.path(HASH).chmod(0o600)
    locker.path(HASH).write_bytes(CONTENT + b"x")

    assert locker.verify(HASH) == "changed"
    assert locker.verify("0" * 64) == "missing"


def test_good_bytes_take_the_place_of_damaged_ones_which_are_set_aside(tmp_path: Path):
    """Damaged bytes must not pass for the good ones that were just handed in; nor are they thrown away."""
    locker = Locker(tmp_path)
    locker.put(io.BytesIO(CONTENT))
    locker.path(HASH).chmod(0o600)
    locker.path(HASH).write_bytes(b"damaged")

    locker.put(io.BytesIO(CONTENT))

    assert locker.verify(HASH) == "ok"
    (aside,) = tmp_path.rglob("*damaged*")
    assert aside.read_bytes() == b"damaged"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", HASH.upper(), HASH[:-1], HASH + "0", "g" * 64])
def test_only_a_hash_leads_to_a_path(tmp_path: Path, name: str):
    """What is no SHA-256 cannot lead out of the locker."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        Locker(tmp_path).path(name)


def full(*_args: object, **_named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str):
    """Wherever the disk turns out to be full: exit 5, the locker is named, and no file is left."""
    locker = Locker(tmp_path / "locker")
    monkeypatch.setattr(os, "fsync", full) if at == "fsync" else monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(CorruptStoreError, match=r"the disk that holds the locker .* is full") as caught:
        locker.put(io.BytesIO(CONTENT))

    assert caught.value.exit_code == 5
    assert everything(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_write_that_fails_is_not_hidden_by_the_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real device without room: the first error is reported as what it is."""
    real = Path.open

    def onto_a_full_device(path: Path, mode: str = "r", **named: object) -> object:
        return real(Path("/dev/full"), "wb") if mode == "xb" else real(path, mode, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", onto_a_full_device)

    with pytest.raises(CorruptStoreError, match="is full"):
        Locker(tmp_path).put(io.BytesIO(os.urandom(2 * CHUNK)))


def test_a_locker_that_cannot_be_made_says_why(tmp_path: Path):
    """A file where the folder should be."""
    (tmp_path / "locker").write_text("a file")

    with pytest.raises(CorruptStoreError, match="cannot be written"):
        Locker(tmp_path / "locker").put(io.BytesIO(CONTENT))


class Broken(io.BytesIO):
    """A source that fails after its first bytes, as a share does that goes away."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(errno.EIO, "the share is gone")
        return super().read(4)


def test_a_source_that_fails_is_not_the_lockers_fault(tmp_path: Path):
    """Its own error comes through, and no half file is left."""
    with pytest.raises(OSError, match="the share is gone"):
        Locker(tmp_path).put(Broken(CONTENT))

    assert everything(tmp_path) == []
