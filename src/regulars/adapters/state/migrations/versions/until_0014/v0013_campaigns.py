"""Campaigns version by version, their phases and members, tasks for people, approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def _text(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty)


def _whole(name: str, *, key: bool = False, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=empty, autoincrement=False)


def upgrade() -> None:
    """Make the tables."""
    _campaign_tables()
    _member_tables()
    _approval_tables()


def _campaign_tables() -> None:
    op.create_table(
        "campaigns",
        _text("campaign_id", key=True),
        _text("state"),
        _whole("version"),
        _whole("running_version", empty=True),
        _whole("audience", empty=True),
        _text("reason"),
        _text("created_by"),
        _text("created_at"),
        _text("changed_at"),
        _text("started_at", empty=True),
    )
    op.create_table(
        "campaign_versions",
        _text("campaign_id", key=True),
        _whole("version", key=True),
        _text("definition"),
        _text("content_hash"),
        _text("edited_by"),
        _text("edited_at"),
    )
    op.create_table(
        "audience_lists",
        _text("list_hash", key=True),
        _whole("customers"),
        _text("customer_ids"),
    )


def _member_tables() -> None:
    op.create_table(
        "campaign_members",
        _text("campaign_id", key=True),
        _text("customer_id", key=True),
        _whole("phase"),
        _text("assignment"),
        _text("channel"),
    )
    op.create_index("campaign_members_by_phase", "campaign_members", ["campaign_id", "phase"])
    op.create_table(
        "campaign_phases",
        _text("campaign_id", key=True),
        _whole("position", key=True),
        _text("name"),
        _text("state"),
        _whole("members"),
        _text("enrolled_at", empty=True),
        _text("judged_at", empty=True),
        _text("note"),
    )
    op.create_table(
        "campaign_triggers",
        _text("campaign_id", key=True),
        _text("trigger_id", key=True),
        _text("run_id"),
        _text("step"),
        _text("contact_key"),
        _text("customer_id"),
        _text("properties"),
        _text("at"),
    )
    op.create_index("campaign_triggers_by_contact", "campaign_triggers", ["contact_key"])
    op.create_index(
        "campaign_triggers_by_customer", "campaign_triggers", ["campaign_id", "customer_id"]
    )
    op.create_table(
        "tasks",
        _whole("task_id", key=True),
        _text("kind"),
        _text("subject"),
        _text("message"),
        _text("created_at"),
        _text("done_at", empty=True),
        _text("done_by", empty=True),
    )
    op.create_index("tasks_by_subject", "tasks", ["subject", "kind"])


def _approval_tables() -> None:
    op.create_table(
        "approval_requests",
        _whole("request_id", key=True),
        _text("kind"),
        _text("subject"),
        _whole("version"),
        _text("content_hash"),
        _text("status"),
        _text("hands"),
        _text("evidence"),
        _text("requested_by"),
        _text("requested_at"),
        _text("decided_by", empty=True),
        _text("decided_at", empty=True),
    )
    op.create_index(
        "approval_requests_by_subject", "approval_requests", ["kind", "subject", "version"]
    )
    op.create_index("approval_requests_by_status", "approval_requests", ["status"])
    op.create_table(
        "approval_acts",
        _whole("request_id", key=True),
        _whole("number", key=True),
        _text("act"),
        _text("actor"),
        _text("person"),
        _text("at"),
        _text("note"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "approval_acts",
        "approval_requests",
        "tasks",
        "campaign_triggers",
        "campaign_phases",
        "campaign_members",
        "audience_lists",
        "campaign_versions",
        "campaigns",
    ):
        op.drop_table(table)
