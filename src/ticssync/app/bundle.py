"""`bundle export|verify`: the store's facts as one signed file for the auditor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ticssync import __version__
from ticssync.app import history as history_lines
from ticssync.app.deadlines import current_duties
from ticssync.app.ledger import read_ledger
from ticssync.app.status import refuse_past, status_json
from ticssync.app.workspace import Workspace
from ticssync.bundle.keys import load_key
from ticssync.bundle.layout import Plan, plan_bundle
from ticssync.bundle.snapshot import EvidenceItem, SnapshotInput
from ticssync.bundle.write import Exported, export
from ticssync.model.assessment import Act
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import plain
from ticssync.model.evidence import Evidence
from ticssync.store import Event, Transaction
from ticssync.store.bindings import bindings
from ticssync.store.locker import Locker
from ticssync.store.scopes import profile_acts
from ticssync.store.working import conflicts, refusals


def bundle_plan(workspace: Workspace, purpose: str, as_of: date | None, handling_class: str) -> Plan:
    """What would go into the bundle and what stays out."""
    return plan_bundle(
        snapshot(workspace, purpose, as_of, handling_class), locales=tracker_locales(workspace)
    )


def tracker_locales(_workspace: Workspace) -> tuple[Path, ...]:
    """Further message catalogues; none yet: what trackers say is kept in their own words."""
    return ()


def bundle_export(
    workspace: Workspace, folder: Path, purpose: str, as_of: date | None, handling_class: str
) -> Exported:
    """Write the bundle and record it: the export is the next event, with the bundle's digest."""
    plan = bundle_plan(workspace, purpose, as_of, handling_class)
    key = load_key(workspace.config.path(workspace.config.values.keys))
    locker = Locker(workspace.config.path(workspace.config.values.locker))
    openers: Mapping[str, Callable[[], BinaryIO]] = {
        one.id: partial(locker.open, one.sha256) for one in plan.snapshot.evidence if one.sha256
    }
    folder.mkdir(parents=True, exist_ok=True)
    done = export(plan, folder, key=key, exported_at=workspace.now, openers=openers)
    payload = {
        "sha256": done.sha256,
        "snapshot": done.snapshot,
        "purpose": purpose,
        "as_of": plan.snapshot.as_of.isoformat(),
        "key_fingerprint": done.key_fingerprint,
        "files": done.files,
    }
    with workspace.store.write() as tx:
        tx.append("bundle.exported", done.path.name, workspace.by(), payload)
    return done


def snapshot(workspace: Workspace, purpose: str, as_of: date | None, handling_class: str) -> SnapshotInput:
    """Everything that the bundle is made of, read in one moment."""
    duties = current_duties(workspace, as_of)
    with workspace.store.read() as tx:
        refuse_past(tx, as_of)
        ledger = read_ledger(tx, as_of, today=workspace.today)
        events = _before_exports(tx.events())
        people = {one.id: one.name for one in workspace.config.organisation.people.values()}
        return SnapshotInput(
            company=workspace.config.company, workspace=workspace.config.workspace, purpose=purpose, as_of=ledger.as_of,
            lang=workspace.around.lang, status=status_json(tx, workspace.text, ledger.as_of), scopes=ledger.scopes,
            profile_acts=[{"scheme": scheme, **payload} for (scheme, _), payload in sorted(profile_acts(tx).items())],
            acts=[_act(one) for one in ledger.acts], evidence=[evidence_item(one) for one in ledger.evidence],
            tickets=_tickets(tx, events, people, workspace.around.lang), refusals=[_refusal(one) for one in refusals(tx)],
            conflicts=[plain(asdict(one)) | {"task": str(one.key)} for one in conflicts(tx)],
            lost=[_lost(one) for one in ledger.bindings if one.state in (BindingState.LOST, BindingState.TOMB)],
            certificates=[plain_days(asdict(one)) for one in workspace.config.certificates],
            duties=[plain_days(asdict(one)) for one in duties if one.certificate],
            events=events, handling_class=handling_class, tool_version=__version__,
        )  # fmt: skip


def _before_exports(events: list[Event]) -> list[Event]:
    """Up to the last fact: exports at the end of the log name bundles, and would make each bundle another one."""
    while events and events[-1].kind == "bundle.exported":
        events = events[:-1]
    return events


def plain_days(value: Any) -> Any:
    """Dates as ISO text, everything else as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(name): plain_days(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_days(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def evidence_item(one: Evidence) -> EvidenceItem:
    """As the bundle knows it."""
    return EvidenceItem(**{name: getattr(one, name) for name in EvidenceItem.__dataclass_fields__})


def _act(one: Act) -> dict[str, Any]:
    return dict(plain_days({**asdict(one), "kind": one.kind.value}))


def _refusal(one: Any) -> dict[str, Any]:
    return {
        "task": str(one.key),
        "tracker": one.tracker,
        "field": one.field,
        "wanted": plain(one.wanted),
        "found": plain(one.found),
        "why": one.why,
        "at": one.at,
    }


def _lost(one: Binding) -> dict[str, Any]:
    return {
        "task": str(one.key),
        "tracker": one.ref.tracker,
        "key": one.display_key,
        "url": one.url,
        "state": one.state.value,
    }


def _tickets(
    tx: Transaction, events: list[Event], people: Mapping[str, str], lang: str
) -> list[dict[str, Any]]:
    told = [event for event in events if event.kind in history_lines.KINDS]
    by_place: dict[tuple[str, str], list[Event]] = {}
    for event in told:
        by_place.setdefault((event.data.get("tracker", ""), event.data.get("remote_id", "")), []).append(
            event
        )
    return [
        _ticket(one, by_place.get((one.ref.tracker, one.ref.id), []), people, lang)
        for one in bindings(tx)
        if one.state is not BindingState.COPY
    ]


def _ticket(one: Binding, events: Sequence[Event], people: Mapping[str, str], lang: str) -> dict[str, Any]:
    """A task as the log knows it: the fields as last seen or written there, and what happened."""
    fields: dict[str, Any] = {}
    for event in events:
        fields |= event.data.get("fields", {}) if event.kind == "task.bound" else {}
        if event.kind == "task.changed":
            fields |= {name: change["to"] for name, change in event.data.get("fields", {}).items()}
    if fields.get("assignee") in people:
        fields["assignee"] = people[fields["assignee"]]
    return {
        "tracker": one.ref.tracker,
        "key": one.display_key,
        "url": one.url,
        "task": str(one.key),
        "criterion": one.key.criterion,
        "fields": fields,
        "raw_status": one.raw_status,
        "binding": one.state.value,
        "history": [
            {"at": event.at, "actor": _who(event), "what": history_lines.line(event, people, lang)}
            for event in events
        ],
    }


def _who(event: Event) -> str:
    """Who made the change: what was taken in was somebody's edit in the tracker, not ours."""
    inbound = event.kind in ("task.overwritten", "task.state") or event.data.get("direction") == "in"
    return str(event.data["tracker"]) if inbound else event.actor
