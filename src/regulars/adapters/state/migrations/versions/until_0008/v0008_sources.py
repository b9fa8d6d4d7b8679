"""Connectors: where each source was read up to, and what allows the sources of personal data."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "legal_bases",
        _text("source", key=True),
        _text("kind"),
        _text("basis"),
        _text("article"),
        _text("evidence"),
        _text("recorded_by"),
        _text("recorded_at"),
        _text("withdrawn_at", empty=True),
    )
    op.create_table(
        "source_positions",
        _text("source", key=True),
        _text("cursor_value"),
        _text("moved_at"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("source_positions")
    op.drop_table("legal_bases")
