"""A reverse proxy on 127.0.0.1 in front of a real server: it counts what passes, and breaks what it is told to break.

with Proxy(server.url) as proxy:
    proxy.fault(2, "lose")                                      # the third request is carried out, its answer lost
    proxy.fault(lambda one: one.method == "POST", "busy", status=429, retry_after=1)
    ...                                                         # talk to proxy.url
    assert [one.status for one in proxy.seen] == [200, 200, 0]
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Kind = Literal["lose", "refuse", "busy", "html", "login", "cut", "hold"]
Headers = Sequence[tuple[str, str]]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}
SILENT = 0
"""The status of a request that got no answer."""
PAGE = "<!DOCTYPE html><html lang='ja'><title>メンテナンス中</title><p>しばらくお待ちください。</p></html>".encode()


@dataclass(slots=True)
class Seen:
    """One request, in the order of arrival.

    `status`: what the client was told (0: nothing, or not yet).  `carried`: what the server answered (0: it was
    not asked).  `fault`: the kind that was done to it.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")
    status: int = SILENT
    carried: int = SILENT
    fault: str = ""


Which = int | Callable[[Seen], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `keep`: how many bytes of the body, None for all."""

    status: int
    headers: Headers
    body: bytes
    reason: str = ""
    keep: int | None = None


@dataclass(slots=True)
class Fault:
    """What to do to which requests, and how often still (None: always)."""

    which: Which
    kind: Kind
    times: int | None = 1
    status: int = 503
    retry_after: int | datetime | str | None = None
    body: bytes = PAGE
    location: str = "/login"
    keep: int | None = None
    reset: bool = False
    carry: bool = False
    seconds: float = 0.0
    until: threading.Event | None = None

    def hits(self, number: int, seen: Seen) -> bool:
        """Whether this request is meant."""
        if self.times == 0:
            return False
        return number == self.which if isinstance(self.which, int) else self.which(seen)


class Proxy:
    """Forwards each request on a connection of its own; clients may keep theirs."""

    def __init__(self, target_url: str) -> None:
        parts = urllib.parse.urlsplit(target_url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    @property
    def carried(self) -> list[Seen]:
        """Those that reached the server."""
        return [one for one in self.seen if one.carried]

    def clear(self) -> None:
        """Forget requests and faults; the next request has the number 0."""
        with self._guard:
            self.seen.clear()
            self._faults.clear()

    def fault(self, which: Which, kind: Kind, **how: Any) -> Fault:
        """Break a request: by its number in `seen` (from 0), or the next that a predicate is true for.

        lose     carry it out, then close without an answer (reset=True: RST instead of an orderly end)
        refuse   close without carrying it out (reset=True likewise)
        busy     answer `status` (503) with Retry-After: seconds, an aware datetime, a text as it is, or None
        html     answer 200 with a page (body=...)
        login    answer 302 to location=... ("/login")
        cut      carry it out, announce the whole body, send `keep` bytes of it (None: half), close
        hold     wait seconds=... or until=Event, then go on as if nothing had been

        carry=True carries busy, html and login out before they are answered, and hold before the wait.  times=None: always.
        """
        made = Fault(which, kind, **how)
        with self._guard:
            self._faults.append(made)
        return made

    def arrive(self, seen: Seen) -> Fault | None:
        """Count a request; the fault that is meant for it."""
        with self._guard:
            number = len(self.seen)
            self.seen.append(seen)
            for fault in self._faults:
                if fault.hits(number, seen):
                    fault.times = None if fault.times is None else fault.times - 1
                    seen.fault = fault.kind
                    return fault
        return None

    def carry(self, seen: Seen) -> Answer:
        """Ask the real server."""
        with closing(http.client.HTTPConnection(*self.target, timeout=120)) as connection:
            kept = {name: value for name, value in seen.headers.items() if name.lower() not in HOP_BY_HOP}
            # Without a body http.client sends no length; a POST needs one, and 0 is one.
            body = seen.body if seen.body or seen.method in {"POST", "PUT", "PATCH"} else None
            try:
                connection.request(seen.method, seen.path, body, {**kept, "Connection": "close"})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                return Answer(
                    502, [("Content-Type", "text/plain")], f"no answer from the server: {error}".encode()
                )
            seen.carried = answer.status
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return Answer(answer.status, headers, content, answer.reason)

    def decide(self, seen: Seen, fault: Fault | None) -> Answer | None:
        """The answer to a request; None for silence."""
        if fault is None:
            return self.carry(seen)
        if fault.kind == "hold":
            before = self.carry(seen) if fault.carry else None
            (fault.until or self.closing).wait(fault.seconds or None)
            return before or self.carry(seen)
        answer = self.carry(seen) if fault.carry or fault.kind in {"lose", "cut"} else None
        if answer and fault.kind == "cut":
            keep = len(answer.body) // 2 if fault.keep is None else fault.keep
            return Answer(answer.status, answer.headers, answer.body, answer.reason, keep)
        return invented(fault)


def invented(fault: Fault) -> Answer | None:
    """What the proxy says itself; None for silence."""
    page = ("Content-Type", "text/html; charset=utf-8")
    if fault.kind == "busy":
        when = fault.retry_after
        if isinstance(when, datetime):
            when = format_datetime(when, usegmt=True)
        return Answer(
            fault.status, [page] if when is None else [page, ("Retry-After", str(when))], fault.body
        )
    if fault.kind == "html":
        return Answer(200, [page], fault.body)
    if fault.kind == "login":
        return Answer(302, [page, ("Location", fault.location)], b"")
    return None


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that the end of a test waits for nobody."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the host's name that the standard library does."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients kept open."""
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else is a fault of this file and is shown."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._pass
        raise AttributeError(name)

    def _pass(self) -> None:
        proxy = self.server.proxy
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._plain()
        if body is None:
            # Its sender died half way: no web server hands such a request on to its application.
            self._hang_up(reset=False)
            return
        seen = Seen(self.command, self.path, dict(self.headers.items()), body)
        fault = proxy.arrive(seen)
        answer = proxy.decide(seen, fault)
        if answer is None:
            self._hang_up(reset=bool(fault and fault.reset))
            return
        seen.status = answer.status
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self.send_response_only(answer.status, answer.reason or None)
        for name, value in answer.headers:
            self.send_header(name, value)
        bare = self.command == "HEAD" or answer.status in {204, 304}
        if not bare:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(b"" if bare else answer.body[: answer.keep])
        self.wfile.flush()
        if answer.keep is not None:
            self._hang_up(reset=False)

    def _plain(self) -> bytes | None:
        """The body; None where it ends early."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        return body if len(body) == size else None

    def _chunks(self) -> bytes | None:
        whole = bytearray()
        while size := int(self.rfile.readline().split(b";")[0] or b"-1", 16):
            part = self.rfile.read(max(size, 0))
            if len(part) != size:
                return None
            whole += part
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(whole)

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            # Nothing lingers: the system sends RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.open.discard(self.connection)
            socket.close(self.connection.detach())

    def log_message(self, *_: Any) -> None:
        """`Proxy.seen` is the log."""
