"""Mail over SMTP: STARTTLS or TLS, login by password, or a relay in the house without login.

What was asked for is what happens: a server that offers no STARTTLS gets neither the password nor the mail.
Server answers are mapped to what the caller does next; a password never stands in an error.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.utils import parseaddr
from typing import Final, NoReturn

from ticssync.builtin.eml import AddressError, envelope, mail_bytes
from ticssync.builtin.settings import MailSettings
from ticssync.plugin import Finding, Level, Message, Notifier, NotifierOpening, SendFailed

CREDENTIAL_CODES: Final = frozenset({530, 534, 535, 538})
"""Login required, mechanism too weak, refused, encryption required for it (RFC 4954)."""
_MICROSOFT: Final = ("5.7.30", "5.7.139")
"""Microsoft's words for "no login by password any more" (5.7.30: after the end of SMTP AUTH by password)."""
_READY: Final = 220
_PERMANENT: Final = range(500, 600)
_LONGEST_REPLY: Final = 200


def open_mail(opening: NotifierOpening) -> Mail:
    """The channel for `notify.mail`.  No connection is made yet."""
    assert isinstance(opening.settings, MailSettings)
    return Mail(opening, opening.settings)


class Mail(Notifier):
    """One connection per message: reminders are few, and a connection kept for a day is a dead one."""

    def __init__(self, opening: NotifierOpening, settings: MailSettings) -> None:
        self.text = opening.text
        self.root = opening.root
        self.settings = settings

    def send(self, message: Message) -> None:
        """Hand the message to the server.  Raises SendFailed."""
        try:
            to, content = envelope(message.to_address), mail_bytes(message, self.settings.sender)
            sender = envelope(_bare(self.settings.sender))
        except AddressError as error:
            raise SendFailed(
                self.text("{address} is no mail address", address=str(error)), permanent=True
            ) from None
        with self._connection() as server:
            self._accepted(server.mail(sender))
            self._accepted(server.rcpt(to))
            try:
                reply = server.data(content)
            except smtplib.SMTPDataError as error:
                reply = (error.smtp_code, _bytes(error.smtp_error))
            except (smtplib.SMTPServerDisconnected, OSError):
                why = self.text(
                    "{host}: the connection broke on hand-over; whether the mail arrived is not known",
                    host=self._host(),
                )
                raise SendFailed(why, permanent=False, maybe_taken=True) from None
            self._accepted(reply)

    def check(self) -> Sequence[Finding]:
        """Connect, secure, log in; no mail is sent."""
        try:
            with self._connection() as server:
                self._accepted(server.noop())
        except SendFailed as error:
            return [Finding("notify.mail", Level.FAIL, str(error), self._fix(error))]
        found = [
            Finding(
                "notify.mail",
                Level.OK,
                self.text("{host} accepts our mail ({how})", host=self._host(), how=self._how()),
            )
        ]
        if self.settings.user and self.settings.host.lower().endswith((".office365.com", ".outlook.com")):
            why = self.text(
                "Microsoft 365 ends login by password for mail (error 5.7.30): it then refuses every reminder"
            )
            found.append(
                Finding(
                    "notify.mail.password",
                    Level.WARN,
                    why,
                    self.text("use a relay without login, another mail server, or notify.folder"),
                )
            )
        return found

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server: smtplib.SMTP | None = None
        host = self._host()
        try:
            server = self._connect()
            self._secure(server)
            self._log_in(server)
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            self._fail(
                self.text(
                    "{host}: its certificate is not trusted ({why}); nothing was sent", host=host, why=why
                )
            )
        except smtplib.SMTPResponseException as error:
            self._refuse(error.smtp_code, _bytes(error.smtp_error))
        except smtplib.SMTPServerDisconnected:
            self._fail(self.text("{host} closed the connection; nothing was sent", host=host))
        except (OSError, smtplib.SMTPException) as error:
            self._fail(self.text("{host} cannot be reached: {why}", host=host, why=_reason(error)))
        finally:
            if server is not None:
                server.close()

    def _connect(self) -> smtplib.SMTP:
        host, port, limit = self.settings.host, self.settings.port, self.settings.timeout_s
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(host, port, _hello_name(), timeout=limit, context=self._trust())
        return smtplib.SMTP(host, port, _hello_name(), timeout=limit)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self.settings.security != "starttls":
            return
        if not server.has_extn("starttls"):
            self._fail(
                self.text(
                    "{host} offers no STARTTLS; neither login nor mail was sent in clear", host=self._host()
                )
            )
        code, answer = server.starttls(context=self._trust())
        if code != _READY:
            self._refuse(code, answer)
        server.ehlo()

    def _log_in(self, server: smtplib.SMTP) -> None:
        """One try, one mechanism: smtplib's own login tries them all, and each failure counts to a lock."""
        if not self.settings.user or self.settings.password is None:
            return
        user, password = self.settings.user, self.settings.password.get_secret_value()
        if not (user + password).isascii():
            why = self.text("user or password of notify.mail hold characters that no mail server takes")
            raise SendFailed(why, permanent=True, credentials=True)
        offered = server.esmtp_features.get("auth", "").upper().split()
        mechanism = next((known for known in ("PLAIN", "LOGIN", "CRAM-MD5") if known in offered), None)
        if mechanism is None:
            self._fail(
                self.text(
                    "{host} offers no way of login that we know, but notify.mail.user is set",
                    host=self._host(),
                )
            )
        server.user, server.password = user, password  # where smtplib keeps them itself
        server.auth(mechanism, getattr(server, f"auth_{mechanism.lower().replace('-', '_')}"))

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.settings.ca_file is not None:
            file = self.root / self.settings.ca_file
            try:
                context.load_verify_locations(cafile=str(file))
            except OSError as error:
                why = _reason(error)
                self._fail(
                    self.text("notify.mail.ca_file {file} cannot be read: {why}", file=str(file), why=why)
                )
        return context

    def _accepted(self, reply: tuple[int, bytes]) -> None:
        if not 200 <= reply[0] < 300:
            self._refuse(*reply)

    def _refuse(self, code: int, answer: bytes) -> NoReturn:
        said = self._clean(answer)
        if any(word in said for word in _MICROSOFT):
            why = self.text(
                "{host}: Microsoft no longer accepts login by password for mail ({code} {said})",
                host=self._host(),
                code=code,
                said=said,
            )
            raise SendFailed(why, permanent=True, credentials=True)
        if code in CREDENTIAL_CODES:
            why = self.text(
                "{host} refuses user or password ({code} {said})", host=self._host(), code=code, said=said
            )
            raise SendFailed(why, permanent=True, credentials=True) from None
        why = self.text("{host} refuses the mail ({code} {said})", host=self._host(), code=code, said=said)
        raise SendFailed(why, permanent=code in _PERMANENT) from None

    def _fail(self, message: str) -> NoReturn:
        raise SendFailed(message, permanent=False) from None

    def _clean(self, answer: bytes) -> str:
        said = "".join(char if char.isprintable() else " " for char in answer.decode("utf-8", "replace"))
        secret = self.settings.password.get_secret_value() if self.settings.password else ""
        return (said.replace(secret, "***") if secret else said)[:_LONGEST_REPLY]

    def _host(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"

    def _how(self) -> str:
        return f"{self.settings.security}, {self.settings.user or self.text('without login')}"

    def _fix(self, error: SendFailed) -> str:
        if error.credentials:
            return self.text(
                "check notify.mail.user and TICSSYNC_NOTIFY__MAIL__PASSWORD, or use a relay or notify.folder"
            )
        return self.text("check notify.mail: host, port, security, ca_file, and the firewall")


def _bare(sender: str) -> str:
    return parseaddr(sender)[1]


def _hello_name() -> str:
    # A machine with a Japanese name must not end the connection before it begins.
    name = socket.getfqdn()
    return name if name.isascii() and "." in name else "[127.0.0.1]"


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode("utf-8", "replace")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
