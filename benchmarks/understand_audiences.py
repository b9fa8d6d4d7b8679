"""Count an audience of a million customers, and follow fifty after a hundred thousand events.

The count is held against the same condition as SQL written by hand over the same files, the refresh
against judging everybody again. Members after the refresh are compared with a look at everybody.
Run: python benchmarks understand_audiences, or python benchmarks/understand_audiences.py 100000
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.app import App, open_app
from regulars.records import TABLES
from regulars.understand.segments.audiences.definition import read_audience
from regulars.understand.segments.audiences.judging.service import (
    Place,
    newest_turn,
    open_sources,
)
from regulars.understand.segments.audiences.live.service import count
from regulars.understand.segments.audiences.membership.service import members
from regulars.understand.segments.audiences.refreshing.service import Refresh, refresh
from regulars.understand.segments.audiences.service import (
    keep_audience,
    list_audiences,
    whole_rule,
)
from regulars.understand.segments.audiences.tables import judged

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
TOML = '[retailer]\nname = "bench"\nzone = "Asia/Shanghai"\n'
NAMES = ("Product Viewed", "Products Searched", "Product Added", "Order Completed")
CITIES = ("Wuhan", "Beijing", "Shanghai", "Chengdu", None)
BATCH = 250_000
BEFORE, AFTER = 500_000, 100_000
# One condition on each of thirty indicators and tags: all of the first ten, most of the others.
INDICATORS = (
    "orders", "orders_30d", "orders_90d", "monetary", "monetary_30d", "monetary_90d",
    "basket_size", "weekly_orders", "recency_days", "days_known", "gap_mean_days", "gap_sd_days",
    "trend_30d", "trend_90d", "category_entropy", "discount_share", "coupon_share",
    "private_label_share", "weekend_share", "evening_share", "favourite_hour", "store_loyalty",
    "margin_rate", "engaged_share", "visits_30d", "page_views_30d", "deal_seeking",
    "novelty_seeking", "brand_loyalty",
)  # fmt: skip


def rule_of_thirty() -> dict[str, Any]:
    """Give a rule over thirty fields, nested."""
    tests = [{"field": name, "is": ">", "value": 0.2} for name in INDICATORS]
    city = {"field": "city", "is": "in", "value": ["Wuhan", "Beijing"]}
    return {"all": [{"any": tests[:10]}, {"any": tests[10:20]}, {"not": {"all": tests[20:]}}, city]}


def sql_of_thirty(files: list[str]) -> str:
    """Give the same condition as somebody would write it by hand."""
    tests = [f"coalesce({name} > 0.2, false)" for name in INDICATORS]
    return (
        f"select count(*) from read_parquet({files!r}) where turn = 1"
        f" and ({' or '.join(tests[:10])}) and ({' or '.join(tests[10:20])})"
        f" and not ({' and '.join(tests[20:])}) and coalesce(city in ('Wuhan', 'Beijing'), false)"
    )


def fifty() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give fifty audiences: fields, scores, windows, sequences, and others' names."""
    for n in range(15):
        name = INDICATORS[n % len(INDICATORS)]
        yield f"field {n}", {"field": name, "is": ">", "value": 0.5 + n / 40}
    for n in range(8):
        yield f"score {n}", {"score": "p_alive", "is": "between", "value": [n / 8, n / 8 + 0.1]}
    for n in range(15):
        window = {"days": 1 + n} if n % 2 else {"hours": 12 + n}
        yield (
            f"window {n}",
            {"event": NAMES[n % 4], "is": ">=", "value": 1 + n % 2} | window,
        )
    for n in range(10):
        last = {"without" if n % 2 else "event": "Order Completed", "within_days": 1 + n % 3}
        yield f"sequence {n}", {"sequence": [{"event": NAMES[n % 3]}, last], "days": 7}
    yield "both 1", {"all": [{"audience": "window 1"}, {"audience": "field 1"}]}
    yield "both 2", {"any": [{"audience": "sequence 1"}, {"not": {"audience": "field 2"}}]}


def profiles(first: int, rows: int, draw: np.random.Generator) -> pa.Table:
    """Make profiles of so many customers."""
    columns: dict[str, Any] = {}
    for column in TABLES["profiles"].columns[1:]:
        if column.name == "customer_id":
            values: Any = pa.array([f"u{n}" for n in range(first, first + rows)])
        elif column.type == "date":
            values = pa.repeat(TODAY, rows)
        elif column.name == "city":
            values = pa.array(np.array(CITIES, dtype=object)[draw.integers(0, 5, rows)])
        elif column.type == "string":
            values = pa.nulls(rows, pa.string())
        elif column.name in INDICATORS:
            drawn = np.round(draw.gamma(0.6, 2.0, rows), 2)
            values = pa.array(np.floor(drawn) if column.type == "int64" else drawn)
        else:
            values = pa.array(np.zeros(rows))
        columns[column.name] = values
    return cast_to(TABLES["profiles"], pa.table(columns), turn=1)


def values(first: int, rows: int, draw: np.random.Generator) -> pa.Table:
    """Make scores of so many customers."""
    columns = {
        column.name: pa.array(draw.random(rows))
        if column.type == "float64"
        else pa.array([f"u{n}" for n in range(first, first + rows)])
        if column.name == "customer_id"
        else pa.repeat("high", rows)
        for column in TABLES["customer_values"].columns[1:]
    }
    return cast_to(TABLES["customer_values"], pa.table(columns), turn=1)


def events(
    rows: int, customers: int, draw: np.random.Generator, *, sequence: int, days: int
) -> pa.Table:
    """Make events of the last days, of customers who signed in."""
    ago = draw.integers(0, days * 86_400, rows)
    at = np.datetime64(NOW.replace(tzinfo=None), "s") - ago.astype("timedelta64[s]")
    local = (at + np.timedelta64(8 * 3600, "s")).astype("datetime64[D]")
    names = np.array(NAMES, dtype=object)[draw.choice(4, rows, p=[0.6, 0.2, 0.15, 0.05])]
    moments = pa.array(at.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))
    text = pa.repeat
    columns = {
        "source": text("web", rows), "message_id": pa.array([f"{sequence}-{n}" for n in range(rows)]),
        "dialect": text("segment", rows), "type": text("track", rows), "event": pa.array(names),
        "occurred_at": moments, "sent_at": moments, "received_at": moments,
        "business_date": pa.array(local), "anonymous_id": pa.nulls(rows, pa.string()),
        "user_id": pa.array([f"u{n}" for n in draw.integers(0, customers, rows)]),
        "payload": text("{}", rows), "receipt": text("r", rows), "is_late": text(False, rows),
        "is_future": text(False, rows), "marks": pa.nulls(rows, pa.string()),
        "log_partition": text(0, rows), "log_sequence": text(sequence, rows),
    }  # fmt: skip
    return pa.table(columns).cast(arrow_schema(TABLES["events"]))


@dataclass(frozen=True)
class Shop:
    """The shop and the moment."""

    app: App
    customers: int
    draw: np.random.Generator


def place(hours: int = 0) -> Place:
    """Say when it is."""
    return Place("Asia/Shanghai", 7, NOW + timedelta(hours=hours))


def make(folder: Path, customers: int) -> Shop:
    """Make the shop on disk, some customers at a time."""
    (folder / "regulars.toml").write_text(TOML, encoding="utf-8")
    app, draw = open_app(folder), np.random.default_rng(1)
    for name, make_rows in (("profiles", profiles), ("customer_values", values)):
        parts = (
            batch
            for first in range(0, customers, BATCH)
            for batch in make_rows(first, min(BATCH, customers - first), draw).to_batches()
        )
        app.lake.append(name, parts, application="bench")
    app.lake.append("events", events(BEFORE, customers, draw, sequence=1, days=30), application="1")
    return Shop(app, customers, draw)


def times(work: Callable[[], Any], repeat: int) -> tuple[float, float, Any]:
    """Give the median of CPU and of clock seconds of some work, and what it gave last."""
    spent, lasted, found = [], [], None
    for _ in range(repeat):
        cpu, clock = time.process_time(), time.perf_counter()
        found = work()
        spent.append(time.process_time() - cpu)
        lasted.append(time.perf_counter() - clock)
    return statistics.median(spent), statistics.median(lasted), found


def count_beside_sql(shop: Shop) -> dict[str, Any]:
    """Count the rule of thirty fields, and the same by SQL."""
    rule = read_audience("thirty", rule_of_thirty()).rule
    app = shop.app
    ours, lasted, found = times(lambda: count(app.engine, app.state, rule, place=place()), repeat=7)
    hand = duckdb.connect(config={"threads": app.settings.compute.workers})
    sql = sql_of_thirty(app.lake.files("profiles"))
    theirs, _clock, row = times(lambda: hand.sql(sql).fetchone(), repeat=7)
    assert row is not None
    assert row[0] == found.customers, (row, found)
    print(
        f"count: {found.customers:,} of {found.known:,} by 30 conditions, "
        f"{lasted * 1000:.0f} ms by the clock, {ours * 1000:.0f} ms of CPU (bar: 300 ms)"
    )
    return {
        "what": f"count of {found.known:,} customers by 30 conditions, CPU",
        "ours": "regulars",
        "ours_seconds": ours,
        "peer": "SQL by hand on DuckDB",
        "peer_seconds": theirs,
    }


def follow(shop: Shop) -> dict[str, Any]:
    """Follow fifty audiences through a hundred thousand events and an hour."""
    app = shop.app
    for name, given in fifty():
        keep_audience(app.state, read_audience(name, given), actor="bench", now=NOW)

    def again(hours: int) -> Refresh:
        return refresh(app.engine, app.state, app.lake, place=place(hours))

    everybody, _clock, first = times(lambda: again(0), repeat=1)
    new = events(AFTER, shop.customers, shop.draw, sequence=2, days=1)
    app.lake.append("events", new, application="2")
    few, lasted, done = times(lambda: again(1), repeat=1)
    print(
        f"refresh: {len(done.audiences)} audiences, {sum(a.members for a in first.audiences):,} "
        f"members, after {AFTER:,} events: "
        f"{lasted:.1f} s by the clock, {few:.1f} s of CPU (bar: 10 s); judged "
        f"{max(a.judged for a in done.audiences):,} customers at most, "
        f"{sum(a.entered + a.left for a in done.audiences):,} entered or left, "
        f"{sum(a.is_full for a in done.audiences)} looked at everybody"
    )
    _compare(shop)
    return {
        "what": f"refresh of 50 audiences after {AFTER:,} events, CPU",
        "ours": "judging whom it concerns",
        "ours_seconds": few,
        "peer": "judging everybody",
        "peer_seconds": everybody,
    }


def _compare(shop: Shop) -> None:
    """Hold every audience's members against those a look at everybody finds."""
    app = shop.app
    rules = {one.name: whole_rule(app.state, one.rule) for one in list_audiences(app.state)}
    turned = newest_turn(app.engine)
    assert turned is not None
    sources = open_sources(
        app.engine,
        app.state,
        rules.values(),
        turned=turned,
        clock=place(1).clock(turned.as_of),
        zone="Asia/Shanghai",
    )
    rows = app.engine.arrow(judged(rules, sources).order_by("customer_id"))
    ids = rows.column("customer_id")
    for name in rules:
        assert ids.filter(rows.column(name)).to_pylist() == members(app.engine, name), name
    print(f"  the members of all {len(rules)} are those a look at everybody finds")


def main(customers: int = 1_000_000) -> list[dict[str, Any]]:
    """Print what was found; give the CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        shop = make(Path(folder), customers)
        rows = [count_beside_sql(shop), follow(shop)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"  peak memory {peak:,} MB")
    return rows


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
