"""The ledger of events: what came of everything received."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNTS = ("received", "stored", "duplicate", "quarantined", "suppressed")


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table("drain_positions", _whole("log_partition", key=True), _whole("log_sequence"))
    op.create_table("event_totals", _text("source", key=True), *map(_whole, COUNTS))
    op.create_table("erased_ids", _text("value", key=True), _text("since"))
    op.create_table(
        "replays",
        _text("refused_id", key=True),
        _whole("log_partition"),
        _text("status"),
        _text("raw", empty=True),
        _text("reason", empty=True),
        _text("path", empty=True),
        _text("detail", empty=True),
        _text("at"),
        _text("actor"),
    )
    op.create_index("replays_by_status", "replays", ["status", "log_partition"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("replays", "erased_ids", "event_totals", "drain_positions"):
        op.drop_table(table)
