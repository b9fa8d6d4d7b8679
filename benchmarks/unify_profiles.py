"""Keep profiles up at a pace, and look them up by any identifier, beside the bars we set.

Customers are made with a cookie and a login id each, joined by identity, with events and orders
over 60 days. Then 3,000 events a second are handed over in batches, and the time from an event
to its readable profile is taken; then profiles are looked up by login id and by cookie. Beside
the time of lookups stands the processor time: on a busy machine the rest is waiting for a turn.
Run: python benchmarks unify_profiles, or python benchmarks/unify_profiles.py 1000000 4 for a million
customers of 4 events each.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.adapters.arrow_types import arrow_schema
from regulars.app import open_app
from regulars.collect.ingest.batch import EventBatch
from regulars.records import TABLES
from regulars.serve.http.unify.profiles import KnownBy
from regulars.unify.identity.service import IdentityFollower
from regulars.unify.profiles.online.lookup.service import OnlineProfiles
from regulars.unify.profiles.online.service import ProfileFollower

SCHEMA = arrow_schema(TABLES["events"])
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 60
AT_ONCE = 6_000
PACE = 3_000
CYCLE = 0.2
NAMES = ("Product Viewed", "Products Searched", "Product Added", "Checkout Started")
TOML = '[retailer]\nname = "bench"\n'


def row(n: int, customer: int, at: datetime, draw: random.Random, *, names: bool) -> dict[str, Any]:
    """Make one event; one that names the customer, or every sixteenth an order."""
    kind, event, said = "track", draw.choice(NAMES), {}
    user = None
    if names:
        kind, event, user = "identify", None, f"u{customer}"
        said = {"traits": {"city": draw.choice(("Wuhan", "Beijing")), "age": 34}}
    elif n % 16 == 1:
        lines = [{"product_id": f"p{draw.randrange(500)}", "price": 9.5, "quantity": 2}]
        event, user = "Order Completed", f"u{customer}"
        said = {"properties": {"order_id": f"o{n}", "products": lines}}
    context = {
        "device": {"type": "ios"},
        "page": {"url": "https://shop.example/p/1", "title": "x" * 300},
    }
    return {
        "source": "web", "message_id": f"m{n}", "dialect": "segment", "type": kind, "event": event,
        "occurred_at": at, "sent_at": None, "received_at": at, "business_date": at.date(),
        "anonymous_id": f"a{customer}", "user_id": user,
        "payload": json.dumps({"type": kind, "event": event, "context": context, **said}),
        "receipt": "r", "is_late": False, "is_future": False, "marks": None,
        "log_partition": 0, "log_sequence": 0,
    }  # fmt: skip


def batches(customers: int, each: int, seed: int = 1) -> Iterator[pa.Table]:
    """Make the history of so many customers, in no order of customers."""
    draw, rows = random.Random(seed), []
    for n in range(customers * each):
        at = START + timedelta(minutes=draw.randrange(DAYS * 1440))
        names = n % each == 0
        customer = n // each if names else draw.randrange(customers)
        rows.append(row(n, customer, at, draw, names=names))
        if len(rows) == AT_ONCE:
            yield pa.Table.from_pylist(rows, schema=SCHEMA)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema=SCHEMA)


def share(values: list[float], part: float) -> float:
    """Give a quantile of measured times."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def fill(shop: Any, customers: int, each: int) -> int:
    """Put the history in; print how fast. Gives the batches handed over."""
    profiles = ProfileFollower(shop.profiles, zone="Asia/Shanghai", currency="CNY")
    identity, seconds, events, sequence = IdentityFollower(shop.state), 0.0, 0, 0
    for sequence, table in enumerate(batches(customers, each), 1):
        batch = EventBatch(0, sequence, table)
        identity.follow(batch)
        start = time.perf_counter()
        profiles.follow(batch)
        seconds, events = seconds + time.perf_counter() - start, events + table.num_rows
    size = (shop.folder / "profiles.db").stat().st_size / 1e6
    print(
        f"filled: {customers:,} customers, {events:,} events, {events / seconds:,.0f} events/s "
        f"into profiles; profiles.db {size:,.0f} MB"
    )
    return sequence


def paced(shop: Any, customers: int, sequence: int, seconds: float) -> list[float]:
    """Hand over events at a pace; give the time from each event to its readable profile."""
    follower = ProfileFollower(shop.profiles, zone="Asia/Shanghai", currency="CNY")
    draw, waits, size = random.Random(2), [], int(PACE * CYCLE)
    begin, n = time.perf_counter(), 10**9
    for cycle in range(int(seconds / CYCLE)):
        due = begin + (cycle + 1) * CYCLE
        rows = [
            row(n + k, draw.randrange(customers), START, draw, names=k % 8 == 0)
            for k in range(size)
        ]
        n += size
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        time.sleep(max(0.0, due - time.perf_counter()))
        follower.follow(EventBatch(0, sequence + 1 + cycle, table))
        done = time.perf_counter()
        waits += [done - (due - CYCLE + CYCLE * (k + 0.5) / size) for k in range(size)]
    return waits


def lookups(shop: Any, customers: int, times: int = 2_000) -> tuple[list[float], list[float]]:
    """Look profiles up by login id and by cookie, in turns: seconds and processor seconds."""
    online = OnlineProfiles(shop.profiles, margin_rate=0.25)
    draw, identities = random.Random(3), KnownBy(shop.state)
    found, used = list[float](), list[float]()
    today = (START + timedelta(days=DAYS)).date()
    for at in range(times + 50):
        customer = draw.randrange(customers)
        sought = ("login", f"u{customer}") if at % 2 else ("cookie", f"a{customer}")
        start, begun = time.perf_counter(), time.thread_time()
        profile = online.find(*sought, identities=identities, as_of=today)
        if at >= 50:
            found.append(time.perf_counter() - start)
            used.append(time.thread_time() - begun)
        assert profile is not None, sought
    return found, used


def main(customers: int = 20_000, each: int = 8, seconds: float = 5.0) -> list[dict[str, Any]]:
    """Print what was measured; give it beside the bars."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "regulars.toml").write_text(TOML, "utf-8")
        shop = open_app(folder)
        sequence = fill(shop, customers, each)
        waits = paced(shop, customers, sequence, seconds)
        found, used = lookups(shop, customers)
        shop.profiles.close()
        shop.state.close()
    for what, times in (
        ("event to profile", waits),
        ("lookup", found),
        ("lookup, processor", used),
    ):
        print(
            f"  {what}: p50 {share(times, 0.5) * 1e3:.1f} ms, p99 {share(times, 0.99) * 1e3:.1f} ms"
        )
    return [
        {
            "what": f"event to readable profile, p99 at {PACE:,} events/s, {customers:,} customers",
            "ours": "regulars",
            "peer": "bar",
            "ours_seconds": share(waits, 0.99),
            "peer_seconds": 1.0,
        },
        {
            "what": f"lookup by any identifier, p99 at {customers:,} customers",
            "ours": "regulars",
            "peer": "bar",
            "ours_seconds": share(found, 0.99),
            "peer_seconds": 0.005,
        },
    ]


if __name__ == "__main__":
    for result in main(*[int(float(word)) for word in sys.argv[1:3]]):
        print(result)
