"""What Redmine really does, seen on a real one, and that the driver's outcome is the right one all the same.

A quirk that may differ from version to version is tried with 5.0, 6.0 and 6.1 (`any_redmine`), the others with 5.0; that of
the server's own zone with a server in New York.

No test, because the driver uses none of it: `X-Redmine-Switch-User` (ignored without a word for a plain member), ETag and
If-None-Match (they would save bytes only), webhooks and OAuth (webhooks since 7.0, OAuth since 6.1: there is nothing to
ask here), the number of requests that are fast enough (no rate limit; how long an issue takes is measured elsewhere).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from plugins.redmine.tests.desk import marker
from plugins.redmine.tests.site import RedmineSite
from tests.servers import redmine as real
from tests.servers.proxy import Proxy
from tests.servers.redmine import Server
from tests.servers.redmine_company import RedmineCompany

from ticssync.model.key import TaskKey
from ticssync.plugin import (
    AuthLost,
    Change,
    Done,
    Draft,
    Fate,
    Note,
    OutFile,
    PreSend,
    Rejected,
    RemoteRef,
    RemoteTask,
    Unavailable,
    Unknown,
    Unsafe,
)
from ticssync_redmine.tracker import RedmineTracker

pytest_plugins = ["tests.servers.redmine_company"]

STRANGER = "0" * 40
DUTY = "duty"
"""The seed's kind of issue that gets to its end only step by step."""


def ref(number: int) -> RemoteRef:
    return RemoteRef("factory", str(number))


def draft(item: str = "T-14", **fields: Any) -> Draft:
    return Draft(TaskKey("tics", item), marker(item), {"title": f"{item} 点検", **fields})


def made(driver: RedmineTracker, item: str = "T-14", **fields: Any) -> Done:
    (outcome,) = driver.create([draft(item, **fields)])
    assert isinstance(outcome, Done), outcome
    return outcome


def ours(server: Server, **fields: Any) -> int:
    """An issue of the kind that we make, by a person."""
    return server.new_issue("点検", tracker_id=server.ids["trackers"]["feature"], **fields)


def listed(driver: RedmineTracker, cursor: str | None = None) -> tuple[dict[str, RemoteTask], str | None]:
    """All of a listing by id, and the cursor that it left."""
    pages = list(driver.list_changed(cursor))
    return {task.ref.id: task for page in pages for task in page.items}, pages[-1].cursor


def now_of(driver: RedmineTracker, number: int) -> RemoteTask:
    found = driver.fetch([ref(number)])[ref(number)]
    assert found.task is not None, found
    return found.task


@pytest.fixture
def site(redmine: Server) -> RedmineSite:
    return RedmineSite(redmine)


@pytest.fixture
def driver(site: RedmineSite) -> RedmineTracker:
    return site.open()


@pytest.fixture
def proxy(redmine: Server) -> Iterator[Proxy]:
    with Proxy(redmine.url) as found:
        yield found


# ── 1: a key that is not known ────────────────────────────────────────────────────────────────────────


def test_a_wrong_key_is_answered_200_and_nothing_and_counts_as_no_answer(any_redmine: Server) -> None:
    ours(any_redmine)
    any_redmine.keys["bot"] = STRANGER
    status, answer = any_redmine.ask("GET", "/issues.json?status_id=*", by="bot")
    driver = RedmineSite(any_redmine).open()

    assert (status, answer["total_count"]) == (200, 0)
    with pytest.raises(AuthLost):
        driver.whoami()
    with pytest.raises(AuthLost):
        list(driver.list_changed(None))


def test_a_key_that_was_revoked_after_it_was_proved_ends_the_next_look_at_a_private_project(
    site: RedmineSite,
) -> None:
    listed(site.open())
    site.server.revoke_key("bot")

    with pytest.raises(AuthLost):
        listed(site.open())


# ── 2: only open issues, unless asked ─────────────────────────────────────────────────────────────────


def test_closed_issues_are_listed_too(site: RedmineSite, driver: RedmineTracker) -> None:
    number = ours(site.server)
    site.server.edit_issue(number, by="admin", status_id=site.server.ids["statuses"]["closed"])

    assert site.server.call("GET", "/issues.json")["total_count"] == 0
    assert listed(driver)[0][str(number)].closed
    assert now_of(driver, number).closed
    assert [one.ref for page in driver.sweep() for one in page.items] == [ref(number)]


# ── 3: an unknown filter is ignored ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["cf_99", "no filter"])
def test_a_filter_that_redmine_passes_over_finds_no_wrong_issue(any_redmine: Server, place: str) -> None:
    site = RedmineSite(any_redmine)
    made(site.open(), "T-14")
    made(site.open(), "T-15")
    if place == "no filter":
        any_redmine.filter_by_field("marker", on=False)
    else:
        site.table = replace(site.table, marker_place=place)
    asked = f"/issues.json?status_id=*&{site.table.marker_place}={quote(marker('T-14'))}"

    assert any_redmine.call("GET", asked)["total_count"] == 2, "Redmine answers everything"
    hits = site.open().find_by_marker([marker("T-14"), marker("T-99")], PreSend()).hits
    assert {name: len(tasks) for name, tasks in hits.items()} == (
        {marker("T-14"): 1} if place == "no filter" else {}
    )


# ── 4: times in a filter, and the server's own zone ───────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", ["+00:00", "+09:00", ".000Z"])
def test_times_go_out_in_the_one_form_that_redmine_takes(
    site: RedmineSite, driver: RedmineTracker, suffix: str
) -> None:
    number = ours(site.server)
    refused = f"/issues.json?updated_on={quote('>=2026-11-23T01:38:46' + suffix)}"
    _, cursor = listed(driver)

    assert site.server.ask("GET", refused)[0] == 422
    assert set(listed(driver, cursor)[0]) == {str(number)}
    asked = [unquote(one.path) for one in site.server.requests_seen() if "updated_on=" in one.path]
    assert all(path.partition("updated_on=>=")[2].partition("&")[0].endswith("Z") for path in asked[1:])


@pytest.fixture(scope="module")
def new_york(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if why := real.available("5.0"):
        pytest.skip(why)
    server = real.start(tmp_path_factory.mktemp("new-york"), tz="America/New_York")
    yield server
    real.stop(server)


def test_a_server_in_another_zone_hides_no_change_and_shifts_no_day(new_york: Server) -> None:
    """A time without Z would be taken as the server's own: five hours of changes would be missing."""
    driver = RedmineSite(new_york).open()
    outcome = made(driver, due="2027-03-31", start="2027-03-01")
    _, cursor = listed(driver)
    assert cursor is not None
    number = int(outcome.ref.id)
    new_york.edit_issue(number, by="worker", due_date="2027-04-01")
    found, _ = listed(driver, cursor)
    task = found[str(number)]

    assert (task.fields["start"], task.fields["due"]) == ("2027-03-01", "2027-04-01")
    assert task.updated_at is not None
    assert abs(task.updated_at - datetime.now(timezone.utc)) < timedelta(minutes=2)
    assert abs(datetime.fromisoformat(cursor) - datetime.now(timezone.utc)) < timedelta(minutes=2)


# ── 5: pages ──────────────────────────────────────────────────────────────────────────────────────────


def many(server: Server, count: int) -> None:
    """That many issues, copied in the database."""
    first = ours(server)
    columns = [name for _, name, *_ in server.sql("PRAGMA table_info(issues)") if name != "id"]
    taken = ", ".join("i.id + n" if name == "root_id" else f"i.{name}" for name in columns)
    server.sql(
        f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) "
        f"INSERT INTO issues (id, {', '.join(columns)}) SELECT i.id + n, {taken} FROM issues i, c WHERE i.id = ?",
        count - 1, first,
    )  # fmt: skip


def test_an_issue_that_is_touched_or_deleted_between_two_pages_takes_no_other_with_it(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    many(site.server, 230)
    pages = driver.list_changed(None)
    first = next(pages)
    site.server.edit_issue(150, by="worker", subject="触った")
    site.server.delete_issue(50)
    site.server.delete_issue(160)
    seen = {task.ref.id for task in first.items} | {task.ref.id for page in pages for task in page.items}

    assert seen == {str(number) for number in range(1, 231)} - {"160"}


def test_a_limit_above_100_is_cut_by_redmine_and_all_pages_are_read(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    many(site.server, 130)

    assert len(site.server.call("GET", "/issues.json?limit=500")["issues"]) == 100
    assert len(listed(driver)[0]) == 130


def test_a_change_while_the_pages_are_read_is_not_behind_the_cursor(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    """Pages take a minute to read: an issue of the first changes at once, one of the last just before it is read."""
    many(site.server, 120)
    pages = driver.list_changed(None)
    next(pages)
    site.server.edit_issue(3, by="worker", subject="触った")
    site.server.sql("UPDATE issues SET updated_on = datetime(updated_on, '+60 seconds') WHERE id = 110")
    cursor = list(pages)[-1].cursor
    found, _ = listed(driver, cursor)

    assert found["3"].fields["title"] == "触った"


# ── 6: what only a single issue shows ─────────────────────────────────────────────────────────────────


def test_notes_history_and_allowed_statuses_come_from_the_issue_itself(any_redmine: Server) -> None:
    """A listing passes over `include=journals`."""
    driver = RedmineSite(any_redmine).open()
    number = ours(any_redmine)
    any_redmine.note(number, "写真を撮りました", by="worker")
    any_redmine.edit_issue(number, by="worker", status_id=any_redmine.ids["statuses"]["in_progress"])
    (found,) = any_redmine.call("GET", "/issues.json?include=journals,allowed_statuses")["issues"]

    assert not {"journals", "allowed_statuses"} & set(found)
    (note,) = driver.comments([ref(number)])[ref(number)]
    assert (note.text, note.author) == ("写真を撮りました", str(any_redmine.ids["users"]["worker"]))
    assert [one.field for one in driver.history([ref(number)])[ref(number)]] == ["status_id"]
    moves = {one.to_status for one in driver.next_statuses([ref(number)])[ref(number)]}
    assert str(any_redmine.ids["statuses"]["resolved"]) in moves


def test_an_edited_note_is_read_in_its_new_words_though_the_issue_did_not_move(any_redmine: Server) -> None:
    """`updated_on` stays; the day's look at everything asks for the notes again."""
    driver = RedmineSite(any_redmine).open()
    number = ours(any_redmine)
    any_redmine.note(number, "まえ", by="worker")
    before = now_of(driver, number).version
    ((journal,),) = any_redmine.sql("SELECT id FROM journals WHERE journalized_id = ?", number)
    any_redmine.call("PUT", f"/journals/{journal}.json", {"journal": {"notes": "あと"}})

    assert now_of(driver, number).version == before
    assert [one.text for one in driver.comments([ref(number)])[ref(number)]] == ["あと"]


# ── 7: yes, and nothing was done ──────────────────────────────────────────────────────────────────────


def test_a_status_that_the_workflow_forbids_is_204_and_is_seen_not_to_be_set(any_redmine: Server) -> None:
    site = RedmineSite(any_redmine)
    driver = site.open()
    number = int(made(driver).ref.id)
    closed = str(any_redmine.ids["statuses"]["closed"])
    any_redmine.forbid_transition("ticssync", "feature", "new", "closed")
    status, _ = any_redmine.ask("PUT", f"/issues/{number}.json", {"issue": {"status_id": closed}}, by="bot")
    change = Change(ref(number), {"status": "done", "due": "2027-03-31"}, status_path=(closed,))

    assert status == 204
    assert closed not in {one.to_status for one in driver.next_statuses([ref(number)])[ref(number)]}
    assert isinstance(driver.update([change])[0], Done)
    task = now_of(driver, number)
    assert (task.fields["status"], task.fields["due"]) == ("todo", "2027-03-31"), "the rest was taken"


def test_a_new_issue_begins_as_the_workflow_says_and_then_gets_its_status(any_redmine: Server) -> None:
    site = RedmineSite(any_redmine)
    server, closed = any_redmine, any_redmine.ids["statuses"]["closed"]
    sent = {"project_id": "tics", "subject": "x", "tracker_id": 2, "status_id": closed}
    answer = server.call("POST", "/issues.json", {"issue": sent}, by="worker")["issue"]
    outcome = made(site.open(), status="doing")
    assert outcome.task is not None

    assert outcome.task.fields["status"] == "doing"
    assert outcome.refused == {}
    assert answer["status"]["id"] in (closed, server.ids["statuses"]["new"])


def test_a_new_issue_whose_status_is_not_allowed_is_made_and_the_status_is_refused(
    redmine: Server,
) -> None:
    site = RedmineSite(redmine, account="worker", kind=DUTY)
    outcome = made(site.open(), status="done")
    assert outcome.task is not None

    assert outcome.task.fields["status"] == "todo"
    assert "終了" in outcome.refused["status"]


def test_several_moves_lead_where_one_is_not_allowed(redmine: Server) -> None:
    site = RedmineSite(redmine, account="worker", kind=DUTY)
    driver, ids = site.open(), redmine.ids["statuses"]
    number = int(made(driver).ref.id)
    path = tuple(str(ids[name]) for name in ("in_progress", "resolved", "closed"))
    (outcome,) = driver.update([Change(ref(number), {"status": "done"}, status_path=path)])

    assert isinstance(outcome, Done)
    assert outcome.refused == {}
    assert now_of(driver, number).fields["status"] == "done"


def test_a_parent_with_an_open_child_is_not_closed_and_its_dates_are_the_childs(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    """204 both times."""
    parent, closed = int(made(driver).ref.id), str(site.server.ids["statuses"]["closed"])
    ours(site.server, parent_issue_id=parent, due_date="2027-06-30")
    change = Change(ref(parent), {"status": "done", "due": "2027-03-31"}, status_path=(closed,))

    assert isinstance(driver.update([change])[0], Done)
    task = now_of(driver, parent)
    assert (task.fields["status"], task.fields["due"]) == ("todo", "2027-06-30")


def test_a_status_that_does_not_exist_is_204_and_is_seen_not_to_be_set(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    site.table = replace(site.table, statuses={**site.table.statuses, "99": "done"})
    number = int(made(driver).ref.id)

    assert site.server.ask("PUT", f"/issues/{number}.json", {"issue": {"status_id": 99}})[0] == 204
    assert isinstance(driver.update([Change(ref(number), {"status": "done"}, status_path=("99",))])[0], Done)
    assert now_of(driver, number).fields["status"] == "todo"


# ── 8: what is not understood is passed over ──────────────────────────────────────────────────────────


def test_what_is_sent_is_an_issue_in_json_and_what_is_not_taken_is_seen(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    """No wrapper, an unknown name and 33 % (not a tenth) are all answered 204."""
    number = int(made(driver).ref.id)
    for body in ({"subject": "x"}, {"issue": {"no_such": "x"}}, {"issue": {"done_ratio": 33}}):
        assert site.server.ask("PUT", f"/issues/{number}.json", body, by="bot")[0] == 204
    site.table = replace(site.table, fields={**site.table.fields, "progress": "done_ratio"})
    again = site.open()
    (outcome,) = again.update([Change(ref(number), {"progress": 33, "title": "新しい題名"})])
    task = now_of(again, number)

    assert isinstance(outcome, Done)
    assert task.fields["progress"] == site.server.issue(number)["done_ratio"]
    assert task.fields["title"] == "新しい題名"


# ── 9, 16: files ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def file(tmp_path: Path) -> OutFile:
    path = tmp_path / "様式.txt"
    path.write_bytes("様式第1号".encode())
    return OutFile("様式__0a1b2c3d.txt", path, "text/plain")


def test_a_token_is_good_once_and_each_write_uses_its_own(
    site: RedmineSite, driver: RedmineTracker, file: OutFile
) -> None:
    server, number = site.server, int(made(driver).ref.id)
    given = server.call(
        "POST", "/uploads.json?filename=a.txt", b"x", by="bot", kind="application/octet-stream"
    )
    body = {"issue": {"uploads": [{"token": given["upload"]["token"], "filename": "a.txt"}]}}

    assert [server.ask("PUT", f"/issues/{number}.json", body, by="bot")[0] for _ in range(2)] == [204, 422]
    for _ in range(2):
        assert isinstance(driver.update([Change(ref(number), {}, files=(file,))])[0], Done)
    assert [one.name for one in now_of(driver, number).attachments] == ["a.txt", file.name, file.name]


def test_a_file_whose_answer_was_lost_is_unknown_and_is_found_by_its_name(
    site: RedmineSite, proxy: Proxy, file: OutFile
) -> None:
    site.url = proxy.url
    driver = site.open()
    number = int(made(driver).ref.id)
    proxy.fault(lambda one: one.method == "PUT", "lose")

    assert isinstance(driver.update([Change(ref(number), {}, files=(file,))])[0], Unknown)
    (found,) = now_of(driver, number).attachments
    assert (found.name, found.size) == (file.name, len("様式第1号".encode()))
    with driver.download(ref(number), found) as content:
        assert content.read() == "様式第1号".encode()


def test_a_file_over_the_limit_is_refused_by_name_and_the_rest_is_written(
    site: RedmineSite, driver: RedmineTracker, file: OutFile, tmp_path: Path
) -> None:
    site.server.attachment_max_size(1)
    (tmp_path / "large").write_bytes(b"x" * 3000)
    large = OutFile("大__99999999.txt", tmp_path / "large")
    number = int(made(driver).ref.id)
    (outcome,) = driver.update([Change(ref(number), {"title": "新しい題名"}, files=(large, file))])

    assert isinstance(outcome, Done)
    assert set(outcome.refused) == {large.name}
    task = now_of(driver, number)
    assert [one.name for one in task.attachments] == [file.name]
    assert task.fields["title"] == "新しい題名"


def test_a_role_that_may_only_add_notes_changes_no_field_and_what_became_of_a_file_is_seen(
    any_redmine: Server, file: OutFile
) -> None:
    """All of it is 204."""
    driver = RedmineSite(any_redmine).open()
    number = int(made(driver).ref.id)
    role = any_redmine.ids["roles"]["ticssync"]
    ((rights,),) = any_redmine.sql("SELECT permissions FROM roles WHERE id = ?", role)
    any_redmine.sql(
        "UPDATE roles SET permissions = ? WHERE id = ?", rights.replace("- :edit_issues\n", ""), role
    )
    note = Note("読みました", "[ticssync 0a1b2c3d4e5f]")
    (outcome,) = driver.update([Change(ref(number), {"title": "新しい題名"}, note=note, files=(file,))])
    task = now_of(driver, number)

    assert isinstance(outcome, Done)
    assert task.fields["title"] == "T-14 点検"
    assert [one.name for one in task.attachments] == [file.name], "Redmine hangs it there all the same"
    assert len(driver.comments([ref(number)])[ref(number)]) == 1


# ── 10: no lock ───────────────────────────────────────────────────────────────────────────────────────


def test_there_is_no_lock_to_use_and_a_persons_other_change_is_kept(
    any_redmine: Server,
) -> None:
    """A stale `lock_version` is 422 without a word, and no answer tells the right one: only changed fields are sent."""
    driver = RedmineSite(any_redmine).open()
    number = int(made(driver, due="2027-03-31").ref.id)
    any_redmine.edit_issue(number, by="worker", due_date="2027-04-30")
    stale = any_redmine.ask("PUT", f"/issues/{number}.json", {"issue": {"subject": "x", "lock_version": 0}})
    driver.update([Change(ref(number), {"title": "新しい題名"}, {"title": "T-14 点検"})])
    task = now_of(driver, number)

    assert stale == (422, {"errors": []})
    assert "lock_version" not in any_redmine.issue(number)
    assert (task.fields["title"], task.fields["due"]) == ("新しい題名", "2027-04-30")


# ── 11: words in the account's language ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "words"), [("ja", "入力してください"), ("en", "cannot be blank"), ("de", "muss")]
)
def test_a_refusal_is_shown_in_redmines_words_and_never_read(
    site: RedmineSite, driver: RedmineTracker, language: str, words: str
) -> None:
    number = int(made(driver).ref.id)
    site.server.sql("UPDATE users SET language = ? WHERE login = 'bot'", language)
    (outcome,) = driver.update([Change(ref(number), {"title": "", "due": "2027-03-31"})])

    assert isinstance(outcome, Done)
    assert set(outcome.refused) == {"title"}
    assert words in outcome.refused["title"]
    assert now_of(driver, number).fields["due"] == "2027-03-31"


# ── 12, 13: what moves updated_on, and what does not ──────────────────────────────────────────────────


def backdated(server: Server, number: int) -> str:
    """Long ago, so that a touch of the second shows."""
    server.sql("UPDATE issues SET updated_on = '2026-01-02 03:04:05.000000' WHERE id = ?", number)
    return str(server.issue(number)["updated_on"])


def test_writing_what_stands_there_already_is_left_out(any_redmine: Server) -> None:
    """5.0 and 6.0 would call it a change, and the next listing would bring it back: an endless echo."""
    driver = RedmineSite(any_redmine).open()
    number = int(made(driver).ref.id)
    before = backdated(any_redmine, number)
    any_redmine.call("PUT", f"/issues/{number}.json", {"issue": {"subject": "T-14 点検"}}, by="bot")
    moved = any_redmine.issue(number)["updated_on"] != before
    sent = driver.requests
    (outcome,) = driver.update([Change(ref(number), {})])

    assert moved is (not any_redmine.version.startswith("6.1"))
    assert isinstance(outcome, Done)
    assert driver.requests == sent


def test_a_second_pass_without_any_change_writes_nothing(redmine_worn: RedmineCompany) -> None:
    redmine_worn.server.sql("UPDATE issues SET updated_on = datetime(updated_on, '-1 day')")
    first, second = redmine_worn.passes(), redmine_worn.passes()

    assert (first.written, second.written) == ([], [])
    assert len(second.seen) == 1


def test_a_deleted_file_moves_no_time_and_the_look_at_everything_misses_it(any_redmine: Server) -> None:
    driver = RedmineSite(any_redmine).open()
    number = int(made(driver).ref.id)
    attachment = any_redmine.attach(number, "記録.txt", b"x")
    before = backdated(any_redmine, number)
    any_redmine.delete_attachment(attachment)

    assert any_redmine.issue(number)["updated_on"] == before
    assert listed(driver, "2026-06-01T00:00:00.000000Z")[0] == {}
    assert listed(driver)[0][str(number)].attachments == ()


def test_evidence_whose_file_was_deleted_in_redmine_is_told_with_the_daily_look(
    redmine_worn: RedmineCompany,
) -> None:
    company = redmine_worn
    attachment = company.server.attach(company.number("T-05"), "記録.txt", b"x")
    company.passes()
    company.server.delete_attachment(attachment)
    company.a_day_later()
    found = company.passes()

    (notice,) = [one for one in found.report["notices"] if one["id"] == "file_gone"]
    assert "記録.txt" in notice["message"]
    assert "T-05" in notice["message"]


def test_two_changes_within_one_second_are_both_seen(site: RedmineSite, driver: RedmineTracker) -> None:
    """Times are UTC with whole seconds: a cursor behind the first would hide the second."""
    first = ours(site.server)
    _, cursor = listed(driver)
    second = ours(site.server)
    site.server.sql("UPDATE issues SET updated_on = (SELECT updated_on FROM issues WHERE id = ?)", first)
    found, _ = listed(driver, cursor)
    task = found[str(first)]

    assert {str(first), str(second)} <= set(found)
    assert task.version is not None
    assert task.version.partition(" ")[0].endswith("Z")
    assert "." not in task.version
    assert task.updated_at is not None
    assert task.updated_at.utcoffset() == timedelta(0)


# ── 14: gone, hidden, closed ──────────────────────────────────────────────────────────────────────────


def test_deleted_is_gone_and_everything_else_is_hidden(any_redmine: Server) -> None:
    site = RedmineSite(any_redmine)
    deleted, moved, private, here = (ours(any_redmine) for _ in range(4))
    any_redmine.delete_issue(deleted)
    any_redmine.move_issue(moved, "other")
    any_redmine.hide_issue(private)
    answers = site.open().fetch([ref(number) for number in (deleted, moved, private, here)])

    assert [answers[ref(number)].fate for number in (deleted, moved, private, here)] == [
        Fate.GONE, Fate.HIDDEN, Fate.HIDDEN, Fate.PRESENT,
    ]  # fmt: skip


def test_an_issue_that_was_moved_where_we_can_see_it_keeps_its_number_and_says_so(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    number = int(made(driver).ref.id)
    site.server.sql(
        "INSERT INTO members (user_id, project_id, created_on, mail_notification) VALUES (?, ?, ?, 0)",
        site.server.ids["users"]["bot"], site.server.ids["projects"]["other"], site.server.stamp(),
    )  # fmt: skip
    ((member,),) = site.server.sql("SELECT max(id) FROM members")
    site.server.sql(
        "INSERT INTO member_roles (member_id, role_id) VALUES (?, ?)",
        member,
        site.server.ids["roles"]["ticssync"],
    )
    site.server.move_issue(number, "other")
    task = now_of(driver, number)

    assert task.ref == ref(number)
    assert any(site.server.names["projects"]["other"] in one for one in task.problems)
    assert any(f"#{number}" in one for one in task.problems)


def test_an_archived_project_hides_its_issues_and_stops_the_listing(site: RedmineSite) -> None:
    number = ours(site.server)
    driver = site.open()
    listed(driver)
    site.server.archive_project()

    with pytest.raises(Unsafe) as stop:
        listed(driver)
    assert "tics" in str(stop.value)
    assert driver.fetch([ref(number)])[ref(number)].fate is Fate.HIDDEN


def test_a_closed_project_is_listed_and_a_write_names_it(site: RedmineSite, driver: RedmineTracker) -> None:
    """A change is 403 there, a new issue 422 «project cannot be blank»: both mean the project."""
    number = int(made(driver).ref.id)
    site.server.close_project()

    assert set(listed(driver)[0]) == {str(number)}
    with pytest.raises(Unsafe) as change:
        driver.update([Change(ref(number), {"title": "x"})])
    with pytest.raises(Unsafe) as create:
        driver.create([draft("T-15")])
    assert change.value.what == create.value.what == "project tics closed"


def test_a_right_that_is_missing_is_a_refusal_that_names_it(redmine: Server) -> None:
    """A change without the right is 403 and empty, a new issue 422 or 403."""
    number = ours(redmine)
    reader = RedmineSite(redmine, account="reader").open()
    (change,) = reader.update([Change(ref(number), {"title": "x"})])
    (create,) = reader.create([draft("T-15")])

    assert isinstance(change, Rejected)
    assert isinstance(create, Rejected)
    assert f"#{number}" in change.problems[0]
    assert change.problems[0] != create.problems[0]
    assert redmine.issue(number)["subject"] == "点検"


# ── 15: a note rides along ────────────────────────────────────────────────────────────────────────────


def test_fields_note_and_file_go_in_one_request_and_the_note_is_found_by_its_sign(
    site: RedmineSite, proxy: Proxy, file: OutFile
) -> None:
    """The answer is 204 and names no note."""
    site.url = proxy.url
    driver = site.open()
    number = int(made(driver).ref.id)
    note = Note("差し戻します。写真が足りません。", "[ticssync 0a1b2c3d4e5f]")
    proxy.fault(lambda one: one.method == "PUT", "lose")
    (outcome,) = driver.update([Change(ref(number), {"title": "新しい題名"}, note=note, files=(file,))])

    assert isinstance(outcome, Unknown)
    assert [one.method for one in proxy.seen if one.method == "PUT"] == ["PUT"]
    (found,) = driver.comments([ref(number)])[ref(number)]
    assert note.marker in found.text
    assert note.text in found.text
    assert len(site.server.issue(number)["journals"]) == 1


# ── 17, 18, 19: markers ───────────────────────────────────────────────────────────────────────────────


def test_a_marker_is_found_at_once_and_two_dozen_in_one_request(site: RedmineSite, proxy: Proxy) -> None:
    site.url = proxy.url
    driver = site.open()
    made(driver, "T-14")
    before = len(proxy.seen)
    hits = driver.find_by_marker([marker(f"T-{number}") for number in range(1, 25)], PreSend())

    assert set(hits.hits) == {marker("T-14")}
    assert hits.lag_s == 0
    assert len(proxy.seen) - before <= 4
    assert {one.status for one in proxy.seen} == {200, 201}


def test_a_marker_is_found_in_another_project_and_in_a_closed_issue(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    number = int(made(driver).ref.id)
    site.server.edit_issue(number, by="admin", status_id=site.server.ids["statuses"]["closed"])

    assert [one.ref for one in driver.find_by_marker([marker("T-14")], PreSend()).hits[marker("T-14")]] == [
        ref(number)
    ]


def test_a_copied_issue_carries_the_marker_and_the_files_and_both_are_told(any_redmine: Server) -> None:
    driver = RedmineSite(any_redmine).open()
    number = int(made(driver).ref.id)
    any_redmine.attach(number, "記録.txt", b"x")
    copy = any_redmine.copy_issue(number)
    hits = driver.find_by_marker([marker("T-14")], PreSend()).hits

    assert sorted(int(one.ref.id) for one in hits[marker("T-14")]) == [number, copy]
    assert [one.name for one in now_of(driver, copy).attachments] == ["記録.txt"]
    (cleared,) = driver.update([Change(ref(copy), {}, marker="")])
    assert isinstance(cleared, Done)
    assert now_of(driver, copy).marker in (None, "")
    assert now_of(driver, number).marker == marker("T-14")


def test_one_issue_is_one_request(site: RedmineSite, proxy: Proxy) -> None:
    """There is no call for several."""
    site.url = proxy.url
    driver = site.open()
    outcomes = driver.create([draft(f"T-{number}") for number in (14, 15, 16)])

    assert [one.method for one in proxy.seen] == ["POST"] * 3
    assert [type(one) for one in outcomes] == [Done] * 3


# ── 20: overload ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [502, 503, 504])
def test_overload_shows_as_an_answer_of_the_proxy_and_is_no_empty_project(
    site: RedmineSite, proxy: Proxy, status: int
) -> None:
    ours(site.server)
    site.url = proxy.url
    driver = site.open()
    listed(driver)
    proxy.fault(lambda one: "/issues.json" in one.path, "busy", status=status, retry_after=30)

    with pytest.raises(Unavailable) as busy:
        listed(driver)
    assert busy.value.until is not None
    assert len(listed(driver)[0]) == 1


# ── 22: what Redmine makes of values ──────────────────────────────────────────────────────────────────


def test_a_new_issue_begins_on_no_day_unless_one_is_sent(site: RedmineSite, driver: RedmineTracker) -> None:
    """Left out, it would be today, and a due date in the past would be refused."""
    outcome = made(driver, due="2020-01-31")
    assert outcome.task is not None

    assert outcome.task.fields["start"] is None
    assert outcome.task.fields["due"] == "2020-01-31"
    assert (
        site.server.issue(ours(site.server))["start_date"]
        >= f"{datetime.now(timezone.utc) - timedelta(days=1):%Y-%m-%d}"
    )


@pytest.mark.parametrize(
    "text", ["㈱髙﨑　①㊙〜～", "行1\r\n行2\n", "  端に空白  ", "🔒𠮷", "カ\u3099イト\u3099", "=cmd()|x"]
)
def test_text_comes_back_as_it_was_sent(site: RedmineSite, driver: RedmineTracker, text: str) -> None:
    outcome = made(driver, body=text, number=text.strip().replace("\r", "").replace("\n", "/"))
    assert outcome.task is not None

    assert outcome.task.fields["body"] == driver.view("body", text)
    assert outcome.task.fields["number"] == driver.view(
        "number", text.strip().replace("\r", "").replace("\n", "/")
    )


@pytest.mark.parametrize("length", [255, 256, 400])
def test_a_title_fits_into_255_characters_kanji_too(
    site: RedmineSite, driver: RedmineTracker, length: int
) -> None:
    sent = {"project_id": "tics", "subject": "情" * length}
    status, _ = site.server.ask("POST", "/issues.json", {"issue": sent}, by="bot")
    outcome = made(driver, title="情" * length)
    assert outcome.task is not None

    assert status == (201 if length == 255 else 422)
    assert outcome.task.fields["title"] == "情" * 255 == driver.view("title", "情" * length)


# ── custom fields ─────────────────────────────────────────────────────────────────────────────────────


def test_a_custom_field_is_text_and_one_that_is_written_leaves_the_others(any_redmine: Server) -> None:
    ids = any_redmine.ids["custom_fields"]
    site = RedmineSite(any_redmine)
    more = {name: f"cf_{ids[name]}" for name in ("score", "onsite", "confirmed", "evidence", "result")}
    site.table = replace(site.table, fields={**site.table.fields, **more})
    driver = site.open()
    outcome = made(
        driver, score=3, onsite=True, confirmed="2027-03-31", evidence=("記録", "写真"), result="適合"
    )
    assert outcome.task is not None
    driver.update([Change(outcome.ref, {"score": 4})])
    task = now_of(driver, int(outcome.ref.id))

    assert task.fields["score"] == driver.view("score", 4)
    for name, value in {
        "onsite": True,
        "confirmed": "2027-03-31",
        "evidence": ("記録", "写真"),
        "result": "適合",
    }.items():
        assert task.fields[name] == driver.view(name, value)
    assert task.marker == marker("T-14")


def test_a_value_that_a_list_does_not_have_is_refused_alone(site: RedmineSite) -> None:
    site.table = replace(
        site.table, fields={**site.table.fields, "result": f"cf_{site.server.ids['custom_fields']['result']}"}
    )
    driver = site.open()
    number = int(made(driver).ref.id)
    (outcome,) = driver.update([Change(ref(number), {"result": "だいたい", "due": "2027-03-31"})])
    task = now_of(driver, number)

    assert isinstance(outcome, Done)
    assert set(outcome.refused) == {"result"}
    assert (task.fields["result"], task.fields["due"]) == (None, "2027-03-31")


def test_a_custom_field_that_does_not_exist_is_dropped_and_reads_as_none_of_the_issues(
    site: RedmineSite,
) -> None:
    """201: the value was not taken, and the field is not there to be written again."""
    site.table = replace(site.table, fields={**site.table.fields, "note": "cf_99"})
    outcome = made(site.open(), note="x")
    assert outcome.task is not None

    assert "note" not in outcome.task.fields


def test_a_members_key_finds_the_custom_fields_of_the_project(any_redmine: Server) -> None:
    """`/custom_fields.json` is for administrators (403); 5.0 names the fields in issues only."""
    ours(any_redmine)
    status, _ = any_redmine.ask("GET", "/custom_fields.json", by="bot")
    schema = RedmineSite(any_redmine).open().schema()
    found = {one.id: one.name for one in schema.fields if one.id.startswith("cf_")}

    assert status == 403
    assert found == {
        f"cf_{ident}": name for ident, name in any_redmine.sql("SELECT id, name FROM custom_fields")
    }


# ── people and dates ──────────────────────────────────────────────────────────────────────────────────


def test_somebody_who_cannot_be_assigned_keeps_no_task_from_being_made(
    site: RedmineSite, driver: RedmineTracker
) -> None:
    site.server.lock_user("worker")
    outcome = made(driver, assignee="sato")
    assert outcome.task is not None

    assert outcome.task.fields["assignee"] is None
    assert outcome.refused["assignee"]


def test_a_date_out_of_order_is_refused_alone(site: RedmineSite, driver: RedmineTracker) -> None:
    number = int(made(driver, start="2027-03-01").ref.id)
    (outcome,) = driver.update([Change(ref(number), {"due": "2027-02-01", "title": "新しい題名"})])
    task = now_of(driver, number)

    assert isinstance(outcome, Done)
    assert set(outcome.refused) == {"due"}
    assert (task.fields["due"], task.fields["title"]) == (None, "新しい題名")


def test_a_role_that_only_reads_may_set_no_status(redmine: Server) -> None:
    number = ours(redmine)

    assert redmine.issue(number, by="reader")["allowed_statuses"] == []
    assert RedmineSite(redmine, account="reader").open().next_statuses([ref(number)]) == {ref(number): []}
