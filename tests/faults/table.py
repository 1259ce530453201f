"""The table of the fault harness: each driver, what was done to it, at how many points, and what came of it.

A test hands its counts in as rows; where TICSSYNC_FAULTS_OUT names a folder they are kept there, one JSON line each,
from however many workers.  This program makes benchmarks/FAULTS.md and FAULTS.json of them:

    python -m tests.faults.table FOLDER [--bounded]

`--bounded` makes the page of a short run, in which nobody counts the histories.
It ends with 1 where anything was doubled or lost, where a point was not lived through, or where the random histories
are too few or did not reach what they must reach.

A new driver joins with a test that opens a `Tally` and adds each point:

    with Tally("my tracker", "first sync", "death", found=total) as tally:
        for at in some(total, tally.seed, share):
            ...
            tally.add(passes, Harm(duplicates=...))
"""

from __future__ import annotations

import json
import os
import platform
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ALL: Final = os.environ.get("TICSSYNC_FAULTS") == "all"
"""Whether every point is tried, or a part of them."""
OUT: Final = "TICSSYNC_FAULTS_OUT"
PASSES: Final = 3
"""The passes after which everything must be right again."""
SLACK: Final = 6
"""The requests that a pass may make beyond a whole pass without a fault: looks for what became of a lost answer."""
HISTORIES: Final = 10_000
REACHED_AT_LEAST: Final = 25
"""How often each kind of step and each outcome must come up in the long run, set-up by set-up."""
RESULTS: Final = Path(__file__).parents[2] / "benchmarks" / "FAULTS.md"


@dataclass(frozen=True, slots=True)
class Harm:
    """What one broken pass did in the end.  `tombs`: tasks taken for gone that were there all the time; `storms`:
    passes that asked far more than a whole pass does, or asked while they had been told to wait; `over`: the most
    requests that a pass made beyond a whole one."""

    duplicates: int = 0
    lost: int = 0
    tombs: int = 0
    storms: int = 0
    over: int = 0

    @property
    def none(self) -> bool:
        """Whether all is well."""
        return not (self.duplicates or self.lost or self.tombs or self.storms)


@dataclass(slots=True)
class Row:
    """One line.  `found`: points that there are; `tried`: those that were broken; `failed`: those after which
    something was not as it should be, `example` one of them; `passes`: the most further passes that were needed."""

    driver: str
    scenario: str
    kind: str
    found: int
    tried: int = 0
    failed: int = 0
    passes: int = 0
    duplicates: int = 0
    lost: int = 0
    tombs: int = 0
    storms: int = 0
    over: int = 0
    seed: str = ""
    example: str = ""


@dataclass(slots=True)
class Lived:
    """Random histories of one set-up under one seed; `reached` counts steps and outcomes, `wanted` names those that
    must come up."""

    setup: str
    seed: int
    histories: int
    violations: int
    reached: dict[str, int] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)


class Tally:
    """Counts the points of one row and hands it in at the end, also where the test fails on the way."""

    def __init__(self, driver: str, scenario: str, kind: str, *, found: int) -> None:
        self.row = Row(driver, scenario, kind, found, seed=f"{driver} {scenario} {kind}")

    @property
    def seed(self) -> str:
        """Names the part of the points that is tried where not all are."""
        return self.row.seed

    def add(self, passes: int, harm: Harm, where: object = "") -> None:
        """One point was tried: how many further passes it took, and what it did."""
        row = self.row
        row.tried += 1
        row.passes = max(row.passes, passes)
        row.over = max(row.over, harm.over)
        row.duplicates += harm.duplicates
        row.lost += harm.lost
        row.tombs += harm.tombs
        row.storms += harm.storms
        if not harm.none or passes > PASSES:
            row.failed += 1
            row.example = row.example or f"{where}: {passes} passes, {harm}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None and not self.row.failed:
            self.row.failed += 1
        hand_in(self.row)
        if kind is None:
            assert not self.row.failed, self.row


def some(points: int, seed: str, share: int) -> list[int]:
    """All of them (from 1), or every so-manieth from a seeded start."""
    if ALL or share <= 1:
        return list(range(1, points + 1))
    return list(range(1 + random.Random(seed).randrange(min(share, points)), points + 1, share))


def hand_in(row: Row | Lived) -> None:
    """Keep a line for the table, where one is wanted."""
    folder = os.environ.get(OUT)
    if not folder:
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    Path(folder).mkdir(parents=True, exist_ok=True)
    with (Path(folder) / f"{worker}-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"of": type(row).__name__, **asdict(row)}, ensure_ascii=False) + "\n")


# ── the table ─────────────────────────────────────────────────────────────────────────────────────────

HEAD: Final = """# Faults

Written by `make faults`.  A point is a store commit, a request or a file operation of one pass, before or after.  At each
one the process died, or the network or the disk failed, once; then the next passes had to bring everything right: one
task per item, no edit of a person lost, no task taken for gone that was there, and at last a pass that writes nothing.
"Passes" are the most that it took ({passes} are allowed); "over" is the most requests that a pass with a fault, or one
after it, made beyond a whole pass without one (more than {slack} would be a storm; so would be any request before the
time that a tracker asked for).  Where not every point was tried, the name of the row is the seed that chose them.

"""
WORDS: Final = {"duplicates": "doubles", "lost": "lost edits", "tombs": "false tombs", "storms": "storms"}


def read(folder: Path) -> tuple[list[Row], list[Lived]]:
    """What was handed in."""
    rows, lived = list[Row](), list[Lived]()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            kept: dict[str, Any] = json.loads(line)
            if kept.pop("of") == "Row":
                rows.append(Row(**kept))
            else:
                lived.append(Lived(**kept))
    return joined(rows), sorted(lived, key=lambda one: (one.setup, one.seed))


def joined(rows: Sequence[Row]) -> list[Row]:
    """Rows of one name as one: several tests share the points of a row out among them."""
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        name = (row.driver, row.scenario, row.kind)
        known = found.setdefault(name, Row(*name, 0, seed=row.seed))
        known.found = max(known.found, row.found)
        for count in ("tried", "failed", "duplicates", "lost", "tombs", "storms"):
            setattr(known, count, getattr(known, count) + getattr(row, count))
        known.example = known.example or row.example
        known.passes, known.over = max(known.passes, row.passes), max(known.over, row.over)
    return sorted(found.values(), key=lambda row: (row.driver, row.scenario, row.kind))


def complaints(rows: Sequence[Row], lived: Sequence[Lived], wanted: int) -> list[str]:
    """What is not as it must be."""
    found = [
        f"{row.driver}, {row.scenario}, {row.kind}: {row.failed} of {row.tried} points ({row.example})"
        for row in rows
        if row.failed
    ]
    found += [f"{one.setup}, seed {one.seed}: {one.violations} violations" for one in lived if one.violations]
    total = sum(one.histories for one in lived)
    if total < wanted:
        found.append(f"{total} histories, {wanted} are wanted")
    for setup, reached in by_setup(lived).items():
        names = {name for one in lived if one.setup == setup for name in one.wanted}
        few = sorted(f"{name} ({reached[name]})" for name in names if reached[name] < REACHED_AT_LEAST)
        found += (
            [f"{setup}: reached less than {REACHED_AT_LEAST} times: {', '.join(few)}"]
            if few and wanted
            else []
        )
    return found


def by_setup(lived: Sequence[Lived]) -> dict[str, Counter[str]]:
    """What was reached, set-up by set-up."""
    found: dict[str, Counter[str]] = {}
    for one in lived:
        found.setdefault(one.setup, Counter()).update(one.reached)
    return found


def render(
    rows: Sequence[Row], lived: Sequence[Lived], faults: Sequence[str], facts: Mapping[str, str]
) -> str:
    """The page."""
    lines = [HEAD.format(passes=PASSES, slack=SLACK) + " · ".join(facts.values()), ""]
    lines += ["**Not as it must be**", "", *(f"- {one}" for one in faults), ""] if faults else []
    lines += ["## All in all", "", *_totals(rows), "", "## Point by point", "", *_points(rows), ""]
    if lived:
        lines += ["## Random histories", "", *_histories(lived), ""]
    return "\n".join(lines)


def _totals(rows: Sequence[Row]) -> list[str]:
    names = ("found", "tried", "duplicates", "lost", "tombs", "storms")
    lines = [
        f"| driver | points | tried | {' | '.join(WORDS.values())} | passes | over |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    drivers = dict.fromkeys(row.driver for row in rows)
    for driver in (*drivers, ""):
        mine = [row for row in rows if not driver or row.driver == driver]
        counts = [str(sum(getattr(row, name) for row in mine)) for name in names]
        most = [str(max((getattr(row, name) for row in mine), default=0)) for name in ("passes", "over")]
        lines.append(f"| {driver or '**all**'} | {' | '.join([*counts, *most])} |")
    return lines


def _points(rows: Sequence[Row]) -> list[str]:
    lines = [
        f"| driver | scenario | what was done | points | tried | {' | '.join(WORDS.values())} | passes | over |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return lines + [
        f"| {row.driver} | {row.scenario} | {row.kind} | {row.found} | {row.tried} | {row.duplicates} | {row.lost} "
        f"| {row.tombs} | {row.storms} | {row.passes} | {row.over} |"
        for row in rows
    ]


def _histories(lived: Sequence[Lived]) -> list[str]:
    reached = by_setup(lived)
    lines = [
        f"{sum(one.histories for one in lived)} histories, {sum(one.violations for one in lived)} violations.",
        "",
        "| set-up | histories | violations | seeds |",
        "|---|---:|---:|---|",
    ]
    for setup in reached:
        mine = [one for one in lived if one.setup == setup]
        seeds = ", ".join(str(one.seed) for one in mine)
        lines.append(
            f"| {setup} | {sum(one.histories for one in mine)} | {sum(one.violations for one in mine)} | {seeds} |"
        )
    names = sorted({name for counts in reached.values() for name in counts})
    wanted = {name for one in lived for name in one.wanted}
    lines += ["", "What they reached; what stands in bold must come up.", ""]
    lines += [f"| | {' | '.join(reached)} |", f"|---|{'---:|' * len(reached)}"]
    for name in names:
        counts = " | ".join(str(one.get(name, "–")) for one in reached.values())
        lines.append(f"| {f'**{name}**' if name in wanted else name} | {counts} |")
    return lines


def facts_of(now: datetime) -> dict[str, str]:
    """Date, machine and versions."""
    from importlib.metadata import version

    return {
        "date": now.date().isoformat(),
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}",
        "python": f"Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in ("ticssync", "sqlalchemy", "hypothesis")),
    }


def main(arguments: Sequence[str], now: datetime, results: Path = RESULTS) -> int:
    """Make the page of a folder; 1 where something is not as it must be."""
    if not arguments:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    rows, lived = read(Path(arguments[0]))
    if not rows and not lived:
        print(f"{arguments[0]}: nothing was handed in", file=sys.stderr)
        return 1
    wanted = HISTORIES if "--bounded" not in arguments else 0
    faults, facts = complaints(rows, lived, wanted), facts_of(now)
    if not wanted:
        facts["run"] = "a short run: a part of the points, a part of the histories"
    page = render(rows, lived, faults, facts)
    print(page)
    results.write_text(page, encoding="utf-8")
    kept = {
        "facts": facts, "complaints": faults, "rows": [asdict(row) for row in rows],
        "histories": [asdict(one) for one in lived],
    }  # fmt: skip
    results.with_suffix(".json").write_text(
        json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], datetime.now(timezone.utc)))
