"""What came of each planted fault, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Final

from tests.planted.fault import Fault
from tests.planted.workshop import NOT_THE_COPY, Ran

FAILED: Final = 1
LEFT_OUT: Final = "left out: its tests skip here"
HEAD: Final = """# Planted faults

Written by `python -m tests.planted --write`.  Each line is a small break in the product, made in a copy, one at a time;
the tests that stand there anyway are run until the first one fails.  Seconds are those until it failed.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one fault.  `by`: the first test that failed, or why there is none."""

    fault: Fault
    noticed: bool
    by: str
    seconds: float


def verdict(fault: Fault, ran: Ran) -> Found:
    """Whether a test failed because of the fault.  A copy that no longer loads proves nothing of the tests."""
    if ran.code == FAILED and ran.first:
        return Found(fault, True, ran.first, ran.seconds)
    if ran.code is None and fault.hangs:
        return Found(fault, True, f"{fault.tests[0]} does not end", ran.seconds)
    why = {
        0: LEFT_OUT if ran.all_skipped else "nobody",
        None: "nobody: the tests did not end in time",
        NOT_THE_COPY: "nobody: the copy was not what was imported",
    }.get(ran.code, f"nobody: pytest ended with {ran.code}; {ran.output.strip().splitlines()[-1:]}")
    return Found(fault, False, why, ran.seconds)


def head(found: Sequence[Found], seconds: float, workers: int) -> str:
    """Day, machine, versions and sums."""
    noticed = sum(one.noticed for one in found)
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("ticssync", "pytest", "hypothesis", "sqlalchemy")
    )
    return "\n".join((
        HEAD,
        f"{datetime.now(timezone.utc).date().isoformat()} · {machine} · {versions}",
        "",
        f"{noticed} of {len(found)} noticed, in {seconds / 60:.1f} minutes with {workers} at a time.",
        "",
    ))  # fmt: skip


def table(found: Sequence[Found]) -> str:
    """One line a fault."""
    lines = ["| fault | area | what a user would suffer | noticed by | s |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.fault.id} | {one.fault.area} | {one.fault.suffers} | {_cell(one)} | {one.seconds:.1f} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _cell(one: Found) -> str:
    by = one.by.replace("|", "\\|")
    return f"`{by}`" if one.noticed and "::" in by else f"**{by}**"
