"""The scheme packs as the company uses them: catalogue, overlay, profile, owners; and taking them into the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.workspace import Workspace
from ticssync.catalog import load_catalog, scope_payload, shipped_catalog
from ticssync.config import Config
from ticssync.deadlines.calendar import CompanyCalendar
from ticssync.errors import Problem, UsageError, say
from ticssync.model.canonical import digest
from ticssync.model.criterion import Catalog
from ticssync.store import By, Transaction
from ticssync.store.duties import certificates_changed
from ticssync.store.scopes import scopes
from ticssync.yamlfile import read_yaml

Scopes = Mapping[str, Mapping[str, Any]]


def catalogs(config: Config) -> tuple[Catalog, ...]:
    """The scheme packs that the file names, with the company's overlay.  Raises UsageError with all problems."""
    found, problems = [], list[Problem]()
    overlay = config.path(config.values.overlay) if config.values.overlay else None
    for name in config.values.catalogs:
        catalog, wrong = load_catalog(catalog_file(config, name), overlay)
        problems += wrong
        if catalog is not None:
            found.append(catalog)
    if problems:
        raise UsageError(say("the catalogue is wrong"), problems=problems)
    return tuple(found)


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


def take(tx: Transaction, found: Scopes, config: Config, by: By) -> None:
    """Write what changed of scopes and certificates into the log; nothing where nothing did."""
    standing = scopes(tx)
    for scheme, payload in found.items():
        if digest(json.loads(json.dumps(payload))) != digest(standing.get(scheme)):
            tx.append("scope.taken", scheme, by, payload)
    certificates_changed(tx, config.certificates, by)


def anything_to_take(tx: Transaction, found: Scopes, config: Config) -> bool:
    """Whether `take` would write."""
    from ticssync.store.duties import certificates

    standing = scopes(tx)
    if any(digest(payload) != digest(standing.get(scheme)) for scheme, payload in found.items()):
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


def catalog_of(workspace: Workspace, item: str) -> tuple[Catalog, Any]:
    """(catalogue, criterion) for `T-14` or `tics/T-14`.  Raises UsageError with the nearest id."""
    from ticssync.yamlfile import nearest

    known = {}
    for catalog in catalogs(workspace.config):
        for criterion in catalog.items:
            known[criterion.ref] = known[criterion.id] = (catalog, criterion)
    if item in known:
        return known[item]
    near = nearest(item, sorted(known))
    raise UsageError(
        say("the catalogue has no item {item}", item=item),
        fix=say("did you mean {near}?", near=near) if near else say("ticssync catalog list"),
    )
