"""Rows of the failure matrix (docs/reference/failure-matrix.md) over a real Redmine that other tests do not show."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from plugins.redmine.tests.site import RedmineSite
from tests.servers.proxy import Proxy, Seen
from tests.servers.redmine import Server, next_second
from tests.servers.redmine_company import Pass
from tests.servers.redmine_fixtures import Ready
from tests.servers.redmine_office import Moment, Office, found_office

from ticssync.app.workspace import utc_now
from ticssync.model.canonical import instant_text
from ticssync.model.key import TaskKey
from ticssync.plugin import Done, Draft
from ticssync.store.working import put_cursor

pytest_plugins = ["tests.servers.redmine_fixtures"]

ITEM = "T-05"
ITEMS = ("T-01", "T-05", "T-10")
ALL = os.environ.get("TICSSYNC_FAULTS") == "all"
"""`make faults` tries the variants that `make test` leaves out."""
ZONES = ("Eastern Time (US & Canada)", "Tokyo", "Kiritimati")[: 3 if ALL else 1]
DAYS = (("2028-02-29", "2028-03-01"), ("2026-12-31", "2027-01-01"))
LIMITS: dict[str, tuple[Any, float]] = {
    "for decades": (datetime(2099, 1, 1, tzinfo=timezone.utc), 30 * 86_400),
    "an hour": (3600, 3600),
    "nothing": ("0", 0),
    "without a word": (None, 60),
}


@pytest.fixture(scope="session")
def kept(redmine_ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moment]:
    """Three criteria stand in Redmine, and nothing is left to do."""
    server, root = redmine_ready("5.0"), tmp_path_factory.mktemp("matrix")
    with Proxy(server.url) as proxy:
        office = found_office(root / "会社", server, proxy, items=ITEMS)
        office.sync()
        yield Moment(office, root / "kept")


@pytest.fixture
def company(redmine: Server, kept: Moment) -> Office:
    """As it was kept; the server too."""
    assert redmine is kept.office.server
    return kept.back()


def later(company: Office, seconds: float) -> None:
    """The company's clock goes on, and nobody waits."""
    company.ahead += timedelta(seconds=seconds)


def custom(company: Office, number: int, name: str) -> str | None:
    """What stands in a custom field of the seed."""
    place = company.server.ids["custom_fields"][name]
    return {one["id"]: one["value"] for one in company.server.issue(number)["custom_fields"]}.get(place)


def goes_quiet(company: Office, passes: int = 3) -> list[Pass]:
    """Passes until nothing is written any more."""
    done = []
    for _ in range(passes):
        done.append(company.passes())
        if not done[-1].written:
            return done
    raise AssertionError(f"still writing: {done[-1].written}")


def before_put(company: Office, do: Callable[[], object]) -> None:
    """Something happens when our first change is on its way: after our reading, before our writing."""
    waiting = [do]

    def meanwhile(one: Seen) -> bool:
        if one.method == "PUT" and waiting:
            waiting.pop()()
        return False

    company.proxy.fault(meanwhile, "refuse")


# ── 10: the marker ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "marker", ["わからない", "ticssync.somebodyxx.tics.T-05.0.0.g1.abcdef", ""][not ALL :]
)
def test_a_marker_that_a_person_removed_or_altered_unbinds_nothing_and_is_written_again(
    company: Office, marker: str
) -> None:
    number = company.number(ITEM)
    right = custom(company, number, "marker")
    field = company.server.ids["custom_fields"]["marker"]
    company.server.edit_issue(number, by="admin", custom_fields=[{"id": field, "value": marker}])
    found = company.passes()
    goes_quiet(company)

    assert (company.number(ITEM), company.states()[ITEM]) == (number, "live")
    assert (found.code, found.report["created"], found.written) == (0, 0, [f"PUT /issues/{number}.json"])
    assert custom(company, number, "marker") == right


def test_another_workspaces_issues_are_left_alone(company: Office) -> None:
    """A second workspace works in the same project: its issues are read, and nothing of them is written or bound."""
    field = company.server.ids["custom_fields"]["marker"]
    copy = company.server.copy_issue(company.number(ITEM))
    foreign = "ticssync.somebodyxx.tics.T-05.0.0.g1.abcdef"
    company.server.edit_issue(
        copy, by="admin", custom_fields=[{"id": field, "value": foreign}], subject="別の会社"
    )
    later(company, 25 * 3600)
    found = company.passes()

    assert (found.code, found.written) == (0, [])
    assert str(copy) not in {one.ref.id for one in company.bound()}
    assert (company.server.issue(copy)["subject"], custom(company, copy, "marker")) == ("別の会社", foreign)


# ── 11, 12: both sides ────────────────────────────────────────────────────────────────────────────────


def test_a_decision_here_and_an_edit_there_make_a_conflict_with_both_values(
    company: Office,
) -> None:
    company.server.edit_issue(company.number(ITEM), status_id=company.server.ids["statuses"]["in_progress"])
    company.excludes(ITEM)
    goes_quiet(company)
    (conflict,) = company.events("conflict.opened")

    assert conflict.data["field"] == "status"
    assert set(conflict.data["values"].values()) == {"doing", "wont_do"}


def test_the_value_that_was_decided_here_set_there_too_is_silent(company: Office) -> None:
    company.excludes(ITEM)
    company.server.edit_issue(
        company.number(ITEM), by="admin", status_id=company.server.ids["statuses"]["rejected"]
    )
    done = goes_quiet(company)

    assert done[-1].code == 0
    assert company.events("conflict.opened") == []
    assert company.status_here(ITEM) == "wont_do"


def test_an_edit_of_another_field_between_our_reading_and_our_writing_is_taken_in(
    company: Office,
) -> None:
    number, server = company.number(ITEM), company.server
    company.excludes(ITEM)
    before_put(company, lambda: server.edit_issue(number, by="admin", start_date="2026-01-05"))
    goes_quiet(company)

    assert company.issue(ITEM)["start_date"] == "2026-01-05"
    assert company.status_of(ITEM) == server.ids["statuses"]["rejected"]


def test_a_status_that_our_write_ran_over_is_found_in_the_journal_and_kept_in_the_log(
    company: Office,
) -> None:
    """Redmine has no lock, and its answer does not tell: the journal does."""
    number, server = company.number(ITEM), company.server
    company.excludes(ITEM)
    before_put(
        company,
        lambda: server.edit_issue(number, by="admin", status_id=server.ids["statuses"]["in_progress"]),
    )
    goes_quiet(company)
    company.passes()

    assert company.status_of(ITEM) == server.ids["statuses"]["rejected"]
    (event,) = company.events("task.overwritten")
    assert (event.data["field"], event.data["from"], event.data["to"]) == ("status", "todo", "doing")


# ── 13: a robot ───────────────────────────────────────────────────────────────────────────────────────


def test_a_robot_that_flips_a_title_back_is_frozen_after_three_times(company: Office) -> None:
    number, server = company.number(ITEM), company.server
    written = []
    for _ in range(5):
        server.edit_issue(number, by="admin", subject="自動処理")
        later(company, 60)
        written.append(len(company.passes().written))

    assert written == [1, 1, 1, 0, 0]
    assert len(company.events("task.frozen")) == 1
    assert company.issue(ITEM)["subject"] == "自動処理"


# ── 14: workflow ──────────────────────────────────────────────────────────────────────────────────────


def test_a_status_that_asks_for_a_field_is_refused_naming_the_field(company: Office) -> None:
    company.server.field_rule("ticssync", "feature", "rejected", "start_date", "required")
    company.excludes(ITEM)
    first, again = company.passes(), company.passes()

    assert first.code == 1
    assert "開始日" in str(first.refusals)
    assert again.written == []
    assert company.status_of(ITEM) == company.server.ids["statuses"]["new"]


def test_a_status_that_got_another_name_is_the_same_status(company: Office) -> None:
    company.server.sql(
        "UPDATE issue_statuses SET name = '不採用（新）' WHERE id = ?",
        company.server.ids["statuses"]["rejected"],
    )
    company.excludes(ITEM)
    done = goes_quiet(company)

    assert done[-1].code == 0
    assert company.status_of(ITEM) == company.server.ids["statuses"]["rejected"]
    assert company.status_here(ITEM) == "wont_do"


# ── 15: a limit ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(LIMITS)[: 4 if ALL else 2])
def test_a_redmine_behind_a_limit_is_left_alone_as_long_as_it_says(company: Office, name: str) -> None:
    asked, seconds = LIMITS[name]
    company.proxy.fault(lambda _: True, "busy", status=429, retry_after=asked)
    first = company.passes()
    early = company.passes() if seconds else None
    later(company, seconds + 5)
    after = company.passes()

    assert (first.code, first.state) == (3, "unavailable")
    assert early is None or (early.code, early.seen) == (3, []), "not asked before its time"
    assert (after.code, after.state) == (0, "ok")


# ── 16: pages ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_issue_that_is_made_or_closed_between_two_pages_takes_no_other_with_it(redmine: Server) -> None:
    site = RedmineSite(redmine)
    first = redmine.new_issue("点検", tracker_id=redmine.ids["trackers"]["feature"])
    columns = [name for _, name, *_ in redmine.sql("PRAGMA table_info(issues)") if name != "id"]
    taken = ", ".join("i.id + n" if name == "root_id" else f"i.{name}" for name in columns)
    redmine.sql(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 219) "
        f"INSERT INTO issues (id, {', '.join(columns)}) SELECT i.id + n, {taken} FROM issues i, c WHERE i.id = ?",
        first,
    )  # fmt: skip
    driver = site.open()
    pages = driver.list_changed(None)
    seen = {task.ref.id for task in next(pages).items}
    made = redmine.new_issue("途中で作られた", tracker_id=redmine.ids["trackers"]["feature"])
    redmine.edit_issue(first + 150, by="admin", status_id=redmine.ids["statuses"]["closed"])
    tasks = {task.ref.id: task for page in pages for task in page.items}
    driver.close()

    assert seen | set(tasks) == {str(first + n) for n in range(220)} | {str(made)}
    assert tasks[str(first + 150)].fields["status"] == "done"


# ── 17, 18: clocks, zones, cursors ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("skew_s", [-600, 600])
def test_a_machine_whose_clock_is_ten_minutes_off_misses_no_edit(company: Office, skew_s: float) -> None:
    later(company, skew_s)
    company.passes()
    for status, ours in (("in_progress", "doing"), ("resolved", "review")):
        company.server.edit_issue(
            company.number(ITEM), by="admin", status_id=company.server.ids["statuses"][status]
        )
        later(company, 20)
        found = company.passes()
        assert (found.code, company.status_here(ITEM)) == (0, ours)
        next_second()


def test_accounts_in_any_zone_shift_no_day_and_hide_no_edit(redmine: Server) -> None:
    """The zone of our account, and that of the one who edits, with summer time: days stay days, also at New Year's
    Eve and on a leap day."""
    site = RedmineSite(redmine)
    driver = site.open()
    for number, zone in enumerate(ZONES):
        redmine.sql("UPDATE user_preferences SET time_zone = ?", zone)
        for at, (start, due) in enumerate(DAYS):
            key = TaskKey("tics", f"T-{number}{at}")
            draft = Draft(
                key, f"zone-{number}-{at}", {"title": f"{key.item} {zone}", "start": start, "due": due}
            )
            (made,) = driver.create([draft])
            assert isinstance(made, Done)
            cursor = list(driver.list_changed(None))[-1].cursor
            next_second()
            redmine.edit_issue(int(made.ref.id), by="worker", subject="だれかの題名")
            found = {task.ref: task for page in driver.list_changed(cursor) for task in page.items}
            fields = found[made.ref].fields

            assert (fields["title"], fields["start"], fields["due"]) == ("だれかの題名", start, due)
    driver.close()


def test_a_machine_whose_clock_ran_a_year_ahead_misses_nothing_once_it_was_put_right(
    company: Office,
) -> None:
    later(company, 365 * 86_400)
    company.passes()
    company.ahead = timedelta()
    company.server.edit_issue(company.number(ITEM), status_id=company.server.ids["statuses"]["in_progress"])
    # A public project answers a stranger too: only the proof of the key tells.
    company.server.sql("UPDATE projects SET is_public = 1")
    company.server.revoke_key("bot")
    stopped = company.passes()
    company.server.replace_key("bot", "9" * 40)
    company.new_key("9" * 40)
    found = company.passes()

    assert stopped.code == 4, "the key is proven anew, whatever the old proof says"
    assert (found.code, company.status_here(ITEM)) == (0, "doing")


@pytest.mark.parametrize("when", ["in the future", "lost"])
def test_a_cursor_that_is_lost_or_lies_in_the_future_leads_to_a_look_at_everything(
    company: Office, when: str
) -> None:
    with company.open() as workspace, workspace.store.write() as tx:
        if when == "lost":
            tx.connection.exec_driver_sql("DELETE FROM cursor")
        else:
            future = instant_text(utc_now() + timedelta(days=3650))
            put_cursor(tx, "redmine", future, future)
    company.server.edit_issue(company.number(ITEM), status_id=company.server.ids["statuses"]["in_progress"])
    found = company.passes()

    assert (found.code, found.written, company.status_here(ITEM)) == (0, [], "doing")
    assert len(company.states()) == 3


# ── 20: the store ─────────────────────────────────────────────────────────────────────────────────────


def test_a_store_that_is_locked_sends_nothing(company: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company.server.edit_issue(company.number(ITEM), by="admin", subject="だれかの題名")
    monkeypatch.setattr("ticssync.store.connection.BUSY_MS", 30)
    before = len(company.proxy.seen)
    with closing(sqlite3.connect(company.store_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = company.cli("sync", "--json")
    sent = [one.method for one in company.proxy.seen[before:] if one.method != "GET"]
    after = company.passes()

    assert (ran.code, sent, "busy" in ran.json["error"]["message"]) == (3, [], True)
    assert (after.code, len(after.written)) == (0, 1)


# ── 22: the set-up changes ────────────────────────────────────────────────────────────────────────────


def test_an_option_that_was_removed_is_refused_once_and_the_other_tasks_go_on(
    company: Office,
) -> None:
    """A chapter is a category there: it is deleted, and a title of another task is to be put back."""
    field = company.server.ids["custom_fields"]["result"]
    company.edit_mapping("  chapter: category_id", f"  chapter: cf_{field}")
    text = company.mapping.read_text("utf-8")
    head, _, rest = text.partition("  chapter:\n    ")
    tail = rest[rest.index("given:") :]
    words = '    "適合": "人的対策"\n    "不適合": "体制とルール"\n'
    company.mapping.write_text(f"{head}  chapter:\n{words}{tail}", "utf-8")
    company.server.sql("UPDATE custom_fields SET possible_values = ? WHERE id = ?", "--- []\n", field)
    company.server.edit_issue(company.number("T-01"), by="admin", subject="だれかの題名")
    first = company.passes("--only", "T-01,T-10")
    again = company.passes("--only", "T-01,T-10")

    assert first.code == 1
    assert {name for _, name in first.refusals} == {"chapter"}
    assert company.issue("T-01")["subject"] != "だれかの題名"
    assert again.written == []


def test_a_custom_field_that_was_made_anew_has_another_number_and_stops_nothing(
    company: Office,
) -> None:
    """Somebody deletes the field of the number and makes one of the same name: to Redmine it is another."""
    place = company.map_field("number", "criterion")
    company.passes("--only", ITEM)
    assert custom(company, company.number(ITEM), "criterion") == ITEM
    company.server.sql(
        "UPDATE custom_fields SET id = id + 500 WHERE id = ?",
        company.server.ids["custom_fields"]["criterion"],
    )
    company.server.edit_issue(company.number(ITEM), by="admin", subject="だれかの題名")
    later(company, 25 * 3600)
    found = company.passes("--only", ITEM)
    checked = company.cli("doctor", "--json").json["checks"]

    assert found.code in (0, 1)
    assert company.issue(ITEM)["subject"] != "だれかの題名"
    assert company.passes("--only", ITEM).written == []
    assert any(place in one["message"] and one["state"] != "ok" for one in checked)


def test_a_kind_of_issue_that_was_taken_away_is_named_by_doctor_and_nothing_is_made_twice(
    company: Office,
) -> None:
    """Redmine does not refuse: it makes a new issue as the first kind that is left.  The issues that exist go on."""
    company.server.delete_issue(company.number(ITEM))
    later(company, 25 * 3600)
    company.passes()
    company.cli("task", "restore", ITEM)
    kind = company.server.ids["trackers"]["feature"]
    company.server.sql("DELETE FROM projects_trackers WHERE tracker_id = ?", kind)
    company.server.edit_issue(company.number("T-01"), status_id=company.server.ids["statuses"]["in_progress"])
    first = company.passes()
    goes_quiet(company)
    checked = company.cli("doctor", "--json").json["checks"]

    assert first.report["created"] == 1
    assert company.server.sql("SELECT count(*) FROM issues")[0] == (3,)
    assert set(company.states().values()) == {"live"}
    assert company.issue(ITEM)["tracker"]["id"] != kind
    assert company.status_here("T-01") == "doing"
    assert [one["id"] for one in checked if one["state"] == "fail" and f"{kind}" in one["message"]] != []


# ── 23: files ─────────────────────────────────────────────────────────────────────────────────────────


def test_two_files_of_one_name_are_two_pieces_of_evidence_and_a_new_content_is_a_third(
    company: Office,
) -> None:
    number, server = company.number(ITEM), company.server
    first = server.attach(number, "点検記録.pdf", b"%PDF-1.4 1")
    server.attach(number, "点検記録.pdf", b"%PDF-1.4 22")
    company.passes()
    two = company.events("evidence.added")
    server.delete_attachment(company.issue(ITEM)["attachments"][0]["id"])
    server.attach(number, "点検記録.pdf", b"%PDF-1.4 333")
    later(company, 25 * 3600)
    found = company.passes()
    three = company.events("evidence.added")

    assert first
    assert [len(two), len(three)] == [2, 3]
    assert len({one.data["sha256"] for one in three}) == 3
    assert any(
        one["id"] == "file_gone" and "点検記録.pdf" in one["message"] for one in found.report["notices"]
    )
