"""Redmine's REST API over one session: requests and answers, no words about tasks.

Source of the addresses and answers: Redmine's wiki page Rest_api, and calls recorded from 5.0.4, 6.0.5 and 6.1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

import requests
from requests import Response
from requests.auth import AuthBase

from ticssync.plugin import AuthLost, Unavailable, http

IN_MEMORY: Final = 8 * 1024 * 1024
"""Bytes of a download that are held in memory; the rest goes to a temporary file."""

CHUNK: Final = 64 * 1024
PAGE: Final = 100
"""Redmine's own limit of issues in one answer."""


class KeyAuth(AuthBase):
    """The key as a header.  An auth object, because an entry of ~/.netrc would override a plain header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the key on."""
        request.headers["X-Redmine-API-Key"] = self._key
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `data` is the JSON object (empty for 204), `errors` Redmine's own sentences (422).

    Those are in the account's language: shown as they are, never read for meaning.
    """

    status: int
    data: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether Redmine said yes; whether it did what was asked only a read shows."""
        return 200 <= self.status < 300


class Client:
    """Asks one Redmine.  Raises AuthLost, Throttled and Unavailable; http.AnswerLost where a write may have
    happened.  404, 403, 409, 413, 422 and 500 come back as answers: what they mean depends on the question."""

    def __init__(
        self,
        url: str,
        key: str,
        voice: http.Voice,
        ca_file: Path | None = None,
        *,
        connect_s: float = http.CONNECT_S,
        read_s: float = http.READ_S,
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url
        self._before_write = before_write
        self.voice = voice
        self._session = requests.Session()
        self._policy = http.apply(self._session, connect_s=connect_s, read_s=read_s, ca_file=ca_file)
        self._session.auth = KeyAuth(key)
        self._session.headers["Accept"] = "application/json"
        self._keyless = not key
        self._ca_file = ca_file
        self.served_at: datetime | None = None
        """The server's (or its proxy's) time of the last answer, where it told one."""

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._policy.requests

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """A read."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Make something."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change something."""
        return self._ask("PUT", path, json=body)

    def upload(self, name: str, content: BinaryIO) -> Answer:
        """Hand in a file; the answer holds a token that is good once.  Harmless if lost: nothing shows it yet."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._ask(
            "POST", "/uploads.json", params={"filename": name}, data=content, headers=headers, harmless=True
        )

    def download(self, path: str, name: str) -> tuple[int, BinaryIO]:
        """(size, content) of a file.  Raises Unavailable where it is not there or the transfer breaks off; `name`
        is how people know it."""
        response = self._send("GET", path, harmless=True, stream=True)
        with response:
            http.judge(response, self.voice)
            if response.status_code != requests.codes.ok:
                raise Unavailable(
                    self.voice.text(
                        "{tracker}: the file {name} cannot be had ({status})",
                        tracker=self.voice.tracker,
                        name=name,
                        status=response.status_code,
                    )
                )
            return self._spooled(response)

    def _spooled(self, response: Response) -> tuple[int, BinaryIO]:
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
        size = 0
        try:
            for chunk in cast("Iterable[bytes]", response.iter_content(CHUNK)):
                size += file.write(chunk)
        except requests.RequestException as error:
            file.close()
            raise http.failed(error, self.voice, self.url, harmless=True) from error
        file.seek(0)
        return size, cast("BinaryIO", file)

    def _ask(self, method: str, path: str, *, harmless: bool | None = None, **parts: Any) -> Answer:
        response = self._send(
            method, path, harmless=method == "GET" if harmless is None else harmless, **parts
        )
        http.judge(response, self.voice)
        status = response.status_code
        if status == requests.codes.unprocessable:
            return Answer(status, errors=_errors(response))
        if status >= http.SERVER_ERROR and method == "GET":
            raise Unavailable(
                self.voice.text(
                    "{tracker} fails inside ({status}); its administrator finds why in Redmine's log",
                    tracker=self.voice.tracker,
                    status=status,
                )
            )
        if not 200 <= status < 300 or status == requests.codes.no_content or not response.content.strip():
            return Answer(status)
        return Answer(status, http.data(response, self.voice))

    def _send(self, method: str, path: str, *, harmless: bool, **parts: Any) -> Response:
        if self._keyless:
            # Without a key Redmine answers as to a stranger: 200 and nothing.
            raise AuthLost(
                self.voice.text(
                    "{tracker} has no API key: set {variable}, or put it into the secrets folder",
                    tracker=self.voice.tracker,
                    variable=f"TICSSYNC_TRACKERS__{self.voice.tracker.upper()}__API_KEY",
                )
            )
        if not harmless:
            self._before_write()
        try:
            response = self._session.request(method, self.url + path, **parts)
        except requests.RequestException as error:
            raise http.failed(error, self.voice, self.url, harmless=harmless) from error
        except OSError as error:
            # Nothing was sent: requests could not read what it needs for the connection.
            raise Unavailable(
                self.voice.text(
                    "{tracker}: the certificate file {file} cannot be used; correct ca_file: in ticssync.yaml",
                    tracker=self.voice.tracker,
                    file=self._ca_file or "?",
                )
            ) from error
        self.served_at = http.served_at(response.headers)
        return response


def _errors(response: requests.Response) -> tuple[str, ...]:
    try:
        found = response.json()
    except ValueError:
        return ()
    errors = found.get("errors", ()) if isinstance(found, dict) else ()
    return tuple(str(one) for one in errors) if isinstance(errors, list) else ()
