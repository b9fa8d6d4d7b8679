"""Whether turns keep to the plan of the money, and floors and ceilings people set."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "budget_following",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_followed", sa.BigInteger, nullable=False),
        *map(_text, ("flexible", "reserve", "risk", "hurdle")),
        sa.Column("of_turn", sa.BigInteger, nullable=False),
        *map(_text, ("why", "actor", "set_at")),
        _text("until", empty=True),
    )
    op.create_table(
        "budget_limits",
        _text("segment", key=True),
        _text("channel", key=True),
        _text("offer_id", key=True),
        _text("floor", empty=True),
        _text("ceiling", empty=True),
        *map(_text, ("why", "actor", "set_at")),
        _text("until", empty=True),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("budget_limits", "budget_following"):
        op.drop_table(table)
