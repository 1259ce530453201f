"""`plan` and `sync`: one pass over the trackers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ticssync import __version__, log
from ticssync.app.collect import collect, collecting, remember_changed
from ticssync.app.conflict_words import conflict_note
from ticssync.app.created import write_created
from ticssync.app.display import display_for
from ticssync.app.first_links import take_first_links
from ticssync.app.leasing import USUAL, Pace, leased, under
from ticssync.app.ledger import read_ledger
from ticssync.app.scope import Scopes, anything_to_take, calendar, scopes_now, take
from ticssync.app.tracker_acts import take_tracker_acts
from ticssync.app.tracker_place import same_places
from ticssync.app.workspace import Workspace
from ticssync.config import TrackerPart
from ticssync.errors import EXIT_PRECEDENCE, Problem, TicssyncError, UsageError, say
from ticssync.mapping import Facts, find_mapping, load_mapping, render_task
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.canonical import digest, plain
from ticssync.model.key import TaskKey
from ticssync.plugin import AuthLost, Throttled, Unavailable, Unsafe
from ticssync.plugin.kinds import nobody_else
from ticssync.store import lease as leases
from ticssync.store.hub import hub_tasks
from ticssync.store.locker import Locker
from ticssync.store.working import memory as kept_memory
from ticssync.sync.actions import TrackerReport
from ticssync.sync.apply import Hands
from ticssync.sync.cycle import Order, Pass, remember, run
from ticssync.sync.state import HostMemory, Site, Want

STATE_EXIT = {"ok": 0, "unavailable": 3, "credentials": 4, "safety_stop": 5}


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """What the command asked for.  `only`: item ids or keys (empty = all); `trackers`: names (empty = all)."""

    only: tuple[str, ...] = ()
    trackers: tuple[str, ...] = ()
    read_only: bool = False
    dry: bool = False
    accept: str = ""
    retry_refused: bool = False


@dataclass
class SyncResult:
    """How the pass went, tracker by tracker."""

    reports: dict[str, TrackerReport] = field(default_factory=dict)
    duration_s: float = 0.0
    problems: Sequence[Problem] = ()
    artifacts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The first that applies of 5, 4, 2, 3, 1, 0."""
        codes = {STATE_EXIT[report.state] for report in self.reports.values()}
        if any(report.refusals or report.conflicts or report.rejected for report in self.reports.values()):
            codes.add(1)
        return next(code for code in EXIT_PRECEDENCE if code in codes or code == 0)

    def plain(self) -> dict[str, Any]:
        """The JSON shape."""
        return {
            "trackers": {name: report.plain() for name, report in self.reports.items()},
            "duration_s": round(self.duration_s, 3),
        }


def load_mappings(workspace: Workspace, *, item_ids: Sequence[str] = ()) -> dict[str, TaskMapping]:
    """The mapping of every tracker.  Raises UsageError with all problems of all files."""
    found, problems = {}, list[Problem]()
    for part in workspace.config.trackers.values():
        mapping, wrong = load_mapping(mapping_file(workspace, part), item_ids=item_ids)
        problems += wrong
        if mapping is not None:
            found[part.name] = mapping
    if problems:
        raise UsageError(say("the mapping is wrong"), problems=problems)
    return found


def mapping_file(workspace: Workspace, part: TrackerPart) -> Any:
    """The file of a tracker's `mapping:`."""
    config = workspace.config
    lang = config.language(workspace.around.lang)
    try:
        return find_mapping(part.mapping, root=config.root, scheme_pack=config.values.catalogs[0], lang=lang)
    except UsageError as error:
        place = config.located.problem(("trackers", part.name, "mapping"), error.message, error.fix)
        raise UsageError(say("the mapping is wrong"), problems=[place]) from error


def sync(workspace: Workspace, order: SyncOrder, pace: Pace = USUAL) -> SyncResult:
    """One pass.  A dry one needs no lease and writes nothing anywhere.

    Raises RetryLaterError where another process holds the lease, LeaseLostError where it was lost on the way.
    """
    started = time.monotonic()
    with workspace.store.read() as tx:
        workspace.check_place(tx)
    scopes = scopes_now(workspace)
    mappings = load_mappings(
        workspace, item_ids=[item["id"] for scope in scopes.values() for item in scope["items"]]
    )
    only = chosen_keys(order.only, scopes)
    result = SyncResult()
    if order.dry:
        _pass(workspace, order, scopes, mappings, only, result, None, pace)
    else:
        with leased(workspace, pace) as lease:
            held = under(workspace, lease)
            settle_in(held, scopes)
            _pass(held, order, scopes, mappings, only, result, lease, pace)
    _in_the_readers_language(result, workspace)
    result.duration_s = time.monotonic() - started
    return result


def _in_the_readers_language(result: SyncResult, workspace: Workspace) -> None:
    """The engine's own notices; a driver's have been said in it already."""
    said = workspace.text.said
    for report in result.reports.values():
        report.notices = [
            {**one, "message": said(one["message"]), "fix": said(one["fix"])} for one in report.notices
        ]


def chosen_keys(only: Sequence[str], scopes: Scopes) -> frozenset[TaskKey] | None:
    """`--only T-14,tics/T-20` as keys; None for all.  Raises UsageError for an unknown item."""
    if not only:
        return None
    known = {f"{scheme}/{item['id']}" for scheme, scope in scopes.items() for item in scope["items"]}
    keys, problems = set(), []
    for word in only:
        matches = [ref for ref in known if word in (ref, ref.partition("/")[2])]
        if len(matches) == 1:
            keys.add(TaskKey.parse(matches[0]))
        else:
            problems.append(
                Problem(
                    say("the catalogue has no item {item}", item=word),
                    place="--only",
                    fix=say("ticssync catalog list"),
                )
            )
    if problems:
        raise UsageError(say("--only names something that is not there"), problems=problems)
    return frozenset(keys)


def settle_in(workspace: Workspace, scopes: Scopes) -> None:
    """Take scope and certificates into the log, and remember where the store lives, where that is new."""
    with workspace.store.read() as tx:
        needed = tx.meta("place") is None or anything_to_take(tx, scopes, workspace.config, workspace.today)
    if not needed:
        return
    with workspace.store.write() as tx:
        if tx.meta("place") is None:
            tx.put_meta("place", workspace.place())
        take(tx, scopes, workspace.config, workspace.by(), workspace.today)


def _pass(
    workspace: Workspace, order: SyncOrder, scopes: dict[str, dict[str, Any]], mappings: Mapping[str, TaskMapping],
    only: frozenset[TaskKey] | None, result: SyncResult, lease: leases.Lease | None, pace: Pace,
) -> None:  # fmt: skip
    guard = _guard(workspace, lease)
    with workspace.store.read() as tx:
        ledger = read_ledger(tx, workspace.today)
        planned = {key: task.planned_on for key, task in hub_tasks(tx).items()}
        memories = {name: HostMemory(kept_memory(tx, name)) for name in workspace.config.trackers}
    # What is read in this pass counts as read today.
    ledger = read_now(ledger, workspace.today, tuple(workspace.config.trackers))
    sites = open_sites(workspace, mappings, memories, order.trackers, result.reports, guard)
    try:
        wants = wanted(workspace, scopes, mappings, planned, workspace.today)
        if only is not None:
            wants = {key: want for key, want in wants.items() if key in only or key in planned}
        there = same_places(workspace, sites, result.reports, dry=order.dry)
        links = take_first_links(workspace, there, wants, result.reports, dry=order.dry)
        if order.dry:
            # The pass itself binds them before it looks: what they stand for is not going to be made.
            wants = {key: want for key, want in wants.items() if key not in links.keys}
        hands = Hands(
            workspace.store,
            workspace.by("sync"),
            lease.token if lease else 0,
            guard,
            _review(workspace),
            Locker(workspace.config.path(workspace.config.values.locker)),
            pace.on_its_way_s,
            pace.request_s,
        )
        inner = Order(only, order.read_only, order.dry, order.accept, order.retry_refused)
        rules = collecting(sites, mappings)
        this = Pass(
            links.sites,
            wants,
            display_for(ledger, scopes),
            hands,
            inner,
            workspace.today,
            workspace.around.clock,
            result.reports,
            keep=remember_changed(rules),
            inputs=inputs_of(workspace, scopes, mappings) if links.sites == sites else "",
        )
        run(this)
        links.tell(result.reports)
        if not order.dry:
            write_created(workspace, result.reports)
            collect(workspace, this, rules)
            take_tracker_acts(workspace, this, mappings)
            remember(this)
        result.artifacts = {
            name: [os.path.normpath(path) for path in site.driver.artifacts()] for name, site in sites.items()
        }
    finally:
        for site in sites.values():
            site.driver.close()


def inputs_of(workspace: Workspace, scopes: Scopes, mappings: Mapping[str, TaskMapping]) -> str:
    """A digest of everything outside the store that tasks are made of; the day counts by itself."""
    config = workspace.config
    holidays = config.values.calendar.company_holidays
    parts = {
        "version": __version__,
        "config": config.values.model_dump_json(),
        "scopes": scopes,
        "mappings": {name: one.model_dump_json() for name, one in mappings.items()},
        "holidays": config.path(holidays).read_text("utf-8", "replace") if holidays else "",
        "language": config.language(workspace.around.lang),
    }
    return digest(plain(parts))


def read_now(ledger: Any, today: date, trackers: Sequence[str]) -> Any:
    """The ledger, with these trackers counted as read today."""
    from dataclasses import replace

    return replace(ledger, read_on={**ledger.read_on, **dict.fromkeys(trackers, today.isoformat())})


def _guard(workspace: Workspace, lease: leases.Lease | None) -> Callable[[], None]:
    def guard() -> None:
        if lease is not None:
            leases.check(workspace.store, lease)

    return guard


def _review(workspace: Workspace) -> Callable[[str, Sequence[Mapping[str, Any]]], str | None]:
    def review(tracker: str, actions: Sequence[Mapping[str, Any]]) -> str | None:
        answers = workspace.host.manager.hook.ticssync_review_plan(tracker=tracker, actions=actions)
        return next((str(answer) for answer in answers if answer), None)

    return review


def open_sites(
    workspace: Workspace,
    mappings: Mapping[str, TaskMapping],
    memories: Mapping[str, HostMemory],
    chosen: Sequence[str],
    reports: dict[str, TrackerReport],
    before_write: Callable[[], None] = nobody_else,
) -> dict[str, Site]:
    """Open the trackers; one that does not open is reported and stops no other.

    `before_write` is called directly before each request that may change something, and raises to stop it.
    The caller closes what was opened.  Raises UsageError for a tracker that the file does not name, before any
    is opened.
    """
    unknown = sorted(set(chosen) - set(workspace.config.trackers))
    if unknown:
        raise UsageError(
            say("ticssync.yaml has no tracker {name}", name=unknown[0]),
            fix=say("there are: {known}", known=", ".join(workspace.config.trackers)),
        )
    sites = {}
    names = {one: person.name for one, person in workspace.config.organisation.people.items()}
    for name, part in workspace.config.trackers.items():
        if chosen and name not in chosen:
            continue
        mapping = mappings[name]
        try:
            driver = workspace.host.open_tracker(
                workspace.config, part, mapping, memories[name], workspace.around.clock, mapping.language,
                before_write,
            )  # fmt: skip
        except (AuthLost, Throttled, Unavailable, Unsafe) as error:
            state = {AuthLost: "credentials", Unsafe: "safety_stop"}.get(type(error), "unavailable")
            reports[name] = TrackerReport(name, state, str(error))
            continue
        except TicssyncError as error:
            reports[name] = TrackerReport(name, "unavailable", error.message, fix=error.fix)
            continue
        except Exception as error:  # noqa: BLE001 - a plugin's bug must not stop the other trackers
            reports[name] = TrackerReport(name, "unavailable", driver_failed(name, error))
            continue
        owners = {field_name: mapping.owner(field_name).value for field_name in mapping.fields}
        statuses = {remote: status.value for remote, status in mapping.statuses.items()}
        told = conflict_note(mapping.language, names) if mapping.conflict_note else None
        sites[name] = Site(name, part.kind, driver, owners, memories[name], mapping.language, statuses, told)
    return sites


def driver_failed(tracker: str, error: Exception) -> str:
    """What is said of a plugin that raises what it should not, while it is handled: the log has the rest.

    What stands in the error is not told: it may be a token.
    """
    log.logger(tracker=tracker).error("driver failed", exc_info=True)
    return say("the driver of {tracker} failed: {kind}", tracker=tracker, kind=type(error).__name__)


def wanted(
    workspace: Workspace,
    scopes: Scopes,
    mappings: Mapping[str, TaskMapping],
    planned: Mapping[TaskKey, str],
    today: date,
) -> dict[TaskKey, Want]:
    """The tasks that should exist, each rendered by the mapping of each of its trackers."""
    config, days = workspace.config, calendar(workspace.config)
    failing: dict[str, Problem] = {}
    certificates = {one.scheme: one for one in config.certificates}
    found = {}
    for scheme, scope in scopes.items():
        certificate = certificates.get(scheme)
        for item in scope["items"]:
            route = config.route(item["id"])
            if not item["in_scope"] or route is None:
                continue
            key = TaskKey(scheme, item["id"])
            first = planned.get(key) or today.isoformat()
            facts = Facts(
                config.company, date.fromisoformat(first), item["owner"],
                certificate.issued_on if certificate else None, certificate.expires_on if certificate else None, days.working_day_before,
            )  # fmt: skip
            rendered = {}
            for name in (route[0], *route[1]):
                try:
                    if name in mappings:
                        rendered[name] = render_task(mappings[name], item, facts)
                except ValueError as error:
                    failing.setdefault(name, _unrenderable(workspace, name, error))
            found[key] = Want(
                key, route[0], route[1], first,
                {name: one.owned for name, one in rendered.items()}, {name: one.initial for name, one in rendered.items()},
            )  # fmt: skip
    if failing:
        raise UsageError(say("the mapping is wrong"), problems=tuple(failing.values()))
    return found


def _unrenderable(workspace: Workspace, tracker: str, error: ValueError) -> Problem:
    file = mapping_file(workspace, workspace.config.trackers[tracker])
    return Problem(error.args[0], str(file), fix=say("ticssync mapping check"))
