"""What people put into a task becomes evidence: how far each task was collected, and what came of each part."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "collected",
        _text("workspace_id"),
        _text("tracker"),
        _text("remote_id"),
        _text("stamp"),
        sa.Column("due", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "tracker", "remote_id", name="pk_collected"),
    )
    op.create_table(
        "source",
        _text("workspace_id"),
        _text("tracker"),
        _text("remote_id"),
        _text("part"),
        _text("task_key"),
        _text("state"),
        _text("name"),
        _text("digest"),
        _text("evidence"),
        _text("why"),
        sa.Column("gone_at", sa.Text, nullable=True),
        sa.CheckConstraint("state in ('taken','same','ours','refused')", name="source_state"),
        sa.PrimaryKeyConstraint("workspace_id", "tracker", "remote_id", "part", name="pk_source"),
    )
