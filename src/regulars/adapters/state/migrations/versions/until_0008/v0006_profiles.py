"""API keys and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=empty, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "api_keys",
        _text("name", key=True),
        _text("key_hash"),
        _text("role"),
        _text("hint"),
        _text("created_at"),
        _text("created_by"),
        _text("revoked_at", empty=True),
    )
    op.create_index("api_keys_by_hash", "api_keys", ["key_hash"], unique=True)
    op.create_table(
        "tags",
        _text("name", key=True),
        _whole("version", key=True),
        _text("kind"),
        _text("definition"),
        _text("description"),
        _text("owner"),
        _text("expires_on", empty=True),
        _whole("keep_days", empty=True),
        _text("at"),
        _text("actor"),
        _whole("deleted"),
    )
    op.create_table(
        "tag_marks",
        _text("name", key=True),
        _text("customer_id", key=True),
        _text("mark"),
        _text("at"),
        _text("actor"),
    )
    op.create_index("tag_marks_by_customer", "tag_marks", ["customer_id"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("tag_marks", "tags", "api_keys"):
        op.drop_table(table)
