"""What the rules of contact need at dispatch: facts of customers, contacts counted, grants."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def _text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False, server_default=default)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=True)


def _whole(name: str, *, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def upgrade() -> None:
    """Make the tables, and count the contacts already made."""
    op.create_table(
        "contact_facts",
        _text("customer_id", key=True),
        _maybe("zone"),
        _maybe("born_on"),
        _maybe("locale"),
        _whole("has_guardian_consent"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counted_contacts",
        _text("customer_id", key=True),
        _text("key", key=True),
        _text("at"),
        _text("channel"),
        _text("message_class"),
        _text("topic", default=""),
        _text("sender", default=""),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_turnstiles",
        _text("customer_id", key=True),
        _whole("passed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_grants",
        _text("customer_id", key=True),
        _text("channel", key=True),
        _text("sender", key=True),
        _whole("granted"),
        _whole("used"),
        sqlite_with_rowid=False,
    )
    op.execute("""
        INSERT INTO counted_contacts (customer_id, key, at, channel, message_class)
        SELECT customer_id, key, at, channel, 'marketing' FROM ledger
        WHERE state IN ('claimed', 'sent', 'unknown') AND at IS NOT NULL AND channel IS NOT NULL
    """)
    # Totals by day of the shop's zone: each contact is counted with its own moment now.
    op.drop_table("contact_days")


def downgrade() -> None:
    """Drop the tables; the contacts of a day are a total again."""
    op.create_table(
        "contact_days",
        _text("customer_id", key=True),
        _text("day", key=True),
        _whole("contacts"),
    )
    op.execute("""
        INSERT INTO contact_days (customer_id, day, contacts)
        SELECT customer_id, SUBSTR(at, 1, 10), COUNT(*) FROM counted_contacts
        WHERE message_class = 'marketing' GROUP BY customer_id, SUBSTR(at, 1, 10)
    """)
    for table in ("contact_grants", "contact_turnstiles", "counted_contacts", "contact_facts"):
        op.drop_table(table)
