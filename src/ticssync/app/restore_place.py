"""Where a restore goes, and how what was made beside it takes that place: in one step, over nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ticssync.app.places import for_this_account_only, read_mounts, wrong_place
from ticssync.app.workspace import Surroundings
from ticssync.errors import CorruptStoreError, Said, UsageError, say
from ticssync.store.locker import sync_folder


def check_place(around: Surroundings, folder: Path | None) -> None:
    """Whether the folder that a person named will do: told before anybody is asked for a passphrase.

    Raises UsageError or CorruptStoreError, as `restore` does.
    """
    target = named(around, folder)
    if target is not None:
        refuse_taken(around, target)


def named(around: Surroundings, folder: Path | None) -> Path | None:
    """The folder that the command line, --config or $TICSSYNC_CONFIG names; None where nothing does."""
    if folder is not None:
        return (around.folder / folder).resolve()
    if around.config is not None or around.environ.get("TICSSYNC_CONFIG"):
        return around.config_file.resolve().parent
    return None


def refuse_taken(around: Surroundings, target: Path) -> None:
    """Nothing is ever written over, and nothing of another workspace gets in between."""
    if target == around.folder.resolve():
        raise UsageError(
            say("the current folder cannot be replaced while somebody stands in it"),
            fix=say("go to the folder above and name it: ticssync restore FILE {name}", name=target.name),
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            say("{folder} is there already and not empty", folder=str(target)),
            fix=say("name a new folder, or move that one away: restore writes over nothing"),
        )
    refuse_wrong(target)


def refuse_wrong(target: Path) -> None:
    """What is opened here is not sealed any more: it lies on a disk of this machine, or nowhere."""
    reason = wrong_place(target, read_mounts())
    if reason is not None:
        raise CorruptStoreError(reason, fix=say("name a folder on this machine's own disk"))


def _prefix(target: Path) -> str:
    return f".{target.name}.restoring-"


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A folder for this account alone in which all is made; gone at the end unless it took its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    root = target.parent / (_prefix(target) + secrets.token_hex(4))
    root.mkdir(mode=0o700)
    try:
        yield root
    finally:
        if root.exists():
            shutil.rmtree(root, onerror=_even_read_only)


def _even_read_only(remove: Callable[[str], object], path: str, _info: object) -> None:
    # Windows deletes no read-only file, and the locker's are.
    Path(path).chmod(0o600)
    remove(path)


def left_behind(target: Path) -> Iterator[Said]:
    """What restores that were killed left beside the place."""
    for one in sorted(target.parent.iterdir()):
        if one.name.startswith(_prefix(target)):
            yield say("an earlier restore broke off and left {folder}: delete it", folder=str(one))


def take_place(root: Path, target: Path) -> None:
    """One rename.  Raises UsageError where it is not possible there."""
    for_this_account_only(root)
    if os.name != "posix" and target.exists():
        target.rmdir()
    try:
        root.rename(target)
    except OSError as error:
        raise UsageError(
            say(
                "{folder} could not take its place: {why}",
                folder=str(target),
                why=error.strerror or str(error),
            ),
            fix=say("name a new folder"),
        ) from error
    sync_folder(target.parent)
