"""Two processes may write at once: nothing is lost, and what was committed is on the disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from ticssync.store import By, Store
from ticssync.store.events import verify_chain
from ticssync.testing.clock import Clock

TIMES = 25


def open_store(file: Path) -> Store:
    return Store.open(f"sqlite:///{file}", "company", Clock())


def test_of_two_that_read_and_write_at_once_neither_loses_its_work(tmp_path: Path) -> None:
    """As a command and the daemon do: each reads a value and writes what follows from it."""
    file, together = tmp_path / "ticssync.db", Barrier(2, timeout=30)
    Store.create(f"sqlite:///{file}", "company", Clock()).close()

    def count(name: str) -> None:
        store = open_store(file)
        together.wait()
        for _ in range(TIMES):
            with store.write() as tx:
                number = int(tx.meta("count") or "0")
                tx.append("test.counted", name, By("test@host"), {"number": number})
                tx.put_meta("count", str(number + 1))
        store.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, ("one", "other")))

    store = open_store(file)
    with store.read() as tx:
        events = tx.events()
        assert tx.meta("count") == str(2 * TIMES)
    assert [event.data["number"] for event in events] == list(range(2 * TIMES))
    assert verify_chain(events) == ()
    store.close()


def test_a_commit_is_on_the_disk_before_anything_is_sent(tmp_path: Path) -> None:
    """SQLite calls it FULL (2): with less a power cut may take back an intent that was committed before its create."""
    store = Store.create(f"sqlite:///{tmp_path / 'ticssync.db'}", "company", Clock())

    with store.write() as tx:
        told = {
            name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode")
        }

    assert told == {"synchronous": 2, "journal_mode": "wal"}
    store.close()
