"""What a bundle speaks of: one company on one day, as plain frozen values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ticssync.model.criterion import Words
from ticssync.model.evidence import Evidence

if TYPE_CHECKING:
    # Importing the store at run time would load SQLAlchemy with it.
    from ticssync.store.events import Event

Row = Mapping[str, Any]

OPEN_FIRST: Final = (
    "unknown",
    "fetch_failed",
    "expired",
    "reported_without_evidence",
    "returned",
    "exclusion_proposed",
    "not_started",
    "in_progress",
    "reported",
    "confirmed",
    "excluded",
    "not_applicable",
)
"""States in the order an auditor wants to see them: what is open or not known stands first."""

CLOSED: Final = frozenset({"confirmed", "excluded", "not_applicable"})

NO_CLASS: Final = Words(
    "機密区分がないため、社外に出していません", "It has no confidentiality class, so it stays in the house"
)
WITHDRAWN: Final = Words("取り下げられた証跡です", "The evidence was withdrawn")
HASH_ONLY: Final = Words(
    "ハッシュ値だけを収めています（原本は社内）", "Only its hash is inside (the original stays in the house)"
)
ON_SITE: Final = Words("現地でお見せします", "It is shown on site")
PAPER: Final = Words("紙の原本です。現地でお見せします", "It is paper and is shown on site")
NOT_READABLE: Final = Words("読み取れない証跡と記録されています", "It is recorded as unreadable")
_BY_KEEP_MODE: Final = {"hash_only": HASH_ONLY, "on_site": ON_SITE, "paper": PAPER}


@dataclass(frozen=True, slots=True)
class EvidenceItem(Evidence):
    """One piece of evidence as the company recorded it, and what a bundle may show of it.

    `evidence_class` empty means that nobody gave it a confidentiality class: then it never leaves the house.
    """

    @property
    def stays_out(self) -> Words | None:
        """Why the bytes do not go into a bundle; None where they do."""
        if self.withdrawn:
            return WITHDRAWN
        if not self.evidence_class:
            return NO_CLASS
        if self.keep_mode != "copy":
            return _BY_KEEP_MODE.get(self.keep_mode, HASH_ONLY)
        return None if self.readable and self.sha256 else NOT_READABLE

    @property
    def shows_name(self) -> bool:
        """Whether name and note may be shown: without a class they stay in the house like the bytes."""
        return bool(self.evidence_class)

    def expired_on(self, day: date) -> bool:
        """Whether its last good day lies before `day`."""
        return self.valid_until is not None and self.valid_until < day


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not in the bundle, and why.  `what` names it for the company's own eyes."""

    what: str
    why: Words


@dataclass(frozen=True, slots=True)
class SnapshotInput:
    """Everything a bundle is made of.  Equal values give equal bytes.

    `as_of` is the day the states speak of; `lang` ("ja" or "en") is the language shown first; `status` is
    the JSON of `ticssync status`; `scopes` hold per scheme the criteria as they were taken, with their
    profile.  `events` are all events before the export, in order.
    """

    company: str
    workspace: str
    purpose: str
    as_of: date
    lang: str
    status: Row
    scopes: Mapping[str, Row]
    profile_acts: Sequence[Row] = ()
    acts: Sequence[Row] = ()
    evidence: Sequence[EvidenceItem] = ()
    tickets: Sequence[Row] = ()
    refusals: Sequence[Row] = ()
    conflicts: Sequence[Row] = ()
    lost: Sequence[Row] = ()
    certificates: Sequence[Row] = ()
    duties: Sequence[Row] = ()
    events: Sequence[Event] = ()
    handling_class: str = ""
    tool_version: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One criterion with all that belongs to it.  `entries` are its rows of `status` (one per cycle)."""

    scheme: str
    id: str
    item: Row
    chapter: Words
    entries: tuple[Row, ...]
    acts: tuple[Row, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    tickets: tuple[Row, ...] = ()

    @property
    def ref(self) -> str:
        """`scheme/id`."""
        return f"{self.scheme}/{self.id}"

    @property
    def title(self) -> Words:
        """Its title, from the catalogue, or from the status where the catalogue lacks the item."""
        return words(self.item.get("title")) or words(
            self.entries[0].get("title") if self.entries else self.id
        )

    @property
    def official(self) -> tuple[str, ...]:
        """The official numbers that the company filled in."""
        return tuple(str(ref) for ref in self.item.get("official_ref") or ())

    @property
    def entry(self) -> Row:
        """The row that counts: the most open one of its cycles."""
        return min(self.entries, key=lambda row: _rank(str(row.get("state"))), default={})

    @property
    def state(self) -> str:
        """Its state; an item that nobody derived a state for is `unknown`, never green."""
        if self.entries:
            return str(self.entry.get("state") or "unknown")
        return "not_applicable" if self.item.get("in_scope") is False else "unknown"

    @property
    def late(self) -> bool:
        """Whether any of its cycles is late."""
        return any(bool(row.get("late")) for row in self.entries)


def words(value: object) -> Words:
    """A text in both languages from what JSON holds: {"ja", "en"}, a plain text, or nothing."""
    if isinstance(value, Mapping):
        japanese, english = str(value.get("ja") or ""), str(value.get("en") or "")
        return Words(japanese or english, english or japanese)
    text = "" if value is None else str(value)
    return Words(text, text)


def web_address(url: object) -> str:
    """An address that leads anywhere for an auditor; a path on the company's machines stays in the house."""
    text = str(url or "")
    return text if text.lower().startswith(("https://", "http://")) else ""


def standings(snapshot: SnapshotInput) -> tuple[Standing, ...]:
    """Every criterion of every scheme, open ones first, then by official number and id."""
    rows = _group(snapshot.status.get("criteria") or (), _ref_of_row)
    items = {
        f"{scheme}/{item['id']}": (scheme, scope, item)
        for scheme, scope in sorted(snapshot.scopes.items())
        for item in scope.get("items") or ()
    }
    refs = sorted({*items, *rows})
    acts = _group(snapshot.acts, lambda act: str(act.get("criterion")))
    tickets = _group(snapshot.tickets, lambda ticket: str(ticket.get("criterion")))
    evidence = _group(sorted(snapshot.evidence, key=lambda one: natural(one.id)), lambda one: one.criterion)
    made = []
    for ref in refs:
        scheme, _, name = ref.partition("/")
        _, scope, item = items.get(ref, (scheme, {}, {}))
        row = rows[ref][0] if ref in rows else {}
        chapter = str(item.get("chapter") or row.get("chapter") or "")
        made.append(
            Standing(
                scheme=scheme,
                id=name,
                item=item,
                chapter=words((scope.get("chapters") or {}).get(chapter) or chapter),
                entries=rows.get(ref, ()),
                acts=tuple(sorted(acts.get(ref, ()), key=lambda act: int(act.get("seq") or 0))),
                evidence=evidence.get(ref, ()),
                tickets=tickets.get(ref, ()),
            )
        )
    return tuple(sorted(made, key=open_first))


def standings_by_ref(standing: Iterable[Standing]) -> dict[str, Standing]:
    """The criteria by `scheme/id`."""
    return {one.ref: one for one in standing}


def open_first(standing: Standing) -> tuple[Any, ...]:
    """Sort key: most open state first; in it late ones, those without official number, then by number."""
    return (_rank(standing.state), not standing.late, bool(standing.official), by_number(standing))


def by_number(standing: Standing) -> tuple[Any, ...]:
    """Sort key: by official number where one is known, then by scheme and id."""
    number = standing.official[0] if standing.official else ""
    return (not number, natural(number), standing.scheme, natural(standing.id))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts T-9 before T-10."""
    parts: list[tuple[int, int, str]] = []
    run = ""
    for char in text:
        if run and (char in "0123456789") != (run[-1] in "0123456789"):
            parts.append(_part(run))
            run = ""
        run += char
    return (*parts, _part(run)) if run else ()


def _part(run: str) -> tuple[int, int, str]:
    return (0, int(run), "") if run[0] in "0123456789" and len(run) < 19 else (1, 0, run)


def _rank(state: str) -> int:
    # A state this version does not know is shown as first as one that is not known.
    return OPEN_FIRST.index(state) if state in OPEN_FIRST else 0


def _ref_of_row(row: Row) -> str:
    return f"{row.get('scheme')}/{row.get('id')}"


def _group(values: Iterable[Any], key: Callable[[Any], str]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return {name: tuple(group) for name, group in groups.items()}
