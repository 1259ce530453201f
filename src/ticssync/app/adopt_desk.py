"""The trackers opened for adopting: which key, which tracker, which task a person means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ticssync.app.adopted import Candidate, against, marked_already
from ticssync.app.scope import Scopes, scopes_now
from ticssync.app.sync_once import driver_failed, load_mappings, open_sites, wanted
from ticssync.app.workspace import Workspace
from ticssync.errors import (
    CredentialsError,
    Problem,
    RetryLaterError,
    SafetyStop,
    TicssyncError,
    UsageError,
    say,
)
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.plugin import AuthLost, Fate, NotSupported, Throttled, Unavailable, Unsafe
from ticssync.store.bindings import bindings
from ticssync.store.hub import hub_tasks
from ticssync.store.working import intents
from ticssync.store.working import memory as kept_memory
from ticssync.sync.actions import TrackerReport
from ticssync.sync.state import HostMemory, Site, Want
from ticssync.yamlfile import nearest


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a person wants to be adopted: `ref` is a display key, a URL or an id; `exact` says that it is the
    tracker's own id; `place` is where it was named (a line of a list)."""

    key: str
    ref: str
    tracker: str = ""
    exact: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that adopting needs, with the trackers open."""

    workspace: Workspace
    scopes: Scopes
    wants: Mapping[TaskKey, Want]
    sites: Mapping[str, Site]
    reports: Mapping[str, TrackerReport]

    def site(self, name: str) -> Site:
        """The open tracker.  Raises what kept it from being opened."""
        if name in self.sites:
            return self.sites[name]
        report = self.reports[name]
        if report.state == "credentials":
            raise CredentialsError(report.message, tracker=name, fix=report.fix)
        if report.state == "safety_stop":
            raise SafetyStop(report.message, fix=report.fix)
        raise RetryLaterError(report.message, fix=report.fix)


@contextmanager
def at_desk(workspace: Workspace, trackers: Sequence[str] = ()) -> Iterator[Desk]:
    """Open the trackers (all, where none is named); they are closed again, and nothing of them is kept."""
    with workspace.store.read() as tx:
        workspace.check_place(tx)
        planned = {key: task.planned_on for key, task in hub_tasks(tx).items()}
        memories = {name: HostMemory(kept_memory(tx, name)) for name in workspace.config.trackers}
    scopes = scopes_now(workspace)
    mappings = load_mappings(
        workspace, item_ids=[item["id"] for scope in scopes.values() for item in scope["items"]]
    )
    reports: dict[str, TrackerReport] = {}
    sites = open_sites(workspace, mappings, memories, trackers, reports)
    try:
        wants = wanted(workspace, scopes, mappings, planned, workspace.today)
        yield Desk(workspace, scopes, wants, sites, reports)
    finally:
        for site in sites.values():
            site.driver.close()


@contextmanager
def asking(site: Site) -> Iterator[None]:
    """The errors of the door as ours."""
    try:
        yield
    except AuthLost as error:
        raise CredentialsError(str(error), tracker=site.name) from error
    except (Throttled, Unavailable) as error:
        raise RetryLaterError(str(error), until=error.until) from error
    except Unsafe as error:
        raise SafetyStop(str(error), fix=error.fix) from error
    except (NotSupported, TicssyncError):
        raise
    except Exception as error:
        raise RetryLaterError(driver_failed(site.name, error)) from error


def refused(pairing: Pairing, problems: Sequence[Problem]) -> UsageError:
    """The error that tells everything that stands against adopting."""
    return UsageError(say("{shown} is not adopted", shown=pairing.ref), problems=problems)


def candidate(desk: Desk, pairing: Pairing) -> Candidate:
    """The task that is meant, read now.  Raises UsageError with everything that is wrong with key, tracker and
    task at once."""
    want, problems = _wanted(desk, pairing)
    names = (pairing.tracker,) if pairing.tracker else want.trackers if want else ()
    task = _found(desk, pairing, names, problems) if names else None
    if want is None or task is None:
        raise refused(pairing, problems)
    site = desk.site(task.ref.tracker)
    with desk.workspace.store.read() as tx:
        known, sent = bindings(tx), intents(tx, site.name)
    with asking(site):
        marked = marked_already(site, desk.workspace.config.workspace, want.key, known)
    one = Candidate(want, site, task, pairing.place or pairing.ref, marked)
    if problems:
        raise refused(pairing, [*problems, *against(one, desk.workspace.config.workspace, known, sent)])
    return one


def _wanted(desk: Desk, pairing: Pairing) -> tuple[Want | None, list[Problem]]:
    """The task that should exist under this key, and what is wrong with that."""
    found = [key for key in desk.wants if pairing.key in (str(key), str(key).partition("/")[2])]
    if len(found) == 1:
        return desk.wants[found[0]], _unrouted(desk.wants[found[0]], pairing)
    items = {
        f"{scheme}/{item['id']}": item for scheme, scope in desk.scopes.items() for item in scope["items"]
    }
    refs = [ref for ref in items if pairing.key in (ref, ref.partition("/")[2])]
    return None, [_no_task(pairing, refs, items)]


def _unrouted(want: Want, pairing: Pairing) -> list[Problem]:
    if pairing.tracker in ("", *want.trackers):
        return []
    said = say("no route leads {task} to {tracker}", task=str(want.key), tracker=pairing.tracker)
    fix = say(
        "it goes to {trackers}: adopt there, or change routes: in ticssync.yaml",
        trackers=", ".join(want.trackers),
    )
    return [Problem(said, place=pairing.place or "--tracker", fix=fix)]


def _no_task(pairing: Pairing, refs: Sequence[str], items: Mapping[str, Mapping[str, Any]]) -> Problem:
    place = pairing.place or pairing.key
    if len(refs) > 1:
        said = say("{item} stands in several schemes", item=pairing.key)
        return Problem(said, place=place, fix=say("there are: {known}", known=", ".join(sorted(refs))))
    if not refs:
        near = nearest(pairing.key, [*items, *(ref.partition("/")[2] for ref in items)])
        fix = say("did you mean {near}?", near=near) if near else say("ticssync catalog list")
        return Problem(say("the catalogue has no item {item}", item=pairing.key), place=place, fix=fix)
    if not items[refs[0]]["in_scope"]:
        said = say("{item} is out of scope", item=refs[0])
        return Problem(said, place=place, fix=say("ticssync profile show"))
    said = say("no route leads {item} anywhere", item=refs[0])
    return Problem(said, place=place, fix=say("change routes: in ticssync.yaml"))


def _found(desk: Desk, pairing: Pairing, names: Sequence[str], problems: list[Problem]) -> RemoteTask | None:
    """The task, in the first of these trackers that knows it."""
    unable = []
    for name in names:
        site = desk.site(name)
        try:
            with asking(site):
                ref = RemoteRef(name, pairing.ref) if pairing.exact else site.driver.resolve(pairing.ref)
                answer = site.driver.fetch([ref])[ref] if ref is not None else None
        except NotSupported:
            unable.append(name)
            continue
        if answer is not None and answer.task is not None and answer.fate in (Fate.PRESENT, Fate.MOVED):
            return answer.task
        if answer is not None and answer.fate is Fate.HIDDEN:
            said = say("our account may not see {shown} in {tracker}", shown=pairing.ref, tracker=name)
            problems.append(
                Problem(
                    said, place=pairing.place or pairing.ref, fix=say("give our account the right to see it")
                )
            )
            return None
    where = ", ".join(name for name in names if name not in unable)
    if where:
        said = say("{tracker} shows no task {shown}", tracker=where, shown=pairing.ref)
        fix = say("ticssync task adopt --query TEXT finds tasks by words of their title")
    else:
        said = say("{tracker} cannot look a task up", tracker=", ".join(unable))
        fix = say("its plugin has no such function")
    problems.append(Problem(said, place=pairing.place or pairing.ref, fix=fix))
    return None
