"""`make bench`: measures, prints a table, and keeps it in benchmarks/RESULTS.md."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

from benchmarks import redmine, scale
from benchmarks.engine import now

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Measurements

Written by `make bench`.  Ratios are medians within one run on one machine; the spread (least–most) stands in brackets.
What each row is measured against is the least that could do the same: a bare loop of requests to the same server.

"""


def main() -> int:
    """Run everything."""

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    grown = scale.run_all(tell)
    rows, facts = redmine.run(tell)
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [
        f"{now().date().isoformat()} · {machine}",
        "",
        "## A real Redmine",
        "",
        "| what | ticssync | the minimum | ratio | reach | notes |",
        "|---|---|---|---|---|---|",
        *(row.line() for row in rows),
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        "## A growing number of tasks",
        "",
        "A pass in which nothing happened looks at no task (the daemon's usual one); `everything planned and merged` is what",
        "a pass decides in which anything happened, a change of one task as well as one of the mapping.",
        "",
        *scale.lines(grown),
    ]
    text = HEAD + "\n".join(lines) + "\n"
    print(text)
    RESULTS.write_text(text, encoding="utf-8")
    RESULTS.with_suffix(".json").write_text(
        json.dumps(
            {
                "machine": machine,
                "rows": [vars(row) | {"ratio": row.ratio} for row in rows],
                "facts": facts,
                "scale": grown,
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
