"""A folder of .eml files: the last resort where no mail server may be used, and what demos look at."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from ticssync.builtin.eml import AddressError, mail_bytes
from ticssync.builtin.settings import FolderSettings
from ticssync.plugin import Finding, Level, Message, Notifier, NotifierOpening, SendFailed

SENDER = "ticssync@localhost.localdomain"


def open_folder(opening: NotifierOpening) -> EmlFolder:
    """The channel for `notify.folder`."""
    assert isinstance(opening.settings, FolderSettings)
    return EmlFolder(opening, opening.root / opening.settings.path)


class EmlFolder(Notifier):
    """One file per message, named by date and recipient.  The same message twice is the same file."""

    def __init__(self, opening: NotifierOpening, folder: Path) -> None:
        self.text = opening.text
        self.folder = folder

    def check(self) -> Sequence[Finding]:
        """Whether the folder takes files."""
        try:
            self._write(self.folder / ".ticssync-check", b"", keep=False)
        except OSError as error:
            message = self.text(
                "the mail folder {folder} takes no files: {why}", folder=str(self.folder), why=_why(error)
            )
            return [
                Finding("notify.folder", Level.FAIL, message, self.text("mend the path or its permissions"))
            ]
        return [
            Finding(
                "notify.folder",
                Level.OK,
                self.text("mails go into the folder {folder}", folder=str(self.folder)),
            )
        ]

    def send(self, message: Message) -> None:
        """Write the file.  Raises SendFailed."""
        try:
            content = mail_bytes(message, SENDER)
        except AddressError:
            raise SendFailed(
                self.text("{address} is no mail address", address=message.to_address), permanent=True
            ) from None
        seal = hashlib.sha256(message.message_id.encode()).hexdigest()[:12]
        try:
            # A repeat on a later day carries another date in its name: the seal says whether it is there.
            if self.folder.is_dir() and any(self.folder.glob(f"*_{seal}.eml")):
                return
            self._write(
                self.folder / f"{message.sent_at:%Y-%m-%d}_{_safe(message.to_address)}_{seal}.eml", content
            )
        except OSError as error:
            why = self.text(
                "the mail folder {folder} takes no files: {why}", folder=str(self.folder), why=_why(error)
            )
            raise SendFailed(why, permanent=False) from None

    def _write(self, target: Path, content: bytes, *, keep: bool = True) -> None:
        self.folder.mkdir(exist_ok=True)
        part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if keep:
                _settle(part, target)
        finally:
            part.unlink(missing_ok=True)


def _settle(part: Path, target: Path) -> None:
    """Give the finished file its name without ever replacing one that stands there."""
    try:
        os.link(part, target)
    except FileExistsError:
        return
    except OSError:  # file systems without hard links (FAT, some shares)
        if not target.exists():
            part.rename(target)


def _safe(address: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._+-]", "_", address)[:80]


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
