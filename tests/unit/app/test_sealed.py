"""The age format: what was sealed opens, here and with age itself, and anything else is told by its name."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from tests.unit.app.at_a_terminal import at_a_terminal
from ticssync.app.sealed import (
    CHUNK,
    MOST_WORK,
    DamagedBackupError,
    NewerBackupError,
    SealedReader,
    SealedWriter,
    WrongPassphraseError,
)
from ticssync.errors import TicssyncError, UsageError

PHRASE = "正しい馬 電池 staple"
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17)
VECTOR = (
    b"age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 23\n"
    b"qW9eVsT0NVb/Vswtw8kPIxUnaYmm9Px1dYmq2+4+qZA\n--- 38TpQMxQRRNMfmYYpBX6DDrPx4/QY5UmJnhPyVoX/cw\n"
)
"""The header of age's own test file for a work factor that is too high."""

DATA = Path(__file__).with_name("data")
ALL = os.environ.get("TICSSYNC_FAULTS") == "all"
needs_age = pytest.mark.skipif(
    shutil.which("age") is None or os.name != "posix", reason="age is not installed (apt-get install age)"
)


def sealed(data: bytes, phrase: str = PHRASE, work: int = 2) -> bytes:
    sink = io.BytesIO()
    with SealedWriter(sink, phrase, work=work) as writer:
        for at in range(0, len(data), 50_000):
            writer.write(data[at : at + 50_000])
    return sink.getvalue()


def opened(raw: bytes, phrase: str = PHRASE) -> bytes:
    return SealedReader(io.BytesIO(raw), phrase).read()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_again(size: int) -> None:
    data = os.urandom(size)
    assert opened(sealed(data)) == data


@needs_age
@pytest.mark.parametrize("size", [1, CHUNK, 2 * CHUNK + 5])
def test_age_itself_opens_what_was_sealed(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    file, out = tmp_path / "ours.age", tmp_path / "out"
    file.write_bytes(sealed(data, work=10))

    code, shown = at_a_terminal(["age", "-d", "-o", str(out), str(file)], [PHRASE])

    assert (code, out.read_bytes() if code == 0 else shown) == (0, data)


def test_what_age_sealed_opens_here() -> None:
    """Version 1.1.1 of age made the file (`age -p`)."""
    assert opened((DATA / "made-by-age-1.1.1.age").read_bytes()) == "髙﨑㈱ ㊙\n".encode()


@needs_age
@pytest.mark.skipif(not ALL, reason="age takes its time; with TICSSYNC_FAULTS=all")
def test_what_the_age_of_this_machine_seals_opens_here(tmp_path: Path) -> None:
    plain, file = tmp_path / "plain", tmp_path / "theirs.age"
    plain.write_bytes(data := os.urandom(CHUNK + 100))

    code, shown = at_a_terminal(["age", "-p", "-o", str(file), str(plain)], [PHRASE, PHRASE])

    assert code == 0, shown
    assert opened(file.read_bytes()) == data


def test_the_same_text_sealed_twice_shares_nothing_but_the_first_line() -> None:
    first, second = sealed(b"x" * 100), sealed(b"x" * 100)
    assert first.splitlines()[0] == second.splitlines()[0]
    assert not set(first.splitlines()[1:]) & set(second.splitlines()[1:])


def test_another_passphrase_is_told_as_such() -> None:
    with pytest.raises(WrongPassphraseError):
        opened(sealed(b"secret"), PHRASE + "!")


def test_signs_that_were_put_together_differently_are_the_same_passphrase() -> None:
    assert opened(sealed(b"x", "ガラスの靴 ガラスの靴"), "ガラスの靴 ガラスの靴") == b"x"


def test_a_bit_flipped_anywhere_is_found() -> None:
    """Every byte of a file of two chunks' header, nonce and ends, and a sample of the middle."""
    raw = sealed(os.urandom(CHUNK + 40))
    places = {*range(300), *range(300, len(raw) - 200, 4999), *range(len(raw) - 200, len(raw))}
    for at in sorted(places):
        wrong = bytearray(raw)
        wrong[at] ^= 0x04
        with pytest.raises(TicssyncError):
            opened(bytes(wrong))


def test_a_file_that_was_cut_off_anywhere_is_found() -> None:
    raw = sealed(os.urandom(2 * CHUNK + 40))
    head = raw.index(b"---") + 3 + 45 + 16
    edges = [head + n * (CHUNK + 16) for n in range(3)]
    for end in {*range(1, head + 5), *edges, *(edge - 1 for edge in edges), *(edge + 1 for edge in edges)}:
        with pytest.raises((DamagedBackupError, WrongPassphraseError)):
            opened(raw[:end])


def test_a_file_that_ends_between_two_chunks_is_called_cut_off() -> None:
    raw = sealed(os.urandom(2 * CHUNK))
    with pytest.raises(DamagedBackupError, match="its end is missing"):
        opened(raw[: -(CHUNK + 16)])


def test_chunks_that_changed_places_or_were_doubled_are_found() -> None:
    raw = sealed(os.urandom(3 * CHUNK))
    size = CHUNK + 16
    head, one, two, three = raw[: -3 * size], raw[-3 * size : -2 * size], raw[-2 * size : -size], raw[-size:]
    assert opened(head + one + two + three)
    for wrong in (two + one + three, one + one + three, one + three, one + two + three + three):
        with pytest.raises(DamagedBackupError):
            opened(head + wrong)


def test_bytes_behind_the_end_are_found() -> None:
    with pytest.raises(DamagedBackupError):
        opened(sealed(b"x") + b"\n")


def test_nothing_is_given_out_before_its_chunk_was_proven() -> None:
    raw = bytearray(sealed(b"a" * (2 * CHUNK)))
    raw[-1] ^= 1
    reader = SealedReader(io.BytesIO(bytes(raw)), PHRASE)
    assert reader.read(CHUNK) == b"a" * CHUNK
    with pytest.raises(DamagedBackupError):
        reader.read(1)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x00" * 10_000, b"age", b"hello\n" * 100])
def test_another_kind_of_file_is_told_as_such(raw: bytes) -> None:
    with pytest.raises((UsageError, DamagedBackupError)) as caught:
        opened(raw)
    assert not isinstance(caught.value, WrongPassphraseError)


def test_a_newer_format_of_age_is_told_as_such() -> None:
    with pytest.raises(NewerBackupError):
        opened(b"age-encryption.org/v2\nwhatever")


def test_a_file_that_asks_for_too_much_work_is_refused_before_any_is_done() -> None:
    with pytest.raises(UsageError, match=str(MOST_WORK + 3)):
        opened(VECTOR)


@pytest.mark.parametrize(
    "stanza",
    ["-> X25519 abc\nabc\n", "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 010\n" + "A" * 43 + "\n", "-> scrypt\n\n"],
)
def test_another_recipient_than_one_passphrase_is_refused(stanza: str) -> None:
    with pytest.raises(DamagedBackupError):
        opened(b"age-encryption.org/v1\n" + stanza.encode() + b"--- " + b"A" * 43 + b"\n" + b"\0" * 64)


def test_a_writer_that_an_error_broke_off_leaves_no_whole_file() -> None:
    sink = io.BytesIO()
    with pytest.raises(ZeroDivisionError), SealedWriter(sink, PHRASE, work=2) as writer:
        writer.write(b"half")
        raise ZeroDivisionError
    with pytest.raises(DamagedBackupError):
        opened(sink.getvalue())
