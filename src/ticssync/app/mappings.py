"""`mapping check|suggest|preview`: mapping files looked at before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.catalogue import listed
from ticssync.app.discovery import Asking, compared_live, proposal_for, read_live
from ticssync.app.scope import calendar, current_scopes
from ticssync.app.workspace import Surroundings, read_config
from ticssync.config import Config, TrackerPart
from ticssync.errors import CredentialsError, Problem, RetryLaterError, UsageError, say
from ticssync.host import Host, load_host
from ticssync.mapping import Facts, Mapping, find_mapping, load_mapping, render_task
from ticssync.mapping.discover import mapping_text
from ticssync.model.canonical import plain
from ticssync.plugin import NotSupported
from ticssync.text import Text


@dataclass
class Checked:
    """How the mapping files stand.  `asked`: tracker → state and message of asking it."""

    items: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """4 and 3 where a tracker refused our key or could not be reached."""
        states = {one["state"] for one in self.asked}
        return 4 if "credentials" in states else 3 if "unavailable" in states else 0

    def plain(self, text: Text) -> dict[str, Any]:
        """The JSON of `mapping check`."""
        warnings = [
            {
                "file": one.file, "line": one.line, "column": one.column,
                "message": text.said(one.message), "fix": text.said(one.fix),
            }
            for one in self.warnings
        ]  # fmt: skip
        asked = [{**one, "message": text.said(one["message"])} for one in self.asked]
        return {"items": self.items, "warnings": warnings, "trackers": asked}


def check(around: Surroundings, file: Path | None, *, offline: bool = False) -> Checked:
    """Check one file, or those of all trackers: every template is tried on every item, and places, statuses and values
    are compared with the live tracker, where there is one to ask and not `offline`.

    Raises UsageError with every problem of every file.  A tracker that cannot be asked is no problem of the mapping.
    """
    items = [one["id"] for one in listed(around)["items"]]
    config = read_config(around) if around.config_file.exists() else None
    host = _host(config) if config is not None and not offline else None
    found = Checked()
    for one, part in _files(around, config) if file is None else [(file, _used_by(around, config, file))]:
        mapping, wrong = load_mapping(one, item_ids=items)
        found.problems += wrong
        if mapping is None:
            continue
        if config is not None:
            found.problems += _tried(around, mapping, one)
        found.items.append(
            {
                "file": str(one),
                "kind": mapping.kind,
                "fields": len(mapping.fields),
                "statuses": len(mapping.statuses),
            }
        )
        if config is not None and host is not None and part is not None:
            _compare(Asking(around, host, config, part), one, mapping, found)
    if found.problems:
        problems = [*found.problems, *found.warnings]
        raise UsageError(say("the mapping is wrong"), problems=problems, fix=_not_asked(found))
    return found


def _not_asked(found: Checked) -> str:
    missing = [one for one in found.asked if one["state"] in ("credentials", "unavailable")]
    if not missing:
        return ""
    return say("{tracker}: not compared: {why}", tracker=missing[0]["tracker"], why=missing[0]["message"])


def _host(config: Config) -> Host:
    host = load_host(config.values.plugins)
    problems = host.check(config)
    if problems:
        raise UsageError(say("the configuration is wrong: {file}", file=str(config.file)), problems=problems)
    return host


def _compare(asking: Asking, file: Path, mapping: Mapping, found: Checked) -> None:
    """Ask the tracker and add what differs."""
    if asking.lists_itself:
        return
    name = asking.part.name
    try:
        compared = compared_live(asking, file, mapping)
    except CredentialsError as error:
        found.asked.append({"tracker": name, "state": "credentials", "message": error.message})
    except RetryLaterError as error:
        found.asked.append({"tracker": name, "state": "unavailable", "message": error.message})
    except NotSupported:
        found.asked.append({"tracker": name, "state": "silent", "message": ""})
    else:
        found.problems += compared.problems
        found.warnings += compared.warnings
        found.asked.append({"tracker": name, "state": "ok", "message": ""})


def suggest(around: Surroundings, tracker: str = "") -> dict[str, Any]:
    """The JSON of `mapping suggest`: a mapping for a tracker of the configuration, as its live project offers it.

    Raises UsageError where there is no such tracker or nothing to discover, CredentialsError, RetryLaterError.
    """
    config = read_config(around)
    part = _one_tracker(config, tracker)
    asking = Asking(around, _host(config), config, part)
    nothing = UsageError(
        say("{tracker} does not tell what it offers: its starter mapping is all there is", tracker=part.name)
    )
    if asking.lists_itself:
        raise nothing
    try:
        proposal = proposal_for(asking, read_live(asking))
    except NotSupported:
        raise nothing from None
    text = mapping_text(proposal, source=asking.source, day=around.clock().date().isoformat())
    return {
        "tracker": part.name,
        "mapping": text,
        "notes": [around.text.said(note) for note in proposal.notes],
    }


def _one_tracker(config: Config, name: str) -> TrackerPart:
    known = ", ".join(config.trackers)
    if name and name not in config.trackers:
        raise UsageError(
            say("ticssync.yaml has no tracker {name}", name=name), fix=say("there are: {known}", known=known)
        )
    if not name and len(config.trackers) != 1:
        raise UsageError(
            say("there are several trackers: name one"), fix=say("there are: {known}", known=known)
        )
    return config.trackers[name or next(iter(config.trackers))]


def _files(around: Surroundings, config: Config | None) -> list[tuple[Path, TrackerPart | None]]:
    config = config or read_config(around)
    return [(_file(around, config, part), part) for part in config.trackers.values()]


def _file(around: Surroundings, config: Config, part: TrackerPart) -> Path:
    pack, lang = config.values.catalogs[0], config.language(around.lang)
    return find_mapping(part.mapping, root=config.root, scheme_pack=pack, lang=lang)


def _used_by(around: Surroundings, config: Config | None, file: Path) -> TrackerPart | None:
    """The tracker that uses this file, else the only one of the kind it is written for."""
    if config is None:
        return None
    for part in config.trackers.values():
        if _file(around, config, part).resolve() == (around.folder / file).resolve():
            return part
    mapping, _ = load_mapping(file)
    alike = [part for part in config.trackers.values() if mapping is not None and part.kind == mapping.kind]
    return alike[0] if len(alike) == 1 else None


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
        path = _file(around, config, part)
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
