"""Row 20 of the failure matrix: the store cannot be read or written.  Nothing is sent, the message is clear, all is as it was."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Final

import pytest

from tests.system.company import ITEMS, Company

pytestmark = pytest.mark.slow
PAGE: Final = 4096
ALL: Final = os.environ.get("TICSSYNC_FAULTS") == "all"


def sent_nothing(company: Company, book: bytes) -> bool:
    return company.book.read_bytes() == book


@pytest.fixture
def waiting(synced: Company) -> Company:
    """Something to take in and something to write."""
    synced.person({"T-01": {"status": "完了"}, "T-02": {"title": "だれかの題名"}})
    return synced


def goes_on(company: Company) -> None:
    """Once the store can be used again, the next sync does what was to be done, once."""
    ran = company.cli("sync", "--json")
    again = company.cli("sync", "--json")

    assert (ran.code, again.code, again.json["trackers"]["ledger"]["actions"]) == (0, 0, [])
    assert len(set(company.markers())) == len(company.markers()) == ITEMS
    assert {one.key.item: one.status for one in company.bound()}["T-01"] == "done"
    assert company.cell("T-02", "title") != "だれかの題名"


def test_a_store_that_another_program_holds_locked_is_waited_for_and_then_left(
    waiting: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ticssync.store.connection.BUSY_MS", 30)
    book = waiting.book.read_bytes()
    with closing(sqlite3.connect(waiting.store_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = waiting.cli("sync", "--json")

    assert (ran.code, "busy" in ran.json["error"]["message"]) == (3, True)
    assert sent_nothing(waiting, book)
    goes_on(waiting)


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from ticssync.cli import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
@pytest.mark.parametrize("kilobytes", [24, 1, 64] if ALL else [24])
def test_a_store_that_cannot_grow_stops_before_anything_is_sent(waiting: Company, kilobytes: int) -> None:
    """No file may become larger than this: the small log beside the store fills up, as on a full disk."""
    book = waiting.book.read_bytes()
    words = waiting.process_line("sync", "--json")[3:]
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED.format(size=kilobytes * 1024), *words],
        capture_output=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip
    error = json.loads(ran.stdout)["error"]

    assert (ran.returncode, error["code"], bool(error["message"])) == (5, "store", True)
    assert sent_nothing(waiting, book)
    goes_on(waiting)


def test_a_page_of_the_store_that_is_damaged_is_named_or_does_no_harm(waiting: Company) -> None:
    """Each page in turn (spread over the file in `make test`): either the damage is named and nothing is sent, or
    the page was not needed; never is a row made twice."""
    book, whole = waiting.book.read_bytes(), waiting.store_file.read_bytes()
    pages = range(1, len(whole) // PAGE, 1 if ALL else 60)
    named = 0
    for page in pages:
        damaged = bytearray(whole)
        damaged[page * PAGE : (page + 1) * PAGE] = b"\xff" * PAGE
        waiting.store_file.write_bytes(bytes(damaged))
        ran = waiting.cli("sync", "--json")
        named += ran.code == 5
        assert ran.code in (0, 5)
        assert ran.code == 0 or (ran.json["error"]["code"] == "store" and sent_nothing(waiting, book))
        assert len(set(waiting.markers())) == len(waiting.markers()) == ITEMS
        waiting.book.write_bytes(book)
        for file in waiting.store_file.parent.glob(f"{waiting.store_file.name}-*"):
            file.unlink()
    waiting.store_file.write_bytes(whole)

    assert len(pages) > 2
    assert named
    goes_on(waiting)
