"""SSH signatures of files, as `ssh-keygen -Y sign` makes them (OpenSSH, PROTOCOL.sshsig), for Ed25519.

    signed data   "SSHSIG" ‖ string namespace ‖ string reserved ‖ string hash algorithm ‖ string H(message)
    signature     "SSHSIG" ‖ uint32 1 ‖ string public key ‖ string namespace ‖ string reserved
                  ‖ string hash algorithm ‖ string signature

A string is a uint32 length (big endian) and its bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import Final

NAMESPACE: Final = "ticssync-bundle"
_MAGIC: Final = b"SSHSIG"
_ALGORITHM: Final = b"ssh-ed25519"
_HASH: Final = b"sha512"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"


def wire_key(raw: bytes) -> bytes:
    """A raw 32-byte Ed25519 public key in SSH's form."""
    return _string(_ALGORITHM) + _string(raw)


def public_line(raw: bytes, comment: str = "") -> str:
    """`ssh-ed25519 AAAA…`: one line of authorized_keys, without a line end."""
    return f"ssh-ed25519 {base64.b64encode(wire_key(raw)).decode('ascii')} {comment}".rstrip()


def fingerprint(raw: bytes) -> str:
    """`SHA256:…` exactly as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(wire_key(raw)).digest()).decode("ascii").rstrip("=")


def signed_data(message: bytes, namespace: str = NAMESPACE) -> bytes:
    """What the key really signs."""
    fields = (namespace.encode("ascii"), b"", _HASH, hashlib.sha512(message).digest())
    return _MAGIC + b"".join(_string(field) for field in fields)


def armoured(raw_key: bytes, signature: bytes, namespace: str = NAMESPACE) -> bytes:
    """The signature file: `signature` are the 64 raw bytes over `signed_data`."""
    inner = _string(_ALGORITHM) + _string(signature)
    fields = (wire_key(raw_key), namespace.encode("ascii"), b"", _HASH, inner)
    body = base64.b64encode(
        _MAGIC + struct.pack(">L", 1) + b"".join(_string(field) for field in fields)
    ).decode("ascii")
    lines = [body[start : start + 70] for start in range(0, len(body), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode("ascii")


def raw_signature(armour: bytes, raw_key: bytes, namespace: str = NAMESPACE) -> bytes | None:
    """The 64 raw bytes out of a signature file by this key, None where it is anything else to the byte.

    Building the file again from what was read and comparing leaves no corner of it unchecked.
    """
    try:
        body = "".join(armour.decode("ascii").split("\n")[1:-2])
        signature = base64.b64decode(body, validate=True)[-64:]
    except (ValueError, binascii.Error):
        return None
    return signature if armoured(raw_key, signature, namespace) == armour else None


def _string(content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + content
