"""A company whose tasks stand in a real Redmine, driven as its people drive it; between it and Redmine stands a proxy.

`pytest_plugins = ["tests.servers.redmine_company"]` gives the fixtures: `redmine_company` (nothing synced yet) and
`redmine_worn` (after a first sync: 46 issues).  Company, server and proxy are as new for each test; the first sync is made
once per test process.  (PYTEST_DONT_REWRITE: the module may have been read before pytest registers it.)
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from tests.servers import redmine as real
from tests.servers.proxy import Proxy, Seen
from tests.servers.redmine import Server
from tests.servers.redmine_fixtures import Ready
from tests.system.company import SETS, Company, Ran

from ticssync.app.init import Answers, begin, init, keep_secret
from ticssync.app.workspace import of_this_process, utc_now
from ticssync.model.binding import Binding

pytest_plugins = ["tests.servers.redmine_fixtures"]

NAME: Final = "redmine"
"""The tracker's name in ticssync.yaml."""

WRITES: Final = frozenset({"POST", "PUT", "DELETE"})
LEFT: Final = frozenset({"copy", "detached"})
"""States of issues that hold no item's place."""

OWNER: Final = "tanaka"
"""The person of ticssync.yaml who has everything to do; in Redmine it is the account `worker`."""


@dataclass
class RedmineCompany(Company):
    """`server` is the Redmine, `proxy` what stands before it; items are named as in the catalogue (T-01)."""

    server: Server = field(kw_only=True)
    proxy: Proxy = field(kw_only=True)

    # -- what is there

    def binding(self, item: str) -> Binding:
        """The one that holds the item's place: copies and what was left behind are not meant."""
        (found,) = [one for one in self.bound(item) if one.state.value not in LEFT]
        return found

    def number(self, item: str) -> int:
        """The number of the item's issue."""
        return int(self.binding(item).ref.id)

    def issue(self, item: str) -> dict[str, Any]:
        """The item's issue as Redmine's administrator sees it."""
        return self.server.issue(self.number(item))

    def status_of(self, item: str) -> int:
        return int(self.issue(item)["status"]["id"])

    def states(self) -> dict[str, str]:
        """Item → state of what holds its place."""
        return {one.key.item: one.state.value for one in self.bound() if one.state.value not in LEFT}

    def status_here(self, item: str) -> str | None:
        """How the item's task stands, by our own word."""
        return self.binding(item).status

    def all_kept(self) -> tuple[Any, ...]:
        """Bindings, events and what `status --json` says: what an accident must not change."""
        return self.bound(), [one.seq for one in self.events()], self.status_bytes()

    # -- a pass

    def passes(self, *words: str, lang: str = "ja") -> Pass:
        """`ticssync sync --json` in this process, and what went over the wire meanwhile."""
        before = len(self.proxy.seen)
        ran = self.cli("sync", *words, "--json", lang=lang)
        return Pass(ran.code, ran.json["trackers"].get(NAME, {}), self.proxy.seen[before:])

    def shown(self, *words: str, lang: str = "ja") -> str:
        """What a person sees of `ticssync sync`."""
        return self.cli("sync", *words, lang=lang).out

    def cli(self, *words: str, lang: str = "en", config: bool = True) -> Ran:
        """A command in this process, at the company's own time."""
        with patch("ticssync.app.workspace.utc_now", self.clock):
            return super().cli(*words, lang=lang, config=config)

    def excludes(self, item: str) -> None:
        """The manager leaves the item out, with a signed paper: its issue is to be 却下."""
        paper = self.root / "除外の承認書.txt"
        paper.write_text(f"{item} 対象の情報がない　佐藤", "utf-8")
        ran = self.cli("exclude", item, "--by", "sato", "--reason", "対象の情報がない", "--proof", str(paper))
        assert ran.code == 0, ran.err

    def a_day_later(self) -> None:
        """The daily look at everything is due."""
        self.clock = lambda: utc_now() + timedelta(hours=25)

    # -- the company's own files

    @property
    def mapping(self) -> Path:
        return self.office / "mappings" / f"{NAME}.yaml"

    def edit_mapping(self, old: str, new: str) -> None:
        text = self.mapping.read_text("utf-8")
        assert old in text
        self.mapping.write_text(text.replace(old, new, 1), "utf-8")

    def map_field(self, name: str, custom: str) -> str:
        """Give a field of ours a custom field of the seed as its place, which is returned."""
        place = f"cf_{self.server.ids['custom_fields'][custom]}"
        self.edit_mapping("  title: subject", f"  {name}: {place}\n  title: subject")
        return place

    def new_key(self, key: str) -> None:
        """Somebody puts another API key into the secrets folder."""
        (self.office / "secrets" / f"trackers.{NAME}.api_key").write_text(key + "\n", "utf-8")


@dataclass(frozen=True)
class Pass:
    """One `sync`: its exit code, what it reports of Redmine, and the requests that it made."""

    code: int
    report: Mapping[str, Any]
    seen: list[Seen]

    @property
    def state(self) -> str:
        return str(self.report["state"])

    @property
    def message(self) -> str:
        return str(self.report["message"])

    @property
    def written(self) -> list[str]:
        """Requests that may change something, as `PUT /issues/12.json`."""
        return [f"{one.method} {one.path.partition('?')[0]}" for one in self.seen if one.method in WRITES]

    @property
    def refusals(self) -> dict[tuple[str, str], str]:
        """(task, field) → why."""
        return {(one["task"], one["field"]): one["why"] for one in self.report["refusals"]}


def found_redmine_company(root: Path, server: Server, proxy: Proxy, *, marker: str = "") -> RedmineCompany:
    """A new workspace, made by `init` from what the Redmine shows.  `marker` is a custom field of the seed."""
    company = RedmineCompany(root, server=server, proxy=proxy)
    people = {f"people.{OWNER}.accounts.{NAME}": str(server.ids["users"]["worker"])}
    place = {f"trackers.{NAME}.url": proxy.url, f"trackers.{NAME}.project": "tics"}
    key = server.keys["bot"]
    answers = Answers(
        company.office, kind="redmine", company="株式会社小出精密", name=NAME, shared=Path("../共有"),
        sets=tuple({**SETS, **people, **place}.items()), secrets={"api_key": key},
    )  # fmt: skip
    around = of_this_process("ja")
    start = begin(around, answers)
    init(around, answers)
    keep_secret(start, "api_key", key)
    if marker:
        company.edit_mapping("\nmarker: description", f"\nmarker: cf_{server.ids['custom_fields'][marker]}")
    return company


class Kept:
    """A company and its Redmine as they stand, to be gone back to in milliseconds."""

    def __init__(self, company: RedmineCompany, kept: Path) -> None:
        self.company, self.kept = company, kept
        shutil.copytree(company.root, kept / "company")
        with (
            closing(sqlite3.connect(company.server.folder / "redmine.sqlite3")) as now,
            closing(sqlite3.connect(kept / "redmine.sqlite3")) as then,
        ):
            now.backup(then)

    def back(self) -> RedmineCompany:
        """Everything as it was kept; requests are counted from here on."""
        company, server = self.company, self.company.server
        real.put_back(self.kept, server.folder)
        server.sql("UPDATE settings SET updated_on = ?", server.stamp())
        server.keys.update(real.seeded(server.template)["keys"])
        company.proxy.clear()
        company.environ.clear()
        company.clock = utc_now
        shutil.rmtree(company.root)
        shutil.copytree(self.kept / "company", company.root)
        return company


@pytest.fixture(scope="session")
def redmine_founded(redmine_ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A workspace that has seen its Redmine and has not synced yet; the marker in a custom field."""
    server = redmine_ready("5.0")
    root = tmp_path_factory.mktemp("redmine-company")
    with Proxy(server.url) as proxy:
        company = found_redmine_company(root / "会社", server, proxy, marker="marker")
        yield Kept(company, root / "founded")


@pytest.fixture(scope="session")
def redmine_synced(redmine_founded: Kept, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    company = redmine_founded.back()
    company.sync()
    return Kept(company, tmp_path_factory.mktemp("redmine-worn"))


@pytest.fixture
def redmine_company(redmine: Server, redmine_founded: Kept) -> RedmineCompany:
    """Nothing synced yet."""
    assert redmine is redmine_founded.company.server
    return redmine_founded.back()


@pytest.fixture
def redmine_worn(redmine: Server, redmine_synced: Kept) -> RedmineCompany:
    """After a first sync: 46 issues."""
    assert redmine is redmine_synced.company.server
    return redmine_synced.back()
