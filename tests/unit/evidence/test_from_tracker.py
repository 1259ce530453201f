"""Which notes and files of a task become evidence, and under which name."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticssync.evidence import from_tracker as rules
from ticssync.evidence.from_tracker import Collects
from ticssync.model.task import Attachment, Comment, RemoteRef, RemoteTask
from ticssync.text import Text

OWN = frozenset({"900"})
ALL = Collects(notes=True, files=True)
AT = datetime(2026, 11, 24, 15, 30, tzinfo=timezone.utc)
"""Half past midnight of the 25th in Japan."""


def note(text: str, ident: str = "1", author: str = "1001", *, private: bool = False) -> Comment:
    return Comment(ident, text, author, AT, private)


def taken(*notes: Comment, collects: Collects = ALL, known: dict[str, str] | None = None) -> list[str]:
    return [one.id for one in rules.new_notes(notes, collects, OWN, known or {})]


def test_a_note_of_a_person_is_taken():
    assert taken(note("棚卸しました")) == ["1"]


@pytest.mark.parametrize("text", ["", "  \n\r\n "])
def test_a_note_that_only_accompanies_a_change_of_fields_is_none(text: str):
    assert taken(note(text)) == []


def test_a_note_of_our_own_account_is_none():
    assert taken(note("差し戻します", author="900")) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_note_with_our_sign_on_a_line_of_its_own_is_ours_whatever_the_account(end: str):
    assert taken(note(f"差し戻します{end}{end}[ticssync 0123456789ab]{end}")) == []


def test_a_person_who_quotes_our_note_is_still_a_person():
    assert taken(note("> [ticssync 0123456789ab]\n直しました")) == ["1"]


def test_a_private_note_is_taken_only_where_the_company_says_so():
    private = note("社内だけ", private=True)
    assert taken(private) == []
    assert taken(private, collects=Collects(notes=True, private_notes=True)) == ["1"]


def test_a_known_wording_is_not_taken_again_and_a_new_one_is():
    known = {"note:1": rules.note_digest(note("棚卸しました"))}
    assert taken(note("棚卸しました"), known=known) == []
    assert taken(note("棚卸しました\r\n"), known=known) == []
    assert taken(note("棚卸をやり直しました"), known=known) == ["1"]


def test_the_text_of_a_note_says_which_task_who_and_when_in_the_company_s_zone():
    content = rules.note_file(
        note("髙﨑㈱ ㊙\r\nが"), "#123", "tics/T-14", "佐藤 花子", ZoneInfo("Asia/Tokyo"), Text("en")
    ).decode("utf-8")
    assert content == (
        "Task: #123 (tics/T-14)\nWritten by: 佐藤 花子\nWritten at: 2026-11-25 00:30:00 (Asia/Tokyo)\n\n"
        "髙﨑㈱ ㊙\r\nが\n"
    )


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("佐藤 花子", "T-14 comment 2026-11-25 佐藤花子.txt"),
        ("../a\\b:c\x00", "T-14 comment 2026-11-25 abc.txt"),
        ("", "T-14 comment 2026-11-25.txt"),
    ],
)
def test_the_name_of_a_note_is_good_as_a_file_s_name(author: str, name: str):
    assert rules.note_name("T-14", "2026-11-25", author, Text("en")) == name


@given(st.text())
def test_no_author_makes_a_path_of_a_note_s_name(author: str):
    name = rules.note_name("T-14", "2026-11-25", author, Text("en"))
    assert not set(name) & set('\\/:*?"<>|\n\r\0')
    name.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("TICS_報告__0123abcd.pdf", "0123abcd"),
        ("TICS_報告__0123abcd", "0123abcd"),
        ("a__00000000__0123abcd.zip", "0123abcd"),
        ("TICS_報告__0123ABCD.pdf", ""),
        ("TICS_報告__0123abc.pdf", ""),
        ("TICS_報告_0123abcd.pdf", ""),
        ("__0123abcd.tar.gz", ""),
    ],
)
def test_a_name_of_ours_ends_in_eight_digits_of_a_hash(name: str, own: str):
    assert rules.own_hash(name) == own


def test_files_of_which_something_is_known_are_not_fetched_again():
    files = [Attachment("4", "a.pdf", 1), Attachment("45", "a.pdf", 1)]
    assert [one.id for one in rules.new_files(files, {"attachment:4", "note:45"})] == ["45"]


def test_a_file_that_left_and_one_that_came_back_are_told_once():
    files = [Attachment("2", "b", 1), Attachment("3", "c", 1)]
    known = {"attachment:1": False, "attachment:2": True, "attachment:3": False, "attachment:4": True}
    assert rules.changed_presence(files, known) == (("attachment:1",), ("attachment:2",))


def test_a_task_is_looked_at_again_when_the_company_changes_what_is_taken():
    stamps = {
        Collects(notes, private, files).stamp("7")
        for notes in (True, False)
        for private in (True, False)
        for files in (True, False)
    }
    # Private notes alone mean nothing where notes are not taken.
    assert len(stamps) == 6


def test_a_task_without_version_and_time_never_counts_as_collected():
    bare = RemoteTask(RemoteRef("a", "1"), {})
    assert ALL.stamp(rules.version_of(bare)) == ""
    assert ALL.stamp(rules.version_of(RemoteTask(RemoteRef("a", "1"), {}, updated_at=AT)))
