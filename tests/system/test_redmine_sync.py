"""What `ticssync` does with a real Redmine, from the command line down to the issues: counted at the server.

The driver calls a cursor final after 15 quiet seconds, a key is proven four times an hour, and everything is read
once a day.  The command line takes no clock; where time must go by, the command runs in this process with another
clock in the place of the machine's.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from benchmarks.engine import Engine
from plugins.redmine.tests.site import RedmineSite, table

from tests.faults.table import ALL
from tests.servers.proxy import Proxy
from tests.servers.redmine import Request, Server, next_second
from tests.servers.redmine_company import NAME
from tests.servers.redmine_fixtures import Ready
from tests.servers.redmine_office import CONFIRMER, Moment, Office, found_office, notes
from tests.system.company import ITEMS
from ticssync.model.evidence import Evidence
from ticssync.plugin import PreSend
from ticssync.store.evidence import evidence_of
from ticssync.store.locker import Locker
from ticssync.testing.opening import opening
from ticssync_redmine.settings import RedmineSettings
from ticssync_redmine.tracker import open_redmine

pytest_plugins = ["tests.servers.redmine_fixtures"]

WHOAMI = "/users/current.json"
LISTING = "/projects/tics/issues.json"
DAY = 25 * 3600
CONFIRM_WHEN = 'confirm_when: {{status: "{closed}"}}\n'
SMALL = ("T-14", "T-20", "T-43", "T-44")
OWN_WORDS = (
    "本社の金庫室 ㊙ 〜 か\u3099 👍\r\n\r\n  * 1本目の鍵は佐藤\r\n\r\n*太字* {{collapse(x)\r\ny\r\n}}\r\n"
)


@pytest.fixture(scope="session")
def kept(
    redmine_ready: Ready, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Moment, Moment, Moment]]:
    """Before the first sync; all 46 synced and quiet; four synced and quiet."""
    server = redmine_ready("5.0")
    root = tmp_path_factory.mktemp("office")
    with Proxy(server.url) as proxy:
        office = found_office(root / "会社", server, proxy)
        new = Moment(office, root / "new")
        for _ in range(2):
            office.sync()
        all_ = Moment(office, root / "all")
        office = new.back()
        office.route(*SMALL)
        office.map_more(CONFIRM_WHEN.format(closed=server.ids["statuses"]["closed"]))
        for _ in range(2):
            office.sync()
        yield new, all_, Moment(office, root / "small")


@pytest.fixture
def new(redmine: Server, kept: tuple[Moment, Moment, Moment]) -> Office:
    """Nothing synced yet."""
    return kept[0].back()


@pytest.fixture
def full(redmine: Server, kept: tuple[Moment, Moment, Moment]) -> Office:
    """46 issues, and nothing left to do."""
    return kept[1].back()


@pytest.fixture
def small(redmine: Server, kept: tuple[Moment, Moment, Moment]) -> Office:
    """Four issues, nothing left to do; what the confirmer closes counts as confirmed."""
    return kept[2].back()


class Counted:
    """The requests that reached the server since this was made."""

    def __init__(self, server: Server) -> None:
        self.server, self.before = server, len(server.requests_seen())

    @property
    def all(self) -> list[Request]:
        return self.server.requests_seen()[self.before :]

    def of(self, method: str, path: str = "") -> int:
        return sum(1 for one in self.all if one.method == method and one.path.startswith(path))

    @property
    def writes(self) -> int:
        return sum(1 for one in self.all if one.method != "GET")


def synced(office: Office, *words: str, after: float = 60) -> dict[str, Any]:
    """`ticssync sync --json` a minute later: what it reports."""
    office.later(after)
    ran = office.cli("sync", *words, "--json")
    found: dict[str, Any] = ran.json["trackers"][NAME]
    assert found["state"] == "ok", found
    next_second()
    return found


def quiet(office: Office) -> bool:
    """The next pass writes nothing, neither there nor here."""
    counted, events = Counted(office.server), len(office.events())
    found = synced(office)
    return (counted.writes, found["actions"], len(office.events())) == (0, [], events)


def state(office: Office, item: str) -> str:
    """The criterion's state in Japanese, as `status` shows it."""
    found = office.cli("status", "--json", lang="ja").json["criteria"]
    return str(next(one["state_label"] for one in found if one["id"] == item))


def evidence(office: Office, item: str = "") -> list[Evidence]:
    with office.open() as workspace, workspace.store.read() as tx:
        return [one for one in evidence_of(tx) if item in ("", one.criterion.partition("/")[2])]


def closes(office: Office, item: str, *, by: str = "worker", **fields: Any) -> None:
    office.person({item: {"status_id": office.status("closed"), **fields}}, by=by)


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────


def foreign(server: Server, count: int, *, updated_on: str) -> None:
    """So many issues of other people, straight into the database."""
    ids, values = server.ids, (server.ids["users"]["worker"], count, updated_on)
    server.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
        " INSERT INTO issues (tracker_id, project_id, subject, description, status_id, author_id, priority_id,"
        " lock_version, done_ratio, is_private, lft, rgt, created_on, updated_on)"
        f" SELECT {ids['trackers']['bug']}, {ids['projects']['tics']}, '別の仕事 ' || i, 'x', {ids['statuses']['new']}, ?1,"
        f" {ids['priorities']['normal']}, 0, 0, 0, 1, 2, ?3, ?3 FROM n",
        *values,
    )
    server.sql("UPDATE issues SET root_id = id WHERE root_id IS NULL")


def test_a_first_sync_asks_who_we_are_lists_once_and_makes_each_issue_in_one_request(new: Office) -> None:
    counted = Counted(new.server)
    ran = new.process("sync", "--json")

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["trackers"][NAME]["created"] == ITEMS
    assert (counted.of("GET", WHOAMI), counted.of("GET", LISTING), counted.of("POST", "/issues.json")) == (
        1,
        1,
        ITEMS,
    )
    assert len(counted.all) == ITEMS + 2
    assert len(set(new.markers())) == len(new.issues()) == ITEMS


def test_an_idle_sync_asks_redmine_once_at_50_issues(full: Office) -> None:
    """As a user runs it, in a process of its own; four of the issues are other people's."""
    foreign(full.server, 4, updated_on=full.server.stamp())
    for _ in range(2):
        counted = Counted(full.server)
        ran = full.process("sync", "--json")
        assert (ran.returncode, [one.path.partition("?")[0] for one in counted.all]) == (0, [LISTING]), (
            ran.stderr
        )


def test_an_idle_sync_asks_redmine_once_at_1000_issues(full: Office) -> None:
    """The daily look at everything takes ten pages and one question more; every other pass takes one request."""
    foreign(full.server, 954, updated_on="2026-01-05 09:00:00")
    counted = Counted(full.server)
    assert full.process("sync").returncode == 0
    assert len(counted.all) == 1
    counted = Counted(full.server)
    synced(full, after=DAY)
    assert (counted.of("GET", LISTING), counted.of("GET", WHOAMI), len(counted.all)) == (11, 1, 12)
    for _ in range(3):
        counted = Counted(full.server)
        assert synced(full, after=20)["unchanged"] == ITEMS
        assert len(counted.all) == 1


@pytest.mark.parametrize(("every_s", "passes"), [(300, 12), *([(101, 36)] if ALL else [])])
def test_who_we_are_is_asked_at_most_four_times_an_hour(small: Office, every_s: int, passes: int) -> None:
    counted = Counted(small.server)
    for _ in range(passes):
        synced(small, after=every_s)

    assert counted.of("GET", WHOAMI) <= 4
    assert len(counted.all) == passes + counted.of("GET", WHOAMI)


def test_more_markers_than_fit_into_redmines_session_cookie_are_looked_for_and_found(
    any_redmine: Server,
) -> None:
    """Redmine keeps the filters of a listing in its session cookie, and 5.0 and 6.0 fail inside where they are too
    long for it: a first sync of 46 that was cut off could never be gone on with."""
    site = RedmineSite(any_redmine)
    markers = [f"ticssync.9ui1vc7sgz.tics.T-{number:03}.0.0.g1.i3vace" for number in range(200)]
    place = any_redmine.ids["custom_fields"]["marker"]
    made = any_redmine.new_issue("x", tracker_id=2, custom_fields=[{"id": place, "value": markers[137]}])
    driver = site.open()
    found = driver.find_by_marker(markers, PreSend()).hits
    driver.close()

    assert {marker: [one.ref.id for one in tasks] for marker, tasks in found.items()} == {
        markers[137]: [str(made)]
    }


@pytest.mark.slow
def test_200_creates_take_202_requests_and_updates_one_each_and_one_in_a_hundred_to_read_them(
    redmine: Server, tmp_path: Path
) -> None:
    settings = RedmineSettings(url=redmine.url, project="tics", api_key=redmine.keys["bot"])  # type: ignore[arg-type]
    mapped = table(redmine)

    def opened(memory: Any) -> Any:
        return open_redmine(opening(NAME, settings=settings, table=mapped, root=tmp_path, memory=memory))

    engine = Engine.made(tmp_path, NAME, 200, opened, dict(mapped.statuses))
    counted = Counted(redmine)
    report = engine.cycle()
    assert (report.state, counted.of("POST"), len(counted.all)) == ("ok", 200, 202)
    engine.cycle()

    before = engine.wants()
    engine.revision = 1
    changed = 101
    wants = {**before, **dict(list(engine.wants().items())[:changed])}
    counted = Counted(redmine)
    report = engine.cycle(wants)
    reads = len(counted.all) - counted.of("GET", LISTING) - counted.of("GET", WHOAMI) - changed
    assert (report.state, counted.of("PUT"), reads) == ("ok", changed, 2)
    engine.store.close()


def test_a_status_over_two_moves_is_two_writes_each_read_back(small: Office) -> None:
    """A way costs one look at what may be set now, and each move is read back; what follows is learned once a day."""
    small.server.forbid_transition("ticssync", "feature", "new", "rejected")
    small.person({"T-14": {"status_id": small.status("in_progress")}})
    synced(small)
    for item in ("T-20", "T-44"):
        assert small.cli("exclude", item, "--by", CONFIRMER, "--reason", "該当なし").code == 0
        counted = Counted(small.server)
        synced(small)
        number = small.number(item)
        mine = [
            one.method
            for one in counted.all
            if f"/{number}.json" in one.path or f"issue_id={number}&" in one.path
        ]
        assert mine[-5:] == ["GET", "PUT", "GET", "PUT", "GET"]
        assert len(mine) <= 6
        assert not [one for one in counted.all if "sort=id%3Adesc" in one.path]
        assert small.issue(item)["status"]["id"] == small.status("rejected")

    synced(small)
    assert quiet(small)


def test_what_we_write_is_looked_at_once_more_for_what_people_wrote_meanwhile(small: Office) -> None:
    """U updates take U requests and one to read them; the pass after it shows each of them once, and then it is quiet."""
    small.edit_mapping("days: 90", "days: 30")
    counts = []
    for _ in range(3):
        counted = Counted(small.server)
        synced(small)
        counts.append(
            (
                counted.of("PUT"),
                counted.of("GET", "/issues/"),
                counted.of("GET", "/issues.json"),
                counted.of("GET", LISTING),
            )
        )

    assert [one[0] for one in counts] == [len(SMALL), 0, 0]
    assert counts[0][1:3] in ((0, 1), (0, 2))
    assert [one[1:] for one in counts[1:]] == [(len(SMALL), 0, 1), (0, 0, 1)]


# ── a person's work, in Redmine's own pages ───────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_what_a_person_does_in_redmines_own_pages_is_there_with_the_next_sync(
    small: Office, tmp_path: Path
) -> None:
    """A status and a note first: a note proves nothing by itself, so it is 証跡不足; with a file it is 確認待ち."""
    plan = tmp_path / "事故の報告ルール ㊙.pdf"
    plan.write_bytes(b"%PDF-1.4 rules")
    with pages(small) as page:
        edit(page, small, "T-43", note="決めました 👍 髙﨑", status=small.status("closed"))
        synced(small)
        first = (state(small, "T-43"), small.binding("T-43").status, [one.kind for one in evidence(small)])
        edit(page, small, "T-43", file=plan)
    found = synced(small)

    assert first == ("証跡不足", "done", ["note"])
    assert state(small, "T-43") == "確認待ち"
    assert [one["action"] for one in found["actions"]] == ["attach"]
    note, file = evidence(small, "T-43")
    assert (file.name, file.sha256) == (plan.name, hashlib.sha256(plan.read_bytes()).hexdigest())
    locker = Locker(small.office / "locker")
    assert locker.path(file.sha256).read_bytes() == plan.read_bytes()
    assert "決めました 👍 髙﨑" in locker.path(note.sha256).read_text("utf-8")
    assert (note.handed_in_by, file.handed_in_by) == ("tanaka", "tanaka")
    assert quiet(small)


@contextmanager
def pages(office: Office) -> Iterator[Any]:
    """Chromium, with the worker logged in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(locale="ja-JP")
        page.goto(f"{office.server.url}/login")
        page.fill("#username", "worker")
        page.fill("#password", office.server.password)
        page.click("#login-submit")
        page.wait_for_load_state()
        yield page
        browser.close()


def edit(
    page: Any,
    office: Office,
    item: str,
    *,
    note: str = "",
    status: int | None = None,
    file: Path | None = None,
) -> None:
    """The page 編集 of an issue, filled in and sent."""
    page.goto(f"{office.server.url}/issues/{office.number(item)}/edit")
    if status is not None:
        # Redmine loads the form anew for another status.
        with page.expect_response(lambda answer: "/edit.js" in answer.url or ".js" in answer.url):
            page.select_option("#issue_status_id", str(status))
        page.wait_for_load_state("networkidle")
    if note:
        page.fill("#issue_notes", note)
    if file is not None:
        page.set_input_files("#issue-form input[type=file]", str(file))
        page.wait_for_selector("#issue-form input[name^='attachments'][name$='[token]']", state="attached")
    page.locator("#issue-form input[type=submit][name=commit]").click()
    page.wait_for_selector("#flash_notice")


def test_a_return_reaches_the_issue_with_its_reason_and_the_status_of_the_mapping(small: Office) -> None:
    closes(small, "T-43")
    small.server.attach(small.number("T-43"), "報告ルール.pdf", b"%PDF-1.4 rules")
    synced(small)
    reason = "連絡先の電話番号が抜けています（髙﨑 ㊙）"
    assert small.cli("return", "T-43", "--by", CONFIRMER, "--reason", reason).code == 0
    counted = Counted(small.server)
    synced(small)

    issue = small.issue("T-43")
    assert issue["status"]["id"] == small.status("in_progress")
    assert [reason in note for note in notes(issue)] == [True]
    assert counted.of("PUT") == 1
    assert state(small, "T-43") == "差戻し"
    assert quiet(small)
    assert len(evidence(small, "T-43")) == 1


# ── the confirmer's own account ───────────────────────────────────────────────────────────────────────


def test_what_the_confirmer_closes_with_their_own_account_is_confirmed_and_the_journal_proves_it(
    small: Office,
) -> None:
    small.person({"T-43": {"status_id": small.status("resolved")}})
    small.server.attach(small.number("T-43"), "報告ルール.pdf", b"%PDF-1.4 rules")
    synced(small)
    before = state(small, "T-43")
    closes(small, "T-43", by="confirmer")
    synced(small)

    (act,) = small.events("act.recorded")
    journal = next(
        one for one in small.issue("T-43")["journals"] if one["user"]["id"] == 7 and one["details"]
    )
    proof = json.loads(Locker(small.office / "locker").path(act.data["proof"]).read_text("utf-8"))
    assert (before, state(small, "T-43")) == ("対応中", "確認済")
    assert (act.data["person"], act.data["kind"], act.data["on_behalf"]) == (CONFIRMER, "confirm", False)
    assert (proof["entry"]["id"], proof["entry"]["new"]) == (str(journal["id"]), str(small.status("closed")))
    assert proof["entry"]["author"] == str(small.server.ids["users"]["confirmer"])
    assert quiet(small)


def test_on_redmine_6_1_it_goes_the_same_way(redmine_61: Server, tmp_path: Path) -> None:
    """Made, done by a person, confirmed by the confirmer, returned, adopted, and quiet in one request."""
    with Proxy(redmine_61.url) as proxy:
        more = CONFIRM_WHEN.format(closed=redmine_61.ids["statuses"]["closed"])
        office = found_office(tmp_path / "会社", redmine_61, proxy, items=SMALL, more=more)
        number = redmine_61.new_issue("教育", description=OWN_WORDS)
        assert office.cli("task", "adopt", "T-14", f"#{number}").code == 0
        assert synced(office)["created"] == len(SMALL) - 1
        closes(office, "T-43", notes="決めました 👍")
        redmine_61.attach(office.number("T-43"), "報告ルール.pdf", b"%PDF-1.4 rules")
        synced(office)
        waits = state(office, "T-43")
        office.person({"T-43": {"status_id": office.status("resolved")}}, by="confirmer")
        closes(office, "T-43", by="confirmer")
        synced(office)
        confirmed = state(office, "T-43")
        assert office.cli("return", "T-43", "--by", CONFIRMER, "--reason", "番号が古い").code == 0
        synced(office)
        issue = office.issue("T-43")
        synced(office)

        assert (waits, confirmed, state(office, "T-43")) == ("確認待ち", "確認済", "差戻し")
        assert (issue["status"]["id"], "番号が古い" in notes(issue)[-1]) == (
            office.status("in_progress"),
            True,
        )
        assert redmine_61.issue(number)["description"].startswith(OWN_WORDS.rstrip())
        assert quiet(office)
        counted = Counted(redmine_61)
        found = synced(office)
        assert len(counted.all) == 1, found


def test_what_somebody_else_closes_is_no_confirmation_and_it_is_said_why(small: Office) -> None:
    small.server.attach(small.number("T-43"), "報告ルール.pdf", b"%PDF-1.4 rules")
    closes(small, "T-43")
    found = synced(small)

    assert small.events("act.recorded") == []
    assert state(small, "T-43") == "確認待ち"
    assert [one["id"] for one in found["notices"]] == ["confirmation_not_taken"]


# ── fields ────────────────────────────────────────────────────────────────────────────────────────────


def test_assignee_dates_priority_and_category_go_out_and_come_back(small: Office) -> None:
    """What is ours is written and put back; what people decide is taken in and stays."""
    small.edit_mapping("  due: due_date", "  start: start_date\n  due: due_date")
    synced(small)
    ids, made = small.server.ids, small.issue("T-14")
    assert (made["assigned_to"]["id"], made["priority"]["id"]) == (
        ids["users"]["worker"],
        ids["priorities"]["normal"],
    )
    assert (made["category"]["id"], made["start_date"]) == (ids["categories"]["people"], None)
    mine = {"assigned_to_id": ids["users"]["confirmer"], "priority_id": ids["priorities"]["high"]}
    ours = {"due_date": "2030-01-31", "category_id": ids["categories"]["physical"]}
    small.person({"T-14": {**mine, **ours, "start_date": "2026-11-02"}})
    found = synced(small)

    taken = {
        name: change["to"]
        for one in found["actions"]
        if one["direction"] == "in"
        for name, change in one["fields"].items()
    }
    after = small.issue("T-14")
    assert (after["assigned_to"]["id"], after["priority"]["id"]) == tuple(mine.values())
    assert (taken["assignee"], taken["priority"], taken["start"]) == (CONFIRMER, "high", "2026-11-02")
    assert (after["due_date"], after["category"]["id"]) == (made["due_date"], ids["categories"]["people"])
    assert after["start_date"] == "2026-11-02"
    assert sorted(one.data["field"] for one in small.events("task.overwritten")) == ["chapter", "due"]
    small.edit_mapping("days: 90", "days: 30")
    synced(small)
    assert small.issue("T-14")["due_date"] < made["due_date"]
    assert quiet(small)


# ── notes and files ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("private", [False, True])
def test_private_notes_are_taken_only_where_the_mapping_says_so(small: Office, private: bool) -> None:
    """Also where our account may see them."""
    small.new_key(small.server.keys["operator"])
    if private:
        small.edit_mapping("private_notes: false", "private_notes: true")
    small.server.note(small.number("T-44"), "社外秘の覚え", by="admin", private=True)
    small.server.note(small.number("T-44"), "みんなに見える覚え")
    synced(small)
    locker = Locker(small.office / "locker")
    texts = [locker.path(one.sha256).read_text("utf-8") for one in evidence(small, "T-44")]

    assert len(texts) == 1 + private
    assert any("社外秘の覚え" in text for text in texts) is private


def test_our_own_notes_and_files_are_no_evidence(small: Office) -> None:
    form = small.root / "様式1.docx"
    form.write_bytes(b"PK form")
    assert small.cli("task", "attach", "T-44", str(form), "--note", "記入してください").code == 0
    counted = Counted(small.server)
    for _ in range(3):
        synced(small)

    issue = small.issue("T-44")
    assert (counted.of("PUT"), len(notes(issue)), len(issue["attachments"])) == (1, 1, 1)
    assert evidence(small) == []
    assert small.events("evidence.added") == []


def test_a_file_that_is_deleted_there_is_noticed_by_the_daily_look_and_stays_in_the_locker(
    small: Office,
) -> None:
    """Redmine is made to forget it without a trace in the issue: only a look at everything can tell."""
    file = small.server.attach(small.number("T-43"), "報告ルール.pdf", b"%PDF-1.4 rules")
    for _ in range(2):
        # The second look puts the issue behind the cursor: no listing shows it before the daily one.
        synced(small)
    small.server.sql("DELETE FROM attachments WHERE id = ?", file)
    soon = synced(small, after=120)["notices"]
    found = synced(small, after=DAY)["notices"]

    (piece,) = evidence(small, "T-43")
    assert (soon, [one["id"] for one in found]) == ([], ["file_gone"])
    assert "報告ルール.pdf" in found[0]["message"]
    assert Locker(small.office / "locker").path(piece.sha256).read_bytes() == b"%PDF-1.4 rules"


# ── adoption, pilot, plan ─────────────────────────────────────────────────────────────────────────────


def test_an_issue_that_people_made_is_adopted_without_a_write_and_their_text_stays_byte_for_byte(
    new: Office,
) -> None:
    new.route(*SMALL)
    server = new.server
    number = server.new_issue(
        "鍵の管理", description=OWN_WORDS, assigned_to_id=server.ids["users"]["confirmer"]
    )
    before = server.issue(number)
    counted = Counted(server)
    adopted = new.cli("task", "adopt", "T-20", f"#{number}", "--json")

    assert (adopted.code, counted.writes, server.issue(number)) == (0, 0, before)
    assert "title" in adopted.json["fields"]
    found = synced(new)
    after = server.issue(number)
    assert (found["created"], len(new.issues())) == (len(SMALL) - 1, len(SMALL))
    assert after["description"].startswith(before["description"])
    assert "ticssync が書きます" in after["description"]
    assert after["assigned_to"]["id"] == server.ids["users"]["confirmer"]
    assert sum(1 for one in new.markers() if ".T-20." in one) == 1
    assert new.number("T-20") == number
    assert quiet(new)
    server.edit_issue(number, description=after["description"] + "\r\n追記 髙﨑")
    synced(new)
    assert quiet(new)
    assert server.issue(number)["description"] == after["description"] + "\r\n追記 髙﨑"


def test_a_pilot_touches_what_it_names_and_the_rest_follows_later(new: Office) -> None:
    new.route(*SMALL)
    found = synced(new, "--only", "T-14,T-20")
    pilot = [one["subject"].partition(" ")[0] for one in new.issues()]
    again = synced(new, "--only", "T-14,T-20")
    rest = synced(new)

    assert (found["created"], pilot, again["created"], rest["created"]) == (2, ["T-14", "T-20"], 0, 2)
    assert len(set(new.markers())) == len(SMALL)


def test_plan_tells_how_many_mails_redmine_may_send_and_writes_nothing(new: Office) -> None:
    counted = Counted(new.server)
    numbers = [
        new.cli("plan", *words, "--json").json["trackers"][NAME]["notifications"]
        for words in ((), ("--only", "T-14,T-20"))
    ]
    said = new.cli("plan", lang="ja").out

    assert (numbers, counted.writes) == ([ITEMS, 2], 0)
    assert "46" in next(line for line in said.splitlines() if "メール" in line or "通知" in line)
