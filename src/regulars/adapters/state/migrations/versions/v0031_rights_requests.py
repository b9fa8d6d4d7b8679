"""Requests of customers about their own data: asked, due, answered."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=empty)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rights_requests",
        sa.Column("number", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        *map(_text, ("kind", "customer_id", "law", "status", "asked_at", "due_on", "asked_by")),
        _text("decided_by", empty=True),
        _text("done_at", empty=True),
        _text("reason"),
        _text("work"),
        _text("receipt"),
    )
    op.create_index("rights_requests_by_customer", "rights_requests", ["customer_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("rights_requests")
