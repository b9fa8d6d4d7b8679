"""What an operation on points costs as the lots of its customer grow, and how many go a second.

In processor seconds, on SQLite: a customer with 100 open lots beside one with 100,000,
each call one earning, one redemption and one look at the balance in transactions of their own. Then batches
of mixed operations about 20,000 customers, in transactions of 500, against 5,000 a second.
Run: python benchmarks reach_points
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from regulars.adapters.state import SQLState, migrate
from regulars.reach.loyalty.ledger import Ask, earn, redeem, reverse
from regulars.reach.loyalty.ledger.service import balance, post_points

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEW, MANY, ALIKE, CALLS = 100, 100_000, 20_000, 400
OPERATIONS, AT_ONCE = 100_000, 500


def main() -> Iterator[dict[str, Any]]:
    """Give one row per figure, in processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        state = _state(folder, "lots.db")
        for name, lots in (("few", FEW), ("many", MANY)):
            _given(state, name, lots)
        for what, call in _CALLS.items():
            took = {name: _used(state, name, call) for name in ("few", "many")}
            yield {
                "what": f"{CALLS} times {what}, {MANY:,} open lots beside {FEW}",
                "ours": f"{MANY:,} lots",
                "ours_seconds": took["many"],
                "peer": f"{FEW} lots",
                "peer_seconds": took["few"],
            }
        state.close()
        state = _state(folder, "batches.db")
        asks = _mixed(OPERATIONS)
        began = time.process_time()
        for start in range(0, OPERATIONS, AT_ONCE):
            now = NOW + timedelta(minutes=start // AT_ONCE)
            post_points(state, asks[start : start + AT_ONCE], now=now)
        yield {
            "what": f"{OPERATIONS:,} operations about {ALIKE:,} customers, {AT_ONCE} at once",
            "ours": "Regulars",
            "ours_seconds": time.process_time() - began,
            "peer": "the bar",
            "peer_seconds": OPERATIONS / 5_000,
        }
        state.close()


def _state(folder: str, name: str) -> SQLState:
    url = f"sqlite:///{Path(folder) / name}"
    migrate(url)
    return SQLState(url, is_rebuildable=True)


def _given(state: SQLState, customer: str, lots: int) -> None:
    """Give a customer so many lots, each of its own expiry."""
    for start in range(0, lots, 2_000):
        part = range(start, min(lots, start + 2_000))
        asks = [
            earn(
                f"{customer}/{n}",
                customer,
                100,
                reason="order",
                expires_at=NOW + timedelta(days=400, minutes=n),
            )
            for n in part
        ]
        post_points(state, asks, now=NOW)


def _used(state: SQLState, customer: str, call: Callable[[SQLState, str, int], None]) -> float:
    call(state, customer, -1)
    began = time.process_time()
    for number in range(CALLS):
        call(state, customer, number)
    return time.process_time() - began


def _earns(state: SQLState, customer: str, number: int) -> None:
    post_points(state, [earn(f"{customer}/more/{number}", customer, 7, reason="order")], now=NOW)


def _redeems(state: SQLState, customer: str, number: int) -> None:
    ask = redeem(f"{customer}/spends/{number}", customer, 3, reason="reward")
    assert not post_points(state, [ask], now=NOW)[0].refused


def _looks(state: SQLState, customer: str, number: int) -> None:
    assert balance(state, customer, now=NOW).active > 0


_CALLS = {"an earning": _earns, "a redemption": _redeems, "a look at the balance": _looks}


def _mixed(operations: int) -> list[Ask]:
    """Earnings, redemptions and reversals, as they come."""
    draw, asks, known = random.Random(7), [], ["0"]
    for number in range(operations):
        key, customer = str(number), f"c{draw.randrange(ALIKE):05d}"
        what = draw.random()
        if what < 0.6 or number == 0:
            known.append(key)
            asks.append(earn(key, customer, draw.randrange(50, 500), reason="order"))
        elif what < 0.9:
            asks.append(redeem(key, customer, draw.randrange(1, 300), reason="reward"))
        else:
            asks.append(reverse(key, draw.choice(known), reason="return"))
    return asks
