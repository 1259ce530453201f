"""A real SMTP server on 127.0.0.1: STARTTLS or TLS with an own certificate, login, refusals on demand."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "bot@example.test", "himitsu-8842"
DROP = "drop"
"""An answer to DATA: take the whole mail, then close the connection without a word."""


def certificate(folder: Path, *, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """Certificate and key files of a server that nobody but us trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@dataclass
class MailServer:
    """`with MailServer(folder) as server:`; what arrived is in `received`, what was asked in `asked`.

    `to_rcpt`, `to_mail`, `to_auth` and `to_data` are answers that are given once each, in order.
    """

    folder: Path
    security: str = "starttls"
    login: bool = True
    to_mail: list[str] = field(default_factory=list)
    to_rcpt: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    to_auth: list[str] = field(default_factory=list)
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    logins: int = 0
    secured: list[bool] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.ca, key = certificate(self.folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.ca, key)
        options: dict[str, Any] = {}
        if self.login:
            options |= {"authenticator": self._authenticate, "auth_require_tls": self.security == "starttls"}
        else:
            options |= {"auth_exclude_mechanism": ["PLAIN", "LOGIN"]}
        if self.security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        tls = context if self.security == "tls" else None
        self.controller = _Controller(self, hostname="127.0.0.1", port=0, ssl_context=tls, **options)
        self.controller.start()
        self.port = int(self.controller.server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.to_mail and (answer := self.to_mail.pop(0)):
            return answer
        self.secured.append(session.ssl is not None)
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.to_rcpt and (answer := self.to_rcpt.pop(0)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.to_data.pop(0) if self.to_data else "250 2.0.0 taken"
        if answer.startswith("250") or answer == DROP:
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            self.received.append(parsed)
            self.envelopes.append((envelope.mail_from, tuple(envelope.rcpt_tos)))
        if answer == DROP:
            server.transport.abort()
        return answer

    def _authenticate(
        self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
        if self.to_auth:
            return AuthResult(success=False, handled=False, message=self.to_auth.pop(0))
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=good, handled=good)


class _Controller(Controller):
    """aiosmtpd connects to itself after the start; with port 0 it would ask port 0."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
