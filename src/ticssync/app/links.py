"""`links.yaml` beside ticssync.yaml: which tasks of the company's own were adopted.

The store holds the same; the file is what a new store reads first, and what a person can read and mend.
Comments of people are kept.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted
from ruamel.yaml.tokens import CommentToken

from ticssync.app.files import write_file
from ticssync.config import Config
from ticssync.errors import Problem, UsageError, say
from ticssync.model.key import TaskKey
from ticssync.yamlfile import Located, read_yaml, validate

NAME: Final = "links.yaml"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
HEAD: Final = {
    "ja": "# 引き取った課題と項目の結び付きです（ticssync task adopt が書きます）。\n"
    "# 記録（ticssync.db）を作り直したとき、最初にここを読みます。\n",
    "en": "# Which tasks were adopted for which criteria (written by ticssync task adopt).\n"
    "# A store that is made anew reads this first.\n",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One adopted task.  `id` is the tracker's own unchanging id, `shown` the key that people see, `by` the
    account that adopted it, `at` the moment as UTC text; `line` counts from 1 (None where it was not read)."""

    task: TaskKey
    tracker: str
    id: str
    shown: str = ""
    by: str = ""
    at: str = ""
    line: int | None = None


def _any_text(value: Any) -> Any:
    # YAML reads an unquoted moment as a date; here it is for people only.
    return value if isinstance(value, str) else str(value)


def _task_key(value: str) -> str:
    try:
        return str(TaskKey.parse(value))
    except ValueError as error:
        raise ValueError(say("{task} is not a task key such as tics/T-14", task=value)) from error


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    task: Annotated[StrictStr, AfterValidator(_task_key)]
    tracker: StrictStr
    id: Annotated[StrictStr, Field(min_length=1)]
    key: StrictStr = ""
    by: StrictStr = ""
    at: Annotated[str, BeforeValidator(_any_text)] = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Literal[1]
    links: list[_Line] = Field(default_factory=list)


def links_file(config: Config) -> Path:
    """Where the file stands, or would."""
    return config.root / NAME


def read_links(file: Path) -> tuple[tuple[Link, ...], list[Problem]]:
    """(links, problems): nothing where there is no file; with problems no link is to be trusted."""
    if not file.exists():
        return (), []
    try:
        located = read_yaml(file)
    except UsageError as error:
        return (), list(error.problems) or [Problem(error.message, str(file), fix=error.fix)]
    if isinstance(located.value, dict) and located.value.get("links", ()) is None:
        # `links:` with nothing under it is what is left when a person deletes the last line.
        located.value["links"] = []
    values, problems = validate(located, _File)
    if values is None:
        return (), problems
    found, more = _links(located, values)
    return found, [*problems, *more]


def _links(located: Located, values: _File) -> tuple[tuple[Link, ...], list[Problem]]:
    found, problems = list[Link](), list[Problem]()
    seen: dict[tuple[str, ...], int] = {}
    for number, one in enumerate(values.links):
        line, _ = located.place(("links", number))
        key = TaskKey.parse(one.task)
        for name, place in (("task", (str(key), one.tracker)), ("id", (one.tracker, "", one.id))):
            if place in seen:
                problems.append(
                    _twice(located, number, name, place[-1] if name == "id" else place[0], seen[place])
                )
            seen.setdefault(place, line or 0)
        found.append(Link(key, one.tracker, one.id, one.key, one.by, one.at, line))
    return tuple(found), problems


def _twice(located: Located, number: int, name: str, what: str, line: int) -> Problem:
    said = say("{what} stands in line {line} already", what=what, line=line)
    return located.problem(("links", number, name), said, say("leave one of the two"))


def trusted(file: Path) -> tuple[Link, ...]:
    """The links, or UsageError with all problems and their places."""
    found, problems = read_links(file)
    if problems:
        raise UsageError(say("{file} is wrong", file=str(file)), problems=problems)
    return found


def put_links(file: Path, links: Sequence[Link], lang: str = "ja") -> None:
    """Write these links; an older one of the same task in the same tracker is replaced.

    Raises UsageError with all problems where a person's edit left the file unreadable.
    """
    places = {(str(one.task), one.tracker) for one in links}

    def change(lines: list[Any]) -> bool:
        kept = [one for one in lines if (one["task"], one["tracker"]) not in places]
        _keep(lines, kept)
        lines.extend(map(_line, links))
        return True

    _edit(file, change, lang)


def take_out(file: Path, task: TaskKey, tracker: str = "") -> bool:
    """Take the task's lines out (of one tracker only, where it is named); whether there were any."""

    def change(lines: list[Any]) -> bool:
        kept = [one for one in lines if one["task"] != str(task) or tracker not in ("", one["tracker"])]
        return _keep(lines, kept)

    return _edit(file, change)


def forget_tracker(file: Path, tracker: str) -> bool:
    """Take the lines of a tracker out that is used no more."""
    return _edit(file, lambda lines: _keep(lines, [one for one in lines if one["tracker"] != tracker]))


def rename_tracker(file: Path, old: str, new: str) -> bool:
    """The lines of a tracker go under its new name."""

    def change(lines: list[Any]) -> bool:
        mine = [one for one in lines if one["tracker"] == old]
        for one in mine:
            one["tracker"] = new
        return bool(mine)

    return _edit(file, change)


def set_aside(file: Path, workspace: str) -> Path | None:
    """A copied workspace: the links are the first one's.  The file is kept under a name that nothing reads."""
    if not file.exists():
        return None
    aside = file.with_name(f"links-{workspace}.yaml")
    file.replace(aside)
    return aside


def _keep(lines: list[Any], kept: Sequence[Any]) -> bool:
    gone = [number for number, one in enumerate(lines) if not any(one is other for other in kept)]
    for number in reversed(gone):
        words = _words(token for tokens in lines[number].ca.items.values() for token in tokens)
        del lines[number]
        # A comment above a line hangs, for ruamel, on the line before it: it stays with the one that it is about.
        if words and number < len(lines) and isinstance(lines, CommentedSeq):
            lines.yaml_set_comment_before_after_key(number, before=words, indent=2)
    return bool(gone)


def _words(tokens: Iterable[Any]) -> str:
    """What people wrote on the lines below the value that these tokens hang on (or above the first one)."""
    found = [
        part for token in tokens if isinstance(token, CommentToken) for part in token.value.split("\n")[1:]
    ]
    return "\n".join(part.strip().removeprefix("#").removeprefix(" ") for part in found if part.strip())


def _edit(file: Path, change: Callable[[list[Any]], bool], lang: str = "ja") -> bool:
    """Change the lines in the file as it stands; nothing is written where nothing changes."""
    trusted(file)
    yaml, tree = _yaml(), None
    there = file.exists()
    if there:
        tree = yaml.load(file.read_bytes().removeprefix(BYTE_ORDER_MARK).decode("utf-8"))
    tree = {"version": 1, "links": []} if tree is None else tree
    if tree.get("links") is None:
        tree["links"] = []
    if not change(tree["links"]):
        return False
    if not tree["links"]:
        # An empty list is written on the key's own line: a comment inside would tear the two apart.
        tree["links"] = []
    stream = io.StringIO()
    yaml.dump(tree, stream)
    write_file(file, (("" if there else HEAD[lang]) + stream.getvalue()).encode("utf-8"))
    return True


def _line(link: Link) -> dict[str, Any]:
    # Quoted: an id such as 0123 or 1e5 is a text, whoever edits the file by hand and whatever reads it.
    return {
        "task": str(link.task),
        "tracker": link.tracker,
        "id": Quoted(link.id),
        "key": Quoted(link.shown),
        "by": link.by,
        "at": Quoted(link.at),
    }


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
