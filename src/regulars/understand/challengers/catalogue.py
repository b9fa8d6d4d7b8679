"""The recipes of order histories, by family and name."""

from collections.abc import Callable, Mapping

import numpy as np

from regulars.understand.challengers.recipe import Numbers, Recipe
from regulars.understand.champions.family import NAMES, Family
from regulars.understand.churn.scoring import score_history
from regulars.understand.value.estimate import ORDER_MODELS, estimate_values
from regulars.understand.value.history import History, rhythm_of
from regulars.understand.value.models.histories import group_histories

HORIZON_WEEKS = 13


def _value(name: str) -> Recipe:
    def predict(history: History, as_of: int) -> Numbers:
        found = estimate_values(history, as_of=as_of, horizon_weeks=HORIZON_WEEKS, spend=name)
        return found.expected_spend

    return Recipe(Family.VALUE, name, predict)


def _orders(name: str) -> Recipe:
    def predict(history: History, as_of: int) -> Numbers:
        rhythm = rhythm_of(history, as_of=as_of)
        model = ORDER_MODELS[name](group_histories(rhythm.x, rhythm.t_x, rhythm.T))
        expected = np.full(history.customers, np.nan)
        expected[rhythm.customer] = model.expected_orders(
            rhythm.x, rhythm.t_x, rhythm.T, HORIZON_WEEKS
        )
        return expected

    return Recipe(Family.ORDERS, name, predict)


def _churn(name: str) -> Recipe:
    def predict(history: History, as_of: int) -> Numbers:
        found = score_history(history, as_of=as_of, horizon_weeks=HORIZON_WEEKS, base=name)
        return np.where(found.at_risk, found.probability, np.nan)

    return Recipe(Family.CHURN, name, predict)


_MAKERS: Mapping[Family, Callable[[str], Recipe]] = {
    Family.VALUE: _value,
    Family.ORDERS: _orders,
    Family.CHURN: _churn,
}

RECIPES: Mapping[Family, Mapping[str, Recipe]] = {
    family: {name: make(name) for name in NAMES[family]} for family, make in _MAKERS.items()
}
"""Recipes of order histories by family and name, the default first.

Those of the response model learn from decisions; the step that learns compares them.
"""
