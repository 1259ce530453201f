"""A tracker in which the store binds nothing yet: what links.yaml says of it comes first, before anything is made.

So a store that was made anew, or a tracker that was named anew, finds the adopted tasks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ticssync.app.adopted import Candidate, against, bind, marked_already
from ticssync.app.links import Link, links_file, trusted
from ticssync.app.workspace import Workspace
from ticssync.errors import Problem, say
from ticssync.model.binding import Binding
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef, RemoteTask
from ticssync.plugin import Fate
from ticssync.store.bindings import bindings
from ticssync.store.working import intents
from ticssync.sync.actions import Action, TrackerReport
from ticssync.sync.look import Seen, with_errors
from ticssync.sync.state import Site, Want


@dataclass
class FirstLinks:
    """What came of it.  `sites` are those that the pass may go on with, `adopted` one line per task that was (or
    in a dry pass would be) bound, `notices` what a person should know, both by tracker."""

    sites: dict[str, Site]
    adopted: dict[str, list[Action]] = field(default_factory=dict)
    notices: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[TaskKey]:
        """The tasks that were bound."""
        return frozenset(one.task for lines in self.adopted.values() for one in lines)

    def tell(self, reports: Mapping[str, TrackerReport]) -> None:
        """Put it into the reports of the pass."""
        for name, report in reports.items():
            report.actions[:0] = self.adopted.get(name, [])
            report.notices = [*report.notices, *self.notices.get(name, [])]


def take_first_links(
    workspace: Workspace, sites: Mapping[str, Site], wants: Mapping[TaskKey, Want],
    reports: dict[str, TrackerReport], *, dry: bool,
) -> FirstLinks:  # fmt: skip
    """Bind what links.yaml says of trackers in which nothing is bound yet.

    A link that leads nowhere is told and stops nothing.  A tracker that cannot be asked is left out of this pass,
    since its tasks would be made a second time.  Raises UsageError where the file itself is wrong.
    """
    result = FirstLinks(dict(sites))
    with workspace.store.read() as tx:
        known = bindings(tx)
    empty = [name for name in sites if not any(one.ref.tracker == name for one in known)]
    file = links_file(workspace.config)
    links = trusted(file) if empty and file.exists() else ()
    for name in empty:
        mine = [one for one in links if one.tracker == name]
        if mine:
            _take(workspace, sites[name], mine, wants, result, reports, dry=dry)
    _strangers(workspace, links, empty, file, result)
    return result


def _take(
    workspace: Workspace, site: Site, links: Sequence[Link], wants: Mapping[TaskKey, Want], result: FirstLinks,
    reports: dict[str, TrackerReport], *, dry: bool,
) -> None:  # fmt: skip
    seen = Seen(site)
    read: dict[RemoteRef, RemoteTask] = {}
    with_errors(seen, lambda: read.update(_read(site, links)))
    found: list[Candidate | None] = []

    def look() -> None:
        found.extend(_candidate(workspace, site, one, wants, read, result) for one in links)

    with_errors(seen, look) if seen.ok else None
    if not seen.ok:
        del result.sites[site.name]
        reports[site.name] = TrackerReport(
            site.name, seen.state, str(seen.message), fix=seen.fix, message_said=seen.message
        )
        return
    for one in filter(None, found):
        problems = _would(workspace, one) if dry else _bind(workspace, one)
        if problems:
            _tell(workspace, result, site.name, problems)
        else:
            result.adopted.setdefault(site.name, []).append(Action("adopt", "in", one.key, one.shown))


def _read(site: Site, links: Iterable[Link]) -> dict[RemoteRef, RemoteTask]:
    """What each link leads to now, a moved task under its old place too."""
    answers = site.driver.fetch(sorted({RemoteRef(site.name, one.id) for one in links}))
    return {
        ref: one.task
        for ref, one in answers.items()
        if one.fate in (Fate.PRESENT, Fate.MOVED) and one.task is not None
    }


def _candidate(
    workspace: Workspace, site: Site, link: Link, wants: Mapping[TaskKey, Want], read: Mapping[RemoteRef, RemoteTask],
    result: FirstLinks,
) -> Candidate | None:  # fmt: skip
    place = f"links.yaml:{link.line}"
    want, task = wants.get(link.task), read.get(RemoteRef(site.name, link.id))
    problem = None
    if want is None or site.name not in want.trackers:
        said = say("no route leads {task} to {tracker}", task=str(link.task), tracker=site.name)
        problem = Problem(said, place=place, fix=say("change routes: in ticssync.yaml, or take the line out"))
    elif task is None:
        said = say("{tracker} shows no task {shown}", tracker=site.name, shown=link.shown or link.id)
        problem = Problem(
            said, place=place, fix=say("take the line out, or adopt another: ticssync task adopt")
        )
    if problem is not None or want is None or task is None:
        _tell(workspace, result, site.name, [problem] if problem else [])
        return None
    with workspace.store.read() as tx:
        known: tuple[Binding, ...] = bindings(tx)
    return Candidate(
        want, site, task, place, marked_already(site, workspace.config.workspace, link.task, known)
    )


def _would(workspace: Workspace, one: Candidate) -> list[Problem]:
    with workspace.store.read() as tx:
        return against(one, tx.workspace, bindings(tx), intents(tx, one.site.name))


def _bind(workspace: Workspace, one: Candidate) -> list[Problem]:
    with workspace.store.write() as tx:
        problems, _, _ = bind(
            tx, one, workspace.by("sync"), workspace.now, workspace.today.isoformat(), {"from": "links.yaml"}
        )
    return problems


def _tell(workspace: Workspace, result: FirstLinks, name: str, problems: Iterable[Problem]) -> None:
    said = workspace.text.said
    result.notices.setdefault(name, []).extend(
        {"id": "link", "level": "warn", "message": f"{one.place}: {said(one.message)}", "fix": said(one.fix)}
        for one in problems
    )


def _strangers(
    workspace: Workspace, links: Iterable[Link], empty: Sequence[str], file: Path, result: FirstLinks
) -> None:
    for one in links:
        if one.tracker not in workspace.config.trackers:
            said = say("ticssync.yaml has no tracker {name}", name=one.tracker)
            fix = say("correct the line in {file}, or take it out", file=str(file))
            _tell(workspace, result, empty[0], [Problem(said, place=f"links.yaml:{one.line}", fix=fix)])
