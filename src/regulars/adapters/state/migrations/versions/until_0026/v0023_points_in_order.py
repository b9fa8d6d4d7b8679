"""The open lots of a customer in the order they are spent, and those whose lock ends next."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the indexes."""
    op.execute(
        "CREATE INDEX points_lots_spent_next ON points_lots "
        "(customer_id, state, expires_at, earned_at, lot_id) WHERE remaining > 0"
    )
    op.execute(
        "CREATE INDEX points_lots_freed_next ON points_lots (customer_id, available_at) "
        "WHERE state = 'pending' AND remaining > 0"
    )


def downgrade() -> None:
    """Drop the indexes."""
    op.execute("DROP INDEX points_lots_freed_next")
    op.execute("DROP INDEX points_lots_spent_next")
