"""A confirmation that stands in a tracker: what means "confirmed" there, and who set it.  Pure.

The tracker's own history is the proof.  Which act it makes is decided by the same rules as any other
(`ticssync.assess.rules`); here is only who it was, and what speaks against taking the entry at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Final

from ticssync.errors import say
from ticssync.mapping import Mapping
from ticssync.model.assessment import Act, ActKind
from ticssync.model.canonical import instant_text, storable_text
from ticssync.model.task import Fields, FieldValue, RemoteRef
from ticssync.plugin import FieldChange

if TYPE_CHECKING:
    from ticssync.config.people import Organisation

CHANNEL: Final = "tracker"
"""The way of such an act."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a confirmer does in the tracker to confirm.

    `name` is the canonical field (`status`, or the mapped one), `place` the tracker's own field, `value` the
    tracker's own value, `read_as` what a read of that value shows.
    """

    name: str
    place: str
    value: str
    read_as: str

    def stands(self, raw_status: str, fields: Fields) -> bool:
        """Whether a task that reads like this stands as confirmed."""
        if self.name == "status":
            return raw_status == self.value
        return self.name in fields and _text(fields[self.name]) in (self.read_as, self.value)

    def newest(self, history: Iterable[FieldChange]) -> FieldChange | None:
        """The last entry (of a history that is oldest first) that set it; None where nobody is seen to have."""
        set_here = [
            one for one in history if one.field == self.place and one.new in (self.value, self.read_as)
        ]
        return set_here[-1] if set_here else None


def sign_of(mapping: Mapping) -> Sign | None:
    """What `confirm_when` of a mapping names; None where it names nothing that the mapping has a field for."""
    rule = mapping.confirm_when
    if rule is None:
        return None
    if rule.status is not None:
        status = mapping.fields.get("status")
        return Sign("status", status.to, rule.status, rule.status) if status else None
    value = rule.value or ""
    name = next((name for name, field in mapping.fields.items() if field.to == rule.field), None)
    if name is None:
        return None
    return Sign(name, rule.field or "", value, mapping.values.get(name, {}).get(value, value))


def source_of(ref: RemoteRef, entry: FieldChange) -> str:
    """The one entry that an act was read from: it is never taken twice.  The instant is UTC."""
    return f"{CHANNEL}:{ref.tracker}:{ref.id}:{storable_text(entry.id)}:{instant_text(entry.at)}"


def _within(source: str) -> str:
    """A source without the tracker's name, which the company may change: the task and the entry stay the same."""
    return source.removeprefix(f"{CHANNEL}:").partition(":")[2] if source.startswith(f"{CHANNEL}:") else ""


def actor_of(tracker: str, entry: FieldChange) -> str:
    """The account that really acted, as the tracker shows it: `佐藤 花子 (1001)@redmine`, on one line."""
    name = " ".join(storable_text(entry.author_name).split())
    account = " ".join(storable_text(entry.author).split())
    return f"{name} ({account})@{tracker}" if name and name != account else f"{account}@{tracker}"


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that is this person's confirmation, on that day of the company's calendar."""

    person: str
    on: date


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why an entry is not taken, and what to do (both translatable)."""

    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Case:
    """One task that stands as confirmed in its tracker.

    `entry` set it there.  `acts` are all acts on the criterion, withdrawn ones too; `confirmed` says that a
    named person's confirmation holds now.  `touched_at` is the last moment at which the criterion's evidence
    is known to have changed.
    """

    ref: RemoteRef
    entry: FieldChange | None
    acts: Sequence[Act]
    confirmed: bool
    touched_at: datetime | None = None

    @property
    def evidence_changed(self) -> bool:
        """Whether there is evidence now that whoever set the entry cannot have seen."""
        return self.entry is not None and self.touched_at is not None and self.touched_at > self.entry.at


EVIDENCE_CHANGED: Final = say("the evidence has changed since")
AGAIN: Final = say("look at it, take it back in the tracker, and set it once more")


def who_confirms(
    case: Case, organisation: Organisation, own_ids: Collection[str], zone: tzinfo
) -> Claim | NotTaken | None:
    """Whose confirmation it is, or why it is none; None where it says nothing new.

    Nothing new is an entry that was taken before (withdrawn or not), one that a named person's later act has
    overtaken, and one of our own account on what is confirmed anyway.
    """
    entry = case.entry
    if entry is None:
        return None if case.confirmed else NotTaken(say("the history does not show who set it"), AGAIN)
    if _taken(case, entry) or _overtaken(case.acts, entry.at):
        return None
    if entry.author in own_ids:
        return None if case.confirmed else _our_own()
    person = organisation.by_account(case.ref.tracker, entry.author)
    if person is None:
        return _nobody(case.ref.tracker, entry)
    if case.evidence_changed:
        return NotTaken(EVIDENCE_CHANGED, AGAIN)
    return Claim(person, entry.at.astimezone(zone).date())


def confirmed_from(act: Act | None, ref: RemoteRef) -> bool:
    """Whether the act is a confirmation that was read from this task's history."""
    return act is not None and act.kind is ActKind.CONFIRM and _within(act.source).startswith(f"{ref.id}:")


def _taken(case: Case, entry: FieldChange) -> bool:
    return _within(source_of(case.ref, entry)) in {_within(one.source) for one in case.acts}


def _overtaken(acts: Iterable[Act], at: datetime) -> bool:
    # Acts out of a tracker are recorded after they happened: their instant orders nothing here.
    return any(one.at >= at for one in acts if one.channel != CHANNEL)


def _our_own() -> NotTaken:
    return NotTaken(
        say("ticssync's own account set it"), say("the confirmer sets it with an account of their own")
    )


def _nobody(tracker: str, entry: FieldChange) -> NotTaken:
    name = entry.author_name or entry.author
    return NotTaken(
        say("{name} (account {account}) is nobody in ticssync.yaml", name=name, account=entry.author),
        say(
            "if it is a confirmer: people: accounts: {{{tracker}: {account}}}",
            tracker=tracker,
            account=entry.author,
        ),
    )


def _text(value: FieldValue) -> str:
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
