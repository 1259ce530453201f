"""The store of a company is lost: `ticssync rebind`, as a person types it, with the workbook and with a real Redmine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.servers.proxy import Proxy
from tests.servers.redmine import Server
from tests.servers.redmine_company import NAME
from tests.servers.redmine_office import Office, found_office
from tests.system.company import ITEMS, Company, found_company, outgoing
from tests.unit.app.office import pack
from ticssync.app.adopt import adopt_all
from ticssync.app.adopt_desk import Pairing

pytest_plugins = ["tests.servers.redmine_fixtures"]

EVERYTHING = os.environ.get("TICSSYNC_FAULTS") == "all"


def lose_the_store(company: Company) -> None:
    for file in company.office.glob("ticssync.db*"):
        file.unlink()


def rebound(company: Company, *words: str, code: int = 0) -> Any:
    ran = company.cli("rebind", *words, "--json")
    assert ran.code == code, ran.out + ran.err
    return ran.json


@pytest.fixture
def worked(tmp_path: Path) -> Company:
    company = found_company(tmp_path / "会社")
    company.sync()
    company.person({"T-14": {"status": "完了"}, "T-20": {"status": "対応中", "assignee": "田中 一郎"}})
    company.sync()
    assert outgoing(company.sync()) == []
    return company


def test_the_rows_of_a_workbook_are_found_again_and_an_idle_cycle_leaves_the_file_alone(
    worked: Company,
) -> None:
    bound = {one.key.item: (one.ref, one.status, one.generation) for one in worked.bound()}
    rows = worked.rows()
    lose_the_store(worked)
    before = worked.book.read_bytes()

    told = rebound(worked)["trackers"]["ledger"]

    assert (told["by_marker"], told["differences"], told["not_found"]) == (ITEMS, 0, [])
    assert {one.key.item: (one.ref, one.status, one.generation) for one in worked.bound()} == bound
    assert [outgoing(worked.sync()) for _ in range(2)] == [[], []]
    assert worked.book.read_bytes() == before
    assert worked.rows() == rows


# ── a real Redmine ────────────────────────────────────────────────────────────────────────────────────

MANY = 200 if EVERYTHING else 20
"""Linked issues; every fifth was made by people and adopted."""


def write_catalogue(office: Office, count: int) -> list[str]:
    """A catalogue of so many criteria takes the place of the shipped one."""
    items = [f"T-{number:03}" for number in range(1, count + 1)]
    (office.office / "many.yaml").write_text(pack("tics", *items), "utf-8")
    office.rewrite(lambda found: found.update(catalogs=["./many.yaml"]))
    return items


def adopt_some(office: Office, items: list[str]) -> dict[str, int]:
    """People made an issue for each of these items before ticssync came; item → number.  Every other one of an issue
    type that has no field for the marker."""
    types = office.server.ids["trackers"]
    place = (office.server.ids["custom_fields"]["marker"], types["bug"])
    office.server.sql(
        "DELETE FROM custom_fields_trackers WHERE custom_field_id = ? AND tracker_id = ?", *place
    )
    made = {
        item: office.server.new_issue(
            f"手作りの課題 {item} ㊙",
            description="本社の金庫室\r\n  * 佐藤",
            tracker_id=types["bug" if at % 2 else "feature"],
        )
        for at, item in enumerate(items)
    }
    with office.open() as workspace:
        told = adopt_all(
            workspace, [Pairing(item, str(number), NAME, exact=True) for item, number in made.items()]
        )
    assert told["refused"] == []
    return made


def passes(office: Office) -> tuple[int, list[str]]:
    """(requests that write, what is reported as written) of a pass a minute later."""
    office.later(60)
    before = len(office.server.requests_seen())
    written = outgoing(office.sync())
    return sum(1 for one in office.server.requests_seen()[before:] if one.method != "GET"), written


@pytest.mark.slow
def test_after_the_loss_of_the_store_an_idle_cycle_writes_nothing_into_a_real_redmine(
    redmine: Server, tmp_path: Path
) -> None:
    with Proxy(redmine.url) as proxy:
        office = found_office(tmp_path / "会社", redmine, proxy)
        items = write_catalogue(office, MANY)
        own = adopt_some(office, items[::5])
        for _ in range(2):
            passes(office)
        assert passes(office) == (0, [])
        numbers = {one.key.item: one.ref.id for one in office.bound()}
        statuses = {one.key.item: one.status for one in office.bound()}
        issues = office.issues()
        lose_the_store(office)
        seen = len(redmine.requests_seen())

        told = rebound(office)["trackers"][NAME]

        assert [one.method for one in redmine.requests_seen()[seen:] if one.method != "GET"] == []
        unmarked = len(own) // 2
        assert (told["by_marker"], told["by_links"]) == (MANY - unmarked, unmarked)
        assert told["without_marker"] == unmarked
        assert (told["differences"], told["not_found"], told["copies"]) == (0, [], 0)
        assert {one.key.item: one.ref.id for one in office.bound()} == numbers
        assert {item: numbers[item] for item in own} == {item: str(number) for item, number in own.items()}
        assert {one.key.item: one.status for one in office.bound()} == statuses
        assert [passes(office) for _ in range(2)] == [(0, []), (0, [])]
        office.later(25 * 3600)
        assert passes(office) == (0, [])
        assert office.issues() == issues


def moved_to(office: Office, url: str) -> None:
    """Somebody writes another address into ticssync.yaml."""
    office.rewrite(lambda found: found["trackers"][NAME].update(url=url))


@pytest.mark.slow
def test_a_redmine_behind_another_address_is_known_again_by_a_few_of_its_issues(
    redmine: Server, tmp_path: Path
) -> None:
    """The settings changed, the issues are there: a sync goes on, and `migrate` has nothing to move but addresses."""
    with Proxy(redmine.url) as proxy, Proxy(redmine.url) as other:
        office = found_office(tmp_path / "会社", redmine, proxy, items=("T-14", "T-20"))
        for _ in range(2):
            passes(office)
        moved_to(office, other.url)
        dry = office.cli("migrate", NAME, "--dry-run", "--json")
        told = office.cli("migrate", NAME, "--json")

        assert (dry.code, dry.json["event"], dry.json["by_marker"]) == (0, None, 2)
        assert (told.code, told.json["by_marker"], told.json["moved"], told.json["not_found"]) == (
            0,
            2,
            [],
            [],
        )
        assert {one.url.startswith(other.url) for one in office.bound()} == {True}
        assert passes(office) == (0, [])
        moved_to(office, proxy.url)
        assert passes(office) == (0, [])


@pytest.mark.slow
@pytest.mark.skipif(not EVERYTHING, reason="starts a second Redmine")
def test_another_redmine_under_the_same_name_is_never_written_to(
    redmine: Server, redmine_60: Server, tmp_path: Path
) -> None:
    """Its issues have the same numbers and are other people's."""
    with Proxy(redmine.url) as proxy:
        office = found_office(tmp_path / "会社", redmine, proxy, items=("T-14", "T-20"))
        for _ in range(2):
            passes(office)
        for number in range(5):
            redmine_60.new_issue(f"よその仕事 {number}", tracker_id=2)
        moved_to(office, redmine_60.url)
        (office.office / "secrets" / f"trackers.{NAME}.api_key").write_text(redmine_60.keys["bot"], "utf-8")
        seen = len(redmine_60.requests_seen())
        ran = office.cli("sync", "--json")
        migrated = office.cli("migrate", NAME, "--json")

        assert (ran.code, ran.json["trackers"][NAME]["state"]) == (5, "safety_stop")
        assert migrated.code == 5
        assert {one.method for one in redmine_60.requests_seen()[seen:]} == {"GET"}


# ── as a person sees it ───────────────────────────────────────────────────────────────────────────────


def test_with_a_bundle_confirmations_come_back_and_what_is_lost_is_said(worked: Company) -> None:
    proof = worked.root / "規程 ㊙.pdf"
    proof.write_bytes(b"%PDF rules")
    given = ("--kind", "document", "--class", "internal", "--by", "tanaka")
    added = worked.cli("evidence", "add", str(proof), "--criterion", "T-03", *given)
    assert added.code == 0, added.err
    worked.person({"T-03": {"status": "完了"}})
    worked.sync()
    ran = worked.cli("confirm", "T-03", "--by", "sato", "--until", "2030-03-31", "--proof", str(proof))
    assert ran.code == 0, ran.err
    worked.sync()
    (worked.root / "一式").mkdir()
    exported = worked.cli("bundle", "export", "--out", str(worked.root / "一式"), "--json").json
    status = worked.cli("status", "--json").json["criteria"]
    lose_the_store(worked)

    ran = worked.cli("rebind", "--from", exported["path"])

    assert ran.code == 0, ran.out + ran.err
    assert "1 pieces of evidence" in ran.out
    assert "are lost: enter them again" in ran.out
    now = worked.cli("status", "--json").json["criteria"]
    assert [(one["id"], one["state"]) for one in now] == [(one["id"], one["state"]) for one in status]
    assert next(one["state"] for one in now if one["id"] == "T-03") == "confirmed"
    before = worked.book.read_bytes()
    assert [outgoing(worked.sync()) for _ in range(2)] == [[], []]
    assert worked.book.read_bytes() == before


def test_a_store_that_is_there_is_left_alone_and_said_so(worked: Company) -> None:
    ran = worked.cli("rebind")
    assert (ran.code, "stands here already" in ran.err) == (2, True)


def test_a_workbook_that_lies_somewhere_else_is_found_again(worked: Company) -> None:
    there = worked.root / "新しい共有" / worked.book.name
    there.parent.mkdir()
    worked.book.rename(there)
    text = worked.config.read_text("utf-8")
    worked.config.write_text(text.replace("../共有", "../新しい共有"), "utf-8")

    told = worked.cli("migrate", "ledger", "--json")

    assert told.code == 0, told.out + told.err
    assert (told.json["by_marker"], told.json["moved"], told.json["not_found"]) == (ITEMS, [], [])
    assert outgoing(worked.sync()) == []
