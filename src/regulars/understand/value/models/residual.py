"""Residual value: what each customer is still expected to bring, and how sure that is."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.numerics.given import floats_given, require_one_length
from regulars.understand.value.models.gamma_gamma import GammaGamma
from regulars.understand.value.models.histories import (
    OrderHistories,
    group_histories,
    require_histories,
)
from regulars.understand.value.models.uncertainty import OrderModel, parameter_draws

Numbers = NDArray[np.float64]

_AT_ONCE = 50_000
_LEVELS = 200


@dataclass(frozen=True)
class ResidualValue:
    """Residual value of customers over a horizon.

    Attributes:
        expected: Money expected per customer, shape (customers,).
        low: Lower end of what each may bring, shape (customers,).
        high: Upper end of what each may bring, shape (customers,).
        total: Money expected of all together.
        total_low: Lower end for all together.
        total_high: Upper end for all together.
        level: Coverage of the intervals.
        totals: Money of all together in each future drawn, shape (draws,).
    """

    expected: Numbers
    low: Numbers
    high: Numbers
    total: float
    total_low: float
    total_high: float
    level: float
    totals: Numbers

    def widened(self, spread: float) -> "ResidualValue":
        """Widen the interval of all together by how far the model may be off as a whole.

        The intervals of single customers stay: their own luck is many times wider.

        Args:
            spread: Standard deviation of the log of the level, >= 0: `try_origins(...).spread`.

        Returns:
            The same with another `total_low` and `total_high`; unchanged where `spread` is 0.

        Raises:
            InputError: `spread` is below 0 or not finite.

        Source:
            Ours: futures drawn, each times every quantile of the level, whose log is `spread`
            times Student's t of 3 degrees of freedom, because few overlapping days tell it.

        Example:
            >>> none, draws = np.zeros(0), np.linspace(95.0, 105.0, 201)
            >>> found = ResidualValue(none, none, none, 100.0, 95.5, 104.5, 0.9, draws)
            >>> wide = found.widened(0.1)
            >>> round(wide.total_low, 1), round(wide.total_high, 1)
            (78.6, 127.1)
        """
        if not 0 <= spread < np.inf:
            raise InputError(f"spread is {spread}; wanted 0 or more, as `try_origins` gives it")
        if not spread:
            return self
        from scipy.stats import t as student  # noqa: PLC0415 (slow import)

        places = (np.arange(_LEVELS) + 0.5) / _LEVELS
        levels = np.exp(spread * student.ppf(places, df=3))
        ends = np.quantile(
            self.totals[:, None] * levels, [(1 - self.level) / 2, (1 + self.level) / 2]
        )
        return replace(self, total_low=float(ends[0]), total_high=float(ends[1]))

    def to_frame(self) -> Any:
        """Give one row per customer as a pandas frame: expected, low, high."""
        import pandas as pd  # noqa: PLC0415 (slow import)

        return pd.DataFrame({"expected": self.expected, "low": self.low, "high": self.high})


@dataclass(frozen=True)
class Buyers:
    """What is known of customers with an order; made by `buyers`.

    Attributes:
        x: Repeat orders, shape (customers,).
        t_x: Time from first to last order, shape (customers,).
        T: Time from first order to now, shape (customers,).
        mean_spend: Mean spend of the repeat orders, money; not read where x is 0.
    """

    x: Numbers
    t_x: Numbers
    T: Numbers
    mean_spend: Numbers

    def part(self, chosen: slice) -> "Buyers":
        """Give some of the customers, by position."""
        return Buyers(self.x[chosen], self.t_x[chosen], self.T[chosen], self.mean_spend[chosen])

    def histories(self) -> OrderHistories:
        """Count those of one history together."""
        return group_histories(self.x, self.t_x, self.T)


def buyers(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, mean_spend: ArrayLike) -> Buyers:
    """Put the columns of customers together.

    Args:
        x: Repeat orders, >= 0, shape (customers,).
        t_x: Time from first to last order, shape (customers,).
        T: Time from first order to now, shape (customers,).
        mean_spend: Mean spend of the repeat orders, money; anything where x is 0.

    Returns:
        The customers.

    Raises:
        InputError: The columns differ in length or hold what is no number, a history cannot be,
            or a repeat buyer has no spend.

    Example:
        >>> buyers([1, 0], [3, 0], [9, 9], [25.0, 0.0]).histories().customers
        2.0
    """
    parts = [floats_given(part, name, least=0) for name, part in (("x", x), ("t_x", t_x), ("T", T))]
    parts.append(floats_given(mean_spend, "mean_spend", may_lack=True))
    require_one_length(x=parts[0], t_x=parts[1], T=parts[2], mean_spend=parts[3])
    if parts[0].size:
        require_histories(*parts[:3])
    unknown = (parts[0] > 0) & ~(parts[3] >= 0)
    if unknown.any():
        at = int(np.flatnonzero(unknown)[0])
        raise InputError(
            f"customer {at} ordered again and has mean_spend {parts[3][at]:g}; give the mean of "
            "the repeat orders, 0 or more"
        )
    return Buyers(*parts)


def residual_value(
    orders: OrderModel,
    spend: GammaGamma,
    customers: Buyers,
    *,
    horizon: float,
    margin_rate: ArrayLike = 1.0,
    level: float = 0.9,
    draws: int = 200,
    seed: int = 7,
) -> ResidualValue:
    """Tell what each customer will bring in the time ahead, with intervals.

    An interval holds three kinds of doubt: about the parameters, about what kind of customer
    one is, and about the chance in what he then does. That of all customers together is narrow,
    because customers' luck evens out; it takes the model for true. Models are not:
    `ResidualValue.widened` widens it by how far off the model was on earlier days.

    Args:
        orders: Fitted BG/NBD, MBG/NBD or Pareto/NBD.
        spend: Fitted Gamma-Gamma.
        customers: The customers, time in the unit of the fit.
        horizon: Time ahead, > 0, in the same unit.
        margin_rate: Margin over spend, one number or one per customer.
        level: Coverage of the intervals, in (0, 1).
        draws: Monte Carlo draws, >= 20.
        seed: Root of the draws.

    Returns:
        The residual value, money.

    Raises:
        InputError: The horizon is not above 0, or there are fewer than 20 draws.

    Source:
        Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves", Journal of Marketing
        Research 42(4); intervals by Monte Carlo over the posterior, ours.

    Example:
        >>> from regulars.understand.value.models.orders.bg_nbd import BGNBD
        >>> model = BGNBD(0.243, 4.414, 0.793, 2.426, 0.0, 2357)
        >>> money = GammaGamma(6.25, 3.74, 15.44, 0.0, 946)
        >>> known = buyers([2, 0], [30.4, 0], [38.9, 38.9], [40.0, 0.0])
        >>> found = residual_value(model, money, known, horizon=39)
        >>> found.expected.round(1).tolist()
        [47.9, 6.9]
    """
    if not horizon > 0 or draws < 20:
        raise InputError(
            f"horizon is {horizon} and draws {draws}; wanted a horizon above 0 and 20 draws or more"
        )
    x = customers.x
    rate = np.broadcast_to(np.asarray(margin_rate, dtype=np.float64), x.shape)
    expected = orders.expected_orders(x, customers.t_x, customers.T, horizon) * rate
    expected *= spend.expected_spend(x, customers.mean_spend)
    rng = np.random.default_rng(seed)
    models = parameter_draws(orders, customers.histories(), draws=draws, rng=rng)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high, totals = np.empty_like(x), np.empty_like(x), np.zeros(draws)
    for start in range(0, x.size, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        drawn = np.stack([
            _once(model, spend, customers.part(some), horizon, rng) for model in models
        ])
        drawn *= rate[some]
        totals += drawn.sum(axis=1)
        low[some], high[some] = np.quantile(drawn, tails, axis=0)
    worst, best = (float(end) for end in np.quantile(totals, tails))
    return ResidualValue(expected, low, high, float(expected.sum()), worst, best, level, totals)


def _once(
    model: OrderModel,
    spend: GammaGamma,
    customers: Buyers,
    horizon: float,
    rng: np.random.Generator,
) -> Numbers:
    """What each customer spends over the horizon, drawn once."""
    x = customers.x
    ordered = model.draw_orders(x, customers.t_x, customers.T, horizon, rng=rng)
    spent = np.where(x > 0, x * customers.mean_spend, 0.0)
    scale = rng.gamma(spend.p * x + spend.q, 1.0 / (spend.gamma + spent))
    return np.asarray(rng.gamma(np.maximum(spend.p * ordered, 1e-300)) / scale * (ordered > 0))
