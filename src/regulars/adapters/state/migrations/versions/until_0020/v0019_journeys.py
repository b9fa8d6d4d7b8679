"""Journeys version by version, where every customer of one stands, what she did there."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=empty, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    """A number the store gives: that of the row itself on SQLite."""
    kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, kind, primary_key=True, autoincrement=True)


def upgrade() -> None:
    """Make the tables."""
    _definition_tables()
    _state_tables()
    _event_tables()
    _side_tables()


def _definition_tables() -> None:
    op.create_table(
        "journeys",
        _whole("journey_no", key=True),
        sa.Column("journey_id", sa.Text, nullable=False, unique=True),
        _text("state"),
        _whole("version", empty=True),
        _text("reason"),
        _text("created_by"),
        _text("created_at"),
        _text("changed_at"),
    )
    op.create_table(
        "journey_versions",
        _whole("journey_no", key=True),
        _whole("version", key=True),
        _text("definition"),
        _text("content_hash"),
        _text("moves"),
        _text("kept_by"),
        _text("kept_at"),
        _text("published_by", empty=True),
        _text("published_at", empty=True),
    )
    # A name keeps its number for good, so that a new version touches only who has to move.
    op.create_table(
        "journey_nodes",
        _whole("journey_no", key=True),
        _whole("node_no", key=True),
        _text("name"),
    )


def _state_tables() -> None:
    # One row per customer inside; what a million of them cost decides about every column.
    # Moments are milliseconds since 1970 UTC.
    op.create_table(
        "journey_states",
        _number("instance_id"),
        _whole("journey_no"),
        _text("customer_id"),
        _text("occurrence"),
        _whole("times"),
        _whole("assignment"),
        _whole("version"),
        _whole("node_no"),
        _whole("visit"),
        _whole("waits_for"),
        _whole("entered_at"),
        _whole("wake_at", empty=True),
        _whole("left_at", empty=True),
        _text("context", empty=True),
    )
    op.create_index(
        "journey_states_once",
        "journey_states",
        ["customer_id", "journey_no", "occurrence"],
        unique=True,
    )
    op.create_index(
        "journey_states_due",
        "journey_states",
        ["journey_no", "wake_at"],
        sqlite_where=sa.text("wake_at IS NOT NULL"),
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_table(
        "journey_steps",
        _whole("instance_id", key=True),
        _whole("visit", key=True),
        _whole("version"),
        _whole("node_no"),
        _whole("edge"),
        _whole("at"),
        sqlite_with_rowid=False,
    )


def _event_tables() -> None:
    op.create_table(
        "journey_events",
        _whole("event_no", key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "journey_listens",
        _whole("event_no", key=True),
        _whole("journey_no", key=True),
        _whole("takes_out"),
    )
    op.create_table(
        "journey_inbox",
        _number("inbox_id"),
        _whole("event_no"),
        _text("customer_id"),
        _text("message"),
        _whole("at"),
        _text("properties"),
        # A pass forgets what it told of by number: a number given twice would be forgotten untold.
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journey_positions",
        _whole("log_partition", key=True),
        _whole("sequence"),
    )


def _side_tables() -> None:
    op.create_table(
        "journey_contacts",
        _text("contact_key", key=True),
        _whole("instance_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journey_acts",
        _text("act_key", key=True),
        _text("journey_id"),
        _text("hook"),
        _text("customer_id"),
        _text("body"),
        _text("state"),
        _whole("attempts"),
        _whole("next_at", empty=True),
        _whole("at"),
    )
    op.create_index("journey_acts_due", "journey_acts", ["state", "next_at"])
    # An entry by date, schedule or audience at one of its times, and how far it was taken in.
    op.create_table(
        "journey_occasions",
        _whole("journey_no", key=True),
        _whole("entry", key=True),
        _text("occasion", key=True),
        _whole("customers"),
        _text("at"),
    )
    op.create_table(
        "journey_members",
        _whole("journey_no", key=True),
        _whole("entry", key=True),
        _text("customer_id", key=True),
        _whole("since"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "journey_members",
        "journey_occasions",
        "journey_acts",
        "journey_contacts",
        "journey_positions",
        "journey_inbox",
        "journey_listens",
        "journey_events",
        "journey_steps",
        "journey_states",
        "journey_nodes",
        "journey_versions",
        "journeys",
    ):
        op.drop_table(table)
