"""What a plugin author provides, so that `NotifierContract` can try a channel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from ticssync.plugin import Attached, Notifier, NotSupported


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as its reader has it.  `html` is empty where the channel shows none."""

    message_id: str
    to_address: str
    subject: str
    text: str
    html: str = ""
    attached: tuple[Attached, ...] = ()


class Channel(ABC):
    """A way to people, and their letter box.

    `secrets`: every secret that the channel was opened with; none of them may ever be read in an error.
    `troubles`: the names that `trouble` understands, out of down · login · refused · no answer.
    """

    secrets: Sequence[str] = ()
    troubles: ClassVar[Sequence[str]] = ()
    to_address: str = "takasaki@example.co.jp"

    @abstractmethod
    def open(self) -> Notifier:
        """A notifier, opened as the host does it."""

    @abstractmethod
    def arrived(self) -> Sequence[Arrived]:
        """What has arrived so far, in order."""

    def trouble(self, name: str) -> AbstractContextManager[None]:
        """While inside, the channel is in this trouble.

        down: no connection · login: our credentials are not accepted · refused: the address does not exist ·
        no answer: the message is taken, the answer does not come back.
        """
        raise NotSupported(f"the channel cannot be in the trouble “{name}”")


def arrived_mail(content: bytes) -> Arrived:
    """A mail as a mail program shows it."""
    from email import message_from_bytes
    from email.policy import default
    from email.utils import parseaddr

    mail = message_from_bytes(content, policy=default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return Arrived(
        str(mail["Message-ID"] or "").strip(),
        parseaddr(str(mail["To"]))[1],
        str(mail["Subject"] or ""),
        str(text.get_content()) if text else "",
        str(html.get_content()) if html else "",
        tuple(
            Attached(part.get_filename() or "", part.get_content_type(), _bytes(part.get_content()))
            for part in mail.iter_attachments()
        ),
    )


def _bytes(content: object) -> bytes:
    return content if isinstance(content, bytes) else str(content).encode()
