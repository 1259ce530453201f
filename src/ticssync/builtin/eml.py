"""A Message as the bytes of a mail: the same message gives the same bytes.

The header lines are written here and not by `email`: Python 3.11 joins an encoded word to the text after it
where a Japanese name holds a colon, a comma or a bracket, and mail programs then show the raw code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Final

from ticssync.plugin import Attached, Message

# Seven bits throughout: servers without 8BITMIME still exist, and nothing of ours needs more.
POLICY: Final = SMTP.clone(cte_type="7bit")
_LONGEST_NAME: Final = 200
_LINE: Final = 70
_CRLF: Final = "\r\n"


class AddressError(ValueError):
    """No mail can be sent to this text."""


def mail_bytes(message: Message, sender: str) -> bytes:
    """The whole mail.  `sender` may carry a name: `TICS事務局 <tics@example.co.jp>`.  Raises AddressError."""
    headers = "".join(f"{name}: {value}{_CRLF}" for name, value in _headers(message, sender))
    return headers.encode("ascii") + _body(message)


def _headers(message: Message, sender: str) -> Iterator[tuple[str, str]]:
    name, address = parseaddr(sender)
    yield "From", mailbox(name, address)
    yield "To", mailbox(message.to_name, message.to_address)
    if message.reply_to:
        yield "Reply-To", mailbox("", message.reply_to)
    yield "Subject", _words(one_line(message.subject), "Subject")
    yield "Date", format_datetime(message.sent_at)
    yield "Message-ID", message.message_id
    # Out-of-office replies to a machine help nobody (RFC 3834; the second is Exchange's own word for it).
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "All"


def _body(message: Message) -> bytes:
    mail = EmailMessage(policy=POLICY)
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for attached in message.attached:
        _attach(mail, attached)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        seal = hashlib.sha256(f"{message.message_id} {number}".encode()).hexdigest()[:32]
        part.set_boundary(f"=_ticssync_{seal}")
    return mail.as_bytes()


def _attach(mail: EmailMessage, attached: Attached) -> None:
    kind, *parameters = (part.strip() for part in attached.media_type.split(";"))
    main, _, sub = kind.partition("/")
    named = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
    if main == "text":
        named.setdefault("charset", "utf-8")
    mail.add_attachment(attached.content, maintype=main, subtype=sub, filename=attached.name, params=named)


def mailbox(name: str, address: str) -> str:
    """A name and an address for a header (several blanks in a row become one).  Raises AddressError.

    Addresses of Japanese mobile carriers that break the rules (`a..b@`, `a.@`) are quoted, not refused.
    """
    local, at, domain = envelope(address).rpartition("@")
    if not at or not local or not domain:
        raise AddressError(address)
    try:
        spec = Address("", local, domain).addr_spec
    except (ValueError, IndexError) as error:
        raise AddressError(address) from error
    shown = re.sub(" +", " ", one_line(name))[:_LONGEST_NAME]
    return f"{_words(shown, 'Reply-To')} <{spec}>" if not shown.isascii() else formataddr((shown, spec))


def envelope(address: str) -> str:
    """The address as the server is told it: the domain in ASCII.  Raises AddressError."""
    local, _, domain = address.strip().rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}"
        plain.encode("ascii")
    except UnicodeError as error:
        raise AddressError(address) from error
    if any(char.isspace() or char in "<>,;:" or not char.isprintable() for char in plain):
        raise AddressError(address)
    return plain


def one_line(words: str) -> str:
    """Control characters as blanks: no header may be smuggled in by a title or a name."""
    return "".join(char if char.isprintable() or char == "\u3000" else " " for char in words).strip()


def _words(words: str, header: str) -> str:
    plain = words.isascii() and len(words) <= _LINE and "=?" not in words and "  " not in words
    return words if plain else Header(words, "utf-8", _LINE, header).encode(linesep=_CRLF)
