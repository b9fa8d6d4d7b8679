"""Policies on their way to serve, and every move they made."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "policies",
        _text("name", key=True),
        _text("choosing"),
        sa.Column("temperature", sa.Double, nullable=False),
        sa.Column("share", sa.Double, nullable=False),
        *map(_text, ("stage", "since", "edited_by", "edited_at")),
    )
    op.create_table(
        "policy_moves",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *map(_text, ("policy", "verb", "before_stage", "after_stage", "reason", "actor", "at")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("policy_moves")
    op.drop_table("policies")
