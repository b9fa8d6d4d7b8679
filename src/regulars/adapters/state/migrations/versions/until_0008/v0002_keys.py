"""Write keys: which source may send events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "write_keys",
        _text("key_hash", key=True),
        _text("source"),
        _text("hint"),
        _text("scopes"),
        _text("origins"),
        _text("dialects"),
        _text("created_at"),
        _text("created_by"),
        _text("revoked_at", empty=True),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("write_keys")
