"""Consent with its proof, notices, suppressions with reasons and ends, receipts of providers."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def _number() -> sa.Column[int]:
    counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column("number", counted, primary_key=True, autoincrement=True)


def upgrade() -> None:
    """Make the tables."""
    _consent_tables()
    _notice_tables()
    _suppression_tables()
    _receipt_tables()
    _outcome_tables()


def _consent_tables() -> None:
    # Every word ever said; rows are only added. word_id makes the same word said twice one row.
    op.create_table(
        "consent_changes",
        _number(),
        sa.Column("word_id", sa.Text, nullable=False, unique=True),
        _text("customer_id"),
        _text("purpose"),
        _text("channel"),
        _text("topic"),
        _text("status"),
        _text("recorded_at"),
        _text("notice_version", empty=True),
        _text("source"),
        _text("evidence", empty=True),
        _text("evidence_hash"),
        _text("actor"),
        _text("locale"),
        _text("noted_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("consent_changes_by_customer", "consent_changes", ["customer_id", "number"])
    # Words about one topic: a refusal bars that topic, nothing here opens a channel.
    op.create_table(
        "consent_topics",
        _text("customer_id", key=True),
        _text("purpose", key=True),
        _text("channel", key=True),
        _text("topic", key=True),
        _text("status"),
        _text("recorded_at"),
        _text("notice_version", empty=True),
        _text("evidence", empty=True),
    )


def _notice_tables() -> None:
    op.create_table(
        "notices",
        _text("version", key=True),
        _text("effective_from"),
        _text("purposes"),
        _text("text_zh"),
        _text("text_en"),
        _text("text_hash"),
        _text("actor"),
        _text("published_at"),
    )
    # From this moment on a grant of the purpose holds only when its notice took effect no earlier.
    op.create_table(
        "notice_floors",
        _text("purpose", key=True),
        _text("effective_from", key=True),
        _text("version"),
    )
    # Grants asked for and not confirmed yet (double opt-in); they allow nothing.
    op.create_table(
        "consent_pending",
        _text("word_id", key=True),
        _text("word"),
        _text("asked_at"),
        _text("expires_at"),
        _text("confirmed_at", empty=True),
    )


def _suppression_tables() -> None:
    op.rename_table("suppressions", "suppressions_before")
    op.create_table(
        "suppressions",
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "channel", "reason", name="suppressions_key"),
    )
    op.execute(
        "INSERT INTO suppressions (customer_id, channel, reason, since) "
        "SELECT customer_id, channel, reason, since FROM suppressions_before"
    )
    op.drop_table("suppressions_before")
    # By the token of an address: for people nobody knows, or who were erased.
    op.create_table(
        "suppressed_addresses",
        _text("token", key=True),
        _text("channel", key=True),
        _text("reason", key=True),
        _text("since"),
        _text("until", empty=True),
    )
    op.create_table(
        "suppression_changes",
        _number(),
        _text("subject"),
        _text("channel"),
        _text("reason"),
        _text("change"),
        _text("since"),
        _text("until", empty=True),
        _text("note"),
        _text("actor"),
        _text("noted_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("suppression_changes_by_subject", "suppression_changes", ["subject", "number"])


def _receipt_tables() -> None:
    op.create_table(
        "receipt_posts",
        _text("post_id", key=True),
        _text("channel"),
        _text("body"),
        _text("received_at"),
    )
    # One row per notice of a provider; what makes taking it in again change nothing.
    op.create_table(
        "receipt_inbox",
        _text("provider", key=True),
        _text("receipt_id", key=True),
        _text("post_id"),
        _text("channel"),
        _text("kind"),
        _text("contact_key"),
        _text("provider_id"),
        _text("address_token"),
        _text("detail"),
        _whole("is_permanent"),
        _whole("is_scanner"),
        _text("occurred_at"),
        _text("received_at"),
        _text("standing"),
    )
    op.create_index("receipt_inbox_by_standing", "receipt_inbox", ["standing", "provider_id"])
    op.create_index("receipt_inbox_by_contact", "receipt_inbox", ["contact_key"])


def _outcome_tables() -> None:
    # What the receipts of a contact come to: the earliest moment of each kind.
    op.create_table(
        "contact_states",
        _text("contact_key", key=True),
        _text("customer_id"),
        _text("channel"),
        _text("state"),
        _text("delivered_at", empty=True),
        _text("failed_at", empty=True),
        _text("soft_bounced_at", empty=True),
        _text("bounced_at", empty=True),
        _text("opened_at", empty=True),
        _text("clicked_at", empty=True),
        _text("opted_out_at", empty=True),
        _text("complained_at", empty=True),
    )
    op.create_index("contact_states_by_customer", "contact_states", ["customer_id", "channel"])
    # In the order they committed; the lake's table holds them up to its own position.
    op.create_table(
        "receipt_outcomes",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("contact_key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.UniqueConstraint("contact_key", "kind", "occurred_at", name="receipt_outcomes_once"),
    )


def downgrade() -> None:
    """Drop the tables; of several reasons to bar a channel the newest stays."""
    for table in (
        "receipt_outcomes",
        "contact_states",
        "receipt_inbox",
        "receipt_posts",
        "suppression_changes",
        "suppressed_addresses",
    ):
        op.drop_table(table)
    op.rename_table("suppressions", "suppressions_after")
    op.create_table(
        "suppressions",
        _text("customer_id", key=True),
        _text("channel", key=True),
        _text("reason"),
        _text("since"),
    )
    op.execute(
        "INSERT INTO suppressions (customer_id, channel, reason, since) "
        "SELECT customer_id, channel, MAX(reason), MAX(since) FROM suppressions_after "
        "GROUP BY customer_id, channel"
    )
    op.drop_table("suppressions_after")
    for table in (
        "consent_pending",
        "notice_floors",
        "notices",
        "consent_topics",
        "consent_changes",
    ):
        op.drop_table(table)
