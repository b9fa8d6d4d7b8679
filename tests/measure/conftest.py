"""A small shop in a real lake, whose contacts cause exactly what the test says."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import cast_to
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.measure.effects.step import measure_effects
from regulars.records import TABLES, Turn

SETTINGS = {
    "level": 0.9, "window_days": 7, "margin_rate": 0.25,
    "global_holdout": 0.05, "campaign_holdout": 0.1,
}  # fmt: skip
EMPTY = {"string": "", "int64": 0, "float64": 0.0, "bool": False, "date": None}


@dataclass(frozen=True)
class Shop:
    """A workspace's lake, filled by hand."""

    folder: object
    customers: int
    workers: int = 2
    appended: list = field(default_factory=list)

    @property
    def lake(self):
        return DeltaLake(self.folder)

    @property
    def engine(self):
        return DuckDBEngine(self.lake, workers=self.workers, memory="1GB")

    def turn(self, number):
        day = date(2026, 1, 4) + timedelta(days=7 * number)
        return Turn(number, day, datetime(day.year, day.month, day.day, 2, tzinfo=UTC), 7)

    def put(self, name, columns, *, turn=None):
        table = TABLES[name]
        size = len(next(iter(columns.values())))
        for column in table.columns:
            if column.name not in columns and column.name != "turn":
                value = None if not column.required else EMPTY.get(column.type, Decimal(0))
                columns[column.name] = [value] * size
        rows = pa.table({k: pa.array(v) for k, v in columns.items()})
        if turn is None:
            self.appended.append(name)
            self.lake.append(
                name, cast_to(table, rows), application="test", version=len(self.appended)
            )
        else:
            rows = cast_to(table, rows, turn=turn)
            self.lake.overwrite_turn(name, rows, application="test", turn=turn)

    def measure(self, number, **changed):
        engine = self.engine.bound(measure_effects, number)
        return measure_effects.run(engine, self.turn(number), **(SETTINGS | changed))

    def rows(self, name, **where):
        engine = self.engine
        found = engine.rows(engine.table(name).order_by(*TABLES[name].key))
        return [row for row in found if all(row[k] == v for k, v in where.items())]


@pytest.fixture
def shop(tmp_path):
    """Give a function that fills a shop: turns of two campaigns, and what was bought after each."""

    def fill(
        *,
        customers=3000,
        turns=1,
        lift=0.0,
        campaign_holdout=0.1,
        kept_share=None,
        seed=1,
        folder="lake",
    ):
        made = Shop(tmp_path / folder, customers)
        random = np.random.default_rng(seed)
        ids = [f"c{i:05d}" for i in range(customers)]
        taste = random.gamma(1.0, 30.0, customers)
        everyone_held = random.random(customers) < 0.05
        orders = []
        for number in range(1, turns + 2):
            made.put("profiles", _profiles(ids, taste, made.turn(number).as_of), turn=number)
            made.put("customer_values", _values(ids, taste), turn=number)
            if number > turns:
                break
            chosen = random.random(customers) < 0.4
            held = random.random(customers) < campaign_holdout
            sent = chosen & ~held & ~everyone_held
            decided = _decisions(ids, number, chosen, held, everyone_held)
            made.put(
                "decisions", decided | {"held_out_share": [kept_share] * customers}, turn=number
            )
            made.put("contacts", _contacts(ids, sent), turn=number)
            spend = taste * random.gamma(2.0, 0.5, customers) + lift * sent
            orders.append((made.turn(number).as_of + timedelta(days=3), spend))
        _buy(made, ids, orders)
        return made

    return fill


@pytest.fixture
def changed():
    """Give `dataclasses.replace`, for shops read with other workers."""
    return replace


def _profiles(ids, taste, day):
    return {
        "customer_id": ids,
        "as_of": [day] * len(ids),
        "days_known": [364] * len(ids),
        "monetary": np.round(taste * 52, 2),
        "monetary_30d": np.round(taste * 4, 2),
        "monetary_90d": np.round(taste * 13, 2),
        "weekly_orders": [1.0] * len(ids),
    }


def _values(ids, taste):
    return {"customer_id": ids, "expected_spend": taste * 13, "residual_value": taste * 13}


def _decisions(ids, number, chosen, held, everyone_held):
    offers = [("news", "money")[i % 2] for i in range(len(ids))]
    verdict = np.where(chosen & ~held, "send", np.where(chosen, "holdout", "abstain"))
    verdict = np.where(everyone_held, "holdout", verdict)
    return {
        "customer_id": ids,
        "verdict": verdict.tolist(),
        "campaign_id": [f"{o}-{number:03d}" if c else None for o, c in zip(offers, chosen, strict=True)],
        "expected_margin": np.where(chosen, 1.0, 0.0),
        "is_global_holdout": everyone_held.tolist(),
        "is_campaign_holdout": (chosen & held).tolist(),
    }  # fmt: skip


def _contacts(ids, sent):
    return {
        "key": ids,
        "customer_id": ids,
        "cost": [Decimal("0.05") if s else Decimal(0) for s in sent],
        "fate": ["sent" if s else "abstained" for s in sent],
    }


def _buy(made, ids, orders):
    days = [day for day, _ in orders for _ in ids]
    who = [name for _ in orders for name in ids]
    numbers = [f"o{i:07d}" for i in range(len(who))]
    sales = [Decimal(round(float(s) * 100)) / 100 for _, spend in orders for s in spend]
    at = [datetime(d.year, d.month, d.day, 4, tzinfo=UTC) for d in days]
    made.put("orders", {"order_id": numbers, "customer_id": who, "ordered_at": at,
                        "business_date": days, "total": sales})  # fmt: skip
    made.put("order_lines", {"order_id": numbers, "line_id": ["1"] * len(who), "customer_id": who,
                             "product_id": ["p"] * len(who), "business_date": days,
                             "quantity": [Decimal(1)] * len(who), "sales": sales})  # fmt: skip
