"""What a bundle gives back to a store that is made anew: named people's acts, evidence, duties.

Each fact is an event of the new log, on the channel `bundle`; `restored` in its payload names the bundle, the head of
the bundle's log, and when and by whom the fact was recorded then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ticssync.bundle import bag
from ticssync.bundle.archive import Archive, content, lines, look
from ticssync.bundle.keys import load_key
from ticssync.bundle.verify import EVENTS, MACHINE, Verdict, verify
from ticssync.config import Config
from ticssync.errors import Problem, Said, UsageError, say
from ticssync.model.binding import Binding
from ticssync.model.evidence import Evidence
from ticssync.model.key import TaskKey
from ticssync.store import By, Event, Store, Transaction
from ticssync.store.bindings import bindings
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker
from ticssync.store.store import Clock, replay

CHANNEL: Final = "bundle"
FACTS: Final = frozenset(
    {
        "profile.confirmed", "act.recorded", "evidence.added", "evidence.state", "evidence.reviewed",
        "evidence.passed_over", "evidence.source_gone", "evidence.source_back", "duty.done", "certificate.taken",
        "sheet.exported", "bundle.exported", "task.dropped", "task.restore", "tracker.renamed", "tracker.dropped", "tracker.moved",
        "store.copied",
    }
)  # fmt: skip
"""The kinds of events that are taken over.  What the trackers show is read from the trackers."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which bundle: its file, its snapshot, and the last event inside."""

    name: str
    snapshot: str
    seq: int
    head: str
    until: str
    exported_at: str

    def plain(self) -> dict[str, Any]:
        """For events and JSON.  `until`: UTC text of the last fact inside."""
        return {
            "bundle": self.name, "snapshot": self.snapshot, "head": {"seq": self.seq, "hash": self.head},
            "until": self.until,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FromBundle:
    """A verified bundle's facts.  `withheld` are the rows of evidence whose payload stays in the house, by id;
    `bound` is how the tasks stood then, `planned` the day that each first came up (ISO), `dropped` what was let go."""

    origin: Origin
    events: tuple[Event, ...]
    files: Mapping[str, str]
    withheld: Mapping[str, Mapping[str, Any]]
    bound: tuple[Binding, ...] = ()
    planned: Mapping[TaskKey, str] = field(default_factory=dict)
    dropped: frozenset[TaskKey] = frozenset()


@dataclass
class Restored:
    """What was taken over, by kind, and what could not be."""

    acts: int = 0
    evidence: int = 0
    files: int = 0
    duties: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def plain(self) -> dict[str, int]:
        """The counts."""
        return {"acts": self.acts, "evidence": self.evidence, "files": self.files, "duties": self.duties}


def read_bundle(path: Path, config: Config, clock: Clock, fingerprint: str = "") -> FromBundle:
    """A bundle's facts, once it has been verified as a whole.

    `fingerprint` is the one that was handed over beforehand; without it the bundle has to be signed with the key in
    the management folder.  Raises UsageError with everything that is wrong with it.
    """
    expected = fingerprint or _own_fingerprint(config)
    verdict = verify(path, expected_fingerprint=expected)
    if not (verdict.flawless and verdict.authentic):
        raise UsageError(
            say("the bundle {file} is not taken: it does not verify", file=str(path)),
            problems=_problems(path, verdict),
            fix=say("ticssync bundle verify {file}", file=str(path)),
        )
    with opened(path) as archive:
        machine = json.loads(content(archive, MACHINE) or b"{}")
        info = bag.read_info(content(archive, bag.INFO) or b"")
        events = tuple(Event(**json.loads(line)) for line in lines(archive, EVENTS))
    if machine["workspace"] != config.workspace:
        raise UsageError(
            say(
                "the bundle is of workspace {found}, ticssync.yaml says {wanted}",
                found=machine["workspace"],
                wanted=config.workspace,
            )
        )
    origin = Origin(
        path.name, info.get("Ticssync-Snapshot", ""), events[-1].seq if events else 0,
        events[-1].hash if events else "", events[-1].at if events else "", info.get("Ticssync-Exported-At", ""),
    )  # fmt: skip
    files = {one["sha256"]: one["path"] for one in machine["files"] if one.get("evidence")}
    withheld = {one["id"]: one for one in machine["left_out"]}
    return _stood(FromBundle(origin, events, files, withheld), config.workspace, clock)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The bundle's files."""
    with path.open("rb") as stream:
        archive, _ = look(stream)
        if archive is None:
            raise UsageError(say("{file} is not a bundle", file=str(path)))
        with archive.zip:
            yield archive


def _own_fingerprint(config: Config) -> str:
    try:
        return load_key(config.path(config.values.keys)).fingerprint
    except UsageError as error:
        raise UsageError(
            say("without the company's key nobody can tell whose bundle this is: {why}", why=error.message),
            fix=say("give the fingerprint that was handed over beforehand: --fingerprint SHA256:…"),
        ) from error


def _problems(path: Path, verdict: Verdict) -> list[Problem]:
    asked = (
        (verdict.readable, say("it cannot be read as a whole")),
        (verdict.complete, say("files are missing in it")),
        (verdict.unaltered, say("it was changed after it was written")),
        (verdict.authentic, say("it is signed with another key ({found})", found=verdict.key_fingerprint)),
    )
    found = [Problem(said, str(path)) for holds, said in asked if not holds]
    return found + [Problem(one.problem, str(path), place=one.path) for one in verdict.problems[:10]]


def _stood(found: FromBundle, workspace: str, clock: Clock) -> FromBundle:
    """The log, played once more: how the tasks stood at the time of the bundle."""
    store = Store.memory(workspace, clock)
    replay(list(found.events), store)
    with store.read() as tx:
        bound = bindings(tx)
    store.close()
    planned, dropped = dict[TaskKey, str](), set[TaskKey]()
    for event in found.events:
        if event.kind == "task.planned":
            planned.setdefault(TaskKey.parse(event.subject), str(event.data.get("on", "")))
        elif event.kind == "task.dropped" and not event.data.get("tracker"):
            dropped.add(TaskKey.parse(event.subject))
        elif event.kind == "task.restore" or (
            event.kind == "task.bound" and event.data.get("why") == "adopted"
        ):
            dropped.discard(TaskKey.parse(event.subject))
    return FromBundle(
        found.origin, found.events, found.files, found.withheld, bound, planned, frozenset(dropped)
    )


def keep_files(path: Path, found: FromBundle, locker: Locker) -> int:
    """Put the originals that the bundle holds into the locker; how many were not there.  Again does no harm."""
    kept = 0
    with opened(path) as archive:
        for sha256, name in sorted(found.files.items()):
            if locker.verify(sha256) != "ok":
                with archive.zip.open(archive.entries[name]) as stream:
                    locker.put(stream)  # type: ignore[arg-type]
                kept += 1
    return kept


def take_facts(tx: Transaction, found: FromBundle, by: By, locker: Locker) -> Restored:
    """Write the bundle's facts into the new log, in their order."""
    restored = Restored()
    numbers: dict[int, int] = {}
    erased = 0
    for event in found.events:
        if event.kind not in FACTS:
            continue
        payload = event.data if event.payload is not None else _without_payload(event, found)
        if payload is None:
            erased += 0 if event.subject in found.withheld else 1
            continue
        if event.kind == "act.recorded" and payload.get("withdraws") is not None:
            payload = payload | {"withdraws": numbers.get(payload["withdraws"])}
        numbers[event.seq] = _append(tx, event, payload, found.origin, by)
        restored.acts += event.kind in ("act.recorded", "profile.confirmed")
        restored.duties += event.kind == "duty.done"
    _end_withheld(tx, found, by)
    held = evidence_of(tx)
    restored.evidence = len(held)
    restored.left_out = [*_unreadable(tx, held, by, locker), *_unnamed(found)]
    if erased:
        said = say("{count} facts whose content was erased or withheld", count=erased)
        restored.left_out.append({"what": said, "why": say("the bundle holds only their hash")})
    return restored


def _append(tx: Transaction, event: Event, payload: Mapping[str, Any], origin: Origin, by: By) -> int:
    told = {
        **{name: origin.plain()[name] for name in ("bundle", "head")},
        "seq": event.seq, "at": event.at, "actor": event.actor, "channel": event.channel,
    }  # fmt: skip
    body = {**{name: value for name, value in payload.items() if name != "by"}, "restored": told}
    return tx.append(event.kind, event.subject, By(by.actor, CHANNEL, event.claimed_by), body).seq


def _without_payload(event: Event, found: FromBundle) -> dict[str, Any] | None:
    """Evidence without a class: what it was called stays in the house, what it is for and its hash do not."""
    row = found.withheld.get(event.subject)
    if event.kind != "evidence.added" or row is None:
        return None
    values = {name: row[name] for name in Evidence.__dataclass_fields__ if name in row}
    return values | {"name": event.subject, "note": "", "withdrawn": False, "readable": True}


def _end_withheld(tx: Transaction, found: FromBundle, by: By) -> None:
    """Their later events are withheld too: only how they stood in the end is known."""
    last = {one.subject: one for one in found.events if one.kind == "evidence.state" and one.payload is None}
    for ident, event in last.items():
        row = found.withheld.get(ident)
        if row is None:
            continue
        to = "withdrawn" if row["withdrawn"] else "held" if row["readable"] else "unreadable"
        if to != "held":
            _append(tx, event, {"from": "held", "to": to, "reason": ""}, found.origin, by)


def _unreadable(
    tx: Transaction, held: Sequence[Evidence], by: By, locker: Locker
) -> Iterable[dict[str, Any]]:
    """Evidence whose bytes are neither in the bundle nor in the locker: it counts as unreadable until they are."""
    from ticssync.store.evidence import set_evidence_state

    for one in held:
        if one.withdrawn or one.keep_mode != "copy" or not one.sha256 or locker.verify(one.sha256) == "ok":
            continue
        why = say("its file is neither in the bundle nor in the locker: hand it in again")
        if one.readable:
            set_evidence_state(tx, one.id, "unreadable", By(by.actor, CHANNEL, None), str(why))
        yield {"what": f"{one.id} {one.name}", "why": why}


def _unnamed(found: FromBundle) -> Iterable[dict[str, Any]]:
    names = {one.subject: one for one in found.events if one.kind == "evidence.added" and one.payload is None}
    for ident in names:
        if ident in found.withheld:
            yield {
                "what": ident,
                "why": say("it had no confidentiality class, so its name and note are not in the bundle"),
            }


def lost_since(origin: Origin) -> Said:
    """What everybody has to know: where the bundle ends."""
    return say(
        "confirmations, exclusions and evidence after {until} are not in the bundle and are lost: enter them again",
        until=origin.until,
    )


__all__ = [
    "CHANNEL", "FromBundle", "Origin", "Restored", "keep_files", "lost_since", "read_bundle",
    "take_facts",
]  # fmt: skip
