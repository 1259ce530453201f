"""A stream under a passphrase, in the public age format (age-encryption.org/v1, scrypt recipient).

    header    age-encryption.org/v1 ⏎ -> scrypt SALT LOG2N ⏎ WRAPPED FILE KEY ⏎ --- MAC ⏎
    payload   16 bytes of nonce, then chunks of 64 KiB: ChaCha20-Poly1305 with the chunk's number and "is the last"
              in its nonce, so that a chunk altered, moved, taken out or cut off does not open

`age -d FILE` opens it on any machine.  Only primitives of the library `cryptography` are used; how they are put
together is the specification's (c2sp.org/age) and nothing of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, Protocol, Self

from ticssync.errors import CorruptStoreError, UsageError, say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

CHUNK: Final = 64 * 1024
TAG: Final = 16
WORK_FACTOR: Final = 18
"""log2 of scrypt's N: 256 MB and about a second for each try, which is what age itself takes."""

MOST_WORK: Final = 20
"""A file that asks for more (over 1 GB of memory) is not one of ours, and could stop a small machine."""

SHORTEST: Final = 12
"""Characters of a passphrase.  The file leaves the house: who has it may try as long as he likes."""

VERSION_LINE: Final = b"age-encryption.org/v1\n"
_ANY_VERSION: Final = b"age-encryption.org/"
_LABEL: Final = b"age-encryption.org/v1/scrypt"
_HEADER: Final = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
)
_LONGEST_HEADER: Final = 4096
_ZERO: Final = bytes(12)

Random = Callable[[int], bytes]


class WrongPassphraseError(UsageError):
    """The passphrase does not open the file."""

    code: ClassVar[str] = "passphrase"


class DamagedBackupError(CorruptStoreError):
    """The file was cut off or altered.  Nothing of it was put in place."""

    code: ClassVar[str] = "backup"


class NewerBackupError(CorruptStoreError):
    """A newer version wrote it."""

    code: ClassVar[str] = "backup_newer"


class Source(Protocol):
    """What sealed bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """As of a file."""
        ...


def phrase_bytes(passphrase: str) -> bytes:
    """The bytes of a passphrase: NFC, so that the same signs typed on another system are the same.

    Raises UsageError for one that is no text.
    """
    try:
        return unicodedata.normalize("NFC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(say("the passphrase holds bytes that are no text (UTF-8)")) from None


def _plain64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _from64(text: bytes) -> bytes:
    """Raises ValueError for what an encoder would not have written."""
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if _plain64(raw) != text:
        raise ValueError("not canonical")
    return raw


def _wrap_key(passphrase: bytes, salt: bytes, work: int) -> ChaCha20Poly1305:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    try:
        key = Scrypt(salt=_LABEL + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase)
    except MemoryError:
        megabytes = (128 * 8 << work) // 1_000_000
        raise UsageError(
            say("there is not enough free memory: the passphrase needs {n} MB", n=megabytes),
            fix=say("close other programs and run again"),
        ) from None
    return ChaCha20Poly1305(key)


def _derived(file_key: bytes, salt: bytes, label: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt, label).derive(file_key)


def _mac(file_key: bytes, head: bytes) -> bytes:
    return hmac.new(_derived(file_key, b"", b"header"), head, hashlib.sha256).digest()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class SealedWriter:
    """Seals what is written to it into `sink`, chunk by chunk.  Only `close` makes the file whole.

    As a context it closes where nothing went wrong: what an error broke off must not look complete.
    """

    def __init__(
        self,
        sink: BinaryIO,
        passphrase: str,
        *,
        work: int = WORK_FACTOR,
        random: Random = secrets.token_bytes,
    ) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        file_key, salt, nonce = random(16), random(16), random(16)
        body = _wrap_key(phrase_bytes(passphrase), salt, work).encrypt(_ZERO, file_key, None)
        head = b"%s-> scrypt %s %d\n%s\n---" % (VERSION_LINE, _plain64(salt), work, _plain64(body))
        sink.write(head + b" " + _plain64(_mac(file_key, head)) + b"\n" + nonce)
        self._sink, self._cipher = sink, ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._held, self._number = bytearray(), 0

    def write(self, data: bytes) -> int:
        """Take these bytes; a chunk is written when it is known not to be the last."""
        self._held += data
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk.  The sink stays open."""
        self._put(bytes(self._held), last=True)

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, None))
        self._number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()


class SealedReader:
    """Opens a sealed stream: `read` gives only bytes whose chunk was proven.

    Whether the whole is there is known at its end alone: use nothing of it before `read` answered empty.
    Raises WrongPassphraseError, DamagedBackupError, NewerBackupError; UsageError for another kind of file.
    """

    def __init__(self, source: Source, passphrase: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._source = source
        file_key = _file_key(source, passphrase)
        nonce = _exactly(source, 16)
        if len(nonce) < 16:
            raise _damaged()
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._next = _exactly(source, CHUNK + TAG)
        self._number, self._held, self._ended = 0, b"", False

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, all that is left where it is negative; empty at the proven end."""
        found = bytearray()
        while size < 0 or len(found) < size:
            if not self._held:
                if self._ended:
                    break
                self._held = self._chunk()
            take = len(self._held) if size < 0 else size - len(found)
            found += self._held[:take]
            self._held = self._held[take:]
        return bytes(found)

    def _chunk(self) -> bytes:
        sealed, self._next = self._next, _exactly(self._source, CHUNK + TAG)
        last = not self._next
        opened = self._opened(sealed, last=last)
        if opened is None or (last and not opened and self._number):
            cut = last and self._opened(sealed, last=False) is not None
            raise _cut_off() if cut or not sealed else _damaged()
        self._number += 1
        self._ended = last
        return opened

    def _opened(self, sealed: bytes, *, last: bool) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        if len(sealed) < TAG:
            return None
        try:
            return self._cipher.decrypt(_nonce(self._number, last=last), sealed, None)
        except InvalidTag:
            return None


def _exactly(source: Source, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a pipe gives what it has."""
    found = bytearray()
    while len(found) < size and (more := source.read(size - len(found))):
        found += more
    return bytes(found)


def _header(source: Source) -> bytes:
    """Version, one stanza of two lines, MAC line.  Read byte by byte: what follows belongs to the payload."""
    found = bytearray()
    while found.count(b"\n") < 4 and len(found) < _LONGEST_HEADER and (byte := source.read(1)):
        found += byte
        if found.endswith(b"\n") and found.count(b"\n") == 1 and bytes(found) != VERSION_LINE:
            break
    return bytes(found)


def _file_key(source: Source, passphrase: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    header = _header(source)
    if header.startswith(_ANY_VERSION) and b"\n" in header and not header.startswith(VERSION_LINE):
        raise NewerBackupError(
            say("this file is in a newer format of age than this version knows"),
            fix=say("open it with the newest ticssync, or with age itself"),
        )
    if not header.startswith(VERSION_LINE[: max(1, min(len(header), len(VERSION_LINE)))]):
        raise UsageError(
            say("this is not a backup of ticssync"), fix=say("ticssync backup FILE makes one (an age file)")
        )
    match = _HEADER.fullmatch(header)
    if match is None:
        raise _damaged()
    work = int(match[2])
    if work > MOST_WORK:
        raise UsageError(
            say("this file asks for more memory than a backup of ours does (work factor {n})", n=work),
            fix=say("open it with age, if you trust where it comes from"),
        )
    try:
        salt, body, mac = _from64(match[1]), _from64(match[3]), _from64(match[4])
    except ValueError:
        raise _damaged() from None
    try:
        file_key = _wrap_key(phrase_bytes(passphrase), salt, work).decrypt(_ZERO, body, None)
    except InvalidTag:
        raise WrongPassphraseError(
            say("the passphrase does not open this file (or its first lines were altered)"),
            fix=say("look for the passphrase of the day on which the backup was made"),
        ) from None
    if not hmac.compare_digest(_mac(file_key, header[: header.rindex(b"---") + 3]), mac):
        raise _damaged()
    return file_key


def _damaged() -> DamagedBackupError:
    return DamagedBackupError(
        say("the backup was altered or cut off: it does not open to its end; nothing was put in place"),
        fix=say("take another copy of it, or an older backup"),
    )


def _cut_off() -> DamagedBackupError:
    return DamagedBackupError(
        say("the backup was cut off: its end is missing; nothing was put in place"),
        fix=say("copy it again from where it was made, or take an older backup"),
    )
