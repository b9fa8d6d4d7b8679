"""Zones, birthdays and languages of customers come from files into the store the rules read."""

from datetime import date

import pyarrow as pa

from regulars.adapters.arrow_types import arrow_schema
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.reach.standing.facts.known import ContactFacts
from regulars.reach.standing.facts.service import facts_of, set_facts
from regulars.reach.standing.facts.step import adopt_contact_facts
from regulars.records import TABLES

SCHEMA = arrow_schema(TABLES["customers"])


def customers(*rows, schema=SCHEMA):
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema)


class Files:
    def __init__(self, folder):
        self.lake = DeltaLake(folder / "lake")
        self.engine = DuckDBEngine(self.lake, workers=1, memory="200MB")

    def bring(self, number, table):
        self.lake.append("customers", table, application=f"import {number}")

    def adopt(self, state):
        return adopt_contact_facts.run(self.engine.bound(adopt_contact_facts, 1), state)


def test_what_files_say_is_adopted_once_and_only_what_changed(shop):
    files = Files(shop.folder)
    files.bring(
        1,
        customers(
            {"customer_id": "ann", "zone": "America/New_York", "born_on": date(2010, 5, 1)},
            {"customer_id": "bob", "locale": "zh-CN"},
            {"customer_id": "eve"},
        ),
    )

    assert files.adopt(shop.state) == 2
    assert files.adopt(shop.state) == 0
    assert facts_of(shop.state, "ann") == ContactFacts("ann", "America/New_York", date(2010, 5, 1))
    assert facts_of(shop.state, "bob") == ContactFacts("bob", locale="zh-CN")
    assert facts_of(shop.state, "eve") == ContactFacts("eve")


def test_of_two_birthdays_the_later_counts_and_a_zone_that_is_none_is_left_out(shop):
    files = Files(shop.folder)
    files.bring(1, customers({"customer_id": "ann", "born_on": date(1990, 1, 1)}))
    files.bring(
        2, customers({"customer_id": "ann", "born_on": date(2012, 1, 1), "zone": "GMT+8 CN"})
    )

    files.adopt(shop.state)

    assert facts_of(shop.state, "ann") == ContactFacts("ann", None, date(2012, 1, 1))


def test_a_guardian_on_file_stays_when_files_come(shop):
    files = Files(shop.folder)
    set_facts(
        shop.state, [ContactFacts("ann", born_on=date(2015, 1, 1), has_guardian_consent=True)]
    )
    files.bring(1, customers({"customer_id": "ann", "locale": "en"}))

    files.adopt(shop.state)

    assert facts_of(shop.state, "ann") == ContactFacts(
        "ann", None, date(2015, 1, 1), "en", has_guardian_consent=True
    )


def test_a_lake_written_before_there_were_such_columns_still_reads_and_takes_new_files(shop):
    files = Files(shop.folder)
    old = pa.schema([field for field in SCHEMA if field.name not in {"born_on", "zone", "locale"}])
    files.bring(1, customers({"customer_id": "ann", "city": "Wuhan"}, schema=old))

    assert files.adopt(shop.state) == 0
    files.bring(2, customers({"customer_id": "bob", "zone": "Asia/Tokyo"}))
    assert files.adopt(shop.state) == 1

    found = files.engine.rows(files.engine.table("customers").order_by("customer_id"))
    assert [(row["customer_id"], row["city"], row["zone"]) for row in found] == [
        ("ann", "Wuhan", None),
        ("bob", None, "Asia/Tokyo"),
    ]
