"""Backups as released versions made them, kept in data/: what was saved once must come back for ever.

Run as a program it adds the one of the schema as it is now, and leaves the others alone:
    python -m tests.unit.app.old_backups
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Final

from ticssync.app import backup_archive as archive
from ticssync.app.sealed import SealedWriter
from ticssync.model.canonical import canonical_json
from ticssync.store import By, Store, dump, schema
from ticssync.testing.clock import START, Clock

DATA: Final = Path(__file__).with_name("data")
PHRASE: Final = "昔の合言葉 old but gold"
WORKSPACE: Final = "k7m2q9wx4d"
PROOF: Final = "手順書 第3版 ㊙\n".encode()
CONFIG: Final = f"""\
version: 1
workspace: {{id: {WORKSPACE}, name: ㈱髙﨑精機, shared: ../共有}}
people: {{sato: {{name: 佐藤 花子}}}}
roles: {{manager: [sato]}}
"""
BOUND: Final = {
    "tracker": "factory", "remote_id": "123", "generation": 1, "role": "main", "key": "#123", "url": "", "raw_status": "1",
}  # fmt: skip
LATER: Final = {"0001": ("collected", "source")}
"""Tables that a store of that revision did not have."""


def file_of(revision: str) -> Path:
    """The backup that a store of this revision was saved in."""
    return DATA / f"backup-{revision}.age"


def make(revision: str) -> bytes:
    """One task, one piece of evidence, one file of settings; the store at this revision."""
    sink = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, SealedWriter(sink, PHRASE, work=10) as sealed:
        store = Store.create(f"sqlite:///{Path(place) / 'a.db'}", WORKSPACE, Clock())
        with store.write() as tx:
            tx.append("workspace.made", WORKSPACE, By("sato@pc"), {"company": "㈱髙﨑精機"})
            tx.append("task.bound", "tics/T-14", By("sato@pc", claimed="sato"), BOUND)
        with store.read() as tx:
            tables = {name: "".join(f"{row}\n" for row in dump.rows(tx, name)) for name in dump.tables()}
            head = tx.head()
        store.close()
        tar = archive.ArchiveWriter(sealed, START.timestamp())
        tar.put(archive.HEAD, canonical_json(_head(revision, head)).encode())
        tar.put(f"{archive.FOLDER}ticssync.yaml", CONFIG.encode())
        for name, lines in tables.items():
            if name not in LATER.get(revision, ()):
                tar.put(f"{archive.STORE}{name}.jsonl", lines.encode())
        import hashlib

        sha = hashlib.sha256(PROOF).hexdigest()
        tar.put(f"{archive.LOCKER}{sha[:2]}/{sha[2:]}", PROOF)
        tar.close()
    return sink.getvalue()


def _head(revision: str, head: tuple[int, str]) -> dict[str, object]:
    at = "2026-04-01T00:00:00.000000Z"
    return {
        "format": 1, "product": "ticssync", "version": "0.1.0", "made_at": at, "made_by": "sato@pc", "system": "Linux",
        "workspace": WORKSPACE, "company": "㈱髙﨑精機", "time_zone": "Asia/Tokyo", "folder": "管理",
        "configuration": "ticssync.yaml", "locker": "locker", "outside": {}, "left_out": [],
        "store": {
            "revision": revision, "path": "ticssync.db", "url": "sqlite:///ticssync.db", "last_event_at": at,
            "head": {"seq": head[0], "hash": head[1]},
        },
    }  # fmt: skip


if __name__ == "__main__":
    for known in sorted({*LATER, schema.REVISION}):
        if not file_of(known).exists():
            file_of(known).write_bytes(make(known))
