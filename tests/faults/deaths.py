"""Points at which a process may die: store commits and file operations of the workbook, before and after each.

Also a script: run with a Python that has ticssync, it syncs one workspace and kills itself with SIGKILL at the
point with the given number.

    deaths.py TICSSYNC.YAML NUMBER
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

WATCHED: Final = ("open", "mkdir", "chmod", "replace", "unlink")
"""The operations of `Path` that the writer uses and that leave something behind; reading does not."""


class Death(BaseException):
    """The process is gone: nothing catches this."""


class Points:
    """Counts points and dies at number `at` (from 1).  Once dead, whatever still runs gets nothing done."""

    def __init__(self, at: int = 0, die: Callable[[str], None] | None = None) -> None:
        self.at, self.names = at, list[str]()
        self.die = die or self._death
        self.dead = False

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if self.dead or len(self.names) == self.at:
            self.dead = True
            self.die(name)

    @staticmethod
    def _death(name: str) -> None:
        raise Death(name)

    @property
    def seen(self) -> int:
        return len(self.names)


@contextmanager
def file_operations(folder: Path, point: Callable[[str], None]) -> Iterator[None]:
    """Call `point` before and after each file operation under `folder`, and around each flush to the disk."""
    kept = {name: getattr(Path, name) for name in WATCHED}
    fsync = os.fsync

    def around(name: str) -> Callable[..., Any]:
        def operation(path: Path, *arguments: Any, **options: Any) -> Any:
            reads = name == "open" and "w" not in (*arguments, "r")[0]
            if reads or not Path(os.path.normpath(path)).is_relative_to(folder):
                return kept[name](path, *arguments, **options)
            point(f"before {name} {path.suffix}")
            answer = kept[name](path, *arguments, **options)
            try:
                point(f"after {name} {path.suffix}")
            except Death:
                if name == "open":
                    answer.close()
                raise
            return answer

        return operation

    def flushed(handle: int) -> None:
        point("before fsync")
        fsync(handle)
        point("after fsync")

    for name in WATCHED:
        setattr(Path, name, around(name))
    os.fsync = flushed
    try:
        yield
    finally:
        os.fsync = fsync
        for name, operation in kept.items():
            setattr(Path, name, operation)


def main(config: Path, number: int) -> None:
    """Sync once, and be killed on the way."""
    from ticssync.app.sync_once import SyncOrder, sync
    from ticssync.app.workspace import of_this_process, open_workspace

    points = Points(number, lambda _name: os.kill(os.getpid(), signal.SIGKILL))
    with open_workspace(of_this_process("ja", config)) as workspace:
        workspace.store.watch = points
        with file_operations(workspace.config.shared, points):
            sync(workspace, SyncOrder())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
