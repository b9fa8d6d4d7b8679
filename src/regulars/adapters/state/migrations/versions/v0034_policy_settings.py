"""Settings of rules that explore: how often anything may come, how much doubt counts."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_ADDED = {"epsilon": "0.1", "width": "1"}


def upgrade() -> None:
    """Add the columns; policies there are keep what they never read."""
    for name, default in _ADDED.items():
        op.add_column(
            "policies", sa.Column(name, sa.Double, nullable=False, server_default=default)
        )


def downgrade() -> None:
    """Drop them."""
    for name in _ADDED:
        op.drop_column("policies", name)
