"""The budget: what people pinned and what reviews changed; what people say a channel can do."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "budget_pins",
        _text("segment", key=True),
        _text("channel", key=True),
        _text("offer_id", key=True),
        *map(_text, ("amount", "why", "actor", "set_at")),
        _text("until", empty=True),
    )
    op.create_table(
        "budget_reviews",
        _text("kind", key=True),
        _text("period", key=True),
        *map(_text, ("made_at", "actor", "note", "before", "after", "evidence")),
    )
    op.create_table(
        "channel_overrides",
        _text("channel", key=True),
        _text("stage", key=True),
        _text("measure", key=True),
        *map(_text, ("value", "why", "actor", "set_at")),
        _text("until", empty=True),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("channel_overrides", "budget_reviews", "budget_pins"):
        op.drop_table(table)
