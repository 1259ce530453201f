"""Fetching one file that hangs on a task, and keeping it as its item's rule says."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO, TypeVar, cast

from ticssync import log
from ticssync.errors import Said, TicssyncError, say
from ticssync.evidence.flags import HEAD, flags
from ticssync.evidence.from_tracker import is_short, own_hash
from ticssync.evidence.hand_in import Intake
from ticssync.evidence.scan import refusal
from ticssync.model.task import Attachment, RemoteRef
from ticssync.plugin import AuthLost, NotSupported, Throttled, Unavailable, Unsafe
from ticssync.store.locker import Kept, Locker, hash_of
from ticssync.sync.state import Site

AnswerT = TypeVar("AnswerT")


class FileFailed(Exception):  # noqa: N818 - the way out of one file
    """This file cannot be had now, and nothing else is stopped by it.  `why` is for people."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def is_own(site: Site, ref: RemoteRef, file: Attachment) -> bool:
    """Whether ticssync hung it there.  Anybody can give a file such a name: only its bytes prove it, so that
    one with such a name is read once, and kept nowhere.

    Raises FileFailed; what ends the whole tracker goes through.
    """
    wanted = own_hash(file.name)
    return bool(wanted) and _download(site, ref, file, hash_of).sha256.startswith(wanted)


def fetch(site: Site, ref: RemoteRef, file: Attachment, intake: Intake, locker: Locker) -> Kept | Said:
    """The bytes as the item's rule keeps them, or why the file is not taken at all.

    Raises FileFailed, CorruptStoreError where the locker cannot be written; what ends the whole tracker goes
    through.
    """

    def keep(stream: BinaryIO) -> Kept | Said:
        head = _head(stream)
        why = refusal(flags(file.name, head))
        # Empty, where the tracker speaks of bytes: the file was cut off on its way, and is not refused for good.
        if why is not None and (head or not file.size):
            return why
        return intake.keep(cast("BinaryIO", _Joined(head, stream)), locker)

    got = _download(site, ref, file, keep)
    if isinstance(got, Kept) and is_short(file, got.size):
        raise FileFailed(say("only {size} of {all} bytes came", size=got.size, all=file.size))
    return got


def _download(site: Site, ref: RemoteRef, file: Attachment, do: Callable[[BinaryIO], AnswerT]) -> AnswerT:
    try:
        with site.driver.download(ref, file) as stream:
            return do(stream)
    except (AuthLost, Throttled, Unsafe, TicssyncError):
        raise
    except Unavailable as error:
        if error.until is not None or error.holder:
            raise
        # One file that is broken there, or the tracker itself?  A look at the task tells.
        site.driver.fetch([ref])
        raise FileFailed(str(error)) from error
    except NotSupported as error:
        raise FileFailed(say("the tracker does not hand it out")) from error
    except Exception as error:
        # What stands in the error is not told: it may be a token.
        log.logger(tracker=site.name).error("download failed", exc_info=True)
        raise FileFailed(say("the driver failed: {kind}", kind=type(error).__name__)) from error


class _Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = BytesIO(head), rest

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._rest.read(size)


def _head(stream: BinaryIO) -> bytes:
    """The first bytes: a stream may give fewer than it is asked for."""
    head = b""
    while len(head) < HEAD and (more := stream.read(HEAD - len(head))):
        head += more
    return head
