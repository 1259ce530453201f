"""`init`: a workspace from a few answers: configuration, store, keys, folders."""

from __future__ import annotations

import io
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ticssync.app.files import write_file
from ticssync.app.places import for_this_account_only, read_mounts, wrong_place
from ticssync.app.workspace import CONFIG_NAME, Surroundings
from ticssync.bundle.keys import make_key
from ticssync.config import load_config
from ticssync.errors import CorruptStoreError, Problem, UsageError, say
from ticssync.evidence.folders import make_folders
from ticssync.host import Host, load_host
from ticssync.plugin import TrackerKind
from ticssync.store import By, Store
from ticssync.text import Text
from ticssync.yamlfile import nearest

ALPHABET: Final = string.ascii_lowercase + string.digits
HEAD: Final = {
    "ja": "# ticssync の設定です。ticssync doctor で全体を確かめられます。\n"
    "# パスワードや鍵は書かず、環境変数か --secrets-dir のフォルダーに置いてください。\n",
    "en": "# The configuration of ticssync.  `ticssync doctor` checks all of it.\n"
    "# Keep passwords and keys out of here: put them into the environment or a --secrets-dir folder.\n",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told.  `sets`: PATH=VALUE pairs; `shared` is where colleagues work; `catalog` a pack's name."""

    folder: Path
    kind: str = "workbook"
    company: str = ""
    name: str = ""
    shared: Path | None = None
    sets: tuple[tuple[str, str], ...] = ()
    catalog: str = "tics-2024"
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, by name."""

    paths: dict[str, str] = field(default_factory=dict)
    workspace: str = ""
    fingerprint: str = ""

    def plain(self) -> dict[str, Any]:
        """The JSON of `init`."""
        return {"paths": self.paths, "workspace": self.workspace, "key_fingerprint": self.fingerprint}


def new_workspace_id() -> str:
    """Ten lower-case letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))


def init(around: Surroundings, answers: Answers, *, workspace: str = "") -> Made:
    """Make the workspace.  Nothing is left half-made where something is wrong: everything is checked first.

    Raises UsageError for an existing configuration or wrong answers, CorruptStoreError for a place where a
    store must not lie.
    """
    root = (around.folder / answers.folder).resolve()
    file = root / CONFIG_NAME
    if file.exists():
        raise UsageError(
            say("{file} is there already", file=str(file)), fix=say("ticssync doctor, or another folder")
        )
    reason = wrong_place(root, read_mounts())
    if reason is not None:
        raise CorruptStoreError(
            reason,
            fix=say(
                "choose a folder on this machine's own disk; colleagues work in the shared folder (--shared)"
            ),
        )
    host = load_host((), everything=True)
    plugin, kind = _plugin_for(host, answers.kind)
    ident = workspace or new_workspace_id()
    content = _document(root, answers, ident, plugin, kind, Text(around.lang).lang)
    root.mkdir(parents=True, exist_ok=True)
    _check(around, file, content)
    for_this_account_only(root)
    write_file(file, content)
    return _furnish(around, file)


def _plugin_for(host: Host, name: str) -> tuple[str, TrackerKind]:
    plugin = next((one.name for one in host.plugins if name in one.trackers), None)
    if plugin is None:
        near = nearest(name, sorted(host.trackers))
        fix = (
            say("did you mean {near}?", near=near)
            if near
            else say("installed kinds: {known}", known=", ".join(sorted(host.trackers)) or "-")
        )
        raise UsageError(say("no installed plugin knows the kind {kind}", kind=name), fix=fix)
    return plugin, host.trackers[name]


def _document(root: Path, answers: Answers, ident: str, plugin: str, kind: TrackerKind, lang: str) -> bytes:
    shared = answers.shared or Path("共有")
    tracker: dict[str, Any] = {"kind": kind.name}
    for question in kind.questions:
        if question.default and not question.secret:
            tracker[question.path] = _in_shared(question.path, question.default, shared)
    tracker["mapping"] = kind.starter_mappings[0] if kind.starter_mappings else kind.name
    tree: dict[str, Any] = {
        "version": 1,
        "workspace": {
            "id": ident,
            "name": answers.company or root.name,
            "shared": shared.as_posix(),
            "language": lang,
        },
        "catalogs": [answers.catalog],
        "profile": {
            "forms": ["paper", "object", "electronic", "portable_media"],
            "areas": True,
            "takeout": True,
            "remote_work": True,
            "external_systems": True,
            "third_parties": True,
            "classes": [],
        },
        "people": {},
        "roles": {},
        "certificates": {},
        "trackers": {answers.name or kind.name.replace("-", "_"): tracker},
        "notify": {"folder": {"path": "outbox"}},
        "calendar": {"time_zone": "Asia/Tokyo", "holidays": "jp"},
        "store": "sqlite:///ticssync.db",
        "plugins": sorted({plugin, *answers.plugins}),
    }
    for path, value in answers.sets:
        _set(tree, path, value)
    return _yaml({name: value for name, value in tree.items() if value not in ({}, [])})


def _in_shared(name: str, default: str, shared: Path) -> str:
    # Colleagues edit a workbook, so it lies in the shared folder and not beside the store.
    return (shared / default).as_posix() if name == "path" else default


def _set(tree: dict[str, Any], path: str, value: str) -> None:
    """`people.sato.name=佐藤`; a value with commas in brackets is a list: `roles.manager=[sato, abe]`."""
    from datetime import date

    *folders, last = path.split(".")
    here = tree
    for name in folders:
        here = here.setdefault(name, {})
        if not isinstance(here, dict):
            raise UsageError(say("--set {path}: {name} is a value, not a group", path=path, name=name))
    found: Any = value
    if value.startswith("[") and value.endswith("]"):
        found = [part.strip() for part in value[1:-1].split(",") if part.strip()]
    elif value in ("true", "false"):
        found = value == "true"
    else:
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = int(value) if value.isdigit() and last == "port" else value
    here[last] = found


def _yaml(tree: Mapping[str, Any]) -> bytes:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(dict(tree), stream)
    return stream.getvalue().encode("utf-8")


def _check(around: Surroundings, file: Path, content: bytes) -> None:
    """Wrong answers are found before anything is written under the real name."""
    draft = file.with_name(".ticssync.yaml.draft")
    try:
        draft.write_bytes(content)
        config, problems = load_config(draft, around.environ)
        if config is not None:
            problems = [*problems, *load_host(config.values.plugins).check(config)]
    finally:
        draft.unlink(missing_ok=True)
    if problems:
        raise UsageError(
            say("these answers make no working configuration"),
            problems=[_without_file(one) for one in problems],
        )


def _without_file(problem: Problem) -> Problem:
    return Problem(problem.message, place=problem.place, fix=problem.fix)


def _furnish(around: Surroundings, file: Path) -> Made:
    from ticssync.app.scope import current_scopes

    config, _ = load_config(file, around.environ)
    assert config is not None
    head = HEAD[Text(around.lang).lang].encode("utf-8")
    write_file(file, head + file.read_bytes())
    store = Store.create(config.store_url, config.workspace, around.clock)
    with store.write() as tx:
        tx.append("workspace.made", config.workspace, By(around.actor), {"company": config.company})
    store.close()
    key = make_key(config.path(config.values.keys))
    locker = config.path(config.values.locker)
    locker.mkdir(parents=True, exist_ok=True)
    for_this_account_only(locker)
    config.shared.mkdir(parents=True, exist_ok=True)
    scopes = current_scopes(config, around.clock().date())
    items = [item for scope in scopes.values() for item in scope["items"] if item["in_scope"]]
    drop = make_folders(config.shared, items, Text(around.lang))
    paths = {
        "configuration": file,
        "store": config.root / "ticssync.db",
        "keys": config.path(config.values.keys),
        "locker": locker,
        "shared": config.shared,
        "drop": drop,
    }
    return Made({name: str(path) for name, path in paths.items()}, config.workspace, key.fingerprint)


def parse_sets(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`PATH=VALUE` as given on the command line.  Raises UsageError for one without `=`."""
    wrong = [
        Problem(say("{pair} is not PATH=VALUE", pair=pair), place="--set")
        for pair in pairs
        if "=" not in pair
    ]
    if wrong:
        raise UsageError(say("--set wants PATH=VALUE"), problems=wrong)
    return tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs)
