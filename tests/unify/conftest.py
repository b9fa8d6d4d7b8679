"""A small shop in a real lake, read by a real DuckDB."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.records import TABLES, Turn
from regulars.unify.profiles.step import build_profiles

ZONE = "America/New_York"


@pytest.fixture
def open_shop(tmp_path):
    """Give a function that puts facts in a lake and opens an engine on it."""

    def opened(facts, *, workers=1, name="shop"):
        lake = DeltaLake(tmp_path / name)
        for table, rows in facts.items():
            declared = TABLES[table]
            full = [dict.fromkeys(declared.names) | row for row in rows]
            data = pa.Table.from_pylist(full, schema=arrow_schema(declared))
            lake.append(table, cast_to(declared, data), application="test")
        return DuckDBEngine(lake, workers=workers, memory="1GB")

    return opened


@pytest.fixture
def profiles_of(open_shop):
    """Give a function that runs the step and reads the profiles back, by customer."""

    def built(facts, as_of, *, zone=ZONE, margin_rate=0.25, workers=1, name="shop"):
        engine = open_shop(facts, workers=workers, name=name)
        turn = Turn(1, as_of, datetime(2030, 1, 1, tzinfo=UTC), 7)
        build_profiles.run(
            engine.bound(build_profiles, 1), turn, zone=zone, margin_rate=margin_rate
        )
        rows = engine.rows(engine.table("profiles"))
        assert [row["customer_id"] for row in rows] == sorted(row["customer_id"] for row in rows)
        return {row["customer_id"]: row for row in rows}

    return built


@pytest.fixture
def order():
    """Give a function that makes an order and its lines, told in local time."""

    def made(customer, at, *lines, store="s1"):
        local = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(ZONE))
        number = f"{customer}-{at}"
        day = local.date()
        rows = [
            {
                "order_id": number,
                "line_id": str(place),
                "customer_id": customer,
                "business_date": day,
                "quantity": Decimal(1),
                **line,
            }
            for place, line in enumerate(lines)
        ]
        total = sum((Decimal(row["sales"]) for row in rows), Decimal(0))
        head = {
            "order_id": number,
            "customer_id": customer,
            "store_id": store,
            "ordered_at": local.astimezone(UTC),
            "business_date": day,
            "total": total,
        }
        return head, rows

    return made


@pytest.fixture
def random_facts():
    """Give a function that makes a shop of random customers, orders, contacts and answers."""

    def made(seed):
        draw = random.Random(seed)
        start = date(2017, 1, 1)
        products = [
            {
                "product_id": f"p{n}",
                "category": draw.choice([None, "milk", "tea", "rice", "soap"]),
                "department": draw.choice([None, "food", "home"]),
                "is_private_label": draw.choice([None, True, False]),
                "brand": draw.choice([None, "best", "good"]),
                "unit_cost": draw.choice([None, Decimal("0.55"), Decimal("1.20")]),
            }
            for n in range(12)
        ]
        customers = [
            {
                "customer_id": f"c{n:02d}",
                "joined_on": draw.choice([None, start + timedelta(days=draw.randrange(90))]),
            }
            for n in range(24)
        ]
        facts = {
            "products": products,
            "customers": customers,
            "orders": [],
            "order_lines": [],
            "redemptions": [],
            "contacts": [],
            "contact_outcomes": [],
        }
        for n in range(300):
            _random_order(draw, facts, n, start)
        for n in range(60):
            _random_contact(draw, facts, n, start)
        return facts

    return made


def _random_order(draw, facts, n, start):
    customer = f"c{min(int(draw.expovariate(0.15)), 22):02d}"
    local = datetime(start.year, 1, 1, tzinfo=ZoneInfo(ZONE)) + timedelta(
        days=draw.randrange(330), minutes=draw.randrange(1440)
    )
    local = local.astimezone(UTC).astimezone(ZoneInfo(ZONE))
    day = local.date()
    head = {"order_id": f"o{n}", "customer_id": customer, "business_date": day}
    total = Decimal(0)
    for line in range(draw.randrange(1, 4)):
        sales = Decimal(draw.randrange(0, 2000)) / 100
        total += sales
        facts["order_lines"].append({
            **head,
            "line_id": str(line),
            "product_id": f"p{draw.randrange(14)}",
            "quantity": Decimal(draw.randrange(1, 5)),
            "sales": sales,
            "retail_discount": draw.choice([None, Decimal("0.30")]),
            "coupon_discount": draw.choice([None, None, Decimal(0), Decimal("0.50")]),
            "cost": draw.choice([None, Decimal("1.10")]),
        })
    store = draw.choice([None, "s1", "s2", "s3"])
    facts["orders"].append({**head, "store_id": store, "ordered_at": local, "total": total})
    if draw.random() < 0.1:
        facts["redemptions"].append({
            "redemption_id": str(n),
            "customer_id": customer,
            "coupon_id": "k",
            "campaign_id": "news-001",
            "redeemed_on": day,
            "order_id": draw.choice([None, f"o{n}"]),
        })


def _random_contact(draw, facts, n, start):
    customer = f"c{draw.randrange(24):02d}"
    at = datetime(2017, 1, 1, 3, tzinfo=UTC) + timedelta(hours=draw.randrange(330 * 24))
    fate = draw.choice(["sent", "sent", "abstained"])
    facts["contacts"].append({
        "turn": n,
        "key": f"k{n}",
        "customer_id": customer,
        "campaign_id": draw.choice(["news-001", "news-002"]),
        "cost": Decimal(0),
        "at": at if fate == "sent" else None,
        "fate": fate,
        "reason": "-",
    })
    for kind in draw.sample(["delivered", "opened", "clicked"], draw.randrange(4)):
        facts["contact_outcomes"].append({
            "contact_key": f"k{n}",
            "customer_id": customer,
            "kind": kind,
            "occurred_at": at + timedelta(hours=draw.randrange(90)),
        })
