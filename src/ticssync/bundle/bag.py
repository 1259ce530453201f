"""BagIt 1.0 (RFC 8493): the four text files, written and read.  Pure.

`manifest-sha256.txt` covers data/ and depends on nothing but the snapshot.  `tagmanifest-sha256.txt` covers
the rest, bag-info.txt included, so it differs from export to export: RFC 8493 wants every tag file but the
tag manifest itself in it, and without it the time of the export would stand unsigned.  The files under
signatures/ are signed by being signatures and are not listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from ticssync.model.canonical import instant_text

BAGIT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
BAGIT_TXT: Final = "bagit.txt"
INFO: Final = "bag-info.txt"
MANIFEST: Final = "manifest-sha256.txt"
TAGMANIFEST: Final = "tagmanifest-sha256.txt"
PAYLOAD: Final = "data/"
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([!-~]+)")


def manifest(hashes: Mapping[str, str]) -> bytes:
    """Path → SHA-256 as lines that `sha256sum -c` reads, sorted by path."""
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode("ascii")


def read_manifest(content: bytes) -> dict[str, str] | None:
    """The inverse of `manifest`; None where the file is not exactly what `manifest` writes."""
    try:
        lines = content.decode("ascii").split("\n")
    except UnicodeDecodeError:
        return None
    matches = [_LINE.fullmatch(line) for line in lines[:-1]]
    hashes = {match[2]: match[1] for match in matches if match is not None}
    return hashes if manifest(hashes) == content else None


def info(
    *, company: str, workspace: str, purpose: str, snapshot: str, fingerprint: str, software: str,
    exported_at: datetime, sizes: Iterable[int],
) -> bytes:  # fmt: skip
    """bag-info.txt: what names this one export.  `sizes` are those of the files under data/, in bytes."""
    payload = tuple(sizes)
    lines = {
        "Source-Organization": company,
        "External-Identifier": workspace,
        "External-Description": f"TICS evidence bundle, {purpose}",
        "Bagging-Date": instant_text(exported_at)[:10],
        "Bag-Software-Agent": software,
        "Payload-Oxum": f"{sum(payload)}.{len(payload)}",
        "Ticssync-Snapshot": snapshot,
        "Ticssync-Exported-At": instant_text(exported_at),
        "Ticssync-Key-Fingerprint": fingerprint,
    }
    # A line end in a name would start another tag.
    return "".join(f"{tag}: {' '.join(value.split())}\n" for tag, value in lines.items()).encode("utf-8")


def read_info(content: bytes) -> dict[str, str]:
    """The tags of bag-info.txt; what is no tag line is passed over."""
    lines = content.decode("utf-8", "replace").split("\n")
    return dict(line.split(": ", 1) for line in lines if ": " in line)
