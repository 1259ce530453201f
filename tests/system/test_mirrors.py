"""The same tasks in a real Redmine and in a workbook that knows fewer statuses: the product, over both at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import ALL
from tests.servers.proxy import Proxy
from tests.servers.redmine import Server
from tests.servers.redmine_company import NAME
from tests.servers.redmine_office import Office, found_office
from tests.system.company import BOOK
from ticssync.shipped import shipped_mappings

pytest_plugins = ["tests.servers.redmine_fixtures"]

LEDGER = "ledger"
SMALL = ("T-14", "T-20", "T-43")


class Mirrored(Office):
    """Redmine and the workbook; `main` leads the routes, the other one is its mirror."""

    def mirror(self, main: str) -> None:
        other = LEDGER if main == NAME else NAME
        starter = (shipped_mappings() / "tics-2024" / "workbook.yaml").read_text("utf-8")
        few = starter.replace("  確認依頼: review\n", "").replace("  対象外の申請: wont_do\n", "")
        assert few.count("\n") == starter.count("\n") - 2
        (self.office / "mappings" / "ledger.yaml").write_text(few, "utf-8")

        def change(found: Any) -> None:
            found["trackers"][LEDGER] = {
                "kind": "workbook",
                "path": f"../共有/{BOOK}",
                "mapping": "mappings/ledger.yaml",
            }
            found["plugins"] = ["ticssync-redmine", "ticssync-sheets"]
            found["routes"] = [{"criteria": item, "tracker": main, "mirrors": [other]} for item in SMALL]

        self.rewrite(change)

    def one_pass(self) -> dict[str, Any]:
        """One `sync`: what it reports of each tracker."""
        self.later(20)
        return dict(self.cli("sync", "--json").json["trackers"])

    def written(self) -> dict[str, list[str]]:
        """One `sync`: what it wrote, by tracker."""
        return {
            name: [f"{one['action']}:{one['task']}" for one in report["actions"] if one["direction"] == "out"]
            for name, report in self.one_pass().items()
        }

    def stands(self, item: str) -> tuple[int, str]:
        """The status in Redmine, and the word in the workbook."""
        return self.status_of(item), str(self.cell(item, "status"))

    def number(self, item: str) -> int:
        (found,) = [one for one in self.bound(item) if one.ref.tracker == NAME]
        return int(found.ref.id)


@pytest.fixture(params=[NAME, LEDGER] if ALL else [NAME], ids="{} leads".format)
def company(request: pytest.FixtureRequest, redmine: Server, tmp_path: Path) -> Iterator[Mirrored]:
    with Proxy(redmine.url) as proxy:
        office = found_office(tmp_path / "会社", redmine, proxy, items=SMALL)
        made = Mirrored(office.root, server=redmine, proxy=proxy)
        made.mirror(request.param)
        first = made.written()
        assert {name: len(lines) for name, lines in first.items()} == {NAME: 3, LEDGER: 3}
        made.one_pass()
        yield made


QUIET: dict[str, list[str]] = {NAME: [], LEDGER: []}


def test_edits_of_different_fields_in_one_interval_are_both_kept(company: Mirrored) -> None:
    company.person({"T-14": {"assigned_to_id": company.server.ids["users"]["confirmer"]}})
    super(Office, company).person({"T-14": {"status": "対応中"}})
    company.one_pass()

    assert company.issue("T-14")["assigned_to"]["id"] == company.server.ids["users"]["confirmer"]
    assert str(company.cell("T-14", "assignee")).startswith("佐藤 花子")
    assert company.stands("T-14") == (company.status("in_progress"), "対応中")
    assert company.cli("conflicts", "list", "--json").json["items"] == []
    assert company.written() == QUIET


def test_edits_of_the_same_field_in_one_interval_end_in_one_conflict_with_both_values(
    company: Mirrored,
) -> None:
    company.person({"T-20": {"status_id": company.status("in_progress")}})
    super(Office, company).person({"T-20": {"status": "完了"}})
    company.one_pass()
    (conflict,) = company.cli("conflicts", "list", "--json").json["items"]
    other = "done" if conflict["taken"] == "doing" else "doing"
    ways = {"doing": (company.status("in_progress"), "対応中"), "done": (company.status("closed"), "完了")}

    assert (conflict["field"], conflict["base"]) == ("status", "todo")
    assert conflict["values"] == {NAME: "doing", LEDGER: "done"}
    assert company.stands("T-20") == ways[conflict["taken"]]
    assert company.written() == QUIET

    side = next(name for name, value in conflict["values"].items() if value == other)
    assert company.cli("conflicts", "resolve", conflict["id"], "--take", side).code == 0
    company.one_pass()

    assert company.stands("T-20") == ways[other]
    assert company.cli("conflicts", "list", "--json").json["items"] == []
    assert company.written() == QUIET


def test_a_status_that_the_workbook_does_not_know_is_not_turned_back_and_costs_no_write_in_an_idle_pass(
    company: Mirrored,
) -> None:
    company.person({"T-43": {"status_id": company.status("resolved")}})
    company.one_pass()
    before = company.stands("T-43")
    requests = len(company.proxy.seen)

    assert before == (company.status("resolved"), "対応中")
    assert company.written() == QUIET
    assert {one.method for one in company.proxy.seen[requests:]} <= {"GET"}
    assert company.stands("T-43") == before

    super(Office, company).person({"T-43": {"status": "完了"}})
    company.one_pass()

    assert company.stands("T-43") == (company.status("closed"), "完了")
    assert company.written() == QUIET
