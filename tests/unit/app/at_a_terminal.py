"""A program that wants to ask somebody: it gets a terminal, and answers are typed into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence


def at_a_terminal(
    command: Sequence[str], answers: Sequence[str], environ: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """(exit code, all that was shown).  Each answer is typed when a prompt that ends with a colon shows."""
    assert sys.platform != "win32"
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(command[0], list(command), dict(environ or os.environ))
    shown, left = b"", list(answers)
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
        if left and shown.rstrip(b" ").endswith((b":", "：".encode())):
            os.write(terminal, (left.pop(0) + "\n").encode())
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode("utf-8", "replace")
