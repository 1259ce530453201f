"""The files under signatures/: one tag manifest, two signatures that plain tools check."""

from __future__ import annotations

from typing import Final

from ticssync.bundle import sshsig
from ticssync.bundle.keys import KeyPair, public_pem

RAW: Final = "signatures/tagmanifest.ed25519"
SSH: Final = "signatures/tagmanifest.sshsig"
KEY: Final = "signatures/key.pub"
SIGNERS: Final = "signatures/allowed_signers"
SIGNATURES: Final = (SIGNERS, KEY, RAW, SSH)


def signer(workspace: str) -> str:
    """The name of the signer for `ssh-keygen -I`: the company's workspace, in ASCII without patterns."""
    clean = "".join(char if char.isascii() and (char.isalnum() or char == "-") else "-" for char in workspace)
    return f"ticssync-{clean or 'workspace'}"


def allowed_signers(raw_key: bytes, workspace: str) -> bytes:
    """The file for `ssh-keygen -Y verify -f`: this key, for bundles only."""
    line = f'{signer(workspace)} namespaces="{sshsig.NAMESPACE}" {sshsig.public_line(raw_key)}\n'
    return line.encode("ascii")


def signatures(tagmanifest: bytes, key: KeyPair, workspace: str) -> dict[str, bytes]:
    """The four files over the bytes of tagmanifest-sha256.txt."""
    return {
        RAW: key.sign(tagmanifest),
        SSH: sshsig.armoured(key.public, key.sign(sshsig.signed_data(tagmanifest))),
        KEY: key.pem,
        SIGNERS: allowed_signers(key.public, workspace),
    }


def signature_problems(
    files: dict[str, bytes], tagmanifest: bytes, raw_key: bytes, workspace: str
) -> list[str]:
    """Which of the files under signatures/ do not fit the tag manifest and this key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(raw_key)
    wrong = []
    inner = sshsig.raw_signature(files.get(SSH, b""), raw_key)
    for path, signature, message in (
        (RAW, files.get(RAW), tagmanifest),
        (SSH, inner, sshsig.signed_data(tagmanifest)),
    ):
        try:
            public.verify(signature or b"", message)
        except InvalidSignature:
            wrong.append(path)
    if files.get(KEY) != public_pem(raw_key):
        wrong.append(KEY)
    if files.get(SIGNERS) != allowed_signers(raw_key, workspace):
        wrong.append(SIGNERS)
    return wrong
