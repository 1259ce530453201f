"""One pass over the ledger, with a real store and real mail."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.servers.smtp import DROP, PASSWORD, USER, MailServer
from tests.unit.deadlines.sample import (
    MORI,
    REPORT_2,
    SATO,
    TANAKA,
    TOKYO,
    WORKSPACE,
    morning,
    of_main,
    recipients,
)

from ticssync.builtin.eml_folder import open_folder
from ticssync.builtin.mail import open_mail
from ticssync.builtin.settings import FolderSettings, MailSettings
from ticssync.deadlines.digest import Letterhead, digest
from ticssync.deadlines.duties import Due
from ticssync.deadlines.remind import RemindResult, remind_json, remind_pass
from ticssync.deadlines.reminders import claim_rows, plan_reminders
from ticssync.plugin import Notifier, NotifierOpening
from ticssync.store import Store
from ticssync.store.notices import claim, notices, record_sent, release
from ticssync.text import Text

DAY = date(2026, 12, 31)
EN = Text("en")
TASK = Due("task_due", "tics/T-14", "T-14 教育", date(2027, 1, 7), "tanaka", "tics/T-14")


class Company:
    """A store whose clock the test moves."""

    def __init__(self, day: date = DAY) -> None:
        self.now = morning(day)
        self.store = Store.memory(WORKSPACE, lambda: self.now)

    def remind(self, notifier: Notifier, channel: str = "mail", *, dry_run: bool = False) -> RemindResult:
        day = self.now.astimezone(TOKYO).date()
        return remind_pass(
            self.store,
            notifier,
            day,
            duties=of_main(day, others=(TASK,)),
            recipients=recipients(),
            channel=channel,
            dry_run=dry_run,
            compose=lambda what: digest(
                what, Letterhead(WORKSPACE, "小出精密", MORI), EN, self.now.astimezone(TOKYO)
            ),
        )

    def ledger(self) -> dict[tuple[str, str, str], bool]:
        with self.store.read() as tx:
            return {row.key: row.sent_at is not None for row in notices(tx)}


def smtp(server: MailServer, root: Path, password: str = PASSWORD) -> Notifier:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "password": password,
        "from": "tics@example.co.jp",
        "ca_file": "cert.pem",
    }
    return open_mail(NotifierOpening(MailSettings.model_validate(values), root, lambda: morning(DAY), EN))


def test_each_person_gets_one_mail_and_the_ledger_knows(tmp_path: Path) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        result = company.remind(smtp(server, tmp_path))
        again = company.remind(smtp(server, tmp_path))

    assert sorted(str(mail["To"]) for mail in server.received) == sorted(
        f"{person.name} <{person.mail}>" for person in (SATO, TANAKA)
    )
    assert company.ledger() == {
        (REPORT_2, "sato", "d90"): True,
        ("tics/T-14/task_due/2027-01-07", "tanaka", "d7"): True,
    }
    assert len(result.sent) == 2
    assert (again.sent, again.failed) == ([], [])


def test_the_json_lists_each_duty_with_its_reader(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    folder = open_folder(
        NotifierOpening(FolderSettings(path=Path("out")), tmp_path, lambda: morning(DAY), EN)
    )

    document = remind_json(Company().remind(folder, "folder"), EN)

    assert set(document) == {"sent", "skipped", "failed"}
    first = document["sent"][0]
    assert {name: first[name] for name in ("to", "kind", "due_on", "channel", "duty")} == {
        "to": SATO.mail,
        "kind": "periodic_report",
        "due_on": "2027-04-01",
        "channel": "folder",
        "duty": REPORT_2,
    }
    assert first["subject"] == "[TICS] 91 days left: periodic report due (1 April 2027)"
    assert len(list((tmp_path / "out").glob("*.eml"))) == 2


def test_a_dry_run_claims_nothing_and_sends_nothing(tmp_path: Path) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        result = company.remind(smtp(server, tmp_path), dry_run=True)

    assert (server.received, company.ledger()) == ([], {})
    assert [told.to for told in result.skipped] == [SATO.mail, TANAKA.mail]


def test_one_refused_address_does_not_keep_the_mail_from_the_next_person(tmp_path: Path) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        server.to_rcpt = ["550 5.1.1 nobody here"]
        result = company.remind(smtp(server, tmp_path))

    assert [told.to for told in result.failed] == [SATO.mail]
    assert "550" in remind_json(result, EN)["failed"][0]["why"]
    assert [told.to for told in result.sent] == [TANAKA.mail]
    assert list(company.ledger()) == [("tics/T-14/task_due/2027-01-07", "tanaka", "d7")]


def test_what_was_refused_for_now_goes_into_the_next_digest(tmp_path: Path) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        server.to_data = ["451 4.7.1 later", "451 4.7.1 later"]
        company.remind(smtp(server, tmp_path))
        company.now += timedelta(hours=1)
        company.remind(smtp(server, tmp_path))

    assert len(server.received) == 2
    assert all(company.ledger().values())


def test_a_broken_connection_brings_the_same_message_again_after_a_while_and_the_ledger_says_so(
    tmp_path: Path,
) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        server.to_data = [DROP]
        first = company.remind(smtp(server, tmp_path))
        soon = company.remind(smtp(server, tmp_path))
        company.now += timedelta(minutes=20)
        later = company.remind(smtp(server, tmp_path))

    to_sato = [mail["Message-ID"] for mail in server.received if SATO.mail in str(mail["To"])]
    assert [told.to for told in first.failed] == [SATO.mail]
    assert soon.sent == []
    assert [told.to for told in later.sent] == [SATO.mail]
    assert (len(to_sato), len(set(to_sato))) == (2, 1)
    with company.store.read() as tx:
        assert {row.person: row.tries for row in notices(tx)} == {"sato": 2, "tanaka": 1}


def test_a_repeat_that_is_refused_keeps_its_message_id_because_the_first_try_may_have_arrived(
    tmp_path: Path,
) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        server.to_data = [DROP, "250 taken", "451 4.7.1 later"]
        for _pass in range(3):
            company.remind(smtp(server, tmp_path))
            company.now += timedelta(minutes=20)

    to_sato = [mail["Message-ID"] for mail in server.received if SATO.mail in str(mail["To"])]
    assert (len(to_sato), len(set(to_sato))) == (2, 1)
    with company.store.read() as tx:
        assert {row.person: row.tries for row in notices(tx)} == {"sato": 3, "tanaka": 1}


def test_a_refused_login_is_tried_once_and_not_for_every_person(tmp_path: Path) -> None:
    company = Company()

    with MailServer(tmp_path) as server:
        result = company.remind(smtp(server, tmp_path, "wrong"))

    assert server.logins == 1
    assert result.credentials
    assert [told.to for told in result.failed] == [SATO.mail, TANAKA.mail]
    assert company.ledger() == {}


def test_of_two_processes_one_claims() -> None:
    company = Company()
    (what,) = plan_reminders(
        of_main(DAY), DAY, recipients(), (), now=company.now, workspace=WORKSPACE, domain="d"
    ).digests

    with company.store.write() as tx:
        first = claim(tx, claim_rows(what, company.now), {})
    with company.store.write() as tx:
        second = claim(tx, claim_rows(what, company.now + timedelta(seconds=1)), {})

    assert (first, second) == (True, False)


def test_a_slow_process_cannot_release_what_another_has_taken_up_since() -> None:
    company = Company()
    slow = company.now
    (what,) = plan_reminders(
        of_main(DAY), DAY, recipients(), (), now=slow, workspace=WORKSPACE, domain="d"
    ).digests
    with company.store.write() as tx:
        claim(tx, claim_rows(what, slow), {})
        seen = {row.key: row for row in notices(tx)}
    with company.store.write() as tx:
        assert claim(tx, claim_rows(what, slow + timedelta(minutes=20)), seen)

    with company.store.write() as tx:
        released = release(tx, what.message_id, slow)
        recorded = record_sent(tx, what.message_id, slow)

    assert (released, recorded) == (0, 1)


def test_a_plugin_that_fails_otherwise_leaves_the_claim_and_says_the_end_is_unknown() -> None:
    class Broken(Notifier):
        def send(self, message: object) -> None:
            raise ZeroDivisionError("secret-token")

    company = Company()
    result = company.remind(Broken())

    assert set(company.ledger().values()) == {False}
    assert "ZeroDivisionError" in result.failed[0].why
    assert "secret-token" not in str(result)
