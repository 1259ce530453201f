"""The snapshot with its names inside the bundle: what every page and document is made from.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ticssync.bundle.naming import PATH_MAX, safe_extension, short_name
from ticssync.bundle.snapshot import EvidenceItem, LeftOut, SnapshotInput, Standing, natural, standings
from ticssync.model.criterion import Words

CRITERIA: Final = "data/criteria/"
EVIDENCE: Final = "data/evidence/"
TICKETS: Final = "data/tickets/"


@dataclass(frozen=True, slots=True)
class Contents:
    """The snapshot with its names: what every page is made from.

    `path_of` leads from an evidence id to its file or page, `ticket_paths` run in step with the tickets,
    `unreadable` says per evidence id why its bytes could not be read.
    """

    snapshot: SnapshotInput
    standings: tuple[Standing, ...]
    criterion_path: Mapping[str, str]
    path_of: Mapping[str, str]
    ticket_paths: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    unreadable: Mapping[str, Words]
    locales: tuple[Path, ...] = ()

    def why_out(self, item: EvidenceItem) -> Words | None:
        """Why the bytes of this evidence are not inside; None where they are."""
        return item.stays_out or self.unreadable.get(item.id)


def contents_of(
    snapshot: SnapshotInput, failed: Mapping[str, Words], locales: tuple[Path, ...] = ()
) -> Contents:
    """Give everything its name.  `failed` says per evidence id why its bytes could not be read."""
    standing = standings(snapshot)
    return Contents(
        snapshot, standing, _criterion_paths(standing), _evidence_paths(snapshot, failed),
        _ticket_paths(snapshot), _left_out(snapshot, failed), failed, locales,
    )  # fmt: skip


def _criterion_paths(standing: tuple[Standing, ...]) -> dict[str, str]:
    taken: set[str] = set()
    room = PATH_MAX - len(CRITERIA) - len(".json")
    ordered = sorted(standing, key=lambda one: (one.scheme, natural(one.id)))
    return {one.ref: f"{CRITERIA}{short_name(one.id, room, taken)}.json" for one in ordered}


def _evidence_paths(snapshot: SnapshotInput, failed: Mapping[str, Words]) -> dict[str, str]:
    """Equal bytes are stored once, under the name of the first evidence that holds them."""
    taken: set[str] = set()
    stored: dict[str, str] = {}
    paths: dict[str, str] = {}
    room = PATH_MAX - len(EVIDENCE) - len(".html")
    for item in sorted(snapshot.evidence, key=lambda one: natural(one.id)):
        stem = short_name(item.id, room, taken)
        if item.stays_out is not None or item.id in failed:
            paths[item.id] = f"{EVIDENCE}{stem}.html"
        else:
            paths[item.id] = stored.setdefault(item.sha256, f"{EVIDENCE}{stem}.{safe_extension(item.name)}")
    return paths


def _ticket_paths(snapshot: SnapshotInput) -> tuple[str, ...]:
    order = sorted(
        range(len(snapshot.tickets)),
        key=lambda index: (
            str(snapshot.tickets[index].get("tracker")),
            natural(str(snapshot.tickets[index].get("key"))),
            index,
        ),
    )
    paths, counts = [""] * len(order), dict[str, int]()
    taken: set[str] = set()
    for index in order:
        tracker = str(snapshot.tickets[index].get("tracker") or "tracker")
        counts[tracker] = counts.get(tracker, 0) + 1
        room = PATH_MAX - len(TICKETS) - len(".html")
        clean = (
            "".join(char if char.isascii() and char.isalnum() else "-" for char in tracker).strip("-")
            or "tracker"
        )
        number = str(counts[tracker])
        stem = short_name(f"{clean[: room - 1 - len(number)]}-{number}", room, taken)
        paths[index] = f"{TICKETS}{stem}.html"
    return tuple(paths)


def _left_out(snapshot: SnapshotInput, failed: Mapping[str, Words]) -> tuple[LeftOut, ...]:
    left = []
    for item in sorted(snapshot.evidence, key=lambda one: natural(one.id)):
        why = item.stays_out or failed.get(item.id)
        if why is not None:
            left.append(LeftOut(f"{item.id} {item.name}".strip(), why))
    return tuple(left)
