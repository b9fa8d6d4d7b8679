"""What people say of channels: leave one alone, or use one whatever alerts say."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "channel_words",
        _text("channel", key=True),
        sa.Column("is_held", sa.BigInteger, nullable=False),
        sa.Column("until_turn", sa.BigInteger, nullable=False),
        *map(_text, ("reason", "actor", "at")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("channel_words")
