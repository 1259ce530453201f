"""Writing a bundle: originals checked, pages made, everything hashed, signed, streamed, moved into place.

An original is read twice: once to be checked against the hash on record, so that the pages can say what is
really inside, and once to be copied.  Pages are held in memory, originals never are.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from ticssync.bundle import bag, documents, report
from ticssync.bundle.container import Entry, directory, local_header, place
from ticssync.bundle.keys import KeyPair
from ticssync.bundle.layout import Plan, PlannedFile
from ticssync.bundle.naming import BUDGET, PATH_MAX, bundle_name, is_safe_path
from ticssync.bundle.sign import signatures
from ticssync.bundle.snapshot import EvidenceItem, LeftOut
from ticssync.errors import RetryLaterError, TicssyncError, say
from ticssync.model.criterion import Words

Openers = Mapping[str, Callable[[], BinaryIO]]
"""Evidence id → a function that opens its original bytes."""

_CHUNK: Final = 1 << 18
MISSING: Final = Words("ファイルが見つかりません", "The file is missing")
REFUSED: Final = Words("ファイルを開く権限がありません", "The file may not be opened")
BROKEN: Final = Words("ファイルを読み取れません", "The file cannot be read")
CHANGED: Final = Words(
    "記録したハッシュ値と中身が一致しません", "Its content does not match the hash on record"
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished bundle: hash and size (`bytes`) of the ZIP; `snapshot` is manifest-sha256.txt's hash."""

    path: Path
    sha256: str
    snapshot: str
    files: int
    bytes: int
    key_fingerprint: str
    left_out: tuple[LeftOut, ...]

    def plain(self, lang: str) -> dict[str, Any]:
        """As the JSON of `bundle export`."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "snapshot": self.snapshot,
            "files": self.files,
            "bytes": self.bytes,
            "key_fingerprint": self.key_fingerprint,
            "left_out": [{"what": one.what, "why": one.why.in_language(lang)} for one in self.left_out],
        }


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the ZIP: bytes made by us, or an original that is copied from its opener."""

    path: str
    sha256: str
    crc: int
    size: int
    content: bytes | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class _Sealed:
    name: str
    snapshot: str
    parts: tuple[_Part, ...]


class _UnreadableError(Exception):
    """An original that cannot be given as it was recorded."""

    def __init__(self, evidence: str, why: Words) -> None:
        super().__init__(evidence)
        self.evidence = evidence
        self.why = why


def export(
    plan: Plan, target_folder: Path, *, key: KeyPair, exported_at: datetime, openers: Openers
) -> Exported:
    """Write the bundle into `target_folder` and say what it became.

    `exported_at` is aware.  An original that cannot be read becomes a page with the reason.  Until the last
    byte is on the disk there is no file under the final name.  Raises RetryLaterError where the folder
    cannot be written or the file of that name is open elsewhere.
    """
    checked: dict[str, _Part] = {}
    while True:
        plan = _check(plan, openers, checked)
        sealed = _seal(plan, checked, key, exported_at)
        try:
            path, digest = _into_place(sealed, target_folder, openers)
        except _UnreadableError as changed:
            # It was good a moment ago: the pages must say so, so everything is made again without it.
            plan = plan.without({changed.evidence: changed.why})
            continue
        return Exported(
            path,
            digest,
            sealed.snapshot,
            len(sealed.parts),
            path.stat().st_size,
            key.fingerprint,
            plan.left_out,
        )


def _check(plan: Plan, openers: Openers, checked: dict[str, _Part]) -> Plan:
    """Read every original once; the plan without those that fail.  It ends: each round loses at least one."""
    by_id = {item.id: item for item in plan.snapshot.evidence}
    while True:
        failed: dict[str, Words] = {}
        for file in plan.files:
            if file.evidence and (file.evidence not in checked or checked[file.evidence].path != file.path):
                try:
                    checked[file.evidence] = _original(file, by_id[file.evidence], openers)
                except _UnreadableError as error:
                    failed[error.evidence] = error.why
        if not failed:
            return plan
        plan = plan.without(failed)


def _original(file: PlannedFile, item: EvidenceItem, openers: Openers) -> _Part:
    digest, crc, size = hashlib.sha256(), 0, 0
    for chunk in _chunks(item.id, openers):
        digest.update(chunk)
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    if digest.hexdigest() != item.sha256:
        raise _UnreadableError(item.id, CHANGED)
    return _Part(file.path, item.sha256, crc, size, evidence=item.id)


def _chunks(evidence: str, openers: Openers) -> Iterator[bytes]:
    opener = openers.get(evidence)
    if opener is None:
        raise _UnreadableError(evidence, MISSING)
    try:
        with opener() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (FileNotFoundError, PermissionError) as error:
        raise _UnreadableError(
            evidence, MISSING if isinstance(error, FileNotFoundError) else REFUSED
        ) from error
    except (OSError, TicssyncError) as error:
        raise _UnreadableError(evidence, BROKEN) from error


def _made(path: str, content: bytes) -> _Part:
    return _Part(path, hashlib.sha256(content).hexdigest(), zlib.crc32(content), len(content), content)


def _seal(plan: Plan, checked: Mapping[str, _Part], key: KeyPair, exported_at: datetime) -> _Sealed:
    parts = [
        checked[file.evidence] if file.make is None else _made(file.path, file.make()) for file in plan.files
    ]
    payload = [part for part in parts if part.path.startswith(bag.PAYLOAD)]
    manifest = bag.manifest({part.path: part.sha256 for part in payload})
    snapshot = hashlib.sha256(manifest).hexdigest()
    tags = [
        *(part for part in parts if not part.path.startswith(bag.PAYLOAD)),
        *_tag_files(plan, parts, key, exported_at, snapshot),
        _made(bag.MANIFEST, manifest),
    ]
    tagmanifest = bag.manifest({part.path: part.sha256 for part in tags})
    signed = signatures(tagmanifest, key, plan.snapshot.workspace)
    final = [_made(path, content) for path, content in {**signed, bag.TAGMANIFEST: tagmanifest}.items()]
    name = bundle_name(plan.snapshot.company, plan.snapshot.purpose, snapshot)
    return _Sealed(name, snapshot, _in_budget(name, [*payload, *tags, *final]))


def _tag_files(
    plan: Plan, parts: list[_Part], key: KeyPair, exported_at: datetime, snapshot: str
) -> list[_Part]:
    taken = plan.snapshot
    what = {file.path: file.what for file in plan.files}
    listed = [
        documents.Listed(part.path, what[part.path], part.sha256, part.size, part.evidence) for part in parts
    ]
    info = bag.info(
        company=taken.company, workspace=taken.workspace, purpose=taken.purpose, snapshot=snapshot,
        fingerprint=key.fingerprint, exported_at=exported_at,
        software=f"ticssync {taken.tool_version}".strip(),
        sizes=[part.size for part in parts if part.path.startswith(bag.PAYLOAD)],
    )  # fmt: skip
    return [
        _made(bag.BAGIT_TXT, bag.BAGIT),
        _made(bag.INFO, info),
        _made(report.START, report.start_page(plan.contents, snapshot, key.fingerprint)),
        _made("machine/manifest.json", documents.machine_manifest(plan.contents, listed)),
    ]


def _in_budget(name: str, parts: list[_Part]) -> tuple[_Part, ...]:
    paths = [part.path for part in parts]
    twice = 2 * (len(name) + 1)
    if len({path.lower() for path in paths}) != len(paths):
        raise ValueError("two files of the bundle differ by case only")
    for path in paths:
        if not is_safe_path(path) or len(path) > PATH_MAX or twice + len(path) > BUDGET:
            raise ValueError(f"{path!r} is no path for a bundle")
    return tuple(sorted(parts, key=lambda part: part.path))


def _into_place(sealed: _Sealed, folder: Path, openers: Openers) -> tuple[Path, str]:
    final = folder / f"{sealed.name}.zip"
    temporary = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".TICS-", suffix=".partial", dir=folder)
        with os.fdopen(descriptor, "wb") as stream:
            digest = _stream(sealed.parts, stream, openers)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(final)
    except OSError as error:
        raise RetryLaterError(
            say(
                "the bundle cannot be written to {file}: {why}", file=final, why=error.strerror or str(error)
            ),
            fix=say(
                "close the file where it is open, check free space and rights of the folder, and export again"
            ),
        ) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return final, digest


def _stream(parts: tuple[_Part, ...], stream: BinaryIO, openers: Openers) -> str:
    digest = hashlib.sha256()
    entries = place([Entry(part.path, part.crc, part.size) for part in parts])
    for entry, part in zip(entries, parts, strict=True):
        for chunk in (local_header(entry), *([part.content] if part.content is not None else ())):
            _put(stream, digest, chunk)
        if part.content is None:
            _copy(part, stream, digest, openers)
    _put(stream, digest, directory(entries))
    return digest.hexdigest()


def _copy(part: _Part, stream: BinaryIO, digest: hashlib._Hash, openers: Openers) -> None:
    seen = hashlib.sha256()
    for chunk in _chunks(part.evidence, openers):
        seen.update(chunk)
        _put(stream, digest, chunk)
    if seen.hexdigest() != part.sha256:
        raise _UnreadableError(part.evidence, CHANGED)


def _put(stream: BinaryIO, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    stream.write(chunk)
