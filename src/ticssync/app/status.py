"""`status`: where the company stands, from the store alone."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from ticssync.app.hand_out import waiting
from ticssync.app.ledger import read_ledger
from ticssync.app.standing import Ledger, Standing, standings
from ticssync.app.workspace import Workspace
from ticssync.errors import UsageError, say
from ticssync.model.binding import Binding, BindingState
from ticssync.model.state import LABEL, PILE, Pile, State
from ticssync.store import Transaction
from ticssync.store.bindings import bindings
from ticssync.store.hub import hub_tasks
from ticssync.store.working import Conflict, Refusal, conflicts, refusals
from ticssync.text import Text


def status(workspace: Workspace, as_of: date | None = None) -> dict[str, Any]:
    """The JSON of `ticssync status`."""
    with workspace.store.read() as tx:
        refuse_past(tx, as_of)
        found = status_json(tx, workspace.text, as_of, today=workspace.today)
        # What waits to be written is no fact of the log: it is not part of what a replayed store says.
        hubs = {str(key): hub for key, hub in hub_tasks(tx).items()}
        for task in (task for one in found["criteria"] for task in one["tasks"]):
            hub = hubs.get(task["task"]) if task["role"] == "main" else None
            task["waiting"] = waiting(tx, workspace, hub) if hub else []
        return found


def refuse_past(tx: Transaction, as_of: date | None) -> None:
    """Looking back is not possible yet: acts and evidence of later days would be shown as if they had been."""
    if as_of is None:
        return
    first = read_ledger(tx).as_of
    if as_of < first:
        raise UsageError(
            say(
                "{day} lies before the last look at the trackers ({last})",
                day=as_of.isoformat(),
                last=first.isoformat(),
            ),
            fix=say("the bundles of that time say how things stood"),
        )


def status_json(
    tx: Transaction, text: Text, as_of: date | None = None, *, today: date | None = None
) -> dict[str, Any]:
    """Derived from the log's facts only: a store that the log was replayed into answers with the same bytes."""
    ledger = read_ledger(tx, as_of, today=today)
    found = standings(ledger)
    troubles = _troubles(conflicts(tx), refusals(tx), text)
    counted = Counter(one.derived.state for one in found)
    piles = Counter(pile_of(one) for one in found)
    return {
        "catalogs": [
            {
                "scheme": name,
                "edition": scope["edition"],
                "basis": scope["basis"][text.lang],
                "catalog": scope["catalog"],
                "digest": scope["digest"],
            }
            for name, scope in ledger.scopes.items()
        ],
        "as_of": ledger.as_of.isoformat(),
        "read_on": dict(sorted(ledger.read_on.items())),
        "summary": {state.value: counted[state] for state in State if counted[state]},
        "piles": {pile.value: piles[pile] for pile in Pile},
        "criteria": [_criterion(one, ledger, troubles, text) for one in found],
        "copies": [_copy(one) for one in bindings(tx) if one.state is BindingState.COPY],
    }


def _copy(one: Binding) -> dict[str, str]:
    """A task with the marker of another one: it counts nowhere, and somebody should look at it."""
    return {"task": str(one.key), "tracker": one.ref.tracker, "key": one.display_key, "url": one.url}


def pile_of(one: Standing) -> Pile:
    """Where a manager finds it: what waits for them counts as waiting, whatever its state."""
    return Pile.WAITING if one.waits else PILE[one.derived.state]


def _troubles(
    open_conflicts: tuple[Conflict, ...], open_refusals: tuple[Refusal, ...], text: Text
) -> dict[tuple[str, str], list[str]]:
    """(task, tracker or "") → what a person has to settle."""
    found: dict[tuple[str, str], list[str]] = {}
    for conflict in open_conflicts:
        line = text(
            "conflict {id}: {field} was changed on several sides", id=conflict.id, field=conflict.field
        )
        found.setdefault((str(conflict.key), ""), []).append(line)
    for refusal in (one for one in open_refusals if not one.left):
        line = text("refused: {field} ({why})", field=refusal.field, why=refusal.why)
        found.setdefault((str(refusal.key), refusal.tracker), []).append(line)
    return found


def _criterion(
    one: Standing, ledger: Ledger, troubles: dict[tuple[str, str], list[str]], text: Text
) -> dict[str, Any]:
    act = one.act
    scope = ledger.scopes[one.scheme]
    people = scope.get("people", {})
    decided = act is not None and one.derived.state in (State.CONFIRMED, State.EXCLUDED, State.RETURNED)
    return {
        "scheme": one.scheme,
        "id": one.item["id"],
        "cycle": "",
        "title": one.item["title"][text.lang],
        "chapter": one.item["chapter"],
        "chapter_title": scope["chapters"][one.item["chapter"]][text.lang],
        "official_ref": one.item["official_ref"],
        "state": one.derived.state.value,
        "state_label": LABEL[one.derived.state].in_language(text.lang),
        "pile": pile_of(one).value,
        "reason": text.said(one.derived.reason),
        "late": one.late,
        "task_status": one.task_status,
        "evidence_state": one.evidence_state.value,
        "evidence_reason": text.said(one.evidence_reason),
        "confirmed_by": act.person_name if decided and act else None,
        "confirmed_on": act.on.isoformat() if decided and act else None,
        "confirmed_via": act.channel if decided and act else None,
        "entered_by": act.actor if decided and act else None,
        "act": act.kind.value if decided and act else None,
        "act_reason": act.reason if decided and act else None,
        "self_confirmed": act.self_confirmed if decided and act else None,
        "on_behalf": act.on_behalf if decided and act else None,
        "due_on": one.due_on,
        "owner": one.owner,
        "owner_name": people.get(one.owner or "", {}).get("name", ""),
        "basis": one.item["basis"],
        "in_scope": one.item["in_scope"],
        "why": one.item["why"][text.lang],
        "tasks": [_task(task, troubles) for task in one.tasks],
    }


def _task(one: Binding, troubles: dict[tuple[str, str], list[str]]) -> dict[str, Any]:
    key = str(one.key)
    return {
        "task": key,
        "part": one.key.part,
        "cycle": one.key.cycle,
        "role": one.role,
        "tracker": one.ref.tracker,
        "key": one.display_key,
        "url": one.url,
        "problems": [*one.problems, *troubles.get((key, ""), []), *troubles.get((key, one.ref.tracker), [])],
        "status": one.status,
        "raw_status": one.raw_status,
        "updated_at": one.updated_at,
        "binding": one.state.value,
    }
