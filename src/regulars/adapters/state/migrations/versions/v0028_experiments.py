"""Experiments: what is tried, who got which variant, what was read at planned looks."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _share(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiments",
        _text("id", key=True),
        *map(_text, ("definition", "state")),
        *map(_share, ("first_place", "last_place")),
        *map(_text, ("power_plan", "started_at", "stopped_at", "concluded_at", "conclusion")),
        *map(_text, ("edited_by", "edited_at")),
    )
    op.create_table(
        "experiment_changes",
        _number("number", key=True),
        *map(_text, ("experiment_id", "verb", "actor", "reason", "at")),
    )
    op.create_table(
        "experiment_exposures",
        _text("experiment_id", key=True),
        _text("customer_id", key=True),
        *map(_text, ("variant", "at")),
    )
    op.create_index("experiment_exposures_of", "experiment_exposures", ["customer_id"])
    op.create_table(
        "experiment_looks",
        _text("experiment_id", key=True),
        _number("number", key=True),
        _share("share"),
        *map(_text, ("readout", "actor", "at")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("experiment_exposures_of", "experiment_exposures")
    for table in (
        "experiment_looks",
        "experiment_exposures",
        "experiment_changes",
        "experiments",
    ):
        op.drop_table(table)
