"""One definition, two speeds: what is read online is what the lake says as of the same day."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unify.online.conftest import PRODUCTS, ZONE, Shop, row

from regulars.records.identifiers import customer_id_of
from regulars.unify.profiles.declared.indicators import INDICATORS, finish, population_of
from regulars.unify.profiles.declared.leanings import LEANINGS
from regulars.unify.profiles.declared.static_tags import STATIC_TAGS
from regulars.unify.profiles.online.loading.service import load_facts
from regulars.unify.profiles.service import (
    customers_of,
    first_of,
    open_facts,
    parts_as_of,
    profile_as_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = date(2026, 4, 10)
WHO = [("u1", None), ("u2", None), (None, "a1"), (None, "a2"), ("u1", "a1"), ("u3", "a9")]
NAMES = [
    "Product Viewed",
    "Product Viewed",
    "Products Searched",
    "Product Added",
    "Checkout Started",
    "Product Added to Wishlist",
    "Something Else",
]


def made(draw, n):
    """Draw one event of anybody, any time in the last 100 days, in no order."""
    user, anonymous = draw.choice(WHO)
    at = START + timedelta(minutes=draw.randrange(99 * 1440))
    if draw.random() < 0.4:
        # A few crowded hours, so that batches meet in one hour and messages in one moment.
        at = START + timedelta(days=80, hours=draw.randrange(12))
    about = {
        "user": user,
        "anonymous": anonymous,
        "marks": "robot" if draw.random() < 0.05 else None,
    }
    kind = draw.random()
    if kind < 0.12:
        traits = draw.choice([
            {"city": draw.choice([" Wuhan ", "", None, "上海"]), "gender": "f"},
            {"age": draw.choice([34, 17, "62", True]), "memberLevel": "gold"},
            {"birthday": "1990-04-10", "address": {"state": "Hubei", "city": 7}},
            {"createdAt": draw.choice(["2025-12-01T08:00:00Z", "soon"]), "name": "王小明"},
        ])
        place = draw.choice(["traits", "context"])
        said = {"traits": traits} if place == "traits" else {"context": {"traits": traits}}
        return row(f"m{n}", at, kind="identify", **about, **said)
    if draw.random() < 0.02:
        # A clock ahead of its time, even after correction.
        about["is_future"] = True
    context = {"device": {"type": draw.choice(["ios", "android"])}, "locale": "zh-CN"}
    context["campaign"] = {"source": draw.choice(["douyin", "weibo"])}
    if kind < 0.4:
        return row(
            f"m{n}",
            at,
            kind=draw.choice(["page", "screen"]),
            event="Home",
            **about,
            context=context,
        )
    if kind < 0.7:
        return row(f"m{n}", at, event=draw.choice(NAMES), **about, context=context)
    return order_event(draw, n, at, about)


def order_event(draw, n, at, about):
    """A message about one of a few orders, so that orders have several versions."""
    event = draw.choice(
        ["Order Completed"] * 6
        + ["Order Updated", "Order Cancelled", "Order Refunded", "Order Voided"]
    )
    products = [
        {
            "product_id": f"p{draw.randrange(10)}",
            "price": draw.randrange(100, 2000) / 100,
            "quantity": draw.randrange(1, 4),
            "discount": draw.choice([0, 0, 0.5]),
            "cost": draw.choice([None, None, 0.4]),
        }
        for _ in range(draw.randrange(1, 4))
    ]
    said = {"order_id": f"o{draw.randrange(40)}", "store_id": draw.choice([None, "s1", "s2"])}
    said |= {"products": products}
    if draw.random() < 0.3:
        said["coupon"] = "K5"
    if event == "Order Voided":
        said["voids"] = f"m{draw.randrange(n + 1)}"
    return row(f"m{n}", at, event=event, **about, properties=said)


def file_orders(draw):
    """What files told: orders of the same customers, some known from messages too."""
    orders, lines = [], []
    for n in range(30, 55):
        day = date(2025, 12, 1) + timedelta(days=draw.randrange(120))
        head = {
            "order_id": f"o{n}",
            "customer_id": draw.choice(["u1", "u2", "u4"]),
            "business_date": day,
        }
        at = datetime(day.year, day.month, day.day, draw.randrange(1, 14), tzinfo=UTC)
        total = Decimal(0)
        for line in range(draw.randrange(1, 3)):
            sales = Decimal(draw.randrange(100, 900)) / 100
            total += sales
            lines.append(
                head
                | {
                    "line_id": str(line),
                    "product_id": f"p{draw.randrange(9)}",
                    "quantity": Decimal(draw.randrange(1, 3)),
                    "sales": sales,
                    "coupon_discount": draw.choice([None, Decimal("0.20")]),
                    "cost": draw.choice([None, Decimal("0.30")]),
                }
            )
        orders.append(head | {"store_id": "s3", "ordered_at": at, "total": total})
    return orders, lines


def fill(shop, seed, *, events=300, with_files=True):
    draw = random.Random(seed)
    if with_files:
        orders, lines = file_orders(draw)
        shop.put("orders", orders)
        shop.put("order_lines", lines)
        shop.put("customers", [
            {"customer_id": "u1", "city": "Beijing", "joined_on": date(2025, 6, 1)},
            {"customer_id": "u2", "home_ownership": "owner"},
            {"customer_id": "u3"},
            {"customer_id": "u4", "joined_on": date(2026, 1, 5)},
        ])  # fmt: skip
    rows = [made(draw, n) for n in range(events)]
    while rows:
        size = draw.randrange(1, 160)
        shop.tell(rows[:size], partition=draw.randrange(3))
        rows = rows[size:]


def alias_of(*ids):
    return {customer_id_of("cookie", old): new for old, new in ids}


def both(shop, customer, nodes, aliases, as_of=AS_OF):
    """The profile read online, and the same from the lake."""
    population = shop.online.refresh_population(as_of=as_of, aliases=aliases)
    online = shop.online.of(customer, nodes, as_of=as_of)
    lake = profile_as_of(
        shop.engine,
        customer,
        as_of=as_of,
        zone=ZONE,
        margin_rate=0.25,
        aliases=aliases,
        population=population,
    )
    return online, lake


def assert_same(online, lake):
    assert online.static == lake["static"]
    assert {**online.indicators, **online.leanings} == lake["behaviour"]


def test_enough_is_declared():
    assert len(STATIC_TAGS) == 15
    assert len(INDICATORS) == 42
    assert len(LEANINGS) == 4


def lake_of_everybody(shop, aliases, as_of=AS_OF):
    """What the batch of a turn would say, by customer."""
    facts = open_facts(shop.engine, aliases=aliases)
    customers = customers_of(shop.engine, facts, as_of=as_of)
    parts = parts_as_of(shop.engine, facts, customers, as_of=as_of, zone=ZONE, margin_rate=0.25)
    values = finish(parts)
    found = {}
    for at, one in enumerate(customers.to_pylist()):
        static = {tag.name: one[tag.name] for tag in STATIC_TAGS if one[tag.name]}
        behaviour = first_of({name: column[at:] for name, column in values.items()})
        found[one["customer_id"]] = {"static": static, "behaviour": behaviour}
    return found, population_of(parts)


def assert_everybody_is_the_same(shop):
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=AS_OF)
    aliases = alias_of(("a1", "u1"), ("a2", "u2"))
    lake, population = lake_of_everybody(shop, aliases)
    assert shop.online.refresh_population(as_of=AS_OF, aliases=aliases) == population
    for customer, said in lake.items():
        nodes = [customer, *(old for old, new in aliases.items() if new == customer)]
        assert_same(shop.online.of(customer, nodes, as_of=AS_OF), said)
    return len(lake)


@pytest.mark.parametrize("seed", range(3))
def test_online_and_lake_say_the_same_of_everybody(shop, seed):
    fill(shop, seed)

    assert assert_everybody_is_the_same(shop) == 4


def test_an_earlier_day_is_read_as_it_was(shop):
    fill(shop, 5, with_files=False)
    load_facts(shop.engine, shop.store, zone=ZONE, as_of=AS_OF)
    early = date(2026, 2, 1)

    online, lake = both(shop, "u1", ["u1"], {}, as_of=early)

    assert {**online.indicators, **online.leanings} == lake["behaviour"]
    assert online.indicators != both(shop, "u1", ["u1"], {})[0].indicators


def test_the_order_batches_come_in_changes_nothing(tmp_path):
    draw = random.Random(3)
    rows = [made(draw, n) for n in range(200)]
    found = []
    for name, order in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).mkdir()
        shop = Shop(tmp_path / name)
        shop.put("products", PRODUCTS)
        load_facts(shop.engine, shop.store, zone=ZONE, as_of=AS_OF)
        for start in range(0, len(order), 17):
            shop.follower.follow(shop.batch(order[start : start + 17]))
        shop.online.refresh_population(as_of=AS_OF, aliases={})
        found.append([shop.online.of(u, [u], as_of=AS_OF) for u in ("u1", "u2", "u3")])
        shop.close()

    assert found[0] == found[1]
    assert found[0][0].indicators["orders"] > 0


def test_a_batch_handed_over_again_changes_nothing(shop):
    draw = random.Random(8)
    batch = shop.batch([made(draw, n) for n in range(80)])
    shop.follower.follow(batch)
    before = shop.online.of("u1", ["u1"], as_of=AS_OF)

    shop.follower.follow(batch)

    assert shop.online.of("u1", ["u1"], as_of=AS_OF) == before
    assert shop.follower.position(0) == 1
    assert shop.follower.position(1) == 0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23), st.integers(0, 2)), max_size=25))
def test_days_of_two_nodes_join_as_if_one_node_had_done_it_all(tmp_path_factory, done):
    shop = Shop(tmp_path_factory.mktemp("joined"))
    rows = []
    for n, (day, hour, who) in enumerate(done):
        at = START + timedelta(days=day, hours=hour)
        event = ("Product Added", "Order Completed", "Product Viewed")[n % 3]
        product = {"product_id": f"p{n % 3}", "price": 2, "quantity": 1}
        said = {"order_id": f"o{n}", "products": [product]}
        for user in (f"part{who}", "whole"):
            rows.append(
                row(
                    f"{user}{n}",
                    at,
                    event=event,
                    user=user,
                    properties=said | {"order_id": f"{user}{n}"},
                )
            )
    shop.follower.follow(shop.batch(rows))

    parts = shop.online.of("x", ["part0", "part1", "part2"], as_of=AS_OF)
    whole = shop.online.of("x", ["whole"], as_of=AS_OF)
    shop.close()

    assert (parts and replace(parts, nodes=())) == (whole and replace(whole, nodes=()))
    assert (whole is None) == (not done)


def prove():
    """Compare both speeds for many random shops, every customer of each."""
    compared = 0
    for seed in range(100, 112):
        with TemporaryDirectory() as folder:
            shop = Shop(Path(folder))
            shop.put("products", PRODUCTS)
            fill(shop, seed, events=800)
            compared += assert_everybody_is_the_same(shop)
            shop.close()
    values = len(INDICATORS) + len(LEANINGS) + len(STATIC_TAGS)
    return f"{compared} profiles of {values} values in 12 random shops of 800 events: all the same"
