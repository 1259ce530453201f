"""The members of a tracker's project as people of ticssync.yaml.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """One member: the person id that ticssync.yaml will use, the name, and the account's id there."""

    person: str
    name: str
    account: str


def members(people: Mapping[str, str], tracker: str, sets: Iterable[tuple[str, str]]) -> tuple[Member, ...]:
    """Members (account id → name) with person ids: the name where it is plain ASCII, else `p` and the account.

    Who was named by `--set people.ID.accounts.TRACKER=ACCOUNT` keeps that id.
    """
    named = {
        value: path.split(".")[1]
        for path, value in sets
        if re.fullmatch(rf"people\.[^.]+\.accounts\.{re.escape(tracker)}", path)
    }
    taken = {path.split(".")[1] for path, _ in sets if path.startswith("people.") and path.count(".") > 1}
    found = []
    for account, name in people.items():
        person = named.get(account) or _person_id(name, account, taken)
        taken.add(person)
        found.append(Member(person, name, account))
    return tuple(found)


def _person_id(name: str, account: str, taken: set[str]) -> str:
    short = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name.isascii() else ""
    if short and short[0].isalpha() and short not in taken:
        return short
    numbered = "p" + (re.sub(r"[^A-Za-z0-9]+", "", account) or "1")
    while numbered in taken:
        numbered += "_"
    return numbered


def as_people(found: Iterable[Member], tracker: str) -> dict[str, Any]:
    """The part `people:` of ticssync.yaml."""
    return {
        one.person: {"name": one.name or one.account, "accounts": {tracker: one.account}} for one in found
    }


def likely_owner(found: Sequence[Member], own_account: str) -> Member | None:
    """Whom to propose: the first member that is not the account ticssync itself uses."""
    return next((one for one in found if one.account != own_account), found[0] if found else None)
