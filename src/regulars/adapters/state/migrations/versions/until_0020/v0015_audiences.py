"""Audiences version by version, and how far the membership of each has been followed."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audiences",
        _text("name", key=True),
        _whole("version", key=True),
        *map(_text, ("rule", "description", "owner", "at", "actor")),
        _whole("deleted"),
    )
    # Who is in an audience, and since when, is in the lake: audience_changes.
    op.create_table(
        "audience_positions",
        _text("name", key=True),
        _whole("version"),
        _whole("refresh"),
        _text("refreshed_at"),
        _text("basis"),
        _whole("members"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("audience_positions", "audiences"):
        op.drop_table(table)
