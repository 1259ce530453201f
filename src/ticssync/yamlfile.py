"""YAML files as plain values that remember where each value stood.

ruamel.yaml is used because it refuses duplicate keys and knows the line and column of each value; PyYAML
lets the last duplicate win in silence and reads `012` as 10.  All problems of a file are reported at once
where YAML lets us; a syntax error ends the reading.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ticssync.errors import Problem, UsageError, say

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MAX_BYTES: Final = 4_000_000
"""Aliases are expanded when YAML is read: a small file can become a huge value, so size is bounded first."""

Path_ = tuple[str | int, ...]

QUOTE: Final = say('put it in quotes: "1.10" — without them YAML reads a number')


@dataclass(frozen=True, slots=True)
class Located:
    """A plain value (dicts, lists, scalars) and the place of every key and item in it."""

    file: str
    value: Any
    places: Mapping[Path_, tuple[int, int]] = field(default_factory=dict)
    text: str = ""
    odd_keys: tuple[Path_, ...] = ()

    def place(self, path: Sequence[str | int]) -> tuple[int, int] | tuple[None, None]:
        """Line and column (from 1) of the value at `path`, or of the nearest place above it."""
        known = tuple(path)
        while known and known not in self.places:
            known = known[:-1]
        return self.places.get(known, (None, None))

    def problem(self, path: Sequence[str | int], message: str, fix: str = "") -> Problem:
        """A problem at that path of this file."""
        line, column = self.place(path)
        return Problem(message, self.file, line, column, fix=fix)


def read_yaml(path: Path) -> Located:
    """Read a file.  Raises UsageError (with place) when it is missing, not UTF-8, or not YAML."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(say("{file} does not exist", file=str(path)), fix=say("ticssync init")) from None
    except OSError as error:
        raise UsageError(
            say("{file} cannot be read: {why}", file=str(path), why=error.strerror or str(error))
        ) from error
    return parse_yaml(raw, str(path))


def parse_yaml(raw: bytes, file: str) -> Located:
    """As `read_yaml`, from bytes.  A byte order mark is passed over."""
    if len(raw) > MAX_BYTES:
        raise UsageError(say("{file} is larger than {limit} bytes", file=file, limit=MAX_BYTES))
    text = _decode(raw, file)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML()
    try:
        tree = yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        problem = Problem(_syntax(error, text, mark), file, line, column)
        raise UsageError(say("{file} is not readable as YAML", file=file), problems=[problem]) from None
    except YAMLError as error:
        problem = Problem(say("not YAML: {why}", why=str(error).split("\n")[0]), file)
        raise UsageError(say("{file} is not readable as YAML", file=file), problems=[problem]) from None
    places: dict[Path_, tuple[int, int]] = {}
    value = _plain(tree, (), places)
    return Located(file, value, places, text, tuple(_odd(tree, ())))


def _odd(node: Any, path: Path_) -> Iterator[Path_]:
    """Keys that YAML read as a number or a truth value: `1.10:` is the key 1.1, which nobody meant."""
    if isinstance(node, Mapping):
        for key in node:
            here = (*path, _key(key))
            if not isinstance(key, str):
                yield here
            yield from _odd(node[key], here)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _odd(item, (*path, index))


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        problem = Problem(
            _encoding(raw),
            file,
            line,
            column,
            fix=say("save it as UTF-8 (メモ帳: 名前を付けて保存 → 文字コード UTF-8)"),
        )
        raise UsageError(say("{file} is not UTF-8", file=file), problems=[problem]) from None


def _encoding(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return say("this file is UTF-16, not UTF-8")
    try:
        raw.decode("cp932")
    except UnicodeDecodeError:
        return say("this byte is not UTF-8")
    return say("this file looks like Shift_JIS, not UTF-8")


def _syntax(error: Any, text: str, mark: Any) -> str:
    lines = text.splitlines()
    around = lines[mark.line] if mark and mark.line < len(lines) else ""
    before = lines[mark.line - 1] if mark and 0 < mark.line <= len(lines) else ""
    # The Japanese keyboard's colon is the commonest slip of all, and YAML's own message never names it.
    if "：" in around or "：" in before:
        return say("a full-width colon “：” stands where YAML wants “: ”")
    if "　" in around:
        return say("a full-width blank stands in this line where YAML wants a half-width one")
    if "duplicate key" in str(error.problem or ""):
        return say("this key stands here twice")
    if "\t" in around:
        return say("a tab stands in this line; YAML indents with blanks")
    return say("not YAML: {why}", why=error.problem or error.context or "?")


def _plain(node: Any, path: Path_, places: dict[Path_, tuple[int, int]]) -> Any:
    if isinstance(node, Mapping):
        return {_key(key): _child(node, key, (*path, _key(key)), places) for key in node}
    if isinstance(node, list):
        return [_item(node, index, (*path, index), places) for index in range(len(node))]
    return _scalar(node)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(_scalar(key))


def _child(node: Any, key: Any, path: Path_, places: dict[Path_, tuple[int, int]]) -> Any:
    data = getattr(node, "lc", None)
    if data is not None and data.data and key in data.data:
        line, column = data.value(key) if not isinstance(node[key], (Mapping, list)) else data.key(key)
        places[path] = (line + 1, column + 1)
    return _plain(node[key], path, places)


def _item(node: Any, index: int, path: Path_, places: dict[Path_, tuple[int, int]]) -> Any:
    data = getattr(node, "lc", None)
    if data is not None and data.data and index in data.data:
        line, column = data.item(index)
        places[path] = (line + 1, column + 1)
    return _plain(node[index], path, places)


def _scalar(node: Any) -> Any:
    """ruamel's own scalar classes as plain ones.  Dates stay dates; a number stays a number, so that an
    unquoted id such as 1.10 is caught by the model as "not a text" instead of turning into 1.1."""
    if isinstance(node, bool) or node is None:
        return node
    for kind in (str, int, float):
        if isinstance(node, kind):
            return kind(node)
    if type(node).__name__ == "ScalarBoolean":
        return bool(node)
    return node


def model_problems(
    located: Located, error: ValidationError, prefix: Sequence[str | int] = ()
) -> list[Problem]:
    """What a pydantic model says of a value, as problems with their places.  Values are never repeated."""
    found = []
    for item in error.errors(include_input=False, include_url=False):
        path = [*prefix, *item["loc"]]
        found.append(located.problem(path, _said(item, path), _fix(item)))
    return found


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)


def _said(item: Any, path: Sequence[str | int]) -> str:
    name, kind, context = _dotted(path), item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return say("{name}: this version knows no such key", name=name)
    if kind == "missing":
        return say("{name} is missing", name=name)
    if kind == "string_type":
        return say("{name} must be a text", name=name)
    if kind == "string_pattern_mismatch":
        return say("{name} does not have the form {pattern}", name=name, pattern=context.get("pattern", ""))
    if kind in ("literal_error", "enum"):
        return say("{name} must be one of {words}", name=name, words=context.get("expected", ""))
    if "error" in context and isinstance(context["error"], ValueError) and context["error"].args:
        said = context["error"].args[0]
        return say("{name}: {why}", name=name, why=said)
    return say("{name}: {why}", name=name, why=item["msg"])


def _fix(item: Any) -> str:
    if item["type"] == "string_type":
        return QUOTE
    return ""


def validate(
    located: Located, model: type[BaseModel], value: Any = None, prefix: Sequence[str | int] = ()
) -> tuple[Any, list[Problem]]:
    """(instance, problems): the value (default: the whole file) as that model; instance None with problems."""
    from pydantic import ValidationError

    if value is None and not isinstance(located.value, dict):
        return None, [
            Problem(
                say("this file holds no settings: it wants keys and values such as “version: 1”"),
                located.file,
                1,
                1,
            )
        ]
    odd = [
        located.problem(path, say("the key {name} was read as a number", name=path[-1]), QUOTE)
        for path in located.odd_keys
        if path[: len(prefix)] == tuple(prefix)
    ]
    try:
        return model.model_validate(located.value if value is None else value), odd
    except ValidationError as error:
        return None, [*odd, *model_problems(located, error, prefix)]


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that `name` most resembles, or empty."""
    import difflib

    return next(iter(difflib.get_close_matches(name, known, 1, 0.6)), "")
