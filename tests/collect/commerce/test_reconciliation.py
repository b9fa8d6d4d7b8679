"""The same orders as Segment events, as EPCIS and as files give the same facts, to the cent."""

import json
import random
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import pytest
from tests.collect.commerce import same_orders
from tests.collect.commerce.telling import Till

from regulars.collect.commerce.epcis import epcis_events, segment_event
from regulars.collect.sources.mapping import mapping_of
from regulars.collect.sources.service import import_files

ZONE = "Asia/Shanghai"
TABLES = {
    "orders": ("order_id", "customer_id", "store_id", "ordered_at", "business_date", "total"),
    "order_lines": (
        "order_id", "line_id", "customer_id", "product_id", "business_date", "quantity", "sales",
        "retail_discount", "coupon_discount",
    ),
    "returns": ("order_id", "customer_id", "product_id", "business_date", "quantity", "refund"),
}  # fmt: skip


def by_messages(till, messages, *, seed, partitions=3, batch=4000):
    """Hand messages over shuffled, in batches of several partitions, every batch twice."""
    messages = list(messages)
    random.Random(seed).shuffle(messages)
    for start in range(0, len(messages), batch):
        part = messages[start : start + batch]
        given = till.batch(part, partition=start // batch % partitions)
        till.follower.follow(given)
        till.follower.follow(given)
    return till


def three_ways(orders, folder):
    ways = {name: Till(folder / name) for name in ("segment", "epcis", "till")}
    by_messages(ways["segment"], same_orders.segment_messages(orders), seed=1)
    events = epcis_events(same_orders.epcis_document(orders))
    told = [json.loads(json.dumps(segment_event(event), default=str)) for event in events]
    by_messages(ways["epcis"], told, seed=2)
    same_orders.write_till(orders, folder)
    import_files(ways["till"].lake, [folder / "till.csv", folder / "back.csv"],
                 mapping_of(same_orders.MAPPING), zone=ZONE)  # fmt: skip
    return ways


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return three_ways(same_orders.make_orders(10_000), tmp_path_factory.mktemp("ways"))


@pytest.mark.parametrize("way", ["segment", "epcis"])
@pytest.mark.parametrize("table", TABLES)
def test_messages_give_what_the_files_of_the_till_give(told, way, table):
    expected = told["till"].rows(table, *TABLES[table])

    assert len(expected) > 50
    assert told[way].rows(table, *TABLES[table]) == expected


def test_nothing_was_held_back(told):
    assert [way.held_back() for way in told.values()] == [[], [], []]


def test_a_line_that_costs_a_cent_less_is_seen(told, tmp_path):
    orders = same_orders.make_orders(40)
    message = same_orders.segment_messages(orders)
    message[0]["properties"]["products"][0]["price"] -= 0.01

    till = by_messages(Till(tmp_path), message, seed=3)

    [(held, reason, _)] = till.held_back()
    assert (held, reason) == (message[0]["messageId"], "does_not_add_up")


def prove(number=1_000_000, step=100_000):
    """The same orders three ways, a part at a time so that memory stays small."""
    counted = Counter()
    for part in range(0, number, step):
        orders = same_orders.make_orders(min(step, number - part), seed=part)
        with tempfile.TemporaryDirectory() as folder:
            told = three_ways(orders, Path(folder))
            for table, columns in TABLES.items():
                expected = told["till"].rows(table, *columns)
                counted[table] += len(expected)
                for way in ("segment", "epcis"):
                    assert told[way].rows(table, *columns) == expected, (way, table, part)
            assert [way.held_back() for way in told.values()] == [[], [], []]
    rows = ", ".join(f"{count:,} {table}" for table, count in counted.items())
    return f"{rows}: equal to the cent as Segment events, as EPCIS and as files of a till"


if __name__ == "__main__":
    words = ArgumentParser(description=__doc__)
    words.add_argument("--orders", type=int, default=1_000_000)
    sys.stdout.write(prove(words.parse_args().orders) + "\n")
