"""A dry run of 90 days for 100,000 customers, beside the same steps one customer at a time.

Everybody signs up, fills carts and orders now and then; three templates are tried: welcome,
abandoned cart, replenishment. The peer walks a twentieth of the customers with the same walking
code and one cohort per customer, as an executor without sets would. CPU seconds, event log read
included. Run: python benchmarks reach_journey_dry_run
"""

import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.adapters.arrow_types import cast_to
from regulars.app import App, open_app
from regulars.reach.journeys.dry_run import stays
from regulars.reach.journeys.templates.catalogue import Takes, find_template
from regulars.reach.journeys.templates.fitting import fit
from regulars.records import TABLES
from regulars.serve.authoring.trying import try_journey

CUSTOMERS, DAYS, PART = 100_000, 90, 20
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SETTINGS = """
[retailer]
name = "bench"
[policy]
consent_required = false
[channels.sms]
cost = "0.05"
"""
NAMES = {"Signed Up": 1.0, "Product Added": 4.0, "Order Completed": 4.0, "Page Seen": 4.0}
"""Events and how many of each a customer causes within the stretch."""


def shop(folder: Path, customers: int) -> App:
    """Make a workspace with the recorded history of so many customers."""
    folder.mkdir(parents=True)
    (folder / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
    app = open_app(folder)
    ids = [f"u{n:06d}" for n in range(customers)]
    _append(app, "customers", {"customer_id": ids})
    _append(app, "offers", {"offer_id": ["gift"]})
    draw, start = np.random.default_rng(7), NOW - timedelta(days=DAYS)
    for name, mean in NAMES.items():
        who = np.repeat(np.arange(customers), draw.poisson(mean, customers))
        seconds = draw.integers(0, DAYS * 86_400, len(who))
        at = pa.array(
            (np.datetime64(start.replace(tzinfo=None), "s") + seconds).astype("datetime64[us]")
        )
        _append(app, "events", {
            "source": pa.array(["web"] * len(who)),
            "message_id": pa.array([f"{name}-{n}" for n in range(len(who))]),
            "dialect": pa.array(["segment"] * len(who)),
            "type": pa.array(["track"] * len(who)),
            "event": pa.array([name] * len(who)),
            "occurred_at": at, "sent_at": at, "received_at": at,
            "business_date": pa.array([date(2026, 1, 1)] * len(who)),
            "user_id": pa.array(ids).take(pa.array(who)),
            "payload": pa.array(['{"properties": {"name": "tea"}}'] * len(who)),
            "receipt": pa.array(["r"] * len(who)),
            "is_late": pa.array([False] * len(who)), "is_future": pa.array([False] * len(who)),
            "log_partition": pa.array([0] * len(who)), "log_sequence": pa.array([1] * len(who)),
        })  # fmt: skip
    return app


def _append(app: App, name: str, columns: dict[str, Any]) -> None:
    table = TABLES[name]
    size = len(next(iter(columns.values())))
    neutral = {"bool": False, "int64": 0, "string": "", "float64": 0.0, "money": "0"}
    data = {
        c.name: columns.get(c.name, pa.array([neutral.get(c.type) if c.required else None] * size))
        for c in table.columns
        if c.name != "turn"
    }
    app.lake.append(
        name, cast_to(table, pa.table(data)), application=f"bench-{columns_name(columns)}"
    )


def columns_name(columns: dict[str, Any]) -> str:
    """Name a batch by what it begins with, so that each is taken for another one."""
    first = next(iter(columns.values()))
    return f"{len(first)}-{columns['message_id'][0] if 'message_id' in columns else first[0]}"


class _OneByOne(stays._Round):
    """The same steps with a cohort for each customer."""

    def _walk_group(self, group: Any, places: list[int], ahead: Any) -> None:
        for place in places:
            super()._walk_group(group, [place], ahead)


def seconds(app: App, name: str) -> tuple[float, int]:
    """Try a template; CPU seconds, and steps taken."""
    template = find_template(name)
    offer = "" if template.takes is Takes.NONE else "gift"
    given = fit(template, channels=["sms"], offer=offer).journey
    began = time.process_time()
    found = try_journey(app, given, now=NOW, days=DAYS)
    return time.process_time() - began, sum(one.passed for one in found.nodes)


def main() -> list[dict[str, Any]]:
    """Try three templates for everybody, and for a part of them one by one."""
    rows, sets = [], stays._Round
    with tempfile.TemporaryDirectory() as folder:
        whole = shop(Path(folder) / "whole", CUSTOMERS)
        part = shop(Path(folder) / "part", CUSTOMERS // PART)
        for name in ("welcome", "abandoned-cart", "replenishment"):
            ours, steps = seconds(whole, name)
            stays._Round = _OneByOne  # type: ignore[misc]
            try:
                peer, _ = seconds(part, name)
            finally:
                stays._Round = sets  # type: ignore[misc]
            rows.append({
                "what": f"{DAYS} days x {CUSTOMERS:,} customers of {name}, {steps:,} steps, CPU",
                "ours": "sets", "ours_seconds": ours,
                "peer": "one by one, a twentieth times 20", "peer_seconds": peer * PART,
            })  # fmt: skip
    return rows
