"""Online takings: what decisions took of money, cells and stock; decisions of journeys."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "online_takings",
        _number("turn", key=True),
        _text("kind", key=True),
        _text("name", key=True),
        _text("taker", key=True),
        _number("taken"),
    )
    op.create_table(
        "journey_decisions",
        _text("decision_id", key=True),
        _text("customer_id"),
        _text("line"),
        sa.Column("batch", sa.BigInteger),
    )
    op.create_index("journey_decisions_customer", "journey_decisions", ["customer_id"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("journey_decisions", "online_takings"):
        op.drop_table(table)
