"""Content, addresses, links, surveys."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = (
    "service_tasks",
    "survey_answers",
    "surveys",
    "link_clicks",
    "short_links",
    "link_destinations",
    "contact_addresses",
    "contents",
)


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=empty, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "contents",
        _text("content_id", key=True),
        _whole("version", key=True),
        _text("channel"),
        _text("message_class"),
        _text("body"),
        _text("hash"),
        _text("at"),
        _text("actor"),
    )
    op.create_table(
        "contact_addresses",
        _text("customer_id", key=True),
        _text("kind", key=True),
        _text("address", key=True),
        _text("seen_at"),
        _text("source"),
    )
    _link_tables()
    _survey_tables()


def _link_tables() -> None:
    op.create_table(
        "link_destinations",
        _text("destination_id", key=True),
        _text("url"),
        _text("at"),
    )
    op.create_table("short_links", _text("code", key=True), _text("token"), _text("at"))
    op.create_table(
        "link_clicks",
        _text("click_id", key=True),
        _text("contact_key"),
        _text("kind"),
        _text("destination_id"),
        _text("at"),
        _text("method"),
        _text("agent"),
        _text("address"),
        _whole("is_prefetch"),
        _text("verdict", empty=True),
        _whole("batch", empty=True),
    )
    op.create_index("link_clicks_by_contact", "link_clicks", ["contact_key", "at"])
    op.create_index("link_clicks_by_batch", "link_clicks", ["batch", "at"])


def _survey_tables() -> None:
    op.create_table(
        "surveys",
        _text("survey_id", key=True),
        _whole("version", key=True),
        _text("body"),
        _text("at"),
        _text("actor"),
    )
    op.create_table(
        "survey_answers",
        _text("answer_id", key=True),
        _text("survey_id"),
        _whole("version"),
        _text("respondent_id"),
        _text("customer_id"),
        _whole("score"),
        _text("comment"),
        _text("locale"),
        _text("at"),
        _whole("is_last"),
        _whole("batch", empty=True),
    )
    op.create_index("survey_answers_by_survey", "survey_answers", ["survey_id", "respondent_id"])
    op.create_index("survey_answers_by_customer", "survey_answers", ["customer_id"])
    op.create_table(
        "service_tasks",
        _text("task_id", key=True),
        _text("survey_id"),
        _text("respondent_id"),
        _text("customer_id"),
        _whole("score"),
        _text("comment"),
        _text("opened_at"),
        _text("closed_at", empty=True),
        _text("closed_by", empty=True),
        _text("note", empty=True),
    )
    op.create_index("service_tasks_by_standing", "service_tasks", ["closed_at", "opened_at"])


def downgrade() -> None:
    """Drop the tables."""
    for table in TABLES:
        op.drop_table(table)
