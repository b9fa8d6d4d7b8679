"""The value of every customer as of a day, by the best model the history allows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.errors import NotReady, UnknownName
from regulars.understand.value import habits
from regulars.understand.value.history import History, Rhythm, rhythm_of, weekly
from regulars.understand.value.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.bg_nbd import BGNBD, fit_bg_nbd, group_histories
from regulars.understand.value.models.orders.mbg_nbd import MBGNBD, fit_mbg_nbd
from regulars.understand.value.models.orders.pareto_nbd import ParetoNBD, fit_pareto_nbd

Numbers = NDArray[np.float64]

YEAR_WEEKS = 52
BY_BG_NBD = "spend_bg_nbd"
BY_RATE = "spend_rate"
SPEND_MODELS = (habits.NAME, BY_BG_NBD, BY_RATE)
"""Ways to estimate spend, the one that serves until another is promoted first."""

OrderModel = BGNBD | MBGNBD | ParetoNBD
ORDER_MODELS: Mapping[str, Callable[[OrderHistories], OrderModel]] = {
    "bg_nbd": fit_bg_nbd,
    "mbg_nbd": fit_mbg_nbd,
    "pareto_nbd": fit_pareto_nbd,
}
"""Models of order days by name, the one that serves until another is promoted first."""

_PARAMETERS = {"pareto_nbd": "r alpha s beta log_likelihood"}
_PRIOR_WEEKS = 13
_SILENCE_HALF_LIFE_WEEKS = 13.0


@dataclass(frozen=True)
class Estimate:
    """What every customer is expected to do.

    Attributes:
        model: Which model gave spend: spend_habits, spend_bg_nbd or spend_rate.
        p_alive: Probability of still being a customer, 0 before the first order.
        expected_orders: Orders over the horizon.
        expected_spend: Money over the horizon.
        year_factor: Times the horizon's spend that a year is worth, 1 to 52 / horizon.
        rhythm: Order days of the customers with an order.
        parameters: Rows of model, parameter, value: every model fitted, and the one used.
    """

    model: str
    p_alive: Numbers
    expected_orders: Numbers
    expected_spend: Numbers
    year_factor: Numbers
    rhythm: Rhythm
    parameters: tuple[tuple[str, str, float], ...]


def estimate_values(
    history: History,
    *,
    as_of: int,
    horizon_weeks: int = 13,
    spend: str = habits.NAME,
    orders: str = "bg_nbd",
) -> Estimate:
    """Estimate what every customer will order and spend.

    Spend comes from habits where the history is long enough; else from a model of orders times
    Gamma-Gamma spend; else from the rate so far, pulled to the mean. The model of orders says
    who has left and how much a year is worth beside the horizon.

    Args:
        history: The history; days after `as_of` are not read.
        as_of: Day number.
        horizon_weeks: Weeks ahead, >= 1.
        spend: Where to begin: spend_habits, spend_bg_nbd or spend_rate; a later one is taken
            where the history does not allow it.
        orders: Model of orders: bg_nbd, mbg_nbd or pareto_nbd.

    Returns:
        The estimate, customers in the order of the history.

    Raises:
        UnknownName: There is no such model.
    """
    for kind, name, known in (
        ("spend model", spend, SPEND_MODELS),
        ("order model", orders, tuple(ORDER_MODELS)),
    ):
        if name not in known:
            raise UnknownName(kind, name, known)
    seen = history.until(as_of)
    rhythm = rhythm_of(seen, as_of=as_of)
    order_model, gamma_gamma = _fit_orders(rhythm, orders), _fit_gamma_gamma(rhythm)
    parameters = _parameters(orders, order_model, gamma_gamma)
    fitted = _fit_habits(seen, as_of, horizon_weeks) if spend == habits.NAME else None
    if fitted:
        model, rows = habits.NAME, fitted.parameters()
        money, expected = fitted.predict(seen, as_of=as_of)
    else:
        rows = [("horizon_weeks", float(horizon_weeks))]
        if order_model and gamma_gamma and spend != BY_RATE:
            model = BY_BG_NBD
            money, expected = _by_bg_nbd(seen, rhythm, order_model, gamma_gamma, horizon_weeks)
        else:
            model = BY_RATE
            money, expected = _by_rate(seen, rhythm, as_of, horizon_weeks)
    parameters += [(model, name, value) for name, value in rows]
    p_alive = np.zeros(seen.customers)
    p_alive[rhythm.customer] = _alive(rhythm, order_model)
    factor = _year_factor(rhythm, order_model, seen.customers, horizon_weeks)
    return Estimate(model, p_alive, expected, money, factor, rhythm, tuple(parameters))


def _parameters(
    orders: str, order_model: OrderModel | None, gamma_gamma: GammaGamma | None
) -> list[tuple[str, str, float]]:
    fitted: list[tuple[str, OrderModel | GammaGamma | None, str]] = [
        (orders, order_model, _PARAMETERS.get(orders, "r alpha a b log_likelihood")),
        ("gamma_gamma", gamma_gamma, "p q gamma log_likelihood"),
    ]
    return [
        (model, name, float(getattr(part, name)))
        for model, part, names in fitted
        if part
        for name in names.split()
    ]


def _fit_orders(rhythm: Rhythm, name: str) -> OrderModel | None:
    try:
        return ORDER_MODELS[name](group_histories(rhythm.x, rhythm.t_x, rhythm.T))
    except (NotReady, ValueError):
        return None


def _fit_habits(seen: History, as_of: int, horizon_weeks: int) -> habits.Habits | None:
    try:
        return habits.fit_habits(seen, as_of=as_of, horizon_weeks=horizon_weeks)
    except NotReady:
        return None


def _fit_gamma_gamma(rhythm: Rhythm) -> GammaGamma | None:
    try:
        return fit_gamma_gamma(rhythm.x, rhythm.mean_spend)
    except NotReady:
        return None


def _alive(rhythm: Rhythm, orders: OrderModel | None) -> Numbers:
    """P(alive); without a model of orders it halves with every quarter of silence."""
    if orders:
        return orders.p_alive(rhythm.x, rhythm.t_x, rhythm.T)
    return np.asarray(0.5 ** ((rhythm.T - rhythm.t_x) / _SILENCE_HALF_LIFE_WEEKS))


def _year_factor(
    rhythm: Rhythm, orders: OrderModel | None, customers: int, horizon_weeks: int
) -> Numbers:
    most = YEAR_WEEKS / horizon_weeks
    factor = np.full(customers, most)
    if orders and rhythm.x.size:
        near = orders.expected_orders(rhythm.x, rhythm.t_x, rhythm.T, horizon_weeks)
        far = orders.expected_orders(rhythm.x, rhythm.t_x, rhythm.T, YEAR_WEEKS)
        own = np.clip(np.where(near > 1e-12, far / np.maximum(near, 1e-12), 1.0), 1.0, most)
        factor[:] = own.mean()
        factor[rhythm.customer] = own
    return factor


def _by_bg_nbd(
    history: History,
    rhythm: Rhythm,
    order_model: OrderModel,
    gamma_gamma: GammaGamma,
    horizon_weeks: int,
) -> tuple[Numbers, Numbers]:
    """Order days of the model times spend of Gamma-Gamma; nothing before the first order."""
    spend, orders = np.zeros(history.customers), np.zeros(history.customers)
    days = order_model.expected_orders(rhythm.x, rhythm.t_x, rhythm.T, horizon_weeks)
    per_day = float(history.orders.sum()) / max(len(history.day), 1)
    spend[rhythm.customer] = days * gamma_gamma.expected_spend(rhythm.x, rhythm.mean_spend)
    orders[rhythm.customer] = days * per_day
    return spend, orders


def _by_rate(
    history: History, rhythm: Rhythm, as_of: int, horizon_weeks: int
) -> tuple[Numbers, Numbers]:
    """Weekly rate since the first order; 13 weeks at the mean rate of all count beside it."""
    weeks = max(history.weeks(as_of), 1)
    known = np.zeros(history.customers)
    known[rhythm.customer] = np.maximum(rhythm.T, 1.0)
    found = []
    for amounts in (history.paid, history.orders):
        total = weekly(history, amounts, as_of=as_of, weeks=weeks).sum(axis=1)
        mean = float(total.sum()) / max(float(known.sum()), 1.0)
        rate = (total + _PRIOR_WEEKS * mean) / (known + _PRIOR_WEEKS)
        found.append(np.where(known > 0, np.maximum(rate, 0.0) * horizon_weeks, 0.0))
    return found[0], found[1]
