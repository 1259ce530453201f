"""A real Redmine from a Debian package, on 127.0.0.1: started, put back in milliseconds, stopped; an administrator's deeds.

A seeded template (database and what it holds, see redmine_seed.rb) is built once per version, language and zone; each
server is a copy of it in a folder of its own.  `python dev.py test` installs the packages; `available` says what is missing.
"""

from __future__ import annotations

import functools
import hashlib
import html
import http.client
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dev import SETUP, redmine_root

APPLICATION = "/usr/share/redmine"
SEED = Path(__file__).with_name("redmine_seed.rb")
DEED = "deed=1"
"""In the query of each request of this module, so that `requests_seen` can leave them out; Redmine ignores it."""
GEMFILE = f"""eval_gemfile '{APPLICATION}/Gemfile'
gem 'sqlite3' unless dependencies.any? {{ |one| one.name == 'sqlite3' }}
gem 'puma' unless dependencies.any? {{ |one| one.name == 'puma' && (one.groups & [:default]).any? }}
"""
DATABASE = "production: {{adapter: sqlite3, database: {inner}/redmine.sqlite3, timeout: 10000, pool: 8}}\n"
PUMA = """environment 'production'
threads {threads}, {threads}
workers 0
bind 'tcp://127.0.0.1:{port}'
"""
FOLDERS = ("config", "log", "files", "tmp/cache", "tmp/pids", "public/plugin_assets")
START_S, STOP_S = 120, 15
STARTED = re.compile(r'Started ([A-Z]+) "([^"]*)" for ')


class RedmineError(RuntimeError):
    """The server could not be set up, or it refused a deed."""


# ── folders, seen from here and from the server ───────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Place:
    """One instance's folder below the root in which Redmine is installed: `/`, or that of a chroot."""

    root: Path
    path: Path

    @property
    def inner(self) -> Path:
        """The folder as the server sees it."""
        return Path("/") / self.path.relative_to(self.root)

    def lay_out(self) -> None:
        """Folders and configuration that Redmine looks for in an instance."""
        for name in FOLDERS:
            (self.path / name).mkdir(parents=True, exist_ok=True)
        (self.path / "Gemfile").write_text(GEMFILE, encoding="utf-8")
        (self.path / "config/database.yml").write_text(DATABASE.format(inner=self.inner), encoding="utf-8")
        secret = hashlib.sha256(str(self.path).encode()).hexdigest()
        (self.path / "config/secret_key.txt").write_text(secret, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """The command as it is run from here."""
        if self.root == Path("/"):
            return list(words)
        return ["/usr/sbin/chroot", str(self.root), "/bin/sh", "-c", f'cd {APPLICATION} && exec "$@"', "sh", *words]

    @property
    def folder(self) -> str:
        """Where the command is called."""
        return APPLICATION if self.root == Path("/") else "/"

    def environment(self, zone: str, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of ours but what Redmine needs."""
        found = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.inner), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "TZ": zone, "RAILS_ENV": "production", "RACK_ENV": "production", "SCHEMA": "/dev/null",
            "BUNDLE_GEMFILE": str(self.inner / "Gemfile"), "RAILS_SERVE_STATIC_FILES": "1", "MALLOC_ARENA_MAX": "2",
            # Debian keeps an instance below instances/NAME; enough ".." lead from there to any folder,
            # so nothing is written to the system's own configuration.
            "REDMINE_INSTANCE": "../" * 12 + str(self.inner).lstrip("/"),
        }  # fmt: skip
        if (self.root / "usr/share/rubygems-integration/all/gems/bundler-2.3.15").exists():
            # Debian 12 has two Bundlers, and the newer one does not know Debian's gems.
            found["BUNDLER_VERSION"] = "2.3.15"
        return {**found, **more}

    def run(self, zone: str, *words: str, **more: str) -> None:
        """Run a command of Redmine's to its end."""
        done = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment(zone, more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        with (self.path / "log/setup.log").open("ab") as log:
            log.write(f"$ {' '.join(words)}\n".encode() + done.stdout)
        if done.returncode:
            said = done.stdout[-2000:].decode(errors="replace")
            raise RedmineError(f"{' '.join(words)} ended with {done.returncode}: {said}")


@functools.cache
def available(version: str) -> str:
    """Empty where a Redmine of this version (5.0, 6.0, 6.1) can be started here, or why not, in one sentence."""
    if not sys.platform.startswith("linux"):
        return f"Redmine {version} runs in the tests on Debian only"
    root = redmine_root(version)
    if root is None:
        return f"Redmine {version} is not installed (as root on Debian, `python dev.py test` installs it)"
    if root != Path("/") and os.geteuid() != 0:
        return f"Redmine {version} is in a folder that only root can enter"
    return ""


def root_of(version: str) -> Path:
    """The root in which this version is installed."""
    root = redmine_root(version)
    if root is None:
        raise RedmineError(available(version))
    return root


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; freed by the system when the process ends."""
    import fcntl  # noqa: PLC0415 - Redmine runs on Debian only; the module is read everywhere

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def template(root: Path, version: str, lang: str, zone: str) -> Place:
    """A migrated and seeded instance that is only ever copied; built by the first who asks, about 12 s."""
    folder = SETUP / "redmine" if root == Path("/") else root / "srv/ticssync-tests"
    folder.mkdir(parents=True, exist_ok=True)
    known = hashlib.sha256(SEED.read_bytes() + repr((str(root), zone, GEMFILE, DATABASE)).encode()).hexdigest()[:10]
    built = Place(root, folder / f"template-{version}-{lang}-{known}")
    with locked(folder / "lock"):
        if not (built.path / "ready").exists():
            shutil.rmtree(built.path, ignore_errors=True)
            built.lay_out()
            shutil.copy(SEED, built.path)
            built.run(zone, "bundle", "exec", "rake", "db:migrate")
            told = str(built.inner / "seed.json")
            script = str(built.inner / SEED.name)
            built.run(zone, "bundle", "exec", "rails", "runner", script, SEED_LANG=lang, SEED_OUT=told)
            (built.path / "ready").touch()
    return built


# ── one server ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Server:
    """A running Redmine.

    `ids` and `names` are the seed's, by kind and word: `ids["statuses"]["closed"]`, `names["users"]["worker"]`.
    `keys` are API keys by login (admin, worker, confirmer, operator, reader, bot); `password` is everybody's.
    """

    url: str
    version: str
    lang: str
    folder: Path
    template: Path
    pid: int
    keys: Mapping[str, str]
    password: str
    ids: Mapping[str, Mapping[str, int]]
    names: Mapping[str, Mapping[str, str]]
    process: subprocess.Popen[bytes] = field(repr=False)
    seen_from: int = 0

    @property
    def database(self) -> Path:
        """The file that the server works on."""
        return self.folder / "redmine.sqlite3"

    @property
    def log(self) -> Path:
        """What the application says about each request."""
        return self.folder / "log/production.log"


def start(
    folder: Path, *, version: str = "5.0", lang: str = "ja", tz: str = "Asia/Tokyo", threads: int = 1
) -> Server:
    """A server of its own in the folder, about 4 s (a chroot's server lives in the chroot, the folder holds a link).

    One thread by default: with several, Ruby's SQLite waits for the file lock without letting the other threads
    run, and writers that meet answer 500 after ten seconds.
    """
    root = root_of(version)
    built = template(root, version, lang, tz)
    folder.mkdir(parents=True, exist_ok=True)
    at = Place(root, folder.resolve())
    if root != Path("/"):
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        at = Place(root, built.path.parent / f"run-{name}")
    shutil.rmtree(at.path, ignore_errors=True)
    at.lay_out()
    shutil.copy(built.path / "Gemfile.lock", at.path)
    put_back(built.path, at.path)
    port = free_port()
    (at.path / "config/puma.rb").write_text(PUMA.format(port=port, threads=threads), encoding="utf-8")
    words = ("bundle", "exec", "puma", "-C", str(at.inner / "config/puma.rb"), f"{APPLICATION}/config.ru")
    with (at.path / "log/server.log").open("ab") as log:
        process = subprocess.Popen(
            at.command(*words), cwd=at.folder, env=at.environment(tz, {}), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    told = json.loads((built.path / "seed.json").read_text(encoding="utf-8"))
    server = Server(
        f"http://127.0.0.1:{port}", told["version"], lang, at.path, built.path, process.pid, told["keys"],
        told["password"], told["ids"], told["names"], process,
    )  # fmt: skip
    wait_until_it_answers(server)
    return server


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(server: Server) -> None:
    """Return with the first answer; stop the server and raise if there is none."""
    end = time.monotonic() + START_S
    while server.process.poll() is None and time.monotonic() < end:
        try:
            if ask(server, "GET", "/issues.json?limit=1")[0] == 200:
                server.seen_from = server.log.stat().st_size
                return
        except OSError:
            time.sleep(0.05)
    stop(server, keep=True)
    said = (server.folder / "log/server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RedmineError(f"Redmine did not start: {said}")


def put_back(source: Path, target: Path) -> None:
    """The template's database over the other's, through SQLite: safe while a server has the file open."""
    with (
        closing(sqlite3.connect(source / "redmine.sqlite3")) as before,
        closing(sqlite3.connect(target / "redmine.sqlite3", timeout=10)) as now,
    ):
        now.execute("PRAGMA synchronous = OFF")
        before.backup(now)
        now.commit()
    shutil.rmtree(target / "files", ignore_errors=True)
    (target / "files").mkdir()


def reset(server: Server) -> None:
    """Back to the seed, without a restart: database and files; requests are counted from here on."""
    put_back(server.template, server.folder)
    # Redmine keeps settings in memory until a row is newer than its memory.
    sql(server, "UPDATE settings SET updated_on = ?", stamp())
    server.seen_from = server.log.stat().st_size


def stop(server: Server, *, keep: bool = False) -> None:
    """End this server's process, and only that; remove what lies in a chroot unless `keep`."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    if server.folder.parent == server.template.parent and not keep:
        shutil.rmtree(server.folder, ignore_errors=True)


# ── asking it ─────────────────────────────────────────────────────────────────────────────────────────


def ask(
    server: Server, method: str, path: str, body: Any = None, *, by: str = "admin", kind: str = "application/json"
) -> tuple[int, Any]:
    """One request with a person's key: status and the parsed answer (None where there is none)."""
    sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    joined = f"{server.url}{path}{'&' if '?' in path else '?'}{DEED}"
    request = urllib.request.Request(joined, sent, {"X-Redmine-API-Key": server.keys[by], "Content-Type": kind}, method=method)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, parsed(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, parsed(refused.read())


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to the loopback, whatever proxy the environment names."""


def parsed(raw: bytes) -> Any:
    """JSON where it is JSON."""
    try:
        return json.loads(raw) if raw.strip() else None
    except ValueError:
        return raw.decode(errors="replace")


def stamp() -> str:
    """Now, as Rails writes it to SQLite (UTC)."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def sql(server: Server, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """One statement on the running server's database; its rows (use RETURNING to get a new id)."""
    with closing(sqlite3.connect(server.database, timeout=10)) as base, base:
        return base.execute(statement, values).fetchall()
