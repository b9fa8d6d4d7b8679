"""Turns people do not want learned from."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "unlearned_turns",
        sa.Column("turn", sa.BigInteger, primary_key=True, nullable=False),
        *map(_text, ("reason", "actor", "at")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("unlearned_turns")
