"""Row 12 of the failure matrix: a status set between our reading and our writing is lost there, and kept in the log here."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.unit.app.office import Office
from ticssync.evidence.written_over import written_over
from ticssync.plugin import FieldChange

WORDS = {"1": "todo", "2": "doing", "3": "done", "4": "wont_do", "5": "review"}
AT = datetime(2026, 4, 1, tzinfo=timezone.utc)
US, PERSON = "900", "1001"


def history(*steps: tuple[str, str, str], field: str = "status_id") -> list[FieldChange]:
    """(who, from, to) …"""
    return [
        FieldChange(str(number), field, old, new, who, AT) for number, (who, old, new) in enumerate(steps)
    ]


LOST = {
    "a person in between": ([(PERSON, "1", "3"), (US, "3", "4")], "0"),
    "before a way of two moves": ([(PERSON, "1", "3"), (US, "3", "2"), (US, "2", "4")], "0"),
    "after an earlier write of ours": ([(US, "5", "1"), (PERSON, "1", "3"), (US, "3", "4")], "1"),
    "several people": ([(PERSON, "1", "2"), (PERSON, "2", "3"), (US, "3", "4")], "1"),
    "somebody again afterwards": ([(PERSON, "1", "3"), (US, "3", "4"), (PERSON, "4", "2")], "0"),
}
KEPT = {
    "nobody": [(US, "1", "4")],
    "a way of two moves": [(US, "1", "2"), (US, "2", "4")],
    "what we had read": [(PERSON, "5", "1"), (US, "1", "4")],
    "an earlier write of ours": [(US, "5", "1"), (US, "1", "4")],
    "not ours": [(PERSON, "1", "4")],
    "nothing": [],
}


@pytest.mark.parametrize("name", LOST)
def test_what_stood_there_when_we_wrote_is_found_in_the_history(name: str) -> None:
    steps, lost = LOST[name]
    found = written_over(history(*steps), "status_id", WORDS, {US}, "todo", "wont_do")

    assert found is not None
    assert found.id == lost


@pytest.mark.parametrize("name", KEPT)
def test_nothing_is_said_to_be_lost_where_nothing_was(name: str) -> None:
    found = [
        written_over(history(*KEPT[name], field=field), "status_id", WORDS, {US}, "todo", "wont_do")
        for field in ("status_id", "priority_id")
    ]

    assert found == [None, None]


def test_a_status_that_our_write_ran_over_is_kept_in_the_log_once_and_shown(office: Office) -> None:
    office.settle()
    office.clock.advance(120)
    number, server = office.issues()["T-01"].id, office.server()
    office.act("exclude", "T-01", reason="対象の設備がない", proof="承認書")

    def meanwhile(point: str) -> None:
        if point == "before update":
            server.watch = lambda _point: None
            server.person_sets(number, {"状態": "完了"})

    server.watch = meanwhile
    office.clock.advance(60)
    office.sync()
    for _ in range(3):
        office.clock.advance(120)
        office.sync()

    assert office.issues()["T-01"].fields["状態"] == "対象外"
    (event,) = office.events("task.overwritten")
    assert (event.data["field"], event.data["from"], event.data["to"]) == ("status", "todo", "done")
    assert office.keeps_the_law_of_replay()
