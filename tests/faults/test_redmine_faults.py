"""A sync into a real Redmine, broken at every request, commit and moment: one issue per criterion, no edit lost.

Two passes are broken: a first one, and a later one with everything in it that the engine sends (a status over two
moves with its reason, a note, a file, new texts) and takes in (a person's status, note and file).  `make test` tries
a part of the points, spread evenly; `make faults` (TICSSYNC_FAULTS=all) tries them all, and what was found goes into
its table (tests/faults/table.py).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.deaths import Death, Points
from tests.faults.table import ALL, PASSES, SLACK, Harm, Tally, some
from tests.servers.proxy import Proxy, Seen
from tests.servers.redmine import Server
from tests.servers.redmine_company import NAME
from tests.servers.redmine_office import CONFIRMER, Moment, Office, found_office, notes
from tests.system.company import ITEMS, outgoing
from ticssync.app.sync_once import SyncOrder, sync
from ticssync.model.binding import Binding
from ticssync.model.canonical import parse_instant
from ticssync.store.bindings import bindings
from ticssync.store.evidence import evidence_of
from ticssync.store.working import conflicts, intents, not_before, refusals
from ticssync_redmine.client import Client
from ticssync_redmine.writing import Writing

pytest_plugins = ["tests.servers.redmine_fixtures"]
pytestmark = pytest.mark.slow

DRIVER: Final = "redmine 5.0"
SMALL: Final = ("T-01", "T-02", "T-03", "T-04", "T-14")
HOUR_S: Final = 3600
KINDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "answer lost": ("lose", {}),
    "connection reset after it": ("lose", {"reset": True}),
    "not carried out": ("refuse", {}),
    "429, 1 s": ("busy", {"status": 429, "retry_after": 1}),
    "429, 0 s": ("busy", {"status": 429, "retry_after": 0}),
    "429, no time": ("busy", {"status": 429}),
    "429, an hour": ("busy", {"status": 429, "retry_after": HOUR_S}),
    "429, a date": ("busy", {"status": 429, "retry_after": None}),
    "502": ("busy", {"status": 502}),
    "502, carried out": ("busy", {"status": 502, "carry": True}),
    "503, 30 s": ("busy", {"status": 503, "retry_after": 30}),
    "HTML 200": ("html", {}),
    "HTML 200, carried out": ("html", {"carry": True}),
    "sent to the login": ("login", {}),
    "cut": ("cut", {}),
    "slow": ("hold", {"seconds": 0.3}),
}
IN_SHORT: Final = ("answer lost", "502, carried out", "cut")
"""What `make test` does to the longer pass."""
SHORT_FIRST: Final = (*IN_SHORT, "not carried out", "429, 1 s", "HTML 200", "HTML 200, carried out")
"""And to the first one."""
WORDS, REASON = "この様式に記入してください ㊙", "対象の設備がない"
FORM, REPORT = b"PK form", b"%PDF-1.4 report"


# ── two passes to break ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Ending:
    """How everything stands when all is quiet again: here by item, and there."""

    office: Office
    here: Mapping[str, Binding]
    issues: Mapping[str, dict[str, Any]]
    evidence: Sequence[tuple[str, int]]
    put_back: Sequence[str]


@dataclass
class Story:
    """A pass to be broken: as it stands before, and what must hold in the end."""

    moment: Moment
    proxy: Proxy
    items: Sequence[str]
    holds: Callable[[Ending], None] | None = None
    whole: int = 0
    """The requests of the pass without a fault."""

    def back(self) -> Office:
        company = self.moment.back()
        self.proxy.clear()
        return company

    def measure(self) -> int:
        """Run the pass whole; its requests."""
        company = self.back()
        company.sync()
        self.whole = len(self.proxy.seen)
        self.repaired(company)
        return self.whole

    def repaired(self, company: Office) -> tuple[int, Harm]:
        """After at most three more passes the next one writes nothing, and all is as it should be."""
        over, storms = [len(self.proxy.seen) - self.whole], self._asked_while_waiting(company)
        with company.open() as workspace:
            more = -1
            while more < PASSES:
                more += 1
                company.later(130)
                before = len(self.proxy.seen)
                result = sync(workspace, SyncOrder())
                over.append(len(self.proxy.seen) - before - self.whole)
                if outgoing(result) == [] and result.exit_code == 0:
                    break
            harm = Harm(
                max(0, len(company.issues()) - len(self.items)), storms=storms + sum(one > SLACK for one in over),
                over=max(0, *over),
            )  # fmt: skip
            assert (outgoing(result), result.exit_code) == ([], 0), (more, harm)
            with workspace.store.read() as tx:
                assert (intents(tx, NAME), refusals(tx), conflicts(tx)) == ((), (), ())
                here = {one.key.item: one for one in bindings(tx)}
                evidence = [(one.criterion, one.size) for one in evidence_of(tx)]
                put_back = [one.data["to"] for one in tx.events(kind="task.overwritten")]
        assert [one.state.value for one in here.values()] == ["live"] * len(self.items)
        found = company.issues()
        assert len(found) == len(set(company.markers(found))) == len(self.items)
        shown = {item: company.server.issue(int(one.ref.id)) for item, one in here.items() if self.holds}
        if self.holds is not None:
            self.holds(Ending(company, here, shown, evidence, put_back))
        return more, harm

    def _asked_while_waiting(self, company: Office) -> int:
        """Whether a server that asked to be left alone is asked all the same; then its time is let pass."""
        with company.open() as workspace:
            with workspace.store.read() as tx:
                until = not_before(tx, NAME)
            now = company.clock()
            if until is None or parse_instant(until) <= now + timedelta(seconds=10):
                return 0
            before = len(self.proxy.seen)
            sync(workspace, SyncOrder())
            asked = len(self.proxy.seen) > before
        company.later((parse_instant(until) - now).total_seconds() + 1)
        return int(asked)


def first_pass(server: Server, proxy: Proxy, folder: Path) -> Story:
    items = SMALL[:3]
    company = found_office(folder / "会社", server, proxy, items=items)
    return Story(Moment(company, folder / "kept"), proxy, items)


def later_pass(server: Server, proxy: Proxy, folder: Path) -> Story:
    """Everybody has done something since the last pass."""
    company = found_office(folder / "会社", server, proxy, items=SMALL)
    for _ in range(2):
        company.sync()
        company.later(130)
    # A person's status, note and file, and a date that is ours …
    server.attach(company.number("T-01"), "点検記録.pdf", REPORT, note="点検しました 👍")
    company.person({"T-01": {"status_id": company.status("in_progress")}, "T-14": {"due_date": "2030-01-31"}})
    # … a status that takes two moves, with its reason …
    server.forbid_transition("ticssync", "feature", "new", "rejected")
    assert company.cli("exclude", "T-02", "--by", CONFIRMER, "--reason", REASON).code == 0
    # … a note and a file of the office, and a new title.
    form = company.root / "様式1.docx"
    form.write_bytes(FORM)
    ran = company.cli("task", "attach", "T-03", str(form), "--note", WORDS)
    assert ran.code == 0, ran.err
    company.map_more('overrides:\n  T-04: {title: "新しい題名 {{ number }}"}\n')
    return Story(Moment(company, folder / "kept"), proxy, SMALL, all_done)


def all_done(end: Ending) -> None:
    office, issues = end.office, end.issues
    wanted = {"T-01": "in_progress", "T-02": "rejected"}
    assert {item: issue["status"]["id"] for item, issue in issues.items()} == {
        item: office.status(wanted.get(item, "new")) for item in SMALL
    }
    assert [note.partition("\n")[0].rpartition(": ")[2] for note in notes(issues["T-02"])] == [REASON]
    assert [note.partition("\n")[0] for note in notes(issues["T-03"])] == [WORDS]
    assert [one["filesize"] for one in issues["T-03"]["attachments"]] == [len(FORM)]
    assert issues["T-04"]["subject"] == "新しい題名 T-04"
    assert (issues["T-14"]["due_date"], end.put_back) == (issues["T-03"]["due_date"], ["2030-01-31"])
    assert end.here["T-01"].status == "doing"
    assert len(end.evidence) == 2
    assert ("tics/T-01", len(REPORT)) in end.evidence


STORIES: Final = {"first pass": first_pass, "later pass": later_pass}


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest, redmine: Server, tmp_path: Path) -> Iterator[Story]:
    with Proxy(redmine.url) as proxy:
        yield STORIES[request.param](redmine, proxy, tmp_path)


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_requests_answer_lost_or_refused_once_doubles_nothing_and_loses_nothing(
    story: Story, request: pytest.FixtureRequest
) -> None:
    name = str(request.node.callspec.id)
    total = story.measure()
    for kind in KINDS if ALL else IN_SHORT if name == "later pass" else SHORT_FIRST:
        fault, how = KINDS[kind]
        with Tally(DRIVER, name, kind, found=total) as tally:
            for at in some(total, tally.seed, 29 if kind != "answer lost" else 5 if total > 9 else 1):
                company = story.back()
                if kind == "429, a date":
                    how = {**how, "retry_after": company.clock() + timedelta(seconds=90)}
                story.proxy.fault(at - 1, fault, **how)  # type: ignore[arg-type]
                company.sync()
                assert story.proxy.seen[at - 1].fault == fault
                tally.add(*story.repaired(company), at)

    assert total >= {"first pass": 5, "later pass": 15}[name]


def test_the_harness_sees_a_driver_that_forgets_the_marker(
    redmine: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker checked: without a marker a lost answer makes a double, and `repaired` says so."""
    real = Writing.new_issue
    monkeypatch.setattr(Writing, "new_issue", lambda self, fields, _marker: real(self, fields, ""))
    with Proxy(redmine.url) as proxy:
        story = first_pass(redmine, proxy, tmp_path)
        company = story.back()
        proxy.fault(lambda one: one.method == "POST", "lose")
        company.sync()
        with pytest.raises(AssertionError):
            story.repaired(company)
        assert len(company.issues()) > len(story.items)


def test_the_harness_sees_a_note_that_cannot_be_found_again(
    redmine: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker checked: without its sign a note whose answer was lost is written twice."""
    monkeypatch.setattr("ticssync_redmine.writing._note", lambda note: note.text)
    with Proxy(redmine.url) as proxy:
        story = later_pass(redmine, proxy, tmp_path)
        company = story.back()
        fault = proxy.fault(lambda one: one.method == "PUT" and b'"uploads"' in one.body, "lose")
        company.sync()
        assert fault.times == 0
        with pytest.raises(AssertionError):
            story.repaired(company)
        assert len(notes(company.issue("T-03"))) == 2


# ── deaths ────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def watched(company: Office, points: Points) -> Iterator[None]:
    """One pass; `points` is called before and after each request and each commit.  It may end early."""
    real = Client._send

    def send(self: Client, method: str, path: str, **parts: Any) -> Any:
        points(f"before {method}")
        answer = real(self, method, path, **parts)
        points(f"after {method}")
        return answer

    Client._send = send  # type: ignore[method-assign]
    try:
        with suppress(Death), company.open() as workspace:
            workspace.store.watch = points
            sync(workspace, SyncOrder())
        yield
    finally:
        Client._send = real  # type: ignore[method-assign]


def test_death_at_every_commit_and_request_doubles_nothing_and_loses_nothing(
    story: Story, request: pytest.FixtureRequest
) -> None:
    name = str(request.node.callspec.id)
    story.measure()
    company, points = story.back(), Points()
    with watched(company, points):
        pass
    total = points.seen
    with Tally(DRIVER, name, "death", found=total) as tally:
        for at in some(total, tally.seed, 15):
            company, points = story.back(), Points(at)
            with watched(company, points):
                assert points.dead
            tally.add(*story.repaired(company), at)

    assert total >= {"first pass": 18, "later pass": 40}[name]


# ── kills ─────────────────────────────────────────────────────────────────────────────────────────────


class Killer:
    """Kills a process at its n-th create: before the server is asked, after it was, or a moment after the answer."""

    def __init__(self, proxy: Proxy, number: int, moment: str, after_s: float) -> None:
        self.number, self.moment, self.after_s = number, moment, after_s
        self.process: subprocess.Popen[str] | None = None
        self.creates = 0
        self.timer: threading.Timer | None = None
        proxy.fault(self._hits, "lose" if moment == "after" else "refuse")

    def _hits(self, seen: Seen) -> bool:
        self.creates += (seen.method, seen.path) == ("POST", "/issues.json")
        if self.creates != self.number or self.timer is not None:
            return False
        if self.moment == "answered":
            self.timer = threading.Timer(self.after_s, self._kill)
            self.timer.start()
            return False
        self._kill()
        return True

    def _kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def run(self, company: Office) -> None:
        """`ticssync sync` as a user runs it, killed on the way."""
        line, around = company.process_line("sync"), {**os.environ, **company.environ}
        with (company.root / "said.txt").open("w+", encoding="utf-8") as said:
            self.process = subprocess.Popen(line, env=around, stdout=said, stderr=said, text=True)
            code = self.process.wait(120)
            if self.timer is not None:
                self.timer.join()
            said.seek(0)
            assert code == -signal.SIGKILL, (self.moment, self.number, self.creates, said.read())


def whole(company: Office) -> int:
    """46 issues, each once, all bound; the next pass writes nothing.  The passes that it took."""
    ran = company.process("sync", "--json")
    assert ran.returncode == 0, ran.stderr
    # What a killed process sent is waited for before it is sent again.
    company.later(130)
    for passes in range(1, PASSES + 1):  # noqa: B007 - it is the answer
        found = company.cli("sync", "--json").json["trackers"][NAME]
        if found["actions"] == []:
            break
    assert (found["created"], found["updated"], found["actions"], found["unchanged"]) == (0, 0, [], ITEMS)
    markers = company.markers()
    assert (len(company.issues()), len(markers), len(set(markers))) == (ITEMS, ITEMS, ITEMS)
    assert [one.state.value for one in company.bound()] == ["live"] * ITEMS
    return passes


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_first_sync_that_is_killed_ten_times_on_its_way_makes_46_issues_and_no_doubles(
    redmine: Server, tmp_path: Path
) -> None:
    seeded, told = random.Random("killed ten times"), list[str]()
    with Proxy(redmine.url) as proxy:
        company = found_office(tmp_path / "会社", redmine, proxy)
        before = len(redmine.requests_seen())
        for part in range(10):
            proxy.clear()
            moment = ("before", "after", "answered")[part % 3]
            killer = Killer(proxy, seeded.randint(1, 4), moment, seeded.uniform(0, 0.15))
            killer.run(company)
            told.append(f"{moment} create {killer.number}: {len(company.markers())} issues")
            if part == 4:
                redmine.edit_issue(1, status_id=company.status("in_progress"))
        proxy.clear()
        passes = whole(company)
        creates = sum(1 for one in redmine.requests_seen()[before:] if one.method == "POST")
    with Tally(DRIVER, "first sync of 46", "killed ten times in a row", found=10) as tally:
        for number, line in enumerate(told, start=1):
            tally.add(passes, Harm(creates - ITEMS if number == len(told) else 0), line)

    assert creates == ITEMS, told
    (first,) = [one for one in company.bound() if one.ref.id == "1"]
    assert (first.status, redmine.issue(1)["status"]["id"]) == ("doing", company.status("in_progress"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.skipif(not ALL, reason="`make faults` runs them all")
@pytest.mark.parametrize("part", range(10))
def test_a_first_sync_that_is_killed_at_any_create_is_finished_by_the_next_ones(
    redmine: Server, tmp_path: Path, part: int
) -> None:
    seeded = random.Random(f"killed once {part}")
    with Proxy(redmine.url) as proxy:
        company = found_office(tmp_path / "会社", redmine, proxy)
        moment = ("before", "after", "answered")[part % 3]
        killer = Killer(proxy, seeded.randint(1, ITEMS), moment, seeded.uniform(0, 0.15))
        with Tally(DRIVER, "first sync of 46", "killed once", found=10) as tally:
            killer.run(company)
            proxy.clear()
            tally.add(whole(company), Harm(), f"{moment} create {killer.number}")
