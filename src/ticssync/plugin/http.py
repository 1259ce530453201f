"""One policy for everything that speaks HTTP: imported by the plugins that do, not by the door itself.

`apply(session)` mounts it on any `requests` session, also on one that a library made.  Nothing sleeps here and
nothing is sent twice, but for one case: a connection that was certainly never made is tried once more at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from ticssync.errors import say
from ticssync.plugin.kinds import Translate
from ticssync.plugin.outcomes import AuthLost, Throttled, Unavailable

CONNECT_S: Final = 5.0
READ_S: Final = 30.0
"""Seconds without a single byte; a download may take longer as long as bytes come."""

WAIT_DEFAULT_S: Final = 60.0
"""How long a server that asks for time and does not say how much is left alone."""

TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
BUSY: Final = (502, 503, 504)
UNAUTHORIZED: Final = 401


class AnswerLost(Exception):  # noqa: N818 - what happened, not a failure of ours
    """The request may have been carried out; its answer did not come.  `str` says why, in words for people."""


class PolicyAdapter(HTTPAdapter):
    """Timeouts on every request, no repeats, and a count of what was sent (`requests`)."""

    def __init__(
        self, *, connect_s: float = CONNECT_S, read_s: float = READ_S, ca_file: Path | None = None
    ) -> None:
        self.requests = 0
        self._ca_file = str(ca_file) if ca_file is not None else None
        self._timeout = (connect_s, read_s)
        # One connection: a tracker on a small machine is asked gently, one thing after the other.
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=2)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """As `HTTPAdapter.send`.  Raises what requests raises."""
        wait = timeout or self._timeout
        # Here and not on the session: there REQUESTS_CA_BUNDLE would go before what the configuration names.
        verify = self._ca_file or verify
        self.requests += 1
        try:
            return super().send(request, stream, wait, verify, cert, dict(proxies or {}))
        except requests.ConnectionError as error:
            if proxies or not never_connected(error):
                raise
        self.requests += 1
        return super().send(request, stream, wait, verify, cert, {})


def apply(
    session: requests.Session,
    *,
    connect_s: float = CONNECT_S,
    read_s: float = READ_S,
    ca_file: Path | None = None,
) -> PolicyAdapter:
    """Mount the policy on a session; redirects are never followed (a login page is no data).

    `ca_file` (PEM) is the authority that certificates are checked against; None: what the machine trusts.
    """
    adapter = PolicyAdapter(connect_s=connect_s, read_s=read_s, ca_file=ca_file)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.get_redirect_target = _nowhere  # type: ignore[method-assign, assignment]
    return adapter


def _nowhere(_response: requests.Response) -> None:
    return None


def never_connected(error: requests.RequestException) -> bool:
    """Whether the request certainly never left: no connection to the server was made."""
    if isinstance(error, (requests.exceptions.SSLError, requests.exceptions.ProxyError)):
        return False
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


@dataclass(frozen=True, slots=True)
class Voice:
    """What messages need: the tracker's name, the language, and the time (aware UTC)."""

    tracker: str
    text: Translate
    clock: Callable[[], datetime]


def failed(error: requests.RequestException, voice: Voice, url: str, *, harmless: bool) -> Exception:
    """What a request without an answer means: Unavailable, or AnswerLost where it may have changed something
    (`harmless` False) and may have been carried out."""
    text, host = voice.text, _host(url)
    if isinstance(error, requests.exceptions.SSLError):
        return Unavailable(
            text(
                "{tracker}: the certificate of {host} cannot be verified; where it comes from the company's own authority, "
                "name that authority's file (PEM) as ca_file: in ticssync.yaml",
                tracker=voice.tracker,
                host=host,
            )
        )
    if isinstance(error, requests.exceptions.ProxyError):
        why = text("{tracker}: the proxy on the way to {host} fails", tracker=voice.tracker, host=host)
    elif isinstance(error, requests.ConnectTimeout) or never_connected(error):
        return Unavailable(
            text(
                "{tracker}: no connection to {host}; check url: in ticssync.yaml, the network, and whether the server runs",
                tracker=voice.tracker,
                host=host,
            )
        )
    elif isinstance(error, requests.Timeout):
        why = text("{tracker}: {host} did not answer in time", tracker=voice.tracker, host=host)
    else:
        why = text("{tracker}: the connection to {host} broke off", tracker=voice.tracker, host=host)
    return Unavailable(why) if harmless else AnswerLost(why)


def _host(url: str) -> str:
    """Host and port, without a password that somebody wrote into the address."""
    return urlsplit(url).netloc.rpartition("@")[2]


def judge(response: requests.Response, voice: Voice) -> None:
    """Raise what ends this tracker's cycle: Throttled (429), Unavailable (502, 503, 504, redirects elsewhere),
    AuthLost (401, a redirect to a login page)."""
    text, status = voice.text, response.status_code
    if status == UNAUTHORIZED:
        raise AuthLost(
            text(
                "{tracker} does not accept our key (401); make a new one there and put it into the secrets folder",
                tracker=voice.tracker,
            )
        )
    if status == TOO_MANY:
        until = retry_after(response.headers, voice.clock()) or voice.clock() + timedelta(
            seconds=WAIT_DEFAULT_S
        )
        raise Throttled(text("{tracker} asks us to wait (429)", tracker=voice.tracker), until)
    if status in BUSY:
        raise Unavailable(
            text(
                "{tracker} is overloaded or being restarted ({status})", tracker=voice.tracker, status=status
            ),
            retry_after(response.headers, voice.clock()),
        )
    if response.is_redirect or 300 <= status < 400:
        _redirected(response, voice)


def _redirected(response: requests.Response, voice: Voice) -> None:
    target = response.headers.get("Location", "")
    if "login" in target or "signin" in target:
        raise AuthLost(voice.text("{tracker} sends us to its login page", tracker=voice.tracker))
    shown = urlsplit(target)
    raise Unavailable(
        voice.text(
            "{tracker} sends us to another address ({target}); correct url: in ticssync.yaml",
            tracker=voice.tracker,
            target=f"{shown.scheme}://{_host(target)}{shown.path}" if shown.netloc else shown.path,
        )
    )


def data(response: requests.Response, voice: Voice) -> dict[str, Any]:
    """The JSON object of an answer.  A web page with status 200 (a proxy, a login form) is no data: Unavailable."""
    try:
        found = response.json() if "json" in response.headers.get("Content-Type", "") else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(
            voice.text(
                "{tracker} answers something that is no data ({what}): a proxy may answer instead, or url: in "
                "ticssync.yaml may be wrong",
                tracker=voice.tracker,
                what=response.headers.get("Content-Type", "?").partition(";")[0] or "?",
            )
        )
    return found


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When to ask again, aware UTC: `Retry-After` in seconds or as a date, honoured up to a month; None where it is
    missing or unreadable.  RFC 9110, 10.2.3."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    most = timedelta(days=30)
    if value.isascii() and value.isdigit():
        return now + min(timedelta(seconds=min(int(value), 10**9)), most)
    at = _date(value)
    return min(at, now + most) if at is not None else None


def served_at(headers: Mapping[str, str]) -> datetime | None:
    """The server's time of an answer (`Date`), aware UTC; None where it tells none (Puma by itself does not)."""
    return _date(headers.get("Date", ""))


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def address(url: str) -> str:
    """A setting `url:` without blanks around it and without a slash at its end.  Raises ValueError where it is no
    web address or holds a password; the words are translated where the problem is shown."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(say("write the address that the browser shows, beginning with https://"))
    if parts.username or parts.password:
        raise ValueError(say("an address must not hold a password; the key goes into the secrets folder"))
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def closed_address(url: str, *, allowed: bool) -> None:
    """Raises ValueError where the key would be sent without encryption and that is not `allowed`."""
    if in_the_open(url) and not allowed:
        raise ValueError(
            say(
                "with http:// the key can be read on the way: use https://, or write allow_insecure: true where that is "
                "accepted"
            )
        )


def in_the_open(url: str) -> bool:
    """Whether a key sent to this URL could be read on the way: http to anything but this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _this_machine(parts.hostname or "")


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
