"""Where a tracker is: a tracker that became another one under the same name must not be written to.

The ids that the store holds mean nothing there: they are other people's tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ticssync.app.workspace import Workspace
from ticssync.errors import say
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import digest, plain
from ticssync.model.task import NO_FIELDS, Fields, RemoteRef, RemoteTask
from ticssync.store import Transaction
from ticssync.store.bindings import bases, bindings
from ticssync.sync.actions import TrackerReport
from ticssync.sync.look import Seen, ours, with_errors
from ticssync.sync.state import Site

SAMPLE: Final = 20
"""So many tasks are looked at where the settings have changed."""


def place(workspace: Workspace, name: str) -> str:
    """Names the tracker's settings; only a digest, since an address may hold a password."""
    config = workspace.config
    part = config.trackers[name]
    settings, _ = workspace.host.tracker_settings(config.located, part)
    return digest(
        plain({"kind": part.kind, "settings": settings.model_dump(mode="json") if settings else {}})
    )


def keep_place(tx: Transaction, workspace: Workspace, name: str) -> None:
    """The tracker is there from now on."""
    tx.put_meta(_meta(name), place(workspace, name))


def _meta(name: str) -> str:
    return f"tracker_place.{name}"


def same_places(
    workspace: Workspace, sites: Mapping[str, Site], reports: dict[str, TrackerReport], *, dry: bool
) -> dict[str, Site]:
    """The trackers that are the ones in which the tasks are bound.

    Where the settings have changed, a few of the tasks must be there; if none is, the tracker is left out of this pass
    (exit 5) until a person says that it has moved.
    """
    now = {name: place(workspace, name) for name in sites}
    with workspace.store.read() as tx:
        kept = {name: tx.meta(_meta(name)) for name in sites}
        changed = {name for name, known in kept.items() if known not in (None, now[name])}
        bound = {name: _live(tx, name) for name in changed}
        agreed = {name: {ref: one.fields for ref, one in bases(tx, name).items()} for name in changed}
    safe = dict(sites)
    for name in changed:
        report = _looked(sites[name], workspace.config.workspace, bound[name], agreed[name])
        if report is not None:
            reports[name] = report
            del safe[name]
    news = [name for name in safe if kept[name] != now[name]]
    if news and not dry:
        with workspace.store.write() as tx:
            for name in news:
                tx.put_meta(_meta(name), now[name])
    return safe


def _live(tx: Transaction, name: str) -> list[Binding]:
    return [one for one in bindings(tx, name) if one.state is BindingState.LIVE]


def _looked(
    site: Site, workspace: str, bound: Sequence[Binding], agreed: Mapping[RemoteRef, Fields]
) -> TrackerReport | None:
    """What keeps the pass from going on there; None where nothing does."""
    seen, found = Seen(site), list[Binding]()
    step = max(1, len(bound) // SAMPLE)
    some = list(bound)[::step][:SAMPLE]

    def ask() -> None:
        answers = site.driver.fetch([one.ref for one in some])
        for one in some:
            task = answers[one.ref].task if one.ref in answers else None
            if task is not None and is_it(task, one, workspace, agreed.get(one.ref, NO_FIELDS)):
                found.append(one)

    if some:
        with_errors(seen, ask)
    if not seen.ok:
        return TrackerReport(
            site.name, seen.state, str(seen.message), fix=seen.fix, message_said=seen.message
        )
    if found or not some:
        return None
    message = say(
        "the settings of {tracker} have changed, and none of {count} tasks is found there: it seems to be another tracker",
        tracker=site.name,
        count=len(some),
    )
    fix = say(
        "put the settings back; or, if it moved: ticssync migrate {tracker} --dry-run", tracker=site.name
    )
    return TrackerReport(site.name, "safety_stop", str(message), fix=fix, message_said=message)


def is_it(task: RemoteTask, one: Binding, workspace: str, agreed: Fields) -> bool:
    """Whether this is the bound task: by its marker, else, where it has none, by the title that was agreed on."""
    marker = ours(task, workspace)
    if marker is not None or task.marker:
        return marker is not None and (marker.key, marker.generation) == (one.key, one.generation)
    return "title" in agreed and task.fields.get("title") == agreed["title"]
