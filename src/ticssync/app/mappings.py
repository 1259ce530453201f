"""`mapping check|preview`: mapping files looked at before anything is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.catalogue import listed
from ticssync.app.scope import calendar, current_scopes
from ticssync.app.workspace import Surroundings, read_config
from ticssync.errors import Problem, UsageError, say
from ticssync.mapping import Facts, Mapping, find_mapping, load_mapping, render_task
from ticssync.model.canonical import plain


def check(around: Surroundings, file: Path | None) -> dict[str, Any]:
    """Check one file, or those of all trackers.  Every template is tried on every item.

    Raises UsageError with every problem of every file.
    """
    items = [one["id"] for one in listed(around)["items"]]
    files = [file] if file is not None else _files(around)
    found, problems = [], list[Problem]()
    for one in files:
        mapping, wrong = load_mapping(one, item_ids=items)
        if mapping is not None and around.config_file.exists():
            wrong += _tried(around, mapping, one)
        problems += wrong
        if mapping is not None:
            found.append(
                {
                    "file": str(one),
                    "kind": mapping.kind,
                    "fields": len(mapping.fields),
                    "statuses": len(mapping.statuses),
                }
            )
    if problems:
        raise UsageError(say("the mapping is wrong"), problems=problems)
    return {"items": found}


def _files(around: Surroundings) -> list[Path]:
    config = read_config(around)
    pack = config.values.catalogs[0]
    parts = config.trackers.values()
    return [
        find_mapping(part.mapping, root=config.root, scheme_pack=pack, lang=config.language(around.lang))
        for part in parts
    ]


def _tried(around: Surroundings, mapping: Mapping, file: Path) -> list[Problem]:
    config = read_config(around)
    problems = []
    facts = Facts(config.company, date(2026, 4, 1))
    for scope in current_scopes(config, date(2026, 4, 1)).values():
        for item in scope["items"]:
            try:
                render_task(mapping, item, facts)
            except ValueError as error:
                problems.append(Problem(error.args[0], str(file)))
    return problems


def preview(around: Surroundings, item: str) -> dict[str, Any]:
    """The rendered task of one criterion for each of its trackers."""
    config = read_config(around)
    today = around.clock().date()
    scopes = current_scopes(config, today)
    found = next(
        (
            one
            for scope in scopes.values()
            for one in scope["items"]
            if item in (one["id"], f"{one['scheme']}/{one['id']}")
        ),
        None,
    )
    if found is None:
        raise UsageError(say("the catalogue has no item {item}", item=item), fix=say("ticssync catalog list"))
    route = config.route(found["id"])
    shown = []
    for name in (route[0], *route[1]) if route else ():
        part = config.trackers[name]
        path = find_mapping(
            part.mapping,
            root=config.root,
            scheme_pack=config.values.catalogs[0],
            lang=config.language(around.lang),
        )
        mapping, problems = load_mapping(
            path, item_ids=[one["id"] for scope in scopes.values() for one in scope["items"]]
        )
        if mapping is None:
            raise UsageError(say("the mapping is wrong"), problems=problems)
        certificate = next((one for one in config.certificates if one.scheme == found["scheme"]), None)
        facts = Facts(
            config.company, today, found["owner"], certificate.issued_on if certificate else None,
            certificate.expires_on if certificate else None, calendar(config).working_day_before,
        )  # fmt: skip
        try:
            rendered = render_task(mapping, found, facts)
        except ValueError as error:
            problem = Problem(error.args[0], str(path))
            raise UsageError(say("the mapping is wrong"), problems=[problem]) from error
        shown.append(
            {"tracker": name, "kind": part.kind, "fields": plain({**rendered.owned, **rendered.initial})}
        )
    return {"item": found["id"], "items": shown}
