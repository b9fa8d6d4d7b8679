"""What offering to some customers is worth, in money: against nobody, everybody, at random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from regulars.errors import InputError

Floats = NDArray[np.float64]

LEAST_DIFFERENT = 100
"""Customers treated differently below which no interval is given: a handful proves nothing."""


@dataclass(frozen=True)
class Worth:
    """Money per customer.

    Attributes:
        value: The estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class TargetingWorth:
    """What a choice of arms is worth per customer, after the cost of offers.

    Attributes:
        over_nobody: Against offering nothing to anybody.
        over_everybody: Against making everybody the offer that is best on average.
        over_random: Against offering as many, drawn at random.
        share: Share of customers who get an offer.
    """

    over_nobody: Worth
    over_everybody: Worth
    over_random: Worth
    share: float


def targeting_worth(
    chosen: ArrayLike,
    arm: ArrayLike,
    outcome: ArrayLike,
    *,
    propensity: ArrayLike,
    value: ArrayLike = 1.0,
    cost: ArrayLike = 0.0,
    level: float = 0.95,
) -> TargetingWorth:
    """Price a choice of arms by a randomised experiment.

    Args:
        chosen: Arm the policy chooses for each customer, 0 for none; made without the
            customer's own outcome; shape (customers,).
        arm: Arm the customer really got, shape (customers,).
        outcome: What came of it, shape (customers,).
        propensity: Probability of each arm, shape (arms,) or (customers, arms).
        value: Money one unit of outcome is worth, a number or per customer, such as margin plus
            the change of residual value.
        cost: Money an offer costs, by arm with 0 first: shape (arms,); or one number for all
            offers.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        The worth; its interval is infinite where fewer than 100 customers are treated
        differently. An offer that is best on average is found on the same customers, which makes
        `over_everybody` rather too low than too high.

    Raises:
        InputError: Shapes do not fit, or a probability is not in (0, 1).

    Source:
        Inverse propensity weighting as in Zhao, Zeng, Rush & Kosorok (2012), JASA 107.

    Example:
        >>> arm = np.arange(1000) % 2
        >>> likes = np.arange(1000) < 500
        >>> found = targeting_worth(likes, arm, arm * likes, propensity=[0.5, 0.5], cost=0.2)
        >>> round(found.over_nobody.value, 2), round(found.over_everybody.value, 2)
        (0.4, 0.1)
    """
    own, got = np.asarray(chosen).astype(np.int64), np.asarray(arm).astype(np.int64)
    came = np.asarray(outcome, dtype=np.float64)
    chances = np.asarray(propensity, dtype=np.float64)
    chances = np.broadcast_to(chances, (came.size, chances.shape[-1]))
    if own.shape != came.shape or got.shape != came.shape:
        raise InputError(
            f"chosen {own.shape}, arm {got.shape} and outcome {came.shape} must have one entry per "
            "customer"
        )
    if not ((chances > 0) & (chances < 1)).all():
        raise InputError("propensity must hold numbers in (0, 1); leave out who had no choice")
    costs = np.asarray(cost, dtype=np.float64)
    if costs.ndim == 0:
        costs = np.where(np.arange(chances.shape[1]) > 0, costs, 0.0)
    rows = np.arange(came.size)
    weighted = came * np.asarray(value, dtype=np.float64) / chances[rows, got]
    # Worth of each arm by customer: unbiased worths, most of them zero.
    worths = (got[:, None] == np.arange(chances.shape[1])) * weighted[:, None] - costs
    policy = worths[rows, own]
    offered = own > 0
    best = 1 + int(worths[:, 1:].mean(axis=0).argmax())
    at_random = np.bincount(own, minlength=chances.shape[1]) / own.size
    against = (worths[:, 0], worths[:, best], worths @ at_random)
    over = [_worth(policy - other, level) for other in against]
    return TargetingWorth(over[0], over[1], over[2], float(offered.mean()))


def net_incremental_revenue(
    chosen: ArrayLike,
    treated: ArrayLike,
    bought: ArrayLike,
    *,
    price: float,
    cost: float,
) -> float:
    """Revenue the chosen customers brought beyond their control, less the cost of their offers.

    Args:
        chosen: True where the policy offers, shape (customers,).
        treated: True where the offer was really made, half of the customers at random.
        bought: Purchases, shape (customers,).
        price: Revenue per purchase.
        cost: Cost per offer.

    Returns:
        Money in all, as the Starbucks promotion test defines it.

    Source:
        Starbucks promotion data of Udacity: NIR = price x purchases of treated - cost x treated
        - price x purchases of control, among the chosen.

    Example:
        >>> net_incremental_revenue([1, 1, 0], [1, 0, 1], [1, 0, 1], price=10, cost=0.15)
        9.85
    """
    on = np.asarray(chosen, bool) & np.asarray(treated, bool)
    off = np.asarray(chosen, bool) & ~np.asarray(treated, bool)
    came = np.asarray(bought, dtype=np.float64)
    return float(price * came[on].sum() - cost * on.sum() - price * came[off].sum())


def net_revenue_interval(
    chosen: ArrayLike,
    treated: ArrayLike,
    bought: ArrayLike,
    *,
    price: float,
    cost: float,
    scaled_to: float | None = None,
    level: float = 0.9,
) -> Worth:
    """Give net incremental revenue with its interval, for a test of any size.

    Args:
        chosen: True where the policy offers, shape (customers,); made without the own outcome.
        treated: True where the offer was really made, half of the customers at random.
        bought: Purchases, shape (customers,).
        price: Revenue per purchase.
        cost: Cost per offer.
        scaled_to: Customers to scale to; as many as there are when left out.
        level: Coverage of the interval, in (0, 1).

    Returns:
        Money in all.

    Source:
        As `net_incremental_revenue`; a sum over customers has the standard error of a sum.

    Example:
        >>> found = net_revenue_interval([1, 1] * 100, [1, 0] * 100, [1, 0] * 100, price=10, cost=1)
        >>> found.value, found.low < 900 < found.high
        (900.0, True)
    """
    own, on = np.asarray(chosen, bool), np.asarray(treated, bool)
    came = np.asarray(bought, dtype=np.float64)
    terms = own * np.where(on, price * came - cost, -price * came)
    scale = terms.size if scaled_to is None else scaled_to
    mean = _worth(terms, level)
    return Worth(mean.value * scale, mean.low * scale, mean.high * scale)


def _worth(terms: Floats, level: float) -> Worth:
    mean = float(terms.mean())
    if np.count_nonzero(terms) < LEAST_DIFFERENT:
        return Worth(mean, -np.inf, np.inf)
    error = float(terms.std(ddof=1) / np.sqrt(terms.size))
    radius = float(ndtri(0.5 + level / 2)) * error
    return Worth(mean, mean - radius, mean + radius)
