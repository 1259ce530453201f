"""SQLite and PostgreSQL keep the same: the same events, the same bytes, the same rows, the same order of what happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from tests.servers.postgres_fixtures import NewDatabase
from tests.unit.sync.world import WORKSPACE, World

from ticssync.errors import CorruptStoreError
from ticssync.model.canonical import instant_text, storable_text
from ticssync.model.task import RemoteRef
from ticssync.store import By, Event, Store, schema, working
from ticssync.store.events import verify_chain
from ticssync.store.renames import rename_workspace
from ticssync.store.store import erase_payload, replay
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.clock import Clock

pytest_plugins = ["tests.servers.postgres_fixtures"]

BY = By("sato@pc", "cli", "佐藤")
WORDS = (
    "髙﨑㈱ 﨑陽軒", "㊙ 棚の3段目", "〜波ダッシュ～", "か\u3099 が", "👩‍👩‍👧 emoji", "\ufeffBOM", "a\tb\r\nc", "%s %(x)s :y ? $1 {z} \\ '\"", "ß ﬀ ı İ",
    "zZaA あア亜 ーｰ", "\U00020bb7野家", "\x7f\x01", " ", "",
)  # fmt: skip
UNKEPT = "半分\ud83d と NUL\x00 の後"
KEPT = storable_text(UNKEPT)


def history(world: World) -> World:
    """Two trackers, a first pass, edits on both sides, a conflict, a refusal, a task that is deleted."""
    world.settle()
    world.person("T-01", 状態="完了")
    world.person("T-02", 状態="対応中")
    world.settle()
    world.titles["T-03"] = "髙﨑㈱ の㊙ 〜 👩‍👩‍👧"
    world.person("T-03", 件名="勝手な題名")
    world.settle()
    world.person("T-02", "a", 状態="完了")
    world.person("T-02", "b", 状態="未着手")
    world.settle()
    world.server("a").delete(world.issue("T-01").id)
    world.clock.advance(90_000)
    world.settle()
    return world


@pytest.fixture(scope="module")
def lived() -> World:
    """The history in memory; only to be read."""
    return history(new_world(None))


def new_world(url: str | None) -> World:
    world = World(behaviours={"a": Behaviour(), "b": Behaviour()})
    if url is not None:
        world.store.close()
        world.store = Store.create(url, WORKSPACE, world.clock, salt=lambda: "0" * 32)
    return world


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in an order made here."""
    with store.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }


def test_one_history_leaves_the_same_rows_and_hashes_in_memory_in_a_file_and_on_a_server(
    lived: World, any_store_url: str
):
    there = history(new_world(any_store_url))
    mine, theirs = rows(lived.store), rows(there.store)

    assert mine == theirs
    assert {name for name, found in mine.items() if found} >= {
        "event",
        "head",
        "binding",
        "base",
        "task",
        "meta",
        "cursor",
    }
    kinds = {row[schema.event.c.keys().index("kind")] for row in mine["event"]}
    assert kinds >= {"task.bound", "task.changed", "conflict.opened", "task.overwritten", "task.state"}
    there.store.close()


def test_the_log_of_one_store_replayed_into_the_other_gives_the_same_derived_rows(
    lived: World, any_store_url: str
):
    with lived.store.read() as tx:
        events = tx.events()
    into = Store.create(any_store_url, WORKSPACE, Clock())
    replay(events, into)
    names = {table.name for table in schema.DERIVED} | {"event", "head"}

    assert {name: found for name, found in rows(into).items() if name in names} == {
        name: found for name, found in rows(lived.store).items() if name in names
    }
    into.close()


def test_what_people_write_comes_back_byte_for_byte(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.write() as tx:
        for number, words in enumerate(WORDS):
            tx.append("task.note", f"x{number}", BY, {"words": words})
            tx.put_meta(f"words {number} {words}", words)
        tx.put_meta("long", "髙" * 400_000)
    with store.read() as tx:
        assert [event.data["words"] for event in tx.events()] == list(WORDS)
        assert [tx.meta(f"words {number} {words}") for number, words in enumerate(WORDS)] == list(WORDS)
        assert tx.meta("long") == "髙" * 400_000
        assert verify_chain(tx.events()) == ()
    store.close()


def test_what_no_database_keeps_is_replaced_on_both_alike_and_the_chain_still_holds(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.write() as tx:
        tx.put_meta("half", UNKEPT)
        tx.append("task.note", UNKEPT, By(UNKEPT, "cli", UNKEPT), {"words": UNKEPT, UNKEPT: [UNKEPT]})
        working.put_memory(tx, "a", {UNKEPT: UNKEPT})
    with store.read() as tx:
        (event,) = tx.events()
        assert (tx.meta("half"), working.memory(tx, "a")) == (KEPT, {KEPT: KEPT})
        assert (event.subject, event.actor, event.claimed_by) == (KEPT, KEPT, KEPT)
        assert event.data["words"] == KEPT.removesuffix("\N{REPLACEMENT CHARACTER} の後") + "\x00 の後"
        assert tx.events(subject=UNKEPT) == [event]
        assert verify_chain([event]) == ()
    store.close()


def test_what_is_renamed_erased_and_forgotten_is_so_on_both(any_store_url: str):
    world = new_world(any_store_url)
    world.settle()
    with world.store.write() as tx:
        erase_payload(tx, 3)
        working.put_failure(tx, "a", "down", None)
        working.put_failure(tx, "a", "still down", world.clock())
        working.set_hot(tx, [RemoteRef("a", "9")], world.clock())
        rename_workspace(tx, "another000")
    copied = Store(world.store.engine, "another000", "x", world.clock)
    with copied.read() as tx:
        assert (tx.events()[2].payload, verify_chain(tx.events())) == (None, ())
        assert working.not_before(tx, "a") == instant_text(world.clock())
        assert RemoteRef("a", "9") in working.hot(tx, "a")
    with world.store.read() as tx:
        assert (tx.events(), tx.head()[0]) == ([], 0)
    copied.close()


def test_a_reader_sees_one_moment_however_long_it_reads(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.read() as reader:
        before = (reader.head(), reader.events(), reader.meta("x"))
        _append(store, 1)
        assert (reader.head(), reader.events(), reader.meta("x")) == before
    with store.read() as reader:
        assert (reader.head()[0], reader.meta("x")) == (1, "1")
    store.close()


def test_what_fails_in_the_middle_leaves_nothing_behind(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    before = rows(store)
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        tx.append("task.note", "x", BY, {})
        tx.put_meta("x", "1")
        raise ZeroDivisionError
    assert {name: found for name, found in rows(store).items() if found} == {
        name: found for name, found in before.items() if found
    }
    _append(store, 1)
    store.close()


def _append(store: Store, number: int) -> None:
    with store.write() as tx:
        tx.append("task.note", f"x{number}", BY, {"n": number})
        tx.put_meta("x", str(number))
        counted = int(tx.meta("counted") or 0)
        tx.put_meta("counted", str(counted + 1))


def test_writers_that_come_at_once_wait_for_each_other_from_the_very_first_on(any_store_url: str):
    """Four at once, each with a store of its own: no number is missing or double, no update is lost."""
    Store.create(any_store_url, WORKSPACE, Clock()).close()
    ready, wrong = threading.Barrier(4), list[BaseException]()

    def write(at: int) -> None:
        store = Store.open(any_store_url, WORKSPACE, Clock())
        try:
            ready.wait(30)
            for number in range(10):
                _append(store, at * 100 + number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)
        finally:
            store.close()

    _at_once([lambda at=at: write(at) for at in range(4)])
    store = Store.open(any_store_url, WORKSPACE, Clock())
    with store.read() as tx:
        events = tx.events()
        assert (wrong, tx.meta("counted")) == ([], "40")
    assert [event.seq for event in events] == list(range(1, 41))
    assert verify_chain(events) == ()
    store.close()


def _at_once(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not any(one.is_alive() for one in threads)


def test_of_two_that_make_the_same_store_at_once_one_is_told_that_it_stands_there(new_database: NewDatabase):
    url, told = new_database(), list[str]()

    def make() -> None:
        try:
            Store.create(url, WORKSPACE, Clock()).close()
            told.append("made")
        except CorruptStoreError as error:
            told.append(str(error))

    _at_once([make, make, make])
    assert sorted(one.rpartition(": ")[2] for one in told) == ["a store stands here already"] * 2 + ["made"]


def test_events_are_what_they_were_after_the_store_was_opened_anew(any_store_url: str):
    store = Store.create(any_store_url, WORKSPACE, Clock())
    with store.write() as tx:
        written: Event = tx.append("task.note", "x", BY, {"n": 1, "deep": {"é": [1, None, True, "㈱"]}})
    store.close()
    again = Store.open(any_store_url, WORKSPACE, Clock())
    with again.read() as tx:
        assert tx.events() == [written]
    again.close()
