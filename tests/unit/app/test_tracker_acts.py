"""The confirmer confirms in the tracker: what counts, what is refused and shown, and that nothing counts twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import pytest

from tests.unit.app.office import MAPPING, PLACES, Office
from ticssync.app.doctor import doctor
from ticssync.app.sync_once import SyncResult
from ticssync.app.tracker_acts import NOT_READ, NOT_TAKEN
from ticssync.app.why import why
from ticssync.errors import UsageError
from ticssync.model.person import Role
from ticssync.testing.wire import Fault

DONE: Final = "確認済"
BY_STATUS: Final = (
    MAPPING.replace("完了: done,", "完了: done, 確認済: done,") + "confirm_when: {status: 確認済}\n"
)
BY_FIELD: Final = (
    MAPPING.replace("番号,", "番号, check: {to: 管理責任者確認, owner: tracker},")
    + "confirm_when: {field: 管理責任者確認, value: 確認済}\n"
)
HANAKO, MAKOTO, NOBODY, ROBOT = "1001", "1002", "1009", "900"


def people(office: Office, *, sato: str = HANAKO, more: str = "") -> None:
    """Who has which account in the tracker `a`."""
    file = office.root / "ticssync.yaml"
    text = file.read_text("utf-8")
    accounts = f"accounts: {{os: hanako, a: {json.dumps(sato)}}}" if sato else "accounts: {os: hanako}"
    start = text.index("accounts: {os: hanako")
    text = text[:start] + accounts + text[text.index("}}", start) + 1 :]
    if more:
        text = text.replace(
            "takasaki: {name: 髙﨑 誠}", f"takasaki: {{name: 髙﨑 誠, accounts: {{a: '{more}'}}}}"
        )
    file.write_text(text, "utf-8")


@pytest.fixture
def there(office: Office) -> Office:
    """A status of the tracker means 確認済; sato (管理責任者) has an account there.  T-01 and T-02 exist."""
    return ready(office, BY_STATUS)


def ready(office: Office, mapping: str) -> Office:
    ways = office.server().behaviour
    ways.statuses = (*ways.statuses, DONE)
    ways.fields = (*PLACES, "管理責任者確認")
    (office.root / "mapping.yaml").write_text(mapping, "utf-8")
    people(office)
    office.settle()
    return office


def confirms(office: Office, item: str = "T-01", author: str = HANAKO, **fields: str) -> None:
    """The confirmer sets the status (or the field) in the tracker."""
    office.clock.advance(60)
    server = office.server()
    server.person_sets(office.issues()[item].id, fields or {"状態": DONE}, author=author)
    office.clock.advance(60)


def told(result: SyncResult) -> list[dict[str, str]]:
    return [one for one in result.reports["a"].notices if one["id"] in (NOT_TAKEN, NOT_READ)]


def recorded(office: Office) -> list[dict[str, Any]]:
    return [event.data | {"actor": event.actor} for event in office.events("act.recorded")]


def test_what_the_manager_confirms_in_the_tracker_is_confirmed(there: Office) -> None:
    """`status` names the person and the way; the log the account that really acted, and the entry."""
    there.reported("T-01")
    confirms(there)
    result = there.sync()
    one = there.criterion("T-01")
    (act,) = recorded(there)
    (entry,) = [e for e in there.server().history([there.issues()["T-01"].id]).popitem()[1] if e.new == DONE]

    assert told(result) == []
    assert (one["state"], one["confirmed_by"], one["confirmed_via"]) == ("confirmed", "佐藤 花子", "tracker")
    assert one["entered_by"] == act["actor"] == "佐藤 花子 (1001)@a"
    assert (one["on_behalf"], one["confirmed_on"]) == (False, "2026-04-01")
    assert act["person"] == "sato"
    assert act["source"].split(":")[:4] == ["tracker", "a", there.issues()["T-01"].id, entry.id]
    assert [a.why for a in result.reports["a"].actions if a.action == "none"] != []


def test_a_word_of_thanks_after_it_leaves_it_confirmed(there: Office) -> None:
    """What people write beside the proof is kept, and is neither proof nor a change of it."""
    there.reported("T-01")
    confirms(there)
    there.sync()
    there.server().person_comments(there.issues()["T-01"].id, "ありがとうございました")
    there.clock.advance(120)
    result = there.sync()

    assert [a.action for a in result.reports["a"].actions if a.direction == "in"] == ["comment"]
    assert there.criterion("T-01")["state"] == "confirmed"


def test_the_proof_is_the_entry_as_it_was_read(there: Office) -> None:
    """It lies in the locker under its hash: tracker, issue key, entry and instant."""
    there.reported("T-01")
    confirms(there)
    there.sync()
    sha = recorded(there)[0]["proof"]
    with there.open() as workspace:
        kept = workspace.config.path(workspace.config.values.locker) / sha[:2] / sha[2:]
    proof = json.loads(kept.read_text("utf-8"))

    assert (proof["tracker"], proof["key"]) == ("a", there.issues()["T-01"].key)
    assert proof["entry"]["author"] == HANAKO
    assert (proof["entry"]["field"], proof["entry"]["new"]) == ("状態", DONE)
    assert proof["entry"]["at"].startswith("2026-04-01T")


def test_a_field_and_its_value_can_mean_confirmed(office: Office) -> None:
    ready(office, BY_FIELD)
    office.reported("T-01")
    confirms(office, 管理責任者確認="未")
    assert (office.sync() and office.state("T-01"), recorded(office)) == ("reported", [])

    confirms(office, 管理責任者確認="確認済")
    office.sync()

    assert office.criterion("T-01")["confirmed_via"] == "tracker"


def test_a_confirmation_is_asked_for_once_and_costs_idle_passes_nothing(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.sync()
    there.settle()
    events, asked = len(there.events()), there.server().requests["history"]
    there.sync()
    there.server().person_sets(there.issues()["T-01"].id, {"優先度": "high"})
    there.sync()

    assert there.server().requests["history"] == asked == 1
    assert len(recorded(there)) == 1
    assert len([one for one in there.events()[events:] if one.kind != "task.changed"]) == 0


def test_all_tasks_are_asked_for_at_once(there: Office) -> None:
    for item in ("T-01", "T-02"):
        there.reported(item)
    confirms(there, "T-01")
    confirms(there, "T-02")
    there.sync()

    assert there.server().requests["history"] == 1
    assert [there.state(item) for item in ("T-01", "T-02")] == ["confirmed", "confirmed"]


def test_a_dry_pass_takes_nothing(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.sync(dry=True)

    assert (there.server().requests["history"], recorded(there)) == (0, [])


def test_a_pass_that_only_reads_takes_it(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.sync(read_only=True)

    assert there.state("T-01") == "confirmed"


# -- what is refused


def _tanaka_reports(office: Office) -> None:
    file = office.root / "ticssync.yaml"
    entered = "tanaka: {name: 田中 一郎, accounts: {a: '1009'}}"
    file.write_text(file.read_text("utf-8").replace("tanaka: {name: 田中 一郎}", entered), "utf-8")
    office.reported("T-01")


REFUSED: Final[dict[str, tuple[Callable[[Office], None], str, str]]] = {
    "an account that is nobody's": (lambda office: office.reported("T-01"), NOBODY, "1009"),
    "our own account": (lambda office: office.reported("T-01"), ROBOT, "ticssync"),
    "evidence that is not complete": (lambda office: office.person("T-01", 状態="完了"), HANAKO, "佐藤 花子"),
    "a person without the role": (_tanaka_reports, NOBODY, "田中 一郎"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_confirmation_is_told_in_every_pass_and_recorded_in_none(there: Office, case: str) -> None:
    """One notice with who, what and the remedy, as long as it stands; no event, and one question."""
    before, author, word = REFUSED[case]
    before(there)
    there.settle()
    confirms(there, author=author)
    first = told(there.sync())
    there.settle()
    events = len(there.events())
    second = told(there.sync())

    assert [len(first), len(second), len(there.events()) - events] == [1, 1, 0]
    assert first[0]["id"] == NOT_TAKEN
    assert "T-01" in first[0]["message"]
    assert first[0]["fix"]
    assert word in json.dumps([first, second], ensure_ascii=False)
    assert recorded(there) == []
    assert there.state("T-01") != "confirmed"
    assert there.server().requests["history"] == 1


def test_the_notice_ends_with_the_status(there: Office) -> None:
    there.reported("T-01")
    confirms(there, author=NOBODY)
    assert len(told(there.sync())) == 1

    there.person("T-01", 状態="対応中")

    assert told(there.sync()) == []
    with there.open() as workspace, workspace.store.read() as tx:
        assert tx.meta("confirmed_there.a") is None


def test_an_account_that_is_entered_later_is_believed_then(there: Office) -> None:
    """The entry was good; only ticssync did not know whose account it was."""
    people(there, sato="")
    there.reported("T-01")
    confirms(there)
    there.sync()
    assert there.state("T-01") == "reported"

    people(there)
    there.clock.advance(60)

    assert told(there.sync()) == []
    assert there.criterion("T-01")["confirmed_by"] == "佐藤 花子"


def test_evidence_that_comes_after_it_is_not_confirmed_by_it(there: Office) -> None:
    """What the manager had not seen is not what the manager confirmed: it is set once more."""
    there.person("T-01", 状態="完了")
    there.settle()
    confirms(there)
    there.sync()
    there.proof("T-01")
    there.clock.advance(60)
    later = told(there.sync())
    assert [len(later), there.state("T-01")] == [1, "reported"]

    there.person("T-01", 状態="完了")
    there.sync()
    confirms(there)

    assert told(there.sync()) == []
    assert there.criterion("T-01")["confirmed_via"] == "tracker"


def test_work_that_is_done_after_it_is_not_confirmed_by_it(office: Office) -> None:
    """The manager ticked 確認済 while the work was under way; the member's 完了 is not the manager's word."""
    ready(office, BY_FIELD)
    office.person("T-01", 状態="対応中")
    office.proof("T-01")
    office.settle()
    confirms(office, 管理責任者確認="確認済")
    assert len(told(office.sync())) == 1

    office.person("T-01", 状態="完了")
    office.settle()

    assert len(told(office.sync())) == 1
    assert (office.state("T-01"), recorded(office)) == ("reported", [])


def test_our_own_account_confirms_nothing_though_it_is_entered_as_the_managers(there: Office) -> None:
    """A manager's own key given to ticssync: what ticssync writes would prove the manager's word."""
    people(there, sato=ROBOT)
    there.reported("T-01")
    confirms(there, author=ROBOT)

    assert len(told(there.sync())) == 1
    assert recorded(there) == []


def test_a_file_that_was_attached_after_it_is_not_confirmed_by_it(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.server().attach(there.issues()["T-01"].id, "差替え.pdf", b"other")

    assert len(told(there.sync())) == 1
    assert recorded(there) == []


def test_created_in_that_status_proves_nobody(there: Office) -> None:
    """A task whose history has no such entry: nobody is seen to have set it."""
    there.reported("T-01")
    confirms(there)
    there.server()._changes.clear()  # a tracker that was restored without its journals
    (notice,) = told(there.sync())

    assert "T-01" in notice["message"]
    assert recorded(there) == []


def test_the_role_counts_that_was_held_on_that_day(there: Office) -> None:
    """A manager whose term ended yesterday confirms nothing today, and what was set before it counts."""
    there.reported("T-01")
    there.reported("T-02")
    confirms(there, "T-01")
    there.clock.advance(timedelta(days=2).total_seconds())
    confirms(there, "T-02")
    file = there.root / "ticssync.yaml"
    last = date(2026, 4, 2).isoformat()
    file.write_text(
        file.read_text("utf-8").replace("manager: [sato]", f"manager: [{{person: sato, to: {last}}}]"),
        "utf-8",
    )
    with there.open() as workspace:
        assert workspace.config.organisation.roles_of("sato", "T-01", workspace.today) == ()
        assert Role.MANAGER in workspace.config.organisation.roles_of("sato", "T-01", date(2026, 4, 1))
    (notice,) = told(there.sync())

    assert "T-02" in notice["message"]
    assert [one["criterion"] for one in recorded(there)] == ["tics/T-01"]
    assert recorded(there)[0]["on"] == "2026-04-01"


def test_the_executive_confirms_the_managers_own_item(there: Office) -> None:
    people(there, more=MAKOTO)
    there.person("T-01", 担当=HANAKO)
    there.reported("T-01")
    confirms(there, author=MAKOTO)
    there.sync()
    (act,) = recorded(there)

    assert (act["person"], act["role"], act["self_confirmed"]) == ("takasaki", "executive", False)


def test_who_did_the_work_confirms_it_as_self_confirmation(there: Office) -> None:
    """By the same rule as on the command line."""
    there.person("T-01", 担当=HANAKO)
    there.reported("T-01")
    confirms(there)
    there.sync()

    assert there.criterion("T-01")["self_confirmed"] is True


# -- once only, and what a person decides afterwards


def test_an_entry_that_was_taken_back_is_not_taken_again_and_a_new_one_is(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.sync()
    there.act("withdraw", "T-01")
    there.settle()
    there.person("T-01", 件名="別の題")
    there.settle()
    assert (there.state("T-01"), len(recorded(there))) == ("reported", 2)

    there.person("T-01", 状態="完了")
    confirms(there)
    there.sync()

    assert there.state("T-01") == "confirmed"
    assert [one["kind"] for one in recorded(there)] == ["confirm", "withdraw", "confirm"]
    assert len({one["source"] for one in recorded(there) if one["source"]}) == 2


def test_a_return_wins_over_the_older_entry_even_where_it_was_not_read_yet(there: Office) -> None:
    there.reported("T-01")
    confirms(there)
    there.act("return", "T-01", reason="日付がない")
    first = there.sync()

    assert told(first) == []
    assert there.state("T-01") == "returned"
    assert [one["kind"] for one in recorded(there)] == ["return"]

    there.settle()
    assert there.issues()["T-01"].fields["状態"] == "対応中"


def test_a_return_after_a_confirmation_in_the_tracker_stands(there: Office) -> None:
    """The status is put back; confirmed anew by the next entry."""
    there.reported("T-01")
    confirms(there)
    there.sync()
    there.clock.advance(60)
    there.act("return", "T-01", reason="日付がない")
    there.settle()
    there.settle()
    assert there.state("T-01") == "returned"

    there.person("T-01", 状態="完了")
    there.settle()
    confirms(there)
    there.sync()

    assert there.state("T-01") == "confirmed"


def test_what_is_confirmed_otherwise_is_not_asked_back(there: Office) -> None:
    """The admin enters the signed paper (代行入力): the notice about the unknown account ends."""
    there.reported("T-01")
    confirms(there, author=NOBODY)
    assert len(told(there.sync())) == 1

    there.clock.advance(60)
    there.act("confirm", "T-01")

    assert told(there.sync()) == []
    assert there.criterion("T-01")["confirmed_via"] == "cli"


# -- trouble


def test_a_history_that_does_not_answer_is_asked_again_though_the_task_is_not_read_again(
    there: Office,
) -> None:
    there.reported("T-01")
    confirms(there)
    there.server().fail_next("history", Fault.NOT_SENT)
    (notice,) = told(there.sync())
    assert (notice["id"], recorded(there)) == (NOT_READ, [])

    there.clock.advance(60)

    assert told(there.sync()) == []
    assert there.state("T-01") == "confirmed"


def test_a_history_that_asks_for_time_gets_it(there: Office) -> None:
    """Throttled is honoured in full: the next pass leaves the tracker alone until then."""
    there.reported("T-01")
    confirms(there)
    there.server().fail_next("history", Fault.BUSY)
    there.sync()
    there.clock.advance(5)
    requests = there.server().request_count
    there.sync()
    assert there.server().request_count == requests

    there.clock.advance(120)
    there.sync()
    assert there.state("T-01") == "confirmed"


class Died(BaseException):
    """A power cut."""


def test_a_process_that_dies_before_the_history_is_asked_loses_nothing(there: Office) -> None:
    there.reported("T-01")
    confirms(there)

    def watch(point: str) -> None:
        if point == "before history":
            raise Died

    there.server().watch = watch
    with pytest.raises(Died):
        there.sync()
    there.server().watch = lambda _point: None
    there.clock.advance(1000)
    there.sync()

    assert there.state("T-01") == "confirmed"


def test_a_tracker_without_a_history_proves_nobody(there: Office) -> None:
    there.server().behaviour.keeps_history = False
    there.reported("T-01")
    confirms(there)
    (notice,) = told(there.sync())

    assert (notice["id"], recorded(there)) == (NOT_READ, [])


def test_the_log_alone_tells_it_again(there: Office) -> None:
    """A store made from the log answers with the same bytes, and forgets nothing of who and which way."""
    there.reported("T-01")
    confirms(there)
    there.sync()
    there.settle()

    assert there.keeps_the_law_of_replay()
    with there.open() as workspace:
        lines = [one for one in why(workspace, "T-01")["events"] if one["kind"] == "confirm"]
    assert [(one["channel"], one["actor"], one["claimed_by"]) for one in lines] == [
        ("tracker", "佐藤 花子 (1001)@a", "sato")
    ]


# -- before anything goes wrong: the mapping and the doctor


@pytest.mark.parametrize(
    ("rule", "line", "column", "word"),
    [
        ("{status: 対応中}", 8, 24, "doing"),
        ("{status: 承認}", 8, 24, "承認"),
        ("{field: cf_9, value: 確認済}", 8, 23, "cf_9"),
        ("{field: 状態, value: 確認済}", 8, 23, "状態"),
        ("{field: 確認状況, value: 確認済}", 8, 23, "confirmation"),
    ],
)
def test_a_sign_that_cannot_work_is_a_problem_of_the_mapping_with_its_place(
    office: Office, rule: str, line: int, column: int, word: str
) -> None:
    (office.root / "mapping.yaml").write_text(MAPPING + f"confirm_when: {rule}\n", "utf-8")
    with pytest.raises(UsageError) as refused:
        office.sync()
    (problem,) = refused.value.problems

    assert (problem.line, problem.column) == (line, column)
    assert word in problem.message


def checks(office: Office) -> dict[str, str]:
    office.close()
    from unittest import mock

    from ticssync.app import doctor as module
    from ticssync.app.workspace import open_workspace

    def opened(around: Any) -> Any:
        return open_workspace(around, extra=tuple(office.plugins.values())[:1])

    with mock.patch.object(module, "open_workspace", opened):
        return {
            one["id"]: one["message"] for one in doctor(office.around)["checks"] if one["state"] == "warn"
        }


def test_doctor_is_content_with_a_sign_that_works(there: Office) -> None:
    assert [one for one in checks(there) if one.startswith("tracker.a")] == []


def test_doctor_warns_of_a_status_that_the_live_tracker_does_not_have(there: Office) -> None:
    ways = there.server().behaviour
    ways.statuses = tuple(one for one in ways.statuses if one != DONE)

    assert DONE in checks(there)["tracker.a.confirm_when"]


def test_doctor_warns_of_a_field_that_the_live_tracker_does_not_have(office: Office) -> None:
    ready(office, BY_FIELD)
    office.server().behaviour.fields = PLACES

    assert "管理責任者確認" in checks(office)["tracker.a.confirm_when"]


def test_doctor_warns_where_no_manager_has_an_account_there(there: Office) -> None:
    people(there, sato="")

    assert "tracker.a.confirmers" in checks(there)


def test_doctor_warns_where_nothing_could_be_proven(there: Office) -> None:
    there.server().behaviour.keeps_history = False

    assert "tracker.a.history" in checks(there)
