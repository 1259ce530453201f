"""`confirm|return|exclude|withdraw` and `profile show|confirm`: named people's acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.deadlines import keep_proof
from ticssync.app.ledger import read_ledger
from ticssync.app.scope import scopes_now, take
from ticssync.app.settle import find_criterion
from ticssync.app.standing import Ledger, Standing, standings
from ticssync.app.sync_once import load_mappings
from ticssync.app.workspace import Workspace
from ticssync.assess.rules import Request, check_act
from ticssync.errors import Problem, UsageError, say
from ticssync.mapping import Mapping as TaskMapping
from ticssync.model.assessment import Act, ActKind
from ticssync.model.canonical import instant_text
from ticssync.model.person import Role
from ticssync.model.state import confirmable
from ticssync.model.task import Status
from ticssync.store import Transaction
from ticssync.store.acts import confirm_profile, record_act
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


def act(workspace: Workspace, wanted: Wanted, proof: Path | None = None) -> dict[str, Any]:
    """Check the person's role and the facts, then record the act.  Raises UsageError with every reason at once."""
    kept = keep_proof(workspace, proof) or wanted.proof
    mappings = load_mappings(workspace)
    with workspace.store.write() as tx:
        criterion = find_criterion(tx, wanted.criterion)
        ledger = read_ledger(tx)
        standing = next(one for one in standings(ledger) if one.ref == criterion)
        found, problems = checked(
            workspace, replace(wanted, criterion=criterion, proof=kept), ledger, standing
        )
        if found is None:
            raise UsageError(
                say("{criterion}: this act cannot be recorded", criterion=criterion), problems=problems
            )
        recorded = record(workspace, tx, found, standing, mappings)
    return {
        "event": recorded.seq, "criterion": criterion, "act": found.kind.value, "person": found.person, "person_name": found.person_name,
        "on": found.on.isoformat(), "self_confirmed": found.self_confirmed, "on_behalf": found.on_behalf, "proof": kept,
    }  # fmt: skip


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


def profile_show(workspace: Workspace) -> dict[str, Any]:
    """The JSON of `profile show`: every item, in or out, with the reason, and who confirmed the profile."""
    from ticssync.store.scopes import profile_acts

    scopes = scopes_now(workspace)
    with workspace.store.read() as tx:
        confirmed = profile_acts(tx)
    lang = workspace.around.lang
    items = [
        {
            "scheme": scheme,
            "id": item["id"],
            "title": item["title"][lang],
            "in_scope": item["in_scope"],
            "why": item["why"][lang],
            "applies_when": item["applies_when"],
        }
        for scheme, scope in scopes.items()
        for item in scope["items"]
    ]
    acts = {scheme: confirmed.get((scheme, scope["profile_digest"])) for scheme, scope in scopes.items()}
    return {
        "profile": workspace.config.profile.plain(),
        "confirmed": {scheme: _confirmed(one) for scheme, one in acts.items()},
        "items": items,
    }


def _confirmed(payload: dict[str, Any] | None) -> dict[str, Any] | None:
    if payload is None:
        return None
    return {
        name: payload.get(name)
        for name in ("person", "person_name", "role", "on", "reason", "proof", "on_behalf", "seq")
    }


def profile_confirm(
    workspace: Workspace, person: str, reason: str, on: date | None, proof: Path | None
) -> dict[str, Any]:
    """A named person confirms what the company handles: what is out of scope rests on it."""
    organisation, day = workspace.config.organisation, on or workspace.today
    roles = organisation.roles_of(person, "", day)
    on_behalf = actor_person(workspace) != person
    problems = list(_against_profile(workspace, person, roles, reason, day, on_behalf=on_behalf, proof=proof))
    if problems:
        raise UsageError(say("the profile cannot be confirmed this way"), problems=problems)
    kept = keep_proof(workspace, proof)
    scopes = scopes_now(workspace)
    role = next(one for one in roles if one in (Role.MANAGER, Role.EXECUTIVE))
    with workspace.store.write() as tx:
        take(tx, scopes, workspace.config, workspace.by(), workspace.today)
        seqs = []
        for scheme, scope in scopes.items():
            event = confirm_profile(
                tx, scheme, scope["profile_digest"], workspace.by("cli", person), person_name=organisation.people[person].name,
                role=role.value, on=day, reason=reason, proof=kept, on_behalf=on_behalf,
            )  # fmt: skip
            seqs.append(event.seq)
    return {"event": seqs[-1], "person": person, "on": day.isoformat(), "on_behalf": on_behalf, "proof": kept}


def _against_profile(
    workspace: Workspace,
    person: str,
    roles: Sequence[Role],
    reason: str,
    day: date,
    *,
    on_behalf: bool,
    proof: Path | None,
) -> Sequence[Problem]:
    problems = []
    if person not in workspace.config.organisation.people:
        problems.append(Problem(say("people: names nobody called {name}", name=person), place="--by"))
    elif Role.CONSULTANT in roles or Role.AUDITOR in roles:
        problems.append(Problem(say("a consultant or auditor never confirms"), place="--by"))
    elif not {Role.MANAGER, Role.EXECUTIVE} & set(roles):
        problems.append(
            Problem(say("{name} is neither manager nor executive on that day", name=person), place="--by")
        )
    if not reason.strip():
        problems.append(Problem(say("a reason is needed"), place="--reason"))
    if day > workspace.today:
        problems.append(Problem(say("{day} lies in the future", day=day.isoformat()), place="--on"))
    if on_behalf and proof is None:
        problems.append(
            Problem(
                say("entered by another account than {name}'s own: give the proof", name=person),
                place="--proof",
            )
        )
    return problems
