"""The set-up of real Redmine servers: each deed is in force for the next request, each reset takes all of it back."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import urllib.parse
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests
from tests.servers import redmine as real
from tests.servers.proxy import Kind, Proxy
from tests.servers.redmine import RedmineError, Server

pytest_plugins = ["tests.servers.redmine_fixtures"]


def count(server: Server, *, by: str = "worker", query: str = "") -> int:
    """Issues of the project that a person is shown."""
    return int(server.call("GET", f"/issues.json?project_id=tics&status_id=*{query}", by=by)["total_count"])


def status(server: Server, issue: int) -> str:
    """The seed's word for the issue's status."""
    number = server.issue(issue)["status"]["id"]
    return next(word for word, known in server.ids["statuses"].items() if known == number)


def go(server: Server, issue: int, word: str, *, by: str) -> str:
    """Ask for a status as a person; where the issue is then."""
    server.edit_issue(issue, by=by, status_id=server.ids["statuses"][word])
    return status(server, issue)


def value(server: Server, issue: int, field: str) -> object:
    """A custom value; KeyError where the issue has no such field."""
    return {one["id"]: one["value"] for one in server.issue(issue)["custom_fields"]}[
        server.ids["custom_fields"][field]
    ]


def marked(server: Server, text: str) -> list[dict[str, object]]:
    """`custom_fields` of a request that sets the marker."""
    return [{"id": server.ids["custom_fields"]["marker"], "value": text}]


# ── every version ─────────────────────────────────────────────────────────────────────────────────────


def test_a_server_is_in_the_state_of_the_seed(any_redmine: Server):
    """Accounts, Japanese names, projects and the marker field are there in each version."""
    people = {login: any_redmine.ask("GET", "/users/current.json", by=login) for login in any_redmine.keys}
    assert {login: code for login, (code, _) in people.items()} == dict.fromkeys(any_redmine.keys, 200)
    assert any_redmine.names["users"]["operator"] == "髙﨑 次郎"
    assert any_redmine.names["statuses"]["closed"] == "終了"
    assert any_redmine.ask("GET", "/projects/other.json", by="bot")[0] == 403
    assert len(any_redmine.ids["categories"]) == 5


def test_reset_takes_everything_back(any_redmine: Server):
    """Issues, files, keys and settings that the server holds in memory."""
    issue = any_redmine.new_issue("消えるもの")
    any_redmine.attach(issue, "写真.jpg", b"x" * 2000)
    any_redmine.replace_key("bot", "9" * 40)
    any_redmine.rest(on=False)
    assert any_redmine.ask("GET", "/users/current.json")[0] in {401, 403}

    real.reset(any_redmine)

    assert count(any_redmine, by="bot") == 0
    assert any_redmine.new_issue("番号は初めから") == issue
    assert [path for path in (any_redmine.folder / "files").rglob("*") if path.is_file()] == []


def test_a_copy_has_the_marker_in_each_version(any_redmine: Server):
    """Redmine's own page copies custom values and attachments."""
    first = any_redmine.new_issue("原本", custom_fields=marked(any_redmine, "acme:1"))
    any_redmine.attach(first, "規程.pdf", b"%PDF-")

    here, there = any_redmine.copy_issue(first), any_redmine.copy_issue(first, "other")

    assert len({first, here, there}) == 3
    assert [value(any_redmine, one, "marker") for one in (here, there)] == ["acme:1", "acme:1"]
    assert any_redmine.issue(there)["project"]["id"] == any_redmine.ids["projects"]["other"]
    assert [one["filename"] for one in any_redmine.issue(here)["attachments"]] == ["規程.pdf"]


@pytest.mark.parametrize("version", ["5.0", "6.0", "6.1"])
def test_stop_ends_only_its_own_server(version: str, tmp_path: Path, redmine: Server):
    """Nothing listens at its address any more, the other still answers, nothing is left in a chroot."""
    if why := real.available(version):
        pytest.skip(why)
    server = real.start(tmp_path / "もう一つ", version=version)
    assert server.version.startswith(f"{version}.")

    real.stop(server)

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urllib.parse.urlsplit(server.url).port or 0))
    assert redmine.ask("GET", "/users/current.json")[0] == 200
    assert server.folder.exists() == (real.root_of(version) == Path("/"))


def test_a_missing_version_says_why(monkeypatch: pytest.MonkeyPatch):
    """One sentence, no error."""
    monkeypatch.setattr(real, "redmine_root", lambda _: None)
    real.available.cache_clear()
    assert "is not installed" in real.available("6.0") or os.name == "nt"
    real.available.cache_clear()


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────


def test_requests_are_counted_by_the_server(redmine: Server):
    """Those of the product, without those of the test's own deeds."""
    key = {"X-Redmine-API-Key": redmine.keys["bot"]}
    with requests.Session() as session:
        session.get(
            f"{redmine.url}/issues.json", params={"limit": "1", "subject": "~規程"}, headers=key, timeout=30
        )
        redmine.new_issue("試験の手")
        session.get(f"{redmine.url}/nothing.json", headers=key, timeout=30)

    seen = redmine.requests_seen()

    assert [one.method for one in seen] == ["GET", "GET"]
    assert urllib.parse.unquote(seen[0].path) == "/issues.json?limit=1&subject=~規程"
    assert seen[1].path == "/nothing.json"


# ── the installation and people ───────────────────────────────────────────────────────────────────────


def test_rest_goes_off_and_on(redmine: Server):
    """At once, although Redmine keeps settings in memory."""
    for _ in range(3):
        redmine.rest(on=False)
        assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 403
        redmine.rest(on=True)
        assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 200


def test_attachments_can_be_limited(redmine: Server):
    """In KiB."""
    redmine.attachment_max_size(1)
    issue = redmine.new_issue("添付")
    redmine.attach(issue, "小.txt", b"x" * 1000)
    with pytest.raises(RedmineError, match="422"):
        redmine.attach(issue, "大.txt", b"x" * 2000)


def test_a_locked_person_is_refused_until_unlocked(redmine: Server):
    """By the key."""
    redmine.lock_user("bot")
    assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 401
    redmine.unlock_user("bot")
    assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 200


def test_keys_can_be_replaced_and_revoked(redmine: Server):
    """The old key is worth nothing, and a revoked one can be given anew."""
    old = {"X-Redmine-API-Key": redmine.keys["bot"]}
    redmine.replace_key("bot", "1" * 40)
    assert requests.get(f"{redmine.url}/users/current.json", headers=old, timeout=30).status_code == 401
    assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 200
    redmine.revoke_key("bot")
    assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 401
    redmine.replace_key("bot", "2" * 40)
    assert redmine.ask("GET", "/users/current.json", by="bot")[0] == 200


def test_a_person_can_leave_the_project(redmine: Server):
    """And then sees nothing of it."""
    redmine.leave_project("bot")
    assert redmine.ask("GET", "/projects/tics.json", by="bot")[0] == 403


# ── workflow ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_duty_ends_step_by_step(redmine: Server):
    """新規→進行中→解決→終了 and back to 進行中; Redmine ignores a jump without a word."""
    issue = redmine.new_issue("年次点検", tracker_id=redmine.ids["trackers"]["duty"])
    reached = [
        go(redmine, issue, word, by="bot") for word in ("closed", "in_progress", "resolved", "closed", "new")
    ]
    assert reached == ["new", "in_progress", "resolved", "closed", "closed"]
    assert go(redmine, issue, "in_progress", by="bot") == "in_progress"


def test_the_operator_may_not_close(redmine: Server):
    """Of any tracker; the developer may."""
    issue = redmine.new_issue("点検")
    assert go(redmine, issue, "resolved", by="operator") == "resolved"
    assert go(redmine, issue, "closed", by="operator") == "resolved"
    assert go(redmine, issue, "closed", by="worker") == "closed"


def test_a_transition_can_be_forbidden_and_allowed(redmine: Server):
    """For one role."""
    issue = redmine.new_issue("点検", tracker_id=redmine.ids["trackers"]["feature"])
    redmine.forbid_transition("developer", "feature", "new", "closed")
    assert go(redmine, issue, "closed", by="worker") == "new"
    redmine.allow_transition("developer", "feature", "new", "closed")
    assert go(redmine, issue, "closed", by="worker") == "closed"


def test_a_field_can_be_required_or_read_only_in_a_status(redmine: Server):
    """Read-only is ignored without a word, required is refused."""
    issue = redmine.new_issue("点検", tracker_id=redmine.ids["trackers"]["feature"])
    redmine.field_rule("developer", "feature", "new", "due_date", "readonly")
    redmine.edit_issue(issue, due_date="2027-01-31")
    assert redmine.issue(issue)["due_date"] is None
    redmine.field_rule("developer", "feature", "new", "due_date", "required")
    with pytest.raises(RedmineError, match="422"):
        redmine.edit_issue(issue, subject="期日なし")
    redmine.field_rule("developer", "feature", "new", "due_date", None)
    redmine.edit_issue(issue, due_date="2027-01-31")
    assert redmine.issue(issue)["due_date"] == "2027-01-31"


def test_a_status_can_be_deleted_unless_it_is_used(redmine: Server):
    """As in Redmine's page."""
    redmine.delete_status("rejected")
    known = [one["id"] for one in redmine.call("GET", "/issue_statuses.json", by="bot")["issue_statuses"]]
    assert redmine.ids["statuses"]["rejected"] not in known
    with pytest.raises(RedmineError, match="refused to delete"):
        redmine.delete_status("new")


# ── projects ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_project_can_be_archived_closed_and_renamed(redmine: Server):
    """An archived one is hidden, a closed one can only be read; both come back."""
    issue = redmine.new_issue("点検")
    redmine.archive_project()
    assert redmine.ask("GET", f"/issues/{issue}.json", by="bot")[0] == 403
    redmine.unarchive_project()
    redmine.close_project()
    assert redmine.ask("GET", f"/issues/{issue}.json", by="bot")[0] == 200
    assert redmine.ask("PUT", f"/issues/{issue}.json", {"issue": {"notes": "x"}}, by="bot")[0] == 403
    redmine.reopen_project()
    redmine.note(issue, "再開", by="bot")
    redmine.rename_project("㈱髙﨑㊙")
    assert redmine.call("GET", "/projects/tics.json", by="bot")["project"]["name"] == "㈱髙﨑㊙"


# ── issues ────────────────────────────────────────────────────────────────────────────────────────────


def test_issues_can_be_hidden_moved_and_deleted(redmine: Server):
    """A private one is hidden from those who are neither its author nor its assignee."""
    hidden, moved, deleted = (redmine.new_issue(text) for text in ("非公開", "移動", "削除"))
    assert count(redmine, by="bot") == 3
    redmine.hide_issue(hidden)
    redmine.move_issue(moved, "other")
    redmine.delete_issue(deleted)
    codes = [redmine.ask("GET", f"/issues/{one}.json", by="bot")[0] for one in (hidden, moved, deleted)]
    assert codes == [403, 403, 404]
    assert count(redmine, by="bot") == 0
    assert count(redmine, by="worker") == 1


def test_people_write_notes_and_add_files(redmine: Server):
    """In their name; a private note is shown to those who may see it only; names of files are kept."""
    issue = redmine.new_issue("点検")
    redmine.note(issue, "公開のメモ")
    redmine.note(issue, "内輪のメモ", private=True)
    kept = redmine.attach(issue, "髙﨑㈱㊙ 1.pdf", b"%PDF-1", by="confirmer", note="写しです")
    seen = {by: [one["notes"] for one in redmine.issue(issue, by=by)["journals"]] for by in ("worker", "bot")}
    assert seen == {"worker": ["公開のメモ", "内輪のメモ", "写しです"], "bot": ["公開のメモ", "写しです"]}
    (file,) = redmine.issue(issue)["attachments"]
    assert (file["id"], file["filename"], file["author"]["name"]) == (kept, "髙﨑㈱㊙ 1.pdf", "高崎 健")
    redmine.delete_attachment(kept)
    assert redmine.issue(issue)["attachments"] == []


# ── custom fields ─────────────────────────────────────────────────────────────────────────────────────


def test_the_marker_field_can_be_taken_away_step_by_step(redmine: Server):
    """No filter: the search ignores it and finds all. Not of the tracker: no value. Deleted: gone for good."""
    tracker = redmine.ids["trackers"]["feature"]
    ours = redmine.new_issue("印あり", tracker_id=tracker, custom_fields=marked(redmine, "acme:1"))
    redmine.new_issue("印なし", tracker_id=tracker)
    query = f"&cf_{redmine.ids['custom_fields']['marker']}=acme:1"
    assert count(redmine, by="bot", query=query) == 1

    redmine.filter_by_field("marker", on=False)
    assert count(redmine, by="bot", query=query) == 2
    redmine.filter_by_field("marker", on=True)
    assert count(redmine, by="bot", query=query) == 1

    redmine.take_field_from_tracker("marker", "feature")
    with pytest.raises(KeyError):
        value(redmine, ours, "marker")

    redmine.delete_field("marker")
    assert redmine.sql("SELECT count(*) FROM custom_values WHERE value = 'acme:1'") == [(0,)]


def test_a_required_field_stops_new_issues(redmine: Server):
    """Until it is given."""
    number = redmine.add_required_field("稟議番号")
    with pytest.raises(RedmineError, match="422"):
        redmine.new_issue("点検", by="bot")
    assert redmine.new_issue("点検", by="bot", custom_fields=[{"id": number, "value": "R-1"}])


# ── the proxy ─────────────────────────────────────────────────────────────────────────────────────────


def post(proxy: Proxy, server: Server, subject: str) -> requests.Response:
    """The bot makes an issue, without following redirects."""
    sent = {"issue": {"project_id": "tics", "subject": subject}}
    headers = {"X-Redmine-API-Key": server.keys["bot"]}
    return requests.post(
        f"{proxy.url}/issues.json", json=sent, headers=headers, timeout=30, allow_redirects=False
    )


@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_answer_was_carried_out_and_a_refused_request_was_not(redmine: Server, reset: bool):
    """With an orderly end of the connection, and with RST."""
    with Proxy(redmine.url) as proxy:
        proxy.fault(0, "lose", reset=reset)
        proxy.fault(1, "refuse", reset=reset)
        for subject in ("届いた", "届かない"):
            with pytest.raises(requests.ConnectionError):
                post(proxy, redmine, subject)
        assert post(proxy, redmine, "届いて返る").status_code == 201
        assert [(one.status, one.carried, one.fault) for one in proxy.seen] == [
            (0, 201, "lose"), (0, 0, "refuse"), (201, 201, ""),
        ]  # fmt: skip
    found = redmine.call("GET", "/issues.json?sort=id")["issues"]
    assert [one["subject"] for one in found] == ["届いた", "届いて返る"]
    assert len(redmine.requests_seen()) == 2


@pytest.mark.parametrize("code", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("given", "told"),
    [(None, None), (7, "7"), (datetime(2027, 1, 1, tzinfo=timezone.utc), "Fri, 01 Jan 2027 00:00:00 GMT")],
)
def test_a_busy_answer_is_made_up(redmine: Server, code: int, given: int | datetime | None, told: str | None):
    """With Retry-After in seconds, as a date, or without."""
    with Proxy(redmine.url) as proxy:
        proxy.fault(lambda one: one.method == "POST", "busy", status=code, retry_after=given)
        answer = post(proxy, redmine, "混雑")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (code, told)
    assert redmine.requests_seen() == []


def test_pages_cuts_and_waits(redmine: Server):
    """HTML with 200, the way to a login page, a body that ends in the middle, an answer that is held back."""
    with Proxy(redmine.url) as proxy:
        proxy.fault(0, "html", carry=True)
        proxy.fault(1, "login", location="/login?back_url=x")
        proxy.fault(2, "cut")
        release = threading.Event()
        proxy.fault(3, "hold", until=release, carry=True)
        assert "メンテナンス中" in post(proxy, redmine, "実は済んだ").text
        assert post(proxy, redmine, "入れない").headers["Location"] == "/login?back_url=x"
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            post(proxy, redmine, "途中で切れる")
        answers: list[int] = []
        waiting = threading.Thread(
            target=lambda: answers.append(post(proxy, redmine, "待たされる").status_code)
        )
        waiting.start()
        release.set()
        waiting.join()
        assert answers == [201]
        assert [one.carried for one in proxy.seen] == [201, 0, 201, 201]


def test_hundreds_of_faults_leave_a_working_proxy(redmine: Server):
    """A client that keeps its connection gets every fault, and what follows it is right again."""
    kinds: tuple[Kind, ...] = ("lose", "refuse", "busy", "html", "login", "cut")
    with Proxy(redmine.url) as proxy, requests.Session() as session:
        for number in range(240):
            proxy.fault(number * 2, kinds[number % len(kinds)], reset=number % 2 == 0, keep=10)
            with contextlib.suppress(requests.RequestException):
                session.get(f"{proxy.url}/images/add.png", timeout=30, allow_redirects=False)
            assert session.get(f"{proxy.url}/images/add.png", timeout=30).content.startswith(b"\x89PNG")
        assert len(proxy.seen) == 480
        proxy.clear()
        assert proxy.seen == []


def test_uploads_in_pieces_and_bare_answers_pass(redmine: Server):
    """A body of unknown length, 204 without a body, HEAD, addresses as the client knows the server."""
    key = {"X-Redmine-API-Key": redmine.keys["worker"]}
    with Proxy(redmine.url) as proxy, requests.Session() as session:
        session.headers.update(key)
        issue = redmine.new_issue("点検")
        pieces = iter([b"ab", b"c" * 70_000])
        kind = {"Content-Type": "application/octet-stream"}
        sent = session.post(f"{proxy.url}/uploads.json?filename=a.txt", data=pieces, headers=kind, timeout=30)
        token = sent.json()["upload"]["token"]
        changed = {"issue": {"uploads": [{"token": token, "filename": "a.txt"}]}}
        assert session.put(f"{proxy.url}/issues/{issue}.json", json=changed, timeout=30).status_code == 204
        assert session.head(f"{proxy.url}/images/add.png", timeout=30).status_code == 200
        (file,) = session.get(f"{proxy.url}/issues/{issue}.json?include=attachments", timeout=30).json()[
            "issue"
        ]["attachments"]
        assert file["filesize"] == 70_002
        assert file["content_url"].startswith(proxy.url)
        assert session.get(file["content_url"], timeout=30).content == b"ab" + b"c" * 70_000


def test_a_server_that_is_away_is_a_bad_gateway():
    """The proxy itself goes on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Proxy(f"http://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            codes = [requests.get(f"{proxy.url}/x", timeout=30).status_code for _ in range(2)]
    assert codes == [502, 502]
