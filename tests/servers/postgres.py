"""A real PostgreSQL on 127.0.0.1: a cluster of its own in a temporary folder, started and stopped by its process id.

A server refuses to run as root, so as root it runs as the account that Debian's package makes.  Nothing is kept:
what survives a power cut is no matter for these tests, so it does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

ACCOUNT = "postgres"
CLUSTER_LOCALE = ("-E", "UTF8", "--locale=C.UTF-8")
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "timezone=UTC")
START_S, STOP_S = 60, 20
WATCHED = '"$@" </dev/null & server=$!; read -r how; kill -"${how:-INT}" $server; wait $server'
"""The standard input is a pipe from the process that started this one: it ends when that ends, however it ends."""
PASSWORD = "canary-pw"
"""Of every account that tests make: whatever shows it is at fault."""


class PostgresError(RuntimeError):
    """The server could not be set up."""


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest that Debian's packages put there, else from the path."""
    debian = Path("/usr/lib/postgresql")
    found = (
        sorted(debian.glob("*/bin/postgres"), key=lambda one: int(one.parts[-3])) if debian.is_dir() else []
    )
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


@functools.cache
def available() -> str:
    """Empty where a server can be started here, or why not, in one sentence."""
    if sys.platform == "win32":
        return "PostgreSQL runs in the tests on Debian only (or name one: TICSSYNC_TEST_POSTGRES)"
    if programs() is None:
        return "PostgreSQL is not installed (as root on Debian, `python dev.py test` installs it)"
    if os.geteuid() == 0 and _account() is None:
        return f"as root, PostgreSQL needs the account {ACCOUNT}, which its package makes"
    return ""


def _account() -> tuple[int, int] | None:
    import pwd

    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


@dataclass
class Cluster:
    """A running server.  `port` stays the same when it is started anew."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, database: str = "postgres", user: str = ACCOUNT, password: str = "") -> str:
        """Where a client connects to."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}" if password else quote(user, safe="")
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers."""
        where = programs()
        assert where is not None
        options = [
            part
            for one in (*FAST, "listen_addresses=127.0.0.1", "max_connections=60")
            for part in ("-c", one)
        ]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHED, "sh", str(where / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-k", "", *options],
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, **_as_account(),
            )  # fmt: skip
        until = time.monotonic() + START_S
        while not _answers(where, self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise PostgresError((self.folder / "server.log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.02)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it, ending all sessions; `at_once` as in a power cut."""
        process, self.process = self.process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(b"QUIT\n" if at_once else b"INT\n")
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_S)


def start() -> Cluster:
    """A new cluster; `remove` when done.  Raises PostgresError with what the server said."""
    folder = Path(tempfile.mkdtemp(prefix="ticssync-postgres-"))
    # The server's account must come through, whatever the folder of the tests allows.
    folder.chmod(0o755)
    cluster = Cluster(folder, _free_port())
    try:
        _initialise(folder)
        cluster.start()
    except BaseException:
        remove(cluster)
        raise
    return cluster


def _initialise(folder: Path) -> None:
    where, account = programs(), _account() if os.geteuid() == 0 else None
    assert where is not None
    if account is not None:
        os.chown(folder, *account)
    # Passwords are asked for: a test of a wrong one must meet a server that minds.
    rules = folder / "pg_hba.conf"
    rules.write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", "utf-8"
    )
    done = subprocess.run(
        [str(where / "initdb"), "-D", str(folder / "data"), "-U", ACCOUNT, "-A", "trust", "--no-sync", *CLUSTER_LOCALE],
        capture_output=True, text=True, check=False, **_as_account(),
    )  # fmt: skip
    if done.returncode:
        raise PostgresError(done.stdout[-1000:] + done.stderr[-1000:])
    shutil.copyfile(rules, folder / "data" / "pg_hba.conf")


def remove(cluster: Cluster) -> None:
    """Stop it and remove what it wrote."""
    cluster.stop()
    shutil.rmtree(cluster.folder, ignore_errors=True)


def _answers(where: Path, port: int) -> bool:
    asked = [str(where / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(asked, check=False, **_as_account()).returncode == 0


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _as_account() -> dict[str, Any]:
    """How a program of the server is called: nothing of our environment, no rights of root."""
    called: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
    if os.geteuid() == 0 and (account := _account()) is not None:
        called |= {"user": account[0], "group": account[1], "extra_groups": []}
    return called
