"""Runs of pytest without a cold start each time: one process has the libraries loaded and forks a child for each run.

Nothing of ours is loaded before the fork, so each child imports the copy as it stands then.  Where there is no fork
(Windows), each run is a process of its own.  Talks in JSON lines: one asked on stdin, two answered on stdout (the
child's id, and how it ended).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

LIBRARIES: Final = (
    "pytest", "hypothesis.stateful", "_hypothesis_pytestplugin", "sqlalchemy", "sqlalchemy.dialects.sqlite", "pydantic",
    "pydantic_settings", "requests", "responses", "ruamel.yaml", "jinja2.sandbox", "pluggy", "structlog", "click",
    "rich.table", "xlsxwriter", "cryptography.hazmat.primitives.asymmetric.ed25519", "openpyxl", "time_machine", "xdist",
    "jpholiday", "alembic.command", "python_calamine", "icalendar",
)  # fmt: skip
"""Not ours; what is not installed is passed over."""

LOOK_EVERY_S: Final = 0.05
MEMORY_MAX: Final = 8 << 30
"""Bytes of one process of a run."""


def main() -> None:
    """Serve until stdin ends."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert not [name for name in sys.modules if name.startswith("ticssync")], (
        "ours must be imported by each child"
    )
    for line in sys.stdin:
        _serve(**json.loads(line))


def _serve(arguments: Sequence[str], environment: dict[str, str], output: str) -> None:
    child = os.fork()
    if child == 0:
        _run(arguments, environment, output)
    _answer(child)
    _answer(_ended(child, os.getppid()))


def _ended(child: int, asked_by: int) -> int:
    """How the child ended.  Where whoever asked is gone, it is ended at once: it may never end by itself."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if os.getppid() != asked_by:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        time.sleep(LOOK_EVERY_S)


def _answer(number: int) -> None:
    print(json.dumps(number), flush=True)


def _run(arguments: Sequence[str], environment: dict[str, str], output: str) -> None:
    """The child: a session of its own, so that all that it starts can be ended with it."""
    code = 3
    try:
        os.setsid()
        # A fault that lets memory be filled must not fill the machine's.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.environ.update(environment)
        code = int(importlib.import_module("pytest").main(list(arguments)))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
