"""Bad input of every kind: a message that names the place and what to do, the right exit code, nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.company import ITEMS, Company, Moment, found_company
from ticssync.app.places import network_file_system, wrong_place
from ticssync.shipped import shipped_mappings

Change = Callable[[Company], object]


@pytest.fixture(scope="module")
def kept(founded: Company, tmp_path_factory: pytest.TempPathFactory) -> Moment:
    """A company after its first sync; each test has it as it was."""
    root = tmp_path_factory.mktemp("bad") / "会社"
    shutil.copytree(founded.root, root)
    company = Company(root)
    company.sync()
    return Moment(company, root.with_name("kept"))


@pytest.fixture
def worn(kept: Moment) -> Company:
    return kept.back()


def everything(company: Company) -> tuple[bytes, bytes]:
    return company.book.read_bytes(), company.store_file.read_bytes()


# --- ticssync.yaml


def text(old: str, new: str) -> Change:
    return lambda company: company.edit_config(old, new)


def raw(change: Callable[[bytes], bytes]) -> Change:
    return lambda company: company.config.write_bytes(change(company.config.read_bytes()))


def as_shift_jis(content: bytes) -> bytes:
    return content.decode().replace("髙﨑", "高崎").encode("cp932")


WRONG_FILES: dict[str, tuple[Change, str, str]] = {
    "an unknown key": (text("store:", "stroe: x\nstore:"), "no such key", "stroe"),
    "a key that stands there twice": (text("store:", "version: 1\nstore:"), "twice", "version: 1\nstore"),
    "a text that YAML reads as a number": (text("number: TICS-0001", "number: 1.10"), "must be a text", "number: 1.10"),
    "a key that YAML reads as a number": (text("people:", "people:\n  1.10:\n    name: x"), "read as a number", "1.10:"),
    "Shift_JIS": (raw(as_shift_jis), "Shift_JIS", ""),
    "UTF-16": (raw(lambda content: content.decode().encode("utf-16")), "UTF-16", ""),
    "a full-width colon": (text("version: 1", "version：1"), "full-width colon", ""),
    "a tab": (text("  number: TICS", "\tnumber: TICS"), "tab", "\tnumber"),
    "nothing": (raw(lambda _: b""), "holds no settings", ""),
    "a list": (raw(lambda _: b"- a\n"), "holds no settings", "- a"),
    "an unknown kind of tracker": (text("kind: workbook", "kind: workbok"), "knows the kind workbok", "kind: workbok"),
    "a plugin that is not allowed": (text("plugins:\n  - ticssync-sheets", "plugins: []"), "knows the kind workbook", "kind: workbook"),
    "a time zone that there is not": (text("Asia/Tokyo", "Asia/Tokio"), "Asia/Tokio", "time_zone"),
    "a role for nobody": (text("manager:\n    - sato", "manager:\n    - nobody"), "nobody called nobody", "manager:"),
    "a store that no database knows": (text("sqlite:///ticssync.db", "mysql://root:canary-pw@x/y"), "sqlite:///", "store:"),
    "another way to reach people": (text("notify:\n  folder:", "notify:\n  pigeon:"), "channel pigeon", "pigeon"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_configuration_with_something_wrong_is_refused_with_line_and_column(
    worn: Company, name: str
) -> None:
    change, message, line = WRONG_FILES[name]
    change(worn)
    before = everything(worn)
    ran = worn.cli("sync", "--json")
    error = ran.json["error"]
    problem = next(one for one in error["problems"] if message in one["message"])
    number = (
        worn.config.read_bytes()
        .decode("utf-8", "replace")[: worn.config.read_text("utf-8", "replace").find(line)]
        .count("\n")
        + 1
    )

    assert (ran.code, error["code"]) == (2, "usage")
    assert problem["file"] == str(worn.config)
    assert problem["line"] == number if line else problem["line"] >= 1
    assert problem["column"] >= 1
    assert "canary-pw" not in ran.out + ran.err
    assert everything(worn) == before


def test_all_problems_of_a_file_are_told_at_once(worn: Company) -> None:
    for old, new in (
        ("store:", "stroe: x\nstore:"),
        ("number: TICS-0001", "number: 5"),
        ("Asia/Tokyo", "Mars"),
    ):
        worn.edit_config(old, new)

    assert len(worn.cli("status", "--json").json["error"]["problems"]) == 3


def test_a_file_with_a_byte_order_mark_is_read_as_it_is(worn: Company) -> None:
    worn.config.write_bytes(b"\xef\xbb\xbf" + worn.config.read_bytes())

    assert worn.cli("sync", "--json").code == 0


def test_the_companys_own_notes_are_passed_over(worn: Company) -> None:
    worn.edit_config("store:", "x-memo: 来月から変更 ㊙\nstore:")

    assert worn.cli("sync", "--json").code == 0


def test_a_plugin_that_is_not_allowed_is_named_with_what_to_add(worn: Company) -> None:
    worn.edit_config("plugins:\n  - ticssync-sheets", "plugins: []")
    (problem,) = worn.cli("sync", "--json").json["error"]["problems"]

    assert "ticssync-sheets" in problem["fix"]


def test_a_plugin_that_is_not_installed_is_named(worn: Company) -> None:
    worn.edit_config("- ticssync-sheets", "- ticssync-nowhere")
    ran = worn.cli("sync", "--json")

    assert (ran.code, "ticssync-nowhere" in ran.json["error"]["message"]) == (2, True)
    assert "pip install" in ran.json["error"]["fix"]


def test_a_missing_configuration_says_how_to_make_one(worn: Company) -> None:
    worn.config.unlink()
    ran = worn.cli("sync", "--json")

    assert ran.code == 2
    assert "ticssync init" in ran.json["error"]["problems"][0]["fix"]


# --- mapping files


def mapping(old: str, new: str) -> Change:
    def change(company: Company) -> None:
        content = (shipped_mappings() / "tics-2024" / "workbook.yaml").read_text("utf-8")
        assert old in content
        (company.office / "割り付け.yaml").write_text(content.replace(old, new, 1), "utf-8")
        company.edit_config("mapping: workbook", "mapping: 割り付け.yaml")

    return change


WRONG_MAPPINGS: dict[str, tuple[Change, str]] = {
    "a status that does not exist": (mapping("完了: done", "完了: finished"), "must be one of"),
    "no word for done": (mapping("  完了: done\n", ""), "stands for done"),
    "a template that reaches into values": (mapping("{{ title }}", "{{ title.__class__ }}"), "reach into"),
    "a template that calls": (mapping("{{ title }}", "{{ range(9) }}"), "call anything"),
    "a template that multiplies": (mapping("{{ title }}", "{{ title * 1000000000 }}"), "multiply"),
    "a template with an unknown name": (mapping("{{ title }}", "{{ titel }}"), "titel"),
    "a template that does not end": (mapping('"{{ title }}"', '"{{ title "'), "does not read"),
    "two fields in one column": (mapping("evidence: 証跡 ", "evidence: 項目 "), "both go to"),
    "a field of ours without a value": (mapping("evidence: 証跡 ", "mystery: 謎\n  evidence: 証跡 "), "does not know what to write"),
    "a changed item that does not exist": (mapping("on_confirm:", "overrides: {T-99: {title: x}}\non_confirm:"), "no item T-99"),
    "a starter that there is not": (text("mapping: workbook", "mapping: workbok"), "no starter mapping"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_MAPPINGS)
def test_a_mapping_with_something_wrong_stops_before_anything_is_written(worn: Company, name: str) -> None:
    change, message = WRONG_MAPPINGS[name]
    change(worn)
    before = everything(worn)
    ran = worn.cli("sync", "--json")
    problem = next(one for one in ran.json["error"]["problems"] if message in one["message"])

    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert problem["file"].endswith(".yaml")
    assert problem["line"] >= 1
    assert everything(worn) == before


def test_a_filter_that_fails_on_an_item_names_the_item_and_the_file(worn: Company) -> None:
    mapping('"{{ title }}"', '"{{ title | int(1, 2, 3) }}"')(worn)
    ran = worn.cli("sync", "--json")
    (problem,) = ran.json["error"]["problems"]

    assert (ran.code, "T-01" in problem["message"], problem["file"].endswith("割り付け.yaml")) == (
        2,
        True,
        True,
    )


def test_a_mapping_file_that_is_not_there_says_who_names_it(worn: Company) -> None:
    worn.edit_config("mapping: workbook", "mapping: nowhere.yaml")
    (problem,) = worn.cli("sync", "--json").json["error"]["problems"]

    assert "nowhere.yaml" in problem["message"]
    assert "ticssync.yaml" in problem["fix"]


# --- the workbook


def encrypted(_: bytes) -> bytes:
    """The beginning of a compound file with the streams of an encrypted workbook (MS-CFB, MS-OFFCRYPTO)."""
    free, end, nothing = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF

    def entry(name: str, kind: int, right: int = nothing, child: int = nothing) -> bytes:
        words = name.encode("utf-16-le") + b"\0\0"
        head = words.ljust(64, b"\0") + struct.pack("<HBBIII", len(words), kind, 1, nothing, right, child)
        return head + bytes(36) + struct.pack("<IQ", end, 0)

    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0, 0) + struct.pack("<I", free) * 108
    table = struct.pack("<II", 0xFFFFFFFD, end) + struct.pack("<I", free) * 126
    folder = (
        entry("Root Entry", 5, child=1) + entry("EncryptedPackage", 2, right=2) + entry("EncryptionInfo", 2)
    )
    return header + table + folder + bytes(128)


def file(change: Callable[[bytes], bytes]) -> Change:
    return lambda company: company.book.write_bytes(change(company.book.read_bytes()))


def sheet(change: Callable[[Company, Any], object]) -> Change:
    def changed(company: Company) -> None:
        with company.spreadsheet() as found:
            change(company, found)

    return changed


WRONG_BOOKS: dict[str, tuple[Change, str]] = {
    "without the column of ids": (sheet(lambda _, found: found.delete_cols(2)), "ticssync-id"),
    "with another head over the ids": (sheet(lambda company, found: found.cell(company.row("T-01") - 1, 2, "x")), "ticssync-id"),
    "without its header row": (sheet(lambda company, found: found.delete_rows(company.row("T-01") - 1)), "番号"),
    "encrypted": (file(encrypted), "暗号化"),
    "cut in half": (file(lambda content: content[: len(content) // 2]), "途中で切れて"),
    "not a workbook": (file(lambda _: "番号,項目\n".encode("cp932")), "Excel ブック"),
    "of 0 bytes": (file(lambda _: b""), "0 バイト"),
    "an old .xls": (file(lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)), ".xls"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_BOOKS)
def test_a_workbook_that_cannot_be_trusted_stops_with_exit_5_and_what_to_do(worn: Company, name: str) -> None:
    change, message = WRONG_BOOKS[name]
    change(worn)
    before, events = worn.book.read_bytes(), worn.events()
    ran = worn.cli("sync", "--json")
    found = ran.json["trackers"]["ledger"]
    shown = worn.cli("sync")

    assert (ran.code, found["state"]) == (5, "safety_stop")
    assert message in found["message"]
    assert "→" in shown.out
    assert worn.book.read_bytes() == before
    assert worn.events() == events
    assert [one.state.value for one in worn.bound()] == ["live"] * ITEMS
    assert worn.cli("doctor").code == 1


def test_two_equal_ids_are_one_row_and_its_copy(worn: Company) -> None:
    sheet(
        lambda company, found: found.cell(company.row("T-02"), 2, found.cell(company.row("T-01"), 2).value)
    )(worn)
    ran = worn.cli("sync", "--json")

    assert "workbook.copied_row" in {one["id"] for one in ran.json["trackers"]["ledger"]["notices"]}
    assert "B7" in next(
        one["message"]
        for one in ran.json["trackers"]["ledger"]["notices"]
        if one["id"] == "workbook.copied_row"
    )
    assert len(worn.markers()) == len(set(worn.markers()))


def test_a_workbook_put_back_after_a_stop_goes_on_where_it_was(worn: Company) -> None:
    good = worn.book.read_bytes()
    worn.book.write_bytes(good[:1000])
    stopped = worn.cli("sync", "--json").code
    worn.book.write_bytes(good)
    ran = worn.cli("sync", "--json")

    assert (stopped, ran.code, ran.json["trackers"]["ledger"]["actions"]) == (5, 0, [])


# --- the store


def sql(statement: str) -> Change:
    def change(company: Company) -> None:
        with sqlite3.connect(company.store_file) as connection:
            connection.execute(statement)
        connection.close()

    return change


def damaged(company: Company) -> None:
    content = bytearray(company.store_file.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    company.store_file.write_bytes(bytes(content))


WRONG_STORES: dict[str, tuple[Change, str, str]] = {
    "of a newer version": (sql("UPDATE alembic_version SET version_num = '9999'"), "newer version", "newer ticssync"),
    "that is missing": (lambda company: company.store_file.unlink(), "no store", "ticssync init"),
    "of another workspace": (text("  id: ", "  id: zzzzzzzzzz\n  x-id: "), "belongs to workspace", "put the id back"),
    "that is damaged": (damaged, "damaged", "backup"),
    "that is cut short": (lambda company: company.store_file.write_bytes(company.store_file.read_bytes()[:5000]), "damaged", "backup"),
    "that is no database": (lambda company: company.store_file.write_bytes(b"x" * 9999), "damaged", "backup"),
    "that is empty": (lambda company: company.store_file.write_bytes(b""), "not a store", "backup"),
    "that is somebody else's database": (lambda company: (company.store_file.unlink(), sql("CREATE TABLE a (b)")(company)), "not a store", "backup"),
    "that is a folder": (lambda company: (company.store_file.unlink(), company.store_file.mkdir()), "cannot be used", "account"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_STORES)
def test_a_store_that_cannot_be_trusted_stops_every_command_with_exit_5(worn: Company, name: str) -> None:
    change, message, remedy = WRONG_STORES[name]
    change(worn)
    book = worn.book.read_bytes()
    for command in (("sync",), ("plan",), ("evidence", "take"), ("bundle", "export"), ("daemon", "--once")):
        ran = worn.cli(*command, "--json")
        error = ran.json["error"]

        assert (ran.code, error["code"]) == (5, "store"), command
        assert message in error["message"]
        assert remedy in error["fix"]
    checked = worn.cli("doctor", "--json")

    assert (checked.code, checked.json["checks"][-1]["state"]) == (1, "fail")
    assert worn.book.read_bytes() == book


def test_a_moved_folder_stops_until_a_person_says_that_it_was_moved(worn: Company, tmp_path: Path) -> None:
    moved = Company(tmp_path / "新しい場所")
    shutil.copytree(worn.root, moved.root)
    stopped = moved.cli("sync", "--json")
    said = moved.cli("rebind", "--moved", "--json")
    ran = moved.cli("sync", "--json")

    assert (stopped.code, "rebind --moved" in stopped.json["error"]["fix"]) == (5, True)
    assert (said.code, ran.code) == (0, 0)
    assert (ran.json["trackers"]["ledger"]["created"], len(moved.rows())) == (0, ITEMS)


def test_a_copied_folder_gets_an_id_of_its_own_and_leaves_the_first_ones_rows_alone(
    worn: Company, tmp_path: Path
) -> None:
    copied = Company(tmp_path / "写し")
    shutil.copytree(worn.office, copied.office)
    copied.shared.mkdir()
    stopped = copied.cli("sync", "--json")
    said = copied.cli("rebind", "--copied", "--json")
    ran = copied.cli("sync", "--json")
    first = worn.cli("sync", "--json")

    assert (stopped.code, said.code, ran.code, first.code) == (5, 0, 0, 0)
    assert said.json["workspace"] in copied.config.read_text("utf-8")
    assert set(copied.markers()).isdisjoint(worn.markers())
    assert len(copied.rows()) == ITEMS
    assert first.json["trackers"]["ledger"]["actions"] == []


def test_a_copy_that_still_points_at_the_first_ones_workbook_writes_nothing_there(
    worn: Company, tmp_path: Path
) -> None:
    copied = Company(tmp_path / "写し")
    shutil.copytree(worn.office, copied.office)
    copied.edit_config("path: ../共有", f"path: {worn.shared.as_posix()}")
    copied.cli("rebind", "--copied")
    before = worn.book.read_bytes()
    ran = copied.cli("sync", "--json")

    assert ran.code == 5
    assert worn.book.read_bytes() == before


def test_a_tracker_with_another_name_in_the_file_stops_until_it_is_renamed(worn: Company) -> None:
    worn.edit_config("  ledger:\n    kind", "  daicho:\n    kind")
    before = worn.book.read_bytes()
    stopped = worn.cli("sync", "--json")
    renamed = worn.cli("tracker", "rename", "ledger", "daicho", "--json")
    ran = worn.cli("sync", "--json")

    assert (stopped.code, "ticssync tracker rename ledger" in stopped.json["error"]["fix"]) == (5, True)
    assert (renamed.code, ran.code, ran.json["trackers"]["daicho"]["actions"]) == (0, 0, [])
    assert worn.book.read_bytes() == before


def test_a_dropped_tracker_leaves_its_rows_as_they_are(worn: Company) -> None:
    worn.edit_config(
        "  ledger:\n    kind: workbook\n    path: ../共有/TICS",
        "  other:\n    kind: workbook\n    path: ../共有/別の",
    )
    before = worn.book.read_bytes()
    dropped = worn.cli("tracker", "drop", "ledger", "--json")
    ran = worn.cli("sync", "--json")

    assert (dropped.code, ran.code, ran.json["trackers"]["other"]["created"]) == (0, 0, ITEMS)
    assert worn.book.read_bytes() == before


# --- places


@pytest.mark.parametrize("place", ["//srv/share/TICS", "\\\\srv\\share\\TICS"])
def test_a_unc_path_is_a_network_drive(place: str) -> None:
    assert network_file_system(Path(place), "") == "UNC"
    assert wrong_place(Path(place), "") is not None


def test_a_folder_on_a_mounted_share_is_a_network_drive_and_its_neighbour_is_not() -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\n//srv/x /mnt/共有\\040TICS cifs rw 0 0\n/dev/sdb1 /mnt/共有\\040TICS/local ext4 rw 0 0\n"

    assert network_file_system(Path("/mnt/共有 TICS/管理"), mounts) == "cifs"
    assert network_file_system(Path("/mnt/共有 TICS/local/管理"), mounts) == ""
    assert network_file_system(Path("/mnt/共有 TICS2"), mounts) == ""


def test_init_refuses_a_synchronised_folder_and_leaves_nothing_there(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ticssync.cli import root

    target = tmp_path / "OneDrive - 小出精密" / "管理"
    ran = CliRunner().invoke(root, ["init", str(target), "--non-interactive", "--json", "--lang", "en"])

    assert (ran.exit_code, "OneDrive" in ran.stdout) == (5, True)
    assert not target.exists()


def test_a_shared_folder_that_is_not_connected_is_not_begun_anew(worn: Company) -> None:
    shutil.rmtree(worn.shared)
    codes = [
        worn.cli(*command, "--json").code
        for command in (("sync",), ("evidence", "take"), ("daemon", "--once"))
    ]

    assert codes == [3, 3, 3]
    assert not worn.shared.exists()
    assert [one.state.value for one in worn.bound()] == ["live"] * ITEMS


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_without_the_right_to_write_is_named(worn: Company) -> None:
    worn.office.chmod(0o500)
    try:
        ran = worn.cli("sync", "--json")
    finally:
        worn.office.chmod(0o700)

    assert (ran.code, "may not be written" in ran.json["error"]["message"]) == (5, True)


# --- a disk that is full or may only be read


def test_a_workbook_that_finds_no_room_stays_as_it_was_and_is_written_later(
    worn: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    worn.person({"T-01": {"title": "x"}})
    before, fsync = worn.book.read_bytes(), os.fsync

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ran = worn.cli("sync", "--json")
    monkeypatch.setattr(os, "fsync", fsync)
    held = worn.book.read_bytes()
    after = worn.cli("sync", "--json")

    assert (ran.code, ran.json["trackers"]["ledger"]["state"], held) == (3, "unavailable", before)
    assert "No space left" in ran.json["trackers"]["ledger"]["message"]
    assert (after.code, after.json["trackers"]["ledger"]["updated"]) == (0, 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB, where this account may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not shutil.which("mount") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    ).returncode:
        pytest.skip("this system does not let us mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> Path:
    filler = place / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 4096)
        except OSError:
            return filler


def test_a_full_disk_stops_before_anything_is_sent_and_loses_nothing(small_disk: Path) -> None:
    company = found_company(small_disk / "会社")
    company.sync()
    company.person({"T-01": {"status": "完了"}})
    before = everything(company)
    filler = fill(small_disk)
    ran = company.cli("sync", "--json")
    held = everything(company)
    filler.unlink()
    after = company.cli("sync", "--json")

    assert (ran.code, "is full" in ran.json["error"]["message"]) == (5, True)
    assert "make room" in ran.json["error"]["fix"]
    assert held == before
    assert (after.code, after.json["trackers"]["ledger"]["pulled"]) == (0, 1)
    assert company.cell("T-01", "status") == "完了"


def test_a_disk_that_may_only_be_read_is_named_as_that(small_disk: Path) -> None:
    company = found_company(small_disk / "会社")
    company.sync()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ran = company.cli("sync", "--json")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    after = company.cli("sync", "--json")

    assert (ran.code, "may not be written" in ran.json["error"]["message"]) == (5, True)
    assert (after.code, after.json["trackers"]["ledger"]["actions"]) == (0, [])
