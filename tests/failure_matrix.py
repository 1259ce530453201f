"""The failure matrix as pages: `python -m tests.failure_matrix` writes docs/reference/failure-matrix.md and .en.md anew.

tests/matrix.yaml holds what can go wrong, what must come of it and the tests that show it; this reads and shows it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "tests" / "matrix.yaml"
MEDIA: Final = ("fake", "workbook", "redmine")
LANGS: Final = ("ja", "en")
NUMBERS: Final = (
    *(str(number) for number in range(1, 21)),
    "20b",
    *(str(number) for number in range(21, 29)),
)
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """How one kind of tracker stands to a case: the tests (file, name), or the reason why there is none."""

    tests: tuple[tuple[str, str], ...] = ()
    reason: Words | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a fault happens."""

    case: Words
    shown: Mapping[str, Shown]


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what must come of it (None where it comes later), its cases, and what comes with a later part."""

    number: str
    fault: Words
    outcome: Words | None
    cases: tuple[Case, ...] = ()
    later: Words | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """All of it.  `problems`: what is wrong with the file itself."""

    rows: tuple[Row, ...]
    problems: list[str] = field(default_factory=list)

    def tests(self) -> Iterator[tuple[str, str]]:
        """(file, test) of everything that is named."""
        for row in self.rows:
            for case in row.cases:
                for shown in case.shown.values():
                    yield from shown.tests


@cache
def matrix() -> Matrix:
    """The matrix as it stands in the file."""
    found = YAML(typ="safe").load(DATA.read_text("utf-8"))
    problems: list[str] = []
    used: set[str] = set()

    def shown(entry: Sequence[str], where: str) -> Shown:
        head, *rest = entry
        if head == "-":
            used.update(rest)
            reason = found["reasons"].get(rest[0]) if rest else None
            problems.extend([] if reason else [f"{where}: there is no reason {rest}"])
            return Shown(reason=reason)
        tests = [one.partition("::") for one in entry]
        used.update(file for file, _, _ in tests)
        problems.extend(
            f"{where}: there is no file {file}" for file, _, _ in tests if file not in found["files"]
        )
        return Shown(tuple((found["files"].get(file, ""), f"test_{name}") for file, _, name in tests))

    def case(one: Mapping[str, Any], where: str) -> Case:
        media = {medium: shown(one[medium], f"{where} {medium}") for medium in MEDIA if medium in one}
        return Case(one["case"], media)

    rows = tuple(
        Row(
            str(one["row"]),
            one["fault"],
            one.get("outcome"),
            tuple(case(each, f"row {one['row']}, {each['case']['en']}") for each in one.get("cases", ())),
            one.get("later"),
        )
        for one in found["rows"]
    )
    unused = sorted({*found["files"], *found["reasons"]} - used)
    problems += [f"{name} is used nowhere" for name in unused]
    return Matrix(rows, problems)


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file, those of classes too; nothing is imported or run."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(
        one.name
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    )


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────

TEXT: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "title": "障害表",
        "other": "English: [failure-matrix.en.md](failure-matrix.en.md)",
        "intro": "うまくいかないときに ticssync が何をするか、そしてそれを確かめている試験の一覧です。"
        "「模擬」はどんな振る舞いもさせられる模擬トラッカー、「ブック」は Excel ブック、「Redmine」は本物の Redmine です。"
        "番号は表の下の試験を指し、「—」はその仕組みがないことを表します。この頁は `tests/matrix.yaml` から作られ、"
        "試験が実在することも毎回確かめられます。",
        "heads": "| 場合 | 模擬 | ブック | Redmine |",
        "heads_workbook": "| 場合 | ブック |",
        "later": "**これから。** ",
        "none": "—",
        "colon": "：",
    },
    "en": {
        "title": "Failure matrix",
        "other": "日本語: [failure-matrix.md](failure-matrix.md)",
        "intro": "What ticssync does when something goes wrong, and the tests that show it. “Fake” is a make-believe tracker that "
        "can be told to behave in any way, “workbook” an Excel workbook, “Redmine” a real Redmine. Numbers point to the "
        "tests below each table; “—” means that there is no such thing there. This page is made of `tests/matrix.yaml`, and "
        "each run of the tests checks that every test named here exists.",
        "heads": "| Case | Fake | Workbook | Redmine |",
        "heads_workbook": "| Case | Workbook |",
        "later": "**To come.** ",
        "none": "—",
        "colon": ": ",
    },
}


def page(lang: str) -> str:
    """The whole page in one language."""
    text = TEXT[lang]
    parts = [f"# {text['title']}", text["other"], text["intro"]]
    for row in matrix().rows:
        parts += _section(row, lang, text)
    return "\n\n".join(parts) + "\n"


def _section(row: Row, lang: str, text: Mapping[str, str]) -> Iterator[str]:
    yield f"## {row.number}. {row.fault[lang]}"
    if row.outcome is not None:
        yield f"{row.outcome[lang]}{'。' if lang == 'ja' else '.'}"
    if row.cases:
        numbers: dict[tuple[str, str], int] = {}
        yield _table(row, lang, text, numbers)
        yield "\n".join(f"{number}. {_link(*test)}" for test, number in numbers.items())
    if row.later is not None:
        yield f"{text['later']}{row.later[lang]}{'。' if lang == 'ja' else '.'}"


def _table(row: Row, lang: str, text: Mapping[str, str], numbers: dict[tuple[str, str], int]) -> str:
    media = [medium for medium in MEDIA if any(medium in case.shown for case in row.cases)]
    head = text["heads" if len(media) > 1 else "heads_workbook"]
    lines = [head, "|" + " --- |" * (len(media) + 1)]
    for case in row.cases:
        cells = [_cell(case.shown.get(medium, Shown()), lang, text, numbers) for medium in media]
        lines.append(f"| {' | '.join([case.case[lang], *cells])} |")
    return "\n".join(lines)


def _cell(shown: Shown, lang: str, text: Mapping[str, str], numbers: dict[tuple[str, str], int]) -> str:
    if not shown.tests:
        return f"{text['none']} {shown.reason[lang] if shown.reason else ''}".strip()
    return "✓ " + ", ".join(str(numbers.setdefault(one, len(numbers) + 1)) for one in shown.tests)


def _link(file: str, name: str) -> str:
    return f"[`{file.rpartition('/')[2]}::{name}`](../../{file})"


def path(lang: str) -> Path:
    """Where the page stands."""
    return (
        ROOT / "docs" / "reference" / ("failure-matrix.md" if lang == "ja" else f"failure-matrix.{lang}.md")
    )


if __name__ == "__main__":
    for language in LANGS:
        path(language).write_text(page(language), "utf-8", newline="\n")
