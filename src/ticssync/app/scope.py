"""The scheme packs as the company uses them: catalogue, overlay, profile, owners; and taking them into the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ticssync import __version__
from ticssync.app.workspace import Workspace
from ticssync.catalog import load_catalog, scope_payload, shipped_catalog
from ticssync.config import Config
from ticssync.deadlines.calendar import CompanyCalendar
from ticssync.errors import Problem, UsageError, say
from ticssync.model.canonical import digest, plain
from ticssync.model.criterion import Catalog
from ticssync.store import By, Transaction
from ticssync.store.duties import certificates_changed
from ticssync.store.scopes import scopes
from ticssync.yamlfile import read_yaml

Scopes = Mapping[str, Mapping[str, Any]]
INPUTS: Final = "scope_inputs"
"""Where the store keeps what its scopes were made from."""


def catalogs(config: Config) -> tuple[Catalog, ...]:
    """The scheme packs that the file names, with the company's overlay.  Raises UsageError with all problems."""
    found, problems = [], list[Problem]()
    overlay = config.path(config.values.overlay) if config.values.overlay else None
    for name in config.values.catalogs:
        file = catalog_file(config, name)
        catalog, wrong = _loaded(file, _digest_of(file), overlay, _digest_of(overlay))
        problems += wrong
        if catalog is not None:
            found.append(catalog)
    if problems:
        raise UsageError(say("the catalogue is wrong"), problems=problems)
    return tuple(found)


@lru_cache(maxsize=8)
def _loaded(
    file: Path, _content: str, overlay: Path | None, _overlay_content: str
) -> tuple[Catalog | None, list[Problem]]:
    """Reading a pack takes most of a second (places are kept for every value): once per process and content."""
    return load_catalog(file, overlay)


def _digest_of(file: Path | None) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
    except OSError:
        return ""


def catalog_file(config: Config, name: str) -> Path:
    """A shipped pack by name, or the company's own by path."""
    return config.path(name) if "/" in name or name.endswith((".yaml", ".yml")) else shipped_catalog(name)


def current_scopes(config: Config, today: date) -> dict[str, dict[str, Any]]:
    """What `scope.taken` would hold now, by scheme: the catalogue, the profile, owners and people's names."""
    people = {person.id: {"name": person.name} for person in config.organisation.people.values()}
    found = {}
    for catalog in catalogs(config):
        payload = scope_payload(catalog, config.profile)
        for item in payload["items"]:
            item["scheme"] = catalog.scheme
            item["owner"] = config.organisation.owner(item["id"], today)
            item["chapter_title"] = payload["chapters"][item["chapter"]]
        found[catalog.scheme] = {**payload, "people": people, "company": config.company}
    return found


def scopes_now(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """As `current_scopes`; what the store took already is used while nothing that it came from has changed."""
    with workspace.store.read() as tx:
        taken = scopes(tx)
        if tx.meta(INPUTS) == inputs_digest(workspace.config, workspace.today):
            return taken
    return current_scopes(workspace.config, workspace.today)


def inputs_digest(config: Config, today: date) -> str:
    """Names everything that a scope comes from: files, profile, people, roles, and the day where roles have days."""
    files = [catalog_file(config, name) for name in config.values.catalogs]
    overlay = config.path(config.values.overlay) if config.values.overlay else None
    organisation = config.organisation
    holders = [one for entries in organisation.roles.values() for _, held in entries for one in held]
    dated = any(one.since or one.until for one in holders)
    return digest(
        plain(
            {
                "version": __version__,
                "company": config.company,
                "profile": config.profile.plain(),
                "files": [_digest_of(file) for file in (*files, overlay)],
                "day": today.isoformat() if dated else "",
                "people": {one.id: one.name for one in organisation.people.values()},
                "roles": repr(sorted(organisation.roles.items())),
            }
        )
    )


def take(tx: Transaction, found: Scopes, config: Config, by: By, today: date) -> None:
    """Write what changed of scopes and certificates into the log; nothing where nothing did."""
    standing = scopes(tx)
    for scheme, payload in found.items():
        if not _same(payload, standing.get(scheme)):
            tx.append("scope.taken", scheme, by, payload)
    for scheme in set(standing) - set(found):
        # A catalogue that the file no longer names must not come back by itself.
        tx.append("scope.ended", scheme, by, {"catalog": standing[scheme]["catalog"]})
    certificates_changed(tx, config.certificates, by)
    if tx.meta(INPUTS) != (inputs := inputs_digest(config, today)):
        tx.put_meta(INPUTS, inputs)


def _same(payload: Mapping[str, Any], standing: Mapping[str, Any] | None) -> bool:
    return standing is not None and digest(json.loads(json.dumps(payload))) == digest(standing)


def anything_to_take(tx: Transaction, found: Scopes, config: Config, today: date) -> bool:
    """Whether `take` would write."""
    from ticssync.store.duties import certificates

    if tx.meta(INPUTS) != inputs_digest(config, today):
        return True
    standing = scopes(tx)
    if set(standing) != set(found):
        return True
    if any(not _same(payload, standing.get(scheme)) for scheme, payload in found.items()):
        return True
    known = {one.id: one for one in certificates(tx)}
    return any(known.get(one.id) != one for one in config.certificates)


def calendar(config: Config) -> CompanyCalendar:
    """The company's working days.  Raises UsageError where the company's calendar file is wrong."""
    part = config.values.calendar
    if part.company_holidays is None:
        return CompanyCalendar(fiscal_year_start=part.fiscal_year_start)
    located = read_yaml(config.path(part.company_holidays))
    value = located.value if isinstance(located.value, dict) else {}
    problems = [
        located.problem((name, index), say("{value} is not a date such as 2026-08-13", value=str(day)))
        for name in ("holidays", "working_days")
        for index, day in enumerate(value.get(name) or ())
        if type(day) is not date
    ]
    problems += [
        located.problem((name,), say("{name}: this version knows no such key", name=name))
        for name in value
        if name not in ("holidays", "working_days")
    ]
    if problems:
        raise UsageError(say("the company's calendar is wrong"), problems=problems)
    return CompanyCalendar(
        frozenset(value.get("holidays") or ()),
        frozenset(value.get("working_days") or ()),
        part.fiscal_year_start,
    )
