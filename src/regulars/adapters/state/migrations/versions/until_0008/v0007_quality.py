"""The tracking plan and what breaks it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "plan_versions",
        _whole("version", key=True),
        _text("digest"),
        _text("plan"),
        _text("adopted_at"),
        _text("actor"),
    )
    op.create_table("quality_positions", _whole("log_partition", key=True), _whole("sequence"))
    op.create_table(
        "observed_events",
        _text("source", key=True),
        _text("label", key=True),
        *map(_whole, ("seen", "checked", "breaching", "identified", "wanted", "filled")),
        *map(_whole, ("first_at", "last_at", "overflow")),
    )
    op.create_table(
        "observed_properties",
        _text("source", key=True),
        _text("label", key=True),
        _text("path", key=True),
        _whole("seen"),
        _text("first_kind"),
        _whole("first_at"),
        _text("codes", empty=True),
        _text("example"),
    )
    op.create_table(
        "property_types",
        _text("source", key=True),
        _text("label", key=True),
        _text("path", key=True),
        _text("kind", key=True),
        _whole("seen"),
    )
    op.create_table(
        "plan_violation_counts",
        _text("source", key=True),
        _text("label", key=True),
        _text("path", key=True),
        _text("rule", key=True),
        _whole("seen"),
        _whole("kept"),
        _whole("last_at"),
    )
    op.create_table(
        "plan_violations",
        _text("source", key=True),
        _text("message_id", key=True),
        _text("path", key=True),
        _text("rule", key=True),
        _text("label"),
        _text("wanted"),
        _text("found"),
        _text("sample"),
        _whole("received_at"),
    )
    op.create_index("plan_violations_by_label", "plan_violations", ["source", "label"])


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "plan_violations",
        "plan_violation_counts",
        "property_types",
        "observed_properties",
        "observed_events",
        "quality_positions",
        "plan_versions",
    ):
        op.drop_table(table)
