"""Whatever is logged, a secret is not in the line."""

import io
import json

import pytest
import structlog

from ticssync import log

KEY = "s3cr3t-0123456789"


@pytest.fixture
def stream():
    """Where the lines go; afterwards logging is as it was."""
    lines = io.StringIO()
    log.set_up(secrets=(KEY, "abc"), stream=lines, verbose=True)
    yield lines
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "value",
    [KEY, f"GET /issues.json?key={KEY}&limit=1", [f"Bearer {KEY}"], {"headers": {"X-Key": KEY}}, (1, (KEY,))],
)
def test_a_known_secret_is_masked_wherever_it_stands(stream: io.StringIO, value: object):
    """In a text, in a list, and however deep."""
    log.logger(tracker="factory").info("asked", told=value)

    assert KEY not in stream.getvalue()
    assert log.MASK in stream.getvalue()


@pytest.mark.parametrize(
    "name", ["password", "api_key", "access_token", "Authorization", "set_cookie", "client_secret"]
)
def test_what_a_name_calls_a_secret_is_masked_though_nobody_listed_it(stream: io.StringIO, name: str):
    """A token that a server made a moment ago is in no configuration."""
    log.logger().info("asked", **{name: "unlisted"})

    assert json.loads(stream.getvalue())[name] == log.MASK


def test_a_secret_in_an_error_is_masked_in_its_traceback(stream: io.StringIO):
    try:
        raise ValueError(f"wrong key {KEY}")
    except ValueError:
        log.logger().error("driver failed", exc_info=True)

    assert KEY not in stream.getvalue()
    assert "driver failed" in stream.getvalue()


def test_what_is_no_secret_is_told_as_it_is(stream: io.StringIO):
    """Three characters are too few to be one: half of every line would be masked."""
    log.logger(tracker="abc").info("asked", count=3, title="髙﨑㈱")

    line = json.loads(stream.getvalue())
    assert (line["tracker"], line["count"], line["title"], line["event"]) == ("abc", 3, "髙﨑㈱", "asked")
