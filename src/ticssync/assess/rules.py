"""Who may confirm, return or exclude, and whom it waits for.  Pure.

A consultant or auditor never decides, whatever else they are.  Who did the work or handed in the proof may
confirm it, but it is written down as 自己確認.  Who enters an act on the command line for somebody else
(代行入力) shows the paper that it stands on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ticssync.errors import Problem, say
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import Binding
from ticssync.model.person import Person, Role
from ticssync.yamlfile import nearest

if TYPE_CHECKING:
    from ticssync.config.people import Organisation

NOT_YET: Final = datetime.min.replace(tzinfo=timezone.utc)
"""`at` of an act that is not recorded: the log gives the real instant."""

DECIDES: Final = (Role.MANAGER, Role.EXECUTIVE)
NEVER: Final = (Role.CONSULTANT, Role.AUDITOR)
_NEEDS_REASON: Final = frozenset({ActKind.RETURN, ActKind.EXCLUDE})
_HAS_END: Final = frozenset({ActKind.CONFIRM, ActKind.EXCLUDE})


class Waiting(Protocol):
    """What is asked of a criterion's standing here (`ticssync.app.standing.Standing`)."""

    @property
    def ref(self) -> str:
        """`tics/T-14`."""

    @property
    def waits(self) -> bool:
        """Whether a named person has something to decide."""

    @property
    def owner(self) -> str | None:
        """The person id that the work lies with."""

    @property
    def tasks(self) -> tuple[Binding, ...]:
        """Its tasks."""


WaitingT = TypeVar("WaitingT", bound=Waiting)


@dataclass(frozen=True, slots=True)
class Request:
    """An act that somebody asks to be recorded.

    `person` is the id of whom it is claimed for, `on` the day that person gives, `until` the last day it is
    to hold (None = no end), `proof` the SHA-256 of the proof file (empty = none).
    """

    kind: ActKind
    criterion: str
    person: str
    channel: str
    on: date
    until: date | None
    reason: str
    proof: str
    cycle: str = ""
    part: str = ""


def check_act(
    request: Request,
    *,
    people: Mapping[str, Person],
    roles_of: tuple[Role, ...],
    assignees: Collection[str],
    handed_in_by: Collection[str],
    actor_person: str | None,
    today: date,
    confirmable: bool,
    reason_not: str,
) -> tuple[Act | None, list[Problem]]:
    """(the act as it may be recorded, or None; everything that speaks against it).

    `roles_of`: the roles that the person holds for this item on the day `request.on`.  `assignees` and
    `handed_in_by` are person ids or accounts.  `actor_person`: whose account really acts, None = unknown.
    `confirmable` and, where not, `reason_not` (a `Said`) are looked at for a confirmation only.  The act
    has no actor yet, seq 0 and `at` = `NOT_YET`: recording gives the last two.
    """
    person = people.get(request.person)
    problems = [
        *_unknown(request, people),
        *(_role(person, roles_of, request.on) if person else ()),
        *_reason(request),
        *_days(request, today),
        *_proof(request, actor_person),
    ]
    if request.kind is ActKind.CONFIRM and not confirmable:
        problems.append(
            Problem(
                say("{criterion} cannot be confirmed: {why}", criterion=request.criterion, why=reason_not)
            )
        )
    if person is None or problems:
        return None, problems
    own = _is_own(person, assignees, handed_in_by)
    return _act(request, person, _acting_role(roles_of, own=own), actor_person, own=own), []


def is_on_behalf(channel: str, person: str, actor_person: str | None) -> bool:
    """代行入力: typed on the command line from an account that is not the person's own (or nobody's)."""
    return channel == "cli" and actor_person != person


def _act(request: Request, person: Person, role: Role, actor_person: str | None, *, own: bool) -> Act:
    return Act(
        seq=0,
        kind=request.kind,
        criterion=request.criterion,
        cycle=request.cycle,
        person=person.id,
        person_name=person.name,
        role=role.value,
        actor="",
        channel=request.channel,
        on=request.on,
        at=NOT_YET,
        until=request.until,
        reason=request.reason,
        proof=request.proof,
        self_confirmed=own and request.kind in _HAS_END,
        on_behalf=is_on_behalf(request.channel, person.id, actor_person),
        part=request.part,
    )


def _is_own(person: Person, assignees: Collection[str], handed_in_by: Collection[str]) -> bool:
    """Whether the person did the work or brought the proof; both may be named by an account of theirs."""
    names = {person.id, person.mail, *person.accounts.values()} - {""}
    return not names.isdisjoint(assignees) or not names.isdisjoint(handed_in_by)


def _acting_role(roles: tuple[Role, ...], *, own: bool) -> Role:
    """The role the act is recorded in: the manager's own items are the executive's where one is both."""
    if Role.MANAGER not in roles or (own and Role.EXECUTIVE in roles):
        return Role.EXECUTIVE
    return Role.MANAGER


def _unknown(request: Request, people: Mapping[str, Person]) -> Iterable[Problem]:
    if request.person not in people:
        near = nearest(request.person, sorted(people)) or next(
            (one.id for one in people.values() if one.name == request.person), ""
        )
        yield Problem(
            say("people: names nobody called {name}", name=request.person),
            fix=say("did you mean {near}?", near=near) if near else say("add them under people:"),
        )


def _role(person: Person, roles: tuple[Role, ...], day: date) -> Iterable[Problem]:
    if Role.CONSULTANT in roles:
        yield Problem(
            say("{name} is a consultant here: a consultant advises and never decides", name=person.name)
        )
    if Role.AUDITOR in roles:
        yield Problem(say("{name} is an auditor here: an auditor looks and never decides", name=person.name))
    if not set(roles) & {*DECIDES, *NEVER}:
        yield Problem(
            say("{name} is neither manager nor executive for this on {day}", name=person.name, day=day),
            fix=say("name a manager or executive, or put the role into roles: with its days"),
        )


def _reason(request: Request) -> Iterable[Problem]:
    if request.kind in _NEEDS_REASON and not request.reason.strip():
        yield Problem(
            say("returning needs a reason: the member reads it")
            if request.kind is ActKind.RETURN
            else say("excluding needs a reason: the auditor reads it"),
            fix=say("--reason TEXT") if request.channel == "cli" else "",
        )


def _days(request: Request, today: date) -> Iterable[Problem]:
    if request.on > today:
        yield Problem(say("the day {day} lies in the future", day=request.on))
    if request.until is None:
        return
    if request.kind not in _HAS_END:
        yield Problem(say("only a confirmation or an exclusion can have a last day"))
    elif request.until <= request.on:
        early = say("the last day {until} is not after the day {on}", until=request.until, on=request.on)
        yield Problem(early)


def _proof(request: Request, actor_person: str | None) -> Iterable[Problem]:
    if is_on_behalf(request.channel, request.person, actor_person) and not request.proof:
        yield Problem(
            say("entered for somebody else (代行入力): this needs the signed paper or mail as proof"),
            fix=say("--proof FILE"),
        )


def waiting_for(
    standings: Iterable[WaitingT], organisation: Organisation, today: date
) -> dict[str, tuple[WaitingT, ...]]:
    """Person id → what waits for that person on that day, in the given order.

    It waits for the first manager of the criterion; what that manager works on goes to the first executive
    who does not.  Where there is none it stays with the manager (自己確認), where there is no manager it is
    the executive's.  What nobody may decide is in `nobody_for`.
    """
    found: dict[str, tuple[WaitingT, ...]] = {}
    for one in standings:
        person = confirmer_of(one, organisation, today) if one.waits else None
        if person is not None:
            found[person] = (*found.get(person, ()), one)
    return found


def nobody_for(
    standings: Iterable[WaitingT], organisation: Organisation, today: date
) -> tuple[WaitingT, ...]:
    """What waits although nobody who may decide it is named for that day."""
    return tuple(one for one in standings if one.waits and confirmer_of(one, organisation, today) is None)


def confirmer_of(one: Waiting, organisation: Organisation, today: date) -> str | None:
    """The person id that is to decide about this criterion, None where nobody is named."""
    working = {*(task.assignee for task in one.tasks if task.role == "main"), one.owner}
    item = one.ref.rpartition("/")[2]  # roles: in ticssync.yaml names items as T-14, without the scheme
    managers = _deciding(organisation, Role.MANAGER, item, today)
    executives = _deciding(organisation, Role.EXECUTIVE, item, today)
    if managers and managers[0] not in working:
        return managers[0]
    free = [person for person in executives if person not in working]
    return next(iter((*free, *managers, *executives)), None)


def _deciding(organisation: Organisation, role: Role, item: str, day: date) -> Sequence[str]:
    """Who holds the role and is not barred from deciding by another one."""
    return [
        person.id
        for person in organisation.holders(role, item, day)
        if not set(NEVER) & set(organisation.roles_of(person.id, item, day))
    ]
