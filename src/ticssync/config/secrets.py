"""Secrets from outside the file: environment, a secrets folder (also systemd's), the system's keyring.

They only fill values of trackers and channels that the file names; anything else is a problem with the nearest
name, so that a typing error does not leave a tracker without its key in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ticssync.errors import Problem, say
from ticssync.yamlfile import nearest

PREFIX: Final = "TICSSYNC_"
OTHERS: Final = frozenset({"CONFIG", "LANG", "SECRETS_DIR"})
"""Variables of ours that are no settings of a part."""


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


def from_environment(environ: Mapping[str, str]) -> dict[str, dict[str, dict[str, Any]]]:
    """`TICSSYNC_TRACKERS__FACTORY__API_KEY=…` as {"trackers": {"factory": {"api_key": …}}}."""

    class Settings(BaseSettings, _Parts):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore")

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (_Handed(settings_cls, environ),)

    found = Settings()
    return {"trackers": found.trackers, "notify": found.notify}


def from_folder(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """One file per secret, named by its path with dots: `trackers.factory.api_key`.  A line end is dropped."""
    found: dict[str, dict[str, dict[str, Any]]] = {"trackers": {}, "notify": {}}
    if not folder.is_dir():
        return found
    for file in sorted(folder.iterdir()):
        part, _, rest = file.name.partition(".")
        name, _, key = rest.partition(".")
        if part in found and key and file.is_file():
            found[part].setdefault(name, {})[key] = file.read_text("utf-8").rstrip("\r\n")
    return found


def fill(
    raw: Mapping[str, dict[str, dict[str, Any]]],
    outside: Mapping[str, Mapping[str, Mapping[str, Any]]],
    source: str,
) -> tuple[dict[str, dict[str, dict[str, Any]]], list[Problem]]:
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
