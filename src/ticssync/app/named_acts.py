"""A named person's act, whichever way it came: checked by the one set of rules, and recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from ticssync.app.standing import Ledger, Standing
from ticssync.app.workspace import Workspace
from ticssync.assess.rules import Request, check_act
from ticssync.errors import Problem, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.assessment import Act, ActKind
from ticssync.model.canonical import instant_text
from ticssync.model.state import confirmable
from ticssync.model.task import Status
from ticssync.store import Transaction
from ticssync.store.acts import record_act
from ticssync.store.hub import NOTE, Wish, put_wish


@dataclass(frozen=True, slots=True)
class Wanted:
    """An act as a person asks for it.  `by` is the claimed person's id; `channel` cli, sheet or tracker."""

    kind: ActKind
    criterion: str
    by: str
    on: date | None = None
    until: date | None = None
    reason: str = ""
    proof: str = ""
    channel: str = "cli"
    cycle: str = ""
    part: str = ""


def checked(
    workspace: Workspace, wanted: Wanted, ledger: Ledger, standing: Standing
) -> tuple[Act | None, list[Problem]]:
    """The act, or what stands against it."""
    organisation, item = workspace.config.organisation, standing.item["id"]
    on = wanted.on or workspace.today
    request = Request(
        wanted.kind,
        standing.ref,
        wanted.by,
        wanted.channel,
        on,
        wanted.until,
        wanted.reason,
        wanted.proof,
        wanted.cycle,
        wanted.part,
    )
    if wanted.kind is ActKind.WITHDRAW and standing.act is None:
        return None, [Problem(say("there is no act on {criterion} to take back", criterion=standing.ref))]
    places = {("", ""), *((task.key.part, task.key.cycle) for task in standing.tasks)}
    if (wanted.part, wanted.cycle) not in places:
        where = say("{criterion} has no such part or cycle", criterion=standing.ref)
        return None, [Problem(where, place="--part, --cycle")]
    handed_in = {
        one.handed_in_by for one in ledger.evidence if one.criterion == standing.ref and not one.withdrawn
    }
    return check_act(
        request,
        people=organisation.people,
        roles_of=organisation.roles_of(wanted.by, item, on),
        assignees={one.assignee for one in standing.tasks if one.assignee},
        handed_in_by=handed_in,
        actor_person=actor_person(workspace),
        today=workspace.today,
        confirmable=confirmable(standing.facts),
        reason_not=standing.derived.reason if not standing.waits else standing.evidence_reason,
    )


def actor_person(workspace: Workspace) -> str | None:
    """Whose account is acting: `accounts: {os: NAME}` in ticssync.yaml says which account is a person's own."""
    return workspace.config.organisation.by_account("os", workspace.around.account)


def record(
    workspace: Workspace,
    tx: Transaction,
    found: Act,
    standing: Standing,
    mappings: dict[str, TaskMapping],
    source: str = "",
    actor: str = "",
) -> Act:
    """Write the act, and what it asks of the tracker: each status and note once, with the next sync.

    `source` names the line it was read from (sheet and row, or an entry of a task's history); `actor` is the
    account that really acted where it is not this process's own.
    """
    taken_back = standing.act.seq if found.kind is ActKind.WITHDRAW and standing.act else None
    recorded = record_act(
        tx, replace(found, actor=actor or workspace.around.actor, withdraws=taken_back, source=source)
    )
    for task in standing.tasks:
        mapping = mappings.get(task.ref.tracker)
        if mapping is None or task.role != "main":
            continue
        status = _asked_status(found.kind, standing.act, mapping)
        if status is not None:
            put_wish(tx, task.key, "status", Wish(status.value, instant_text(tx.now)))
        if found.kind in (ActKind.RETURN, ActKind.EXCLUDE):
            note = f"{found.person_name} {found.on.isoformat()}: {found.reason}"
            put_wish(tx, task.key, f"{NOTE}{instant_text(tx.now)}", Wish(note, instant_text(tx.now)))
    return recorded


def _asked_status(kind: ActKind, before: Act | None, mapping: TaskMapping) -> Status | None:
    """What an act asks of the tracker.  Taking an exclusion back opens the task again; taking a confirmation
    back leaves it as the member reported it."""
    excluded = before is not None and before.kind is ActKind.EXCLUDE
    asked = {
        ActKind.CONFIRM: mapping.on_confirm,
        ActKind.RETURN: mapping.on_return,
        ActKind.EXCLUDE: Status.WONT_DO,
        ActKind.WITHDRAW: Status.TODO if excluded else None,
    }[kind]
    return asked if asked in set(mapping.statuses.values()) else None
