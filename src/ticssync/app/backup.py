"""`backup FILE`: store, evidence, configuration and links in one encrypted file."""

from __future__ import annotations

import os
import platform
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from ticssync import __version__, log
from ticssync.app import backup_archive as archive
from ticssync.app.backup_contents import Contents, LeftOut, contents
from ticssync.app.passphrase import check_strength
from ticssync.app.restore import Told
from ticssync.app.sealed import WORK_FACTOR, SealedWriter
from ticssync.app.workspace import Surroundings
from ticssync.config import Config
from ticssync.errors import CorruptStoreError, Said, UsageError, say
from ticssync.host import secret_values
from ticssync.model.canonical import canonical_json, instant_text
from ticssync.store import Store, dump
from ticssync.store.connection import store_file
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker, hash_of, sync_folder
from ticssync.text import Text

README_WORDS: Final = """\
ticssync のバックアップです。開き方と確かめ方（ticssync がなくてもできます）:
    age -d ファイル.age > backup.tar        （パスフレーズを尋ねられます。age: https://age-encryption.org）
    tar -xf backup.tar
    sha256sum -c manifest-sha256.txt
元に戻すには: ticssync restore ファイル.age

A backup made by ticssync.  To open and check it without ticssync:
    age -d FILE.age > backup.tar            (it asks for the passphrase)
    tar -xf backup.tar
    sha256sum -c manifest-sha256.txt
To put it back: ticssync restore FILE.age
"""


@dataclass(frozen=True, slots=True)
class Backed:
    """A backup that was written and read back.  `head`: number and hash of the last event in it."""

    file: Path
    sha256: str
    size: int
    files: int
    made_at: str
    workspace: str
    head: tuple[int, str]
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[Said, ...] = ()

    def plain(self, text: Text) -> dict[str, Any]:
        """The JSON of `backup`."""
        return {
            "paths": {"backup": str(self.file)}, "sha256": self.sha256, "bytes": self.size, "files": self.files,
            "made_at": self.made_at, "workspace": self.workspace, "head": {"seq": self.head[0], "hash": self.head[1]},
            "left_out": [{"what": one.what, "why": text.said(one.why)} for one in self.left_out],
            "problems": [text.said(one) for one in self.problems],
        }  # fmt: skip


@dataclass
class Snapshot:
    """The store as it was at one moment, as lines in files without a name."""

    revision: str
    head: tuple[int, str]
    last_event_at: str
    tables: dict[str, IO[bytes]] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    problems: list[Said] = field(default_factory=list)


def target_of(around: Surroundings, config: Config, file: Path) -> Path:
    """Where the backup goes.  Raises UsageError for a place where it must not, before anything is asked or done."""
    target = (around.folder / file).resolve()
    if target.exists():
        raise UsageError(
            say("{file} is there already, and is not written over", file=str(target)),
            fix=say("name another file"),
        )
    if not target.parent.is_dir():
        raise UsageError(
            say("{file} does not exist", file=str(target.parent)), fix=say("make the folder first")
        )
    if target.is_relative_to(config.shared.resolve()):
        raise UsageError(
            say("{file} lies in the shared folder, where everybody could take it away", file=str(target)),
            fix=say("write it to a disk of your own, then keep it apart from this machine"),
        )
    return target


def backup(
    around: Surroundings,
    config: Config,
    file: Path,
    passphrase: str,
    *,
    work: int = WORK_FACTOR,
    watch: Callable[[str], None] = lambda _step: None,
) -> Backed:
    """Write the backup, read it back, and only then give it its name.

    `work` is scrypt's; `watch` is called with the name of each step (the fault tests).  Raises UsageError for a place
    or passphrase that will not do, CorruptStoreError where the store cannot be read or the file does not read back.
    """
    target = target_of(around, config, file)
    check_strength(passphrase)
    hidden = (*secret_values(config), passphrase)
    log.set_up(secrets=hidden, verbose=around.verbose)
    found = contents(config, hidden)
    with ExitStack() as stack:
        store = Store.open(config.store_url, config.workspace, around.clock)
        stack.callback(store.close)
        snapshot = _snapshot(store, config.root, stack)
        head = _head(around, config, snapshot, found)
        locker = Locker(config.path(config.values.locker))
        part = stack.enter_context(_part_of(target))
        watch("begun")
        with part.open("wb") as sink:
            files = _write(sink, passphrase, work, head, found, snapshot, locker, around.clock().timestamp())
            sink.flush()
            os.fsync(sink.fileno())
        watch("written")
        _read_back(part, passphrase, head)
        with part.open("rb") as stream:
            whole = hash_of(stream)
        watch("proven")
        _give_name(part, target)
        watch("named")
    return Backed(
        target, whole.sha256, whole.size, files, head["made_at"], config.workspace, snapshot.head,
        tuple(found.left_out), tuple(snapshot.problems),
    )  # fmt: skip


# --- the store at one moment ------------------------------------------------------------------------------


def _snapshot(store: Store, folder: Path, stack: ExitStack) -> Snapshot:
    # The spools lie beside the store, and not where the backup goes: what is in them is not sealed yet.
    with store.read() as tx:
        events = tx.events(since=tx.head()[0] - 1)
        found = Snapshot(dump.revision(tx), tx.head(), events[-1].at if events else "")
        for name in dump.tables():
            spool = stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - as it says
            spool.writelines(line.encode("utf-8") + b"\n" for line in dump.rows(tx, name))
            found.tables[name] = spool
        found.problems += _wrong(dump.wrong_with_log(tx))
        held = [one for one in evidence_of(tx) if one.keep_mode == "copy" and one.readable and one.sha256]
        found.wanted = frozenset(one.sha256 for one in held if not one.withdrawn)
    return found


def _wrong(problems: tuple[Said, ...]) -> Iterator[Said]:
    if problems:
        yield say(
            "the event log does not hold together ({what}): this backup keeps it as it is, and ticssync restore will "
            "refuse it",
            what=problems[0],
        )


def _head(around: Surroundings, config: Config, snapshot: Snapshot, found: Contents) -> dict[str, Any]:
    """`backup.json`."""
    root, store = config.root, store_file(config.store_url)
    return {
        "format": archive.FORMAT,
        "product": "ticssync",
        "version": __version__,
        "made_at": instant_text(around.clock()),
        "made_by": around.actor,
        "system": platform.system(),
        "workspace": config.workspace,
        "company": config.company,
        "time_zone": config.values.calendar.time_zone,
        "folder": root.name if archive.safe(root.name) else "ticssync",
        "configuration": config.file.resolve().relative_to(root).as_posix(),
        "store": {
            "revision": snapshot.revision,
            "path": _below(store, root),
            "url": dump.without_password(config.values.store),
            "head": {"seq": snapshot.head[0], "hash": snapshot.head[1]},
            "last_event_at": snapshot.last_event_at,
        },
        "locker": _below(config.path(config.values.locker), root),
        "outside": {f"{archive.OUTSIDE}{n}-{Path(name).name}": name for n, name in _numbered(found.outside)},
        "left_out": [
            {"what": one.what, "why": {lang: Text(lang).said(one.why) for lang in ("ja", "en")}}
            for one in found.left_out
        ],
    }


def _below(path: Path | None, root: Path) -> str | None:
    """The path below the folder, None where it lies elsewhere (or is no file)."""
    if path is None or not path.resolve().is_relative_to(root):
        return None
    return path.resolve().relative_to(root).as_posix()


def _numbered(outside: Mapping[str, bytes]) -> Iterator[tuple[int, str]]:
    return enumerate(sorted(outside), 1)


# --- writing ----------------------------------------------------------------------------------------------


def _write(
    sink: BinaryIO, passphrase: str, work: int, head: Mapping[str, Any], found: Contents, snapshot: Snapshot,
    locker: Locker, at: float,
) -> int:  # fmt: skip
    with SealedWriter(sink, passphrase, work=work) as sealed:
        tar = archive.ArchiveWriter(sealed, at)
        tar.put(archive.HEAD, (canonical_json(head) + "\n").encode("utf-8"))
        tar.put(archive.README, README_WORDS.encode("utf-8"))
        for name, raw in sorted(found.inside.items()):
            tar.put(archive.FOLDER + name, raw)
        for name, origin in head["outside"].items():
            tar.put(name, found.outside[origin])
        for name, spool in snapshot.tables.items():
            size = spool.tell()
            spool.seek(0)
            tar.stream(f"{archive.STORE}{name}.jsonl", spool, size)
        _evidence(tar, locker, snapshot)
        tar.close()
        return len(tar.sums)


def _evidence(tar: archive.ArchiveWriter, locker: Locker, snapshot: Snapshot) -> None:
    """Every file of the locker.  One that is damaged goes in as it is: it is told, and better than none."""
    missing = set(snapshot.wanted)
    for file in sorted(locker.folder.glob("??/*")) if locker.folder.is_dir() else ():
        named = file.parent.name + file.name
        if not file.is_file() or not archive.safe(f"{archive.LOCKER}{file.parent.name}/{file.name}"):
            continue
        with file.open("rb") as stream:
            sha = tar.stream(f"{archive.LOCKER}{file.parent.name}/{file.name}", stream, file.stat().st_size)
        if len(named) == 64 and sha != named:
            snapshot.problems.append(
                say("the evidence {sha} in the locker is damaged; it went in as it is", sha=named[:12])
            )
        missing.discard(named)
    snapshot.problems += [
        say("the locker does not hold the evidence {sha} that the store names", sha=one[:12])
        for one in sorted(missing)
    ]


@contextmanager
def _part_of(target: Path) -> Iterator[Path]:
    """A file beside the target for this account alone; gone at the end, whatever happens."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _read_back(part: Path, passphrase: str, head: Mapping[str, Any]) -> None:
    """What was written opens to its end and is what was to be written: a backup that nobody ever read is a hope."""
    with archive.opened(part, passphrase) as found:
        told, names = Told.of(found.head), {one.name for one in found.entries()}
    if found.head != head or archive.FOLDER + told.configuration not in names:
        raise CorruptStoreError(
            say("the backup does not read back as it was written"), fix=say("write it to another disk")
        )


def _give_name(part: Path, target: Path) -> None:
    """Put it into place, and never over a file that came there meanwhile."""
    try:
        with suppress(PermissionError, NotImplementedError):
            os.link(part, target)
            sync_folder(target.parent)
            return
    except FileExistsError:
        raise UsageError(
            say("{file} is there already, and is not written over", file=str(target)),
            fix=say("name another file"),
        ) from None
    except OSError:
        # A memory stick knows no second name for a file.
        pass
    if target.exists():
        raise UsageError(
            say("{file} is there already, and is not written over", file=str(target)),
            fix=say("name another file"),
        )
    part.rename(target)
    sync_folder(target.parent)
