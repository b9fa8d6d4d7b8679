"""Publishable keys: what pages hold in the open, and the origins they may do it from."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "publishable_keys",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        *(sa.Column(n, sa.Text, nullable=False) for n in ("origins", "created_at", "created_by")),
        sa.Column("revoked_at", sa.Text),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("publishable_keys")
