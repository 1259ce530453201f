"""Which files of a workspace go into a backup, and which stay out and why.

Taken is what ticssync.yaml names and what ticssync itself keeps beside it; never the rest of the folder, so that
nothing gets in by accident.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ticssync.app.backup_archive import safe
from ticssync.app.created import FOLDER as CREATED
from ticssync.app.links import BYTE_ORDER_MARK
from ticssync.app.links import NAME as LINKS
from ticssync.app.scope import catalog_file
from ticssync.bundle.keys import PRIVATE
from ticssync.config import Config
from ticssync.config.load import SECRET_WORDS
from ticssync.config.secrets import FOLDER as SECRETS
from ticssync.errors import Said, UsageError, say
from ticssync.store.connection import store_file
from ticssync.store.dump import without_password
from ticssync.yamlfile import read_yaml

MAPPINGS: Final = "mappings"
TEXTS: Final = frozenset({".yaml", ".yml", ".md", ".txt", ".csv", ".json"})
LARGEST: Final = 32 << 20
BLANK: Final = b"***"
LONG_ENOUGH: Final = 8
"""A shorter secret is found at its own place alone: blanked everywhere it would tear holes into other words."""

_KEY_WORDS: Final = (b"PRIVATE KEY-----", b"AGE-SECRET-KEY-")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not in the backup."""

    what: str
    why: Said


@dataclass
class Contents:
    """`inside`: path below the management folder → bytes; `outside`: path as the file names it → bytes."""

    inside: dict[str, bytes] = field(default_factory=dict)
    outside: dict[str, bytes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


def contents(config: Config, secrets: Sequence[str]) -> Contents:
    """Read all files that go in.  `secrets` are values that must not be in any of them."""
    found = Contents()
    root = config.root
    configurations = set(_chain(config.file))
    for file in sorted({*configurations, *_named(config), *_kept_beside(config)}):
        raw = _read(found, file)
        if raw is None:
            continue
        if file in configurations:
            raw = _without_secrets(found, file, raw)
        raw = _blanked(found, file, raw, secrets)
        real = file.resolve()
        if real.is_relative_to(root):
            name = real.relative_to(root).as_posix()
            if not safe(name):
                found.left_out.append(LeftOut(name, say("not every system knows such a file name")))
                continue
            found.inside[name] = raw
        else:
            found.outside[str(file)] = raw
    _tell_left_out(found, config)
    return found


def _chain(file: Path) -> Iterator[Path]:
    """The configuration, and what it extends."""
    seen = list[Path]()
    while file not in seen:
        seen.append(file)
        yield file
        value = read_yaml(file).value
        base = value.get("extends") if isinstance(value, dict) else None
        if not isinstance(base, str):
            return
        file = (file.parent / base).resolve()


def _named(config: Config) -> Iterator[Path]:
    values = config.values
    for path in (values.overlay, values.calendar.company_holidays):
        if path is not None:
            yield config.path(path)
    for name in values.catalogs:
        if "/" in name or name.endswith((".yaml", ".yml")):
            yield catalog_file(config, name)
    for part in config.trackers.values():
        if "/" in part.mapping or "\\" in part.mapping or part.mapping.endswith((".yaml", ".yml")):
            yield config.root / part.mapping


def _kept_beside(config: Config) -> Iterator[Path]:
    root = config.root
    yield from root.glob(LINKS)
    yield from root.glob("links-*.yaml")
    for folder in (root / MAPPINGS, root / CREATED):
        yield from (one for one in folder.rglob("*") if one.is_file() and one.suffix.lower() in TEXTS)
    keys = config.path(config.values.keys)
    if keys.is_relative_to(root):
        yield from keys.glob("*.pub*")


def _read(found: Contents, file: Path) -> bytes | None:
    try:
        if file.stat().st_size > LARGEST:
            found.left_out.append(LeftOut(str(file), say("it is too large for a file of settings")))
            return None
        raw = file.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        found.left_out.append(LeftOut(str(file), say("it cannot be read: {why}", why=why)))
        return None
    if any(word in raw for word in _KEY_WORDS):
        found.left_out.append(LeftOut(str(file), say("it holds a private key")))
        return None
    return raw


# --- secrets that stand in the files ----------------------------------------------------------------------


def _without_secrets(found: Contents, file: Path, raw: bytes) -> bytes:
    """The configuration without the secrets that somebody wrote into it; as it is where there are none."""
    yaml = round_trip()
    tree = yaml.load(raw.removeprefix(BYTE_ORDER_MARK).decode("utf-8"))
    gone = list(_take_out(tree)) if isinstance(tree, dict) else []
    if not gone:
        return raw
    for name in gone:
        what = f"{file.name}: {name}"
        found.left_out.append(LeftOut(what, say("a secret; give it again after a restore")))
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue().encode("utf-8")


def _take_out(tree: dict[str, Any]) -> Iterator[str]:
    for part in ("trackers", "notify"):
        entries = tree.get(part)
        for name, settings in entries.items() if isinstance(entries, dict) else ():
            if isinstance(settings, dict):
                yield from _secrets_of(settings, f"{part}.{name}")
    url = tree.get("store")
    if isinstance(url, str) and (bare := without_password(url)) != url:
        tree["store"] = bare
        yield "store"


def _secrets_of(settings: dict[Any, Any], path: str) -> Iterator[str]:
    for key in list(settings):
        value = settings[key]
        if isinstance(value, dict):
            yield from _secrets_of(value, f"{path}.{key}")
        elif value not in (None, "") and any(word in str(key).lower() for word in SECRET_WORDS):
            del settings[key]
            yield f"{path}.{key}"


def _blanked(found: Contents, file: Path, raw: bytes, secrets: Iterable[str]) -> bytes:
    """A secret that stands in a comment or where nobody looks for it."""
    for secret in secrets:
        value = secret.encode("utf-8", "replace")
        if len(secret) >= LONG_ENOUGH and value in raw:
            raw = raw.replace(value, BLANK)
            found.left_out.append(LeftOut(file.name, say("a secret stood in its text; it was blanked")))
    return raw


def round_trip() -> Any:
    """A YAML that keeps comments, order and quotes."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


# --- what stays out ---------------------------------------------------------------------------------------


def _tell_left_out(found: Contents, config: Config) -> None:
    root, keys = config.root, config.path(config.values.keys)
    told = found.left_out
    secrets = root / SECRETS
    if secrets.is_dir():
        told += [
            LeftOut(f"{SECRETS}/{one.name}", say("a secret; give it again after a restore"))
            for one in sorted(secrets.iterdir())
        ]
    private = keys / PRIVATE
    if private.exists():
        name = private.relative_to(root).as_posix() if private.is_relative_to(root) else str(private)
        why = say("the private key; keep a copy of it apart from this file, under lock")
        told.append(LeftOut(name, why))
    told.append(LeftOut(str(config.shared), say("the shared folder; it is backed up where it lies")))
    known = {secrets, keys, config.shared, config.path(config.values.locker), root / MAPPINGS, root / CREATED}
    store = store_file(config.store_url)
    if store is not None:
        known |= {store, *(store.with_name(store.name + end) for end in ("-wal", "-shm"))}
    for one in sorted(root.iterdir()):
        inside = any(path.is_relative_to(one) for path in known)
        if one.name not in found.inside and not inside and not one.name.startswith("."):
            told.append(LeftOut(one.name, say("ticssync.yaml does not name it, or it can be made again")))


def replace_setting(raw: bytes, changes: dict[str, str]) -> bytes:
    """The configuration with other values at its top level; comments stay.

    Raises UsageError for a file that is no mapping.
    """
    yaml = round_trip()
    tree = yaml.load(raw.removeprefix(BYTE_ORDER_MARK).decode("utf-8"))
    if not isinstance(tree, dict):
        raise UsageError(say("the configuration in the backup is no YAML mapping"))
    tree.update(changes)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue().encode("utf-8")
