"""The points programme: its versions, orders that earned, tiers, badges, referrals, days, draws."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_ONE_TREE: dict[str, Any] = {"sqlite_with_rowid": False}


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "points_programmes",
        _whole("version", key=True),
        *map(_text, ("body", "kept_by", "kept_at")),
    )
    op.create_table(
        "points_orders",
        _text("order_id", key=True),
        *map(_text, ("customer_id", "business_date")),
        _whole("version"),
        *map(_text, ("multiplier", "weighted")),
        *map(_whole, ("points", "changes")),
        _text("lots"),
        **_ONE_TREE,
    )
    op.create_table(
        "points_tiers",
        _text("customer_id", key=True),
        *map(_text, ("tier", "since", "review_on", "measured")),
    )
    op.create_table(
        "points_tier_changes",
        _text("customer_id", key=True),
        _text("changed_on", key=True),
        *map(_text, ("before", "after", "why", "measured")),
    )
    op.create_table(
        "points_badges",
        _text("customer_id", key=True),
        _text("badge_id", key=True),
        _text("given_at"),
    )
    op.create_table(
        "points_referrals",
        _text("friend_id", key=True),
        *map(_text, ("referrer_id", "told_at", "state", "reason")),
        _text("settled_at", empty=True),
    )
    op.create_index("points_referrals_by_referrer", "points_referrals", ["referrer_id", "state"])
    op.create_table(
        "points_days",
        _text("customer_id", key=True),
        _text("day", key=True),
        _whole("streak"),
        _whole("points"),
    )
    op.create_table(
        "points_tasks_done",
        _text("customer_id", key=True),
        _text("task_id", key=True),
        _whole("times"),
    )
    _draw_tables()


def _draw_tables() -> None:
    op.create_table(
        "points_seeds",
        _whole("round", key=True),
        *map(_text, ("draw_id", "commitment", "odds", "begun_at")),
        _text("seed"),
        _text("revealed_at", empty=True),
    )
    op.create_table(
        "points_prizes",
        _text("draw_id", key=True),
        _text("prize_id", key=True),
        _whole("stock"),
        _whole("given"),
        sa.CheckConstraint("given >= 0 AND given <= stock", "points_prize_in_stock"),
    )
    op.create_table(
        "points_draws",
        _text("key", key=True),
        _text("draw_id"),
        _whole("round"),
        _whole("number"),
        *map(_text, ("customer_id", "day", "drawn", "prize_id", "code", "at")),
    )
    op.create_index("points_draws_by_day", "points_draws", ["customer_id", "day"])
    op.create_index("points_draws_by_round", "points_draws", ["round", "number"], unique=True)


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "points_draws",
        "points_prizes",
        "points_seeds",
        "points_tasks_done",
        "points_days",
        "points_referrals",
        "points_badges",
        "points_tier_changes",
        "points_tiers",
        "points_orders",
        "points_programmes",
    ):
        op.drop_table(table)
