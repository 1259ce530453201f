"""Reading from the store what states derive from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ticssync.app.standing import PENDING, Ledger, StatusChange
from ticssync.model.binding import Binding, BindingState
from ticssync.model.key import TaskKey
from ticssync.model.task import RemoteRef
from ticssync.store import Transaction
from ticssync.store.acts import acts
from ticssync.store.bindings import bindings
from ticssync.store.evidence import evidence_of
from ticssync.store.scopes import evidence_seqs, profile_acts, scopes
from ticssync.store.working import read_days


def read_ledger(tx: Transaction, as_of: date | None = None, *, today: date | None = None) -> Ledger:
    """Everything for `status` in one moment.

    `as_of` defaults to the day of the last look at the trackers that hold tasks now (the earliest of several),
    so that a Monday morning does not read as an error; before the first look it is `today` (the company's).
    """
    found, confirmed, days = scopes(tx), profile_acts(tx), read_days(tx)
    bound = bindings(tx)
    used = {one.ref.tracker for one in bound if one.state is BindingState.LIVE and one.role == "main"}
    known = [day for name, day in days.items() if day and name in used]
    day = as_of or (date.fromisoformat(min(known)) if known else today or tx.now.date())
    all_acts = acts(tx)
    first = min((one.seq for one in all_acts), default=None)
    return Ledger(
        as_of=day,
        scopes=found,
        profile_confirmed={
            name: (name, payload["profile_digest"]) in confirmed for name, payload in found.items()
        },
        bindings=bound,
        acts=all_acts,
        evidence=evidence_of(tx),
        evidence_seq=evidence_seqs(tx),
        read_on=days,
        changes=status_changes(tx, first) if first is not None else (),
    )


def status_changes(tx: Transaction, since: int) -> tuple[StatusChange, ...]:
    """Every change of a task's status after event `since`."""
    found = []
    for event in tx.events(since=since, kind="task.changed"):
        change = event.data.get("fields", {}).get("status")
        if change:
            found.append(
                StatusChange(
                    event.seq,
                    TaskKey.parse(event.subject),
                    change["from"],
                    change["to"],
                    RemoteRef(event.data["tracker"], event.data["remote_id"]),
                )
            )
    return tuple(found)


def with_seen(ledger: Ledger, seen: tuple[Binding, ...], scopes_now: dict[str, dict[str, object]]) -> Ledger:
    """The ledger as it will be once what was just read is committed."""
    before = {one.ref: one.status for one in ledger.bindings}
    pending = tuple(
        StatusChange(PENDING, one.key, before[one.ref], one.status, one.ref)
        for one in seen
        if one.ref in before and before[one.ref] != one.status
    )
    return replace(ledger, scopes=scopes_now, bindings=seen, changes=(*ledger.changes, *pending))
