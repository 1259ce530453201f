"""The first schema.  A new store is made from `schema.metadata` at once and stamped with this revision."""

from alembic import op

from ticssync.store.schema import metadata

revision = "0001"
down_revision = None
LATER = frozenset({"collected", "source"})
"""Tables that came with a later revision: that one makes them."""


def upgrade() -> None:
    first = [table for name, table in metadata.tables.items() if name not in LATER]
    metadata.create_all(op.get_bind(), tables=first)
