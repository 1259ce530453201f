"""The one policy for everything that speaks HTTP, over real sockets where the network is what misbehaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, field_validator
from tests.servers.loopback import answer, full, nobody, reset, self_signed, serving, silence, unbounded

from ticssync.errors import Said
from ticssync.plugin import AuthLost, Throttled, Unavailable, http
from ticssync.text import Text

NOW = datetime(2026, 4, 1, 0, 0, tzinfo=timezone.utc)
VOICE = http.Voice("factory", Text("en"), lambda: NOW)
URL = "https://tracker.example.test/issues.json"
QUICK_S = 0.2


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


def sent(session: requests.Session, method: str, url: str, **parts: object) -> requests.Response:
    """A request as the plugins send it: what goes wrong is said in the policy's words."""
    try:
        return session.request(method, url, **parts)  # type: ignore[arg-type]
    except requests.RequestException as error:
        raise http.failed(error, VOICE, url, harmless=method == "GET") from error


def answered(
    status: int, headers: dict[str, str] | None = None, body: str = "", kind: str = "application/json"
):
    """An answer as requests makes it."""
    with responses.RequestsMock() as mocked:
        mocked.add(responses.GET, URL, status=status, headers=headers, body=body, content_type=kind)
        with requests.Session() as session:
            http.apply(session)
            return session.get(URL)


# ── how long to wait ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("3600", 3600),
        ("0", 0),
        ("Wed, 01 Apr 2026 00:02:00 GMT", 120),
        ("Wed, 01 Apr 2026 09:02:00 +0900", 120),
        (None, http.WAIT_DEFAULT_S),
        ("", http.WAIT_DEFAULT_S),
        ("soon", http.WAIT_DEFAULT_S),
        ("-5", http.WAIT_DEFAULT_S),
        ("１２", http.WAIT_DEFAULT_S),
        ("1.5", http.WAIT_DEFAULT_S),
    ],
)
def test_a_server_that_asks_for_time_gets_all_of_it(value: str | None, seconds: float):
    """429: seconds and dates are honoured in full; without a readable one the default holds."""
    response = answered(429, {} if value is None else {"Retry-After": value})

    with pytest.raises(Throttled, match="factory asks us to wait") as stopped:
        http.judge(response, VOICE)

    assert stopped.value.until == NOW + timedelta(seconds=seconds)


def test_a_wait_of_years_is_a_month():
    """A server's typing error must not end the sync for good, nor break the calendar."""
    for asked in ("9" * 40, "Thu, 01 Jan 2099 00:00:00 GMT"):
        assert http.retry_after({"Retry-After": asked}, NOW) == NOW + timedelta(days=30)


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(value: str):
    """Whatever stands there, the answer is a time with a zone or none."""
    found = http.retry_after({"Retry-After": value}, NOW)

    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "120"}, 120), ({}, None)])
def test_an_overloaded_server_is_left_alone(status: int, headers: dict[str, str], wait: int | None):
    """502, 503 and 504 end the cycle; when to come back only where the server said so."""
    with pytest.raises(Unavailable, match=rf"overloaded or being restarted \({status}\)") as stopped:
        http.judge(answered(status, headers, "<html>", "text/html"), VOICE)

    assert stopped.value.until == (NOW + timedelta(seconds=wait) if wait else None)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403, 404, 409, 413, 422, 500])
def test_what_depends_on_the_question_is_left_to_the_plugin(status: int):
    """No judgement of the policy's: a 404 means one thing to a fetch and another to a listing."""
    http.judge(answered(status), VOICE)


def test_a_key_that_is_not_known():
    """401 is the one status that always means the key."""
    with pytest.raises(AuthLost, match=r"does not accept our key \(401\)"):
        http.judge(answered(401), VOICE)


# ── redirects ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "target", ["/login?back_url=x", "https://sso.example.test/signin", "https://other.example.test/login"]
)
def test_a_login_page_is_no_answer(target: str):
    """Being sent to a login page means that the key is not taken; the page is never fetched."""
    with pytest.raises(AuthLost, match="login page"):
        http.judge(answered(302, {"Location": target}), VOICE)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (
            "https://tracker.example.test/redmine/issues.json?key=secret#top",
            "https://tracker.example.test/redmine/issues.json",
        ),
        ("https://name:secret@moved.example.test/x", "https://moved.example.test/x"),
        ("/moved?key=secret", "/moved"),
        ("", ""),
    ],
)
def test_another_address_is_named_without_what_could_be_secret(target: str, shown: str):
    """The message holds where to, without a query or a password."""
    with pytest.raises(Unavailable) as stopped:
        http.judge(answered(301, {"Location": target} if target else {}), VOICE)

    assert f"({shown})" in str(stopped.value)
    assert "secret" not in str(stopped.value)


# ── what is data ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "kind", "named"),
    [
        ("<html>Sign in</html>", "text/html; charset=utf-8", "text/html"),
        ('{"issues": []}', "text/plain", "text/plain"),
        ("[]", "application/json", "application/json"),
        ('"words"', "application/json", "application/json"),
        ("", "application/json", "application/json"),
        ('{"issues": [', "application/json", "application/json"),
    ],
)
def test_a_page_is_no_data(body: str, kind: str, named: str):
    """200 with a web page, another type, a list, nothing or half an object: never an empty answer."""
    with pytest.raises(Unavailable, match=rf"no data \({named}\)"):
        http.data(answered(200, body=body, kind=kind), VOICE)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_an_object_is_data(kind: str):
    """The JSON object as it is."""
    assert http.data(answered(200, body='{"a": "髙﨑㈱"}', kind=kind), VOICE) == {"a": "髙﨑㈱"}


def test_the_servers_time_is_read():
    """`Date` as aware UTC; none where it is missing or nonsense."""
    assert http.served_at({"Date": "Wed, 01 Apr 2026 00:00:05 GMT"}) == NOW + timedelta(seconds=5)
    assert http.served_at({"Date": "Wed, 01 Apr 2026 00:00:05 -0000"}) == NOW + timedelta(seconds=5)
    assert http.served_at({}) is None
    assert http.served_at({"Date": "yesterday"}) is None


# ── the network ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_there_is_tried_once_more(session: requests.Session, method: str):
    """Refused: certainly not sent, so it is tried once more at once, and both count."""
    policy = http.apply(session)

    with pytest.raises(Unavailable, match=r"factory: no connection to 127\.0\.0\.1"):
        sent(session, method, nobody())

    assert policy.requests == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a full queue is silent on Linux only")
def test_a_connection_that_never_comes(session: requests.Session):
    """Connect timeout: nothing was sent, also for a POST."""
    policy = http.apply(session, connect_s=QUICK_S)

    with full() as server, pytest.raises(Unavailable, match="no connection"):
        sent(session, "POST", server.url, json={})

    assert policy.requests == 2


def test_an_answer_that_never_comes(session: requests.Session):
    """Read timeout: harmless after a read, lost after a write; sent once either way."""
    policy = http.apply(session, read_s=QUICK_S)
    with serving(silence) as server:
        with pytest.raises(Unavailable, match="did not answer in time"):
            sent(session, "GET", server.url)
        with pytest.raises(http.AnswerLost, match="did not answer in time"):
            sent(session, "POST", server.url, json={"issue": 1})

        assert [one.split()[0] for one in server.requests] == [b"GET", b"POST"]
    assert policy.requests == 2


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_whose_answer_is_lost_is_never_sent_again(session: requests.Session, method: str):
    """Reset after sending: whether it was carried out is not known, so nobody sends it a second time."""
    policy = http.apply(session)
    with serving(reset) as server:
        with pytest.raises(http.AnswerLost, match="broke off"):
            sent(session, method, server.url, json={"issue": 1})

        assert len(server.requests) == 1
    assert policy.requests == 1


def test_a_read_whose_answer_is_lost_is_asked_again_another_time(session: requests.Session):
    """The same for a read is merely a tracker that cannot be reached."""
    http.apply(session)
    with serving(reset) as server:
        with pytest.raises(Unavailable, match="broke off"):
            sent(session, "GET", server.url)

        assert len(server.requests) == 1


@pytest.mark.parametrize(("method", "error"), [("GET", Unavailable), ("POST", http.AnswerLost)])
def test_a_body_that_is_cut_off_is_no_answer(session: requests.Session, method: str, error: type[Exception]):
    """Fewer bytes than announced are never taken for the whole."""
    http.apply(session)
    with serving(answer(b'{"issues": []', length=5000)) as server, pytest.raises(error, match="broke off"):
        sent(session, method, server.url)


def test_half_an_object_without_a_length_is_no_data(session: requests.Session):
    """Where no length was announced the JSON itself shows that something is missing."""
    http.apply(session)
    with serving(unbounded(b'{"issues": [{"id": 1}, {"i')) as server:
        response = sent(session, "GET", server.url)

    with pytest.raises(Unavailable, match="no data"):
        http.data(response, VOICE)


def test_a_proxy_that_fails_may_have_passed_it_on(session: requests.Session):
    """Nobody knows what a broken proxy did with a write; it is not sent again."""
    policy = http.apply(session)
    session.proxies = {"http": nobody()}

    with pytest.raises(http.AnswerLost, match=r"the proxy on the way to tracker\.example\.test fails"):
        sent(session, "POST", "http://tracker.example.test/x", json={})

    assert policy.requests == 1


def test_an_unknown_certificate_is_refused_until_its_authority_is_named(
    session: requests.Session, tmp_path, monkeypatch
):
    """A server with the company's own certificate: the message names ca_file:, and with it it works, also where the
    environment names other authorities."""
    policy = http.apply(session)
    strange = tmp_path / "strange"
    strange.mkdir()
    _, other = self_signed(strange)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    session.trust_env = True
    context, authority = self_signed(tmp_path)
    with serving(answer(b'{"ok": 1}'), context=context) as server:
        with pytest.raises(Unavailable, match="ca_file:"):
            sent(session, "POST", server.url, json={})
        assert server.requests == []
        assert policy.requests == 1
        http.apply(session, ca_file=authority)

        assert http.data(sent(session, "GET", server.url), VOICE) == {"ok": 1}


def test_a_redirect_is_never_followed(session: requests.Session):
    """The key goes to the configured address and nowhere else."""
    http.apply(session)
    with serving(answer(b"", status="302 Found\r\nLocation: /elsewhere")) as server:
        response = sent(session, "GET", server.url)

        assert response.status_code == 302
        assert len(server.requests) == 1


def test_a_library_s_own_timeout_is_kept(session: requests.Session):
    """A timeout given with a request goes before the policy's."""
    http.apply(session, read_s=http.READ_S)
    with serving(silence) as server, pytest.raises(Unavailable, match="in time"):
        sent(session, "GET", server.url, timeout=QUICK_S)


def test_a_password_in_the_address_is_in_no_message(session: requests.Session):
    """Messages name the host alone."""
    http.apply(session)
    url = nobody().replace("://", "://name:secret@")

    with pytest.raises(Unavailable) as stopped:
        sent(session, "GET", url)

    assert "secret" not in str(stopped.value)
    assert "127.0.0.1" in str(stopped.value)


# ── settings ──────────────────────────────────────────────────────────────────────────────────────────


class Settings(BaseModel):
    """As a plugin has them."""

    url: str
    allowed: bool = False

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        return http.address(url)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" https://redmine.example.test/ ", "https://redmine.example.test"),
        ("https://example.test/redmine/", "https://example.test/redmine"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ],
)
def test_an_address_is_tidied(given: str, kept: str):
    assert Settings(url=given).url == kept


@pytest.mark.parametrize(
    "given", ["redmine.example.test", "ftp://example.test", "https://", "", "https://a:b@example.test"]
)
def test_a_wrong_address_is_told_in_words_that_can_be_translated(given: str):
    """The problem carries its template, so that Japanese readers get Japanese; the value is not repeated."""
    with pytest.raises(ValidationError) as found:
        Settings(url=given)

    said = found.value.errors()[0]["ctx"]["error"].args[0]
    assert isinstance(said, Said)
    assert Text("ja").said(said) != str(said)


@pytest.mark.parametrize(
    ("url", "readable"),
    [
        ("http://redmine.example.test", True),
        ("http://192.168.1.5", True),
        ("https://redmine.example.test", False),
        ("http://127.0.0.1:3000", False),
        ("http://[::1]:3000", False),
        ("http://localhost", False),
        ("http://localhost.example.test", True),
    ],
)
def test_a_key_in_the_open_is_noticed(url: str, readable: bool):
    """http:// to anything but this machine."""
    assert http.in_the_open(url) is readable
    if readable:
        with pytest.raises(ValueError, match="allow_insecure"):
            http.closed_address(url, allowed=False)
    http.closed_address(url, allowed=True)


def test_every_message_has_its_japanese():
    """Each sentence of the policy in Japanese, with the tracker's name in it."""
    voice = http.Voice("工場", Text("ja"), lambda: NOW)
    said = []
    for response in [
        answered(429),
        answered(502),
        answered(401),
        answered(302, {"Location": "/login"}),
        answered(301),
    ]:
        with pytest.raises((Throttled, Unavailable, AuthLost)) as stopped:
            http.judge(response, voice)
        said.append(str(stopped.value))
    errors = [requests.exceptions.SSLError(), requests.exceptions.ProxyError(), requests.ConnectTimeout(),
              requests.ReadTimeout(), requests.ConnectionError()]  # fmt: skip
    said += [str(http.failed(error, voice, URL, harmless=True)) for error in errors]
    with pytest.raises(Unavailable) as stopped:
        http.data(answered(200, body="[]"), voice)
    said.append(str(stopped.value))

    assert len(said) == 11
    assert [one for one in said if "工場" not in one or not any("ぁ" <= char <= "ん" for char in one)] == []
    assert json.dumps(said)
