"""Servers on 127.0.0.1 that misbehave on purpose: real sockets, one script each, no waiting."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

Script = Callable[[socket.socket], None]
"""What is done with one connection once its request has been read."""

LONGEST_S = 10.0
"""No test waits so long: a socket that nobody answers is given up."""


@dataclass
class Loopback:
    """A running server: where it is, and the requests that reached it."""

    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def answer(
    body: bytes, *, length: int | None = None, kind: str = "application/json", status: str = "200 OK"
) -> Script:
    """A whole answer, or with a greater `length` one that is cut off."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n"

    def send(connection: socket.socket) -> None:
        connection.sendall(head.encode() + body)

    return send


def unbounded(body: bytes) -> Script:
    """An answer without a length: where it ends only the end of the connection tells."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    return lambda connection: connection.sendall(head + body)


def reset(connection: socket.socket) -> None:
    """The connection is torn down without a word (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silence(connection: socket.socket) -> None:
    """Nothing is said until the other side gives up."""
    connection.recv(1)


@contextmanager
def serving(*scripts: Script, context: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """One script for each connection, the last one for all that follow."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = Loopback(listener.getsockname()[1], "https" if context else "http")
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, server, scripts, over, context), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            with closing(socket.create_connection(("127.0.0.1", server.port), LONGEST_S)):
                pass
            thread.join(LONGEST_S)


def _serve(
    listener: socket.socket,
    server: Loopback,
    scripts: Sequence[Script],
    over: threading.Event,
    context: ssl.SSLContext | None,
) -> None:
    while True:
        connection, _ = listener.accept()
        with ExitStack() as held:
            held.callback(lambda one: one.close(), connection)
            if over.is_set():
                return
            connection.settimeout(LONGEST_S)
            script = scripts[min(server.connections, len(scripts) - 1)]
            server.connections += 1
            try:
                spoken = (
                    held.enter_context(closing(context.wrap_socket(connection, server_side=True)))
                    if context
                    else connection
                )
                request = _request(spoken)
                if request:
                    server.requests.append(request)
                    script(spoken)
            except OSError:
                continue


def _request(connection: socket.socket) -> bytes:
    """One request with its body; empty where the other side left."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = connection.recv(65536)
        if not more:
            return b""
        found += more
    head, _, body = found.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def full() -> Iterator[Loopback]:
    """A port whose queue is full: the system lets further connections wait for ever (Linux)."""
    with ExitStack() as held:
        listener = held.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield Loopback(listener.getsockname()[1])


def nobody() -> str:
    """An address at which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def self_signed(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """(a server's side of TLS, the file of the authority that a client needs): the authority is the server's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ticssync test authority")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "authority.pem", folder / "server.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem
