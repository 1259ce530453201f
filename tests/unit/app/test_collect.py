"""What people put into a task in the tracker becomes evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pytest

from tests.unit.app.office import MAPPING, PLACES, Office, notices, outgoing
from ticssync.app import hand_in
from ticssync.app.sync_once import SyncResult
from ticssync.evidence.from_tracker import own_hash
from ticssync.model.evidence import Evidence
from ticssync.model.task import Attachment, Comment, RemoteRef
from ticssync.plugin import Unavailable
from ticssync.store.evidence import evidence_of, set_evidence_state
from ticssync.store.locker import Locker
from ticssync.testing import fake_plugin
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_server import ROBOT, FakeServer
from ticssync.testing.fake_site import full, index, strong
from ticssync.testing.fake_tracker import FakeTracker
from ticssync.testing.wire import Fault

PDF = b"%PDF-1.7\n1 0 obj\n"
DAY_S = 86_400


class Tasks:
    """The tasks of an office, and the people who write into them."""

    def __init__(self, office: Office) -> None:
        self.office = office

    @property
    def server(self) -> FakeServer:
        return self.office.server()

    def id(self, item: str = "T-01") -> str:
        return self.office.issues()[item].id

    def attach(self, name: str, content: bytes = PDF, item: str = "T-01") -> Attachment:
        self.office.clock.advance(1)
        return self.server.attach(self.id(item), name, content)

    def note(
        self, text: str, item: str = "T-01", author: str = "1001", *, private: bool = False, edits: str = ""
    ) -> str:
        """A note, or another wording of the one that is named by `edits`; its id."""
        self.office.clock.advance(1)
        self.server.person_comments(self.id(item), text)
        issue = self.office.issues()[item]
        *old, new = issue.comments
        new = replace(new, author=author, private=private, id=edits or new.id)
        notes: tuple[Comment, ...] = (*(one for one in old if one.id != edits), new)
        self.server._put(replace(issue, comments=notes))
        return new.id

    def sync(self, **order: Any) -> SyncResult:
        self.office.clock.advance(60)
        return self.office.sync(**order)

    def requests(self, **order: Any) -> dict[str, int]:
        """What one pass asks the tracker, without listings."""
        before = dict(self.server.requests)
        self.sync(**order)
        now = self.server.requests
        asked = {verb: now[verb] - before.get(verb, 0) for verb in now if verb not in ("list", "presend")}
        return {verb: count for verb, count in asked.items() if count}

    def held(self) -> list[Evidence]:
        with self.office.open() as workspace, workspace.store.read() as tx:
            return list(evidence_of(tx))

    def names(self) -> list[str]:
        return [one.name for one in self.held()]

    def content(self, piece: Evidence) -> str:
        with Locker(self.office.root / "locker").open(piece.sha256) as stream:
            return stream.read().decode("utf-8")

    def kept(self) -> list[Path]:
        return [one for one in (self.office.root / "locker").rglob("*") if one.is_file()]


def collects(office: Office, rule: str) -> None:
    (office.root / "mapping.yaml").write_text(f"{MAPPING}collect: {rule}\n", "utf-8")


def edit(office: Office, name: str, old: str, new: str) -> None:
    text = (office.root / name).read_text("utf-8")
    assert old in text
    (office.root / name).write_text(text.replace(old, new), "utf-8")


def incoming(result: SyncResult) -> list[str]:
    return [
        f"{one.action}:{one.task.item}:{one.fields['evidence'][1]}"
        for report in result.reports.values()
        for one in report.actions
        if one.direction == "in" and one.action in ("attach", "comment")
    ]


@pytest.fixture
def tasks(office: Office) -> Tasks:
    """Two tasks stand in the tracker, and nobody has touched them."""
    office.sync()
    return Tasks(office)


# --- what is taken


def test_a_file_that_a_member_attaches_becomes_evidence_of_the_task_s_criterion(tasks: Tasks):
    tasks.attach("鍵管理台帳（髙﨑）.pdf")
    result = tasks.sync()
    (one,) = tasks.held()
    assert (one.name, one.criterion, one.kind, one.keep_mode) == (
        "鍵管理台帳（髙﨑）.pdf", "tics/T-01", "document", "copy",
    )  # fmt: skip
    assert (one.evidence_class, one.channel, one.source) == ("internal", "tracker", "a:10001:attachment:f1")
    assert (one.sha256, one.size) == (sha256(PDF).hexdigest(), len(PDF))
    assert incoming(result) == ["attach:T-01:鍵管理台帳（髙﨑）.pdf"]
    assert not outgoing(result)


def test_a_note_becomes_a_small_text_that_says_who_wrote_it_where_and_when(tasks: Tasks):
    edit(
        tasks.office,
        "ticssync.yaml",
        "tanaka: {name: 田中 一郎}",
        'tanaka: {name: 田中 一郎, accounts: {a: "1001"}}',
    )
    ident = tasks.note("棚卸しました ㊙")
    result = tasks.sync()
    (one,) = tasks.held()
    assert (one.kind, one.handed_in_by, one.source) == ("note", "tanaka", f"a:10001:note:{ident}")
    assert one.name.startswith("T-01 ") and one.name.endswith(" 2026-04-01 田中一郎.txt")
    text = tasks.content(one)
    assert "棚卸しました ㊙" in text and "FAKE-1" in text and "田中 一郎" in text and "(Asia/Tokyo)" in text
    assert incoming(result) == [f"comment:T-01:{one.name}"]


def test_an_author_whom_nobody_knows_stands_in_the_note_of_the_evidence(tasks: Tasks):
    tasks.attach("台帳.pdf")
    tasks.sync()
    (one,) = tasks.held()
    assert one.handed_in_by == ""
    assert "1001" in one.note


def test_the_evidence_is_dated_by_the_company_s_day_on_which_it_was_put_there(tasks: Tasks):
    # 23:30 UTC of the 1st is the 2nd in Japan.
    tasks.office.clock.advance(23.5 * 3600)
    tasks.attach("台帳.pdf")
    tasks.office.clock.advance(3 * DAY_S)
    tasks.sync()
    (one,) = tasks.held()
    assert one.dated_on.isoformat() == "2026-04-02"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "C:\\x\\y.txt", "か\u3099ラス.txt", "a\nb.txt", "\x00.txt"]
)
def test_a_name_stays_as_it_is_and_is_never_a_path(tasks: Tasks, name: str):
    tasks.attach(name, b"text")
    tasks.sync()
    assert tasks.names() == [name.replace("\x00", "\N{REPLACEMENT CHARACTER}")]
    assert [one.parent.name + one.name for one in tasks.kept()] == [sha256(b"text").hexdigest()]


def test_a_pass_that_writes_nothing_to_the_trackers_takes_in_what_stands_there(tasks: Tasks):
    tasks.attach("台帳.pdf")
    assert incoming(tasks.sync(read_only=True)) == ["attach:T-01:台帳.pdf"]


def test_a_plan_takes_nothing_in(tasks: Tasks):
    tasks.attach("台帳.pdf")
    tasks.note("済")
    assert "download" not in tasks.requests(dry=True)
    assert tasks.held() == []


@pytest.mark.parametrize("ways", [full(), strong(), index()], ids=["full", "strong", "index"])
def test_every_kind_of_tracker_is_collected(office: Office, ways: Behaviour):
    ways.fields = PLACES
    office.server().behaviour = ways
    office.sync()
    tasks = Tasks(office)
    tasks.office.clock.advance(300)
    tasks.sync()
    tasks.attach("台帳.pdf")
    tasks.note("済")
    tasks.office.clock.advance(300)
    tasks.sync()
    tasks.office.clock.advance(300)
    tasks.sync()
    assert sorted(one.kind for one in tasks.held()) == ["document", "note"]


def test_mirrors_are_not_collected(office: Office):
    office.configure(trackers=("a", "b"), route=("a", "b"))
    office.sync()
    office.clock.advance(60)
    office.server("b").attach(office.issues("b")["T-01"].id, "台帳.pdf", PDF)
    office.sync()
    assert Tasks(office).held() == []


def test_what_stood_in_a_task_before_the_product_collected_is_taken_at_the_next_full_look(office: Office):
    collects(office, "{notes: false, files: false}")
    office.sync()
    tasks = Tasks(office)
    tasks.attach("台帳.pdf")
    tasks.sync()
    assert tasks.held() == []
    (office.root / "mapping.yaml").write_text(MAPPING, "utf-8")
    office.clock.advance(DAY_S)
    tasks.sync()
    assert tasks.names() == ["台帳.pdf"]


# --- what is none


def test_our_own_notes_are_none(tasks: Tasks):
    tasks.note("ticssync の控え", author=ROBOT)
    tasks.note("差し戻します\n\n[ticssync 0123456789ab]")
    tasks.note("   ")
    tasks.sync()
    assert tasks.held() == []


def test_private_notes_stay_where_they_are_unless_the_mapping_takes_them(tasks: Tasks):
    tasks.note("社内だけ", private=True)
    tasks.sync()
    assert tasks.held() == []
    collects(tasks.office, "{private_notes: true}")
    tasks.office.clock.advance(DAY_S)
    tasks.sync()
    assert len(tasks.held()) == 1


def test_a_file_that_ticssync_hung_there_is_none_and_is_read_once(tasks: Tasks):
    name = f"TICS_報告__{sha256(PDF).hexdigest()[:8]}.pdf"
    assert own_hash(name)
    tasks.attach(name)
    assert tasks.requests()["download"] == 1
    tasks.attach("別.txt", b"other")
    assert tasks.requests()["download"] == 1
    assert tasks.names() == ["別.txt"]
    assert len(tasks.kept()) == 1


def test_a_file_with_such_a_name_and_other_bytes_is_a_person_s(tasks: Tasks):
    tasks.attach("TICS_報告__00000000.pdf")
    tasks.sync()
    assert tasks.names() == ["TICS_報告__00000000.pdf"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("空.pdf", b""), ("道具.exe", b"MZ"), ("文書.pdf.exe", b"x"), ("Thumbs.db", b"x"), ("近道.lnk", b"L")],
)
def test_a_file_that_hand_in_refuses_is_refused_and_shown_until_it_is_gone(
    tasks: Tasks, name: str, content: bytes
):
    made = tasks.attach(name, content)
    result = tasks.sync()
    assert tasks.held() == [] and tasks.kept() == []
    (told,) = result.reports["a"].notices
    assert told["id"] == "file_refused" and name in told["message"] and "T-01" in told["message"]
    assert "download" not in tasks.requests()
    assert notices(tasks.sync()) == {"a": ["file_refused"]}
    tasks.server.detach(tasks.id(), made.id)
    tasks.office.clock.advance(DAY_S)
    assert notices(tasks.sync()) == {"a": []}


def test_of_an_item_that_keeps_hashes_only_the_hash_is_kept(tasks: Tasks):
    edit(tasks.office, "tics.yaml", "keep_mode: copy", "keep_mode: hash_only")
    tasks.attach("平面図.pdf")
    tasks.note("済")
    tasks.sync()
    assert [one.keep_mode for one in tasks.held()] == ["hash_only", "hash_only"]
    assert {one.sha256 for one in tasks.held()} > {sha256(PDF).hexdigest()}
    assert tasks.kept() == []


def test_the_kind_follows_the_item_where_it_does_not_know_the_name_s(tasks: Tasks):
    edit(tasks.office, "tics.yaml", "evidence: {hint:", "evidence: {kinds: [screenshot], hint:")
    tasks.attach("画面.png", b"\x89PNG\r\n\x1a\n")
    tasks.sync()
    (one,) = tasks.held()
    assert one.kind == "screenshot" and one.note.count("\n") == 1


# --- once


def test_what_was_taken_is_neither_asked_for_nor_taken_again(tasks: Tasks):
    tasks.attach("台帳.pdf")
    tasks.note("済")
    assert tasks.requests() == {"comments": 1, "whoami": 1, "download": 1}
    assert tasks.requests() == {}
    tasks.office.person("T-01", 優先度="高")
    assert tasks.requests() == {"comments": 1, "whoami": 1}
    assert len(tasks.held()) == 2


def test_a_task_that_this_pass_made_is_not_asked_for_its_notes(office: Office):
    office.sync()
    assert Tasks(office).requests() == {}


def test_the_same_bytes_for_the_same_item_are_one_piece(tasks: Tasks):
    tasks.attach("台帳.pdf")
    tasks.sync()
    tasks.attach("台帳の写し.pdf")
    tasks.attach("台帳.pdf", item="T-02")
    tasks.sync()
    assert [(one.criterion, one.name) for one in tasks.held()] == [
        ("tics/T-01", "台帳.pdf"), ("tics/T-02", "台帳.pdf"),
    ]  # fmt: skip
    assert tasks.requests() == {}


def test_what_a_person_withdrew_does_not_come_back_by_itself(tasks: Tasks):
    tasks.attach("台帳.pdf")
    tasks.sync()
    with tasks.office.open() as workspace:
        hand_in.withdraw(workspace, "E-00001", "別の会社のもの")
    tasks.office.person("T-01", 優先度="高")
    tasks.office.clock.advance(DAY_S)
    tasks.sync()
    assert [(one.id, one.withdrawn) for one in tasks.held()] == [("E-00001", True)]


def test_an_edited_note_is_a_new_piece_and_the_old_one_stays(tasks: Tasks):
    ident = tasks.note("棚卸しました")
    tasks.sync()
    tasks.note("棚卸は来月です", edits=ident)
    tasks.sync()
    first, second = tasks.held()
    assert "棚卸しました" in tasks.content(first) and "棚卸は来月です" in tasks.content(second)
    assert "E-00001" in second.note and first.source == second.source
    assert not first.withdrawn
    tasks.office.person("T-01", 優先度="高")
    tasks.sync()
    assert len(tasks.held()) == 2


def test_a_renamed_tracker_does_not_bring_everything_a_second_time(tasks: Tasks):
    from ticssync.app.settle import rename_tracker

    tasks.attach("台帳.pdf")
    tasks.sync()
    office = tasks.office
    office.plugins["b"] = office.plugins.pop("a")
    office.configure(trackers=("b",), route=("b",))
    with office.open(trackers_may_differ=True) as workspace:
        rename_tracker(workspace, "a", "b")
    office.clock.advance(DAY_S)
    office.sync()
    downloads = office.server("b").requests["download"]
    office.server("b").attach(office.issues("b")["T-01"].id, "別.txt", b"other")
    office.clock.advance(60)
    office.sync()
    assert tasks.names() == ["台帳.pdf", "別.txt"]
    assert office.server("b").requests["download"] == downloads + 1


def test_the_log_alone_gives_the_same_store(tasks: Tasks):
    made = tasks.attach("台帳.pdf")
    tasks.attach("空.pdf", b"")
    tasks.note("済")
    tasks.sync()
    tasks.server.detach(tasks.id(), made.id)
    tasks.office.clock.advance(DAY_S)
    tasks.sync()
    assert tasks.office.keeps_the_law_of_replay()


# --- deleted in the tracker


def test_a_file_deleted_in_the_tracker_is_recorded_once_and_its_evidence_stays(tasks: Tasks):
    made = tasks.attach("台帳.pdf")
    tasks.sync()
    tasks.server.detach(tasks.id(), made.id)
    assert notices(tasks.sync()) == {"a": []}
    tasks.office.clock.advance(DAY_S)
    (told,) = tasks.sync().reports["a"].notices
    assert told["id"] == "file_gone" and "台帳.pdf" in told["message"] and "E-00001" in told["message"]
    tasks.office.clock.advance(DAY_S)
    assert notices(tasks.sync()) == {"a": ["file_gone"]}
    (event,) = tasks.office.events("evidence.source_gone")
    assert {**event.data, "by": None} == {
        "tracker": "a", "remote_id": tasks.id(), "part": "attachment:f1", "attachment": "f1", "name": "台帳.pdf",
        "task": "tics/T-01", "by": None,
    }  # fmt: skip
    (one,) = tasks.held()
    assert not one.withdrawn and one.readable and len(tasks.kept()) == 1
    with tasks.office.open() as workspace:
        assert [one["id"] for one in hand_in.check(workspace)["gone"]] == ["E-00001"]
        assert hand_in.listed(workspace)["items"][0]["source_gone_at"]


def test_a_file_that_comes_back_is_no_longer_missed(tasks: Tasks):
    made = tasks.attach("台帳.pdf")
    tasks.sync()
    before = tasks.office.issues()["T-01"]
    tasks.server.detach(tasks.id(), made.id)
    tasks.office.clock.advance(DAY_S)
    tasks.sync()
    tasks.server.files[made.id] = PDF
    tasks.server._put(before)
    tasks.office.clock.advance(DAY_S)
    assert notices(tasks.sync()) == {"a": []}
    assert [one.kind for one in tasks.office.events() if one.kind.startswith("evidence.source")] == [
        "evidence.source_gone", "evidence.source_back",
    ]  # fmt: skip
    assert tasks.names() == ["台帳.pdf"]


def test_a_listing_without_the_file_proves_nothing(tasks: Tasks, monkeypatch: pytest.MonkeyPatch):
    tasks.attach("台帳.pdf")
    tasks.sync()
    listing = tasks.server.listing
    monkeypatch.setattr(
        tasks.server,
        "listing",
        lambda *args: replace(
            page := listing(*args), issues=tuple(replace(one, attachments=()) for one in page.issues)
        ),
    )
    tasks.office.clock.advance(DAY_S)
    assert notices(tasks.sync()) == {"a": []}
    assert tasks.office.events("evidence.source_gone") == []


def test_evidence_that_a_person_withdrew_is_not_missed(tasks: Tasks):
    made = tasks.attach("台帳.pdf")
    tasks.sync()
    with tasks.office.open() as workspace, workspace.store.write() as tx:
        set_evidence_state(tx, "E-00001", "withdrawn", workspace.by(), "誤り")
    tasks.server.detach(tasks.id(), made.id)
    tasks.office.clock.advance(DAY_S)
    assert notices(tasks.sync()) == {"a": []}


# --- troubles


def test_a_file_that_cannot_be_fetched_stops_nothing_else_and_is_tried_again(tasks: Tasks):
    broken = tasks.attach("壊れた.pdf", b"%PDF-1.7 broken")
    tasks.attach("台帳.pdf")
    tasks.attach("名簿.pdf", item="T-02")
    content = tasks.server.files.pop(broken.id)
    result = tasks.sync()
    assert result.exit_code == 0 and notices(result) == {"a": ["file_not_fetched"]}
    assert "壊れた.pdf" in result.reports["a"].notices[0]["message"]
    assert tasks.names() == ["台帳.pdf", "名簿.pdf"]
    assert notices(tasks.sync()) == {"a": ["file_not_fetched"]}
    tasks.server.files[broken.id] = content
    assert incoming(tasks.sync()) == ["attach:T-01:壊れた.pdf"]
    assert tasks.requests() == {}


class Careless(FakeTracker):
    """A driver whose downloads go wrong as `way` says."""

    way = ""

    def download(self, ref: RemoteRef, attachment: Attachment) -> Any:
        stream = super().download(ref, attachment)
        if self.way == "bug":
            raise ValueError("token=secret")
        if self.way == "slow":
            return Dripping(stream)
        if self.way == "waits":
            raise Unavailable("busy", self.opening.clock())
        if self.way == "short":
            stream.truncate(4)
        if self.way == "nothing":
            stream.truncate(0)
        return stream


class Dripping:
    """A stream that gives a byte at a time."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def read(self, size: int = -1) -> bytes:
        return bytes(self.stream.read(min(size, 1) if size > 0 else size))


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Careless]]:
    monkeypatch.setattr(fake_plugin, "FakeTracker", Careless)
    yield Careless
    Careless.way = ""


@pytest.mark.parametrize("way", ["bug", "short", "nothing"])
def test_a_file_that_comes_in_part_or_not_at_all_is_not_taken(
    tasks: Tasks, careless: type[Careless], way: str
):
    tasks.attach("台帳.pdf")
    tasks.note("済")
    careless.way = way
    result = tasks.sync()
    assert notices(result) == {"a": ["file_not_fetched"]} and result.exit_code == 0
    assert "secret" not in json.dumps(result.plain())
    assert [one.kind for one in tasks.held()] == ["note"]
    careless.way = ""
    tasks.sync()
    assert [one.kind for one in tasks.held()] == ["note", "document"]


def test_a_stream_may_give_a_byte_at_a_time(tasks: Tasks, careless: type[Careless]):
    tasks.attach("台帳.pdf")
    careless.way = "slow"
    tasks.sync()
    assert [one.sha256 for one in tasks.held()] == [sha256(PDF).hexdigest()]


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [(Fault.BUSY, "unavailable", 3), (Fault.UNAUTHORIZED, "credentials", 4)],
)
@pytest.mark.parametrize("verb", ["comments", "download", "whoami"])
def test_a_tracker_that_stops_us_is_collected_to_the_end_later(
    tasks: Tasks, fault: Fault, state: str, code: int, verb: str
):
    tasks.attach("台帳.pdf")
    tasks.note("済")
    tasks.note("済2", item="T-02")
    tasks.server.fail_next(verb, fault)
    result = tasks.sync()
    assert (result.reports["a"].state, result.exit_code) == (state, code)
    tasks.office.clock.advance(300)
    tasks.sync()
    assert len(tasks.held()) == 3
    assert tasks.requests() == {}


def test_a_tracker_that_goes_down_ends_its_own_collecting_only(office: Office):
    office.configure(trackers=("a", "b"), route=("a",))
    edit(
        office,
        "ticssync.yaml",
        'routes: [{criteria: "*"',
        'routes: [{criteria: "T-02", tracker: b}, {criteria: "*"',
    )
    office.sync()
    office.clock.advance(60)
    a, b = office.server("a"), office.server("b")
    a.attach(office.issues("a")["T-01"].id, "台帳.pdf", PDF)
    b.attach(office.issues("b")["T-02"].id, "名簿.pdf", PDF)
    a.fail_next("download", Fault.NOT_SENT)
    a.fail_next("fetch", Fault.NOT_SENT)
    result = office.sync()
    assert {name: one.state for name, one in result.reports.items()} == {"a": "unavailable", "b": "ok"}
    assert incoming(result) == ["attach:T-02:名簿.pdf"]
    office.clock.advance(60)
    assert incoming(office.sync()) == ["attach:T-01:台帳.pdf"]


def test_a_tracker_that_asks_for_time_is_left_alone(tasks: Tasks):
    tasks.note("済")
    tasks.server.fail_next("comments", Fault.BUSY)
    tasks.sync()
    before = tasks.server.request_count
    tasks.office.clock.advance(1)
    tasks.office.clock.advance(-60)
    tasks.sync()
    assert tasks.server.request_count == before


# --- what it costs


def test_nothing_is_asked_where_nothing_is_to_be_collected(tasks: Tasks):
    collects(tasks.office, "{notes: false, files: false}")
    tasks.attach("台帳.pdf")
    tasks.note("済")
    assert tasks.requests() == {}
    with tasks.office.open() as workspace, workspace.store.read() as tx:
        from ticssync.store.collected import due

        assert due(tx, "a") == frozenset()


def test_notes_are_not_asked_for_where_only_files_are_taken(tasks: Tasks):
    collects(tasks.office, "{notes: false}")
    tasks.attach("台帳.pdf")
    tasks.note("済")
    assert tasks.requests() == {"download": 1}


def test_the_notes_of_many_tasks_are_asked_for_together(tasks: Tasks):
    tasks.note("済")
    tasks.note("済", item="T-02")
    assert tasks.requests() == {"comments": 1, "whoami": 1}
    assert len(tasks.held()) == 2


def test_a_task_that_we_wrote_to_is_looked_at_once_more(tasks: Tasks):
    office = tasks.office
    office.person("T-01", 状態="対応中")
    assert tasks.requests().get("comments") == 1
    office.act("return", "T-01", reason="台帳がありません")
    tasks.sync()
    assert tasks.requests().get("comments") == 1
    assert tasks.requests() == {}
