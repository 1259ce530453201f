"""One pass over the reminder ledger: claim, send, record.  Deciding is in `reminders`, wording in `digest`.

Claimed and sent are two facts, each committed by itself.  Killed before the claim: nothing happened.  Killed
between the two: after a time-out the same message goes out once more, with the same Message-ID, and the
ledger counts the try.  No sender can close that window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ticssync.deadlines.reminders import Digest, Notice, Passed, Recipients, claim_rows, plan_reminders
from ticssync.errors import say
from ticssync.model.certificate import Duty
from ticssync.plugin import Message, Notifier, SendFailed
from ticssync.store import Store
from ticssync.store.notices import claim, notices, record_sent, release
from ticssync.text import Text

Compose = Callable[[Digest], Message]


@dataclass(frozen=True, slots=True)
class Told:
    """One duty in one message to one person; `why` where it did not go out."""

    duty: Duty
    to: str
    subject: str
    why: str = ""
    message_id: str = ""


@dataclass
class RemindResult:
    """What a pass did.  `credentials`: the mail server refused who we are, and the rest was not tried."""

    channel: str
    sent: list[Told] = field(default_factory=list)
    skipped: list[Told] = field(default_factory=list)
    failed: list[Told] = field(default_factory=list)
    credentials: bool = False


def remind_pass(
    store: Store,
    notifier: Notifier,
    today: date,
    *,
    duties: Sequence[Duty],
    recipients: Recipients,
    compose: Compose,
    channel: str,
    domain: str = "ticssync.invalid",
    dry_run: bool = False,
) -> RemindResult:
    """Send what is due and not yet sent.  `today` is the company's day; a dry run claims and sends nothing.

    The clock is the store's.  Nothing that a notifier raises ends the pass, but refused credentials do: each
    further try would count towards locking the account.
    """
    with store.read() as tx:
        ledger = notices(tx)
    plan = plan_reminders(
        duties, today, recipients, ledger, now=store.clock(), workspace=store.workspace, domain=domain
    )
    result = RemindResult(channel, skipped=[_passed(one) for one in plan.passed])
    for what in plan.digests:
        message = compose(what)
        if dry_run:
            result.skipped += _told(what, message, say("dry run: nothing was sent"))
        elif result.credentials:
            result.failed += _told(what, message, say("not tried, because the mail server refused the login"))
        else:
            _deliver(store, notifier, what, message, result)
    return result


def _deliver(store: Store, notifier: Notifier, what: Digest, message: Message, result: RemindResult) -> None:
    with store.write() as tx:
        claimed_at = tx.now
        claimed = claim(tx, claim_rows(what, claimed_at), {row.key: row for row in what.repeats})
    if not claimed:
        result.skipped += _told(what, message, say("another process is sending it"))
        return
    try:
        notifier.send(message)
    except SendFailed as error:
        _not_sent(store, what, message, claimed_at, error)
        result.credentials = error.credentials
        result.failed += _told(what, message, str(error))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; whether it sent is unknown
        why = say(
            "the notifier failed ({kind}); whether the message arrived is not known",
            kind=type(error).__name__,
        )
        result.failed += _told(what, message, why)
    else:
        with store.write() as tx:
            record_sent(tx, message.message_id, tx.now)
        result.sent += _told(what, message)


def _not_sent(store: Store, what: Digest, message: Message, claimed_at: datetime, error: SendFailed) -> None:
    # A repeat keeps its claim whatever happens now: its first try may have arrived.
    if not error.maybe_taken and not what.repeats:
        with store.write() as tx:
            release(tx, message.message_id, claimed_at)


def _told(what: Digest, message: Message, why: str = "") -> list[Told]:
    found: dict[str, Notice] = {notice.duty.id: notice for notice in what.notices}
    return [
        Told(notice.duty, message.to_address, message.subject, why, message.message_id)
        for notice in found.values()
    ]


def _passed(one: Passed) -> Told:
    return Told(one.duty, one.person.mail if one.person else "", "", one.why)


def remind_json(result: RemindResult, text: Text) -> dict[str, Any]:
    """The JSON of `ticssync remind` (public contract)."""
    return {
        name: [_item(told, result.channel, text) for told in getattr(result, name)]
        for name in ("sent", "skipped", "failed")
    }


def _item(told: Told, channel: str, text: Text) -> dict[str, Any]:
    item = {
        "to": told.to,
        "kind": told.duty.kind,
        "subject": told.subject or text.said(told.duty.title),
        "due_on": told.duty.due_on.isoformat(),
        "channel": channel,
        "duty": told.duty.id,
        "message_id": told.message_id,
    }
    return {**item, "why": text.said(told.why)} if told.why else item
