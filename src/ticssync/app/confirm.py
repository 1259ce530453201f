"""`confirm|return|exclude|withdraw` and `profile show|confirm`: named people's acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ticssync.app.deadlines import keep_proof
from ticssync.app.ledger import read_ledger
from ticssync.app.named_acts import Wanted, actor_person, checked, record
from ticssync.app.scope import scopes_now, take
from ticssync.app.settle import find_criterion
from ticssync.app.standing import standings
from ticssync.app.sync_once import load_mappings
from ticssync.app.workspace import Workspace
from ticssync.errors import Problem, UsageError, say
from ticssync.model.person import Role
from ticssync.store.acts import confirm_profile


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


__all__ = ["Wanted", "act", "actor_person", "checked", "profile_confirm", "profile_show", "record"]
