"""Bringing an older store up to date: forward only, with a copy beside it first.

Alembic is imported here and nowhere else, so that opening a store that is up to date does not pay for it.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ticssync.errors import CorruptStoreError, say
from ticssync.store.connection import store_file
from ticssync.store.server import exclusively

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ticssync.store.store import Store

SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(store: Store, found: str) -> None:
    """Run the migrations after `found`.  A SQLite store is copied beside itself first."""
    from alembic import command
    from alembic.config import Config

    file = store_file(str(store.engine.url))
    if file is not None:
        _copy(file, file.with_name(f"{file.name}.before-{found}"))
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    with store.engine.begin() as connection:
        if store.on_server:
            # A second process finds it done.  No copy is made there: backups of a server are its own (pg_dump).
            exclusively(connection)
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


def schema_differences(connection: Connection) -> list[object]:
    """How the tables there differ from `schema.metadata`; a test holds migrations and schema together."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from ticssync.store.schema import metadata

    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _copy(source: Path, target: Path) -> None:
    if shutil.disk_usage(source.parent).free < source.stat().st_size * 2:
        raise CorruptStoreError(
            say(
                "there is no room for the copy that is made before the store {where} is upgraded",
                where=str(source),
            )
        )
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    new.close()
    old.close()
