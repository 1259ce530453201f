"""A real Redmine from a Debian package, on 127.0.0.1: started, put back in milliseconds, stopped; an administrator's deeds.

A seeded template (database and what it holds, see redmine_seed.rb) is built once per version, language and zone; each
server is a copy of it in a folder of its own.  `python dev.py test` installs the packages; `available` says what is missing.
"""

from __future__ import annotations

import functools
import hashlib
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
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

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
# The standard input is a pipe from the process that started this one: it ends when that ends, however it ends.
Thread.new {{ $stdin.read; Process.kill(:TERM, Process.pid) }}
# Puma lets a thread wait 0.2 s for more on a connection that was kept: with one thread, everybody else waits too.
if Puma::Const.const_defined?(:FAST_TRACK_KA_TIMEOUT)
  Puma::Const.send(:remove_const, :FAST_TRACK_KA_TIMEOUT)
  Puma::Const.const_set(:FAST_TRACK_KA_TIMEOUT, 0)
end
"""
FOLDERS = ("config", "log", "files", "tmp/cache", "tmp/pids", "public/plugin_assets")
START_S, STOP_S = 120, 15
STARTED = re.compile(r'Started ([A-Z]+) "([^"]*)" for ')
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


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
        return [
            "/usr/sbin/chroot",
            str(self.root),
            "/bin/sh",
            "-c",
            f'cd {APPLICATION} && exec "$@"',
            "sh",
            *words,
        ]

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
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def template(root: Path, version: str, lang: str, zone: str) -> Place:
    """A migrated and seeded instance that is only ever copied; built by the first who asks, about 12 s."""
    folder = SETUP / "redmine" if root == Path("/") else root / "srv/ticssync-tests"
    folder.mkdir(parents=True, exist_ok=True)
    known = hashlib.sha256(
        SEED.read_bytes() + repr((str(root), zone, GEMFILE, DATABASE)).encode()
    ).hexdigest()[:10]
    built = Place(root, folder / f"template-{version}-{lang}-{known}")
    with locked(folder / "lock"):
        if not (built.path / "ready").exists():
            for last in (False, False, True):
                # Ruby's SQLite now and then gives up on its own lock ("database is locked"): begun anew it goes through.
                try:
                    build(built, lang, zone)
                except RedmineError:
                    if last:
                        raise
                else:
                    break
    return built


def build(built: Place, lang: str, zone: str) -> None:
    """Migrate and seed it in an empty folder."""
    shutil.rmtree(built.path, ignore_errors=True)
    built.lay_out()
    shutil.copy(SEED, built.path)
    built.run(zone, "bundle", "exec", "rake", "db:migrate")
    told, script = str(built.inner / "seed.json"), str(built.inner / SEED.name)
    built.run(zone, "bundle", "exec", "rails", "runner", script, SEED_LANG=lang, SEED_OUT=told)
    (built.path / "ready").touch()


# ── one server ────────────────────────────────────────────────────────────────────────────────────────


class Request(NamedTuple):
    """One that the server was asked; `path` with its query."""

    method: str
    path: str


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers here: a deed is one request."""

    def redirect_request(self, *_: Any) -> None:
        """Do not follow."""


def opener(*more: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Straight to the loopback, whatever proxy the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay(), *more)


@dataclass(slots=True)
class Server:
    """A running Redmine, and what its administrator and its people do with it.

    `ids` and `names` are the seed's, by kind and word: `ids["statuses"]["closed"]`, `names["users"]["worker"]`.
    `keys` are API keys by login (admin, worker, confirmer, operator, reader, bot); `password` is everybody's.
    Where a deed takes a role, a status and so on, it takes the seed's word or an id.
    Deeds raise RedmineError where the server refuses them; each is in force for the next request.
    """

    url: str
    version: str
    lang: str
    folder: Path
    template: Path
    keys: dict[str, str]
    password: str
    ids: Mapping[str, Mapping[str, int]]
    names: Mapping[str, Mapping[str, str]]
    zone: str
    process: subprocess.Popen[bytes] = field(repr=False)
    seen_from: int = 0

    @property
    def log(self) -> Path:
        """What the application says about each request."""
        return self.folder / "log/production.log"

    def requests_seen(self) -> list[Request]:
        """Requests since the last reset that were not deeds of this class, in the order of their start."""
        with self.log.open("rb") as log:
            log.seek(self.seen_from)
            said = log.read().decode(errors="replace")
        return [Request(*one) for one in STARTED.findall(said) if DEED not in one[1]]

    # ── ways in ───────────────────────────────────────────────────────────────────────────────────────

    def ask(
        self, method: str, path: str, body: Any = None, *, by: str = "admin", kind: str = "application/json"
    ) -> tuple[int, Any]:
        """One request with a person's key: status and answer (parsed JSON, text, or None where it is empty)."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"X-Redmine-API-Key": self.keys[by], "Content-Type": kind}
        with closing(self._send(opener(), method, path, sent, headers)) as answer:
            raw = answer.read()
            if "json" in answer.headers.get("Content-Type", "") and raw.strip():
                return int(answer.status), json.loads(raw)
            return int(answer.status), raw.decode(errors="replace") or None

    def call(
        self, method: str, path: str, body: Any = None, *, by: str = "admin", kind: str = "application/json"
    ) -> Any:
        """The same, where only success will do: the answer."""
        status, answer = self.ask(method, path, body, by=by, kind=kind)
        if status >= 300:
            raise RedmineError(f"{method} {path}: {status} {str(answer)[:500]}")
        return answer

    def submit(self, path: str, *fields: tuple[str, object], by: str = "admin") -> str:
        """Send a form of Redmine's own pages, logged in as a person: where it leads to."""
        browser = opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self._post(browser, "/login", ("username", by), ("password", self.password))
        return self._post(browser, path, *fields)

    def _post(self, browser: urllib.request.OpenerDirector, path: str, *fields: tuple[str, object]) -> str:
        with closing(self._send(browser, "GET", "/my/account" if path != "/login" else path)) as page:
            (token, *_) = TOKEN.findall(page.read().decode()) or [""]
        sent = urllib.parse.urlencode([("authenticity_token", token), *fields]).encode()
        with closing(self._send(browser, "POST", path, sent)) as answer:
            if answer.status != 302:
                raise RedmineError(
                    f"the form {path} was refused ({answer.status}): {problems(answer.read())}"
                )
            return str(answer.headers["Location"])

    def _send(
        self, through: urllib.request.OpenerDirector, method: str, path: str, sent: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        marked = f"{self.url}{path}{'&' if '?' in path else '?'}{DEED}"
        try:
            return through.open(
                urllib.request.Request(marked, sent, dict(headers or {}), method=method), timeout=60
            )
        except urllib.error.HTTPError as refused:
            return refused

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement on the running server's database; its rows (with RETURNING: a new id)."""
        with closing(sqlite3.connect(self.folder / "redmine.sqlite3", timeout=10)) as base, base:
            return base.execute(statement, values).fetchall()

    def stamp(self) -> str:
        """Now, as Redmine writes times to its database: those of the server's zone."""
        return datetime.now(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M:%S.%f")

    def id(self, kind: str, one: str | int) -> int:
        """The id of a thing of the seed by its word; an id stays what it is."""
        return one if isinstance(one, int) else self.ids[kind][one]

    # ── the installation ──────────────────────────────────────────────────────────────────────────────

    def setting(self, name: str, value: object) -> None:
        """Set one of Redmine's settings (text, as its database holds it)."""
        # Redmine reads settings anew once a row is newer than its memory.
        if not self.sql(
            "UPDATE settings SET value = ?, updated_on = ? WHERE name = ? RETURNING id",
            str(value),
            self.stamp(),
            name,
        ):
            self.sql(
                "INSERT INTO settings (name, value, updated_on) VALUES (?, ?, ?)",
                name,
                str(value),
                self.stamp(),
            )

    def rest(self, *, on: bool) -> None:
        """Switch the REST interface on or off; when off, deeds that use it are refused."""
        self.setting("rest_api_enabled", int(on))

    def attachment_max_size(self, kib: int) -> None:
        """The largest attachment, in KiB."""
        self.setting("attachment_max_size", kib)

    # ── people ────────────────────────────────────────────────────────────────────────────────────────

    def lock_user(self, user: str | int) -> None:
        """The person can no longer log in, nor be assigned."""
        self.call("PUT", f"/users/{self.id('users', user)}.json", {"user": {"status": 3}})

    def unlock_user(self, user: str | int) -> None:
        """The opposite."""
        self.call("PUT", f"/users/{self.id('users', user)}.json", {"user": {"status": 1}})

    def replace_key(self, login: str, key: str) -> None:
        """A new API key (40 characters); the old one is worth nothing.  Deeds of that person use the new one."""
        where = "user_id = ? AND action = 'api'"
        if not self.sql(
            f"UPDATE tokens SET value = ? WHERE {where} RETURNING id", key, self.id("users", login)
        ):
            self.sql(
                "INSERT INTO tokens (user_id, action, value, created_on, updated_on) VALUES (?, 'api', ?, ?, ?)",
                self.id("users", login), key, self.stamp(), self.stamp(),
            )  # fmt: skip
        self.keys[login] = key

    def revoke_key(self, login: str) -> None:
        """The API key is worth nothing, and there is no other."""
        self.sql("DELETE FROM tokens WHERE user_id = ? AND action = 'api'", self.id("users", login))

    def leave_project(self, login: str, project: str = "tics") -> None:
        """The person is no longer a member."""
        found = self.call("GET", f"/projects/{project}/memberships.json?limit=100")["memberships"]
        (mine,) = [one["id"] for one in found if one.get("user", {}).get("id") == self.id("users", login)]
        self.call("DELETE", f"/memberships/{mine}.json")

    # ── workflow ──────────────────────────────────────────────────────────────────────────────────────

    def allow_transition(self, role: str | int, tracker: str | int, old: str | int, new: str | int) -> None:
        """This role may take issues of this tracker from the old to the new status."""
        self.forbid_transition(role, tracker, old, new)
        self.sql(
            "INSERT INTO workflows (role_id, tracker_id, old_status_id, new_status_id, assignee, author, type)"
            " VALUES (?, ?, ?, ?, 0, 0, 'WorkflowTransition')",
            *self._step(role, tracker, old, new),
        )

    def forbid_transition(self, role: str | int, tracker: str | int, old: str | int, new: str | int) -> None:
        """The opposite."""
        self.sql(
            "DELETE FROM workflows WHERE role_id = ? AND tracker_id = ? AND old_status_id = ? AND new_status_id = ?"
            " AND type = 'WorkflowTransition'",
            *self._step(role, tracker, old, new),
        )

    def _step(
        self, role: str | int, tracker: str | int, old: str | int, new: str | int
    ) -> tuple[int, int, int, int]:
        statuses = (self.id("statuses", old), self.id("statuses", new))
        return self.id("roles", role), self.id("trackers", tracker), *statuses

    def field_rule(
        self, role: str | int, tracker: str | int, status: str | int, name: str, rule: str | None
    ) -> None:
        """Make a field "required" or "readonly" (None: neither) in a status.

        `name` is a custom field's id in digits, or Redmine's word such as due_date, assigned_to_id.
        """
        where = (self.id("roles", role), self.id("trackers", tracker), self.id("statuses", status), name)
        self.sql(
            "DELETE FROM workflows WHERE role_id = ? AND tracker_id = ? AND old_status_id = ? AND field_name = ?"
            " AND type = 'WorkflowPermission'",
            *where,
        )
        if rule:
            self.sql(
                "INSERT INTO workflows (role_id, tracker_id, old_status_id, field_name, rule, new_status_id,"
                " assignee, author, type) VALUES (?, ?, ?, ?, ?, 0, 0, 0, 'WorkflowPermission')",
                *where, rule,
            )  # fmt: skip

    def delete_status(self, status: str | int) -> None:
        """Redmine refuses while an issue or a tracker uses it."""
        number = self.id("statuses", status)
        self.submit(f"/issue_statuses/{number}", ("_method", "delete"))
        self._gone("issue_statuses", number)

    def _gone(self, table: str, number: int) -> None:
        if self.sql(f"SELECT 1 FROM {table} WHERE id = ?", number):
            raise RedmineError(f"Redmine refused to delete {number} of {table}")

    # ── projects ──────────────────────────────────────────────────────────────────────────────────────

    def archive_project(self, project: str = "tics") -> None:
        """Nobody sees it."""
        self.call("PUT", f"/projects/{project}/archive.json")

    def unarchive_project(self, project: str = "tics") -> None:
        """The opposite."""
        self.call("PUT", f"/projects/{project}/unarchive.json")

    def close_project(self, project: str = "tics") -> None:
        """To be read only."""
        self.call("PUT", f"/projects/{project}/close.json")

    def reopen_project(self, project: str = "tics") -> None:
        """The opposite."""
        self.call("PUT", f"/projects/{project}/reopen.json")

    def rename_project(self, name: str, project: str = "tics") -> None:
        """Another name; the identifier cannot change."""
        self.call("PUT", f"/projects/{project}.json", {"project": {"name": name}})

    # ── issues ────────────────────────────────────────────────────────────────────────────────────────

    def new_issue(self, subject: str, *, by: str = "worker", project: str = "tics", **fields: Any) -> int:
        """The id of a new issue; fields as REST names them."""
        sent = {"project_id": project, "subject": subject, **fields}
        return int(self.call("POST", "/issues.json", {"issue": sent}, by=by)["issue"]["id"])

    def edit_issue(self, issue: int, *, by: str = "worker", **fields: Any) -> None:
        """Change fields as REST names them (what a person may not change, Redmine ignores)."""
        self.call("PUT", f"/issues/{issue}.json", {"issue": fields}, by=by)

    def issue(self, issue: int, *, by: str = "admin") -> dict[str, Any]:
        """The issue with its journals and attachments."""
        answer = self.call(
            "GET", f"/issues/{issue}.json?include=journals,attachments,allowed_statuses", by=by
        )
        return dict(answer["issue"])

    def hide_issue(self, issue: int) -> None:
        """Private: only its author, its assignee and roles that see all issues see it."""
        self.edit_issue(issue, by="admin", is_private=True)

    def delete_issue(self, issue: int) -> None:
        """For good."""
        self.call("DELETE", f"/issues/{issue}.json")

    def move_issue(self, issue: int, project: str) -> None:
        """To another project; the id stays."""
        self.edit_issue(issue, by="admin", project_id=self.ids["projects"][project])

    def copy_issue(self, issue: int, project: str = "tics") -> int:
        """Copy with Redmine's own page, with custom values (the marker too), attachments and watchers: the new id."""
        leads_to = self.submit(
            "/issues/bulk_update", ("ids[]", issue), ("copy", 1), ("copy_attachments", 1), ("copy_watchers", 1),
            ("link_copy", 1), ("follow", 1), ("issue[project_id]", self.ids["projects"][project]),
        )  # fmt: skip
        return int(leads_to.rpartition("/")[2].partition("?")[0])

    def note(self, issue: int, text: str, *, by: str = "worker", private: bool = False) -> None:
        """A journal note of a person."""
        self.edit_issue(issue, by=by, notes=text, **({"private_notes": True} if private else {}))

    def attach(self, issue: int, name: str, content: bytes, *, by: str = "worker", note: str = "") -> int:
        """A person adds a file: the attachment's id."""
        upload = f"/uploads.json?{urllib.parse.urlencode({'filename': name})}"
        given = self.call("POST", upload, content, by=by, kind="application/octet-stream")["upload"]
        self.edit_issue(issue, by=by, notes=note, uploads=[{"token": given["token"], "filename": name}])
        return int(given["id"])

    def delete_attachment(self, attachment: int) -> None:
        """For good."""
        self.call("DELETE", f"/attachments/{attachment}.json")

    # ── custom fields ─────────────────────────────────────────────────────────────────────────────────

    def take_field_from_tracker(self, custom_field: str | int, tracker: str | int) -> None:
        """Issues of the tracker no longer have the field; their values stay in the database."""
        self.sql(
            "DELETE FROM custom_fields_trackers WHERE custom_field_id = ? AND tracker_id = ?",
            self.id("custom_fields", custom_field), self.id("trackers", tracker),
        )  # fmt: skip

    def filter_by_field(self, custom_field: str | int, *, on: bool) -> None:
        """Whether issues can be searched by the field (`is_filter`)."""
        number = self.id("custom_fields", custom_field)
        self.submit(f"/custom_fields/{number}", ("_method", "patch"), ("custom_field[is_filter]", int(on)))

    def delete_field(self, custom_field: str | int) -> None:
        """For good, with the values of all issues."""
        number = self.id("custom_fields", custom_field)
        self.submit(f"/custom_fields/{number}", ("_method", "delete"))
        self._gone("custom_fields", number)

    def add_required_field(self, name: str) -> int:
        """A text that no issue of any tracker may be without: its id."""
        trackers = [
            ("custom_field[tracker_ids][]", number) for (number,) in self.sql("SELECT id FROM trackers")
        ]
        wanted = {"field_format": "string", "name": name, "is_required": 1, "is_for_all": 1, "visible": 1}
        fields = [(f"custom_field[{word}]", value) for word, value in wanted.items()]
        self.submit("/custom_fields", ("type", "IssueCustomField"), *fields, *trackers)
        ((number,),) = self.sql("SELECT id FROM custom_fields WHERE name = ?", name)
        return int(number)


def problems(page: bytes) -> str:
    """What a page of Redmine says is wrong."""
    found = re.search(
        r'id="(?:errorExplanation|flash_error)"[^>]*>(.*?)</div>', page.decode(errors="replace"), re.DOTALL
    )
    return re.sub(r"<[^>]*>|\s+", " ", found[1]).strip() if found else "no reason given"


# ── start, put back, stop ─────────────────────────────────────────────────────────────────────────────


def start(
    folder: Path, *, version: str = "5.0", lang: str = "ja", tz: str = "Asia/Tokyo", threads: int = 1
) -> Server:
    """A server of its own in the folder, about 4 s (that of a chroot is in the chroot, see `Server.folder`).

    One thread by default: with several, Ruby's SQLite waits for the file lock without letting the other threads
    run, and writers that meet answer 500 after ten seconds.
    """
    root = root_of(version)
    built = template(root, version, lang, tz)
    folder.mkdir(parents=True, exist_ok=True)
    at = Place(root, folder.resolve())
    if root != Path("/"):
        clear_after_the_dead(built.path.parent)
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        at = Place(root, built.path.parent / f"run-{os.getpid()}-{name}")
    shutil.rmtree(at.path, ignore_errors=True)
    at.lay_out()
    shutil.copy(built.path / "Gemfile.lock", at.path)
    put_back(built.path, at.path)
    port = free_port()
    (at.path / "config/puma.rb").write_text(PUMA.format(port=port, threads=threads), encoding="utf-8")
    words = ("bundle", "exec", "puma", "-C", str(at.inner / "config/puma.rb"), f"{APPLICATION}/config.ru")
    with (at.path / "log/server.log").open("ab") as log:
        process = subprocess.Popen(
            at.command(*words), cwd=at.folder, env=at.environment(tz, {}), stdin=subprocess.PIPE, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    told = seeded(built.path)
    server = Server(
        f"http://127.0.0.1:{port}", told["version"], lang, at.path, built.path, told["keys"],
        told["password"], told["ids"], told["names"], tz, process,
    )  # fmt: skip
    wait_until_it_answers(server)
    return server


def clear_after_the_dead(folder: Path) -> None:
    """Remove what processes that were killed left in a chroot."""
    for left in folder.glob("run-*-*"):
        if not Path("/proc", left.name.split("-")[1]).exists():
            shutil.rmtree(left, ignore_errors=True)


def seeded(folder: Path) -> dict[str, Any]:
    """What the seed tells: version, keys, ids, names."""
    return dict(json.loads((folder / "seed.json").read_text(encoding="utf-8")))


def next_second() -> None:
    """Return when another second has begun: Redmine's times of change have whole seconds, and in life nobody acts
    in the very second in which a pass ends."""
    begun = int(time.time())
    while int(time.time()) == begun:
        pass


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
            if server.ask("GET", "/issues.json?limit=1")[0] == 200:
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
    # Without it the server would keep the settings of the test before: see `Server.setting`.
    server.sql("UPDATE settings SET updated_on = ?", server.stamp())
    server.keys.update(seeded(server.template)["keys"])
    server.seen_from = server.log.stat().st_size


def stop(server: Server, *, keep: bool = False) -> None:
    """End this server's process, and only that; remove what lies in a chroot unless `keep`."""
    if server.process.stdin:
        server.process.stdin.close()
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    if server.folder.parent == server.template.parent and not keep:
        shutil.rmtree(server.folder, ignore_errors=True)
