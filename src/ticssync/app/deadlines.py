"""What falls due: the duties of the certificates, the tasks' due dates, the periods of evidence."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from ticssync.app.files import write_file
from ticssync.app.ledger import read_ledger
from ticssync.app.scope import calendar
from ticssync.app.standing import Ledger, rule_of, standings
from ticssync.app.workspace import Workspace
from ticssync.deadlines.duties import Due, deadlines_json, duties
from ticssync.deadlines.ics import calendar_file
from ticssync.errors import Problem, UsageError, say
from ticssync.evidence.rules import evidence_state
from ticssync.model.certificate import Certificate, Duty, DutyRecord, DutyState
from ticssync.model.evidence import Evidence, EvidenceState
from ticssync.model.state import Pile
from ticssync.store import Transaction
from ticssync.store.duties import certificates, duty_records, record_duty
from ticssync.store.locker import Locker
from ticssync.yamlfile import nearest

HORIZON: Final = timedelta(days=400)
"""How far ahead evidence is listed; certificates are listed to their end."""


def current_duties(workspace: Workspace, today: date | None = None) -> tuple[Duty, ...]:
    """Every duty, soonest first.  Certificates come from the configuration, what was done from the store."""
    with workspace.store.read() as tx:
        return duties_in(tx, workspace, today or workspace.today)


def duties_in(tx: Transaction, workspace: Workspace, day: date) -> tuple[Duty, ...]:
    """As `current_duties`, inside a transaction."""
    # States speak of the last look: a tracker that was not read yet today hides nothing that is finished.
    ledger, done = read_ledger(tx, today=day), duty_records(tx)
    found: tuple[Certificate, ...] = workspace.config.certificates or certificates(tx)
    return duties(found, day, calendar(workspace.config), done, others=_others(ledger, day))


def _others(ledger: Ledger, today: date) -> list[Due]:
    from ticssync.app.status import pile_of

    found = []
    for one in standings(ledger):
        title = one.item["title"]["ja"]
        if one.due_on and pile_of(one) in (Pile.OPEN, Pile.WARNING) and one.tasks:
            found.append(
                Due(
                    "task_due",
                    one.ref,
                    f"{one.item['id']} {title}",
                    date.fromisoformat(one.due_on),
                    one.owner or "",
                    one.ref,
                )
            )
    return found + [
        Due("evidence_expiry", held.id, held.name, held.valid_until, "", held.criterion)
        for held in ledger.evidence
        if held.valid_until and held.valid_until <= today + HORIZON and _missed(ledger, held)
    ]


def _missed(ledger: Ledger, held: Evidence) -> bool:
    """Whether the item lacks proof once this piece has run out: what was replaced in time reminds nobody."""
    scheme, _, ident = held.criterion.partition("/")
    items = ledger.scopes.get(scheme, {}).get("items", ())
    item = next((one for one in items if one["id"] == ident), None)
    if held.withdrawn or held.valid_until is None or item is None or not item["in_scope"]:
        return False
    others = [one for one in ledger.evidence if one.criterion == held.criterion]
    after = evidence_state(rule_of(item), others, held.valid_until + timedelta(days=1))[0]
    return after is not EvidenceState.COMPLETE


def deadlines(workspace: Workspace, today: date | None = None) -> dict[str, Any]:
    """The JSON of `ticssync deadlines`."""
    day = today or workspace.today
    return deadlines_json(current_duties(workspace, day), day, workspace.text)


def done(
    workspace: Workspace, duty: str, on: date, proof: Path | None, state: DutyState, note: str = ""
) -> dict[str, Any]:
    """Record that a duty was submitted or accepted.  The proof file is kept in the locker."""
    known = {one.id: one for one in current_duties(workspace)}
    if duty not in known:
        near = nearest(duty, sorted(known))
        fix = say("did you mean {near}?", near=near) if near else say("ticssync deadlines")
        raise UsageError(say("there is no duty {duty}", duty=duty), fix=fix)
    if known[duty].kind in ("task_due", "evidence_expiry"):
        raise UsageError(
            say("{duty} ends with the task or the evidence itself", duty=duty),
            fix=say("report the task in its tracker, or hand in new evidence"),
        )
    if on > workspace.today:
        raise UsageError(
            say("{day} lies in the future", day=on.isoformat()),
            problems=[Problem(say("give the day it was submitted"), place="--on")],
        )
    kept = keep_proof(workspace, proof)
    with workspace.store.write() as tx:
        event = record_duty(tx, duty, DutyRecord(state, on, kept, note), workspace.by())
    return {"event": event.seq, "duty": duty, "state": state.value, "on": on.isoformat(), "proof": kept}


def keep_proof(workspace: Workspace, proof: Path | None) -> str:
    """Put a proof file into the locker; its SHA-256, or empty where there is none."""
    if proof is None:
        return ""
    try:
        with proof.open("rb") as stream:
            return Locker(workspace.config.path(workspace.config.values.locker)).put(stream).sha256
    except FileNotFoundError:
        raise UsageError(say("{file} does not exist", file=str(proof))) from None


def write_ics(workspace: Workspace, file: Path, today: date | None = None) -> Path:
    """The duties of the certificates as a calendar file."""
    shown = [one for one in current_duties(workspace, today) if one.certificate]
    content = calendar_file(
        shown,
        workspace=workspace.config.workspace,
        company=workspace.config.company,
        stamp=workspace.now,
        text=workspace.text,
    )
    write_file(file, content)
    return file
