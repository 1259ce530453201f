"""The law of the store: the log alone says where the company stands, and nobody changes it unseen."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.system.company import Company
from tests.system.history import KINDS
from ticssync.app.status import status_json
from ticssync.store import Event, Store, Transaction
from ticssync.store.events import verify_chain
from ticssync.store.store import erase_payload, replay
from ticssync.store.working import conflicts, refusals
from ticssync.text import Text

pytest_plugins = ["tests.servers.postgres_fixtures"]

FIELDS = tuple(Event.__dataclass_fields__)


@pytest.fixture(scope="module")
def events(lived: Company) -> list[Event]:
    return lived.events()


def says(tx: Transaction, lang: str, as_of: date | None) -> bytes:
    return json.dumps(status_json(tx, Text(lang), as_of), ensure_ascii=False).encode()


def replayed(lived: Company, events: list[Event], url: str = "sqlite://") -> Store:
    with lived.open() as workspace:
        into = Store.create(url, workspace.config.workspace, lived.clock)
    replay(events, into)
    return into


def test_the_story_holds_every_kind_of_fact(events: list[Event]) -> None:
    """Otherwise the tests below would say less than they seem to."""
    assert KINDS - {event.kind for event in events} == set()
    assert len(events) > 150


def test_the_log_replayed_into_an_empty_store_gives_the_same_status_byte_for_byte(
    lived: Company, events: list[Event], any_store_url: str
) -> None:
    into = replayed(lived, events, any_store_url)
    days = [None, date.today(), date.today() + timedelta(days=400)]
    with lived.open() as workspace, workspace.store.read() as here, into.read() as there:
        for day in days:
            for lang in ("ja", "en"):
                assert says(there, lang, day) == says(here, lang, day)
        assert conflicts(there, open_only=False) == conflicts(here, open_only=False)
        assert refusals(there) == refusals(here)
        assert there.head() == here.head()
    into.close()


def test_the_status_of_such_a_company_shows_all_that_happened(lived: Company) -> None:
    found = {one["id"]: one for one in lived.cli("status", "--json").json["criteria"]}

    assert {item: found[item]["state"] for item in ("T-01", "T-03", "T-40")} == {
        "T-01": "confirmed", "T-03": "returned", "T-40": "excluded",
    }  # fmt: skip
    assert (found["T-01"]["confirmed_by"], found["T-01"]["on_behalf"]) == ("佐藤 花子", True)
    assert any("C-0002" in problem for task in found["T-22"]["tasks"] for problem in task["problems"])
    assert any("title" in problem for task in found["T-05"]["tasks"] for problem in task["problems"])
    assert [task["binding"] for task in found["T-31"]["tasks"]] == ["detached", "detached"]


def test_the_chain_of_the_whole_log_holds(events: list[Event]) -> None:
    assert verify_chain(events) == ()


def other(value: object) -> object:
    """The value with its last character, or digit, changed."""
    if isinstance(value, int):
        return value + 1
    text = "" if value is None else str(value)
    return text[:-1] + ("y" if text.endswith("x") else "x")


@pytest.mark.parametrize("name", FIELDS)
def test_a_changed_field_of_any_event_is_found(events: list[Event], name: str) -> None:
    for at in {event.kind: number for number, event in enumerate(events)}.values():
        event = events[at]
        forged = [
            *events[:at],
            dataclasses.replace(event, **{name: other(getattr(event, name))}),
            *events[at + 1 :],
        ]

        assert verify_chain(forged), f"{name} of event {event.seq} ({event.kind})"


@pytest.mark.parametrize(
    "forge",
    [lambda events: events[1:], lambda events: [*events[:40], *events[41:]], lambda events: [*events[:40], events[41], events[40], *events[42:]], lambda events: [*events[:41], *events[40:]]],
    ids=["first one gone", "one gone", "two exchanged", "one twice"],
)  # fmt: skip
def test_events_that_are_missing_exchanged_or_doubled_are_found(
    events: list[Event], forge: Callable[[list[Event]], list[Event]]
) -> None:
    assert verify_chain(forge(events))


def test_erasing_a_payload_leaves_the_chain_whole_and_the_rest_readable(
    lived: Company, events: list[Event]
) -> None:
    into = replayed(lived, events)
    noted = next(event for event in events if event.kind == "evidence.added")
    with into.write() as tx:
        erase_payload(tx, noted.seq)
    with into.read() as tx:
        left = tx.events()
        erased = next(event for event in left if event.seq == noted.seq)

    assert verify_chain(left) == ()
    assert (erased.payload, erased.salt, erased.claimed_by, erased.data) == (None, None, None, {})
    again = replayed(lived, left)
    with again.read() as tx:
        assert json.loads(says(tx, "ja", None))["criteria"]
    into.close()
    again.close()


def forged(company: Company, statement: str, *values: object) -> None:
    with sqlite3.connect(company.store_file) as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = replace(payload, '46', '47') WHERE kind = 'scope.taken'",
        "UPDATE event SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 3",
        "UPDATE event SET actor = 'somebody@else' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 3",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    ],
    ids=["payload", "time", "actor", "one removed", "the last one removed"],
)
def test_doctor_finds_a_log_that_somebody_wrote_in(synced: Company, statement: str) -> None:
    forged(synced, statement)
    checks = synced.cli("doctor", "--json")
    found = {one["id"]: one["state"] for one in checks.json["checks"]}

    assert (checks.code, found["store.chain"]) == (1, "fail")


def test_nothing_that_people_wrote_is_changed_on_its_way_through_the_log(
    lived: Company, events: list[Event], tmp_path: Path
) -> None:
    words = {event.data["to"] for event in events if event.kind == "task.overwritten"}

    assert "勝手な題名" in words
    assert any("㊙ 棚の3段目" in (event.payload or "") for event in events if event.kind == "evidence.added")
