"""The kit's own notifier keeps the contract that it asks of others."""

from email.message import EmailMessage

import pytest

from ticssync.plugin import SendFailed
from ticssync.testing.channel import Channel, arrived_mail
from ticssync.testing.fake_notifier import FakeChannel, FakeNotifier
from ticssync.testing.notifier_contract import FILE, HTML, SUBJECT, TEXT, NotifierContract


class TestFakeNotifier(NotifierContract):
    """Every law."""

    @pytest.fixture
    def channel(self):
        return FakeChannel()


def test_a_mail_is_read_as_a_mail_program_reads_it():
    """Encoded subject, both bodies and a Japanese file name come out of the bytes."""
    mail = EmailMessage()
    mail["Subject"], mail["To"], mail["Message-ID"] = (
        SUBJECT,
        "髙﨑 <takasaki@example.co.jp>",
        "<1@ticssync.invalid>",
    )
    mail.set_content(TEXT)
    mail.add_alternative(HTML, subtype="html")
    mail.add_attachment(FILE.content, maintype="application", subtype="octet-stream", filename=FILE.name)

    one = arrived_mail(mail.as_bytes())
    assert (one.message_id, one.to_address, one.subject) == (
        "<1@ticssync.invalid>",
        "takasaki@example.co.jp",
        SUBJECT,
    )
    assert (one.text, one.html.strip()) == (TEXT, HTML)
    assert [(file.name, file.content) for file in one.attached] == [(FILE.name, FILE.content)]


class Doubles(FakeNotifier):
    def send(self, message):
        super().send(message)
        super().send(message)


class LosesFiles(FakeNotifier):
    def send(self, message):
        from dataclasses import replace

        super().send(replace(message, attached=()))


class AnswersQuestionMarks(FakeNotifier):
    def send(self, message):
        from dataclasses import replace

        super().send(replace(message, subject=message.subject.encode("cp932", "replace").decode("cp932")))


class NewIdEachTime(FakeNotifier):
    def send(self, message):
        from dataclasses import replace

        super().send(replace(message, message_id=f"<{len(self.sent)}@elsewhere>"))


class SwallowsRefusals(FakeNotifier):
    def send(self, message):
        if message.to_address not in self.post.refused:
            super().send(message)


class LeaksThePassword(FakeNotifier):
    def send(self, message):
        try:
            super().send(message)
        except SendFailed as error:
            try:
                raise ValueError("AUTH PLAIN canary-password")
            except ValueError as cause:
                raise SendFailed(
                    str(error), permanent=error.permanent, credentials=error.credentials
                ) from cause


class LetsAnythingOut(FakeNotifier):
    def send(self, message):
        if self.post.down:
            raise ConnectionResetError("reset")
        super().send(message)


class ChecksNothing(FakeNotifier):
    def check(self):
        return ()


@pytest.mark.parametrize(
    ("notifier", "law", "trouble"),
    [
        (Doubles, "test_a_message_arrives_once_at_its_address", None),
        (LosesFiles, "test_a_file_arrives_byte_for_byte", None),
        (AnswersQuestionMarks, "test_japanese_arrives_as_it_was_written", None),
        (NewIdEachTime, "test_a_repeat_carries_the_same_message_id", None),
        (SwallowsRefusals, "test_an_address_that_does_not_exist_is_not", None),
        (LeaksThePassword, "test_no_secret_stands_in_an_error", "login"),
        (LetsAnythingOut, "test_an_outage_is_worth_another_try", None),
        (ChecksNothing, "test_check_tells_of_trouble", None),
    ],
)
def test_a_broken_notifier_is_caught(notifier, law, trouble):
    """Each fault makes the law that speaks of it fail, and the sound notifier passes that law."""

    def run(kind: type[FakeNotifier]) -> None:
        channel: Channel = FakeChannel(kind)
        channel.secrets = ("canary-password",)
        getattr(NotifierContract(), law)(channel, *([trouble] if trouble else []))

    run(FakeNotifier)
    with pytest.raises((AssertionError, ConnectionResetError, pytest.fail.Exception)):
        run(notifier)
