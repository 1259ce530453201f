"""`restore FILE`: a workspace out of a backup, whole or not at all.

Everything is made and proven in a folder beside the place that it is for, which then takes that place in one step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticssync.app import backup_archive as archive
from ticssync.app.backup_archive import Archive, Entry
from ticssync.app.backup_contents import replace_setting
from ticssync.app.files import write_file
from ticssync.app.restore_place import beside, left_behind, named, refuse_taken, refuse_wrong, take_place
from ticssync.app.sealed import DamagedBackupError
from ticssync.app.workspace import Surroundings
from ticssync.config import Config, load_config
from ticssync.errors import CorruptStoreError, Said, TicssyncError, UsageError, say
from ticssync.host import load_host
from ticssync.model.canonical import canonical_json, instant_text, parse_instant
from ticssync.model.task import RemoteRef
from ticssync.store import By, Store, Transaction, dump
from ticssync.store.locker import sync_folder
from ticssync.store.store import Clock
from ticssync.store.working import add_intents
from ticssync.sync.hand_out import note_intent
from ticssync.text import Text

STORE_FILE: Final = "ticssync.db"
LOCKER: Final = "locker"
_REVISION: Final = re.compile(r"\d{4}")
_NEEDED: Final = frozenset({"event", "head", "meta"})
_ID: Final = re.compile(r"[a-z0-9]{10}")

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What `backup.json` says.  `store` and `locker` are paths below the folder, None where they lay elsewhere;
    `head` is number and hash of the last event; moments are UTC text."""

    workspace: str
    company: str
    folder: str
    configuration: str
    made_at: str
    version: str
    revision: str
    store: str | None
    locker: str | None
    head: tuple[int, str]
    last_event_at: str
    time_zone: str
    outside: Mapping[str, str]
    left_out: tuple[tuple[str, Mapping[str, str]], ...]

    @classmethod
    def of(cls, head: Mapping[str, Any]) -> Told:
        """Raises DamagedBackupError for a document that is not ours."""
        try:
            store = head["store"]
            told = cls(
                head["workspace"], head["company"], head["folder"], head["configuration"], head["made_at"], head["version"],
                store["revision"], store["path"], head["locker"], (store["head"]["seq"], store["head"]["hash"]),
                store["last_event_at"], head["time_zone"], head["outside"], tuple((one["what"], one["why"]) for one in head["left_out"]),
            )  # fmt: skip
            parse_instant(told.made_at)
            ZoneInfo(told.time_zone)
            names = [told.folder, told.configuration, *(one for one in (told.store, told.locker) if one)]
            sound = all(map(archive.safe, names)) and "/" not in told.folder
            if not (sound and _ID.fullmatch(told.workspace) and _REVISION.fullmatch(told.revision)):
                raise ValueError(told.workspace)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedBackupError(
                say("the inside of the backup does not hold together: {name}", name=archive.HEAD)
            ) from error
        return told


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back.  `event` is the number of `store.restored`; 0 where the backup was only checked."""

    told: Told
    folder: Path | None
    paths: Mapping[str, str]
    event: int
    age: timedelta
    files: int
    notes: tuple[Said, ...] = ()

    def plain(self, text: Text) -> dict[str, Any]:
        """The JSON of `restore`."""
        return {
            "paths": dict(self.paths), "workspace": self.told.workspace, "company": self.told.company,
            "made_at": self.told.made_at, "time_zone": self.told.time_zone, "age_s": int(self.age.total_seconds()), "files": self.files,
            "head": {"seq": self.told.head[0], "hash": self.told.head[1]}, "last_event_at": self.told.last_event_at,
            "event": self.event, "notes": [text.said(one) for one in self.notes],
            "left_out": [{"what": what, "why": why.get(text.lang, "")} for what, why in self.told.left_out],
        }  # fmt: skip


@dataclass
class Building:
    """The workspace in the making.  `root` is where it is made, `target` where it will stand."""

    told: Told
    root: Path
    target: Path
    store: Store
    server: str = ""
    seen: set[str] = field(default_factory=set)
    files: int = 0

    @property
    def store_path(self) -> str:
        """Below the folder."""
        return self.told.store or STORE_FILE

    @property
    def locker_path(self) -> str:
        """Below the folder."""
        return self.told.locker or LOCKER


def restore(
    around: Surroundings,
    file: Path,
    folder: Path | None,
    passphrase: str,
    *,
    check: bool = False,
    server: str = "",
    extra: tuple[object, ...] = (),
    watch: Watch = lambda _step: None,
) -> Restored:
    """Put the backup into `folder` (new or empty; default: under its own name in the current folder).

    `check` proves everything and puts nothing in place.  `server` is the address of an empty database that the store
    goes into (postgresql://…, without a password); else it is a file in the folder.  `extra` are plugins besides the
    installed ones.  `watch` is called with the name of each step (the fault tests).  Raises what `sealed` and `Archive`
    raise; UsageError for a place that is taken; CorruptStoreError for a log that does not hold together.
    """
    _refuse_server(server)
    with archive.opened((around.folder / file).resolve(), passphrase) as found:
        told = Told.of(found.head)
        target = named(around, folder) or around.folder.resolve() / told.folder
        if check:
            refuse_wrong(target)
        else:
            refuse_taken(around, target)
        watch("opened")
        with beside(target) as root:
            building = _build(around, found, told, root, target, watch)
            building.server = "" if check else server
            event, notes = _finish(around, building, extra, watch)
            if not check:
                take_place(root, target)
                watch("in place")
    age = around.clock() - parse_instant(told.made_at)
    if check:
        return Restored(told, None, {}, 0, age, building.files, notes)
    paths = {
        "folder": target,
        "configuration": target / told.configuration,
        "store": target / building.store_path,
        "locker": target / building.locker_path,
    }
    left = tuple(left_behind(target))
    shown = {name: str(path) for name, path in paths.items()} | ({"store": server} if server else {})
    return Restored(told, target, shown, event, age, building.files, (*notes, *left))


def _refuse_server(server: str) -> None:
    """What stands on a command line can be read by others."""
    if server and not server.startswith(("postgresql://", "postgresql+")):
        raise UsageError(
            say("--store names a database server: postgresql://…"),
            fix=say("without it, the store is a file in the folder"),
        )
    if dump.without_password(server) != server:
        raise UsageError(
            say("a password does not belong on the command line"),
            fix=say("set TICSSYNC_STORE_PASSWORD, or put it into store.password of the secrets folder"),
        )


# --- making it --------------------------------------------------------------------------------------------


def _build(
    around: Surroundings, found: Archive, told: Told, root: Path, target: Path, watch: Watch
) -> Building:
    file = root / (told.store or STORE_FILE)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = dump.make_at(_url(file), told.workspace, around.clock, told.revision)
    building = Building(told, root, target, store)
    try:
        watch("begun")
        for entry in found.entries():
            _take(building, entry)
            building.files += 1
        watch("proven")
        if missing := _NEEDED - building.seen:
            raise _odd(f"{archive.STORE}{min(missing)}.jsonl")
    except BaseException:
        store.close()
        raise
    (root / building.locker_path).mkdir(mode=0o700, parents=True, exist_ok=True)
    return building


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


def _take(building: Building, entry: Entry) -> None:
    name, root = entry.name, building.root
    try:
        if name.startswith(archive.FOLDER):
            entry.write_to(root / name.removeprefix(archive.FOLDER))
        elif name.startswith(archive.OUTSIDE):
            entry.write_to(root / name)
        elif name.startswith(archive.LOCKER):
            target = root / building.locker_path / name.removeprefix(archive.LOCKER)
            entry.write_to(target)
            target.chmod(0o400)
        elif name.startswith(archive.STORE):
            table = name.removeprefix(archive.STORE).removesuffix(".jsonl")
            dump.load(building.store, building.told.revision, table, entry.lines())
            building.seen.add(table)
    except (FileExistsError, NotADirectoryError) as error:
        raise _odd(name) from error


def _odd(name: str) -> DamagedBackupError:
    return DamagedBackupError(say("the inside of the backup does not hold together: {name}", name=name))


def _finish(
    around: Surroundings, building: Building, extra: tuple[object, ...], watch: Watch
) -> tuple[int, tuple[Said, ...]]:
    """Bring the store up to this version, prove its log, and mark that it comes out of a backup."""
    told, store = building.told, building.store
    try:
        dump.bring_up(store, told.revision)
        _prove(store, told.head)
        _settings(building)
        config, notes = _look_at_settings(around, building)
        kinds, missing = _with_notes(config, extra)
        with store.write() as tx:
            event = _mark(around, building, tx, kinds)
        watch("marked")
        if building.server:
            _to_server(around, building, config)
            watch("on the server")
    finally:
        store.close()
    copies = building.root.glob(f"{building.store_path}{'*' if building.server else '.before-*'}")
    for copy in copies:
        copy.unlink()
    _sync_all(building.root)
    watch("ready")
    return event, (*notes, *missing)


def _to_server(around: Surroundings, building: Building, config: Config | None) -> None:
    """The finished store goes into an empty database, whole or not at all; one that broke off here before left its
    empty tables there."""
    if config is None:
        raise UsageError(say("ticssync.yaml in the backup is not in order, so the server cannot be reached"))
    target = _made_on_server(config.store_url, building.told.workspace, around.clock)
    try:
        with building.store.write() as tx:
            # Before the copy, which is one transaction: there is no moment in which half of it stands there.
            tx.put_meta("place", canonical_json({"database": target.identity()}))
        dump.copy(building.store, target)
        with building.store.read() as tx:
            head = tx.head()
        _prove(target, head)
    finally:
        target.close()


def _made_on_server(url: str, workspace: str, clock: Clock) -> Store:
    """A new store, or this very workspace's where nothing stands in it yet.  Raises CorruptStoreError for any other."""
    try:
        return Store.create(url, workspace, clock)
    except CorruptStoreError as taken:
        try:
            store = Store.open(url, workspace, clock)
        except CorruptStoreError:
            raise taken from None
        try:
            with store.read() as tx:
                if dump.untouched(tx):
                    return store
        except BaseException:
            store.close()
            raise
        store.close()
        raise


def _prove(store: Store, expected: tuple[int, str]) -> None:
    with store.read() as tx:
        problems, head = dump.wrong_with_log(tx), tx.head()
    if problems:
        raise CorruptStoreError(
            say("the event log in the backup does not hold together: {what}", what=problems[0]),
            fix=say("take an older backup, and ask what happened"),
        )
    if head != expected:
        raise _odd(archive.HEAD)


def _mark(around: Surroundings, building: Building, tx: Transaction, kinds: Mapping[str, bool]) -> int:
    told = building.told
    dump.look_anew(tx)
    for key, tracker, remote_id, note in dump.waiting_notes(tx):
        # It may have been written since: it is looked for before it is written.  Where a plugin is missing so far nobody
        # knows yet whether the tracker has notes at all.
        if kinds.get(tracker, True):
            at = instant_text(around.clock())
            add_intents(tx, [note_intent(key, RemoteRef(tracker, remote_id), note, at)], 0)
    payload = {
        "made_at": told.made_at,
        "version": told.version,
        "revision": told.revision,
        "head": {"seq": told.head[0], "hash": told.head[1]},
    }
    event = tx.append("store.restored", told.workspace, By(around.actor), payload)
    place = {"machine": around.machine, "path": str(building.target / building.store_path)}
    tx.put_meta("place", canonical_json(place))
    return event.seq


def _settings(building: Building) -> None:
    """A store or locker that lay elsewhere comes into the folder, and the configuration follows."""
    told = building.told
    changes = {} if told.store else {"store": f"sqlite:///{STORE_FILE}"}
    changes |= {"store": building.server} if building.server else {}
    changes |= {} if told.locker else {"locker": LOCKER}
    file = building.root / told.configuration
    if not file.is_file():
        raise _odd(archive.FOLDER + told.configuration)
    if changes:
        write_file(file, replace_setting(file.read_bytes(), changes))


def _look_at_settings(around: Surroundings, building: Building) -> tuple[Config | None, tuple[Said, ...]]:
    """(the configuration, where it is in order, and what a person has to do).  Nothing here stops a restore."""
    told, notes = building.told, list[Said]()
    if told.store is None and not building.server:
        notes.append(say("the store lay outside of the folder; it is now {file} in it", file=STORE_FILE))
    if told.locker is None:
        notes.append(say("the locker lay outside of the folder; it is now {folder} in it", folder=LOCKER))
    notes += [
        say(
            "{origin} was named by ticssync.yaml; it lies in {file}: put it back there",
            origin=origin,
            file=name,
        )
        for name, origin in told.outside.items()
    ]
    config, problems = load_config(building.root / told.configuration, around.environ, around.secrets_folder)
    if config is None:
        first = problems[0].message if problems else ""
        notes.append(say("ticssync.yaml needs a look before the first command: {what}", what=first))
    return config, tuple(notes)


def _with_notes(config: Config | None, extra: tuple[object, ...]) -> tuple[dict[str, bool], tuple[Said, ...]]:
    """(tracker → whether it has a place for notes, which plugin is missing here)."""
    if config is None:
        return {}, ()
    try:
        host = load_host(config.values.plugins, extra=extra)
    except TicssyncError as error:
        return {}, (say("before the first command: {what}", what=error.message),)
    kinds = {one.name: host.trackers.get(one.kind) for one in config.trackers.values()}
    return {name: kind.caps.comments for name, kind in kinds.items() if kind is not None}, ()


def _sync_all(root: Path) -> None:
    """The names themselves survive a power cut too."""
    for folder in [root, *(one for one in root.rglob("*") if one.is_dir())]:
        sync_folder(folder)
