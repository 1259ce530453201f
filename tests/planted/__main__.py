"""`make faults`, its part about the tests themselves: plants each fault, and expects the suite to notice.

python -m tests.planted                    everything, two copies at a time
python -m tests.planted --only ID... | --area AREA... | --list
python -m tests.planted --write            keeps the table in benchmarks/PLANTED.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.planted.fault import ROOT, Fault, Stale, stale
from tests.planted.faults import FAULTS
from tests.planted.table import LEFT_OUT, Found, head, table, verdict
from tests.planted.workshop import Ran, Workshop

WRITTEN: Final = ROOT / "benchmarks" / "PLANTED.md"
LIMIT_S: Final = 180.0
HANGING_S: Final = 60.0
SERVER_S: Final = 420.0
BASELINE_S: Final = 1800.0
Tell = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: every fault was noticed; 1: one was not, or the list is stale; 2: wrong arguments."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    options = _options(argv)
    chosen = _chosen(options)
    if options.list:
        print(*(f"{one.id:34} {one.area:16} {one.suffers}" for one in chosen), sep="\n")
        return 0
    wrong = stale(chosen)
    if wrong:
        print("the list is stale:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    return _whole(options, chosen)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.planted", description="breaks the product in small ways"
    )
    parser.add_argument("--only", nargs="+", metavar="ID", default=[], help="these faults")
    parser.add_argument("--area", nargs="+", metavar="AREA", default=[], help="the faults of these areas")
    parser.add_argument("--list", action="store_true", help="show the list and run nothing")
    parser.add_argument(
        "--workers", type=int, default=2, help="copies that are worked on at the same time (2)"
    )
    parser.add_argument(
        "--write", action="store_true", help=f"write the table to {WRITTEN.relative_to(ROOT)}"
    )
    options = parser.parse_args(argv)
    unknown = {*options.only} - {one.id for one in FAULTS} | {*options.area} - {one.area for one in FAULTS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.write and (options.only or options.area):
        parser.error("--write is for the whole list")
    return options


def _chosen(options: argparse.Namespace) -> tuple[Fault, ...]:
    everything = not (options.only or options.area)
    return tuple(one for one in FAULTS if everything or one.id in options.only or one.area in options.area)


def _whole(options: argparse.Namespace, chosen: tuple[Fault, ...]) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ticssync-planted-") as folder, ExitStack() as opened:
        workers = max(1, min(options.workers, len(chosen)))
        shops: SimpleQueue[Workshop] = SimpleQueue()
        for number in range(workers):
            shops.put(opened.enter_context(closing(Workshop(Path(folder) / str(number)))))
        with ThreadPoolExecutor(workers) as pool:
            parts = _parts(chosen, workers)
            broken = [one for one in pool.map(lambda part: _baseline(shops, part), parts) if one]
            if broken:
                print("the unbroken copy is not green:", *broken, sep="\n", file=sys.stderr)
                return 1
            _say(f"the unbroken copy is green ({time.monotonic() - began:.0f} s)")
            found = list(pool.map(lambda fault: _one(shops, fault), chosen))
    return _report(found, options, time.monotonic() - began)


def _parts(chosen: Sequence[Fault], workers: int) -> list[list[str]]:
    """The tests that the faults need, each once, in as many parts as there are workers; a test of a file that is
    run whole is not run by itself."""
    named = dict.fromkeys(test for fault in chosen for test in fault.tests)
    tests = [one for one in named if "::" not in one or one.partition("::")[0] not in named]
    return [tests[number::workers] for number in range(workers)]


def _baseline(shops: SimpleQueue[Workshop], tests: Sequence[str]) -> str:
    """What is wrong with the copy before it is broken; empty: nothing."""
    if not tests:
        return ""
    shop = shops.get()
    try:
        ran = shop.run(tests, BASELINE_S, stop=False)
    finally:
        shops.put(shop)
    return "" if ran.code == 0 else ran.output[-3000:]


def _one(shops: SimpleQueue[Workshop], fault: Fault) -> Found:
    shop = shops.get()
    try:
        ran = shop.plant(fault, SERVER_S if fault.server else HANGING_S if fault.hangs else LIMIT_S)
    except Stale as error:
        ran = Ran(0, 0.0, "", str(error))
    finally:
        shops.put(shop)
    found = verdict(fault, ran)
    _say(f"{'' if found.noticed else 'NOT NOTICED  '}{fault.id}: {found.by} ({found.seconds:.1f} s)")
    return found


def _report(found: Sequence[Found], options: argparse.Namespace, seconds: float) -> int:
    missed = [one for one in found if not one.noticed and one.by != LEFT_OUT]
    text = f"{head(found, seconds, options.workers)}\n{table(found)}"
    print(text)
    if options.write:
        WRITTEN.write_text(text, encoding="utf-8")
    if missed:
        print(f"{len(missed)} not noticed: {' '.join(one.fault.id for one in missed)}", file=sys.stderr)
    return 1 if missed else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
