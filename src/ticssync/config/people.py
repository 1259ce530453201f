"""Who holds which role on a day, and who owns a criterion.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ticssync.config.schema import ConfigFile, Holders
from ticssync.errors import Problem, say
from ticssync.model.person import Person, Role, RoleHolder
from ticssync.yamlfile import Located, model_problems, nearest

_HOLDERS: Final = TypeAdapter(Holders)


@dataclass(frozen=True, slots=True)
class Organisation:
    """`roles`: role → (pattern of criteria, holders in order); the first pattern that fits counts."""

    people: Mapping[str, Person] = field(default_factory=dict)
    roles: Mapping[Role, tuple[tuple[str, tuple[RoleHolder, ...]], ...]] = field(default_factory=dict)

    def holders(self, role: Role, criterion: str, day: date) -> tuple[Person, ...]:
        """Who holds the role for this criterion on that day, first the one who is meant, then the deputies."""
        for pattern, holders in self.roles.get(role, ()):
            if fnmatchcase(criterion, pattern) or (criterion == "" and pattern == "*"):
                return tuple(
                    self.people[one.person]
                    for one in holders
                    if one.holds_on(day) and one.person in self.people
                )
        return ()

    def owner(self, criterion: str, day: date) -> str | None:
        """The person id that owns the criterion, None where nobody is named."""
        return next((person.id for person in self.holders(Role.OWNER, criterion, day)), None)

    def roles_of(self, person: str, criterion: str, day: date) -> tuple[Role, ...]:
        """All roles that a person holds for this criterion on that day."""
        return tuple(
            role for role in Role if any(one.id == person for one in self.holders(role, criterion, day))
        )

    def by_account(self, tracker: str, account: str) -> str | None:
        """The person whose account this is."""
        return next(
            (person.id for person in self.people.values() if person.accounts.get(tracker) == account), None
        )


def organisation(located: Located, config: ConfigFile) -> tuple[Organisation, list[Problem]]:
    """(people and roles, problems such as a role held by somebody whom `people:` does not name)."""
    people = {
        name: Person(name, part.name, part.mail, dict(part.accounts)) for name, part in config.people.items()
    }
    roles: dict[Role, tuple[tuple[str, tuple[RoleHolder, ...]], ...]] = {}
    problems: list[Problem] = []
    for role, raw in config.roles.items():
        patterns = raw if isinstance(raw, dict) else {"*": raw}
        entries = []
        for pattern, value in patterns.items():
            path = ("roles", role.value, *((pattern,) if isinstance(raw, dict) else ()))
            holders, wrong = _holders(located, path, value)
            entries.append((str(pattern), holders))
            problems += wrong
            problems += _unknown(located, path, holders, people)
        roles[role] = tuple(entries)
    return Organisation(people, roles), [*problems, *_shared_accounts(located, people)]


def _shared_accounts(located: Located, people: Mapping[str, Person]) -> list[Problem]:
    """Two people with one account: what is done with it would be put down to whoever stands first."""
    holders: dict[tuple[str, str], str] = {}
    problems = []
    for person in people.values():
        for tracker, account in person.accounts.items():
            first = holders.setdefault((tracker, account), person.id)
            if first != person.id:
                problems.append(
                    located.problem(
                        ("people", person.id, "accounts", tracker),
                        say(
                            "{name} and {other} have the same account {account} in {tracker}",
                            name=first,
                            other=person.id,
                            account=account,
                            tracker=tracker,
                        ),
                        say("leave it with the one who uses it now"),
                    )
                )
    return problems


def _holders(
    located: Located, path: tuple[str, ...], value: Any
) -> tuple[tuple[RoleHolder, ...], list[Problem]]:
    try:
        parts = _HOLDERS.validate_python(value)
    except ValidationError as error:
        return (), model_problems(located, error, path)
    return tuple(RoleHolder(part.person, part.since, part.until) for part in parts), []


def _unknown(
    located: Located, path: tuple[str, ...], holders: tuple[RoleHolder, ...], people: Mapping[str, Person]
) -> list[Problem]:
    return [
        located.problem(
            path,
            say("people: names nobody called {name}", name=one.person),
            _did_you_mean(one.person, people),
        )
        for one in holders
        if one.person not in people
    ]


def _did_you_mean(name: str, known: Mapping[str, Person]) -> str:
    near = nearest(name, sorted(known))
    return say("did you mean {near}?", near=near) if near else say("add them under people:")
