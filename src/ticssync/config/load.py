"""Reading ticssync.yaml: file, environment, secrets folder and language are handed in, nothing process-wide is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from ticssync.config.people import Organisation, organisation
from ticssync.config.schema import ConfigFile
from ticssync.config.secrets import fill, folder_beside, from_environment, from_folder, store_password
from ticssync.errors import Problem, UsageError, say
from ticssync.model.certificate import Certificate
from ticssync.model.profile import Profile
from ticssync.yamlfile import Located, nearest, read_yaml, validate

SECRET_WORDS: Final = ("password", "token", "api_key", "secret")


@dataclass(frozen=True, slots=True)
class TrackerPart:
    """One tracker of the file: `settings` still raw, for the plugin's own model."""

    name: str
    kind: str
    mapping: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Config:
    """The file and what follows from it.  `root` is the folder that relative paths are relative to."""

    file: Path
    root: Path
    located: Located
    values: ConfigFile
    organisation: Organisation
    trackers: Mapping[str, TrackerPart]
    notify: Mapping[str, Mapping[str, Any]]
    secrets_in_file: tuple[str, ...] = ()
    store_password: str = field(default="", repr=False)

    @property
    def workspace(self) -> str:
        """The workspace id."""
        return self.values.workspace.id

    @property
    def company(self) -> str:
        """The company's name."""
        return self.values.workspace.name

    def language(self, reader: str) -> str:
        """The language of the company's own files: as the file says, else the reader's."""
        return self.values.workspace.language or reader

    @property
    def profile(self) -> Profile:
        """What the company handles."""
        part = self.values.profile
        return Profile(
            frozenset(part.forms),
            part.areas,
            part.takeout,
            part.remote_work,
            part.external_systems,
            part.third_parties,
            tuple(part.classes),
        )

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """As printed."""
        return tuple(
            Certificate(
                name, c.scheme, c.body, c.number, c.scope, c.issued_on, c.expires_on, c.rules_confirmed
            )
            for name, c in self.values.certificates.items()
        )

    @property
    def shared(self) -> Path:
        """The shared folder; without one, `共有` beside the file."""
        return self.path(self.values.workspace.shared or Path("共有"))

    def path(self, path: Path | str) -> Path:
        """A path of the file, made absolute."""
        return (self.root / path).resolve() if not Path(path).is_absolute() else Path(path)

    @property
    def store_url(self) -> str:
        """The store's URL with an absolute path, or with the password that was given outside the file: a secret."""
        prefix = "sqlite:///"
        url = self.values.store
        if url.startswith(prefix):
            return f"{prefix}{self.path(url[len(prefix) :])}"
        if not self.store_password:
            return url
        return f"{url}{'&' if '?' in url else '?'}password={quote(self.store_password, safe='')}"

    def route(self, item: str) -> tuple[str, tuple[str, ...]] | None:
        """(tracker, mirrors) of an item: the first route that fits; with one tracker and no routes, that one."""
        for route in self.values.routes:
            if fnmatchcase(item, route.criteria):
                return route.tracker, tuple(route.mirrors)
        if not self.values.routes and len(self.trackers) == 1:
            return next(iter(self.trackers)), ()
        return None


def load_config(
    file: Path, environ: Mapping[str, str], secrets_folder: Path | None = None
) -> tuple[Config | None, list[Problem]]:
    """(configuration, problems): everything wrong with the file at once.

    Without a `secrets_folder`, `secrets/` beside the file is read where it is there.
    """
    try:
        located = _extended(read_yaml(file), file, ())
    except UsageError as error:
        return None, list(error.problems) or [Problem(error.message, str(file), fix=error.fix)]
    values, problems = validate(located, ConfigFile)
    if values is None:
        return None, problems
    people, wrong = organisation(located, values)
    raw = {"trackers": values.trackers, "notify": values.notify}
    folder = secrets_folder or folder_beside(file)
    parts, more = _with_secrets(raw, environ, folder)
    password, unreadable = store_password(environ, folder)
    trackers, odd = _trackers(located, parts["trackers"])
    problems = [*problems, *wrong, *more, *unreadable, *odd, *_routes(located, values)]
    if problems:
        return None, problems
    root = file.resolve().parent
    in_file = (*_in_file(raw), *(["store"] if _holds_password(values.store) else []))
    return Config(file, root, located, values, people, trackers, parts["notify"], in_file, password), []


def _extended(located: Located, file: Path, seen: tuple[Path, ...]) -> Located:
    """Lay the file over the one that it extends, key by key; places stay those of the file itself."""
    base = located.value.get("extends") if isinstance(located.value, dict) else None
    if not isinstance(base, str):
        return located
    other = (file.parent / base).resolve()
    if other in seen:
        raise UsageError(say("{file} extends itself", file=str(other)))
    under = _extended(read_yaml(other), other, (*seen, other))
    return Located(
        located.file, _merge(under.value, located.value), located.places, located.text, located.odd_keys
    )


def _merge(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: _merge(under.get(key), value) for key, value in over.items()}}
    return over


def _with_secrets(
    raw: Mapping[str, dict[str, dict[str, Any]]], environ: Mapping[str, str], folder: Path | None
) -> tuple[dict[str, dict[str, dict[str, Any]]], list[Problem]]:
    outside, wrong = from_environment(environ)
    parts, problems = fill(raw, outside, say("environment"))
    if folder is None:
        return parts, [*wrong, *problems]
    outside, unreadable = from_folder(folder)
    parts, more = fill(parts, outside, str(folder))
    return parts, [*wrong, *problems, *unreadable, *more]


def _trackers(
    located: Located, raw: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, TrackerPart], list[Problem]]:
    found, problems = {}, []
    for name, part in raw.items():
        kind = part.get("kind")
        if not isinstance(kind, str):
            problems.append(
                located.problem(
                    ("trackers", name), say("kind is missing"), say("kind: workbook, for example")
                )
            )
            continue
        mapping = part.get("mapping", kind)
        if not isinstance(mapping, str):
            problems.append(
                located.problem(("trackers", name, "mapping"), say("{name} must be a text", name="mapping"))
            )
            continue
        settings = {key: value for key, value in part.items() if key not in ("kind", "mapping")}
        found[name] = TrackerPart(name, kind, mapping, settings)
    return found, problems


def _routes(located: Located, values: ConfigFile) -> list[Problem]:
    problems = []
    for index, route in enumerate(values.routes):
        for where, name in (("tracker", route.tracker), *(("mirrors", mirror) for mirror in route.mirrors)):
            if name not in values.trackers:
                near = nearest(name, sorted(values.trackers))
                fix = say("did you mean {near}?", near=near) if near else ""
                problems.append(
                    located.problem(("routes", index, where), say("trackers: has no {name}", name=name), fix)
                )
    if not values.routes and len(values.trackers) > 1:
        problems.append(
            located.problem(
                ("trackers",), say("several trackers, but no routes: say which criteria go where")
            )
        )
    return problems


def _holds_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.password) or "password" in parse_qs(parts.query)


def _in_file(raw: Mapping[str, dict[str, dict[str, Any]]]) -> tuple[str, ...]:
    return tuple(
        f"{part}.{name}.{key}"
        for part, entries in raw.items()
        for name, values in entries.items()
        for key in values
        if any(word in key for word in SECRET_WORDS)
    )
