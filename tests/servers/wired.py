"""The make-believe tracker behind a real socket: the server runs in the test's process, drivers in any other one.

`TrackerServer` holds the state, notes who asked for what, and lets a test stop a request at its door.  `WiredPlugin`
is the tracker kind for the other side.  What goes over the wire is pickled: both ends are this test.
"""

from __future__ import annotations

import http.client
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, TypeVar

from ticssync.app.workspace import utc_now
from ticssync.plugin import Opening, TrackerKind, Words, hookimpl
from ticssync.testing.behaviour import Behaviour
from ticssync.testing.fake_plugin import FakeSettings
from ticssync.testing.fake_server import FakeServer
from ticssync.testing.fake_tracker import FakeTracker, capabilities
from ticssync.testing.wire import AnswerLost, NotSent, WireError

POINT: Final = "point"
"""Not a question to the tracker: a worker tells where it stands, and may be kept there."""
PATIENCE_S: Final = 40.0
"""No test waits so long for anything."""
FactT = TypeVar("FactT")


@dataclass(eq=False)
class Asked:
    """One request: from which process, when it arrived (`at`, UTC), and whether it was carried out (`done`)."""

    verb: str
    pid: int
    given: tuple[Any, ...]
    number: int
    done: bool = False
    at: datetime = field(default_factory=utc_now)
    gone_on: threading.Event = field(default_factory=threading.Event)

    def let_go(self) -> None:
        """Whoever stopped it lets it go on."""
        self.gone_on.set()


Trap = Callable[[Asked], bool]


class News:
    """Facts that threads bring about and a test waits for, without sleeping."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.trouble: Callable[[], str] = str
        """Why waiting is in vain; empty while it is not."""

    @contextmanager
    def change(self) -> Iterator[None]:
        """Change something under the lock and tell it."""
        with self._changed:
            yield
            self._changed.notify_all()

    def until(self, fact: Callable[[], FactT | None], what: str, deadline_s: float = PATIENCE_S) -> FactT:
        """Wait until `fact` gives something true.  What nobody tells of (a row in the store) is asked for anew now
        and then."""
        end = time.monotonic() + deadline_s
        with self._changed:
            while True:
                found = fact()
                if found:
                    return found
                assert not self.trouble(), self.trouble()
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"did not come about: {what}")
                self._changed.wait(min(left, 0.02))


class TrackerServer:
    """The server's side.  `executing` is called under the lock directly before a request is carried out."""

    def __init__(self, behaviour: Behaviour, news: News) -> None:
        self.fake = FakeServer(utc_now, behaviour)
        self.news = news
        self.lock = threading.RLock()
        self.asked: list[Asked] = []
        self.executing: Callable[[Asked], None] = lambda _asked: None
        self._before: list[tuple[Trap, list[Asked]]] = []
        self._after: list[tuple[Trap, list[Asked]]] = []
        self._http = _Listener(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in list(self.asked):
            one.let_go()
        self._http.shutdown()
        self._http.server_close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"

    def stop_before(self, trap: Trap) -> list[Asked]:
        """The next request that fits is stopped before it is carried out, and put into the list."""
        return self._set(self._before, trap)

    def stop_after(self, trap: Trap) -> list[Asked]:
        """The next request that fits is carried out, and stopped before it is answered."""
        return self._set(self._after, trap)

    def free(self) -> None:
        """Traps into which nothing went are taken away."""
        with self.news.change():
            self._before.clear()
            self._after.clear()

    def _set(self, traps: list[tuple[Trap, list[Asked]]], trap: Trap) -> list[Asked]:
        caught: list[Asked] = []
        with self.news.change():
            traps.append((trap, caught))
        return caught

    def serve(self, verb: str, pid: int, given: tuple[Any, ...], named: dict[str, Any]) -> bytes:
        """One request from its arrival to its answer."""
        with self.news.change():
            asked = Asked(verb, pid, given, len(self.asked))
            self.asked.append(asked)
        self._stop(self._before, asked)
        answer = self._carried_out(asked, named)
        self._stop(self._after, asked)
        return answer

    def _stop(self, traps: list[tuple[Trap, list[Asked]]], asked: Asked) -> None:
        with self.news.change():
            caught = next((one for one in traps if one[0](asked)), None)
            if caught is None:
                return
            traps.remove(caught)
            caught[1].append(asked)
        assert asked.gone_on.wait(PATIENCE_S)

    def _carried_out(self, asked: Asked, named: dict[str, Any]) -> bytes:
        if asked.verb == POINT:
            return pickle.dumps(None)
        with self.lock:
            self.executing(asked)
            try:
                answer = getattr(self.fake, asked.verb)(*asked.given, **named)
            except WireError as error:
                answer = error
        with self.news.change():
            asked.done = True
        return pickle.dumps(answer)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: TrackerServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, _request: Any, _address: Any) -> None:
        """A process that was killed does not take its answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) < int(self.headers["Content-Length"]):
            return
        given, named = pickle.loads(body)
        answer = self.server.owner.serve(self.path[1:], int(self.headers["X-Process"]), given, named)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class RemoteServer:
    """What a driver takes for its `FakeServer`: every method is a request."""

    def __init__(self, address: str, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._address = address
        self._connection: http.client.HTTPConnection | None = None
        self.request_count = 0

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda *given, **named: self.ask(verb, *given, **named)

    def ask(self, verb: str, *given: Any, **named: Any) -> Any:
        """Raises what the tracker says no with."""
        self.request_count += verb != "probe"
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=PATIENCE_S)
        try:
            self._connection.connect() if self._connection.sock is None else None
        except OSError as error:
            raise NotSent(str(error)) from error
        try:
            body = pickle.dumps((given, named))
            self._connection.request("POST", f"/{verb}", body, {"X-Process": str(os.getpid())})
            answer = pickle.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, EOFError) as error:
            self.close()
            raise AnswerLost(str(error)) from error
        if isinstance(answer, WireError):
            raise answer
        return answer

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class WiredTracker(FakeTracker):
    """The driver; its connection ends with it."""

    def close(self) -> None:
        remote: Any = self.server
        remote.close()
        super().close()


class WiredPlugin:
    """The kind `fake` whose `server:` is an address."""

    def __init__(self, behaviour: Behaviour) -> None:
        globals()["_behaviour"] = self.behaviour = behaviour

    @hookimpl
    def ticssync_trackers(self) -> Sequence[TrackerKind]:
        title = Words("試験用のトラッカー", "Make-believe tracker")
        caps = capabilities(self.behaviour)
        return [TrackerKind("fake", FakeSettings, caps, f"{__name__}:open_wired", title=title)]


_behaviour = Behaviour()


def open_wired(opening: Opening) -> WiredTracker:
    """A driver for the server at the address that the settings name."""
    assert isinstance(opening.settings, FakeSettings)
    remote: Any = RemoteServer(opening.settings.server, _behaviour)
    return WiredTracker(remote, opening)
