"""The points ledger: accounts, operations, their entries, lots and what used them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# Rows live in the tree of their key: half the pages to write, where SQLite would keep two trees.
_ONE_TREE: dict[str, Any] = {"sqlite_with_rowid": False}


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables; no balance and no lot can go below zero."""
    op.create_table("points_marks", _text("name", key=True), _whole("number"))
    op.create_table(
        "points_accounts",
        _text("customer_id", key=True),
        *map(_whole, ("active", "pending", "owed", "version")),
        sa.CheckConstraint("active >= 0 AND pending >= 0 AND owed >= 0", "points_not_negative"),
        **_ONE_TREE,
    )
    op.create_table(
        "points_lots",
        _text("lot_id", key=True),
        *map(_text, ("customer_id", "earned_as")),
        *map(_whole, ("points", "remaining", "spent", "expired", "taken")),
        *map(_text, ("state", "earned_at", "available_at", "expires_at")),
        sa.CheckConstraint(
            """remaining >= 0 AND spent >= 0 AND expired >= 0 AND taken >= 0
               AND points = remaining + spent + expired + taken""",
            "points_lot_adds_up",
        ),
        **_ONE_TREE,
    )
    op.create_index("points_lots_by_customer", "points_lots", ["customer_id"])
    # Only lots with points left fall due.
    op.execute(
        "CREATE INDEX points_lots_locked ON points_lots (available_at) "
        "WHERE state = 'pending' AND remaining > 0"
    )
    op.execute("CREATE INDEX points_lots_ending ON points_lots (expires_at) WHERE remaining > 0")
    op.create_table(
        "points_operations",
        _text("key", key=True),
        *map(_text, ("kind", "customer_id", "asked_as")),
        *map(_whole, ("asked", "points", "reversed")),
        *map(_text, ("reason", "reference", "reverses", "at", "actor")),
        **_ONE_TREE,
    )
    op.create_index("points_operations_by_moment", "points_operations", ["at", "kind"])
    op.create_table(
        "points_entries",
        *(_text(name, key=True) for name in ("customer_id", "key", "account")),
        _whole("points"),
        **_ONE_TREE,
    )
    op.create_table(
        "points_uses",
        _text("key", key=True),
        _whole("place", key=True),
        _text("lot_id"),
        _whole("points"),
        **_ONE_TREE,
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "points_uses",
        "points_entries",
        "points_operations",
        "points_lots",
        "points_accounts",
        "points_marks",
    ):
        op.drop_table(table)
