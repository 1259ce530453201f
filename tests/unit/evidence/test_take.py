"""Taking a file: bytes kept, facts recorded for each item, the file moved to where received ones lie."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ticssync.errors import CorruptStoreError, RetryLaterError, UsageError
from ticssync.evidence.hand_in import Taken, add_file, kind_of
from ticssync.store.evidence import set_evidence_state
from ticssync.store.locker import Locker

from .factory import BY, PDF, SCOPES, TODAY, Factory

MONTH = "2026-11"


def test_a_file_is_kept_recorded_and_moved(factory: Factory):
    """Name, kind, class, period and hash come from the file and its item."""
    file = factory.put("教育の記録.pdf")

    (taken,) = factory.take_all()

    (held,) = factory.held()
    assert taken.ids == (held.id,) == ("E-00001",)
    assert taken.sha256 == held.sha256 == hashlib.sha256(PDF).hexdigest()
    assert taken.moved_to == factory.received / MONTH / "教育の記録.pdf"
    assert taken.moved_to.read_bytes() == PDF
    assert not file.exists()
    assert factory.locker.verify(held.sha256) == "ok"
    assert (held.criterion, held.name, held.kind, held.keep_mode, held.evidence_class) == (
        "tics/T-14", "教育の記録.pdf", "document", "copy", "internal",
    )  # fmt: skip
    assert (held.dated_on, held.valid_until) == (date(2026, 11, 5), date(2027, 11, 5))
    assert (held.size, held.channel, held.note) == (len(PDF), "drop", "")


def test_one_file_serves_several_items(factory: Factory):
    """One piece per item, each with the item's own period; the bytes are kept once."""
    factory.put("T-14,T-15_名簿.csv", b"a,b", folder="00_未分類")

    (taken,) = factory.take_all()

    assert taken.ids == ("E-00001", "E-00002")
    assert [(one.criterion, one.kind, one.valid_until) for one in factory.held()] == [
        ("tics/T-14", "document", date(2027, 11, 5)),
        ("tics/T-15", "register", None),
    ]
    assert len(factory.kept_files()) == 1


def test_it_is_dated_in_the_companys_zone_and_never_after_today(factory: Factory):
    """23:30 UTC is the next morning in Japan; a wrong camera clock does not postdate evidence."""
    file = factory.put("昨夜.pdf")
    moment = datetime(2026, 10, 31, 23, 30, tzinfo=timezone.utc).timestamp()
    os.utime(file, (moment, moment))
    future = factory.put("未来.pdf", PDF + b"2", age=-86400)
    first = factory.scan()
    factory.clock.advance(60)
    for one in factory.scan(first).ready:
        factory.take(one)

    assert future.name in {one.name for one in factory.held()}
    assert {one.name: one.dated_on for one in factory.held()} == {
        "昨夜.pdf": date(2026, 11, 1),
        "未来.pdf": TODAY,
    }


@pytest.mark.parametrize(
    ("name", "item", "kind", "noted"),
    [
        ("修了証.pdf", "T-14", "document", False),
        ("受講.eml", "T-14", "record", False),
        ("集合写真.jpg", "T-14", "document", True),
        ("画面.png", "T-25", "screenshot", True),
        ("扉.HEIC", "T-21", "photo", False),
        ("台帳.pdf", "T-15", "register", True),
    ],
)
def test_the_kind_follows_the_name_where_the_item_knows_it(
    factory: Factory, name: str, item: str, kind: str, noted: bool
):
    """Else the item's first kind: the member put it there on purpose.  The note then says so."""
    factory.put(name, b"content", folder=item)

    factory.take_all()

    (held,) = factory.held()
    assert held.kind == kind
    assert bool(held.note) is noted


def test_hash_only_leaves_no_bytes_in_the_locker(factory: Factory):
    """Personal data and floor plans: only the hash is kept; the original lies in 受付済."""
    factory.put("平面図.jpg", b"\xff\xd8\xff", folder="T-21")

    (taken,) = factory.take_all()

    (held,) = factory.held()
    assert (held.keep_mode, held.sha256) == ("hash_only", hashlib.sha256(b"\xff\xd8\xff").hexdigest())
    assert factory.kept_files() == []
    assert taken.moved_to is not None
    assert taken.moved_to.exists()


@pytest.mark.parametrize("other", ["T-21", "T-41"])
def test_the_strictest_item_decides_for_the_whole_file(factory: Factory, other: str):
    """The same bytes are not held back for one item and given out for another; a file is never `paper`."""
    factory.put(f"T-14,{other}_記録.pdf", folder="00_未分類")

    factory.take_all()

    assert [one.keep_mode for one in factory.held()] == ["hash_only", "hash_only"]
    assert factory.kept_files() == []


def test_the_same_name_twice_keeps_both_files(factory: Factory):
    """The second one gets ` (2)`, the third ` (3)`; none is overwritten."""
    for number in range(3):
        factory.put("名簿.tar.gz", PDF + bytes([number]))
        factory.take_all()

    folder = factory.received / MONTH
    assert sorted(path.name for path in folder.iterdir()) == [
        "名簿.tar (2).gz",
        "名簿.tar (3).gz",
        "名簿.tar.gz",
    ]
    assert len({path.read_bytes() for path in folder.iterdir()}) == len(factory.held()) == 3


def test_the_same_bytes_for_the_same_item_are_not_added_again(factory: Factory):
    """The file is only moved; for another item they are new."""
    factory.put("名簿.pdf")
    factory.take_all()
    factory.put("名簿の写し.pdf")
    factory.put("名簿.pdf", folder="T-15")

    again = {one.moved_to.name: one.ids for one in factory.take_all() if one.moved_to}

    assert again == {"名簿の写し.pdf": (), "名簿 (2).pdf": ("E-00002",)}
    assert len(factory.kept_files()) == 1


def test_withdrawn_bytes_can_be_handed_in_again(factory: Factory):
    """A withdrawal by mistake is mended by handing the file in once more."""
    factory.put("名簿.pdf")
    factory.take_all()
    withdraw(factory, "E-00001")
    factory.put("名簿.pdf")

    assert factory.take_all()[0].ids == ("E-00002",)


def test_an_unchanged_file_counts_anew_once_its_period_has_ended(factory: Factory):
    """The rule book that is handed in unchanged after a year is new proof; before that it is the old one."""
    factory.put("規程.pdf")
    factory.take_all()
    factory.clock.advance(200 * 86400)
    factory.put("規程.pdf")
    early = factory.take_all(date(2027, 5, 24))
    factory.clock.advance(200 * 86400)
    factory.put("規程.pdf")
    late = factory.take_all(date(2027, 12, 10))

    assert [early[0].ids, late[0].ids] == [(), ("E-00002",)]
    assert factory.held()[1].valid_until == date(2028, 12, 10)


def test_a_file_that_is_too_old_from_the_start_is_added_once(factory: Factory):
    """Its period has ended already when it comes; meeting it again does not double it."""
    factory.put("古い.pdf", age=900 * 86400)
    candidate = factory.scan().ready[0]
    factory.take(candidate)
    factory.put("古い.pdf", age=900 * 86400)

    assert factory.take_all()[0].ids == ()
    assert len(factory.held()) == 1


def test_a_file_that_changed_since_the_look_is_left_for_the_next_one(factory: Factory):
    """Nothing is recorded of bytes that were still moving."""
    file = factory.put("名簿.pdf")
    (candidate,) = factory.scan().ready
    file.write_bytes(PDF + b"more")

    with pytest.raises(RetryLaterError, match="changed while it was being read"):
        factory.take(candidate)

    assert factory.held() == ()
    assert file.exists()


def test_a_file_that_cannot_be_moved_is_recorded_and_met_again(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
):
    """Open in Excel on Windows: the proof is held; the next look moves the file and adds nothing."""
    file = factory.put("名簿.pdf")
    (first,) = take_while_open(factory, monkeypatch)
    left = list(factory.received.rglob("*.pdf"))
    (second,) = factory.take_all()

    assert (first.ids, first.moved_to, left) == (("E-00001",), None, [])
    assert (second.ids, second.moved_to) == ((), factory.received / MONTH / "名簿.pdf")
    assert not file.exists()


def take_while_open(factory: Factory, monkeypatch: pytest.MonkeyPatch, *, done: bool = False) -> list[Taken]:
    """Take while a program keeps the files where they are.  `done`: the share moves them, and says no."""
    real = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if factory.received not in target.parents:
            return real(path, target)
        if done:
            real(path, target)
        raise PermissionError(13, "sharing violation")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        return factory.take_all()


def test_a_share_that_denies_a_move_it_has_made_costs_nothing(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
):
    """Of a floor plan there is no copy in the locker: the one file must not be tidied away."""
    factory.put("平面図.pdf", folder="T-21")
    take_while_open(factory, monkeypatch, done=True)

    assert [path.read_bytes() for path in factory.received.rglob("*.pdf")] == [PDF]


def test_two_processes_that_move_files_of_one_name_overwrite_nothing(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
):
    """The other one comes in between: after this one chose its name, before it moves."""
    for item, content in (("T-14", PDF + b"1"), ("T-15", PDF + b"2")):
        factory.put("名簿.pdf", content, folder=item)
    first, second = factory.scan().ready
    real = Path.replace

    def overtaken(path: Path, target: Path) -> Path:
        if path == first.path:
            factory.take(second)
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", overtaken)
        factory.take(first)

    folder = factory.received / MONTH
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "名簿.pdf": PDF + b"1",
        "名簿 (2).pdf": PDF + b"2",
    }


def withdraw(factory: Factory, evidence_id: str) -> None:
    with factory.store.write() as tx:
        set_evidence_state(tx, evidence_id, "withdrawn", BY, "誤り")


def test_a_withdrawn_file_that_never_left_the_drop_folder_stays_withdrawn(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
):
    """Open in Excel while it was taken and while it was withdrawn: the next rounds do not bring it back."""
    factory.put("名簿.pdf")
    take_while_open(factory, monkeypatch)
    withdraw(factory, "E-00001")

    still_open = take_while_open(factory, monkeypatch)
    closed = factory.take_all()

    assert [one.ids for one in (*still_open, *closed)] == [(), ()]
    assert [(one.id, one.withdrawn) for one in factory.held()] == [("E-00001", True)]


@pytest.mark.parametrize("saved_again", [True, False])
def test_after_it_left_it_can_be_handed_in_again(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, *, saved_again: bool
):
    """And so can the open one that was saved again since: its time says so."""
    file = factory.put("名簿.pdf")
    take_while_open(factory, monkeypatch)
    withdraw(factory, "E-00001")
    if saved_again:
        factory.touch(file, 1800)
    else:
        factory.take_all()
        factory.put("名簿.pdf")

    assert factory.take_all()[0].ids == ("E-00002",)


def test_a_locker_without_room_leaves_everything_as_it_was(factory: Factory):
    """No fact without the bytes behind it."""
    file = factory.put("名簿.pdf")
    (factory.root / "locker").write_text("in the way")

    with pytest.raises(CorruptStoreError):
        factory.take_all()

    assert factory.held() == ()
    assert file.exists()


def test_an_item_that_left_the_catalogue_is_told(factory: Factory):
    """The file stays where it is."""
    file = factory.put("名簿.pdf")
    (candidate,) = factory.scan().ready

    with pytest.raises(UsageError) as caught:
        factory.take(replace(candidate, item_ids=("T-14", "T-98", "T-99")))

    assert [str(one) for one in caught.value.problems] == [
        "no scheme has an item T-98",
        "no scheme has an item T-99",
    ]
    assert file.exists()


def test_the_same_number_in_two_schemes_serves_both(factory: Factory):
    """One folder, two schemes: the proof is for each of them."""
    factory.put("名簿.pdf")
    (candidate,) = factory.scan().ready

    factory.take(candidate, scopes={**SCOPES, "scs": SCOPES["tics"]})

    assert [one.criterion for one in factory.held()] == ["scs/T-14", "tics/T-14"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JPG", "photo"), ("a.png", "photo"), ("a.heic", "photo"), ("a.xlsx", "register"),
        ("a.csv", "register"), ("a.pdf", "document"), ("a.docx", "document"), ("a.eml", "record"),
        ("a.msg", "record"), ("a.txt", "record"),
        ("noending", "document"), ("a.unknown", "document"),
    ],
)  # fmt: skip
def test_what_a_name_suggests(name: str, kind: str):
    """Pictures are photos, tables registers, mails and notes records, all else documents."""
    assert kind_of(name) == kind


def add(
    factory: Factory, path: Path | None, items: tuple[str, ...] = ("T-14",), **changes: Any
) -> tuple[str, ...]:
    how: dict[str, Any] = {
        "kind": "document",
        "dated_on": date(2026, 11, 1),
        "valid_until": None,
        "keep_mode": None,
        "evidence_class": None,
        "note": "",
        "scopes": SCOPES,
        "handed_in_by": "tanaka",
    }
    return add_file(
        path, items=items, store=factory.store, locker=factory.locker, by=BY, **{**how, **changes}
    )


def test_a_file_is_added_by_command(factory: Factory):
    """It is kept, recorded for each item in the order asked for, and stays where it is."""
    file = factory.root / "規程.pdf"
    file.write_bytes(PDF)

    ids = add(factory, file, ("T-15", "tics/T-14"), note="第3版", evidence_class="confidential")

    assert ids == ("E-00001", "E-00002")
    assert [(one.criterion, one.valid_until) for one in factory.held()] == [
        ("tics/T-15", None),
        ("tics/T-14", date(2027, 11, 1)),
    ]
    assert {(one.note, one.evidence_class, one.handed_in_by, one.keep_mode) for one in factory.held()} == {
        ("第3版", "confidential", "tanaka", "copy")
    }
    assert file.exists()
    assert len(factory.kept_files()) == 1


def test_adding_the_same_again_gives_the_same_number(factory: Factory):
    """A command run twice adds once; another day is another piece."""
    file = factory.root / "規程.pdf"
    file.write_bytes(PDF)

    assert add(factory, file) == add(factory, file) == ("E-00001",)
    assert add(factory, file, dated_on=date(2026, 11, 2)) == ("E-00002",)


def test_period_kind_and_keeping_can_be_said(factory: Factory):
    """What is said outweighs the item; an empty kind is guessed."""
    file = factory.root / "写真.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n")

    add(factory, file, ("T-21",), kind="", valid_until=date(2026, 12, 31), keep_mode="copy")

    (held,) = factory.held()
    assert (held.kind, held.valid_until, held.keep_mode) == ("photo", date(2026, 12, 31), "copy")


@pytest.mark.parametrize("mode", ["paper", "on_site"])
def test_paper_and_on_site_proof_is_a_record_without_a_file(factory: Factory, mode: str):
    """Named by the first line of its description; no bytes, no hash.  Two of them are two."""
    first = add(factory, None, keep_mode=mode, note="受講記録（署名入り） 総務課キャビネット\n佐藤が確認")
    second = add(factory, None, keep_mode=mode, note="受講記録（署名入り） 総務課キャビネット\n佐藤が確認")

    held = factory.held()[0]
    assert (held.name, held.sha256, held.size, held.keep_mode) == (
        "受講記録（署名入り） 総務課キャビネット",
        "",
        0,
        mode,
    )
    assert (first, second) == (("E-00001",), ("E-00002",))
    assert factory.kept_files() == []


def test_everything_wrong_is_told_at_once(factory: Factory):
    """No file, no description, a period that ends before it begins, a way of keeping that nobody knows."""
    with pytest.raises(UsageError) as caught:
        add(factory, None, keep_mode="cloud", valid_until=date(2026, 10, 1))

    assert [str(one.message) for one in caught.value.problems] == [
        "cloud is no way to keep evidence",
        "without a file, evidence is on paper or shown on site",
        "say what it is, where it is kept and who saw it",
        "its last good day 2026-10-01 lies before its date 2026-11-01",
    ]
    assert factory.held() == ()


@pytest.mark.parametrize(("name", "content"), [("空.pdf", b""), ("run.exe", b"MZ\x90\0"), ("a.lnk", b"x")])
def test_what_the_folders_refuse_the_command_refuses_too(factory: Factory, name: str, content: bytes):
    """The same rules on both ways in."""
    file = factory.root / name
    file.write_bytes(content)

    with pytest.raises(UsageError, match="cannot be added"):
        add(factory, file)

    assert factory.kept_files() == []


def test_a_file_that_is_not_there_is_told(factory: Factory):
    """With the reason of the system."""
    with pytest.raises(UsageError) as caught:
        add(factory, factory.root / "なし.pdf")

    assert "it cannot be read: No such file" in str(caught.value.problems[0])


def test_an_english_company_gets_english_notes(factory: Factory):
    """The note follows the language that is handed in."""
    factory.put("台帳.pdf", folder="T-15")
    (candidate,) = factory.scan().ready

    factory.take(candidate, lang="en")

    assert factory.held()[0].note == "the kind follows the item: register (its name suggests: document)"


def test_a_second_locker_of_the_same_folder_sees_the_same_bytes(factory: Factory):
    """Nothing lives in the object."""
    factory.put("名簿.pdf")
    (taken,) = factory.take_all()

    assert Locker(factory.root / "locker").verify(taken.sha256) == "ok"
