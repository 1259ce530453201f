"""A 確認票 that came back: what the person decided, or why a cell cannot be taken.

A row is known by its number and its item together, both compared with the hidden list.  So rows may be
sorted or deleted, but a decision never lands on another criterion because somebody moved a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ticssync.assess.sheet_rows import (
    ANSWERED,
    FORM,
    HEADS,
    HIDDEN,
    HOLD,
    KIND,
    SIGNED,
    VERDICTS,
    SheetAnswer,
    SheetAnswers,
    folded,
)
from ticssync.errors import Problem, say
from ticssync.model.assessment import ActKind
from ticssync.model.canonical import parse_instant
from ticssync.tables import DateProblem, Grid, UnreadableTable, cell_name, cell_text, read_date, read_grids

_WORDS: Final[Mapping[str, ActKind | None]] = {
    "": None,
    **{folded(word): None for word in (HOLD.ja, HOLD.en)},
    **{folded(word): kind for kind, words in VERDICTS.items() for word in (words.ja, words.en)},
    folded("差し戻し"): ActKind.RETURN,
}
_NEEDED: Final = ("number", "title", *ANSWERED)
_SAME: Final = str.maketrans("髙﨑邊邉齋齊斎濵濱澤廣國眞德", "高崎辺辺斉斉斉浜浜沢広国真徳")
"""Old and variant forms of characters in names: the same person writes now one, now the other."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The hidden sheet."""

    values: Mapping[str, str]
    rows: Mapping[str, tuple[str, str, str]]
    """Folded number → (criterion, item as shown, digest)."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One row of the visible sheet that holds something: its place and cells."""

    row: int
    number: str
    title: str


def read_sheet(raw: bytes) -> tuple[SheetAnswers | None, list[Problem]]:
    """(the answers, everything wrong with single cells); None where the file as a whole cannot be taken.

    Problems name cells ("G7").  A row with a problem is not among the answers, the others are.  Whether the
    workspace is ours and what was shown still holds is the caller's to check.
    """
    try:
        grids = read_grids(raw)
    except UnreadableTable as error:
        return None, [Problem(error.args[0] if error.args else str(error))]
    known, problems = _known(grids)
    if known is None:
        return None, problems
    for grid in grids.values():
        columns = _header(grid) if grid.name != HIDDEN else None
        if columns is not None:
            return _answers(grid, *columns, known)
    wanted = ", ".join(HEADS[name].ja for name in _NEEDED)
    return None, [
        Problem(
            say("the row with the heads of the columns is missing ({heads})", heads=wanted),
            fix=say("answer in a fresh copy of the sheet"),
        )
    ]


def _known(grids: Mapping[str, Grid]) -> tuple[_Known | None, list[Problem]]:
    grid = grids.get(HIDDEN, Grid(HIDDEN, ()))
    lines = [[cell_text(cell) for cell in row] for row in grid.rows]
    values = {line[0]: line[1] for line in lines if len(line) > 1 and line[0] not in ("", "row")}
    rows = {
        folded(line[2]): (line[1], line[3], line[4]) for line in lines if len(line) > 4 and line[0] == "row"
    }
    if values.get("kind") != KIND:
        return None, [Problem(say("this is not a confirmation sheet (確認票) of ticssync"))]
    if not values.get("form", "").isdecimal() or int(values["form"]) > FORM:
        return None, [Problem(say("this confirmation sheet was made by a newer version of ticssync"))]
    if not _whole(values, rows):
        damaged = say("the hidden part of this confirmation sheet is damaged")
        return None, [Problem(damaged, fix=say("answer in a fresh copy of the sheet"))]
    return _Known(values, rows), []


def _whole(values: Mapping[str, str], rows: Mapping[str, tuple[str, str, str]]) -> bool:
    if not all(values.get(name) for name in ("workspace", "sheet", "exported_at", "person", "name", "rows")):
        return False
    try:
        parse_instant(values["exported_at"])
    except ValueError:
        return False
    return values["rows"] == str(len(rows)) and all(
        "/" in ref and len(digest) == 64 for ref, _, digest in rows.values()
    )


def _header(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """(row, column by name): the first row that has all heads that are needed, in either language."""
    heads = {folded(word): name for name, words in HEADS.items() for word in (words.ja, words.en)}
    for row, cells in enumerate(grid.rows):
        found: dict[str, int] = {}
        for column, cell in enumerate(cells):
            name = heads.get(folded(cell_text(cell)))
            if name is not None:
                found.setdefault(name, column)
        if all(name in found for name in _NEEDED):
            return row, found
    return None


def _answers(
    grid: Grid, header: int, columns: Mapping[str, int], known: _Known
) -> tuple[SheetAnswers | None, list[Problem]]:
    signed, place, end = _signed(grid, header)
    if signed and not _same_person(signed, known.values["name"]):
        wrong = say(
            "signed by {signed}, but this sheet is for {name}", signed=signed, name=known.values["name"]
        )
        return None, [Problem(wrong, place=place, fix=say("let {name} answer it", name=known.values["name"]))]
    rows = list(_rows(grid, header, end, columns))
    moved = [problem for row in rows for problem in _moved(row, columns, known)]
    moved += _twice(rows, columns, known)
    if moved:
        return None, moved
    answers, problems = [], list[Problem]()
    for row in rows:
        answer, wrong_here = _answer(grid, row, columns, known.rows[folded(row.number)])
        answers += [answer] if answer else []
        problems += wrong_here
    values = known.values
    at: datetime = parse_instant(values["exported_at"])
    taken = SheetAnswers(values["workspace"], values["sheet"], values["person"], at, tuple(answers), signed)
    return taken, problems


def _signed(grid: Grid, header: int) -> tuple[str, str, int]:
    """(name at the bottom, its place, its row); where the line is gone: nothing and the end of the sheet."""
    labels = {folded(SIGNED.ja), folded(SIGNED.en)}
    for row in range(header + 1, len(grid.rows)):
        for column, cell in enumerate(grid.rows[row]):
            if folded(cell_text(cell)) in labels:
                rest = enumerate(grid.rows[row][column + 1 :], start=column + 1)
                name = next(
                    ((at, cell_text(one)) for at, one in rest if cell_text(one).strip()), (column, "")
                )
                return name[1].strip(), cell_name(row, name[0]), row
    return "", "", len(grid.rows)


def _same_person(signed: str, name: str) -> bool:
    """Whether the name at the bottom can be this person's: all of it or a part such as the family name."""
    one, other = _plain_name(signed), _plain_name(name)
    return bool(one) and (one in other or other in one)


def _plain_name(name: str) -> str:
    return "".join(char for char in folded(name).translate(_SAME) if char.isalnum())


def _rows(grid: Grid, header: int, end: int, columns: Mapping[str, int]) -> Iterator[_Found]:
    """The rows of the table that hold a number or an answer."""
    for row in range(header + 1, end):
        number = cell_text(grid.at(row, columns["number"])).strip()
        answered = any(cell_text(grid.at(row, columns[name])).strip() for name in ANSWERED)
        if number or answered:
            yield _Found(row, number, cell_text(grid.at(row, columns["title"])))


def _moved(found: _Found, columns: Mapping[str, int], known: _Known) -> Iterator[Problem]:
    place = cell_name(found.row, columns["number"])
    fresh = say("answer in a fresh copy of the sheet, and leave the number and the item as they are")
    if folded(found.number) not in known.rows:
        yield Problem(
            say("this sheet was not made for a number “{number}”", number=found.number),
            place=place,
            fix=fresh,
        )
    elif folded(known.rows[folded(found.number)][1]) != folded(found.title):
        yield Problem(
            say(
                "number {number} stands beside another item: the rows were moved or changed",
                number=found.number,
            ),
            place=place,
            fix=fresh,
        )


def _twice(rows: Sequence[_Found], columns: Mapping[str, int], known: _Known) -> list[Problem]:
    count = Counter(folded(one.number) for one in rows)
    return [
        Problem(
            say("number {number} stands here more than once", number=one.number),
            place=cell_name(one.row, columns["number"]),
            fix=say("leave one row of it"),
        )
        for one in rows
        if count[folded(one.number)] > 1 and folded(one.number) in known.rows
    ]


def _answer(
    grid: Grid, found: _Found, columns: Mapping[str, int], known: tuple[str, str, str]
) -> tuple[SheetAnswer | None, list[Problem]]:
    cells = {name: grid.at(found.row, columns[name]) for name in ANSWERED}
    places = {name: cell_name(found.row, columns[name]) for name in ANSWERED}
    word, reason = cell_text(cells["verdict"]), cell_text(cells["reason"])
    problems = list(_against(word, reason, blank_day=cells["on"] is None, places=places))
    day: date | None = None
    try:
        day = read_date(cells["on"])
    except DateProblem as error:
        problems.append(Problem(error.args[0], place=places["on"]))
    if problems:
        return None, problems
    return SheetAnswer(known[0], _WORDS[folded(word)], reason, day, known[2], places["verdict"]), []


def _against(word: str, reason: str, *, blank_day: bool, places: Mapping[str, str]) -> Iterator[Problem]:
    if folded(word) not in _WORDS:
        yield Problem(
            say("“{word}” is no decision", word=word),
            place=places["verdict"],
            fix=say("one of: {words}", words=" / ".join(words.ja for words in (*VERDICTS.values(), HOLD))),
        )
    elif _WORDS[folded(word)] in (ActKind.RETURN, ActKind.EXCLUDE) and not reason.strip():
        yield Problem(say("“{word}” needs a reason", word=word.strip()), place=places["reason"])
    elif not word.strip() and (reason.strip() or not blank_day):
        yield Problem(say("a reason or a day is written, but no decision"), place=places["verdict"])
