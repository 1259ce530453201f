"""A copy of the repository in which a fault is planted; the working tree itself is never touched."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.planted.fault import ROOT, Fault

LEFT_OUT: Final = shutil.ignore_patterns(
    ".git", ".venv", ".setup", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis",
    ".import_linter_cache", "build", "dist", "demo", "*.egg-info", ".coverage*",
)  # fmt: skip
TOLD_FILE: Final = "TICSSYNC_PLANTED_COPY"
"""Where the copy stands: the check in `tests.planted.imported` reads it."""

TOLD_MODULE: Final = "TICSSYNC_PLANTED_MODULE"
NOT_THE_COPY: Final = 90
"""Exit code of a run that would have imported something else than the copy."""

NOTHING_RAN: Final = 5
_FIRST: Final = re.compile(r"^(?:FAILED|ERROR) (\S+::\S.*?)(?: - .*)?$", re.MULTILINE)
_PASSED: Final = re.compile(r"\b\d+ passed\b")


@dataclass(frozen=True, slots=True)
class Ran:
    """How one run of pytest ended.  `code` None: it did not end in time.  `first`: the first test that failed."""

    code: int | None
    seconds: float
    first: str
    output: str

    @property
    def all_skipped(self) -> bool:
        """Whether every test that was chosen left itself out (no server here)."""
        return self.code == 0 and _PASSED.search(self.output) is None


class Workshop:
    """One copy under `folder`.  Each change of a file gets a time of its own, so that no stale bytecode is run."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self._temporary = folder / "tmp"
        self._ticks = 0
        self._server: subprocess.Popen[str] | None = None
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT, symlinks=True)

    def run(
        self, tests: Sequence[str], limit_s: float, *, module: str = "ticssync", stop: bool = True
    ) -> Ran:
        """Run these tests in the copy, until the first that fails; `module` must come out of the copy."""
        began = time.monotonic()
        arguments = [
            "-n0", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "tests.planted.imported", "--hypothesis-seed=0",
            "-W", "ignore::pytest.PytestAssertRewriteWarning", f"--basetemp={self._temporary}",
            *(["-x"] if stop else []), *tests,
        ]  # fmt: skip
        output = self.root.parent / "output"
        run = self._warm if os.name == "posix" else self._cold
        code = run(arguments, {TOLD_FILE: str(self.root), TOLD_MODULE: module}, output, limit_s)
        told = output.read_text("utf-8", "replace")
        shutil.rmtree(self._temporary, ignore_errors=True)
        first = _FIRST.search(told)
        return Ran(code, time.monotonic() - began, first[1] if first else "", told)

    def _cold(
        self, arguments: Sequence[str], told: Mapping[str, str], output: Path, limit_s: float
    ) -> int | None:
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *arguments], cwd=self.root, env=self._environment() | dict(told),
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                return process.wait(limit_s)
            except subprocess.TimeoutExpired:
                return None
            finally:
                process.kill()
                process.wait()

    def _warm(
        self, arguments: Sequence[str], told: Mapping[str, str], output: Path, limit_s: float
    ) -> int | None:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.planted.warm"], cwd=self.root, env=self._environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert self._server.stdin is not None
        asked = {"arguments": arguments, "environment": dict(told), "output": str(output)}
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        child = self._answer(self._server)
        late = threading.Timer(limit_s, _end, [child])
        late.start()
        code = self._answer(self._server)
        in_time = late.is_alive()
        late.cancel()
        # Nothing that the run started may go on in a copy that is being mended.
        _end(child)
        return code if in_time else None

    @staticmethod
    def _answer(server: subprocess.Popen[str]) -> int:
        assert server.stdout is not None
        return int(json.loads(server.stdout.readline()))

    def close(self) -> None:
        """End what keeps the libraries loaded."""
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    def plant(self, fault: Fault, limit_s: float) -> Ran:
        """Break the copy, run the tests that should notice, and mend it again.  Raises Stale."""
        file = self.root / fault.file
        whole = file.read_bytes()
        self._put(file, fault.broken(whole.decode("utf-8")).encode("utf-8"))
        try:
            return self.run(fault.tests, limit_s, module=fault.module)
        finally:
            self._put(file, whole)

    def _put(self, file: Path, content: bytes) -> None:
        self._ticks += 10
        at = file.stat().st_mtime + self._ticks
        file.write_bytes(content)
        os.utime(file, (at, at))

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("COVERAGE", "PYTEST_", "TICSSYNC_", "HYPOTHESIS"))
        }  # fmt: skip
        sources = [self.root / "src", *sorted(self.root.glob("plugins/*/src"))]
        return kept | {"PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONUTF8": "1"}


def _end(child: int) -> None:
    """The whole session of a run."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
