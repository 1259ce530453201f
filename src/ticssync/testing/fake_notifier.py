"""A make-believe way to people: what is sent lies in a list.  It passes `NotifierContract`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from ticssync.plugin import Finding, Level, Message, Notifier, SendFailed
from ticssync.testing.channel import Arrived, Channel


@dataclass(slots=True)
class FakePost:
    """The letter box and its switches.  `refused`: addresses that do not exist; `loses_answer`: messages are
    taken and the sender is not told."""

    taken: list[Message] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    down: bool = False
    login: bool = True
    loses_answer: bool = False


class FakeNotifier(Notifier):
    """One open channel to a `FakePost`."""

    def __init__(self, post: FakePost | None = None) -> None:
        self.post = post or FakePost()

    @property
    def sent(self) -> list[Message]:
        """What was taken, in order."""
        return self.post.taken

    def check(self) -> Sequence[Finding]:
        """Whether a message would be taken now."""
        trouble = self._trouble()
        return [
            Finding("notify.fake", Level.FAIL, str(trouble))
            if trouble
            else Finding("notify.fake", Level.OK, "open")
        ]

    def send(self, message: Message) -> None:
        """Put the message into the box.  Raises SendFailed as the switches say."""
        trouble = self._trouble()
        if trouble is not None:
            raise trouble
        if message.to_address in self.post.refused:
            raise SendFailed(f"550 {message.to_address}: no such user", permanent=True)
        self.post.taken.append(message)
        if self.post.loses_answer:
            raise SendFailed("the connection broke on hand-over", permanent=False, maybe_taken=True)

    def _trouble(self) -> SendFailed | None:
        if self.post.down:
            return SendFailed("no connection", permanent=False)
        return None if self.post.login else SendFailed("535 login refused", permanent=True, credentials=True)


class FakeChannel(Channel):
    """The fake as a channel for its own contract."""

    troubles: ClassVar[Sequence[str]] = ("down", "login", "refused", "no answer")

    def __init__(self, notifier: type[FakeNotifier] = FakeNotifier) -> None:
        self.post = FakePost()
        self.notifier = notifier

    def open(self) -> Notifier:
        """Another notifier to the same box."""
        return self.notifier(self.post)

    def arrived(self) -> Sequence[Arrived]:
        """What lies in the box."""
        return [
            Arrived(one.message_id, one.to_address, one.subject, one.text, one.html, tuple(one.attached))
            for one in self.post.taken
        ]

    @contextmanager
    def trouble(self, name: str) -> Iterator[None]:
        """Turn the switch, and back."""
        post = self.post
        post.down, post.login, post.loses_answer = name == "down", name != "login", name == "no answer"
        post.refused = {self.to_address} if name == "refused" else set()
        yield
        post.down, post.login, post.loses_answer, post.refused = False, True, False, set()
