"""`doctor`: every check ok, warn or fail, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from ticssync.app.discovery import Asking, compared_live
from ticssync.app.places import nearest_existing, read_mounts, readable_by_others, writable, wrong_place
from ticssync.app.processes import process_alive
from ticssync.app.scope import calendar, scopes_now
from ticssync.app.sync_once import driver_failed, load_mappings, mapping_file, open_sites
from ticssync.app.workspace import Surroundings, Workspace, open_workspace
from ticssync.assess.from_tracker import Sign, sign_of
from ticssync.bundle.keys import load_key
from ticssync.config import Config
from ticssync.errors import TicssyncError, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.person import Role
from ticssync.plugin import AuthLost, NotSupported, Throttled, Unavailable, Unsafe
from ticssync.store.connection import store_file
from ticssync.store.events import GENESIS, verify_chain
from ticssync.store.lease import read_lease, silent_for
from ticssync.store.server_check import findings
from ticssync.store.working import memory as kept_memory
from ticssync.sync.look import Seen, with_errors
from ticssync.sync.state import HostMemory, Site
from ticssync.text import Text

QUIET: Final = timedelta(days=3)
"""A workspace that has not been read for longer than this has probably lost its daemon."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `state` is ok, warn or fail; `fix` is what to do."""

    id: str
    state: str
    message: str
    fix: str = ""

    def plain(self, text: Text) -> dict[str, str]:
        """The JSON shape."""
        return {
            "id": self.id,
            "state": self.state,
            "message": text.said(self.message),
            "fix": text.said(self.fix),
        }


def doctor(around: Surroundings) -> dict[str, Any]:
    """The JSON of `doctor`.  Nothing is written, neither here nor in a tracker."""
    checks: list[Check] = []
    try:
        with open_workspace(around) as workspace:
            checks.append(Check("config", "ok", say("{file} is in order", file=str(workspace.config.file))))
            for name, examine in CHECKS:
                checks += _run(name, examine, workspace)
    except TicssyncError as error:
        checks.append(Check(error.code, "fail", error.message, error.fix))
        checks += [Check(error.code, "fail", around.text.problem(problem)) for problem in error.problems]
    return {"checks": [one.plain(around.text) for one in checks]}


def _run(name: str, examine: Callable[[Workspace], Iterator[Check]], workspace: Workspace) -> list[Check]:
    """One check's failure is a line, and stops no other check."""
    try:
        return list(examine(workspace))
    except TicssyncError as error:
        lines = [Check(name, "fail", error.message, error.fix)]
        return lines + [Check(name, "fail", workspace.text.problem(problem)) for problem in error.problems]
    except OSError as error:
        return [
            Check(
                name,
                "fail",
                say("{name}: {why}", name=str(error.filename or name), why=error.strerror or str(error)),
            )
        ]


def _places(workspace: Workspace) -> Iterator[Check]:
    config, mounts = workspace.config, read_mounts()
    own = _own_paths(config)
    for name, path in own.items():
        reason = wrong_place(path, mounts)
        if reason is not None:
            yield Check(f"places.{name}", "fail", reason, say("move it to this machine's own disk"))
    exposed = readable_by_others(own.values())
    if exposed:
        names = ", ".join(str(path) for path in exposed)
        yield Check(
            "places.rights",
            "fail",
            say("other accounts of this machine can read {names}", names=names),
            say("chmod go-rwx, or move it into a folder of your own"),
        )
    else:
        yield Check("places.rights", "ok", say("store, locker and keys are for this account only"))
    if not config.shared.is_dir():
        yield Check(
            "places.shared",
            "fail",
            say("the shared folder {path} is not there", path=str(config.shared)),
            say("connect the drive, or correct workspace: shared:"),
        )
    elif not writable(config.shared):
        yield Check(
            "places.shared",
            "fail",
            say("nothing can be written into the shared folder {path}", path=str(config.shared)),
            say("ask for the right to write there"),
        )
    else:
        yield Check(
            "places.shared", "ok", say("the shared folder {path} can be written", path=str(config.shared))
        )


def _own_paths(config: Config) -> dict[str, Path]:
    file = store_file(config.store_url)
    paths = {"locker": config.path(config.values.locker), "keys": config.path(config.values.keys)}
    # What lies in a folder that is closed to others is closed, whatever its own bits say.
    root = config.root
    closed = not readable_by_others([root])
    found = {**({"store": file} if file else {}), **paths}
    return (
        {"folder": root}
        if closed and all(path.is_relative_to(root) for path in found.values())
        else {name: nearest_existing(path) for name, path in found.items()}
    )


def _store(workspace: Workspace) -> Iterator[Check]:
    with workspace.store.read() as tx:
        events = tx.events()
        place, head = tx.meta("place"), tx.head()
    problems = verify_chain(events)
    last = (events[-1].seq, events[-1].hash) if events else (0, GENESIS)
    if head != last:
        said = say("the head names event {head}, the last one there is {last}", head=head[0], last=last[0])
        problems = (*problems, said)
    if problems:
        yield Check(
            "store.chain",
            "fail",
            say("the event log does not hold together: {what}", what=problems[0]),
            say("put your backup of the management folder back, and ask what happened"),
        )
    else:
        yield Check("store.chain", "ok", say("the event log holds together: {n} events", n=len(events)))
    if place is not None and place != workspace.place():
        yield Check(
            "store.place",
            "fail",
            say("this store was moved or copied: it was first used elsewhere"),
            say("ticssync rebind --moved or --copied"),
        )


def _server(workspace: Workspace) -> Iterator[Check]:
    """A store on a database server: what an admin has to have right there."""
    if workspace.store.on_server:
        for level, name, message, fix in findings(workspace.store):
            yield Check(f"store.{name}", level, message, fix)


def _people(workspace: Workspace) -> Iterator[Check]:
    organisation, today = workspace.config.organisation, workspace.today
    managers = organisation.holders(Role.MANAGER, "", today)
    if not managers:
        yield Check(
            "people.manager",
            "fail",
            say("nobody holds the role manager today"),
            say("roles: manager: [PERSON] in ticssync.yaml"),
        )
    else:
        yield Check(
            "people.manager", "ok", say("manager: {names}", names=", ".join(one.name for one in managers))
        )
    for one in managers:
        if not one.mail:
            yield Check(
                "people.mail",
                "warn",
                say("{name} has no mail address: reminders cannot reach them", name=one.name),
                say("people: mail:"),
            )
    if not organisation.holders(Role.EXECUTIVE, "", today):
        yield Check(
            "people.executive",
            "warn",
            say("nobody holds the role executive: the manager's own items have nobody else to confirm them"),
            say("roles: executive: [PERSON]"),
        )
    scopes = scopes_now(workspace)
    ownerless = [
        item["id"]
        for scope in scopes.values()
        for item in scope["items"]
        if item["in_scope"] and not item["owner"]
    ]
    if ownerless:
        yield Check(
            "people.owner",
            "warn",
            say(
                "{n} items have no owner: {ids}",
                n=len(ownerless),
                ids=", ".join(ownerless[:6]) + (" …" if len(ownerless) > 6 else ""),
            ),
            say('roles: owner: {{"*": PERSON}}'),
        )


def _certificates(workspace: Workspace) -> Iterator[Check]:
    if not workspace.config.certificates:
        yield Check(
            "certificates",
            "warn",
            say("no certificate is entered: no deadline can be watched"),
            say("certificates: in ticssync.yaml, once you hold one"),
        )
    for one in workspace.config.certificates:
        if one.expires_on < workspace.today:
            yield Check(
                f"certificates.{one.id}",
                "fail",
                say(
                    "the certificate {number} ran out on {day}",
                    number=one.number,
                    day=one.expires_on.isoformat(),
                ),
                say("enter the new one"),
            )
        elif not one.rules_confirmed:
            yield Check(
                f"certificates.{one.id}",
                "warn",
                say(
                    "the dates of report and renewal for {number} are defaults that {body} has not confirmed",
                    number=one.number,
                    body=one.body,
                ),
                say("ask the body, then set rules_confirmed: true"),
            )
    calendar(workspace.config)


def _mapping(workspace: Workspace) -> Iterator[Check]:
    scopes = scopes_now(workspace)
    mappings = load_mappings(
        workspace, item_ids=[item["id"] for scope in scopes.values() for item in scope["items"]]
    )
    unrouted = [
        item["id"]
        for scope in scopes.values()
        for item in scope["items"]
        if item["in_scope"] and workspace.config.route(item["id"]) is None
    ]
    if unrouted:
        yield Check(
            "mapping.routes",
            "warn",
            say("{n} items go to no tracker: {ids}", n=len(unrouted), ids=", ".join(unrouted[:6])),
            say('routes: with criteria: "*" at the end'),
        )
    differences = [one for name in mappings for one in _live_differences(workspace, name, mappings[name])]
    yield from differences
    if not any(one.state == "fail" for one in differences):
        yield Check("mapping", "ok", say("{n} mapping files are in order", n=len(mappings)))


def _live_differences(workspace: Workspace, name: str, mapping: TaskMapping) -> list[Check]:
    """The mapping against what the tracker offers.  That it cannot be asked is said by the tracker's own check."""
    part, text = workspace.config.trackers[name], workspace.text
    asking = Asking(workspace.around, workspace.host, workspace.config, part)
    if asking.lists_itself:
        return []
    try:
        found = compared_live(asking, mapping_file(workspace, part), mapping)
    except (TicssyncError, NotSupported):
        return []
    lines = [("fail", one) for one in found.problems] + [("warn", one) for one in found.warnings]
    return [
        Check(f"mapping.{name}", state, text.problem(replace(one, fix="")), one.fix) for state, one in lines
    ]


def _trackers(workspace: Workspace) -> Iterator[Check]:
    mappings = load_mappings(workspace)
    with workspace.store.read() as tx:
        memories = {name: HostMemory(kept_memory(tx, name)) for name in workspace.config.trackers}
    reports: dict[str, Any] = {}
    sites = open_sites(workspace, mappings, memories, (), reports)
    for name, report in reports.items():
        yield Check(f"tracker.{name}", "fail", report.message, report.fix)
    for name, site in sites.items():
        try:
            yield from _tracker(name, site.driver)
            yield from _confirming(workspace, mappings[name], site)
        finally:
            site.driver.close()


def _tracker(name: str, driver: Any) -> Iterator[Check]:
    try:
        try:
            principal = driver.whoami()
            if principal.admin:
                yield Check(
                    f"tracker.{name}.rights",
                    "warn",
                    say(
                        "{tracker}: the account is an administrator's; a plain member is enough", tracker=name
                    ),
                )
        except NotSupported:
            pass
        findings = driver.check()
    except (AuthLost, Throttled, Unavailable, Unsafe) as error:
        yield Check(f"tracker.{name}", "fail", str(error), getattr(error, "fix", ""))
        return
    except TicssyncError as error:
        yield Check(f"tracker.{name}", "fail", error.message, error.fix)
        return
    except Exception as error:  # noqa: BLE001 - a plugin's bug must not keep the other checks from running
        yield Check(f"tracker.{name}", "fail", driver_failed(name, error))
        return
    for finding in findings:
        yield Check(f"tracker.{name}.{finding.id}", finding.level.value, finding.message, finding.fix)
    if not any(finding.level.value == "fail" for finding in findings):
        yield Check(f"tracker.{name}", "ok", say("{tracker} answers", tracker=name))


def _confirming(workspace: Workspace, mapping: TaskMapping, site: Site) -> Iterator[Check]:
    """Whether a confirmer can confirm in this tracker as the mapping's `confirm_when` says."""
    sign, name, trial = sign_of(mapping), site.name, Seen(site)
    if sign is None:
        return
    found: list[Check] = []
    with_errors(trial, lambda: found.extend(_signs(name, sign, site)))
    # A tracker that does not answer has its own line already.
    yield from found
    managers = workspace.config.organisation.holders(Role.MANAGER, "", workspace.today)
    if not any(one.accounts.get(name) for one in managers):
        yield Check(
            f"tracker.{name}.confirmers",
            "warn",
            say("no manager has an account in {tracker}: nobody can confirm there", tracker=name),
            say("people: accounts: {{{tracker}: ACCOUNT}}", tracker=name),
        )


def _signs(name: str, sign: Sign, site: Site) -> Iterator[Check]:
    try:
        site.driver.history(())
    except NotSupported:
        message = say("{tracker} keeps no history: who confirmed there cannot be proven", tracker=name)
        yield Check(f"tracker.{name}.history", "warn", message, say("take confirm_when: out of the mapping"))
    try:
        schema = site.driver.schema()
    except NotSupported:
        return
    if sign.name == "status" and schema.statuses and sign.value not in schema.statuses:
        yield Check(
            f"tracker.{name}.confirm_when",
            "warn",
            say("confirm_when: {tracker} has no status {status}", tracker=name, status=sign.value),
            say("the tracker has {known}", known=_ids_with_names(schema.statuses)),
        )
    fields = [one.id for one in schema.fields]
    if sign.name != "status" and fields and sign.place not in fields:
        yield Check(
            f"tracker.{name}.confirm_when",
            "warn",
            say("confirm_when: {tracker} has no field {field}", tracker=name, field=sign.place),
            say(
                "the tracker has {known}",
                known=_ids_with_names({one.id: one.name for one in schema.fields}),
            ),
        )


def _ids_with_names(known: Mapping[str, str]) -> str:
    return ", ".join(ident if name in ("", ident) else f"{ident} ({name})" for ident, name in known.items())


def _channels(workspace: Workspace) -> Iterator[Check]:
    if not workspace.config.notify:
        yield Check(
            "notify",
            "warn",
            say("ticssync.yaml names no way to reach people"),
            say("notify: mail: or notify: folder:"),
        )
    for name in workspace.config.notify:
        channel = workspace.host.open_notifier(
            workspace.config, name, workspace.around.clock, workspace.around.lang
        )
        try:
            for finding in channel.check():
                yield Check(f"notify.{name}.{finding.id}", finding.level.value, finding.message, finding.fix)
        finally:
            channel.close()


def _keys(workspace: Workspace) -> Iterator[Check]:
    key = load_key(workspace.config.path(workspace.config.values.keys))
    yield Check("keys", "ok", say("the signing key is there: {fingerprint}", fingerprint=key.fingerprint))
    for name in workspace.config.secrets_in_file:
        yield Check(
            "secrets",
            "warn",
            say("{name} stands in ticssync.yaml", name=name),
            say("put it into the environment or a --secrets-dir folder"),
        )


def _daemon(workspace: Workspace) -> Iterator[Check]:
    with workspace.store.read() as tx:
        lease = read_lease(tx)
        from ticssync.store.working import read_days

        days = [day for day in read_days(tx).values() if day]
    if lease is not None:
        alive = lease.holder.host != workspace.around.host or process_alive(lease.holder.pid)
        quiet = silent_for(lease, workspace.now)
        state = "ok" if alive and quiet < 180 else "warn"
        yield Check(
            "daemon",
            state,
            say(
                "a process works on this workspace: {host}, {pid}, last sign of life {seconds} s ago",
                host=lease.holder.host,
                pid=lease.holder.pid,
                seconds=int(quiet),
            ),
        )
    if days and (workspace.today - _day(max(days))) > QUIET:
        yield Check(
            "daemon.quiet",
            "warn",
            say("the trackers were last read on {day}", day=max(days)),
            say("is the daemon running? ticssync daemon, or ticssync sync by hand"),
        )


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


CHECKS: Final[tuple[tuple[str, Callable[[Workspace], Iterator[Check]]], ...]] = (
    ("places", _places), ("store", _store), ("store.server", _server), ("people", _people),
    ("certificates", _certificates), ("mapping", _mapping),
    ("trackers", _trackers), ("notify", _channels), ("keys", _keys), ("daemon", _daemon),
)  # fmt: skip
