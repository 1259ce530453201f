"""`rebind` where the store is lost: a new one, from what stands in the trackers, links.yaml and (maybe) a bundle.

First everything is read and nothing is kept; then one transaction holds all that was found.  So whoever dies on the way
begins again, and a tracker that cannot be read leaves nothing half done.  Nothing is ever written to a tracker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from ticssync import log
from ticssync.app import rebind_bundle
from ticssync.app.display import display_for
from ticssync.app.leasing import leased, under
from ticssync.app.ledger import read_ledger
from ticssync.app.links import Link, links_file, trusted
from ticssync.app.places import read_mounts, wrong_place
from ticssync.app.rebind_bundle import FromBundle, Restored
from ticssync.app.rebind_links import BUNDLE, FILE, MARKER, Missing, Tie, Ties, doubtful, tie
from ticssync.app.rebind_reminders import count_as_sent
from ticssync.app.rebind_texts import stale_texts
from ticssync.app.rebind_values import Stands, agree, first_day
from ticssync.app.scope import calendar, current_scopes, take
from ticssync.app.sync_once import STATE_EXIT, load_mappings, open_sites, read_now, wanted
from ticssync.app.tracker_place import keep_place
from ticssync.app.workspace import Surroundings, Workspace, read_config
from ticssync.config import Config
from ticssync.errors import (
    CorruptStoreError,
    CredentialsError,
    Problem,
    RetryLaterError,
    SafetyStop,
    TicssyncError,
    UsageError,
    say,
)
from ticssync.host import Host, load_host, secret_values
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.binding import Base, BindingState
from ticssync.model.canonical import instant_text
from ticssync.model.key import Marker, TaskKey
from ticssync.model.task import Fields, RemoteTask
from ticssync.plugin import NotSupported, PreSend
from ticssync.store import Store, Transaction, working
from ticssync.store.acts import every_act
from ticssync.store.bindings import bindings, put_base
from ticssync.store.connection import store_file
from ticssync.store.duties import duty_records
from ticssync.store.evidence import evidence_of
from ticssync.store.hub import HubTask, put_hub
from ticssync.store.locker import Locker
from ticssync.sync.actions import TrackerReport
from ticssync.sync.identity import bound_payload
from ticssync.sync.look import Seen, look, ours, with_errors
from ticssync.sync.plan import desired
from ticssync.sync.state import HostMemory, Known, Site, Want


@dataclass
class Found:
    """All that was read before anything is kept."""

    scopes: dict[str, dict[str, Any]]
    mappings: Mapping[str, TaskMapping]
    wants: Mapping[TaskKey, Want]
    seens: dict[str, Seen]
    ties: dict[str, Ties]
    bundle: FromBundle | None = None
    files: int = 0

    def live(self, key: TaskKey) -> list[tuple[Site, Tie]]:
        """Where the task stands, main first."""
        order = self.wants[key].trackers
        return sorted(self._by_key.get(key, ()), key=lambda one: order.index(one[0].name))

    @cached_property
    def _by_key(self) -> dict[TaskKey, list[tuple[Site, Tie]]]:
        """All live places, gone through once: there may be thousands of tasks."""
        found: dict[TaskKey, list[tuple[Site, Tie]]] = {}
        for name, ties in self.ties.items():
            for one in ties.found:
                if one.state is BindingState.LIVE:
                    found.setdefault(one.key, []).append((self.seens[name].site, one))
        return found


@dataclass
class Rebuilt:
    """What came of it."""

    workspace: str
    store: str
    trackers: dict[str, dict[str, Any]] = field(default_factory=dict)
    restored: Restored | None = None
    bundle: FromBundle | None = None
    files: int = 0
    reminders: int = 0

    @property
    def open_ends(self) -> bool:
        """Whether there is something that a person has to look at."""
        return any(one["differences"] or one["not_found"] or one["notes"] for one in self.trackers.values())


def rebuild(
    around: Surroundings, *, bundle: Path | None = None, fingerprint: str = "", extra: tuple[object, ...] = ()
) -> Rebuilt:
    """Make the lost store again.

    Raises UsageError where a store with links stands already and where the bundle, links.yaml or the mapping is wrong,
    CorruptStoreError where a damaged store stands there, and by tracker: RetryLaterError, CredentialsError, SafetyStop
    where one cannot be read now.
    """
    config = read_config(around)
    log.set_up(secrets=secret_values(config), verbose=around.verbose)
    host = load_host(config.values.plugins, extra=extra)
    if problems := host.check(config):
        raise UsageError(say("the configuration is wrong: {file}", file=str(config.file)), problems=problems)
    _may_be_made(config, around)
    given = rebind_bundle.read_bundle(bundle, config, around.clock, fingerprint) if bundle else None
    with _looked(around, config, host, given) as found:
        if bundle is not None and given is not None:
            found.files = rebind_bundle.keep_files(bundle, given, _locker(config))
        with _made(around, config, host) as workspace, leased(workspace) as lease:
            return _keep(under(workspace, lease), found)


def _locker(config: Config) -> Locker:
    return Locker(config.path(config.values.locker))


# -- the place


def _may_be_made(config: Config, around: Surroundings) -> None:
    file = store_file(config.store_url)
    if file is not None:
        reason = wrong_place(file.parent, read_mounts())
        if reason is not None:
            raise CorruptStoreError(reason, fix=say("choose a folder on this machine's own disk"))
    store = _standing(config, around)
    if store is not None:
        try:
            with store.read() as tx:
                must_be_empty(tx, store.where)
        finally:
            store.close()


def _standing(config: Config, around: Surroundings) -> Store | None:
    """The store that is there, if one is."""
    file = store_file(config.store_url)
    if file is not None and (not file.exists() or not file.stat().st_size):
        return None
    if file is None:
        try:
            Store.check_vacant(config.store_url)
        except CorruptStoreError:
            return Store.open(config.store_url, config.workspace, around.clock)
        return None
    try:
        return Store.open(config.store_url, config.workspace, around.clock)
    except CorruptStoreError as error:
        fix = say(
            "if it cannot be saved: move {file} away (keep it), then run ticssync rebind again",
            file=str(file),
        )
        raise CorruptStoreError(error.message, fix=fix) from error


def must_be_empty(tx: Transaction, where: str) -> None:
    """A store that holds links, acts, evidence or duties is nobody's loss.  Raises UsageError."""
    if bindings(tx) or every_act(tx) or evidence_of(tx) or duty_records(tx):
        raise UsageError(
            say("a store with links stands here already: {where}", where=where),
            fix=say(
                "if this folder was moved or copied: ticssync rebind --moved, or --copied. If it is the wrong store: move it "
                "away (keep it), then ticssync rebind"
            ),
        )


@contextmanager
def _made(around: Surroundings, config: Config, host: Host) -> Iterator[Workspace]:
    store = _standing(config, around) or Store.create(config.store_url, config.workspace, around.clock)
    try:
        store.listener = host.tell
        yield Workspace(around, config, host, store)
    finally:
        store.close()


# -- reading


@contextmanager
def _looked(around: Surroundings, config: Config, host: Host, bundle: FromBundle | None) -> Iterator[Found]:
    """Everything read, with the drivers still open; the first tracker that cannot be read ends it."""
    workspace = Workspace(around, config, host, Store.memory(config.workspace, around.clock))
    scopes = current_scopes(config, workspace.today)
    mappings = load_mappings(
        workspace, item_ids=[item["id"] for scope in scopes.values() for item in scope["items"]]
    )
    links = trusted(links_file(config))
    wants = wanted(workspace, scopes, mappings, bundle.planned if bundle else {}, workspace.today)
    reports: dict[str, TrackerReport] = {}
    memories = {name: HostMemory() for name in config.trackers}
    sites = open_sites(workspace, mappings, memories, (), reports)
    try:
        seens = (
            {}
            if reports
            else {name: _seen(workspace, one, wants, links, bundle) for name, one in sites.items()}
        )
        all_read(reports, seens)
        found = Found(scopes, mappings, wants, seens, _tied(config, seens, wants, links, bundle), bundle)
        planned = _planned(found, config, bundle.planned if bundle else {}, workspace.today)
        found.wants = wanted(workspace, scopes, mappings, planned, workspace.today)
        yield found
    finally:
        for site in sites.values():
            site.driver.close()
        workspace.store.close()


def _tied(
    config: Config, seens: Mapping[str, Seen], wants: Mapping[TaskKey, Want], links: Sequence[Link],
    bundle: FromBundle | None,
) -> dict[str, Ties]:  # fmt: skip
    bound, dropped = (bundle.bound, bundle.dropped) if bundle else ((), frozenset())
    ties = {name: tie(seen, config.workspace, wants, links, bound, dropped) for name, seen in seens.items()}
    _strangers(links, ties)
    return ties


def _seen(
    workspace: Workspace, site: Site, wants: Mapping[TaskKey, Want], links: Sequence[Link], bundle: FromBundle | None
) -> Seen:  # fmt: skip
    need = doubtful(links, bundle.bound if bundle else (), site.name)
    seen = look(site, nothing_known(workspace.config.workspace), need, (), workspace.now)
    if seen.ok:
        with_errors(seen, lambda: _elsewhere(seen, workspace.config.workspace, wants))
    return seen


def nothing_known(workspace: str) -> Known:
    """As a store that holds nothing yet."""
    return Known(workspace, (), {}, {}, {}, (), {}, {}, {}, {}, {})


def _elsewhere(seen: Seen, workspace: str, wants: Mapping[TaskKey, Want]) -> None:
    """Tasks of ours that somebody moved out of the place that is listed."""
    here = {marker.key for task in seen.read.values() if (marker := ours(task, workspace)) is not None}
    missing = [
        str(Marker(workspace, key, 1))
        for key, want in wants.items()
        if seen.site.name in want.trackers and key not in here
    ]
    try:
        hits = seen.site.driver.find_by_marker(missing, PreSend()).hits if missing else {}
    except NotSupported:
        return
    for tasks in hits.values():
        seen.read |= {task.ref: task for task in tasks if task.ref not in seen.read}


def all_read(reports: Mapping[str, TrackerReport], seens: Mapping[str, Seen]) -> None:
    """Raises the worst of what keeps a tracker from being read, with all of them named."""
    wrong = [(one.state, name, one.message_said or one.message, one.fix) for name, one in reports.items()]
    wrong += [(one.state, name, one.message, one.fix) for name, one in seens.items() if not one.ok]
    if not wrong:
        return
    worst = max(STATE_EXIT[state] for state, *_ in wrong)
    kind: type[TicssyncError] = {3: RetryLaterError, 4: CredentialsError, 5: SafetyStop}[worst]
    error = kind(
        say("not every tracker could be read; nothing was made"),
        fix=say("put it right, then run ticssync rebind again"),
    )
    error.problems = tuple(Problem(message, place=name, fix=fix) for _, name, message, fix in wrong)
    raise error


def _strangers(links: Sequence[Link], ties: Mapping[str, Ties]) -> None:
    for one in links:
        if one.tracker not in ties and ties:
            said = say(
                "links.yaml, line {line}: ticssync.yaml has no tracker {name}",
                line=one.line or 0,
                name=one.tracker,
            )
            next(iter(ties.values())).notes.append(said)


def _planned(found: Found, config: Config, known: Mapping[TaskKey, str], today: date) -> dict[TaskKey, str]:
    """The day that each task first came up: as the bundle says, else the one that its due date tells of."""
    days, planned = calendar(config), dict(known)
    for key, want in found.wants.items():
        if key in planned:
            continue
        main = next((one.task for site, one in found.live(key) if site.name == want.main), None)
        mapping = found.mappings.get(want.main)
        override = mapping.overrides.get(key.item) if mapping else None
        rule = ((override and override.due) or mapping.due) if mapping else None
        if (
            main is not None
            and rule is not None
            and rule.anchor == "planned"
            and "due" in want.owned.get(want.main, {})
        ):
            day = first_day(main.fields.get("due"), rule.days, days.working_day_before, today)
            planned[key] = day.isoformat()
    return planned


# -- keeping


def _keep(workspace: Workspace, found: Found) -> Rebuilt:
    """All of it in one transaction."""
    by, today, given = workspace.by("rebind"), workspace.today, found.bundle
    result = Rebuilt(workspace.config.workspace, workspace.store.where, bundle=given, files=found.files)
    with workspace.store.write() as tx:
        must_be_empty(tx, workspace.store.where)
        origin = given.origin.plain() if given else None
        tx.append("store.rebuilt", workspace.config.workspace, by, {"bundle": origin})
        if given is not None:
            result.restored = rebind_bundle.take_facts(tx, given, by, _locker(workspace.config))
        take(tx, found.scopes, workspace.config, by, today)
        for name, ties in found.ties.items():
            _bind_all(tx, workspace, found, name, ties)
        conflicts = _agree_all(tx, workspace, found)
        for name, seen in found.seens.items():
            _tracker(tx, workspace, name, seen)
            result.trackers[name] = _told(name, found.ties[name], conflicts)
            keep_place(tx, workspace, name)
        result.reminders = count_as_sent(tx, workspace)
        tx.put_meta("place", workspace.place())
    return result


def _bind_all(tx: Transaction, workspace: Workspace, found: Found, name: str, ties: Ties) -> None:
    by = workspace.by("rebind")
    before = {one.ref: one for one in found.bundle.bound} if found.bundle else {}
    for one in ties.found:
        payload = bound_payload(one.task, one.generation, one.role, one.state)
        tx.append("task.bound", str(one.key), by, {**payload, "why": "rebound", "from": one.how})
        known = before.get(one.task.ref)
        status = one.task.fields.get("status")
        if known is not None and known.key == one.key and known.status and status and known.status != status:
            # A confirmed task that was opened again since must not count as confirmed.
            change = {"status": {"from": known.status, "to": status}}
            payload = {"tracker": name, "remote_id": one.task.ref.id, "direction": "in", "fields": change}
            tx.append("task.changed", str(one.key), by, payload)
        if one.state is BindingState.LIVE and one.task.marker is None:
            _without_marker(tx, workspace, name, one)
    for gone in ties.missing:
        if gone.held:
            empty = RemoteTask(gone.ref, {}, gone.shown)
            payload = bound_payload(empty, gone.generation, gone.role, gone.state)
            tx.append("task.bound", str(gone.task), by, {**payload, "why": "rebound", "from": gone.how})


def _without_marker(tx: Transaction, workspace: Workspace, name: str, one: Tie) -> None:
    """Whether the tracker would take one is not known: asking is a write, and a person's to order."""
    wanted = str(Marker(workspace.config.workspace, one.key, one.generation))
    why = say(
        "it stood without our marker when the store was made anew; ticssync sync --retry-refused sets it"
    )
    refusal: dict[str, Any] = {
        "tracker": name, "field": "marker", "wanted": wanted, "raw_found": None, "moves": [], "why": str(why),
    }  # fmt: skip
    tx.append("refusal.opened", str(one.key), workspace.by("rebind"), refusal)


def _agree_all(tx: Transaction, workspace: Workspace, found: Found) -> list[dict[str, Any]]:
    """Hub, bases and conflicts of every task; the conflicts as they were opened."""
    today = workspace.today
    ledger = read_now(read_ledger(tx, today), today, tuple(workspace.config.trackers))
    show = display_for(ledger, found.scopes)(ledger.bindings)
    dropped = found.bundle.dropped if found.bundle else frozenset()
    held = {one.task for ties in found.ties.values() for one in ties.missing if one.held}
    opened: list[dict[str, Any]] = []
    for key, want in found.wants.items():
        places = found.live(key)
        if not places and key not in held and key not in dropped:
            continue
        payload = {"on": want.planned_on, "main": want.main, "mirrors": list(want.mirrors)}
        tx.append("task.planned", str(key), workspace.by("rebind"), payload)
        hub = HubTask(key, planned_on=want.planned_on, dropped=key in dropped)
        stands = [
            Stands(
                site,
                one.task,
                desired(want, hub, site, show(key, site.language)),
                stale_texts(site, one.task),
            )
            for site, one in places
        ]
        agreed = agree(key, stands)
        put_hub(tx, replace(hub, values=agreed.values))
        for _, one in places:
            _put_base(tx, one.task, agreed.bases[one.task.ref])
        opened += agreed.conflicts
    _open_conflicts(tx, workspace, opened)
    return opened


def _put_base(tx: Transaction, task: RemoteTask, fields: Fields) -> None:
    put_base(tx, task.ref, Base(fields, task.version), seen=fields, local=fields)


def _open_conflicts(tx: Transaction, workspace: Workspace, opened: Sequence[dict[str, Any]]) -> None:
    for number, one in enumerate(opened, start=1):
        payload = {"id": f"C-{number:04d}", **{name: value for name, value in one.items() if name != "task"}}
        tx.append("conflict.opened", one["task"], workspace.by("rebind"), payload)


def _tracker(tx: Transaction, workspace: Workspace, name: str, seen: Seen) -> None:
    payload = {"kind": seen.site.kind, "on": workspace.today.isoformat()}
    tx.append("tracker.read", name, workspace.by("rebind"), payload)
    if seen.cursor is not None:
        working.put_cursor(tx, name, seen.cursor, instant_text(workspace.now))
    working.put_memory(tx, name, seen.site.memory.take())


# -- telling


def _told(name: str, ties: Ties, conflicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    live = [one for one in ties.found if one.state is BindingState.LIVE]
    return {
        "by_marker": ties.count(MARKER),
        "by_links": ties.count(FILE),
        "by_bundle": ties.count(BUNDLE),
        "copies": ties.count_state(BindingState.COPY),
        "detached": ties.count_state(BindingState.DETACHED),
        "without_marker": sum(1 for one in live if one.task.marker is None),
        "differences": sum(1 for one in conflicts if name in one["values"]),
        "not_found": [_gone(one) for one in ties.missing],
        "notes": list(ties.notes),
    }


def _gone(one: Missing) -> dict[str, Any]:
    return {
        "task": str(one.task), "id": one.ref.id, "key": one.shown, "named_by": one.how, "state": one.state.value,
        "held": one.held,
    }  # fmt: skip


__all__ = ["Found", "Rebuilt", "all_read", "must_be_empty", "nothing_known", "rebuild"]
