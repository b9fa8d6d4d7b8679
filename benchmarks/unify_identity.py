"""Take events into the identity graph, look identifiers up, and protect events on their way.

Events per second of the follower on one core, against the 3,000 per second the system is built for; lookups among many
customers, slowest of a hundred, against 5 ms; bytes per second through the protector, one event in ten with
a phone number and an address, against 58 MB/s. Run: python benchmarks unify_identity
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.batch import EventBatch
from regulars.govern.protection.service import VAULT_FILE, open_protector
from regulars.unify.identity.service import IdentityFollower, resolve

CUSTOMERS = 1_000_000
BATCH, BATCHES = 3_000, 10
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> Iterator[dict[str, Any]]:
    """Give one row per bar."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        state, rng = SQLState(url), random.Random(7)
        _fill(state)
        yield _row("events into the graph", BATCH * BATCHES / 3_000, _follow(state, rng))
        yield _row("lookup, slowest of 100", 0.005, _slowest_lookup(state, rng))
        rows = pa.Table.from_pylist([_event(rng, number) for number in range(40_000)])
        protector = open_protector(folder, SQLState(f"sqlite:///{folder / VAULT_FILE}"))
        began = time.perf_counter()
        protector.protect(rows)
        took = time.perf_counter() - began
        yield _row("events protected", rows.column("payload").nbytes / 58e6, took)


def _row(what: str, bar: float, ours: float) -> dict[str, Any]:
    return {
        "what": what,
        "ours": "Regulars",
        "peer": "the bar",
        "ours_seconds": ours,
        "peer_seconds": bar,
    }


def _fill(state: SQLState) -> None:
    """A million customers, each with a login and a cookie."""
    statement = (
        "insert into identifiers values (:node, :namespace, :value, :customer, :ordinal, "
        "'2026-01-01', '2026-01-01', 'bench', 0)"
    )
    from regulars.records.identifiers import customer_id_of  # noqa: PLC0415

    for start in range(0, CUSTOMERS, 50_000):
        rows = []
        for number in range(start, start + 50_000):
            for place, (namespace, value) in enumerate([
                ("login", f"u{number}"),
                ("cookie", f"k{number}"),
            ]):
                rows.append({
                    "node": customer_id_of(namespace, value),
                    "namespace": namespace,
                    "value": value,
                    "customer": f"u{number}",
                    "ordinal": 2 * number + place,
                })
        with state.transaction() as transaction:
            transaction.many(statement, rows)


def _follow(state: SQLState, rng: random.Random) -> float:
    follower = IdentityFollower(state)
    batches = [
        EventBatch(
            0,
            at + 1,
            pa.Table.from_pylist([_event(rng, rng.getrandbits(60)) for _ in range(BATCH)]),
        )
        for at in range(BATCHES)
    ]
    began = time.perf_counter()
    for batch in batches:
        follower.follow(batch)
    return time.perf_counter() - began


def _slowest_lookup(state: SQLState, rng: random.Random) -> float:
    slowest = 0.0
    for _ in range(100):
        number = rng.randrange(CUSTOMERS)
        began = time.perf_counter()
        assert resolve(state, "cookie", f"k{number}") == f"u{number}"
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


def _event(rng: random.Random, number: int) -> dict[str, Any]:
    customer = rng.randrange(CUSTOMERS)
    user = f"u{customer}" if rng.random() < 0.4 else None
    traits = {}
    if number % 10 == 0:
        traits = {"phone": f"13{customer % 10**9:09}", "email": f"c{customer}@example.com"}
    payload = {
        "type": "track",
        "event": "Product Viewed",
        "context": {"library": {"name": "@segment/analytics-node"}, "traits": traits},
        "properties": {"product_id": str(number % 900), "name": "可乐", "text": "x" * 700},
    }
    return {
        "source": "web",
        "message_id": f"m{number}",
        "type": "track",
        "event": "Product Viewed",
        "received_at": NOW,
        "user_id": user,
        "anonymous_id": f"k{customer}" if rng.random() < 0.9 else f"new{number}",
        "payload": json.dumps(payload, ensure_ascii=False),
    }
