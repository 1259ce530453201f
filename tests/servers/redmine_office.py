"""More of a company over a real Redmine (redmine_company.py): its clock, its routes, its confirmer, all of its issues.

`tanaka` does the work (the account `worker`); `sato` confirms (the account `confirmer`, and this process's own).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from tests.servers.proxy import Proxy
from tests.servers.redmine import Server, next_second
from tests.servers.redmine_company import NAME, Kept, RedmineCompany, found_redmine_company

from ticssync.app.workspace import account_name, utc_now

CONFIRMER: Final = "sato"


@dataclass
class Office(RedmineCompany):
    """`ahead`: how far the company's clock runs before the machine's, in this process."""

    ahead: timedelta = field(default=timedelta(), kw_only=True)

    def __post_init__(self) -> None:
        self.clock = self.now

    def now(self) -> datetime:
        """The company's time."""
        return utc_now() + self.ahead

    def later(self, seconds: float) -> None:
        """Time goes by, for Redmine too."""
        self.ahead += timedelta(seconds=seconds)
        next_second()

    # -- files of the company

    def rewrite(self, change: Callable[[Any], object]) -> None:
        """Change ticssync.yaml."""
        yaml = YAML()
        found = yaml.load(self.config.read_text("utf-8"))
        change(found)
        with self.config.open("w", encoding="utf-8") as file:
            yaml.dump(found, file)

    def route(self, *items: str) -> None:
        """Only these criteria go to the tracker."""
        self.rewrite(
            lambda found: found.update(routes=[{"criteria": item, "tracker": NAME} for item in items])
        )

    def map_more(self, text: str) -> None:
        """Further lines at the end of the mapping."""
        with self.mapping.open("a", encoding="utf-8") as file:
            file.write(text)

    # -- what the server holds

    def issues(self) -> list[dict[str, Any]]:
        """All issues of the project, oldest first, as the administrator sees them."""
        found: list[dict[str, Any]] = []
        while True:
            path = f"/projects/tics/issues.json?status_id=*&sort=id&limit=100&offset={len(found)}"
            page = self.server.call("GET", path)
            found += page["issues"]
            if len(found) >= page["total_count"]:
                return found

    def markers(self, issues: Sequence[Mapping[str, Any]] | None = None) -> list[str]:
        """The ids in the custom field, of all issues that have one."""
        place = self.server.ids["custom_fields"]["marker"]
        found = self.issues() if issues is None else issues
        values = [one["value"] for issue in found for one in issue["custom_fields"] if one["id"] == place]
        return [value for value in values if value]

    def person(self, edits: Mapping[str, Mapping[str, Any]], *, by: str = "worker") -> None:
        """Somebody changes issues: item → fields as REST names them."""
        for item, fields in edits.items():
            self.server.edit_issue(self.number(item), by=by, **fields)

    def status(self, name: str) -> int:
        """A status by the seed's word."""
        return self.server.ids["statuses"][name]


def notes(issue: Mapping[str, Any]) -> list[str]:
    """The notes of an issue, oldest first, with plain line ends."""
    return [one["notes"].replace("\r\n", "\n") for one in issue["journals"] if one["notes"]]


def found_office(
    root: Path, server: Server, proxy: Proxy, *, items: Sequence[str] = (), more: str = ""
) -> Office:
    """A new workspace, made by `init`; the marker in a custom field.  `items`: only these criteria go to Redmine
    (none named: all 46); `more`: further lines of the mapping."""
    found_redmine_company(root, server, proxy)
    office = Office(root, server=server, proxy=proxy)
    if "\nmarker: description" in office.mapping.read_text("utf-8"):
        # Redmine 6.1 shows its fields to members, and `init` has found the one for the marker.
        place = f"cf_{server.ids['custom_fields']['marker']}"
        office.edit_mapping("\nmarker: description", f"\nmarker: {place}")

    def change(found: Any) -> None:
        number, people = str(server.ids["users"]["confirmer"]), found["people"]
        # `init` has taken the members over under their numbers: the confirmer is somebody whom we know already.
        for twin in [one for one, who in people.items() if who.get("accounts", {}).get(NAME) == number]:
            del people[twin]
        people[CONFIRMER]["accounts"] = {NAME: number, "os": account_name()}

    office.rewrite(change)
    office.map_more(more)
    if items:
        office.route(*items)
    return office


class Moment:
    """Company and server, its files as well, as they stand now: to be gone back to in milliseconds."""

    def __init__(self, office: Office, kept: Path) -> None:
        self.office, self.kept, self.ahead = office, kept, office.ahead
        self._kept = Kept(office, kept)
        shutil.copytree(office.server.folder / "files", kept / "files")

    def back(self) -> Office:
        """Everything as it was kept; requests are counted from here on."""
        self._kept.back()
        shutil.copytree(self.kept / "files", self.office.server.folder / "files", dirs_exist_ok=True)
        self.office.ahead, self.office.clock = self.ahead, self.office.now
        self.office.server.seen_from = self.office.server.log.stat().st_size
        return self.office
