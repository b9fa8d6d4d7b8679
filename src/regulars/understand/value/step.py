"""The step that writes what every customer is worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.errors import NotReady
from regulars.numerics.arrays import numbers
from regulars.numerics.days import day_number
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.understand.champions.family import DEFAULTS, Family
from regulars.understand.champions.serving import Serving, default_servings
from regulars.understand.champions.verdict import check_predictions
from regulars.understand.value.estimate import Estimate, estimate_values
from regulars.understand.value.grid import activity_tiers, grid_cells, value_tiers
from regulars.understand.value.history import History, history_of
from regulars.understand.value.tables import order_days, profiles_of_turn


@step(reads="profiles customers orders", writes="customer_values value_models")
def score_values(
    engine: Engine, turn: Turn, *, serves: Mapping[Family, Serving] | None = None
) -> int:
    """Write the value of every customer with a profile, and the models it comes from.

    Args:
        engine: Opens profiles, customers and orders, takes `customer_values` and
            `value_models`.
        turn: The turn; nothing after its `as_of` is read.
        serves: Recipes of value and orders that serve; the defaults when left out.

    Returns:
        Customers valued.
    """
    customers = engine.arrow(
        profiles_of_turn(engine.table("profiles"), engine.table("customers"), turn.number)
    )
    days = engine.arrow(order_days(engine.table("orders"), until=turn.as_of))
    history = history_of(days, customers)
    estimate = _served(history, day_number(turn.as_of), serves or default_servings())
    engine.write("value_models", _models(estimate))
    return engine.write("customer_values", _values(customers, estimate))


def _served(history: History, as_of: int, serves: Mapping[Family, Serving]) -> Estimate:
    """Estimate by the champions; one that gives no usable number is passed over."""

    def by_spend(spend: str) -> Estimate:
        def by_orders(orders: str) -> Estimate:
            found = estimate_values(history, as_of=as_of, spend=spend, orders=orders)
            is_fitted = any(model == orders for model, _name, _value in found.parameters)
            if not is_fitted and orders != DEFAULTS[Family.ORDERS]:
                raise NotReady(f"{orders} could not be fitted to {history.customers} customers")
            return found

        return serves[Family.ORDERS].make(by_orders, _orders_wrong)

    return serves[Family.VALUE].make(by_spend, _spend_wrong)


def _orders_wrong(found: Estimate) -> str:
    everybody = np.ones(len(found.p_alive), dtype=bool)
    wrong = check_predictions(Family.CHURN, found.p_alive, everybody)
    wrong = wrong or check_predictions(Family.ORDERS, found.year_factor, everybody)
    return wrong.value if wrong else ""


def _spend_wrong(found: Estimate) -> str:
    everybody = np.ones(len(found.expected_spend), dtype=bool)
    wrong = check_predictions(Family.VALUE, found.expected_spend, everybody)
    return wrong.value if wrong else ""


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
