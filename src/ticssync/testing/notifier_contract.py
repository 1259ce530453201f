"""The contract of every notifier, as a class to subclass.

    class TestOurNotifier(NotifierContract):
        @pytest.fixture
        def channel(self, tmp_path):
            return OurChannel(tmp_path)

`OurChannel` is a `ticssync.testing.channel.Channel`.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Final
from unittest import mock

import pytest

from ticssync.plugin import Attached, Finding, Level, Message, SendFailed, canonical_text
from ticssync.testing.channel import Arrived, Channel

SUBJECT: Final = "【TICS】髙﨑㈱：定期報告まであと30日です 🔒 ㊙〜①"
TEXT: Final = "髙﨑 健 様\n\n定期報告の期限は 2026年5月1日です。\n　・台帳の写真：未提出\n=1+1 <b>&amp;</b>\n"
HTML: Final = "<!doctype html><p>髙﨑 健 様</p><p>定期報告の期限は <b>2026年5月1日</b>です。🔒</p>"
FILE: Final = Attached(
    "予定（髙﨑㈱）.ics", "text/calendar", "BEGIN:VCALENDAR\r\nSUMMARY:定期報告\r\nEND:VCALENDAR\r\n".encode()
)
AT: Final = datetime(2026, 4, 1, 0, 0, tzinfo=timezone.utc)


class NotifierContract:
    """Subclass it with one fixture: `channel`."""

    @pytest.fixture
    def channel(self) -> Channel:
        """What the author provides."""
        raise NotImplementedError("a subclass of NotifierContract defines the fixture `channel`")

    def test_a_message_arrives_once_at_its_address(self, channel: Channel) -> None:
        """Sent once, it is there once."""
        message = message_for(channel)
        _send(channel, message)

        assert [(one.message_id, one.to_address) for one in channel.arrived()] == [
            (message.message_id, channel.to_address)
        ]

    def test_japanese_arrives_as_it_was_written(self, channel: Channel) -> None:
        """Subject, text and page are read as they were written."""
        _send(channel, message_for(channel))
        (one,) = channel.arrived()

        assert one.subject == SUBJECT
        assert canonical_text(one.text) == canonical_text(TEXT)
        assert canonical_text(one.html) in ("", canonical_text(HTML))

    def test_a_file_arrives_byte_for_byte(self, channel: Channel) -> None:
        """An attachment keeps its Japanese name and every byte."""
        _send(
            channel,
            message_for(
                channel, attached=(FILE, Attached("鍵.bin", "application/octet-stream", bytes(range(256))))
            ),
        )
        (one,) = channel.arrived()

        assert [(file.name, file.content) for file in one.attached] == [
            (FILE.name, FILE.content),
            ("鍵.bin", bytes(range(256))),
        ]

    def test_a_repeat_carries_the_same_message_id(self, channel: Channel) -> None:
        """The same message sent again is recognised by its reader's program as the same."""
        message = message_for(channel)
        _send(channel, message)
        _send(channel, message)

        assert {one.message_id for one in channel.arrived()} == {message.message_id}
        assert len(channel.arrived()) <= 2

    def test_two_messages_are_two(self, channel: Channel) -> None:
        """One open notifier sends many, each to its own reader."""
        first, second = message_for(channel, number=1), message_for(channel, number=2)
        notifier = channel.open()
        notifier.send(first)
        notifier.send(second)
        notifier.close()

        assert [one.message_id for one in channel.arrived()] == [first.message_id, second.message_id]

    def test_a_subject_smuggles_in_no_header(self, channel: Channel) -> None:
        """A line break in a subject is no second header and no second reader."""
        message = message_for(channel, subject="定期報告\r\nBcc: attacker@example.com\r\n\r\n本文")
        try:
            _send(channel, message)
        except SendFailed:
            return

        assert [one.to_address for one in channel.arrived()] == [channel.to_address]
        assert canonical_text(channel.arrived()[0].text) == canonical_text(TEXT)

    def test_a_notifier_can_be_closed_and_opened_again(self, channel: Channel) -> None:
        """Nothing but the letter box is needed to go on."""
        _send(channel, message_for(channel, number=1))
        _send(channel, message_for(channel, number=2))

        assert len(channel.arrived()) == 2

    def test_check_answers_findings_and_sends_nothing(self, channel: Channel) -> None:
        """What doctor shows has an id, a level and words, and reaches nobody."""
        findings = channel.open().check()

        assert all(isinstance(one, Finding) and isinstance(one.level, Level) for one in findings)
        assert all(one.id and one.message for one in findings)
        assert list(channel.arrived()) == []

    def test_check_tells_of_trouble(self, channel: Channel) -> None:
        """What would fail when a reminder is due is said beforehand, and not raised."""
        with _trouble(channel, "down"):
            findings = channel.open().check()

        assert [one for one in findings if one.level is not Level.OK]

    def test_an_outage_is_worth_another_try(self, channel: Channel) -> None:
        """No connection: SendFailed, not permanent, and nothing has arrived."""
        with _trouble(channel, "down"):
            error = _failure(channel)

        assert (error.permanent, error.credentials, error.maybe_taken) == (False, False, False)
        assert list(channel.arrived()) == []

    def test_an_address_that_does_not_exist_is_not(self, channel: Channel) -> None:
        """A refusal for good is permanent, in words, and nothing has arrived."""
        with _trouble(channel, "refused"):
            error = _failure(channel)

        assert error.permanent
        assert str(error).strip()
        assert list(channel.arrived()) == []

    def test_a_lost_login_asks_for_credentials(self, channel: Channel) -> None:
        """The admin is told that the credentials are the trouble."""
        with _trouble(channel, "login"):
            error = _failure(channel)

        assert error.credentials
        assert list(channel.arrived()) == []

    def test_a_lost_answer_may_have_been_taken(self, channel: Channel) -> None:
        """Whoever sends it again must know that it may be there already."""
        with _trouble(channel, "no answer"):
            error = _failure(channel)

        assert error.maybe_taken
        assert not error.permanent

    def test_after_trouble_messages_go_out_again(self, channel: Channel) -> None:
        """A notifier that saw an outage works on when it is over."""
        notifier, message = channel.open(), message_for(channel)
        with _trouble(channel, "down"), pytest.raises(SendFailed):
            notifier.send(message)
        notifier.send(message)

        assert [one.message_id for one in channel.arrived()] == [message.message_id]

    @pytest.mark.parametrize("name", ["down", "login", "refused", "no answer"])
    def test_no_secret_stands_in_an_error(self, channel: Channel, name: str) -> None:
        """Neither the error nor anything it came from nor a finding shows a secret."""
        with _trouble(channel, name):
            shown = [_told(_failure(channel)), *(one.message + one.fix for one in channel.open().check())]

        assert [secret for secret in channel.secrets if any(secret in text for text in shown)] == []

    def test_sending_does_not_sleep(self, channel: Channel) -> None:
        """Waiting is the host's business."""
        slept: list[float] = []
        with mock.patch.object(time, "sleep", slept.append):
            _send(channel, message_for(channel))

        assert slept == []


def message_for(
    channel: Channel, number: int = 1, *, subject: str = SUBJECT, attached: tuple[Attached, ...] = (FILE,)
) -> Message:
    """A reminder with everything in it that breaks."""
    return Message(
        message_id=f"<contract.{number}@ticssync.invalid>",
        to_name="髙﨑 健",
        to_address=channel.to_address,
        subject=subject,
        text=TEXT,
        html=HTML,
        sent_at=AT,
        attached=attached,
    )


def _send(channel: Channel, message: Message) -> None:
    notifier = channel.open()
    notifier.send(message)
    notifier.close()


def _failure(channel: Channel) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        _send(channel, message_for(channel))
    return caught.value


def _told(error: SendFailed) -> str:
    """All that a log could show of an error: its words, its attributes, and the chain that it came from."""
    attributes: Mapping[str, object] = vars(error)
    return f"{error!r} {attributes!r} " + "".join(traceback.format_exception(error))


@contextmanager
def _trouble(channel: Channel, name: str) -> Iterator[None]:
    if name not in channel.troubles:
        pytest.skip(f"the channel cannot be in the trouble “{name}”")
    with channel.trouble(name):
        yield


__all__ = ["Arrived", "NotifierContract", "message_for"]
