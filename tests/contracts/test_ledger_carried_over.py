"""A workspace from before runs keeps every row of its send ledger, and may go back."""

import pytest
from alembic import command

from regulars.adapters.state import SQLState, migrate, store
from regulars.govern.policy import Fate
from regulars.reach.delivery.service import account, contacts_of, why

ROWS = [
    ("k1", "ann", "sent", "handed_over", "2026-03-02T02:00:00.000000+00:00", None),
    ("k2", "bob", "deferred", "quiet_hours", None, "2026-03-03T00:00:00.000000+00:00"),
    ("k3", "eve", "unknown", "no_answer", "2026-03-02T02:00:00.000000+00:00", None),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def old(url):
    """A database as it was, with one turn in it."""
    command.upgrade(store._alembic(url), "0008")
    state = SQLState(url)
    with state.transaction() as opened:
        opened.run(
            """INSERT INTO turns (number, as_of, now, seed, status)
               VALUES (7, '2026-03-01', '2026-03-02T02:00:00.000000+00:00', 7, 'closed')"""
        )
        opened.run("INSERT INTO watermarks (name, value) VALUES ('audience/000007', '3')")
        opened.many(
            """INSERT INTO ledger (key, turn, customer_id, campaign_id, offer_id, channel, cost_cents,
                                   state, reason, at, hold_until)
               VALUES (:key, 7, :customer, 'x-007', 'x', 'sms', 5, :state, :reason, :at, :hold)""",
            [
                dict(zip(("key", "customer", "state", "reason", "at", "hold"), row, strict=True))
                for row in ROWS
            ],
        )
    state.close()
    return url


def test_every_row_is_carried_over_and_the_account_still_adds_up(old):
    migrate(old)
    state = SQLState(old)

    told = account(state, 7)
    assert told.eligible == 3
    assert {fate: n for fate, n in told.count_by_fate.items() if n} == {
        Fate.SENT: 1,
        Fate.DEFERRED: 1,
        Fate.UNKNOWN: 1,
    }
    assert [row["key"] for row in contacts_of(state, 7)] == ["k1", "k2", "k3"]
    [attempt] = why(state, "bob")
    assert (attempt.run_id, attempt.fate) == ("turn/000007", "deferred")
    assert attempt.hold_until is not None
    state.close()


def test_the_way_back_gives_the_old_rows(old):
    migrate(old)
    command.downgrade(store._alembic(old), "0009")
    state = SQLState(old)

    with state.reading() as opened:
        rows = opened.all("SELECT * FROM ledger ORDER BY key")
        [audience] = opened.all("SELECT value FROM watermarks WHERE name = 'audience/000007'")
    kept = [
        (r["key"], r["customer_id"], r["state"], r["reason"], r["at"], r["hold_until"])
        for r in rows
    ]
    assert kept == ROWS
    assert audience == {"value": "3"}
    state.close()
