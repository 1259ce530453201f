"""Mail against a real SMTP server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.servers.smtp import DROP, PASSWORD, USER, MailServer

from ticssync.builtin.mail import Mail, open_mail
from ticssync.builtin.settings import MailSettings
from ticssync.plugin import Attached, Level, Message, NotifierOpening, SendFailed
from ticssync.text import Text

NOW = datetime(2027, 8, 31, 8, tzinfo=timezone(timedelta(hours=9)))
ICS = "BEGIN:VCALENDAR\r\nSUMMARY:更新\r\nEND:VCALENDAR\r\n".encode()
MESSAGE = Message(
    message_id="<ticssync.20270831.abc@example.co.jp>",
    to_name="髙﨑 花子",
    to_address="sato@example.co.jp",
    subject="【TICS】更新審査の申込み期限まで30日（2027年9月30日） ㊙〜 ほか3件",
    text="髙﨑 花子 様\n\n.行頭の点\n㊙ 🔒",
    html="<p>髙﨑㈱ <b>更新審査</b></p>",
    sent_at=NOW,
    reply_to="mori@example.co.jp",
    attached=(Attached("tics-deadlines.ics", "text/calendar", ICS),),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path) as running:
        yield running


def mail(server: MailServer, root: Path, **changes: object) -> Mail:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": server.security,
        "user": USER,
        "password": PASSWORD,
        "from": "TICS事務局 <tics@example.co.jp>",
        "ca_file": "cert.pem",
        "timeout_s": 20,
        **changes,
    }
    settings = MailSettings.model_validate(values)
    return open_mail(NotifierOpening(settings, root, lambda: NOW, Text("en")))


def test_a_japanese_message_arrives_as_it_was_written(server: MailServer, tmp_path: Path) -> None:
    mail(server, tmp_path).send(MESSAGE)

    (arrived,) = server.received
    html, ics = arrived.get_body(("html",)), next(arrived.iter_attachments())
    assert str(arrived["Subject"]) == MESSAGE.subject
    assert arrived["To"].addresses[0].display_name == "髙﨑 花子"
    assert arrived["From"].addresses[0].display_name == "TICS事務局"
    assert arrived["Reply-To"].addresses[0].addr_spec == "mori@example.co.jp"
    assert arrived["Message-ID"] == MESSAGE.message_id
    assert arrived["Date"].datetime == NOW
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_body(("plain",)).get_content().rstrip("\r\n").replace("\r\n", "\n") == MESSAGE.text
    assert html is not None
    assert html.get_content().strip() == MESSAGE.html
    assert ics.get_filename() == "tics-deadlines.ics"
    assert ics.get_content().encode() == MESSAGE.attached[0].content
    assert server.envelopes == [("tics@example.co.jp", ("sato@example.co.jp",))]
    assert server.secured == [True]


def test_implicit_tls_works_as_well(tmp_path: Path) -> None:
    with MailServer(tmp_path, security="tls") as server:
        mail(server, tmp_path).send(MESSAGE)

    assert len(server.received) == 1


def test_a_relay_without_login_works_in_the_house(tmp_path: Path) -> None:
    with MailServer(tmp_path, security="none", login=False) as server:
        mail(server, tmp_path, user="", password=None, ca_file=None).send(MESSAGE)

    assert len(server.received) == 1


def test_without_starttls_neither_password_nor_mail_goes_out(tmp_path: Path) -> None:
    with (
        MailServer(tmp_path, security="none", login=False) as server,
        pytest.raises(SendFailed, match="no STARTTLS") as failed,
    ):
        mail(server, tmp_path, security="starttls").send(MESSAGE)

    assert (failed.value.permanent, failed.value.maybe_taken) == (False, False)
    assert (server.received, server.secured, server.logins) == ([], [], 0)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_ends_the_connection(tmp_path: Path, security: str) -> None:
    with (
        MailServer(tmp_path, security=security) as server,
        pytest.raises(SendFailed, match="certificate is not trusted"),
    ):
        mail(server, tmp_path, ca_file=None).send(MESSAGE)

    assert (server.received, server.logins) == ([], 0)


def test_a_certificate_of_another_host_ends_the_connection(server: MailServer, tmp_path: Path) -> None:
    with pytest.raises(SendFailed, match="certificate is not trusted"):
        mail(server, tmp_path, host="localhost").send(MESSAGE)

    assert server.received == []


def test_a_ca_file_that_is_missing_is_named(server: MailServer, tmp_path: Path) -> None:
    with pytest.raises(SendFailed, match=r"ca_file .*own\.pem cannot be read"):
        mail(server, tmp_path, ca_file="own.pem").send(MESSAGE)


def test_a_wrong_password_is_asked_for_once_and_never_shown(server: MailServer, tmp_path: Path) -> None:
    with pytest.raises(SendFailed) as failed:
        mail(server, tmp_path, password="geheim-0001").send(MESSAGE)

    assert (failed.value.credentials, failed.value.permanent) == (True, True)
    assert server.logins == 1
    assert "geheim-0001" not in repr(failed.value) + str(failed.value)


@pytest.mark.parametrize(
    "answer", ["550 5.7.30 Basic authentication is not supported", "535 5.7.139 disabled"]
)
def test_microsofts_end_of_password_login_is_named(server: MailServer, tmp_path: Path, answer: str) -> None:
    server.to_auth = [answer]

    with pytest.raises(SendFailed, match="Microsoft no longer accepts login by password") as failed:
        mail(server, tmp_path).send(MESSAGE)

    assert failed.value.credentials


def test_a_login_that_fails_for_now_is_tried_later(server: MailServer, tmp_path: Path) -> None:
    server.to_auth = ["454 4.7.0 Temporary authentication failure"]

    with pytest.raises(SendFailed) as failed:
        mail(server, tmp_path).send(MESSAGE)

    assert (failed.value.permanent, failed.value.credentials) == (False, False)


def test_a_server_that_echoes_the_password_does_not_bring_it_into_the_message(
    server: MailServer, tmp_path: Path
) -> None:
    server.to_auth = [f"535 5.7.8 no such password: {PASSWORD}"]

    with pytest.raises(SendFailed) as failed:
        mail(server, tmp_path).send(MESSAGE)

    assert PASSWORD not in str(failed.value)
    assert "***" in str(failed.value)


@pytest.mark.parametrize("where", ["to_mail", "to_rcpt", "to_data"])
@pytest.mark.parametrize(
    ("answer", "permanent"), [("451 4.7.1 greylisted", False), ("550 5.1.1 nobody", True)]
)
def test_refusals_tell_for_now_from_for_good(
    server: MailServer, tmp_path: Path, where: str, answer: str, *, permanent: bool
) -> None:
    getattr(server, where).append(answer)

    with pytest.raises(SendFailed, match=answer[4:9]) as failed:
        mail(server, tmp_path).send(MESSAGE)

    assert (failed.value.permanent, failed.value.credentials, failed.value.maybe_taken) == (
        permanent,
        False,
        False,
    )
    assert server.received == []


def test_login_required_is_a_matter_of_credentials(tmp_path: Path) -> None:
    with MailServer(tmp_path) as server:
        server.to_mail = ["530 5.7.0 Authentication required"]
        with pytest.raises(SendFailed) as failed:
            mail(server, tmp_path, user="", password=None).send(MESSAGE)

    assert failed.value.credentials


def test_a_connection_that_breaks_after_the_mail_was_handed_over_is_unknown(
    server: MailServer, tmp_path: Path
) -> None:
    server.to_data = [DROP]

    with pytest.raises(SendFailed, match="not known") as failed:
        mail(server, tmp_path).send(MESSAGE)

    assert failed.value.maybe_taken
    assert len(server.received) == 1


def test_a_server_that_is_not_there_is_named_and_tried_later(tmp_path: Path) -> None:
    with socket.socket() as bound:  # bound but not listening: nobody else gets the port, nobody answers
        bound.bind(("127.0.0.1", 0))
        settings = MailSettings.model_validate(
            {"host": "127.0.0.1", "port": bound.getsockname()[1], "from": "a@b.example"}
        )
        with pytest.raises(SendFailed, match="cannot be reached") as failed:
            open_mail(NotifierOpening(settings, tmp_path, lambda: NOW, Text("en"))).send(MESSAGE)

    assert (failed.value.permanent, failed.value.maybe_taken) == (False, False)


def test_a_login_is_not_left_out_where_the_server_offers_none(tmp_path: Path) -> None:
    with MailServer(tmp_path, login=False) as server, pytest.raises(SendFailed, match="no way of login"):
        mail(server, tmp_path).send(MESSAGE)

    assert server.received == []


def test_characters_that_no_login_can_carry_are_said_without_showing_them(
    server: MailServer, tmp_path: Path
) -> None:
    with pytest.raises(SendFailed, match="hold characters") as failed:
        mail(server, tmp_path, password="ひみつ").send(MESSAGE)

    assert failed.value.credentials
    assert "ひみつ" not in str(failed.value)
    assert failed.value.__context__ is None


def test_an_address_that_is_none_is_refused_before_anything_is_sent(
    server: MailServer, tmp_path: Path
) -> None:
    from dataclasses import replace

    with pytest.raises(SendFailed, match="no mail address") as failed:
        mail(server, tmp_path).send(
            replace(MESSAGE, to_address="sato@example.co.jp>\r\nRCPT TO:<x@y.example")
        )

    assert failed.value.permanent
    assert server.secured == []


def test_doctor_logs_in_and_sends_nothing(server: MailServer, tmp_path: Path) -> None:
    (finding,) = mail(server, tmp_path).check()

    assert (finding.level, finding.id) == (Level.OK, "notify.mail")
    assert (server.logins, server.received) == (1, [])


def test_doctor_says_what_to_do_about_a_refused_login(server: MailServer, tmp_path: Path) -> None:
    (finding,) = mail(server, tmp_path, password="falsch").check()

    assert finding.level is Level.FAIL
    assert "TICSSYNC_NOTIFY__MAIL__PASSWORD" in finding.fix


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"security": "none", "user": USER, "password": PASSWORD}, "in clear"),
        ({"user": USER}, "the password is missing"),
        ({"from": "tics"}, "pattern"),
        ({"port": 0}, "greater"),
        ({"hostt": "x"}, "extra"),
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_the_password(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        MailSettings.model_validate({"host": "mail.example.co.jp", "from": "tics@example.co.jp", **changes})

    assert PASSWORD not in str(refused.value)
