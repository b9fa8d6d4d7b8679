"""The step that writes what every customer is worth."""

from typing import Any

import pyarrow as pa

from regulars.numerics.arrays import numbers
from regulars.numerics.days import day_number
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.understand.value.estimate import Estimate, estimate_values
from regulars.understand.value.grid import activity_tiers, grid_cells, value_tiers
from regulars.understand.value.history import history_of
from regulars.understand.value.tables import order_days, profiles_of_turn


@step(reads="profiles customers orders", writes="customer_values value_models")
def score_values(engine: Engine, turn: Turn) -> int:
    """Write the value of every customer with a profile, and the models it comes from.

    Args:
        engine: Opens profiles, customers and orders, takes `customer_values` and
            `value_models`.
        turn: The turn; nothing after its `as_of` is read.

    Returns:
        Customers valued.
    """
    customers = engine.arrow(
        profiles_of_turn(engine.table("profiles"), engine.table("customers"), turn.number)
    )
    days = engine.arrow(order_days(engine.table("orders"), until=turn.as_of))
    estimate = estimate_values(history_of(days, customers), as_of=day_number(turn.as_of))
    engine.write("value_models", _models(estimate))
    return engine.write("customer_values", _values(customers, estimate))


def _values(customers: pa.Table, estimate: Estimate) -> pa.Table:
    margin = estimate.expected_spend * numbers(customers, "margin_rate")
    residual = margin * estimate.year_factor
    value = value_tiers(residual)
    activity = activity_tiers(estimate.rhythm, customers.num_rows)
    columns: dict[str, Any] = {
        "customer_id": customers.column("customer_id"),
        "p_alive": estimate.p_alive,
        "expected_orders": estimate.expected_orders,
        "expected_spend": estimate.expected_spend,
        "residual_value": residual,
        "value_tier": value.tolist(),
        "activity_tier": activity.tolist(),
        "grid_cell": grid_cells(value, activity).tolist(),
    }
    return pa.table(columns)


def _models(estimate: Estimate) -> pa.Table:
    model, parameter, value = zip(*estimate.parameters, strict=True)
    return pa.table({"model": list(model), "parameter": list(parameter), "value": list(value)})
