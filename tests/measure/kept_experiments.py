"""A shop for the tests of kept experiments: customers whose variant changes just what is said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from regulars.adapters.arrow_types import cast_to
from regulars.app import open_app
from regulars.decide.assignment import assign
from regulars.decide.assignment.dealing.service import expose
from regulars.measure.experiments.keeping.definition import definition_of
from regulars.measure.experiments.keeping.planning import PowerPlan
from regulars.measure.experiments.keeping.reading.service import Shop, start
from regulars.measure.experiments.keeping.service import put_experiment, start_experiment
from regulars.numerics.hashing import keys_of
from regulars.records import TABLES

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
SETTINGS = '[retailer]\nname = "Shop"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\nlocale = "en"\n'
GIVEN = {
    "id": "coupon",
    "name": "Coupon for newcomers",
    "hypothesis": "A coupon in the first week brings more of them back.",
    "variants": [
        {"name": "control", "share": 0.5, "offers": []},
        {"name": "coupon", "share": 0.5, "offers": ["off10"]},
    ],
    "primary": "buyers",
    "guardrails": ["refunds"],
    "effect": 0.05,
    "inference": "once",
    "days": 28,
}


def coupon(**changed):
    return definition_of(GIVEN | changed)


def run_experiment(state, definition=None, *, now=NOW):
    """Let an experiment take customers, without a shop to plan it by."""
    definition = definition or coupon()
    plan = PowerPlan(0, {}, 0.0, None, definition.effect, 0.0, True, "")
    put_experiment(state, definition, actor="test", now=now)
    return start_experiment(state, definition.id, plan, actor="test", now=now)


def put_rows(app, name, columns):
    """Append rows to a table of the lake; columns left out are empty or neutral."""
    table = TABLES[name]
    neutral = {"string": "", "int64": 0, "float64": 0.0, "bool": False}
    size = len(next(iter(columns.values())))
    whole = {
        c.name: columns.get(
            c.name, [None if not c.required else neutral.get(c.type, Decimal(0))] * size
        )
        for c in table.columns
        if c.name != "turn"
    }
    rows = pa.table({name: pa.array(values) for name, values in whole.items()})
    if any(c.name == "turn" for c in table.columns):
        turn = columns.get("turn", [1])[0]
        data = cast_to(table, rows, turn=turn)
        app.lake.overwrite_turn(name, data, application="test", turn=turn)
    else:
        version = (app.lake.committed(name, "test") or 0) + 1
        app.lake.append(name, cast_to(table, rows), application="test", version=version)


def orders_of(app, customers, day, *, name="o"):
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    put_rows(
        app,
        "orders",
        {
            "order_id": [f"{name}-{day}-{one}" for one in customers],
            "customer_id": list(customers),
            "ordered_at": [moment] * len(customers),
            "business_date": [day] * len(customers),
            "total": [Decimal("80.00")] * len(customers),
        },
    )


def visits_of(app, customers, day):
    moment = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    put_rows(
        app,
        "visits",
        {
            "visit_id": [f"v-{day}-{one}" for one in customers],
            "customer_id": list(customers),
            "kind": ["web"] * len(customers),
            "started_at": [moment] * len(customers),
            "ended_at": [moment] * len(customers),
            "business_date": [day] * len(customers),
            "visitors": [1] * len(customers),
        },
    )


def open_shop(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
    app = open_app(folder, workers=1)
    return app, Shop(app.engine, app.state, "Asia/Shanghai", 0.25)


def filled(folder, *, customers=4000, lift=0.0, seed=1, days=28, definition=None, lost=0.0):
    """A running experiment whose customers all came on its second day, and what they bought.

    `lift` more of the coupon's customers buy; of them `lost` are never put down: a planted split.
    """
    app, shop = open_shop(folder)
    draw = np.random.default_rng(seed)
    ids = [f"c{n:05}" for n in range(customers)]
    past = [one for one, u in zip(ids, draw.random(customers), strict=True) if u < 0.5]
    visits_of(app, ids, date(2026, 1, 20))
    orders_of(app, past, date(2026, 2, 10), name="past")
    definition = definition or coupon()
    put_experiment(app.state, definition, actor="test", now=NOW)
    start(shop, definition.id, actor="test", now=NOW, anyway="a test")
    number = assign(keys_of(ids), definition.assignment(), seed=7)
    names = list(definition.design)
    at = (NOW + timedelta(days=1)).isoformat()
    rows = [
        {
            "experiment_id": definition.id,
            "customer_id": one,
            "variant": names[place],
            "at": at,
        }
        for one, place, u in zip(ids, number.tolist(), draw.random(customers), strict=True)
        if not (place == 1 and u < lost)
    ]
    with app.state.transaction() as opened:
        expose(opened, rows)
    chance = 0.2 + lift * (number > 0)
    bought = [one for one, u, p in zip(ids, draw.random(customers), chance, strict=True) if u < p]
    orders_of(app, bought, date(2026, 3, 2) + timedelta(days=min(days, 28) // 2))
    return SimpleNamespace(app=app, shop=shop, definition=definition, ids=ids, number=number)
