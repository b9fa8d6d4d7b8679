"""Consent: the rule, the step that adopts it from the lake, and withdrawing directly."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.arrow_types import arrow_schema
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError
from regulars.govern.consent import newest_status, statuses
from regulars.govern.consent.service import profiling_refused, withdraw
from regulars.govern.consent.step import adopt_consents
from regulars.records import TABLES, Turn

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
TURN = Turn(number=1, as_of=date(2026, 3, 9), now=datetime(2026, 3, 10, 2, tzinfo=UTC), seed=7)
CONSENTS = "SELECT customer_id, purpose, channel, status FROM consents ORDER BY customer_id, purpose, channel"
SUPPRESSIONS = "SELECT customer_id, channel, reason FROM suppressions ORDER BY customer_id, channel"
LEDGER = """INSERT INTO ledger (key, run_id, turn, customer_id, channel, state, reason, planned_at)
            VALUES (:key, 'turn/000001', 1, :customer_id, :channel, 'sent', 'handed_over', '')"""


def word(channel, status, day=0, *, customer="ann", purpose="marketing"):
    return {
        "customer_id": customer,
        "purpose": purpose,
        "channel": channel,
        "status": status,
        "recorded_at": DAY + timedelta(days=day),
        "notice_version": "v1",
        "evidence": None,
    }


def receipt(kind, day, *, key="k1", customer="ann"):
    return {
        "contact_key": key,
        "customer_id": customer,
        "kind": kind,
        "occurred_at": DAY + timedelta(days=day),
    }


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


class Shop:
    """A lake and a state store that files arrive at."""

    def __init__(self, folder):
        self.folder, self.imports = folder, 0
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.state = SQLState(url)
        self.lake = DeltaLake(folder / "lake")

    def arrives(self, table, *rows):
        self.imports += 1
        data = pa.Table.from_pylist(list(rows), schema=arrow_schema(TABLES[table]))
        self.lake.append(table, data, application=f"import {self.imports}")

    def adopt(self, turn=TURN):
        engine = DuckDBEngine(self.lake, workers=1, memory="200MB")
        return adopt_consents.run(engine.bound(adopt_consents, turn.number), self.state, turn)

    def all(self, sql):
        with self.state.reading() as opened:
            return [tuple(row.values()) for row in opened.all(sql)]


@pytest.mark.parametrize(
    ("events", "in_force"),
    [
        ([], "none"),
        ([word("sms", "granted")], "granted"),
        ([word("app", "granted")], "none"),
        ([word("*", "granted")], "granted"),
        ([word("sms", "granted"), word("*", "withdrawn", 1)], "withdrawn"),
        ([word("*", "withdrawn", 1), word("sms", "granted", 2)], "granted"),
        ([word("sms", "granted"), word("*", "withdrawn")], "withdrawn"),
        ([word("sms", "granted"), word("sms", "denied")], "denied"),
    ],
    ids=[
        "nothing was said",
        "granted",
        "another channel was granted",
        "everything was granted",
        "everything was withdrawn later",
        "one channel was granted again",
        "of two at the same moment the refusal counts",
        "denied beats granted at the same moment",
    ],
)
def test_the_newest_word_counts(events, in_force):
    assert newest_status(events, channel="sms") == in_force
    assert newest_status(events[::-1], channel="sms") == in_force


@given(
    st.lists(
        st.builds(
            word,
            st.sampled_from(["sms", "app", "*"]),
            st.sampled_from(["granted", "denied", "withdrawn"]),
            st.integers(0, 3),
            customer=st.sampled_from(["ann", "bob", "eve"]),
        )
    )
)
def test_a_batch_decides_as_one_by_one(events):
    customers, channels = ["bob", "ann"], ["app", "sms"]

    found = statuses(events, customers, channels)

    assert found.tolist() == [
        [
            newest_status([e for e in events if e["customer_id"] == c], channel=channel)
            for channel in channels
        ]
        for c in customers
    ]


def test_the_step_keeps_the_newest_word_and_may_be_repeated(shop):
    shop.arrives(
        "consents", word("sms", "granted"), word("sms", "withdrawn", 3), word("app", "granted", 1)
    )

    shop.adopt()
    shop.adopt()

    assert shop.all(CONSENTS) == [
        ("ann", "marketing", "app", "granted"),
        ("ann", "marketing", "sms", "withdrawn"),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_files_loses_a_withdrawal(shop, seed):
    files = [
        word("sms", "granted"),
        word("sms", "withdrawn", 2),
        word("sms", "granted", 1),
        word("sms", "denied", 2),
    ]
    random.Random(seed).shuffle(files)

    for file in files:
        shop.arrives("consents", file)
        shop.adopt()

    assert shop.all(CONSENTS) == [("ann", "marketing", "sms", "withdrawn")]


def test_days_without_news_are_not_read_again_and_a_late_file_is_not_missed(shop):
    shop.arrives("consents", word("sms", "granted", 1), word("app", "granted", 5))
    assert shop.adopt() == 2
    assert shop.adopt() == 0

    shop.arrives("consents", word("sms", "withdrawn", 3), word("app", "withdrawn", 4))

    assert shop.adopt() == 2
    assert shop.all(CONSENTS) == [
        ("ann", "marketing", "app", "granted"),
        ("ann", "marketing", "sms", "withdrawn"),
    ]


def test_a_grant_holds_once_its_day_has_come(shop):
    shop.arrives("consents", word("sms", "granted", 20))
    shop.adopt()
    assert shop.all(CONSENTS) == []

    shop.adopt(replace(TURN, now=DAY + timedelta(days=21)))

    assert shop.all(CONSENTS) == [("ann", "marketing", "sms", "granted")]


def test_a_grant_dated_after_the_turn_does_not_hold_yet_but_a_refusal_does(shop):
    shop.arrives(
        "consents",
        word("sms", "granted", 20),
        word("app", "granted"),
        word("app", "withdrawn", 20),
    )

    shop.adopt()

    assert shop.all(CONSENTS) == [("ann", "marketing", "app", "withdrawn")]


def test_a_status_that_is_no_word_of_ours_counts_as_denied(shop):
    shop.arrives("consents", word("sms", "maybe"))

    shop.adopt()

    assert shop.all(CONSENTS) == [("ann", "marketing", "sms", "denied")]


def test_opt_outs_complaints_and_bounces_suppress_and_openings_do_not(shop):
    with shop.state.transaction() as opened:
        for number, channel in enumerate(["sms", "app", "sms", "sms"]):
            opened.run(LEDGER, key=f"k{number}", customer_id=f"c{number}", channel=channel)
    shop.arrives(
        "contact_outcomes",
        receipt("opted_out", 1, key="k0", customer="c0"),
        receipt("bounced", 1, key="k1", customer="c1"),
        receipt("complained", 1, key="k2", customer="c2"),
        receipt("opened", 1, key="k3", customer="c3"),
        receipt("opted_out", 1, key="of nobody", customer="c4"),
    )

    shop.adopt()
    shop.adopt()

    assert shop.all(SUPPRESSIONS) == [
        ("c0", "sms", "opted_out"),
        ("c1", "app", "bounced"),
        ("c2", "*", "complained"),
        ("c4", "*", "opted_out"),
    ]


def test_who_grants_the_channel_again_after_opting_out_is_back(shop):
    with shop.state.transaction() as opened:
        opened.run(LEDGER, key="k1", customer_id="ann", channel="sms")
        opened.run(LEDGER, key="k2", customer_id="bob", channel="sms")
    shop.arrives(
        "contact_outcomes",
        receipt("opted_out", 1),
        receipt("opted_out", 1, key="k2", customer="bob"),
    )
    shop.arrives("consents", word("sms", "granted", 2), word("sms", "granted", customer="bob"))

    shop.adopt()
    shop.adopt()

    assert shop.all(SUPPRESSIONS) == [("bob", "sms", "opted_out")]


def test_withdrawing_directly_is_not_undone_by_an_older_file(shop):
    withdraw(shop.state, "ann", at=DAY + timedelta(days=5), channel="sms", evidence="call 12")
    shop.arrives("consents", word("sms", "granted", 4))

    shop.adopt()

    assert shop.all(CONSENTS) == [("ann", "marketing", "sms", "withdrawn")]


def test_a_moment_without_a_zone_is_refused(shop):
    with pytest.raises(InputError, match="must name its zone"):
        withdraw(shop.state, "ann", at=datetime(2026, 3, 1))


def test_who_refuses_profiling_is_named(shop):
    shop.arrives(
        "consents",
        word("*", "withdrawn", 1, purpose="profiling"),
        word("*", "granted", purpose="profiling"),
        word("*", "denied", customer="bob"),
        word("*", "granted", customer="eve", purpose="profiling"),
    )

    shop.adopt()

    assert profiling_refused(shop.state) == {"ann"}
