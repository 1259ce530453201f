"""The company's key and its signatures, checked with the tools that an auditor has."""

import os
import shutil
import stat
import subprocess

import pytest

from ticssync.bundle import sshsig
from ticssync.bundle.keys import PRIVATE, PUBLIC_SSH, load_key, make_key, public_pem, raw_public
from ticssync.bundle.sign import RAW, SIGNERS, SSH, signature_problems, signatures, signer
from ticssync.errors import UsageError

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@posix
def test_a_new_key_is_readable_by_its_owner_only_and_is_never_overwritten(tmp_path):
    key = make_key(tmp_path / "keys")

    assert stat.S_IMODE((tmp_path / "keys" / PRIVATE).stat().st_mode) == 0o600
    assert load_key(tmp_path / "keys").fingerprint == key.fingerprint
    with pytest.raises(UsageError, match="already"):
        make_key(tmp_path / "keys")


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_refused_and_the_command_to_mend_it_is_named(tmp_path, mode):
    make_key(tmp_path)
    (tmp_path / PRIVATE).chmod(mode)

    with pytest.raises(UsageError, match="others") as caught:
        load_key(tmp_path)
    assert "chmod 600" in caught.value.fix


def test_a_missing_damaged_or_foreign_key_is_a_usage_error_that_quotes_nothing_of_it(tmp_path):
    with pytest.raises(UsageError, match="no signing key"):
        load_key(tmp_path)
    make_key(tmp_path)
    file = tmp_path / PRIVATE
    secret = file.read_bytes()
    for damaged in (b"", secret[:40], secret.replace(b"MC4C", b"MC4D")):
        file.write_bytes(damaged)
        with pytest.raises(UsageError) as caught:
            load_key(tmp_path)
        assert caught.value.__cause__ is None
        assert secret.splitlines()[1].decode() not in str(caught.value)


def test_a_key_shows_no_private_half(tmp_path):
    key = make_key(tmp_path)

    assert repr(key.private) not in repr(key)
    assert key.private.private_bytes_raw().hex() not in repr(key)


@ssh_keygen
def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path):
    key = make_key(tmp_path)

    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / PUBLIC_SSH], capture_output=True, text=True, check=True
    )

    assert key.fingerprint in shown.stdout.split()


def written(tmp_path, message=b"a manifest\n"):
    key = make_key(tmp_path / "keys")
    files = signatures(message, key, "k7m2q9wx4d")
    (tmp_path / "signatures").mkdir()
    for path, content in files.items():
        (tmp_path / path).write_bytes(content)
    (tmp_path / "message").write_bytes(message)
    return key, files


def ssh_verify(tmp_path, message, namespace=sshsig.NAMESPACE):
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        SIGNERS,
        "-I",
        signer("k7m2q9wx4d"),
        "-n",
        namespace,
        "-s",
        SSH,
    ]
    return subprocess.run(command, cwd=tmp_path, input=message, capture_output=True, check=False)


@ssh_keygen
def test_ssh_keygen_accepts_the_signature_and_refuses_another_message_or_namespace(tmp_path):
    key, _ = written(tmp_path)

    good = ssh_verify(tmp_path, b"a manifest\n")

    assert good.returncode == 0
    assert key.fingerprint.encode() in good.stdout
    assert ssh_verify(tmp_path, b"another\n").returncode != 0
    assert ssh_verify(tmp_path, b"a manifest\n", "file").returncode != 0


@ssh_keygen
@posix
def test_a_signature_made_by_ssh_keygen_itself_is_read(tmp_path):
    """What OpenSSH writes for the same key and namespace is byte for byte what we write."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, files = written(tmp_path)
    private = tmp_path / "id"
    private.write_bytes(key.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    private.chmod(0o600)

    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", private, "-n", sshsig.NAMESPACE, tmp_path / "message"],
        check=True,
        capture_output=True,
    )

    assert (tmp_path / "message.sig").read_bytes() == files[SSH]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_accepts_the_raw_signature_and_refuses_a_changed_one(tmp_path):
    written(tmp_path)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        "signatures/key.pub",
        "-sigfile",
        RAW,
        "-in",
        "message",
    ]

    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "message").write_bytes(b"a Manifest\n")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_every_flipped_byte_in_any_signature_file_is_noticed(tmp_path):
    key, files = written(tmp_path)
    assert signature_problems(files, b"a manifest\n", key.public, "k7m2q9wx4d") == []

    for path, content in files.items():
        for place in range(len(content)):
            changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            found = signature_problems({**files, path: changed}, b"a manifest\n", key.public, "k7m2q9wx4d")
            assert found == [path], (path, place)


def test_a_public_key_file_is_read_only_in_the_one_way_it_is_written(tmp_path):
    key = make_key(tmp_path)

    assert raw_public(public_pem(key.public)) == key.public
    assert raw_public(public_pem(key.public) + b"\n") is None
    assert raw_public(b"") is None
