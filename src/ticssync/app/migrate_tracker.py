"""`migrate`: a tracker stands somewhere else now; the links go with it, and nothing is written there.

A task is found by its marker, else by its id where it has no marker and its title is the one that was agreed on.  What
is not found is never made again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ticssync.app.leasing import leased, under
from ticssync.app.links import links_file, put_links, take_out, trusted
from ticssync.app.rebind_store import all_read, nothing_known
from ticssync.app.scope import scopes_now
from ticssync.app.sync_once import load_mappings, open_sites
from ticssync.app.tracker_place import is_it, keep_place
from ticssync.app.workspace import Workspace
from ticssync.errors import SafetyStop, UsageError, say
from ticssync.model.binding import Binding, BindingState
from ticssync.model.key import Marker
from ticssync.model.task import NO_FIELDS, Fields, RemoteRef, RemoteTask
from ticssync.plugin import NotSupported, PreSend
from ticssync.store import Transaction
from ticssync.store.bindings import bases, bindings
from ticssync.store.moves import move_tasks
from ticssync.store.remote_ids import left_behind
from ticssync.sync.actions import TrackerReport
from ticssync.sync.look import Seen, look, moment, ours, with_errors
from ticssync.sync.state import HostMemory

LOOKED_FOR = (BindingState.LIVE, BindingState.LOST)
PARKED_AS = {
    BindingState.LIVE: BindingState.TOMB,
    BindingState.LOST: BindingState.TOMB,
    BindingState.COPY: BindingState.DETACHED,
}
"""What stays behind under no id of the tracker's is looked for no more: only a person has it made again."""


@dataclass
class Matched:
    """Bound tasks with what they were found as: by their marker, by id and title, or not at all."""

    by_marker: dict[RemoteRef, RemoteTask] = field(default_factory=dict)
    by_title: dict[RemoteRef, RemoteTask] = field(default_factory=dict)
    missing: list[Binding] = field(default_factory=list)

    @property
    def found(self) -> dict[RemoteRef, RemoteTask]:
        """Old place → the task as it was read at the new one."""
        return {**self.by_marker, **self.by_title}

    @property
    def moves(self) -> dict[str, str]:
        """Old id → new id, where the two differ."""
        return {ref.id: task.ref.id for ref, task in self.found.items() if ref.id != task.ref.id}


def match(
    bound: Sequence[Binding], read: Mapping[RemoteRef, RemoteTask], workspace: str, agreed: Mapping[RemoteRef, Fields]
) -> Matched:  # fmt: skip
    """Which task is which.  Pure."""
    marked: dict[tuple[object, int], list[RemoteTask]] = {}
    for task in sorted(read.values(), key=lambda one: (len(one.ref.id), one.ref.id)):
        marker = ours(task, workspace)
        if marker is not None:
            marked.setdefault((marker.key, marker.generation), []).append(task)
    result = Matched()
    for one in bound:
        tasks = marked.get((one.key, one.generation), [])
        same = read.get(one.ref)
        if tasks:
            result.by_marker[one.ref] = same if same in tasks and same is not None else tasks[0]
        elif same is not None and is_it(same, one, workspace, agreed.get(one.ref, NO_FIELDS)):
            result.by_title[one.ref] = same
        else:
            result.missing.append(one)
    return result


def parked(bound: Sequence[Binding], moves: Mapping[str, str]) -> dict[str, Binding]:
    """Id to go on under → what does not move while another task takes its id: deleted tasks, copies, missing ones.

    Were it forgotten, the next sync would make the task again.  Pure.
    """
    used, taken = {one.ref.id for one in bound}, set(moves.values()) - set(moves)
    return {left_behind(one.ref.id, used): one for one in bound if one.ref.id in taken}


def migrate(
    workspace: Workspace, name: str, *, dry: bool = False, leave_missing: bool = False
) -> dict[str, Any]:
    """Find the tasks at the tracker's new place and move their links.

    Raises UsageError for a tracker that the file does not name or in which nothing is bound, SafetyStop where tasks
    are missing there (`leave_missing` goes on without them, but never without all of them), and what keeps the
    tracker from being read.
    """
    with workspace.store.read() as tx:
        workspace.check_place(tx)
        bound = [one for one in bindings(tx, name) if one.state in LOOKED_FOR]
        agreed = {ref: base.fields for ref, base in bases(tx, name).items()}
    if name in workspace.config.trackers and not bound:
        raise UsageError(
            say("no task is bound to a tracker {name}", name=name),
            fix=say("nothing has to be moved: ticssync sync"),
        )
    with _read_as_a_whole(workspace, name, bound) as seen:
        matched = match(bound, seen.read, workspace.config.workspace, agreed)
        told = _told(name, matched)
        if dry:
            return {**told, "event": None}
        _all_there(name, matched, leave_missing=leave_missing)
        with leased(workspace) as lease:
            return {**told, "event": _move(under(workspace, lease), name, matched)}


@contextmanager
def _read_as_a_whole(workspace: Workspace, name: str, bound: Sequence[Binding]) -> Iterator[Seen]:
    mappings = load_mappings(
        workspace,
        item_ids=[item["id"] for scope in scopes_now(workspace).values() for item in scope["items"]],
    )
    reports: dict[str, TrackerReport] = {}
    # What the driver put away is of the old place.
    memories = {each: HostMemory() for each in workspace.config.trackers}
    sites = open_sites(workspace, mappings, memories, (name,), reports)
    try:
        all_read(reports, {})
        seen = look(
            sites[name],
            nothing_known(workspace.config.workspace),
            {one.ref for one in bound},
            (),
            workspace.now,
        )
        if seen.ok:
            with_errors(seen, lambda: _elsewhere(seen, workspace.config.workspace, bound))
        all_read({}, {name: seen})
        yield seen
    finally:
        for site in sites.values():
            site.driver.close()


def _elsewhere(seen: Seen, workspace: str, bound: Sequence[Binding]) -> None:
    """Tasks that stand outside of the place that is listed."""
    here = {task.marker for task in seen.read.values()}
    asked = [str(Marker(workspace, one.key, one.generation)) for one in bound]
    missing = [marker for marker in asked if marker not in here]
    try:
        hits = seen.site.driver.find_by_marker(missing, PreSend()).hits if missing else {}
    except NotSupported:
        return
    for tasks in hits.values():
        seen.read |= {task.ref: task for task in tasks}


def _all_there(name: str, matched: Matched, *, leave_missing: bool) -> None:
    if not matched.found:
        raise SafetyStop(
            say(
                "none of {count} tasks is found in {tracker}: nothing was changed",
                count=len(matched.missing),
                tracker=name,
            ),
            fix=say("see whether url, project and account in ticssync.yaml are those of the new place"),
        )
    if matched.missing and not leave_missing:
        error = SafetyStop(
            say(
                "{count} of {all} tasks are not found in {tracker}: nothing was changed",
                count=len(matched.missing),
                all=len(matched.missing) + len(matched.found),
                tracker=name,
            ),
            fix=say(
                "finish the move and run it again; or go on without them: ticssync migrate {tracker} --leave-missing",
                tracker=name,
            ),
        )
        raise error


def _move(workspace: Workspace, name: str, matched: Matched) -> int:
    with workspace.store.write() as tx:
        bound = bindings(tx, name)
        known = {one.ref: one for one in bound if one.state in LOOKED_FOR}
        if set(known) != {*matched.found, *(one.ref for one in matched.missing)}:
            raise SafetyStop(
                say("the links of {tracker} have changed meanwhile: nothing was moved", tracker=name),
                fix=say("run it again"),
            )
        left = parked(bound, matched.moves)
        moves = matched.moves | {one.ref.id: ident for ident, one in left.items()}
        payload = {"moves": moves, "missing": [one.ref.id for one in matched.missing]}
        event = tx.append("tracker.moved", name, workspace.by(), payload)
        move_tasks(tx, name, moves)
        for ref, task in matched.found.items():
            _stands(tx, workspace, known[ref], task)
        for one in matched.missing:
            if one.ref.id not in moves:
                _state(tx, workspace, one, one.ref.id, BindingState.LOST)
        for ident, one in left.items():
            _state(tx, workspace, one, ident, PARKED_AS.get(one.state, one.state))
        # Whose word stands in a task's history was kept by its old id.
        tx.put_meta(f"confirmed_there.{name}", None)
        keep_place(tx, workspace, name)
        _links(workspace, name, matched, left.values())
    return event.seq


def _stands(tx: Transaction, workspace: Workspace, one: Binding, task: RemoteTask) -> None:
    payload: dict[str, Any] = {
        "tracker": task.ref.tracker, "remote_id": task.ref.id, "direction": "in", "updated_at": moment(task),
        "display_key": task.key, "url": task.url, "fields": {},
    }  # fmt: skip
    if (one.display_key, one.url) != (task.key, task.url):
        tx.append("task.changed", str(one.key), workspace.by(), payload)
    _state(tx, workspace, one, task.ref.id, BindingState.LIVE)


def _state(tx: Transaction, workspace: Workspace, one: Binding, ident: str, state: BindingState) -> None:
    if one.state is state:
        return
    payload = {
        "tracker": one.ref.tracker, "remote_id": ident, "from": one.state.value, "to": state.value, "why": "moved",
    }  # fmt: skip
    tx.append("task.state", str(one.key), workspace.by(), payload)


def _links(workspace: Workspace, name: str, matched: Matched, left: Iterable[Binding]) -> None:
    file = links_file(workspace.config)
    for gone in left if file.exists() else ():
        # Its id is another task's: two lines with one id would make the file wrong.
        if any((one.task, one.tracker, one.id) == (gone.key, name, gone.ref.id) for one in trusted(file)):
            take_out(file, gone.key, name)
    found = {(ref.tracker, ref.id): task for ref, task in matched.found.items() if ref.id != task.ref.id}
    lines = [
        replace(one, id=found[name, one.id].ref.id, shown=found[name, one.id].key)
        for one in (trusted(file) if file.exists() else ())
        if (one.tracker, one.id) in found
    ]
    if lines:
        put_links(file, lines, workspace.config.language(workspace.around.lang))


def _told(name: str, matched: Matched) -> dict[str, Any]:
    moved = {ref: task for ref, task in matched.found.items() if ref.id != task.ref.id}
    return {
        "tracker": name,
        "by_marker": len(matched.by_marker),
        "by_title": len(matched.by_title),
        "moved": [{"from": ref.id, "to": task.ref.id, "key": task.key, "url": task.url} for ref, task in moved.items()],
        "not_found": [
            {"task": str(one.key), "id": one.ref.id, "key": one.display_key} for one in matched.missing
        ],
    }  # fmt: skip
