"""What is ready in the drop folders, what waits, what is refused, and what nobody needs to hear of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ticssync.evidence.flags import Flag
from ticssync.evidence.folders import make_folders
from ticssync.evidence.hand_in import Look, Scan, scan
from ticssync.text import Text

from .factory import IDS, ITEMS, NOW, PDF, Factory


def ready(found: Scan) -> dict[str, tuple[str, ...]]:
    return {one.relative: one.item_ids for one in found.ready}


def refused(found: Scan) -> dict[str, str]:
    return {name: str(why) for name, why in found.refused}


def test_an_old_file_is_ready_at_the_first_look(factory: Factory):
    """A single command takes what has lain there; the place is written with slashes."""
    factory.put("教育の記録.pdf")

    found = factory.scan()

    (one,) = found.ready
    assert one.relative == "T-14_従業員を教育・訓練する/教育の記録.pdf"
    assert (one.item_ids, one.size) == (("T-14",), len(PDF))
    assert (factory.clock.now - one.mtime).total_seconds() == 3600
    assert (found.waiting, found.refused, dict(found.looks)) == ((), (), {})


def test_a_fresh_file_waits_until_it_has_been_at_rest(factory: Factory):
    """29 seconds are too few, at every look; 30 are enough."""
    file = factory.put("新しい.pdf", age=5)
    first = factory.scan()
    factory.clock.advance(29)
    second = factory.scan(first)
    factory.clock.advance(1)
    third = factory.scan(second)

    assert [bool(one.ready) for one in (first, second, third)] == [False, False, True]
    assert first.waiting == (file.relative_to(factory.drop).as_posix(),)
    assert first.looks == second.looks


def test_a_file_that_grows_starts_its_rest_anew(factory: Factory):
    """A copy over a slow line, with the original's old time: the size tells that it is not at rest."""
    file = factory.put("大きい.pdf", PDF, age=5)
    first = factory.scan()
    factory.clock.advance(60)
    file.write_bytes(PDF * 2)
    factory.touch(file, 3600)
    second = factory.scan(first)
    factory.clock.advance(10)
    third = factory.scan(second)
    factory.clock.advance(20)

    assert not second.ready
    assert not third.ready
    assert factory.scan(third).ready


def test_a_file_from_the_future_needs_two_looks(factory: Factory):
    """A camera's clock may be wrong: what has not changed for 30 seconds is at rest all the same."""
    factory.put("写真.png", b"\x89PNG\r\n\x1a\n", age=-86400)
    first = factory.scan()
    factory.clock.advance(30)

    assert not first.ready
    assert factory.scan(first).ready


def test_the_time_of_rest_is_handed_in(factory: Factory):
    """`rest_s` is in seconds."""
    factory.put("新しい.pdf", age=5)

    assert factory.scan(rest_s=5).ready
    assert not factory.scan(rest_s=6).ready


@pytest.mark.parametrize(
    "sign",
    [
        "~$議事録2026年.docx",
        "~$録2026年.docx",
        ".~lock.議事録2026年.docx#",
        "議事録2026年.docx.part",
        "議事録2026年.docx.crdownload",
    ],
)
def test_a_file_that_somebody_has_open_waits(factory: Factory, sign: str):
    """Excel, Word (which drops two letters), LibreOffice and browsers leave a sign beside the file."""
    file = factory.put("議事録2026年.docx", b"PK\x03\x04")
    beside = factory.put(sign, b"x")
    open_ = factory.scan()
    beside.unlink()
    closed = factory.scan(open_)

    name = file.relative_to(factory.drop).as_posix()
    assert name in open_.waiting
    assert not open_.ready
    assert ready(closed) == {name: ("T-14",)}


@pytest.mark.parametrize(
    "name",
    [
        "Thumbs.db",
        ".DS_Store",
        "desktop.ini",
        "~$名簿.xlsx",
        ".隠し.pdf",
        "._名簿.pdf",
        "~WRL0001.tmp",
        "置き方.txt",
    ],
)
@pytest.mark.parametrize("folder", ["T-14", "00_未分類", "."])
def test_what_systems_leave_behind_is_passed_over_in_silence(factory: Factory, name: str, folder: str):
    """Neither taken nor refused nor waiting, wherever it lies."""
    factory.put(name, b"x", folder=folder)

    found = factory.scan()

    assert (found.ready, found.waiting, found.refused) == ((), (), ())


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("名簿.lnk", b"L\0\0\0\x01\x14\x02\0", "it is a shortcut: put the file itself here"),
        ("規程.url", b"[InternetShortcut]\n", "it is a shortcut: put the file itself here"),
        ("名簿.pdf.exe", b"MZ\x90\0", "its name makes a program look like a document"),
        ("setup.exe", b"MZ\x90\0", "it is a program or a script"),
        ("名簿.pdf", b"MZ\x90\0", "it is a program or a script"),
        ("点検.ps1", b"Get-Item", "it is a program or a script"),
        ("空.pdf", b"", "it is empty (0 bytes)"),
    ],
)
def test_what_is_no_evidence_is_refused_once_it_is_at_rest(
    factory: Factory, name: str, content: bytes, why: str
):
    """Not before: at its beginning every copy is empty."""
    file = factory.put(name, content, age=1)
    young = factory.scan()
    factory.touch(file, 3600)

    assert (young.refused, len(young.waiting)) == ((), 1)
    assert refused(factory.scan()) == {file.relative_to(factory.drop).as_posix(): why}
    assert file.exists()


def test_what_is_refused_is_refused_at_every_look(factory: Factory):
    """The command run twice in a minute says the same twice."""
    factory.put("名簿.pdf", folder="00_未分類")
    first = factory.scan()
    factory.clock.advance(1)
    second = factory.scan(first)

    assert first.refused == second.refused != ()
    assert second.waiting == ()


def test_what_is_only_odd_is_taken_and_told(factory: Factory):
    """Macros, HEIC and a scanner's name do not stop a hand-in; the flags go along."""
    factory.put("SCAN0001.pdf")
    factory.put("台帳.xlsm", b"PK\x03\x04")

    flags = {one.path.name: one.flags for one in factory.scan().ready}

    assert Flag.SCANNER_NAME in flags["SCAN0001.pdf"]
    assert Flag.MACROS in flags["台帳.xlsm"]


def test_in_the_unsorted_folder_the_name_says_what_it_is_for(factory: Factory):
    """One file may serve several items; one that names none is refused."""
    factory.put("T-14,T-15_名簿.pdf", folder="00_未分類")
    factory.put("箱/T-21.pdf", folder="00_未分類")
    factory.put("名簿.pdf", folder="00_未分類")
    factory.put("T-99_名簿.pdf", folder="00_未分類")

    found = factory.scan()

    assert ready(found) == {
        "00_未分類/T-14,T-15_名簿.pdf": ("T-14", "T-15"),
        "00_未分類/箱/T-21.pdf": ("T-21",),
    }
    why = "its name does not begin with the number of an item, such as T-14_"
    assert refused(found) == {"00_未分類/名簿.pdf": why, "00_未分類/T-99_名簿.pdf": why}


def test_beside_the_folders_and_in_folders_of_others_the_name_counts_too(factory: Factory):
    """Nothing that people put down is overlooked."""
    factory.put("T-15_台帳.csv", b"a,b", folder=".")
    factory.put("memo.csv", b"a,b", folder=".")
    factory.put("総務/T-21_図.pdf", folder=".")
    factory.put("総務/図.pdf", folder=".")

    found = factory.scan()

    assert ready(found) == {"T-15_台帳.csv": ("T-15",), "総務/T-21_図.pdf": ("T-21",)}
    assert refused(found)["総務/図.pdf"] == "the folder 総務 does not begin with the number of an item"
    assert refused(found)["memo.csv"].startswith("its name does not begin")


def test_folders_inside_an_items_folder_count_for_the_item(factory: Factory):
    """However deep."""
    factory.put("2026年/11月/名簿.pdf")

    assert list(ready(factory.scan()).values()) == [("T-14",)]


def test_in_an_items_folder_a_name_may_add_items_but_not_replace_it(factory: Factory):
    """`T-14,T-15_` serves both; a name that speaks of another item alone does not outweigh the folder."""
    factory.put("T-14,T-15_名簿.pdf")
    factory.put("T-15_名簿.pdf")

    assert list(ready(factory.scan()).values()) == [("T-14", "T-15"), ("T-14",)]


@pytest.mark.parametrize("folder", ["00_未分類", "T-14", "."])
def test_a_name_that_lists_an_unknown_item_is_refused_and_told_which(factory: Factory, folder: str):
    """Also in an item's folder: taken for that item alone, the file would be missing for the other one."""
    file = factory.put("T-14,T-99_x.pdf", folder=folder)

    found = factory.scan()

    why = "its name lists T-99, and no scheme has such an item: correct the name"
    assert refused(found) == {file.relative_to(factory.drop).as_posix(): why}
    assert not found.ready


def test_what_was_received_is_not_looked_at_again(factory: Factory):
    """受付済 is where files end."""
    factory.put("2026-11/名簿.pdf", folder="受付済")

    found = factory.scan()

    assert (found.ready, found.waiting, found.refused) == ((), (), ())


def link(target: Path, file: Path) -> None:
    try:
        file.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this account may not make links")


def test_links_are_refused_and_not_followed(factory: Factory):
    """A link could lead to any file that this account can read: keys, the store, another's folder."""
    secret = factory.root / "secret"
    secret.mkdir()
    (secret / "key.pem").write_text("-----BEGIN")
    link(secret / "key.pem", factory.folder("T-14") / "名簿.pdf")
    link(secret, factory.folder("T-14") / "folder")

    found = factory.scan()

    assert not found.ready
    assert set(refused(found).values()) == {"it is a link or no file at all: put the file itself here"}
    assert len(found.refused) == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs rights that bind this account")
def test_a_file_that_cannot_be_read_yet_waits(factory: Factory):
    """As on Windows, where a program keeps its open file to itself."""
    factory.put("名簿.pdf").chmod(0)

    assert len(factory.scan().waiting) == 1


def test_a_file_that_cannot_be_opened_waits(factory: Factory, monkeypatch: pytest.MonkeyPatch):
    """Windows refuses to open what another program keeps to itself: it is tried again at the next look."""
    factory.put("名簿.xlsx", b"PK\x03\x04")
    real = Path.open

    def kept_by_excel(path: Path, *how: str, **named: str) -> object:
        if path.name == "名簿.xlsx":
            raise PermissionError(13, "sharing violation")
        return real(path, *how, **named)

    monkeypatch.setattr(Path, "open", kept_by_excel)

    assert factory.scan().waiting == ("T-14_従業員を教育・訓練する/名簿.xlsx",)


def test_a_missing_drop_folder_is_an_empty_one(tmp_path: Path):
    """Before `init` has made it there is nothing to take."""
    found = scan(tmp_path / "証跡受付", {}, NOW, IDS)

    assert (found.ready, found.waiting, found.refused) == ((), (), ())


def test_looks_of_files_that_are_gone_are_forgotten(factory: Factory):
    """The memory of looks does not grow for ever."""
    found = scan(factory.drop, {"T-14/gone.pdf": Look(1, 1, 1.0)}, factory.clock.now, IDS)

    assert dict(found.looks) == {}


def test_freshly_made_folders_hold_nothing_to_take(tmp_path: Path):
    """The instructions that are put there are no hand-in."""
    found = scan(make_folders(tmp_path, ITEMS, Text("ja")), {}, NOW, IDS)

    assert (found.ready, found.waiting, found.refused) == ((), (), ())
