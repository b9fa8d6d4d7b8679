"""Long-term effect of a promotion: what it brought, less what it borrowed, and who stayed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.charts.intervals import Interval, interval_plot
from regulars.errors import InputError, NotReady
from regulars.numerics.given import (
    flags_given,
    floats_given,
    level_given,
    number_given,
    require_one_length,
)
from regulars.understand.value import Buyers, GammaGamma, parameter_draws
from regulars.understand.value.models.uncertainty import OrderModel

Floats = NDArray[np.float64]

LEAST_BUYERS = 100
_MODELS = 60
_MOST_CUSTOMERS = 5_000


@dataclass(frozen=True)
class Part:
    """One part of the effect, money per treated customer.

    Attributes:
        value: The estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LongTermEffect:
    """What a promotion is worth in the long run, money per treated customer.

    Attributes:
        during: Effect while the promotion ran: all that a readout of the window shows.
        pulled_forward: Effect in the weeks just after it; below 0 what was borrowed from them.
        late: Effect in the later weeks seen.
        beyond: Effect in the weeks not seen yet: the change of buying in the late weeks, carried
            on by the value model.
        total: All four less cost.
        churn_shift: Relative change of buying in the late weeks: above 0 more stayed for it.
        p_above_zero: Probability that `total` is above 0.
        treated: Customers treated.
        level: Coverage of the intervals.
    """

    during: Part
    pulled_forward: Part
    late: Part
    beyond: Part
    total: Part
    churn_shift: Part
    p_above_zero: float
    treated: int
    level: float

    def plot(self) -> dict[str, Any]:
        """Give the chart that asks: what is left of the effect in the long run?"""
        names = ("during", "pulled_forward", "late", "beyond", "total")
        rows = [
            Interval(name.replace("_", " "), part.value, part.low, part.high)
            for name in names
            for part in [getattr(self, name)]
        ]
        return interval_plot(
            rows,
            title="What is left of the promotion in the long run?",
            x_name="part",
            y_name="money per treated customer",
        )


def residual_draws(
    orders: OrderModel,
    spend: GammaGamma,
    customers: Buyers,
    *,
    horizon: float,
    margin_rate: float = 1.0,
    draws: int = 400,
    seed: int = 7,
) -> Floats:
    """Draw what a customer is expected to bring in the weeks not seen yet, as sure as it is known.

    Args:
        orders: Fitted on customers the promotion did not touch.
        spend: The same.
        customers: Customers the promotion did not touch, as of the end of what was seen.
        horizon: Time ahead, > 0, in the unit of the fit.
        margin_rate: Margin over spend.
        draws: Draws wanted.
        seed: Root of the draws.

    Returns:
        Mean money per customer under parameters as uncertain as the data leave them,
        shape (draws,).

    Raises:
        InputError: The horizon is below 0.

    Example:
        >>> from regulars.understand.value import buyers, fit_gamma_gamma, fit_mbg_nbd
        >>> draw = np.random.default_rng(1)
        >>> x = draw.poisson(draw.gamma(1.0, 3.0, 800)).astype(float)
        >>> last = 50 * draw.random(800) * (x > 0)
        >>> people = buyers(x, last, np.full(800, 52.0), draw.gamma(8.0, 1.25, 800))
        >>> orders = fit_mbg_nbd(people.histories())
        >>> spend = fit_gamma_gamma(x, people.mean_spend)
        >>> found = residual_draws(orders, spend, people, horizon=26)
        >>> found.shape, bool((found > 0).all())
        ((400,), True)
    """
    number_given(horizon, "horizon", least=0, below=np.inf)
    if horizon == 0:
        return np.zeros(draws)
    rng = np.random.default_rng(seed)
    some = slice(None, None, max(-(-customers.x.size // _MOST_CUSTOMERS), 1))
    own = customers.part(some)
    each = spend.expected_spend(own.x, own.mean_spend) * margin_rate
    models = parameter_draws(orders, customers.histories(), draws=min(draws, _MODELS), rng=rng)
    found = [
        float((model.expected_orders(own.x, own.t_x, own.T, horizon) * each).mean())
        for model in models
    ]
    return np.resize(np.array(found), draws)


def long_term_effect(
    treated: ArrayLike,
    during: ArrayLike,
    near: ArrayLike,
    late: ArrayLike,
    *,
    beyond: ArrayLike = 0.0,
    cost: float = 0.0,
    level: float = 0.9,
    seed: int = 7,
) -> LongTermEffect:
    """Tell the long-term effect of a promotion that was given at random.

    The weeks after it are parted in two. In the near ones customers live off what they stocked
    up; in the late ones that is over, and a difference that is left says that more, or fewer,
    stayed. That relative change is carried on over what customers who were not touched are
    expected to bring.

    Args:
        treated: True for who was given the promotion, at random, shape (customers,).
        during: Margin per customer while it ran, offer discount taken off, shape (customers,).
        near: Margin in the weeks just after it, as many as stocks last.
        late: Margin in the weeks seen after these.
        beyond: Margin a customer not touched is expected to bring in the weeks not seen yet: one
            number, or draws of it by `residual_draws`, 400 say.
        cost: Other cost of the promotion per treated customer.
        level: Coverage of the intervals, in (0, 1).
        seed: Root of the draws.

    Returns:
        The effect by part; each draw resamples customers and takes one draw of `beyond`.

    Raises:
        InputError: Shapes differ, something is nan, or an arm is empty.
        NotReady: Fewer than 100 customers of an arm bought anything in the late weeks.

    Source:
        Ours: Monte Carlo over the measured parts and the value model. On borrowing: Neslin,
        Henderson & Quelch (1985), Marketing Science 4(2).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> treated = np.arange(4000) % 2
        >>> during = rng.gamma(1, 10, 4000) + 3 * treated
        >>> near = rng.gamma(1, 10, 4000) - 1 * treated
        >>> found = long_term_effect(treated, during, near, rng.gamma(1, 10, 4000), cost=0.5)
        >>> 0 < found.total.value < found.during.value
        True
    """
    on, money = _given(treated, during, near, late)
    level_given(level)
    number_given(cost, "cost")
    ahead = np.atleast_1d(floats_given(beyond, "beyond", axes=None)).ravel()
    if not ahead.size:
        raise InputError("beyond is empty; give one number, or draws of it")
    draws = max(ahead.size, 400)
    ahead = np.resize(ahead, draws)
    rng = np.random.default_rng(seed)
    found = _parts(_resampled(money[~on], draws, rng), _resampled(money[on], draws, rng), ahead)
    found["total"] -= cost
    whole = money[~on].mean(axis=0)[None, :], money[on].mean(axis=0)[None, :]
    point = _parts(whole[0], whole[1], np.array([ahead.mean()]))
    point["total"] -= cost
    tails = [(1 - level) / 2, (1 + level) / 2]
    parts = {}
    for name, drawn in found.items():
        low, high = np.quantile(drawn, tails)
        parts[name] = Part(float(point[name][0]), float(low), float(high))
    return LongTermEffect(
        **parts,
        p_above_zero=float((found["total"] > 0).mean()),
        treated=int(on.sum()),
        level=level,
    )


def _parts(control: Floats, treated: Floats, ahead: Floats) -> dict[str, Floats]:
    gap = treated - control
    shift = treated[:, 2] / np.maximum(control[:, 2], 1e-12) - 1
    beyond = shift * ahead
    return {
        "during": gap[:, 0],
        "pulled_forward": gap[:, 1],
        "late": gap[:, 2],
        "beyond": beyond,
        "total": gap.sum(axis=1) + beyond,
        "churn_shift": shift,
    }


def _resampled(money: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Mean margin of each window in resamples of the customers, shape (draws, 3)."""
    found = np.empty((draws, money.shape[1]))
    for place in range(draws):
        weight = np.bincount(rng.integers(0, len(money), len(money)), minlength=len(money))
        found[place] = np.einsum("c,cw->w", weight, money) / len(money)
    return found


def _given(
    treated: ArrayLike, during: ArrayLike, near: ArrayLike, late: ArrayLike
) -> tuple[NDArray[np.bool_], Floats]:
    on = flags_given(treated, "treated")
    columns = {
        name: floats_given(part, name, may_lack=True, may_be_infinite=True)
        for name, part in (("during", during), ("near", near), ("late", late))
    }
    require_one_length(treated=on, **columns)
    money = np.stack(list(columns.values()), axis=1)
    if not np.isfinite(money).all():
        raise InputError("during, near or late holds nan; give 0 for who bought nothing")
    if on.all() or not on.any():
        raise InputError("treated is the same for everybody; both kinds of customers are needed")
    for name, side in (("treated", on), ("control", ~on)):
        buying = int((money[side, 2] != 0).sum())
        if buying < LEAST_BUYERS:
            raise NotReady(
                f"{buying} {name} customers bought in the late weeks, a long-term effect needs "
                f"{LEAST_BUYERS}; wait some weeks, or give the promotion to more"
            )
    return on, money
