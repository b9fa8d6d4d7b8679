"""The send ledger holds runs of every kind: turns, campaigns, journeys and triggers in one table.

What existing workspaces hold is carried over: a row of a turn becomes a row of the run named after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INDEXES = (
    # Windows are claimed from the first; it holds rows that may go out now and no others, so that
    # a claim costs the same among ten rows and ten million.
    """CREATE INDEX ledger_planned ON ledger
       (turn, channel, message_class, priority DESC, planned_at, key) WHERE state = 'planned'""",
    "CREATE INDEX ledger_claimed ON ledger (turn, channel, lease_until) WHERE state = 'claimed'",
    """CREATE INDEX ledger_held ON ledger (turn, next_at)
       WHERE state = 'deferred' AND next_at IS NOT NULL""",
    "CREATE INDEX ledger_unknown ON ledger (channel, at) WHERE state = 'unknown'",
    "CREATE INDEX ledger_by_provider ON ledger (provider_id) WHERE provider_id <> ''",
    "CREATE INDEX ledger_by_run ON ledger (run_id, step)",
    "CREATE UNIQUE INDEX ledger_by_customer ON ledger (customer_id, run_id, step)",
)


# SQLite unfolds a list given as JSON by this name; so does PostgreSQL from here on.
_LISTS = """
    CREATE FUNCTION json_each(list text) RETURNS TABLE (key bigint, value text)
    LANGUAGE sql IMMUTABLE AS $$
        SELECT place - 1, item
        FROM json_array_elements_text(CAST(list AS json)) WITH ORDINALITY AS items (item, place)
    $$
"""


def _text(
    name: str, *, key: bool = False, default: str | None = None, empty: bool = False
) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=empty, server_default=default)


def _whole(name: str, *, default: str | None = "0") -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def upgrade() -> None:
    """Make the new ledger, carry the rows over, and drop the old one."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_LISTS)
    _runs()
    _ledger()
    op.create_table(
        "channel_health",
        _text("channel", key=True),
        _whole("failures"),
        _text("closed_until", default=""),
        _text("reason", default=""),
        _text("since", default=""),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        _text("run_id", key=True),
        _text("step", key=True),
        _whole("turn"),
        _text("campaign_id", default=""),
        _text("message_class"),
        _text("topic", default=""),
        _whole("priority"),
        _text("content", default=""),
        _whole("audience"),
        _text("counted_at", default=""),
        _text("cancelled", default=""),
    )
    op.execute("""
        INSERT INTO runs (run_id, step, turn, message_class, audience)
        SELECT 'turn/' || SUBSTR(name, 10), '', CAST(SUBSTR(name, 10) AS BIGINT), 'marketing',
               CAST(value AS BIGINT)
        FROM watermarks WHERE name LIKE 'audience/%'
    """)
    op.execute("DELETE FROM watermarks WHERE name LIKE 'audience/%'")


def _ledger() -> None:
    op.create_table(
        "ledger_of_runs",
        _text("key", key=True),
        _text("run_id"),
        _text("step", default=""),
        _whole("turn"),
        _text("customer_id"),
        _text("campaign_id", empty=True),
        _text("offer_id", empty=True),
        _text("channel", empty=True),
        _text("message_class", default="marketing"),
        _text("topic", default=""),
        _whole("priority"),
        _text("content", default=""),
        _text("sender", default=""),
        _whole("is_automated"),
        _whole("cost_cents"),
        _text("state"),
        _text("reason"),
        _whole("attempts"),
        _text("owner", default=""),
        _text("lease_until", empty=True),
        _text("claimed_on", default=""),
        _text("next_at", empty=True),
        _text("hold_until", empty=True),
        _text("provider_id", default=""),
        _text("planned_at"),
        _text("first_at", empty=True),
        _text("at", empty=True),
        _text("settled_at", empty=True),
    )
    op.execute("""
        INSERT INTO ledger_of_runs
            (key, run_id, turn, customer_id, campaign_id, offer_id, channel, cost_cents, state,
             reason, attempts, lease_until, hold_until, planned_at, first_at, at, settled_at)
        SELECT key, 'turn/' || SUBSTR(CAST(1000000 + turn AS TEXT), 2), turn, customer_id,
               campaign_id, offer_id, channel, cost_cents, state, reason,
               CASE WHEN at IS NULL THEN 0 ELSE 1 END,
               CASE WHEN state = 'claimed' THEN at END, hold_until,
               COALESCE(at, (SELECT now FROM turns WHERE number = ledger.turn), ''), at, at,
               CASE WHEN state NOT IN ('planned', 'claimed')
                    THEN COALESCE(at, (SELECT now FROM turns WHERE number = ledger.turn), '') END
        FROM ledger
    """)
    op.drop_table("ledger")
    op.rename_table("ledger_of_runs", "ledger")
    for index in _INDEXES:
        op.execute(index)


def downgrade() -> None:
    """Make the old ledger again; only rows of turns fit in it."""
    op.create_table(
        "ledger_of_turns",
        _text("key", key=True),
        _whole("turn", default=None),
        _text("customer_id"),
        _text("campaign_id", empty=True),
        _text("offer_id", empty=True),
        _text("channel", empty=True),
        _whole("cost_cents"),
        _text("state"),
        _text("reason"),
        _text("at", empty=True),
        _text("batch", empty=True),
        _text("hold_until", empty=True),
    )
    op.execute("""
        INSERT INTO ledger_of_turns
            (key, turn, customer_id, campaign_id, offer_id, channel, cost_cents, state, reason, at,
             hold_until, batch)
        SELECT key, turn, customer_id, campaign_id, offer_id, channel, cost_cents, state, reason,
               at, hold_until, CASE WHEN state IN ('planned', 'claimed') THEN run_id END
        FROM ledger WHERE turn > 0
    """)
    op.execute("""
        INSERT INTO watermarks (name, value)
        SELECT 'audience/' || SUBSTR(run_id, 6), CAST(audience AS TEXT) FROM runs WHERE turn > 0
    """)
    op.drop_table("ledger")
    op.rename_table("ledger_of_turns", "ledger")
    op.create_index("ledger_by_turn", "ledger", ["turn", "state"])
    op.create_index("ledger_by_customer", "ledger", ["customer_id", "turn"], unique=True)
    op.create_index("ledger_by_batch", "ledger", ["batch"])
    op.drop_table("channel_health")
    op.drop_table("runs")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION json_each(text)")
