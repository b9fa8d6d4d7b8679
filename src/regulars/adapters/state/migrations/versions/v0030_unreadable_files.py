"""Unreadable files: which files of a source the last pull could not read, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "unreadable_files",
        sa.Column("source", sa.Text, primary_key=True, nullable=False),
        sa.Column("file", sa.Text, primary_key=True, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=True),
        sa.Column("since", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("unreadable_files")
