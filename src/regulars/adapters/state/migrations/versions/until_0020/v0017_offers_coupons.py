"""Offers version by version, the codes of coupons, and what was redeemed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=empty, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "offer_versions",
        _text("offer_id", key=True),
        _whole("version", key=True),
        *map(_text, ("definition", "valid_from", "edited_by", "edited_at", "note")),
    )
    _code_tables()
    _redemption_tables()


def _code_tables() -> None:
    # The row of an offer is what claims lock: how many of its codes are still free.
    op.create_table("coupon_pools", _text("offer_id", key=True), _whole("free"))
    op.create_table(
        "coupon_batches",
        _text("batch_id", key=True),
        *map(_text, ("offer_id", "origin")),
        _whole("codes"),
        *map(_text, ("made_by", "made_at")),
        _text("expires_at", empty=True),
    )
    op.create_index("coupon_batches_by_offer", "coupon_batches", ["offer_id"])
    op.create_table(
        "coupon_codes",
        _text("code", key=True),
        *map(_text, ("shown", "offer_id", "batch_id")),
        _whole("number"),
        _text("state"),
        _text("customer_id"),
        _text("issue_key", empty=True),
        _whole("offer_version", empty=True),
        _whole("most_uses", empty=True),
        _whole("uses"),
        _text("issued_at", empty=True),
        _text("expires_at", empty=True),
        _text("changed_at"),
        _text("reason"),
    )
    op.create_index("coupon_codes_by_place", "coupon_codes", ["offer_id", "state", "number"])
    op.create_index("coupon_codes_by_end", "coupon_codes", ["state", "expires_at"])
    op.create_index("coupon_codes_by_customer", "coupon_codes", ["customer_id", "offer_id"])
    # One contact, or one reason to give a coupon, has one code.
    op.create_index("coupon_codes_by_key", "coupon_codes", ["issue_key"], unique=True)


def _redemption_tables() -> None:
    op.create_table(
        "coupon_orders",
        _text("key", key=True),
        *map(_text, ("order_id", "customer_id", "asked", "answer", "at")),
        _text("reversed_at", empty=True),
        _text("reverse_key", empty=True),
    )
    # An order is priced once: two tills cannot each take off what the floor leaves for one.
    op.create_index(
        "coupon_orders_standing",
        "coupon_orders",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("reversed_at IS NULL"),
        postgresql_where=sa.text("reversed_at IS NULL"),
    )
    op.create_table(
        "coupon_redemptions",
        _text("key", key=True),
        _whole("position", key=True),
        *map(_text, ("code", "offer_id")),
        _whole("offer_version"),
        *map(_text, ("holder_id", "customer_id", "order_id")),
        _whole("discount_cents"),
        _whole("order_cents"),
        *map(_text, ("store_id", "sales_channel", "at")),
        _text("reversed_at", empty=True),
    )
    op.create_index("coupon_redemptions_by_code", "coupon_redemptions", ["code"])
    op.create_index(
        "coupon_redemptions_by_customer", "coupon_redemptions", ["offer_id", "customer_id"]
    )
    op.create_index("coupon_redemptions_by_moment", "coupon_redemptions", ["at"])


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "coupon_redemptions",
        "coupon_orders",
        "coupon_codes",
        "coupon_batches",
        "coupon_pools",
        "offer_versions",
    ):
        op.drop_table(table)
