"""A store's URL may hold a password: what is shown of it does not."""

from __future__ import annotations

import traceback

import pytest

from ticssync.errors import UsageError
from ticssync.store.connection import connect
from ticssync.store.store import _shown

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://tics:s3cret@db.example.jp:5432/tics", "postgresql://db.example.jp:5432/tics"),
        ("postgresql://db.example.jp/tics?user=tics&password=s3cret", "postgresql://db.example.jp/tics"),
        ("postgresql:///tics?host=/run/postgresql&password=s3cret", "postgresql:///tics"),
        ("postgresql+psycopg://tics:a@s3cret@db/tics?x=a@b", "postgresql://db/tics"),
        ("postgresql://s3cret@db", "postgresql://db/"),
        ("sqlite:////srv/管理/ticssync.db", "/srv/管理/ticssync.db"),
    ],
)
def test_only_server_and_database_or_the_file_are_shown(url: str, shown: str):
    """Neither who logs in, nor with what, wherever in the URL it stands."""
    assert _shown(url) == shown
    assert SECRET not in _shown(url)


@pytest.mark.parametrize("url", ["postgresql://tics:x@db:s3cret/tics", "postgresql+s3cret"])
def test_a_url_that_does_not_read_is_refused_without_repeating_it(url: str):
    """Not even in the chain of causes."""
    with pytest.raises(UsageError) as caught:
        connect(url)

    assert SECRET not in "".join(traceback.format_exception(caught.value))
