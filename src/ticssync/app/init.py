"""`init`: a workspace from a few answers: configuration, mapping, store, keys, folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ticssync.app.files import write_file
from ticssync.app.init_answers import Answers, Explored, Start, parse_sets
from ticssync.app.init_explore import explore, new_workspace_id
from ticssync.app.init_file import HEAD, document, draft, with_secrets
from ticssync.app.places import for_this_account_only, read_mounts, wrong_place
from ticssync.app.workspace import CONFIG_NAME, Surroundings
from ticssync.bundle.keys import make_key
from ticssync.config import Config, load_config
from ticssync.errors import CorruptStoreError, UsageError, say
from ticssync.evidence.folders import make_folders
from ticssync.host import Host, load_host
from ticssync.mapping import find_mapping, load_mapping
from ticssync.plugin import TrackerKind
from ticssync.store import By, Store
from ticssync.store.connection import store_file
from ticssync.text import Text
from ticssync.yamlfile import nearest


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, by name."""

    paths: dict[str, str] = field(default_factory=dict)
    workspace: str = ""
    fingerprint: str = ""
    tracker: str = ""
    explored: Explored | None = None

    def plain(self, text: Text) -> dict[str, Any]:
        """The JSON of `init`; `tracker` is there where one was asked."""
        found = {"paths": self.paths, "workspace": self.workspace, "key_fingerprint": self.fingerprint}
        if self.explored is None:
            return found
        proposal = self.explored.proposal
        parts = {
            "name": self.tracker,
            "kind": proposal.kind,
            "fields": [one.plain() for one in proposal.fields],
            "statuses": [one.plain() for one in proposal.statuses],
            "people": len(self.explored.members),
            "notes": [text.said(note) for note in self.explored.notes],
        }
        return {**found, "tracker": parts}


def begin(around: Surroundings, answers: Answers) -> Start:
    """Whether a workspace may be made there, of this kind.  Nothing is made.

    Raises UsageError for an existing configuration or an unknown kind, CorruptStoreError for a place where a store
    must not lie.
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
    plugin, kind = _plugin_for(load_host((), everything=True), answers.kind)
    start = Start(root, file, plugin, kind, answers.name or kind.name.replace("-", "_"))
    _no_secrets(start, answers)
    return start


def _no_secrets(start: Start, answers: Answers) -> None:
    """What stands on a command line can be read by others, and what stands in ticssync.yaml is copied with it."""
    for question in start.kind.questions:
        if question.secret and answers.told(f"trackers.{start.tracker}.{question.path}"):
            raise UsageError(
                say("{setting} is a secret and does not belong into ticssync.yaml", setting=question.path),
                fix=say(
                    "set {variable}, or put it into {file}",
                    variable=start.variable(question.path),
                    file=str(start.secret_file(question.path)),
                ),
            )


def init(
    around: Surroundings, answers: Answers, *, workspace: str = "", explored: Explored | None = None
) -> Made:
    """Make the workspace.  Nothing is left half-made where something is wrong: everything is checked first.

    `explored` is what `explore` found, where the caller has asked already.  Raises what `begin` and `explore` raise.
    """
    start = begin(around, answers)
    found = explored or explore(around, answers, start)
    ident = workspace or new_workspace_id()
    content = document(start, answers, ident, Text(around.lang).lang, found)
    file = start.root / start.mapping_name
    if found is not None and file.exists():
        raise UsageError(say("{file} is there already", file=str(file)), fix=say("move it away first"))
    with draft(with_secrets(around, answers, start), start.root, content, found) as (config, _):
        if store_file(config.store_url) is None:
            Store.check_vacant(config.store_url)
        if found is None:
            _starters_there(config, around.lang)
    start.root.mkdir(parents=True, exist_ok=True)
    for_this_account_only(start.root)
    paths = {}
    if found is not None:
        write_file(file, found.mapping.encode("utf-8"))
        paths["mapping"] = str(file)
    write_file(start.file, content)
    made = _furnish(around, start.file)
    return replace(made, paths={**made.paths, **paths}, tracker=start.tracker, explored=found)


def _starters_there(config: Config, lang: str) -> None:
    for part in config.trackers.values():
        file = find_mapping(
            part.mapping, root=config.root, scheme_pack=config.values.catalogs[0], lang=config.language(lang)
        )
        mapping, problems = load_mapping(file)
        if mapping is None:
            raise UsageError(say("the mapping is wrong"), problems=problems)


def secret_known(around: Surroundings, start: Start, setting: str) -> bool:
    """Whether the secret is there already: in the environment, or in the folder that the commands read."""
    variables = {name.upper() for name, value in around.environ.items() if value}
    name = start.secret_file(setting).name
    shelf = around.secrets_folder or start.secret_file(setting).parent
    return start.variable(setting) in variables or (shelf / name).is_file()


def keep_secret(start: Start, setting: str, value: str) -> Path:
    """Put a secret into the folder beside ticssync.yaml, for this account only; the file."""
    file = start.secret_file(setting)
    file.parent.mkdir(exist_ok=True)
    for_this_account_only(file.parent)
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as stream:
        stream.write(value + "\n")
    return file


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


def _furnish(around: Surroundings, file: Path) -> Made:
    from ticssync.app.scope import current_scopes

    config, _ = load_config(file, around.environ, around.secrets_folder)
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
        "store": store.where,
        "keys": config.path(config.values.keys),
        "locker": locker,
        "shared": config.shared,
        "drop": drop,
    }
    return Made({name: str(path) for name, path in paths.items()}, config.workspace, key.fingerprint)


__all__ = [
    "Answers", "Explored", "Made", "Start", "begin", "explore", "init", "keep_secret", "new_workspace_id", "parse_sets",
    "secret_known",
]  # fmt: skip
