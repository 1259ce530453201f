"""Secrets from outside the file: environment, a secrets folder (also systemd's credentials).

They only fill values of trackers and channels that the file names; anything else is a problem with the nearest
name, so that a typing error does not leave a tracker without its key in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ticssync.errors import Problem, say
from ticssync.yamlfile import nearest

PREFIX: Final = "TICSSYNC_"
OTHERS: Final = frozenset({"CONFIG", "LANG", "SECRETS_DIR", "STORE_PASSWORD"})
"""Variables of ours that are no settings of a part."""

FOLDER: Final = "secrets"
"""The folder beside ticssync.yaml that is read where no other is named."""


OF_STORE: Final = "store.password"
"""The file in the secrets folder with the password of a store on a server; as a variable TICSSYNC_STORE_PASSWORD."""


Found = dict[str, dict[str, dict[str, Any]]]
"""{"trackers" or "notify": {name: {setting: value}}}."""


class _Parts(BaseModel):
    trackers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    notify: dict[str, dict[str, Any]] = Field(default_factory=dict)


class _Handed(EnvSettingsSource):
    """pydantic-settings' reading of nested names, over a mapping that is handed in instead of the process's own."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._environ = {name.lower(): value for name, value in environ.items() if value}
        super().__init__(settings, case_sensitive=False, env_prefix=PREFIX, env_nested_delimiter="__")

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return dict(self._environ)


def from_environment(environ: Mapping[str, str]) -> tuple[Found, list[Problem]]:
    """(`TICSSYNC_TRACKERS__FACTORY__API_KEY=…` as {"trackers": {"factory": {"api_key": …}}}, problems).

    A problem names the variable and never its value.
    """
    found = _read(environ)
    if found is not None:
        return found, []
    return {"trackers": {}, "notify": {}}, [
        Problem(
            say("this variable does not name one setting of one tracker or channel"),
            place=name,
            fix=say("TICSSYNC_NOTIFY__MAIL__PASSWORD, for example: part, name and setting, with __ between"),
        )
        for name in _at_fault(environ)
    ]


def _at_fault(environ: Mapping[str, str]) -> list[str]:
    ours = sorted(
        name for name in environ if name.upper().startswith((f"{PREFIX}TRACKERS", f"{PREFIX}NOTIFY"))
    )
    # What pydantic says of a wrong value repeats the value: each variable is tried alone instead.
    return [name for name in ours if _read({name: environ[name]}) is None] or ours


def _read(environ: Mapping[str, str]) -> Found | None:
    """The values; None where a variable does not fit."""

    class Settings(BaseSettings, _Parts):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore")

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (_Handed(settings_cls, environ),)

    try:
        found = Settings()
    except (ValidationError, SettingsError):
        return None
    return {"trackers": found.trackers, "notify": found.notify}


def folder_beside(file: Path) -> Path | None:
    """`secrets/` beside the configuration file, where it is there."""
    folder = file.resolve().parent / FOLDER
    return folder if folder.is_dir() else None


def from_folder(folder: Path) -> tuple[Found, list[Problem]]:
    """(one file per secret, named by its path with dots: `trackers.factory.api_key`, problems).

    A line end is dropped.  A problem names the file and nothing of what is in it.
    """
    found: Found = {"trackers": {}, "notify": {}}
    problems = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        part, _, rest = file.name.partition(".")
        name, _, key = rest.partition(".")
        if part not in found or not key or not file.is_file():
            continue
        try:
            found[part].setdefault(name, {})[key] = file.read_text("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            problems.append(Problem(say("this byte is not UTF-8"), str(file)))
        except OSError as error:
            why = error.strerror or type(error).__name__
            problems.append(Problem(say("it cannot be read: {why}", why=why), str(file)))
    return found, problems


def store_password(environ: Mapping[str, str], folder: Path | None) -> tuple[str, list[Problem]]:
    """(password of the store's server, problems); empty where none is given: libpq may know it in its own ways.

    The folder's counts more than the environment's, as for every other secret.
    """
    file = folder / OF_STORE if folder is not None else None
    if file is None or not file.is_file():
        return environ.get(f"{PREFIX}STORE_PASSWORD", ""), []
    try:
        return file.read_text("utf-8").rstrip("\r\n"), []
    except UnicodeDecodeError:
        return "", [Problem(say("this byte is not UTF-8"), str(file))]
    except OSError as error:
        why = error.strerror or type(error).__name__
        return "", [Problem(say("it cannot be read: {why}", why=why), str(file))]


def fill(
    raw: Mapping[str, dict[str, dict[str, Any]]],
    outside: Mapping[str, Mapping[str, Mapping[str, Any]]],
    source: str,
) -> tuple[Found, list[Problem]]:
    """(the parts with the outside values laid over them, problems for names that the file does not have)."""
    filled = {
        part: {name: dict(values) for name, values in raw.get(part, {}).items()}
        for part in ("trackers", "notify")
    }
    problems = []
    for part in ("trackers", "notify"):
        for name, values in outside.get(part, {}).items():
            if name in filled[part]:
                filled[part][name].update(values)
            else:
                problems += list(_unknown(source, part, name, filled[part]))
    return filled, problems


def _unknown(source: str, part: str, name: str, known: Mapping[str, Any]) -> Iterator[Problem]:
    near = nearest(name, sorted(known))
    fix = say("did you mean {near}?", near=near) if near else say("ticssync.yaml names no such part")
    yield Problem(
        say("{part}.{name} is set here, but ticssync.yaml has no {part}.{name}", part=part, name=name),
        source,
        fix=fix,
    )
