"""The first tables: turns, consent, the send ledger, users, the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(
    name: str, *, key: bool = False, default: str | None = None, empty: bool = False
) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.BigInteger,
        primary_key=key,
        nullable=empty,
        server_default=default,
        autoincrement=False,
    )


def upgrade() -> None:
    """Make the tables."""
    _loop_tables()
    _contact_tables()
    _people_tables()


def _loop_tables() -> None:
    op.create_table(
        "turns",
        _whole("number", key=True),
        _text("as_of"),
        _text("now"),
        _whole("seed"),
        _text("status"),
    )
    op.create_table(
        "journal",
        _whole("turn", key=True),
        _text("step", key=True),
        _whole("rows_written"),
    )


def _contact_tables() -> None:
    op.create_table(
        "consents",
        _text("customer_id", key=True),
        _text("purpose", key=True),
        _text("channel", key=True),
        _text("status"),
        _text("recorded_at"),
        _text("notice_version", empty=True),
        _text("evidence", empty=True),
    )
    op.create_table(
        "suppressions",
        _text("customer_id", key=True),
        _text("channel", key=True),
        _text("reason"),
        _text("since"),
    )
    op.create_table(
        "watermarks",
        _text("name", key=True),
        _text("value"),
    )
    op.create_table(
        "ledger",
        _text("key", key=True),
        _whole("turn"),
        _text("customer_id"),
        _text("campaign_id", empty=True),
        _text("offer_id", empty=True),
        _text("channel", empty=True),
        _whole("cost_cents", default="0"),
        _text("state"),
        _text("reason"),
        _text("at", empty=True),
        _text("batch", empty=True),
        _text("hold_until", empty=True),
    )
    op.create_index("ledger_by_turn", "ledger", ["turn", "state"])
    op.create_index("ledger_by_customer", "ledger", ["customer_id", "turn"], unique=True)
    op.create_index("ledger_by_batch", "ledger", ["batch"])
    op.create_table(
        "contact_days",
        _text("customer_id", key=True),
        _text("day", key=True),
        _whole("contacts"),
    )
    op.create_table(
        "offer_stock",
        _text("offer_id", key=True),
        _whole("stock", empty=True),
        _whole("given", default="0"),
    )


def _people_tables() -> None:
    op.create_table(
        "users",
        _text("name", key=True),
        _text("role"),
        _text("password_hash"),
        _text("locale"),
        _whole("disabled", default="0"),
        _whole("version", default="1"),
    )
    op.create_table(
        "sessions",
        _text("token_hash", key=True),
        _text("user_name"),
        _text("csrf_token"),
        _whole("user_version"),
        _text("expires_at"),
    )
    op.create_table(
        "sign_in_failures",
        _text("subject", key=True),
        _whole("failures"),
        _text("last_at"),
    )
    op.create_table(
        "audit_log",
        _whole("number", key=True),
        _text("at"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _text("detail"),
        _text("previous_hash"),
        _text("hash"),
    )
    op.create_table(
        "audit_anchors",
        _whole("number", key=True),
        _text("hash"),
        _text("signature"),
        _text("at"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "audit_anchors",
        "audit_log",
        "sign_in_failures",
        "sessions",
        "users",
        "offer_stock",
        "contact_days",
        "ledger",
        "watermarks",
        "suppressions",
        "consents",
        "journal",
        "turns",
    ):
        op.drop_table(table)
