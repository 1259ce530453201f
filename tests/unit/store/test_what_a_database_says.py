"""What a database says in its own words becomes one of ours, and each asks for something else."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from ticssync.errors import CorruptStoreError, RetryLaterError
from ticssync.store.connection import plain_errors


def said(where: Path, error: Exception) -> Exception:
    with pytest.raises((CorruptStoreError, RetryLaterError)) as caught, plain_errors(str(where)):
        raise error
    return caught.value


@pytest.mark.parametrize("words", ["database is locked", "database table is locked", "database is busy"])
def test_a_store_that_another_process_writes_is_tried_again_later(tmp_path: Path, words: str) -> None:
    """Exit 3, and nobody is told to put a backup back."""
    found = said(tmp_path / "a.db", OperationalError("BEGIN", {}, sqlite3.OperationalError(words)))

    assert isinstance(found, RetryLaterError)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("database or disk is full", "is full"),
        ("attempt to write a readonly database", "may not be written"),
        ("unable to open database file", "cannot be used"),
    ],
)
def test_a_store_that_cannot_be_written_says_why(tmp_path: Path, words: str, told: str) -> None:
    found = said(tmp_path / "a.db", OperationalError("INSERT", {}, sqlite3.OperationalError(words)))

    assert isinstance(found, CorruptStoreError)
    assert told in str(found)


def test_a_damaged_store_asks_for_the_backup(tmp_path: Path) -> None:
    found = said(tmp_path / "a.db", DatabaseError("SELECT", {}, sqlite3.DatabaseError("malformed")))

    assert isinstance(found, CorruptStoreError)
    assert "damaged" in str(found)
    assert "backup" in found.fix
