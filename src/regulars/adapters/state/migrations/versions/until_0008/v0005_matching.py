"""Matching: the runs of the probabilistic matcher, and the customer ids it retired."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "matching_runs",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("customers", sa.BigInteger, nullable=False),
        sa.Column("pairs", sa.BigInteger, nullable=False),
        sa.Column("links", sa.BigInteger, nullable=False),
        sa.Column("moved", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("learned", sa.Text, nullable=False),
    )
    op.create_index("matching_runs_by_source", "matching_runs", ["source", "number"])
    op.create_table(
        "matching_aliases",
        sa.Column("old_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("run", sa.BigInteger, nullable=False),
    )
    op.create_index("matching_aliases_by_customer", "matching_aliases", ["customer_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("matching_aliases")
    op.drop_table("matching_runs")
