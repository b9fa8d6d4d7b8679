"""Models: what was tried, how it did, and who serves from which turn on."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "models",
        _text("family", key=True),
        _text("version", key=True),
        *map(_text, ("status", "fitted_at", "from_day", "to_day", "held_from", "held_until")),
        _number("customers"),
        _text("metrics"),
    )
    op.create_table(
        "model_trials",
        _text("family", key=True),
        _number("turn", key=True),
        _text("challenger", key=True),
        *map(_text, ("champion", "verdict")),
        _number("customers"),
        *map(_text, ("held_from", "held_until", "metrics", "says", "at")),
    )
    op.create_table(
        "model_changes",
        _number("number", key=True),
        _text("family"),
        _number("from_turn"),
        *map(_text, ("version", "verb", "actor", "reason", "at")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("model_changes", "model_trials", "models"):
        op.drop_table(table)
