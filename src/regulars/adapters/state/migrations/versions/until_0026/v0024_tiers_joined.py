"""The tier of customers who are several ids: what each had alone stays beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "points_tiers_joined",
        _text("customer_id", key=True),
        *map(_text, ("ids", "tier", "since", "review_on", "measured")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("points_tiers_joined")
