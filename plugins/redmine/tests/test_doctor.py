"""What `doctor` says of a real Redmine: what is wrong, and what to do about it; and it changes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from plugins.redmine.tests.desk import ENGLISH, JAPANESE
from plugins.redmine.tests.site import RedmineSite
from tests.servers.proxy import Proxy
from tests.servers.redmine import Server

from ticssync.plugin import Finding, Level
from ticssync.text import Text
from ticssync_redmine.tracker import RedmineTracker

pytest_plugins = ["tests.servers.redmine_fixtures"]

WATCHED = ("issues", "journals", "journal_details", "attachments", "custom_values", "watchers")


def written(server: Server) -> list[Any]:
    """Everything that a write to an issue would change."""
    counts = [server.sql(f"SELECT count(*), max(id) FROM {table}") for table in WATCHED]
    return [*counts, server.sql("SELECT id, updated_on, lock_version FROM issues ORDER BY id")]


def examined(site: RedmineSite, text: Text = JAPANESE) -> dict[str, Finding]:
    """The findings by id; whatever was found, nothing was written."""
    before = written(site.server)
    found = {one.id: one for one in RedmineTracker(replace(site.open().opening, text=text)).check()}
    assert written(site.server) == before
    return found


def troubles(found: dict[str, Finding]) -> dict[str, Level]:
    return {ident: one.level for ident, one in found.items() if one.level is not Level.OK}


def in_order(server: Server) -> RedmineSite:
    """An account of ours to which nothing is hidden, a mapping that knows all statuses."""
    server.sql("UPDATE roles SET issues_visibility = 'all'")
    site = RedmineSite(server)
    feedback = {str(server.ids["statuses"]["feedback"]): "doing"}
    site.table = replace(site.table, statuses={**site.table.statuses, **feedback})
    return site


@pytest.fixture
def site(redmine: Server) -> RedmineSite:
    """A Redmine in order, with one issue."""
    redmine.new_issue("点検", tracker_id=redmine.ids["trackers"]["feature"])
    return in_order(redmine)


def test_a_redmine_in_order_has_no_finding_and_is_told_what_was_looked_at(any_redmine: Server) -> None:
    any_redmine.new_issue("点検", tracker_id=any_redmine.ids["trackers"]["feature"])
    found = examined(in_order(any_redmine))

    assert troubles(found) == {}
    assert set(found) == {"login", "project", "rights", "marker", "required", "statuses"}
    assert "ticssync 専用" in found["login"].message


def test_an_empty_project_is_in_order_too(redmine: Server) -> None:
    assert troubles(examined(in_order(redmine))) == {}


# ── the key ───────────────────────────────────────────────────────────────────────────────────────────


def wrong_key(server: Server) -> None:
    server.keys["bot"] = "0" * 40


def revoked_key(server: Server) -> None:
    server.revoke_key("bot")


def locked(server: Server) -> None:
    server.lock_user("bot")


@pytest.mark.parametrize("deed", [wrong_key, revoked_key, locked])
def test_a_key_that_is_not_taken_ends_the_check_with_all_that_it_may_be(
    site: RedmineSite, deed: Callable[[Server], None]
) -> None:
    """Redmine answers all three the same (401), so the remedy names the key and the account."""
    deed(site.server)
    found = examined(site, ENGLISH)

    assert troubles(found) == {"login": Level.FAIL}
    assert "API access key" in found["login"].fix
    assert "locked" in found["login"].fix


def test_a_redmine_with_rest_switched_off_is_told_from_one_with_a_wrong_key(any_redmine: Server) -> None:
    """There every key is refused with 403."""
    any_redmine.rest(on=False)
    found = examined(in_order(any_redmine), ENGLISH)

    assert troubles(found) == {"login": Level.FAIL}
    assert "REST web service is off" in found["login"].message
    assert "Enable REST web service" in found["login"].fix


def test_a_key_that_listings_answer_with_nothing_is_noticed(site: RedmineSite) -> None:
    """A public project is shown to strangers too: 200 and an empty list."""
    site.server.revoke_key("bot")
    status, answer = site.server.ask("GET", "/issues.json", by="bot")

    assert (status, answer["total_count"]) == (200, 0)
    assert troubles(examined(site)) == {"login": Level.FAIL}


def test_no_key_at_all_is_told_by_the_variable_that_holds_it(site: RedmineSite) -> None:
    site.server.keys["bot"] = ""
    found = examined(site)

    assert "TICSSYNC_TRACKERS__FACTORY__API_KEY" in found["login"].message


def test_an_administrators_key_is_warned_of(site: RedmineSite) -> None:
    site.account = "admin"
    found = examined(site)

    assert troubles(found) == {"login.admin": Level.WARN}
    assert "専用" in found["login.admin"].fix


def test_a_persons_own_key_is_warned_of(site: RedmineSite) -> None:
    site.account = "confirmer"

    assert troubles(examined(site)) == {"login.person": Level.WARN}


# ── the project ───────────────────────────────────────────────────────────────────────────────────────


def test_a_public_project_is_warned_of(site: RedmineSite) -> None:
    site.server.sql("UPDATE projects SET is_public = 1")
    found = examined(site)

    assert troubles(found) == {"project.public": Level.WARN}
    assert "公開" in found["project.public"].fix


def test_a_closed_project_fails_with_the_way_to_open_it(site: RedmineSite) -> None:
    site.server.close_project()
    found = examined(site)

    assert troubles(found)["project"] is Level.FAIL
    assert "再開" in found["project"].fix
    assert set(troubles(found)) == {"project"}, "what follows from it is not told as well"


def archived(site: RedmineSite) -> None:
    site.server.archive_project()


def left(site: RedmineSite) -> None:
    site.server.leave_project("bot")


def unknown_project(site: RedmineSite) -> None:
    found = site.server
    found.sql("UPDATE projects SET identifier = 'renamed' WHERE identifier = 'tics'")


@pytest.mark.parametrize("deed", [archived, left, unknown_project])
def test_a_project_that_cannot_be_seen_fails_with_what_may_have_happened(
    site: RedmineSite, deed: Callable[[RedmineSite], None]
) -> None:
    """Archived, no longer a member, a wrong identifier: 403 or 404, and nothing more is asked."""
    deed(site)
    found = examined(site)

    assert troubles(found) == {"project": Level.FAIL}
    assert "tics" in found["project"].message
    for word in ("アーカイブ", "メンバー", "project:"):
        assert word in found["project"].message + found["project"].fix


def test_a_public_project_of_which_we_are_no_member_fails(site: RedmineSite) -> None:
    site.server.sql("UPDATE projects SET is_public = 1")
    site.server.leave_project("bot")
    found = examined(site)

    assert troubles(found)["rights"] is Level.FAIL
    assert "メンバー" in found["rights"].fix


def test_a_kind_of_issue_that_the_project_does_not_have_is_named_with_those_there_are(
    site: RedmineSite,
) -> None:
    site.table = replace(site.table, given={"tracker_id": "99"})
    found = examined(site)

    assert found["project.tracker"].level is Level.FAIL
    assert "99" in found["project.tracker"].message
    assert f"({site.server.names['trackers']['feature']})" in found["project.tracker"].fix


# ── rights ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_that_only_reads_lacks_rights_by_the_names_of_redmines_own_pages(site: RedmineSite) -> None:
    site.account = "reader"
    found = examined(site)

    assert found["rights"].level is Level.FAIL
    for word in ("閲覧のみ", "チケットの追加", "チケットの編集", "コメントの追加"):
        assert word in found["rights"].message
    assert "チケットの閲覧" not in found["rights"].message
    assert "ロールと権限" in found["rights"].fix


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        ("add_issues", "チケットの追加"),
        ("edit_issues", "チケットの編集"),
        ("add_issue_notes", "コメントの追加"),
    ],
)
def test_each_right_that_is_needed_is_missed_by_itself(site: RedmineSite, right: str, shown: str) -> None:
    ((rights,),) = site.server.sql(
        "SELECT permissions FROM roles WHERE id = ?", site.server.ids["roles"]["ticssync"]
    )
    assert f"- :{right}\n" in rights
    site.server.sql(
        "UPDATE roles SET permissions = ? WHERE id = ?",
        rights.replace(f"- :{right}\n", ""),
        site.server.ids["roles"]["ticssync"],
    )
    found = examined(site)

    assert found["rights"].level is Level.FAIL
    assert shown in found["rights"].message


@pytest.mark.parametrize(("sight", "level"), [("default", Level.WARN), ("own", Level.FAIL)])
def test_a_role_that_does_not_see_all_issues_is_told(site: RedmineSite, sight: str, level: Level) -> None:
    site.server.sql("UPDATE roles SET issues_visibility = ?", sight)
    found = examined(site)

    assert troubles(found)["rights.private"] is level
    assert "すべてのチケット" in found["rights.private"].fix


# ── the marker ────────────────────────────────────────────────────────────────────────────────────────


def test_a_marker_field_that_is_not_there_fails_with_how_to_make_it(site: RedmineSite) -> None:
    site.table = replace(site.table, marker_place="cf_99")
    found = examined(site)

    assert found["marker"].level is Level.FAIL
    assert "cf_99" in found["marker"].message
    for word in ("カスタムフィールド", "フィルタとして使用", "ticssync-id"):
        assert word in found["marker"].fix


def test_a_marker_field_that_was_deleted_fails(site: RedmineSite) -> None:
    site.server.delete_field("marker")

    assert examined(site)["marker"].level is Level.FAIL


def test_a_marker_field_that_our_kind_of_issue_does_not_have_fails(site: RedmineSite) -> None:
    site.server.take_field_from_tracker("marker", "feature")
    site.server.new_issue("点検", tracker_id=site.server.ids["trackers"]["bug"])
    found = examined(site, ENGLISH)

    assert troubles(found) == {"marker": Level.FAIL}
    assert "ticssync-id" in found["marker"].message
    assert "tracker" in found["marker"].fix


def test_a_marker_field_that_is_no_filter_is_told_by_its_name(site: RedmineSite) -> None:
    site.server.filter_by_field("marker", on=False)
    found = examined(site)

    assert troubles(found) == {"marker.filter": Level.WARN}
    assert "ticssync-id" in found["marker.filter"].fix
    assert "フィルタとして使用" in found["marker.filter"].fix


def test_a_marker_in_the_description_is_a_warning(site: RedmineSite) -> None:
    site.table = replace(site.table, marker_place="description")
    found = examined(site)

    assert troubles(found) == {"marker": Level.WARN}
    assert "カスタムフィールド" in found["marker"].fix


def test_a_marker_field_that_is_too_short_fails_before_the_first_issue_is_refused(site: RedmineSite) -> None:
    site.server.sql(
        "UPDATE custom_fields SET max_length = 20 WHERE id = ?", site.server.ids["custom_fields"]["marker"]
    )
    found = examined(site, ENGLISH)

    assert troubles(found) == {"marker.refused": Level.FAIL}
    assert "20文字以内" in found["marker.refused"].message
    assert "Min - Max length" in found["marker.refused"].fix


# ── what new issues need ──────────────────────────────────────────────────────────────────────────────


def test_a_required_custom_field_without_a_value_is_named(site: RedmineSite) -> None:
    site.server.add_required_field("稟議番号")
    found = examined(site)

    assert troubles(found) == {"required": Level.FAIL}
    assert "稟議番号" in found["required"].message
    assert "given:" in found["required"].fix


def test_a_required_custom_field_with_a_value_in_the_mapping_is_in_order(site: RedmineSite) -> None:
    number = site.server.add_required_field("稟議番号")
    site.table = replace(site.table, given={**site.table.given, f"cf_{number}": "R-1"})

    assert troubles(examined(site)) == {}


def test_a_field_that_a_rule_of_the_workflow_requires_is_named(site: RedmineSite) -> None:
    site.server.field_rule("ticssync", "feature", "new", "category_id", "required")
    found = examined(site)

    assert troubles(found) == {"required": Level.FAIL}
    assert "カテゴリ" in found["required"].message


# ── statuses ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_status_that_our_role_may_not_set_is_named(site: RedmineSite) -> None:
    server = site.server
    for status in server.ids["statuses"]:
        server.forbid_transition("ticssync", "feature", status, "closed")
    found = examined(site)

    assert troubles(found) == {"statuses.role": Level.WARN}
    assert server.names["statuses"]["closed"] in found["statuses.role"].message
    assert "ワークフロー" in found["statuses.role"].fix


# ── the clock and the way ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def proxy(redmine: Server) -> Iterator[Proxy]:
    with Proxy(redmine.url) as found:
        yield found


@pytest.mark.parametrize(("minutes", "told"), [(10, True), (-10, True), (0, False)])
def test_clocks_that_differ_are_told(
    site: RedmineSite, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, minutes: int, told: bool
) -> None:
    """A web server before Redmine tells its time."""
    from email.utils import format_datetime

    carry = Proxy.carry

    def dated(self: Proxy, seen: Any) -> Any:
        answer = carry(self, seen)
        date = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=minutes), usegmt=True)
        return replace(answer, headers=[*answer.headers, ("Date", date)])

    monkeypatch.setattr(Proxy, "carry", dated)
    site.url = proxy.url
    found = examined(site)

    assert ("clock" in found) is told
    if told:
        assert "時計" in found["clock"].message
        assert "タイムサーバー" in found["clock"].fix


def test_a_redmine_that_is_ahead_is_noticed_without_a_date_too(site: RedmineSite) -> None:
    """Redmine's own server tells no time, but an issue changed in the future does."""
    site.server.sql("UPDATE issues SET updated_on = datetime(updated_on, '+1 hour')")

    assert "clock" in examined(site)


def test_an_answer_that_is_no_data_ends_the_check_as_a_failure(site: RedmineSite, proxy: Proxy) -> None:
    site.url = proxy.url
    proxy.fault(lambda one: one.path.startswith("/issue_statuses"), "html", times=None)
    found = examined(site)

    assert found["answers"].level is Level.FAIL
    assert "データ" in found["answers"].message


def test_a_check_of_a_redmine_costs_few_requests(site: RedmineSite, proxy: Proxy) -> None:
    site.url = proxy.url
    examined(site)

    assert len(proxy.seen) <= 20
    assert {one.method for one in proxy.seen} == {"GET", "POST"}
    assert [one.status for one in proxy.seen if one.method == "POST"] == [422, 422]
