"""The company's signing key: an Ed25519 pair in the management folder."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ticssync.bundle import sshsig
from ticssync.errors import UsageError, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE: Final = "bundle-key.pem"
PUBLIC: Final = "bundle-key.pub.pem"
PUBLIC_SSH: Final = "bundle-key.ssh.pub"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A signing key.  It never shows its private half: not in a repr, an error or a bundle."""

    private: Ed25519PrivateKey = field(repr=False)
    public: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, what the 公開鍵届出書 names and `ssh-keygen -l` shows."""
        return sshsig.fingerprint(self.public)

    @property
    def pem(self) -> bytes:
        """The public key as PEM (SubjectPublicKeyInfo), for openssl."""
        return public_pem(self.public)

    def sign(self, message: bytes) -> bytes:
        """The 64 raw bytes of an Ed25519 signature; the same message gives the same bytes."""
        return self.private.sign(message)


def public_pem(raw: bytes) -> bytes:
    """A raw 32-byte public key as PEM (SubjectPublicKeyInfo)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def raw_public(pem: bytes) -> bytes | None:
    """The raw 32 bytes of an Ed25519 public key in PEM; None where it is anything else to the byte."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PublicKey):
        return None
    raw = key.public_bytes_raw()
    return raw if public_pem(raw) == pem else None


def make_key(folder: Path) -> KeyPair:
    """Make the company's key in `folder` (made where it is missing): PEM PKCS8, readable by its owner only.

    On POSIX the file has the permissions 0600 from its first byte.  On Windows the file inherits the rights
    of the folder, which is why the management folder belongs to one account.  Raises UsageError where a key
    is there already: a key is never overwritten.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder.mkdir(parents=True, exist_ok=True)
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(
            folder / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
        )
    except FileExistsError as error:
        raise UsageError(say("there is a signing key already: {file}", file=folder / PRIVATE)) from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
    pair = _pair(private)
    (folder / PUBLIC).write_bytes(pair.pem)
    (folder / PUBLIC_SSH).write_bytes(sshsig.public_line(pair.public, "ticssync").encode("ascii") + b"\n")
    return pair


def load_key(folder: Path) -> KeyPair:
    """The company's key.  Raises UsageError where it is missing, damaged, or readable by others (POSIX)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    file = folder / PRIVATE
    try:
        _refuse_open_key(file)
        private = load_pem_private_key(file.read_bytes(), None)
    except FileNotFoundError as error:
        raise UsageError(
            say("there is no signing key: {file}", file=file),
            fix=say("ticssync init makes one; restore brings yours back"),
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the file; it is not passed on.
        raise UsageError(say("the signing key cannot be read: {file}", file=file)) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(say("the signing key is not an Ed25519 key: {file}", file=file))
    return _pair(private)


def _pair(private: Ed25519PrivateKey) -> KeyPair:
    return KeyPair(private, private.public_key().public_bytes_raw())


def _refuse_open_key(file: Path) -> None:
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            say("others can read the signing key: {file}", file=file),
            fix=say('run: chmod 600 "{file}"', file=file),
        )
