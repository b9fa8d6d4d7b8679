"""Copy review: evidence on file, names of the catalogue, human decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "copy_evidence",
        _text("evidence_id", key=True),
        *map(_text, ("kind", "claim", "source", "institution", "period", "scope")),
        _text("valid_to", empty=True),
        *map(_text, ("product", "url")),
        sa.Column("offsets_used", sa.BigInteger, nullable=False),
        *map(_text, ("actor", "kept_at")),
    )
    op.create_table(
        "copy_names", _text("name", key=True), *map(_text, ("kind", "record", "actor", "kept_at"))
    )
    # A decision counts for exactly these words, product, evidence and version of the rule.
    op.create_table(
        "copy_decisions",
        _text("span_text", key=True),
        _text("product", key=True),
        _text("evidence_id", key=True),
        _text("rule", key=True),
        _text("rule_version", key=True),
        *map(_text, ("verdict", "reason", "actor", "decided_at")),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("copy_decisions", "copy_names", "copy_evidence"):
        op.drop_table(table)
