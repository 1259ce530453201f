"""Five answers about a bundle, never mixed: readable · complete · unaltered · authentic · time.

readable    the ZIP opens, every file in it can be read, and the bag's own files make sense
complete    every file that the manifests name is there
unaltered   every byte is covered and fits: files by manifests, the rest by rebuilding the ZIP; the event
            chain inside holds; nothing was added
authentic   the signatures fit *and* the key is the one handed over beforehand; None without a fingerprint
            to compare with (照合待ち), never True
timestamp   None: this version writes no time-stamp
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ticssync.bundle import bag, sshsig
from ticssync.bundle.archive import (
    Archive,
    BundleProblem,
    Seen,
    container_problems,
    content,
    hashes,
    lines,
    look,
)
from ticssync.bundle.keys import raw_public
from ticssync.bundle.sign import KEY, SIGNATURES, signature_problems
from ticssync.errors import UsageError, say
from ticssync.model.canonical import canonical_json

if TYPE_CHECKING:
    from ticssync.store.events import Event

__all__ = ["BundleProblem", "Verdict", "verify"]

EVENTS: Final = "machine/events.jsonl"
MACHINE: Final = "machine/manifest.json"
_REQUIRED: Final = (bag.BAGIT_TXT, bag.INFO, bag.MANIFEST, bag.TAGMANIFEST, EVENTS, MACHINE, *SIGNATURES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.  False also stands where a question could not be answered; `problems` say which."""

    readable: bool
    complete: bool
    unaltered: bool
    authentic: bool | None
    timestamp: bool | None
    key_fingerprint: str
    problems: tuple[BundleProblem, ...]

    @property
    def flawless(self) -> bool:
        """Nothing wrong was found; whose bundle it is may still wait for a fingerprint."""
        return self.readable and self.complete and self.unaltered and self.authentic is not False

    def plain(self) -> dict[str, Any]:
        """As the JSON of `bundle verify`; problems keep their `Said` texts for translation."""
        return {
            "readable": self.readable,
            "complete": self.complete,
            "unaltered": self.unaltered,
            "authentic": self.authentic,
            "timestamp": self.timestamp,
            "key_fingerprint": self.key_fingerprint,
            "problems": [{"path": one.path, "problem": one.problem} for one in self.problems],
        }


def verify(path: Path, *, expected_fingerprint: str | None = None) -> Verdict:
    """Check the bundle at `path` without unpacking it.

    `expected_fingerprint` is `SHA256:…` from the letter that was handed over beforehand.  Raises UsageError
    where there is no such file; everything about the file's content is an answer, not an error.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(
            say("the bundle cannot be opened: {file} ({why})", file=path, why=error.strerror)
        ) from error
    with stream:
        archive, problems = look(stream)
        if archive is None:
            return Verdict(False, False, False, None, None, "", tuple(problems))
        with archive.zip:
            return _judge(archive, problems, expected_fingerprint)


def _judge(archive: Archive, refused: list[BundleProblem], expected: str | None) -> Verdict:
    seen, damaged = hashes(archive)
    small = {
        name: content(archive, name) or b""
        for name in (bag.MANIFEST, bag.TAGMANIFEST, bag.INFO, MACHINE, *SIGNATURES)
    }
    payload, tags = bag.read_manifest(small[bag.MANIFEST]), bag.read_manifest(small[bag.TAGMANIFEST])
    unread = refused + damaged + _unread(payload, tags, content(archive, bag.BAGIT_TXT))
    named = {**(tags or {}), **(payload or {})}
    missing = _missing(archive, named, small[bag.INFO], seen)
    changed = [
        *_changed(named, seen),
        *_added(seen, payload or {}, tags or {}),
        *_chain_problems(archive, small[MACHINE]),
        *container_problems(archive, seen),
    ]
    fingerprint, authentic, foreign = _authentic(small, expected)
    hashed = payload is not None and tags is not None
    return Verdict(
        readable=not unread,
        complete=hashed and not missing,
        unaltered=hashed and not changed and not refused and not damaged,
        authentic=authentic,
        timestamp=None,
        key_fingerprint=fingerprint,
        problems=(*unread, *missing, *changed, *foreign),
    )


def _unread(
    payload: dict[str, str] | None, tags: dict[str, str] | None, bagit: bytes | None
) -> list[BundleProblem]:
    said = say("this file is missing or is not written as BagIt 1.0 asks")
    parts = (
        (bag.MANIFEST, payload is None),
        (bag.TAGMANIFEST, tags is None),
        (bag.BAGIT_TXT, bagit != bag.BAGIT),
    )
    return [BundleProblem(name, said) for name, wrong in parts if wrong]


def _missing(
    archive: Archive, named: dict[str, str], info: bytes, seen: dict[str, Seen]
) -> list[BundleProblem]:
    there = set(archive.names)
    gone = sorted({*named, *_REQUIRED} - there)
    problems = [BundleProblem(name, say("this file is missing")) for name in gone]
    payload = [one.size for name, one in seen.items() if name.startswith(bag.PAYLOAD)]
    if bag.read_info(info).get("Payload-Oxum") != f"{sum(payload)}.{len(payload)}":
        problems.append(
            BundleProblem(bag.INFO, say("the number or the size of the files is not what this file says"))
        )
    return problems


def _changed(named: dict[str, str], seen: dict[str, Seen]) -> Iterable[BundleProblem]:
    said = say("the content of this file was changed: its hash does not fit")
    return (
        BundleProblem(name, said)
        for name in sorted(named)
        if name in seen and seen[name].sha256 != named[name]
    )


def _added(seen: dict[str, Seen], payload: dict[str, str], tags: dict[str, str]) -> Iterable[BundleProblem]:
    """Files no manifest covers, and manifests that cover what is not theirs."""
    for name in sorted(seen):
        listed = (
            payload
            if name.startswith(bag.PAYLOAD)
            else {**tags, bag.TAGMANIFEST: "", **dict.fromkeys(SIGNATURES, "")}
        )
        if name not in listed:
            yield BundleProblem(name, say("no manifest names this file: it was added"))
    for name in sorted({*payload} - {one for one in payload if one.startswith(bag.PAYLOAD)}):
        yield BundleProblem(name, say("the manifest names a file outside of data/"))


def _chain_problems(archive: Archive, machine: bytes) -> list[BundleProblem]:
    """The log is read line by line: it may be the largest file of the bundle."""
    from ticssync.store.events import GENESIS, verify_chain

    last: dict[str, Any] = {"seq": 0, "hash": GENESIS}
    try:
        wrong = verify_chain(_events(archive, last))
        anchored = json.loads(machine)["log"] == last
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return [
            BundleProblem(EVENTS, say("the event log is missing, damaged or not written as it should be"))
        ]
    problems = [
        BundleProblem(EVENTS, say("the event log does not hold: {what}", what=what)) for what in wrong[:20]
    ]
    if not anchored:
        problems.append(BundleProblem(EVENTS, say("the last event is not the one that the manifest names")))
    return problems


def _events(archive: Archive, last: dict[str, Any]) -> Iterator[Event]:
    """The events, each line checked to be the one way to write it; the head is left in `last`."""
    from ticssync.store.events import Event

    for line in lines(archive, EVENTS):
        row = json.loads(line)
        if f"{canonical_json(row)}\n".encode() != line:
            raise ValueError(EVENTS)
        event = Event(**row)
        last |= {"seq": event.seq, "hash": event.hash}
        yield event


def _authentic(files: dict[str, bytes], expected: str | None) -> tuple[str, bool | None, list[BundleProblem]]:
    raw = raw_public(files[KEY])
    if raw is None:
        return "", False, [BundleProblem(KEY, say("there is no readable key inside"))]
    fingerprint = sshsig.fingerprint(raw)
    wrong = signature_problems(files, files[bag.TAGMANIFEST], raw, _workspace(files[MACHINE]))
    said = say("this file does not fit the tag manifest and the key")
    problems = [BundleProblem(name, said) for name in wrong]
    if expected is not None and expected.strip() != fingerprint:
        problems.append(
            BundleProblem(
                KEY,
                say(
                    "signed with {found}, but {expected} was expected",
                    found=fingerprint,
                    expected=expected.strip(),
                ),
            )
        )
    if problems:
        return fingerprint, False, problems
    return fingerprint, None if expected is None else True, []


def _workspace(machine: bytes) -> str:
    try:
        return str(json.loads(machine)["workspace"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
