"""What the pages and the workbook show, as plain rows.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ticssync.bundle.contents import Contents
from ticssync.bundle.labels import FIELD
from ticssync.bundle.snapshot import OPEN_FIRST, EvidenceItem, Row, Standing, by_number, natural, words
from ticssync.model.criterion import Words
from ticssync.model.state import PILE

_OUT: Final = frozenset({"excluded", "not_applicable"})
_PILES: Final = {state.value: pile.value for state, pile in PILE.items()}


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers at the top.  `states` stand open ones first.

    The piles are those of `status`, but that `out` (excluded, not applicable) stands apart from confirmed.
    """

    states: Mapping[str, int]
    confirmed: int
    waiting: int
    open: int
    warning: int
    out: int
    late: int
    without_number: int
    total: int


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One evidence as it is shown.  `why` says why its bytes are not inside (None = they are)."""

    item: EvidenceItem
    path: str
    why: Words | None
    expired: bool
    renamed: str

    @property
    def name(self) -> str:
        """The original name; empty where it stays in the house."""
        return self.item.name if self.item.shows_name else ""

    @property
    def note(self) -> str:
        """The note; empty where it stays in the house."""
        return self.item.note if self.item.shows_name else ""


def counts(contents: Contents) -> Counts:
    """Counted from the same states that the lists show, so that the two never disagree."""
    found: dict[str, int] = {}
    piles = Counter(pile_of(one) for one in contents.standings)
    for one in contents.standings:
        found[one.state] = found.get(one.state, 0) + 1
    inside = [one for one in contents.standings if one.state not in _OUT]
    ordered = {state: found[state] for state in sorted(found, key=_order)}
    return Counts(
        states=ordered,
        confirmed=piles["confirmed"],
        waiting=piles["waiting"],
        open=piles["open"],
        warning=piles["warning"],
        out=piles["out"],
        late=sum(one.late for one in contents.standings),
        without_number=sum(not one.official for one in inside),
        total=len(contents.standings),
    )


def pile_of(standing: Standing) -> str:
    """confirmed, waiting, open, warning or out: what `status` says, else what follows from the state."""
    if standing.state in _OUT:
        return "out"
    return str(standing.entry.get("pile") or _PILES.get(standing.state, "warning"))


def _order(state: str) -> tuple[int, str]:
    return (OPEN_FIRST.index(state) if state in OPEN_FIRST else -1, state)


def grouped_by_state(contents: Contents) -> list[tuple[str, list[Standing]]]:
    """State → its criteria; open states first, as `standings` sorted them."""
    groups: dict[str, list[Standing]] = {}
    for one in contents.standings:
        groups.setdefault(one.state, []).append(one)
    return sorted(groups.items(), key=lambda group: _order(group[0]))


def grouped_by_chapter(contents: Contents) -> list[tuple[str, Words, list[Standing]]]:
    """(anchor, name, criteria) per chapter in the catalogue's order; in it by official number, then id."""
    groups: dict[tuple[int, str, str], list[Standing]] = {}
    for one in sorted(contents.standings, key=by_number):
        # The items stand in the catalogue's order; the mapping of chapters was sorted on its way.
        items = (contents.snapshot.scopes.get(one.scheme) or {}).get("items") or ()
        chapters = list(dict.fromkeys(str(item.get("chapter") or "") for item in items))
        name = str(one.item.get("chapter") or "")
        place = chapters.index(name) if name in chapters else len(chapters)
        groups.setdefault((place, one.scheme, name or one.chapter.ja), []).append(one)
    ordered = sorted(groups.items(), key=lambda group: (group[0][1], group[0][0], group[0][2]))
    return [(f"chapter-{number}", ones[0].chapter, ones) for number, (_, ones) in enumerate(ordered, 1)]


def evidence_rows(contents: Contents, items: Iterable[EvidenceItem]) -> list[EvidenceRow]:
    """Evidence in the order of its ids."""
    rows = []
    for item in sorted(items, key=lambda one: natural(one.id)):
        path, why = contents.path_of[item.id], contents.why_out(item)
        stored, original = path.rpartition(".")[2], item.name.rpartition(".")[2].lower()
        renamed = stored if why is None and stored != original else ""
        rows.append(EvidenceRow(item, path, why, item.expired_on(contents.snapshot.as_of), renamed))
    return rows


def scopes_shown(contents: Contents) -> list[dict[str, Any]]:
    """Per scheme: edition, basis, profile and who confirmed it."""
    shown = []
    for scheme, scope in sorted(contents.snapshot.scopes.items()):
        acts = [act for act in contents.snapshot.profile_acts if _of_scheme(act, scheme)]
        digest = scope.get("profile_digest")
        holding = [act for act in acts if act.get("profile_digest") in {None, digest}]
        shown.append(
            {
                "scheme": scheme,
                "scope": scope,
                "basis": words(scope.get("basis")),
                "profile": sorted((scope.get("profile") or {}).items()),
                "acts": acts,
                "confirmed": bool(holding),
            }
        )
    return shown


def _of_scheme(act: Row, scheme: str) -> bool:
    return str(act.get("scheme") or scheme) == scheme


def confirmation(standing: Standing) -> Row | None:
    """The act that its state rests on: the last one that was not taken back by a later `withdraw`."""
    last: Row | None = None
    for act in standing.acts:
        last = None if act.get("kind") == "withdraw" else act
    return last


def _index(known: list[str], name: str) -> int:
    return known.index(name) if name in known else len(known)


def in_field_order(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A ticket's fields: the known ones in their usual order, then the others by name."""
    known = list(FIELD)
    return sorted(
        fields.items(),
        key=lambda field: (known.index(field[0]) if field[0] in known else len(known), field[0]),
    )
