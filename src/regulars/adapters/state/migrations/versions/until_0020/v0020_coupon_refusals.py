"""Codes that were refused, facets of contents, and creators."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "coupon_refusals",
        _text("key", key=True),
        _text("code", key=True),
        *map(_text, ("reason", "customer_id", "order_id", "store_id", "at")),
    )
    op.create_index("coupon_refusals_by_moment", "coupon_refusals", ["at"])
    op.create_table(
        "content_facets",
        _text("content_id", key=True),
        _text("kind", key=True),
        _text("value", key=True),
        *map(_text, ("set_by", "set_at")),
    )
    op.create_index("content_facets_by_value", "content_facets", ["kind", "value"])
    op.create_table(
        "creators",
        _text("creator_id", key=True),
        *map(_text, ("name", "kind", "platform", "code", "target", "offer_id")),
        sa.Column("share_bp", sa.BigInteger, nullable=False),
        *map(_text, ("state", "made_by", "made_at")),
    )
    op.create_index("creators_by_code", "creators", ["code"], unique=True)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("creators", "content_facets", "coupon_refusals"):
        op.drop_table(table)
