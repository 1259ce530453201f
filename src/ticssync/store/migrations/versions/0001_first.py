"""The first schema.  A new store is made from `schema.metadata` at once and stamped with this revision."""

from alembic import op

from ticssync.store.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
