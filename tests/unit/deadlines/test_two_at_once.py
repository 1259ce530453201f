"""Two processes remind at the same moment: each person gets one mail."""

from __future__ import annotations

from datetime import date

from tests.unit.deadlines.sample import MORI, REPORT_2, TOKYO, WORKSPACE, morning, of_main, recipients

from ticssync.deadlines.digest import Letterhead, digest
from ticssync.deadlines.remind import RemindResult, remind_pass
from ticssync.deadlines.reminders import Digest
from ticssync.plugin import Message, Notifier
from ticssync.store import Store
from ticssync.store.notices import notices
from ticssync.text import Text

DAY = date(2026, 12, 31)


class Box(Notifier):
    """Takes everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, message: Message) -> None:
        self.sent.append(message.message_id)


def test_what_another_process_sends_between_our_look_and_our_claim_is_not_sent_again() -> None:
    """Both have looked and both mean to send it: only one of them can claim it."""
    store, box, others = Store.memory(WORKSPACE, lambda: morning(DAY)), Box(), list[RemindResult]()

    def letter(what: Digest) -> Message:
        return digest(
            what, Letterhead(WORKSPACE, "小出精密", MORI), Text("en"), morning(DAY).astimezone(TOKYO)
        )

    def a_pass(compose) -> RemindResult:
        return remind_pass(
            store, box, DAY, duties=of_main(DAY), recipients=recipients(), compose=compose, channel="mail"
        )

    def while_the_other_one_sends(what: Digest) -> Message:
        others.append(a_pass(letter))
        return letter(what)

    ours = a_pass(while_the_other_one_sends)

    assert len(box.sent) == 1
    assert [told.duty.id for told in others[0].sent] == [REPORT_2]
    assert ours.sent == []
    assert [told.why for told in ours.skipped] == ["another process is sending it"]
    with store.read() as tx:
        assert [row.sent_at is not None for row in notices(tx)] == [True]
