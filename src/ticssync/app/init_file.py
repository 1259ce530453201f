"""The file that `init` writes, and its draft: everything is checked before anything stands under its real name."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ticssync.app.init_answers import Answers, Explored, Start
from ticssync.app.members import as_people
from ticssync.app.workspace import Surroundings
from ticssync.config import Config, load_config
from ticssync.errors import Problem, UsageError, say
from ticssync.host import Host, load_host

HEAD: Final = {
    "ja": "# ticssync の設定です。ticssync doctor で全体を確かめられます。\n"
    "# パスワードや鍵は書かず、環境変数か、このファイルの隣の secrets フォルダーに置いてください。\n",
    "en": "# The configuration of ticssync.  `ticssync doctor` checks all of it.\n"
    "# Keep passwords and keys out of here: put them into the environment or the folder secrets beside this file.\n",
}


def document(
    start: Start, answers: Answers, ident: str, lang: str, explored: Explored | None = None
) -> bytes:
    """ticssync.yaml from the answers, in UTF-8; the mapping is the one that was discovered, else a starter."""
    shared, kind = answers.shared or Path("共有"), start.kind
    tracker: dict[str, Any] = {"kind": kind.name}
    for question in kind.questions:
        if question.default and not question.secret:
            tracker[question.path] = _in_shared(question.path, question.default, shared)
    starter = kind.starter_mappings[0] if kind.starter_mappings else kind.name
    tracker["mapping"] = start.mapping_name if explored else starter
    tree: dict[str, Any] = {
        "version": 1,
        "workspace": {
            "id": ident,
            "name": answers.company or start.root.name,
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
        "people": as_people(explored.members, start.tracker) if explored else {},
        "roles": {},
        "certificates": {},
        "trackers": {start.tracker: tracker},
        "notify": {"folder": {"path": "outbox"}},
        "calendar": {"time_zone": "Asia/Tokyo", "holidays": "jp"},
        "store": "sqlite:///ticssync.db",
        "plugins": sorted({start.plugin, *answers.plugins}),
    }
    for path, value in answers.sets:
        _set(tree, path, value)
    return _yaml({name: value for name, value in tree.items() if value not in ({}, [])}) + MIRRORS


MIRRORS: Final = """\
# routes: で項目ごとに課題管理を選べます。同じ課題を二か所に置くこと（mirrors:）は、はじめはしません。二か所で直せると、
# 食い違いを人が決める手間が増えるためです。 / The same task in two trackers (mirrors:) is off: what can be changed in two
# places has to be settled by somebody where it was changed differently.
""".encode()
"""Why a starter sets no mirrors, for whoever looks for them in the file."""


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


@contextmanager
def draft(
    around: Surroundings, root: Path, content: bytes, explored: Explored | None = None
) -> Iterator[tuple[Config, Host]]:
    """The configuration as it would be, with its plugins loaded; wrong answers are found before anything is written
    under the real name.  Afterwards nothing is there that was not there before."""
    missing = [one for one in (root, *root.parents) if not one.exists()]
    file = root / ".ticssync.yaml.draft"
    try:
        root.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        config, problems = load_config(file, around.environ, around.secrets_folder)
        host = load_host(config.values.plugins if config is not None else ())
        problems = [*problems, *(host.check(config) if config is not None else ())]
        if config is None or problems:
            raise UsageError(
                say("these answers make no working configuration"),
                problems=[without_file(one) for one in problems],
                fix=_who_there_is(explored),
            )
        yield config, host
    finally:
        file.unlink(missing_ok=True)
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _who_there_is(explored: Explored | None) -> str:
    if explored is None or not explored.members:
        return ""
    named = ", ".join(f"{one.person} {one.name}" for one in explored.members)
    return say("members of the project, as people: {names}", names=named)


def with_secrets(around: Surroundings, answers: Answers, start: Start) -> Surroundings:
    """The surroundings as if the secrets that were asked for stood in the environment."""
    given = {start.variable(setting): value for setting, value in answers.secrets.items() if value}
    return replace(around, environ={**around.environ, **given})


def without_file(problem: Problem) -> Problem:
    """The problem without the name of a file that nobody has seen."""
    return Problem(problem.message, place=problem.place, fix=problem.fix)
