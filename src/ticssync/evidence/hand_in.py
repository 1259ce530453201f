"""Taking evidence in: what lies at rest in the drop folders, and single files or records by command.

Order of `take`: bytes into the locker, facts into the store, file to 受付済.  After a crash at any point the
file still lies where it was or where it belongs, and taking it again adds nothing twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from pathlib import Path
from typing import Any, BinaryIO, Final

from ticssync.errors import Problem, RetryLaterError, Said, UsageError, say
from ticssync.evidence.flags import HEAD, ending, flags
from ticssync.evidence.rules import kind_said, last_good_day
from ticssync.evidence.scan import Candidate, Look, Scan, instant, refusal, scan
from ticssync.model.criterion import KeepMode
from ticssync.model.evidence import Evidence
from ticssync.store import By, Store, Transaction
from ticssync.store.evidence import add_evidence, evidence_of, next_evidence_id
from ticssync.store.locker import Kept, Locker, hash_of
from ticssync.text import Text

__all__ = [
    "Candidate", "Intake", "Look", "Scan", "Taken", "add_file", "held_already", "kind_of", "scan", "take",
]  # fmt: skip

Scopes = Mapping[str, Mapping[str, Any]]
UNMOVED: Final = "hand_in:unmoved"
"""Where the store remembers what was taken and could not be moved: hash → the file's own time (ISO, UTC)."""
_WITHOUT_FILE: Final = (KeepMode.PAPER.value, KeepMode.ON_SITE.value)
_PICTURES: Final = frozenset(["jpg", "jpeg", "png", "heic", "heif", "tif", "tiff", "bmp", "gif", "webp"])
_TABLES: Final = frozenset(["xlsx", "xlsm", "xls", "csv", "tsv", "ods"])
_RECORDS: Final = frozenset(["eml", "msg", "txt", "log"])


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file.

    `ids` are the pieces that are new (none where all were held already), `moved_to` is where the file lies
    now; None: it could not be moved and will be met again, which adds nothing.
    """

    ids: tuple[str, ...]
    sha256: str
    moved_to: Path | None


@dataclass(frozen=True, slots=True)
class _Item:
    """One item that the file serves: `tics/T-14` and its part of the scope payload."""

    ref: str
    data: Mapping[str, Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.data["evidence"]["kinds"])

    def last_good_day(self, dated_on: date) -> date | None:
        return last_good_day(dated_on, self.data["evidence"]["valid_months"])


@dataclass(frozen=True, slots=True)
class _Handed:
    """What is the same for every item that one file or record serves; None: as the item says."""

    name: str
    mode: str
    kept: Kept
    dated_on: date
    handed_in_by: str
    channel: str
    valid_until: date | None = None
    evidence_class: str | None = None

    def piece(self, item: _Item, kind: str, note: str) -> Evidence:
        own_class = item.data["evidence_class"]
        return Evidence(
            id="",
            criterion=item.ref,
            cycle="",
            name=self.name,
            kind=kind,
            keep_mode=self.mode,
            evidence_class=own_class if self.evidence_class is None else self.evidence_class,
            sha256=self.kept.sha256,
            size=self.kept.size,
            dated_on=self.dated_on,
            valid_until=self.valid_until or item.last_good_day(self.dated_on),
            handed_in_by=self.handed_in_by,
            channel=self.channel,
            note=note,
        )


def take(
    candidate: Candidate,
    *,
    store: Store,
    locker: Locker,
    scopes: Scopes,
    by: By,
    received: Path,
    zone: tzinfo,
    handed_in_by: str,
    today: date,
    lang: str = "ja",
) -> Taken:
    """Take one file that `scan` found ready.  `zone` and `today` are the company's.

    It is dated by its own time (never later than today).  The strictest of its items decides how it is kept:
    the same bytes are not held back for one item and given out for another.  The kind follows the name where
    the item's rule knows that kind, else it is the first one of the rule (the member put it there on purpose)
    and the note says so, in `lang`.

    Bytes that stand already are not added again.  Withdrawn ones are, for whoever hands a file in once more
    wants it back; but not where the file never left, because it was open in a program when it was taken.

    Raises RetryLaterError where the file changed meanwhile, UsageError for an item that no scope has,
    CorruptStoreError where locker or store cannot be written, OSError where the file cannot be read.
    """
    items = _items(scopes, candidate.item_ids)
    mode = _keep_mode(items)
    with candidate.path.open("rb") as stream:
        kept = _keep(stream, mode, locker)
        if not _unchanged(candidate, os.fstat(stream.fileno())):
            raise RetryLaterError(say("{file} changed while it was being read", file=candidate.relative))
    dated_on = min(candidate.mtime.astimezone(zone).date(), today)
    handed = _Handed(candidate.path.name, mode, kept, dated_on, handed_in_by, by.channel)
    pieces = [handed.piece(item, *_kind(handed.name, item.kinds, lang)) for item in items]
    with store.write() as tx:
        never_left = _unmoved(tx).get(kept.sha256) == _time(candidate)
        added = [_add_new(tx, piece, by, today, never_left=never_left) for piece in pieces]
    ids = tuple(identity for identity in added if identity)
    moved = _move(candidate, received / f"{today:%Y-%m}")
    _remember(store, kept.sha256, None if moved else _time(candidate))
    return Taken(ids, kept.sha256, moved)


def add_file(
    path: Path | None,
    *,
    items: Sequence[str],
    kind: str,
    dated_on: date,
    valid_until: date | None,
    keep_mode: str | None,
    evidence_class: str | None,
    note: str,
    store: Store,
    locker: Locker,
    scopes: Scopes,
    by: By,
    handed_in_by: str,
) -> tuple[str, ...]:
    """Add one file for several items, or a record of paper or on-site proof (`path` None).

    `items` are ids or `tics/T-14`.  `valid_until` None: as the item's rule says; `keep_mode` and
    `evidence_class` None: the item's own; `kind` empty: by the name.  The file stays where it is.  Returns
    the ids, in order; what stands already with the same bytes, item, day and period is not added again.
    Raises UsageError with all problems, CorruptStoreError where locker or store cannot be written.
    """
    found = _items(scopes, items)
    mode = keep_mode or _keep_mode(found)
    _check(path, mode, note, dated_on, valid_until)
    kept, name = Kept("", 0), (note.strip().splitlines() or [""])[0][:80]
    if path is not None:
        name = path.name
        with path.open("rb") as stream:
            kept = _keep(stream, mode, locker)
    handed = _Handed(name, mode, kept, dated_on, handed_in_by, by.channel, valid_until, evidence_class)
    pieces = [handed.piece(item, kind or _kind(name, item.kinds, "ja")[0], note) for item in found]
    with store.write() as tx:
        return tuple([_standing(tx, piece) or _add(tx, piece, by) for piece in pieces])


def kind_of(name: str) -> str:
    """The kind of evidence that a file's name suggests: photo, register, record, else document."""
    last = ending(name)
    for kind, endings in (("photo", _PICTURES), ("register", _TABLES), ("record", _RECORDS)):
        if last in endings:
            return kind
    return "document"


@dataclass(frozen=True, slots=True)
class Intake:
    """How one item takes in what comes for it alone: by its own keep-mode, class, kinds and period."""

    criterion: str
    data: Mapping[str, Any]

    @property
    def mode(self) -> str:
        """`copy` or `hash_only`: a file that is there, of an item that is proven on paper, is hashed."""
        return _keep_mode([_Item(self.criterion, self.data)])

    def keep(self, stream: BinaryIO, locker: Locker) -> Kept:
        """Read the bytes to their end: into the locker, or only their hash, as the item's rule says."""
        return _keep(stream, self.mode, locker)

    def piece(
        self, name: str, kept: Kept, *, dated_on: date, handed_in_by: str, channel: str, lang: str, note: str = "",
        kind: str = "", source: str = "",
    ) -> Evidence:  # fmt: skip
        """The evidence of these bytes, without an id yet.  `kind` empty: by the name, as for the drop folders."""
        item = _Item(self.criterion, self.data)
        found, why = (kind, "") if kind else _kind(name, item.kinds, lang)
        handed = _Handed(name, self.mode, kept, dated_on, handed_in_by, channel)
        return replace(handed.piece(item, found, "\n".join(filter(None, (note, why)))), source=source)


def _kind(name: str, kinds: Sequence[str], lang: str) -> tuple[str, str]:
    guess = kind_of(name)
    if not kinds or guess in kinds:
        return guess, ""
    # A picture may as well be of a screen.
    chosen = "screenshot" if guess == "photo" and "screenshot" in kinds else kinds[0]
    note = say(
        "the kind follows the item: {kind} (its name suggests: {guess})",
        kind=kind_said(chosen),
        guess=kind_said(guess),
    )
    return chosen, Text(lang).said(note)


def _items(scopes: Scopes, names: Sequence[str]) -> list[_Item]:
    """The items of these names, of every scheme that has them.  Raises UsageError with all unknown ones."""
    known = [
        _Item(f"{scheme}/{item['id']}", item)
        for scheme, scope in sorted(scopes.items())
        for item in scope["items"]
    ]
    found: dict[str, _Item] = {}
    problems = []
    for name in names:
        matching = [item for item in known if name in (item.ref, item.data["id"])]
        found |= {item.ref: item for item in matching}
        if not matching:
            problems.append(Problem(say("no scheme has an item {item}", item=name)))
    if problems or not found:
        raise UsageError(say("the items are not known"), fix=say("ticssync catalog list"), problems=problems)
    return list(found.values())


def _keep_mode(items: Sequence[_Item]) -> str:
    """Bytes are kept only where every item wants a copy: a file that is there, of paper, is hashed."""
    copies = all(item.data["keep_mode"] == KeepMode.COPY.value for item in items)
    return (KeepMode.COPY if copies else KeepMode.HASH_ONLY).value


def _keep(stream: BinaryIO, mode: str, locker: Locker) -> Kept:
    return locker.put(stream) if mode == KeepMode.COPY.value else hash_of(stream)


def _add_new(tx: Transaction, piece: Evidence, by: By, today: date, *, never_left: bool) -> str:
    """Add it unless the same bytes stand for the same item: its id, or empty."""
    return "" if held_already(tx, piece, today, never_left=never_left) else _add(tx, piece, by)


def held_already(tx: Transaction, piece: Evidence, today: date, *, never_left: bool = False) -> str:
    """The id of the piece with the same bytes that stands for the same item and lasts as long; empty: none.

    Withdrawn ones count only where the file `never_left` the place that it was taken from.
    """
    same = (
        one
        for one in evidence_of(tx, piece.criterion)
        if one.sha256 == piece.sha256 and (never_left or not one.withdrawn)
    )
    return next((one.id for one in same if _lasts(one, piece, today)), "")


def _lasts(held: Evidence, new: Evidence, today: date) -> bool:
    # Handed in again after its period has ended, an unchanged file is new proof; after a crash it is not.
    if held.valid_until is None or held.valid_until >= today:
        return True
    return new.valid_until is not None and held.valid_until >= new.valid_until


def _standing(tx: Transaction, piece: Evidence) -> str:
    if not piece.sha256:
        return ""
    wanted = (piece.sha256, piece.dated_on, piece.valid_until)
    for one in evidence_of(tx, piece.criterion):
        if (one.sha256, one.dated_on, one.valid_until) == wanted and not one.withdrawn:
            return one.id
    return ""


def _add(tx: Transaction, piece: Evidence, by: By) -> str:
    identity = next_evidence_id(tx)
    add_evidence(tx, replace(piece, id=identity), by)
    return identity


def _check(path: Path | None, mode: str, note: str, dated_on: date, valid_until: date | None) -> None:
    problems = []
    if mode not in {known.value for known in KeepMode}:
        problems.append(Problem(say("{mode} is no way to keep evidence", mode=mode)))
    if path is None and mode not in _WITHOUT_FILE:
        problems.append(Problem(say("without a file, evidence is on paper or shown on site")))
    if path is None and not note.strip():
        problems.append(Problem(say("say what it is, where it is kept and who saw it")))
    if valid_until is not None and valid_until < dated_on:
        problems.append(
            Problem(
                say(
                    "its last good day {until} lies before its date {on}",
                    until=valid_until.isoformat(),
                    on=dated_on.isoformat(),
                )
            )
        )
    if path is not None:
        problems += [Problem(why, file=str(path)) for why in _wrong_file(path)]
    if problems:
        raise UsageError(say("the evidence cannot be added"), problems=problems)


def _wrong_file(path: Path) -> list[Said]:
    try:
        with path.open("rb") as stream:
            why = refusal(flags(path.name, stream.read(HEAD)))
    except OSError as error:
        return [say("it cannot be read: {why}", why=error.strerror or str(error))]
    return [why] if why else []


def _move(candidate: Candidate, folder: Path) -> Path | None:
    """Put the file where the received ones lie.

    None where it cannot be moved (open in Excel on Windows) or is another one by now: then the next look
    meets it again.
    """
    try:
        if not _unchanged(candidate, candidate.path.lstat()):
            return None
        folder.mkdir(parents=True, exist_ok=True)
        target = _reserved(folder, candidate.path.name)
    except OSError:
        return None
    try:
        return candidate.path.replace(target)
    except OSError:
        _give_back(target)
        return None


def _give_back(target: Path) -> None:
    # Only while it is empty: a share may report a failure of a move that it has carried out.
    with contextlib.suppress(OSError):
        if not target.stat().st_size:
            target.unlink()


def _time(candidate: Candidate) -> str:
    return candidate.mtime.isoformat()


def _unmoved(tx: Transaction) -> dict[str, str]:
    return dict(json.loads(tx.meta(UNMOVED) or "{}"))


def _remember(store: Store, sha256: str, time: str | None) -> None:
    """Note that the file with these bytes and this time is still where it was; None: it is no longer."""
    with store.read() as tx:
        known = _unmoved(tx).get(sha256)
    if known == time:
        return
    with store.write() as tx:
        left = {key: value for key, value in _unmoved(tx).items() if key != sha256}
        left |= {sha256: time} if time else {}
        tx.put_meta(UNMOVED, json.dumps(left, sort_keys=True) if left else None)


def _unchanged(candidate: Candidate, status: os.stat_result) -> bool:
    return (status.st_size, instant(status.st_mtime_ns)) == (candidate.size, candidate.mtime)


def _reserved(folder: Path, name: str) -> Path:
    """A free name there, taken by an empty file: two processes that move files of one name must not meet."""
    target, number = folder / name, 1
    while True:
        try:
            target.open("xb").close()
        except FileExistsError:
            number += 1
            target = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        else:
            return target
