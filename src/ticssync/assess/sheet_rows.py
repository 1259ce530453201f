"""What a 確認票 says and what comes back: rows, answers, and the words both sides know.  Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Protocol

from ticssync.errors import say
from ticssync.model.assessment import Act, ActKind
from ticssync.model.binding import Binding, BindingState
from ticssync.model.canonical import date_text, digest
from ticssync.model.criterion import KeepMode, Words
from ticssync.model.evidence import Evidence
from ticssync.model.person import Person
from ticssync.model.state import Derived, State
from ticssync.model.task import Status
from ticssync.text import mark

HIDDEN: Final = "_ticssync"
KIND: Final = "confirmation-sheet"
FORM: Final = 1
"""The layout's number; a higher one was written by a newer version."""

HOLD: Final = Words("保留", "Hold")
VERDICTS: Final[Mapping[ActKind, Words]] = MappingProxyType(
    {
        ActKind.CONFIRM: Words("確認", "Confirm"),
        ActKind.RETURN: Words("差戻し", "Return"),
        ActKind.EXCLUDE: Words("対象外", "Exclude"),
    }
)
HEADS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "number": Words("番号", "No."),
        "title": Words("項目", "Item"),
        "assignees": Words("担当", "Assignee"),
        "reported": Words("報告", "Reported"),
        "evidence": Words("証跡", "Evidence"),
        "notes": Words("理由・注意", "Please note"),
        "verdict": Words("判定", "Decision"),
        "reason": Words("理由", "Reason"),
        "on": Words("確認日", "Decided on"),
    }
)
"""The columns in their order."""

ANSWERED: Final = ("verdict", "reason", "on")
"""The columns that the confirmer fills in."""

SIGNED: Final = Words("確認者氏名", "Name of the confirmer")
STATUS: Final[Mapping[Status | None, Words]] = MappingProxyType(
    {
        Status.TODO: Words("未着手", "To do"),
        Status.DOING: Words("作業中", "Doing"),
        Status.REVIEW: Words("レビュー中", "In review"),
        Status.DONE: Words("完了", "Done"),
        Status.WONT_DO: Words("実施しない", "Won't do"),
        None: Words("情報なし", "No information"),
    }
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence as the sheet names it.  `keep_mode` says whether it is paper or shown on site."""

    id: str
    name: str
    dated_on: date
    valid_until: date | None
    keep_mode: str
    sha256: str
    handed_in_by: str
    note: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One criterion as it is shown, in no language yet.

    `number` is the item's id, `working` the ids of the people it lies with and `assignees` their names,
    `statuses` one word per main task (None = its tracker does not say now), `act` the seq of the last act
    that stands (0 = none), `notes` sentences to be translated.
    """

    ref: str
    number: str
    title: Words
    working: tuple[str, ...]
    assignees: tuple[str, ...]
    statuses: tuple[Status | None, ...]
    proofs: tuple[Proof, ...]
    state: State
    evidence_state: str
    act: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetAnswer:
    """One row as it came back.

    `verdict` None = no answer (blank or 保留).  `on` None = the day was left empty.  `digest` is that of the
    facts that were shown, `cell` the place of the verdict ("G7").
    """

    criterion: str
    verdict: ActKind | None
    reason: str
    on: date | None
    digest: str
    cell: str


@dataclass(frozen=True, slots=True)
class SheetAnswers:
    """A 確認票 that came back.

    `person` is the id of whom it was made for, `exported_at` an aware instant, `signed` the name as it was
    written at the bottom (empty = not written).  Rows that a problem was found in are not among `answers`.
    """

    workspace: str
    sheet_id: str
    person: str
    exported_at: datetime
    answers: tuple[SheetAnswer, ...]
    signed: str = ""


class Shown(Protocol):
    """What is asked of a criterion's standing here (`ticssync.app.standing.Standing`)."""

    @property
    def ref(self) -> str:
        """`tics/T-14`."""

    @property
    def item(self) -> Mapping[str, Any]:
        """The item as the log holds it."""

    @property
    def derived(self) -> Derived:
        """State and reason."""

    @property
    def evidence_state(self) -> str:
        """The evidence's own state."""

    @property
    def late(self) -> bool:
        """Whether the due day has passed."""

    @property
    def due_on(self) -> str | None:
        """The due day as ISO text."""

    @property
    def act(self) -> Act | None:
        """The last act that stands."""

    @property
    def owner(self) -> str | None:
        """The person id it lies with where no task says."""

    @property
    def tasks(self) -> tuple[Binding, ...]:
        """Its tasks."""


def sheet_rows(
    standings: Iterable[Shown], evidence: Iterable[Evidence], people: Mapping[str, Person]
) -> tuple[SheetRow, ...]:
    """One row per standing, in the given order.  Withdrawn evidence is not shown."""
    held: dict[str, list[Evidence]] = {}
    for one in evidence:
        if not one.withdrawn:
            held.setdefault(one.criterion, []).append(one)
    return tuple(_row(one, held.get(one.ref, ()), people) for one in standings)


def facts_digest(row: SheetRow) -> str:
    """SHA-256 of the facts that a row shows, the same in both languages.

    It changes when a task's status, the evidence, the people, the item's words or a decision changes, and
    not because a day goes by.
    """
    return digest(
        {
            "ref": row.ref,
            "title": [row.title.ja, row.title.en],
            "working": list(row.working),
            "statuses": [one.value if one else None for one in row.statuses],
            "proofs": [_proof_facts(one) for one in row.proofs],
            "state": row.state.value,
            "evidence_state": str(row.evidence_state),
            "act": row.act,
        }
    )


def _proof_facts(proof: Proof) -> list[Any]:
    days = [proof.dated_on.isoformat(), date_text(proof.valid_until)]
    return [proof.id, proof.name, proof.sha256, *days, proof.keep_mode, proof.note, proof.readable]


def folded(text: str) -> str:
    """A word for comparison only: NFKC, no blanks around it, no capitals."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def written(day: date) -> str:
    """A day as the sheet writes it in both languages, the same as in the cells of 確認日."""
    return f"{day:%Y/%m/%d}"


def _row(one: Shown, held: Sequence[Evidence], people: Mapping[str, Person]) -> SheetRow:
    main = [task for task in one.tasks if task.role == "main"]
    working = _once([task.assignee for task in main if task.assignee] or ([one.owner] if one.owner else []))
    title = one.item["title"]
    return SheetRow(
        ref=one.ref,
        number=str(one.item["id"]),
        title=Words(title["ja"], title["en"]),
        working=working,
        assignees=tuple(people[person].name if person in people else person for person in working),
        statuses=tuple(_status(task) for task in main),
        proofs=tuple(map(_proof, sorted(held, key=lambda proof: (proof.dated_on, proof.name, proof.id)))),
        state=one.derived.state,
        evidence_state=one.evidence_state,
        act=one.act.seq if one.act else 0,
        notes=tuple(_notes(one)),
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _status(task: Binding) -> Status | None:
    """What the tracker says, as far as it can be trusted now."""
    return Status(task.status) if task.status and task.state is BindingState.LIVE else None


def _proof(held: Evidence) -> Proof:
    return Proof(
        held.id,
        held.name,
        held.dated_on,
        held.valid_until,
        held.keep_mode,
        held.sha256,
        held.handed_in_by,
        held.note if held.keep_mode in (KeepMode.PAPER, KeepMode.ON_SITE) else "",
        held.readable,
    )


def _notes(one: Shown) -> Iterable[str]:
    if one.derived.state is State.EXCLUSION_PROPOSED:
        yield say("The assignee proposes to leave this out. Choose “Exclude” or “Return”, with a reason.")
    if one.derived.state in (State.UNKNOWN, State.EXPIRED):
        yield say("Please look again: {why}.", why=one.derived.reason)
    if one.act is not None and one.act.kind in _BEFORE:
        told = _BEFORE[one.act.kind]
        yield say(told, day=written(one.act.on), name=one.act.person_name, reason=one.act.reason)
    if one.late and one.due_on:
        yield say("The due day {day} has passed.", day=written(date.fromisoformat(one.due_on)))


_BEFORE: Final = {
    ActKind.CONFIRM: mark("Confirmed before on {day} by {name}."),
    ActKind.RETURN: mark("Returned on {day} by {name}: {reason}"),
    ActKind.EXCLUDE: mark("Excluded before on {day} by {name}: {reason}"),
}
