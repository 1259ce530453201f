"""The parts for machines: one JSON per criterion, the event log, the manifest of the snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ticssync.bundle.contents import Contents
from ticssync.bundle.snapshot import EvidenceItem, Standing, natural, web_address
from ticssync.model.canonical import canonical_json, date_text, plain, storable_text

if TYPE_CHECKING:
    from ticssync.store.events import Event

FORMAT: Final = 1
"""Version of machine/manifest.json: readers pass over keys they do not know."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file as the machine's manifest lists it.  `size` is in bytes, `evidence` is the id it holds."""

    path: str
    what: str
    sha256: str
    size: int
    evidence: str = ""


def as_bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD as it does in the store."""
    return storable_text(text).encode("utf-8")


def pretty(value: object) -> bytes:
    """JSON for people and machines: sorted keys, two blanks, text as itself."""
    return as_bytes(
        json.dumps(plain(value), ensure_ascii=False, sort_keys=True, indent=2, default=str) + "\n"
    )


def evidence_row(contents: Contents, item: EvidenceItem) -> dict[str, Any]:
    """One evidence as JSON.  Without a class its name and note stay in the house like its bytes."""
    why = contents.why_out(item)
    row: dict[str, Any] = asdict(item) | {
        "dated_on": date_text(item.dated_on),
        "valid_until": date_text(item.valid_until),
        "path": contents.path_of[item.id],
        "inside": why is None,
        "left_out": None if why is None else {"ja": why.ja, "en": why.en},
    }
    return row if item.shows_name else row | {"name": None, "note": None}


def criterion_json(contents: Contents, standing: Standing) -> bytes:
    """The snapshot of one criterion: the item, its rows of `status`, acts, evidence and tickets."""
    tickets = [
        {**ticket, "url": web_address(ticket.get("url")), "path": path}
        for path, ticket in zip(contents.ticket_paths, contents.snapshot.tickets, strict=True)
        if ticket.get("criterion") == standing.ref
    ]
    return pretty(
        {
            "as_of": contents.snapshot.as_of.isoformat(),
            "scheme": standing.scheme,
            "id": standing.id,
            "state": standing.state,
            "late": standing.late,
            "criterion": standing.item,
            "status": [_outward(entry) for entry in standing.entries],
            "acts": standing.acts,
            "evidence": [evidence_row(contents, item) for item in standing.evidence],
            "tickets": tickets,
        }
    )


def _outward(entry: Mapping[str, Any]) -> dict[str, Any]:
    tasks = [{**task, "url": web_address(task.get("url"))} for task in entry.get("tasks") or ()]
    return {**entry, "tasks": tasks}


def events_jsonl(contents: Contents) -> bytes:
    """All events before the export, one canonical JSON per line.

    What evidence without a class was called is withheld: only commitments are chained, so the log still
    verifies without that payload.
    """
    secret = {item.id for item in contents.snapshot.evidence if not item.shows_name}
    lines = (canonical_json(_event_row(event, secret)) for event in contents.snapshot.events)
    return as_bytes("".join(f"{line}\n" for line in lines))


def _event_row(event: Event, secret: set[str]) -> dict[str, Any]:
    row = asdict(event)
    if event.kind.startswith("evidence.") and event.subject in secret:
        row |= {"payload": None, "salt": None}
    return row


def log_head(events: Sequence[Event]) -> dict[str, Any]:
    """Number and hash of the last event: the anchor of the whole log."""
    return {"seq": events[-1].seq, "hash": events[-1].hash} if events else {"seq": 0, "hash": "0" * 64}


def schemes(contents: Contents) -> list[dict[str, Any]]:
    """The editions and profiles that the snapshot is pinned to."""
    names = ("scheme", "catalog", "edition", "in_force_on", "source", "digest", "profile_digest")
    return [
        {name: scope.get(name) for name in names} for _, scope in sorted(contents.snapshot.scopes.items())
    ]


def machine_manifest(contents: Contents, files: Iterable[Listed]) -> bytes:
    """What is inside, what stays out and what the snapshot is pinned to, for programs."""
    snapshot = contents.snapshot
    by_id = {item.id: item for item in snapshot.evidence}
    out = [item for item in snapshot.evidence if contents.why_out(item) is not None]
    return pretty(
        {
            "format": FORMAT,
            "tool": {"name": "ticssync", "version": snapshot.tool_version},
            "company": snapshot.company,
            "workspace": snapshot.workspace,
            "purpose": snapshot.purpose,
            "as_of": snapshot.as_of.isoformat(),
            "language": snapshot.lang,
            "handling_class": snapshot.handling_class,
            "schemes": schemes(contents),
            "log": log_head(snapshot.events),
            "files": [_file_row(file, by_id) for file in sorted(files, key=lambda file: file.path)],
            "left_out": [
                evidence_row(contents, item) for item in sorted(out, key=lambda one: natural(one.id))
            ],
        }
    )


def _file_row(file: Listed, by_id: Mapping[str, EvidenceItem]) -> dict[str, Any]:
    row: dict[str, Any] = {"path": file.path, "what": file.what, "sha256": file.sha256, "size": file.size}
    if file.evidence:
        row |= {"evidence": file.evidence, "original_name": by_id[file.evidence].name}
    return row
