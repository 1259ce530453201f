"""Ways to reach people: mail, a folder of .eml files, and what plugins add."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from ticssync.plugin.kinds import Translate
from ticssync.plugin.outcomes import Finding


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person.  `message_id` is fixed before the first try and the same at a repeat."""

    message_id: str
    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    reply_to: str = ""
    attached: Sequence[Attached] = ()


class SendFailed(Exception):  # noqa: N818 - the door's published name
    """The message was not taken.  `permanent`: the address or the rights are wrong, trying again is no use.

    `maybe_taken`: the answer was lost after the whole message had gone out, so it may have arrived after all;
    it is then sent once more with the same `message_id` and never inside another message.
    """

    def __init__(
        self, message: str, *, permanent: bool, credentials: bool = False, maybe_taken: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.credentials = credentials
        self.maybe_taken = maybe_taken


@dataclass(frozen=True, slots=True)
class NotifierOpening:
    """What a notifier is opened with."""

    settings: BaseModel
    root: Path
    clock: Callable[[], datetime]
    text: Translate


class Notifier(ABC):
    """One open channel."""

    def check(self) -> Sequence[Finding]:
        """What `doctor` shows."""
        return ()

    @abstractmethod
    def send(self, message: Message) -> None:
        """Hand the message over; returning means it was taken.  Raises SendFailed."""

    def close(self) -> None:
        """Give back what `open` took."""


@dataclass(frozen=True, slots=True)
class NotifierKind:
    """A kind of channel.  `open` is a dotted name; `settings` the part of ticssync.yaml under its name."""

    name: str
    settings: type[BaseModel]
    open: str
    api: int = 1
    secrets: Sequence[str] = field(default_factory=tuple)
