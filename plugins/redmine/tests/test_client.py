"""What the driver makes of answers, of missing ones and of wrong ones; the key is seen by nobody."""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from plugins.redmine.tests.desk import ENGLISH, JAPANESE, KEY, URL, issue, marker, payload, tracker
from responses import matchers
from tests.servers.loopback import answer, full, nobody, reset, self_signed, serving, silence, unbounded

from ticssync.plugin import (
    Attachment,
    AuthLost,
    Change,
    Done,
    Draft,
    Fate,
    Note,
    OutFile,
    Rejected,
    RemoteRef,
    TaskKey,
    Throttled,
    Unavailable,
    Unknown,
    Unsafe,
    http,
)
from ticssync.testing.clock import START
from ticssync.testing.opening import FakeMemory, silent_log
from ticssync_redmine.client import Client
from ticssync_redmine.settings import RedmineSettings

ISSUES, LIST, ME = f"{URL}/issues.json", f"{URL}/projects/tics/issues.json", f"{URL}/users/current.json"
PROJECT = f"{URL}/projects/tics.json"
REF = RemoteRef("factory", "1")
OPEN = {"project": {**payload("5.0.4-projects")["projects"][0]}}
QUICK_S = 0.2


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """Answers by address; each that is registered must be asked for."""
    with responses.RequestsMock() as mocked:
        yield mocked


def draft(title: str = "規程を作る") -> Draft:
    return Draft(TaskKey("tics", "T-14"), marker(), {"title": title, "status": "todo"})


def client(url: str = URL, key: str = KEY, **more: Any) -> Client:
    return Client(url, key, http.Voice("factory", ENGLISH, lambda: START), **more)


def nothing(web: responses.RequestsMock) -> None:
    """The marker is nowhere."""
    web.get(ISSUES, json={"issues": [], "total_count": 0})


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 01 Apr 2026 00:05:00 GMT"}, 300),
        ({}, 60),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "3600"}, 3600),
        ({"Retry-After": "soon"}, 60),
    ],
)
def test_a_redmine_behind_a_limit_is_left_alone(web, headers: dict[str, str], seconds: int):
    """429 to a create: nothing is sent again, and the time that was asked for is handed on in full."""
    web.post(ISSUES, status=429, headers=headers)

    with pytest.raises(Throttled) as stopped:
        tracker().create([draft()])

    assert stopped.value.until == START + timedelta(seconds=seconds)
    assert len(web.calls) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "120"}, 120), ({}, None)])
def test_a_redmine_that_restarts_ends_the_cycle(web, status: int, headers: dict[str, str], wait: int | None):
    """The proxy's page is not read; when to come back is handed on where it was told."""
    web.get(ISSUES, status=status, headers=headers, body="<html>Bad gateway</html>", content_type="text/html")

    with pytest.raises(Unavailable, match=str(status)) as stopped:
        tracker().fetch([REF])

    assert stopped.value.until == (START + timedelta(seconds=wait) if wait else None)
    assert len(web.calls) == 1


# ── 500 ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_read_that_fails_inside(web):
    """500 to a question: the tracker is in trouble, and the message says where the reason stands."""
    web.get(ISSUES, status=500, body="<html>", content_type="text/html")

    with pytest.raises(Unavailable, match=r"fails inside \(500\).*Redmine's log"):
        tracker().fetch([REF])


def test_a_create_that_fails_inside_and_made_nothing(web):
    """Looked for by its marker, not there: the cycle ends, the next one tries again."""
    web.post(ISSUES, status=500)
    nothing(web)

    with pytest.raises(Unavailable, match="fails inside"):
        tracker().create([draft()])


def test_a_create_that_fails_inside_after_it_made_the_issue(web):
    """Found by its marker: not sent again, the host reads what is there."""
    web.post(ISSUES, status=500)
    made = issue(custom_fields=[{"id": 9, "name": "ticssync-id", "value": marker()}])
    web.get(ISSUES, json={"issues": [made], "total_count": 1})

    (outcome,) = tracker().create([draft()])

    assert outcome == Unknown("factory failed inside (500), but #1 was made")


@pytest.mark.parametrize("title", ["鍵🔒を替える", "𠮷野家"])
def test_a_database_that_cannot_hold_the_text(web, title: str):
    """500 at a text with an emoji, nothing made: a refusal with the likely reason, not a trouble for ever."""
    web.post(ISSUES, status=500)
    nothing(web)

    (outcome,) = tracker().create([draft(title)])

    assert isinstance(outcome, Rejected)
    assert "utf8mb4" in outcome.problems[0]


def test_a_change_that_fails_inside(web):
    """The same for a change; without such a character the issue and the log are named."""
    web.put(f"{URL}/issues/1.json", status=500)

    plain, emoji = tracker().update([Change(REF, {"title": "あ"}), Change(REF, {"title": "🔒"})])

    assert isinstance(plain, Rejected)
    assert "(500) at #1" in plain.problems[0]
    assert isinstance(emoji, Rejected)
    assert "utf8mb4" in emoji.problems[0]


# ── answers that are none ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>Please sign in to the network</html>", "text/html"),
        ('{"issues": [], "total_count": 0}', "text/plain"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ('{"issues": [', "application/json"),
        ("", "application/json"),
        ('{"issues": null}', "application/json"),
        ('{"total_count": 0}', "application/json"),
    ],
)
def test_a_listing_that_is_no_list_is_never_an_empty_project(web, body: str, kind: str):
    """A proxy's page, a list, nothing, half an object: trouble, and not "every issue is gone"."""
    web.get(ME, json=payload("5.0.4-me"))
    web.get(LIST, body=body, content_type=kind)

    with pytest.raises(Unavailable):
        list(tracker().list_changed(None))


@pytest.mark.parametrize("target", ["/login?back_url=x", f"{URL}/login"])
def test_a_login_page_means_that_the_key_is_not_taken(web, target: str):
    """Redmine with 'authentication required' sends a stranger there; the page itself is not fetched."""
    web.get(ISSUES, status=302, headers={"Location": target})

    with pytest.raises(AuthLost, match="login page"):
        tracker().fetch([REF])

    assert len(web.calls) == 1


@pytest.mark.parametrize("target", ["https://redmine.example.test/issues.json", "https://new.example.test/"])
def test_another_address_is_told_and_not_followed(web, target: str):
    """http→https and a moved Redmine: the key is not sent on; url: is to be corrected."""
    web.get("http://redmine.example.test/issues.json", status=301, headers={"Location": target})
    settings = RedmineSettings(url="http://redmine.example.test", project="tics", allow_insecure=True)

    with pytest.raises(Unavailable, match=r"another address .*correct url:"):
        client(settings.url).get("/issues.json")

    assert len(web.calls) == 1


# ── no, in Redmine's ways ─────────────────────────────────────────────────────────────────────────────


def test_a_key_that_is_not_known(web):
    """401 when asked who we are: a person gives a new key."""
    web.get(ME, status=401)

    with pytest.raises(AuthLost, match="does not accept our key"):
        tracker().whoami()


def test_a_stranger_s_empty_list_is_not_believed(web):
    """A revoked key gets 200 and nothing: who we are is asked before the first listing."""
    web.get(ME, status=401)
    assert payload("5.0.4-stranger") == {"issues": [], "total_count": 0, "offset": 0, "limit": 25}

    with pytest.raises(AuthLost):
        list(tracker().list_changed(None))


def test_a_proof_holds_for_a_quarter_of_an_hour(web):
    """One request in fifteen minutes, not one a listing."""
    web.get(ME, json=payload("5.0.4-me"))
    web.get(LIST, json={"issues": [], "total_count": 0})
    driver = tracker()

    for _ in range(3):
        list(driver.list_changed(None))

    assert [call.request.url.partition("?")[0] for call in web.calls].count(ME) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_project_that_cannot_be_seen_is_a_stop(web, status: int):
    """Not an empty project: nothing is written, and the message says what to do."""
    web.get(ME, json=payload("5.0.4-me"))
    web.get(LIST, status=status)

    with pytest.raises(Unsafe, match=rf"the project tics of factory cannot be seen \({status}\)") as stopped:
        list(tracker().list_changed(None))

    assert "Unarchive" in stopped.value.fix


@pytest.mark.parametrize(("status", "fate"), [(404, Fate.GONE), (403, Fate.HIDDEN), (409, Fate.UNKNOWN)])
def test_gone_and_hidden_are_told_apart(web, status: int, fate: Fate):
    """Not in the list: asked for by itself; only 404 proves that it was deleted."""
    nothing(web)
    web.get(f"{URL}/issues/1.json", status=status)

    assert tracker().fetch([REF])[REF].fate is fate


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "may not change #1 (403)"), (404, "#1 is not there any more"), (413, "too large"), (409, "409")],
)
def test_a_change_that_is_not_taken_says_why(web, status: int, said: str):
    """In words that an administrator can act on, with the issue's number."""
    web.put(f"{URL}/issues/1.json", status=status)
    if status == 403:
        web.get(PROJECT, json=OPEN)

    (outcome,) = tracker().update([Change(REF, {"title": "あ"})])

    assert isinstance(outcome, Rejected)
    assert said in outcome.problems[0]


def test_a_closed_project_stops_the_writing(web):
    """403 because the project was closed is no refusal of this one issue."""
    web.put(f"{URL}/issues/1.json", status=403)
    web.get(PROJECT, json={"project": {**OPEN["project"], "status": 5}})

    with pytest.raises(Unsafe, match="is closed") as stopped:
        tracker().update([Change(REF, {"title": "あ"})])

    assert "reopen" in stopped.value.fix


def test_redmine_s_own_sentences_are_shown_as_they_are(web):
    """422 with reasons, in the account's language, word for word."""
    web.post(ISSUES, status=422, json=payload("5.0.4-refused"))
    web.get(PROJECT, json=OPEN)

    (outcome,) = tracker().create([draft()])

    assert outcome == Rejected(tuple(payload("5.0.4-refused")["errors"]))
    assert "一覧にありません" in outcome.problems[0]


@pytest.mark.parametrize("body", ['{"errors": []}', "", "<html>", '{"errors": "x"}', "[]"])
def test_a_refusal_without_reasons_is_still_one(web, body: str):
    """422 with an empty list, no body or a page: said to be without a reason, no crash."""
    web.put(f"{URL}/issues/1.json", status=422, body=body)

    (outcome,) = tracker().update([Change(REF, {"title": "あ"})])

    assert outcome == Rejected(("Redmine refuses it and does not say why (422)",), "title")


def test_one_wrong_field_does_not_keep_the_others_back(web):
    """Refused whole, then part by part: the good one is saved, the wrong one is named with Redmine's words."""
    address = f"{URL}/issues/1.json"
    both = {"issue": {"due_date": "2026-01-01", "subject": "あ"}}
    wrong = ["期日 を開始日より後にしてください"]
    web.put(address, status=422, json={"errors": wrong}, match=[matchers.json_params_matcher(both)])
    web.put(address, status=204, match=[matchers.json_params_matcher({"issue": {"subject": "あ"}})])
    only = {"issue": {"due_date": "2026-01-01"}}
    web.put(address, status=422, json={"errors": wrong}, match=[matchers.json_params_matcher(only)])

    (outcome,) = tracker().update([Change(REF, {"title": "あ", "due": "2026-01-01"})])

    assert outcome == Done(REF, None, {"due": wrong[0]})


def test_a_question_that_redmine_does_not_understand(web):
    """422 to a listing (a wrong time, say) ends the cycle with Redmine's words."""
    web.get(ME, json=payload("5.0.4-me"))
    web.get(LIST, status=422, json=payload("5.0.4-refused-question"))

    with pytest.raises(Unavailable, match="更新日 は不正な値です"):
        list(tracker().list_changed(None))


def test_a_file_that_is_too_large_is_named(web, tmp_path):
    """413 from the proxy: the note goes through, the file is refused by its name."""
    file = tmp_path / "写真.jpg"
    file.write_bytes(b"x" * 10)
    web.post(f"{URL}/uploads.json", status=413)
    web.put(f"{URL}/issues/1.json", status=204)

    (outcome,) = tracker().update(
        [Change(REF, {}, note=Note("写真です", "[ticssync:1]"), files=(OutFile("写真__ab.jpg", file),))]
    )

    assert isinstance(outcome, Done)
    assert outcome.refused.keys() == {"写真__ab.jpg"}
    assert "Maximum attachment size" in outcome.refused["写真__ab.jpg"]


# ── the network ───────────────────────────────────────────────────────────────────────────────────────


def test_nobody_there_is_asked_once_more():
    """Refused connections were certainly never made: two requests are counted, and no more."""
    driver = tracker(url=nobody())

    with pytest.raises(Unavailable, match="no connection"):
        driver.whoami()

    assert driver.requests == 2
    driver.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a full queue is silent on Linux only")
def test_a_server_that_does_not_let_us_in():
    """Connect timeout: nothing was sent, so also a create is simply not made."""
    with full() as server:
        one = client(server.url, connect_s=QUICK_S)
        with pytest.raises(Unavailable, match="no connection"):
            one.post("/issues.json", {})
        one.close()


def test_a_server_that_does_not_answer():
    """Read timeout: a read is trouble, a write is unknown."""
    with serving(silence) as server:
        one = client(server.url, read_s=QUICK_S)
        with pytest.raises(Unavailable, match="in time"):
            one.get("/issues.json")
        with pytest.raises(http.AnswerLost, match="in time"):
            one.put("/issues/1.json", {})
        one.close()

        assert len(server.requests) == 2


def test_a_create_whose_answer_is_lost_is_unknown_and_sent_once():
    """The connection is torn down after Redmine got the request: nobody sends it again."""
    with serving(reset) as server:
        driver = tracker(url=server.url)
        (outcome,) = driver.create([draft()])
        (change,) = driver.update([Change(REF, {"title": "あ"})])
        driver.close()

        assert isinstance(outcome, Unknown)
        assert isinstance(change, Unknown)
        assert [one.split(b" ")[0] for one in server.requests] == [b"POST", b"PUT"]


def test_a_create_whose_answer_is_cut_off_is_unknown():
    """Half of the answer is no answer: the marker tells later what became of it."""
    half = json.dumps({"issue": issue()}).encode()[:200]
    with serving(answer(half, length=4000, status="201 Created")) as server:
        driver = tracker(url=server.url)
        (outcome,) = driver.create([draft()])
        driver.close()

        assert isinstance(outcome, Unknown)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [answer(b'{"user": {"id"', length=900), unbounded(b'{"user": {"id": 5, "log')],
    ids=["length", "none"],
)
def test_an_answer_that_is_cut_off_is_trouble(script):
    """The server closes in the middle of the JSON, with an announced length and without."""
    with serving(script) as server:
        driver = tracker(url=server.url)
        with pytest.raises(Unavailable):
            driver.whoami()
        driver.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (answer(b"%PDF-" + b"x" * 100, length=314, kind="application/pdf"), "broke off"),
        (answer(b"%PDF-", kind="application/pdf"), r"証跡\.pdf of #1 came short \(5 of 314 bytes\)"),
        (answer(b"", status="404 Not Found"), r"the file 証跡\.pdf \(#1\) cannot be had \(404\)"),
    ],
    ids=["cut off", "short", "gone"],
)
def test_a_download_is_whole_or_none(script, said: str):
    """Evidence that came short is never taken for the file."""
    with serving(script) as server:
        driver = tracker(url=server.url)
        with pytest.raises(Unavailable, match=said):
            driver.download(REF, Attachment("1", "証跡.pdf", 314))
        driver.close()


def test_a_download_that_is_whole():
    content = bytes(range(256)) * 1000
    with serving(answer(content, kind="application/pdf")) as server:
        driver = tracker(url=server.url)
        with driver.download(REF, Attachment("1", "証跡.pdf", len(content))) as found:
            assert found.read() == content
        driver.close()


def test_the_company_s_own_certificate(tmp_path):
    """Refused until its authority is named; then it works."""
    context, authority = self_signed(tmp_path)
    with serving(answer(json.dumps(payload("5.0.4-me")).encode()), context=context) as server:
        strange = tracker(url=server.url)
        with pytest.raises(Unavailable, match="ca_file:"):
            strange.whoami()
        known = client(server.url, ca_file=authority)
        assert known.get("/users/current.json").data["user"]["login"] == "worker"
        strange.close()
        known.close()

        assert len(server.requests) == 1


@pytest.mark.parametrize("content", [None, b"no certificate"], ids=["missing", "garbage"])
def test_a_certificate_file_that_is_none_is_named(tmp_path, content: bytes | None):
    """A slip in ca_file: is a message with the file's name, not a crash."""
    context, _ = self_signed(tmp_path)
    file = tmp_path / "社内.pem"
    if content is not None:
        file.write_bytes(content)
    with serving(silence, context=context) as server:
        one = client(server.url, ca_file=file)
        with pytest.raises(Unavailable, match=r"社内\.pem cannot be used" if content is None else "ca_file:"):
            one.get("/issues.json")
        one.close()

        assert server.requests == []


# ── the key ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_of_netrc_does_not_override_the_key(web, tmp_path, monkeypatch):
    """A login that somebody keeps there for this host is not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine redmine.example.test login person password secret\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    web.get(ME, json=payload("5.0.4-me"))

    tracker().whoami()

    sent = web.calls[0].request.headers
    assert sent["X-Redmine-API-Key"] == KEY
    assert "Authorization" not in sent


@pytest.mark.parametrize("text", [ENGLISH, JAPANESE], ids=["en", "ja"])
def test_without_a_key_nothing_is_sent(web, text):
    """Redmine would answer a stranger with an empty list; the message names the variable to set."""
    driver = tracker(key="", text=text)

    with pytest.raises(AuthLost, match="TICSSYNC_TRACKERS__FACTORY__API_KEY"):
        driver.whoami()

    assert len(web.calls) == 0
    assert driver.requests == 0


def _everything(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def test_the_key_is_seen_by_nobody(web, caplog, tmp_path):
    """In no log line at any level, no exception with all its causes, no repr, nothing remembered."""
    caplog.set_level(logging.DEBUG)
    entries: list[dict[str, Any]] = []
    memory = FakeMemory()
    seen: list[str] = []
    for status, more in [(200, {"json": payload("5.0.4-me")}), (401, {}), (429, {}), (502, {}), (500, {}),
                         (302, {"headers": {"Location": f"/login?key={KEY}"}}), (301, {"headers": {"Location": f"/x?key={KEY}"}}),
                         (200, {"body": KEY}), (404, {})]:  # fmt: skip
        web.replace(responses.GET, ME, status=status, **more) if seen else web.get(ME, status=status, **more)
        driver = tracker(memory=memory, log=silent_log(entries))
        try:
            seen.append(repr(driver.whoami()))
        except (AuthLost, Throttled, Unavailable) as error:
            seen.append(_everything(error))
        seen += [
            repr(driver),
            repr(driver.settings),
            str(driver.settings),
            repr(driver.opening),
            repr(driver.client),
        ]
    for script in (reset, answer(b"{", length=99)):
        with serving(script) as server:
            driver = tracker(url=server.url, log=silent_log(entries))
            web.add_passthru(server.url)
            with pytest.raises(Unavailable) as stopped:
                driver.whoami()
            (outcome,) = driver.create([draft()])
            driver.close()
            assert KEY.encode() in server.requests[0]
            seen += [_everything(stopped.value), repr(outcome)]
    seen += [repr(memory.values), repr(entries), caplog.text, repr(driver.client._session.auth)]

    assert len(caplog.records) > 0
    assert [one for one in seen if KEY in one] == []


def test_a_file_is_sent_as_it_is(web):
    """The bytes as octet-stream (anything else is 406), the name in the address, with the key."""
    web.post(f"{URL}/uploads.json", status=201, json={"upload": {"id": 1, "token": "1.ab"}})

    found = client().upload("証跡 2026.pdf", io.BytesIO(b"%PDF"))

    request = web.calls[0].request
    assert found.data == {"upload": {"id": 1, "token": "1.ab"}}
    assert request.params == {"filename": "証跡 2026.pdf"}
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.headers["X-Redmine-API-Key"] == KEY


def test_the_server_s_time_is_noted(web):
    web.get(ME, json=payload("5.0.4-me"), headers={"Date": "Wed, 01 Apr 2026 00:00:30 GMT"})
    driver = tracker()

    driver.whoami()

    assert driver.client.served_at == START + timedelta(seconds=30)


# ── another process has taken over ────────────────────────────────────────────────────────────────────


class LostError(Exception):
    """The lease is another's."""


def lost() -> None:
    raise LostError


@pytest.mark.parametrize("verb", ["post", "put"])
def test_whoever_lost_the_lease_changes_nothing_and_may_still_read(web, verb: str):
    web.get(ISSUES, json={"issues": [], "total_count": 0})
    asking = client(before_write=lost)

    assert asking.get("/issues.json").ok
    with pytest.raises(LostError):
        getattr(asking, verb)("/issues.json", {"issue": {}})
    assert len(web.calls) == 1
