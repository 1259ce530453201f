"""A company over a real Redmine when something is wrong there: a message that names it and the remedy, the right exit
code, nothing lost, and everything back once it was put right."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.servers.loopback import self_signed
from tests.servers.proxy import Proxy, Seen
from tests.servers.redmine_company import RedmineCompany

from ticssync.app.leasing import LONGEST_REQUEST_S
from ticssync.app.workspace import utc_now

pytest_plugins = ["tests.servers.redmine_company"]

ITEMS = 46
LOCK = "🔒"
REFUSED_BY_MYSQL = r"\ud83d\udd12"
"""🔒 as it stands in the JSON of a request."""


def nothing_changed(company: RedmineCompany, code: int, state: str) -> str:
    """A pass that ends so and leaves bindings, events and `status --json` as they were: the message and the remedy."""
    before = company.all_kept()
    first = company.passes()
    shown = company.shown()

    assert (first.code, first.state) == (code, state)
    assert company.all_kept() == before
    return f"{first.message} {shown}"


def all_is_back(company: RedmineCompany) -> None:
    """The next pass finds everything where it was, and has nothing to write."""
    found = company.passes()

    assert (found.code, found.state, found.written) == (0, "ok", [])
    assert set(company.states().values()) == {"live"}
    assert len(company.states()) == ITEMS


# ── the key ───────────────────────────────────────────────────────────────────────────────────────────


def wrong_key(company: RedmineCompany) -> Callable[[], None]:
    right = company.server.keys["bot"]
    company.new_key("0" * 40)
    return lambda: company.new_key(right)


def revoked_key(company: RedmineCompany) -> Callable[[], None]:
    company.server.revoke_key("bot")

    def remedy() -> None:
        company.server.replace_key("bot", "9" * 40)
        company.new_key("9" * 40)

    return remedy


def rest_off(company: RedmineCompany) -> Callable[[], None]:
    company.server.rest(on=False)
    return lambda: company.server.rest(on=True)


def locked_account(company: RedmineCompany) -> Callable[[], None]:
    company.server.lock_user("bot")
    return lambda: company.server.unlock_user("bot")


KEYS = {
    "a wrong key": (wrong_key, ("401", "secrets")),
    "a revoked key": (revoked_key, ("401", "secrets")),
    "a locked account": (locked_account, ("401", "secrets")),
    "REST switched off": (rest_off, ("403", "REST")),
}


@pytest.mark.parametrize("public", [False, True], ids=["private", "public"])
@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_is_not_taken_is_exit_4_and_changes_nothing(
    redmine_worn: RedmineCompany, name: str, public: bool
) -> None:
    """A public project answers a stranger with 200: the key is asked for all the same."""
    accident, words = KEYS[name]
    if public:
        redmine_worn.server.sql("UPDATE projects SET is_public = 1")
    remedy = accident(redmine_worn)
    redmine_worn.a_day_later()
    said = nothing_changed(redmine_worn, 4, "credentials")
    for word in words:
        assert word in said
    remedy()
    all_is_back(redmine_worn)


def test_a_key_that_is_revoked_in_the_middle_of_the_first_pass_makes_no_issue_twice(
    redmine_company: RedmineCompany,
) -> None:
    company = redmine_company
    posts: list[Seen] = []

    def revoke(one: Seen) -> bool:
        if one.method == "POST":
            posts.append(one)
            if len(posts) == 5:
                company.server.revoke_key("bot")
        return False

    company.proxy.fault(revoke, "refuse")
    eight = ",".join(f"T-0{number}" for number in range(1, 9))
    stopped = company.passes("--only", eight)

    assert (stopped.code, stopped.state, len(company.states())) == (4, "credentials", 4)
    company.server.replace_key("bot", "9" * 40)
    company.new_key("9" * 40)
    # The one that was refused counts as on its way for as long as a request can take.
    company.clock = lambda: utc_now() + timedelta(seconds=LONGEST_REQUEST_S)
    after = company.passes("--only", eight)

    assert (after.code, after.report["created"]) == (0, 4)
    assert company.server.sql("SELECT count(*) FROM issues") == [(8,)]


def test_a_key_that_is_revoked_between_two_writes_loses_none_of_them(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    for item in ("T-01", "T-02", "T-03"):
        company.server.edit_issue(company.number(item), by="worker", subject="だれかの題名")
    puts: list[Seen] = []

    def revoke(one: Seen) -> bool:
        puts.extend([one] if one.method == "PUT" else [])
        if len(puts) == 2:
            company.server.revoke_key("bot")
        return False

    company.proxy.fault(revoke, "refuse")
    stopped = company.passes()
    company.proxy.clear()
    company.server.replace_key("bot", "9" * 40)
    company.new_key("9" * 40)
    after = company.passes()
    still = company.passes()

    assert (stopped.code, after.code, still.written) == (4, 0, [])
    assert {company.issue(item)["subject"][:4] for item in ("T-01", "T-02", "T-03")} == {
        "T-01",
        "T-02",
        "T-03",
    }


# ── the project ───────────────────────────────────────────────────────────────────────────────────────


def archived(company: RedmineCompany) -> Callable[[], None]:
    company.server.archive_project()
    return company.server.unarchive_project


def no_member(company: RedmineCompany) -> Callable[[], None]:
    (kept,) = company.server.sql(
        "SELECT id, user_id FROM members WHERE user_id = ?", company.server.ids["users"]["bot"]
    )
    company.server.sql("UPDATE members SET user_id = 1 WHERE id = ?", kept[0])
    return lambda: (
        company.server.sql("UPDATE members SET user_id = ? WHERE id = ?", kept[1], kept[0]) and None
    )


def all_moved(company: RedmineCompany) -> Callable[[], None]:
    other = company.server.ids["projects"]["other"]
    company.server.sql("UPDATE issues SET project_id = ?", other)
    return lambda: (
        company.server.sql("UPDATE issues SET project_id = ?", company.server.ids["projects"]["tics"])
        and None
    )


def all_hidden(company: RedmineCompany) -> Callable[[], None]:
    """Made private by somebody who is their author, and our role sees only its own."""
    ids = company.server.ids["users"]
    company.server.sql("UPDATE issues SET is_private = 1, author_id = ?", ids["worker"])
    return lambda: company.server.sql("UPDATE issues SET is_private = 0, author_id = ?", ids["bot"]) and None


def deleted(company: RedmineCompany) -> Callable[[], None]:
    kept = company.server.sql("SELECT id, project_id FROM issues")
    company.server.sql("UPDATE issues SET id = id + 100000")
    assert kept
    return lambda: company.server.sql("UPDATE issues SET id = id - 100000") and None


PROJECTS = {
    "an archived project": (archived, ("tics", "アーカイブ")),
    "a project that we are no member of": (no_member, ("tics", "メンバー")),
    "all issues moved": (all_moved, ("46", "--accept-mass-change")),
    "all issues hidden": (all_hidden, ("46", "--accept-mass-change")),
    "all issues gone": (deleted, ("46", "--accept-mass-change")),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_that_shows_nothing_is_exit_5_and_changes_nothing(
    redmine_worn: RedmineCompany, name: str
) -> None:
    accident, words = PROJECTS[name]
    remedy = accident(redmine_worn)
    redmine_worn.a_day_later()
    said = nothing_changed(redmine_worn, 5, "safety_stop")
    for word in words:
        assert word in said
    remedy()
    all_is_back(redmine_worn)


def test_a_closed_project_is_read_on_and_stops_only_what_would_be_written(
    redmine_worn: RedmineCompany,
) -> None:
    company = redmine_worn
    company.server.edit_issue(company.number("T-01"), status_id=company.server.ids["statuses"]["in_progress"])
    company.server.edit_issue(company.number("T-02"), subject="だれかの題名")
    company.server.close_project()
    stopped = company.passes()

    assert (stopped.code, stopped.state) == (5, "safety_stop")
    assert "終了" in stopped.message
    assert "再開" in company.shown()
    assert company.status_here("T-01") == "doing"
    company.server.reopen_project()
    after = company.passes()

    assert (after.code, len(after.written)) == (0, 1)
    all_is_back(company)


def test_a_renamed_project_is_the_same_project(redmine_worn: RedmineCompany) -> None:
    redmine_worn.server.rename_project("情報管理（新）")
    redmine_worn.a_day_later()
    all_is_back(redmine_worn)


# ── single issues ─────────────────────────────────────────────────────────────────────────────────────


def test_an_issue_in_a_project_that_we_cannot_see_is_lost_and_comes_back_by_itself(
    redmine_worn: RedmineCompany,
) -> None:
    company = redmine_worn
    number = company.number("T-05")
    company.server.move_issue(number, "other")
    company.a_day_later()
    lost = company.passes()

    assert company.states()["T-05"] == "lost"
    assert (lost.code, lost.report["created"], lost.written) == (0, 0, [])
    assert f"#{number}" in company.cli("why", "T-05", lang="ja").out
    company.server.move_issue(number, "tics")
    back = company.passes()

    assert (back.code, back.written) == (0, [f"PUT /issues/{number}.json"]), "Redmine took its category away"
    all_is_back(company)


def test_a_deleted_issue_is_not_made_again_by_itself(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    company.server.delete_issue(company.number("T-05"))
    company.a_day_later()
    found = company.passes()

    assert company.states()["T-05"] == "tomb"
    assert found.written == []
    company.cli("task", "restore", "T-05")
    again = company.passes()

    assert (again.code, again.report["created"]) == (0, 1)
    assert company.states()["T-05"] == "live"


def test_a_copied_issue_loses_the_marker_and_the_first_one_stays_ours(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    first = company.number("T-05")
    copy = company.server.copy_issue(first)
    found = company.passes()
    again = company.passes()

    assert company.number("T-05") == first
    assert (found.code, found.written, again.written) == (0, [f"PUT /issues/{copy}.json"], [])
    marker = company.server.ids["custom_fields"]["marker"]
    values = {one["id"]: one["value"] for one in company.server.issue(copy)["custom_fields"]}
    assert not values[marker]


# ── fields, statuses, people ──────────────────────────────────────────────────────────────────────────


def with_number(company: RedmineCompany) -> RedmineCompany:
    """The item's number has a custom field of its own."""
    company.map_field("number", "criterion")
    company.passes("--only", "T-01")
    return company


def value_of(company: RedmineCompany, item: str, field: int) -> str | None:
    found = {one["id"]: one["value"] for one in company.issue(item)["custom_fields"]}
    return found.get(field)


def test_a_mapped_field_that_was_deleted_stops_nothing_and_doctor_names_it(
    redmine_worn: RedmineCompany,
) -> None:
    company = with_number(redmine_worn)
    field = company.server.ids["custom_fields"]["criterion"]
    assert value_of(company, "T-01", field) == "T-01"
    company.server.delete_field("criterion")
    company.server.edit_issue(company.number("T-01"), subject="だれかの題名")
    company.a_day_later()
    found = company.passes("--only", "T-01")
    again = company.passes("--only", "T-01")
    checked = company.cli("doctor", "--json", lang="ja").json["checks"]

    assert (found.code, found.written) == (0, [f"PUT /issues/{company.number('T-01')}.json"])
    assert again.written == []
    assert any(f"cf_{field}" in one["message"] and one["state"] != "ok" for one in checked)


def test_a_list_that_became_a_text_is_written_and_read_on(redmine_worn: RedmineCompany) -> None:
    """What a person then writes freely is no word of the mapping: it is left alone."""
    company = redmine_worn
    field = company.server.ids["custom_fields"]["result"]
    company.edit_mapping("  chapter: category_id", f"  chapter: cf_{field}")
    text = company.mapping.read_text("utf-8")
    head, _, rest = text.partition("  chapter:\n    ")
    tail = rest[rest.index("given:") :]
    company.mapping.write_text(
        f'{head}  chapter:\n    "適合": "人的対策"\n    "不適合": "体制とルール"\n{tail}', "utf-8"
    )
    item = "T-10"
    company.passes("--only", item)
    assert value_of(company, item, field) in ("適合", "不適合")
    company.server.sql("UPDATE custom_fields SET field_format = 'string' WHERE id = ?", field)
    company.a_day_later()
    assert company.passes("--only", item).written == []
    company.server.edit_issue(company.number(item), custom_fields=[{"id": field, "value": "てきごう"}])
    found = company.passes("--only", item)

    assert (found.code, found.written) == (0, [])
    assert value_of(company, item, field) == "てきごう"


def test_a_status_of_the_mapping_that_was_deleted_is_named_by_doctor_and_refused_once(
    redmine_worn: RedmineCompany,
) -> None:
    company = redmine_worn
    company.server.delete_status("rejected")
    company.excludes("T-05")
    first, again = company.passes(), company.passes()
    checked = company.cli("doctor", "--json", lang="ja").json["checks"]

    assert (first.code, again.code) == (1, 1)
    assert set(first.refusals) == {("tics/T-05", "status")}
    assert "statuses:" in first.refusals["tics/T-05", "status"]
    assert len([one for one in company.events("refusal.opened") if one.subject == "tics/T-05"]) == 1
    assert [one for one in again.written if not one.startswith("POST")] == []
    live = [
        one
        for one in checked
        if one["state"] == "fail" and str(company.server.ids["statuses"]["rejected"]) in one["message"]
    ]
    assert live, checked


def test_a_locked_person_keeps_no_task_from_being_made(redmine_company: RedmineCompany) -> None:
    """Redmine refuses a new issue for somebody who cannot be assigned: it is made without, and that is said once."""
    company = redmine_company
    company.server.lock_user("worker")
    made = company.passes("--only", "T-01,T-02")
    again = company.passes("--only", "T-01,T-02")

    assert (made.report["created"], again.written) == (2, [])
    assert {field for _, field in made.refusals} <= {"assignee"}
    assert "assigned_to" not in company.issue("T-01")


def test_a_person_who_is_locked_later_stops_no_other_change(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    assert company.issue("T-01")["assigned_to"]["id"] == company.server.ids["users"]["worker"]
    company.server.lock_user("worker")
    company.server.edit_issue(company.number("T-01"), by="admin", subject="だれかの題名")
    found = company.passes()

    assert company.issue("T-01")["subject"].startswith("T-01")
    assert company.passes().written == []
    assert found.code in (0, 1)


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_title_of_more_than_255_characters_is_cut_and_not_written_again(
    redmine_company: RedmineCompany,
) -> None:
    company = redmine_company
    long = "情報" * 200
    company.edit_mapping('title: "{{ number }} {{ title }}"', f'title: "{{{{ number }}}} {long}"')
    made = company.passes("--only", "T-01")

    assert (made.code, made.report["created"]) == (0, 1)
    assert len(company.issue("T-01")["subject"]) == 255
    assert company.passes("--only", "T-01").written == []


def by_body(one: Seen) -> bool:
    return one.method in {"POST", "PUT"} and REFUSED_BY_MYSQL.encode() in one.body


def test_a_database_that_cannot_hold_an_emoji_is_named_once_and_not_asked_again(
    redmine_company: RedmineCompany,
) -> None:
    """MySQL's utf8mb3 answers 500; the text is put right, and the task is made."""
    company = redmine_company
    company.edit_mapping(
        'title: "{{ number }} {{ title }}"', f'title: "{LOCK} {{{{ number }}}} {{{{ title }}}}"'
    )
    company.proxy.fault(by_body, "busy", status=500, times=None)
    first = company.passes("--only", "T-01")
    again = company.passes("--only", "T-01")
    company.edit_mapping(LOCK, "")
    after = company.passes("--only", "T-01")

    assert (first.code, first.report["created"]) == (1, 0)
    assert LOCK in first.refusals["tics/T-01", "create"]
    assert "utf8mb4" in first.refusals["tics/T-01", "create"]
    assert again.written == []
    assert (after.code, after.report["created"], after.refusals) == (0, 1, {})


def test_an_emoji_in_a_changed_text_is_named_once_and_not_asked_again(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    company.edit_mapping(
        'title: "{{ number }} {{ title }}"', f'title: "{LOCK} {{{{ number }}}} {{{{ title }}}}"'
    )
    company.proxy.fault(by_body, "busy", status=500, times=None)
    first = company.passes("--only", "T-01")
    again = company.passes("--only", "T-01")
    company.edit_mapping(f"{LOCK} ", "")
    after = company.passes("--only", "T-01")

    assert (first.code, again.written) == (1, [])
    assert "utf8mb4" in first.refusals["tics/T-01", "title"]
    assert (after.code, after.written) == (0, [])


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────


NFD = unicodedata.normalize("NFD", "ガイド.txt")
NAMES = {
    "../x.txt": "x.txt",
    "..\\..\\x.txt": "x.txt",
    "守秘義務の誓約書（㈱髙﨑）.txt": "守秘義務の誓約書（㈱髙﨑）.txt",
    NFD: NFD,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_becomes_evidence_and_lands_nowhere_else(
    redmine_worn: RedmineCompany, name: str
) -> None:
    company = redmine_worn
    outside = sorted(path for path in company.root.parent.iterdir())
    company.server.attach(company.number("T-05"), name, "本文".encode())
    found = company.passes()
    taken = [one["fields"]["evidence"]["to"] for one in found.report["actions"] if one["action"] == "attach"]

    assert found.code == 0
    assert [one.rpartition("_")[2] for one in taken] == [NAMES[name].rpartition("_")[2]]
    assert sorted(path for path in company.root.parent.iterdir()) == outside
    assert company.passes().report["actions"] == []


def test_a_file_without_a_byte_is_no_evidence_and_is_named(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    company.server.attach(company.number("T-05"), "空.txt", b" ")
    attachment = company.issue("T-05")["attachments"][0]["id"]
    ((folder, file),) = company.server.sql("SELECT disk_directory, disk_filename FROM attachments")
    (company.server.folder / "files" / folder / file).write_bytes(b"")
    company.server.sql("UPDATE attachments SET filesize = 0 WHERE id = ?", attachment)
    found = company.passes()

    (notice,) = [one for one in found.report["notices"] if "空.txt" in one["message"]]
    assert "T-05" in notice["message"]
    assert notice["fix"]
    assert company.events("evidence.added") == []


def test_a_file_over_redmines_limit_is_refused_by_its_name_and_told_once(
    redmine_worn: RedmineCompany, tmp_path: Path
) -> None:
    company = redmine_worn
    company.server.attachment_max_size(1)
    large, small = tmp_path / "様式（大）.txt", tmp_path / "様式（小）.txt"
    large.write_bytes(b"x" * 3000)
    small.write_bytes(b"y")
    for file in (large, small):
        assert company.cli("task", "attach", "T-05", str(file)).code == 0
    first, again = company.passes(), company.passes()

    assert (first.code, again.written) == (1, [])
    assert [one["filename"].partition("__")[0] for one in company.issue("T-05")["attachments"]] == [
        "様式（小）"
    ]
    assert len(first.refusals) == 1
    assert "様式（大）" in str(first.report["refusals"])
    company.server.attachment_max_size(100)
    after = company.passes("--retry-refused")

    assert (after.code, after.refusals) == (0, {})
    assert len(company.issue("T-05")["attachments"]) == 2


# ── the way there ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["html", "login"])
def test_a_proxy_that_answers_a_page_changes_nothing(redmine_worn: RedmineCompany, kind: str) -> None:
    company = redmine_worn
    fault = company.proxy.fault(lambda _: True, kind, times=None)  # type: ignore[arg-type]
    company.a_day_later()
    code, state = (3, "unavailable") if kind == "html" else (4, "credentials")
    said = nothing_changed(company, code, state)

    assert "redmine" in said
    fault.times = 0
    all_is_back(company)


def test_a_page_in_the_middle_of_a_pass_loses_nothing_and_makes_nothing_twice(
    redmine_company: RedmineCompany,
) -> None:
    company = redmine_company
    company.proxy.fault(lambda one: one.method == "POST", "html", carry=True)
    first = company.passes("--only", "T-01,T-02,T-03")
    after = company.passes("--only", "T-01,T-02,T-03")

    assert (first.code, after.code) == (3, 0)
    assert company.server.sql("SELECT count(*) FROM issues") == [(3,)]
    assert len(company.states()) == 3


def test_a_busy_proxy_whose_request_was_carried_out_makes_nothing_twice(
    redmine_company: RedmineCompany,
) -> None:
    company = redmine_company
    company.proxy.fault(lambda one: one.method == "POST", "busy", status=502, carry=True)
    first = company.passes("--only", "T-01,T-02,T-03")
    after = company.passes("--only", "T-01,T-02,T-03")

    assert (first.code, after.code) == (3, 0)
    assert company.server.sql("SELECT count(*) FROM issues") == [(3,)]
    assert company.passes("--only", "T-01,T-02,T-03").written == []


def test_a_certificate_that_does_not_verify_stops_before_anything_is_sent(
    redmine_worn: RedmineCompany, tmp_path: Path
) -> None:
    company = redmine_worn
    context, authority = self_signed(tmp_path)
    with Proxy(company.server.url) as proxy:
        proxy._server.socket = context.wrap_socket(proxy._server.socket, server_side=True)
        company.edit_config(company.proxy.url, proxy.url.replace("http:", "https:"))
        said = nothing_changed(company, 3, "unavailable")

        assert "ca_file" in said
        assert proxy.seen == []
        company.edit_config("    project: tics", f"    project: tics\n    ca_file: {authority}")
        found = company.passes()

        assert (found.code, found.state) == (0, "ok")
        assert proxy.seen


# ── a role that may not ───────────────────────────────────────────────────────────────────────────────


def may_close(company: RedmineCompany, *, on: bool) -> None:
    server = company.server
    for status in server.ids["statuses"]:
        deed = server.allow_transition if on else server.forbid_transition
        deed("ticssync", "feature", status, "rejected")


def test_a_status_that_our_role_may_not_set_is_refused_once_and_resolved_when_it_may(
    redmine_worn: RedmineCompany,
) -> None:
    company = redmine_worn
    may_close(company, on=False)
    company.excludes("T-05")
    first = company.passes()
    again = [company.passes(), company.passes()]

    assert (first.code, set(first.refusals)) == (1, {("tics/T-05", "status")})
    assert "却下" in first.refusals["tics/T-05", "status"]
    assert [one.code for one in again] == [1, 1], "told until somebody settles it"
    assert [one.written for one in again] == [[], []]
    assert len([one for one in company.events("refusal.opened") if one.subject == "tics/T-05"]) == 1
    may_close(company, on=True)
    after = company.passes("--retry-refused")

    assert (after.code, after.refusals) == (0, {})
    assert company.status_of("T-05") == company.server.ids["statuses"]["rejected"]


def test_a_role_that_may_again_is_noticed_with_the_daily_look(redmine_worn: RedmineCompany) -> None:
    company = redmine_worn
    may_close(company, on=False)
    company.excludes("T-05")
    company.passes()
    may_close(company, on=True)
    company.a_day_later()
    after = company.passes()

    assert (after.code, after.refusals) == (0, {})
    assert company.status_of("T-05") == company.server.ids["statuses"]["rejected"]


def test_what_was_decided_here_is_never_reverted_by_a_refusal(redmine_worn: RedmineCompany) -> None:
    """Without the read-back Redmine's 204 would count, and its old status would come in as somebody's edit."""
    company = redmine_worn
    may_close(company, on=False)
    company.excludes("T-05")
    for _ in range(3):
        company.passes()
    said = company.cli("status", "--json", lang="ja").json

    (found,) = [one for one in said["criteria"] if one["id"] == "T-05"]
    assert found["state"] == "excluded"
    assert company.events("conflict.opened") == []


def test_a_required_field_that_appears_later_keeps_only_new_issues_from_being_made(
    redmine_worn: RedmineCompany,
) -> None:
    """The others go on; the refusal is in Redmine's own words, once."""
    company = redmine_worn
    company.server.add_required_field("稟議番号")
    company.server.delete_issue(company.number("T-05"))
    company.a_day_later()
    company.passes()
    company.cli("task", "restore", "T-05")
    first, again = company.passes(), company.passes()

    assert (first.code, first.report["created"]) == (1, 0)
    assert "稟議番号" in first.refusals["tics/T-05", "create"]
    assert again.written == []
    assert len([one for one in company.events("refusal.opened") if one.subject == "tics/T-05"]) == 1
