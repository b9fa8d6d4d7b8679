"""What offering to some customers is worth, in money: against nobody, everybody, at random."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from regulars.errors import InputError
from regulars.numerics.given import (
    flags_given,
    floats_given,
    level_given,
    number_given,
    places_given,
    require_fit,
    require_one_length,
)

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
        InputError: Shapes do not fit, there is nobody, something is nan or no number, an arm has
            no probability, or a probability is not in (0, 1).

    Source:
        Inverse propensity weighting as in Zhao, Zeng, Rush & Kosorok (2012), JASA 107.

    Example:
        >>> arm = np.arange(1000) % 2
        >>> likes = np.arange(1000) < 500
        >>> found = targeting_worth(likes, arm, arm * likes, propensity=[0.5, 0.5], cost=0.2)
        >>> round(found.over_nobody.value, 2), round(found.over_everybody.value, 2)
        (0.4, 0.1)
    """
    came = floats_given(outcome, "outcome")
    chances = _chances(propensity, came.size)
    own, got = (
        places_given(part, name, places=chances.shape[1])
        for name, part in (("chosen", chosen), ("arm", arm))
    )
    require_one_length(chosen=own, arm=got, outcome=came)
    level_given(level)
    money = floats_given(value, "value", axes=None)
    require_fit(value=money, outcome=came)
    rows, costs = np.arange(came.size), _costs(cost, chances.shape[1])
    weighted = came * money / chances[rows, got]
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

    Raises:
        InputError: Lengths differ, something is nan or no number, or chosen or treated are not
            yes or no.

    Source:
        Starbucks promotion data of Udacity: NIR = price x purchases of treated - cost x treated
        - price x purchases of control, among the chosen.

    Example:
        >>> net_incremental_revenue([1, 1, 0], [1, 0, 1], [1, 0, 1], price=10, cost=0.15)
        9.85
    """
    own, made, came = _offered(chosen, treated, bought, price=price, cost=cost)
    on, off = own & made, own & ~made
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

    Raises:
        InputError: As of `net_incremental_revenue`, or there is nobody.

    Source:
        As `net_incremental_revenue`; a sum over customers has the standard error of a sum.

    Example:
        >>> found = net_revenue_interval([1, 1] * 100, [1, 0] * 100, [1, 0] * 100, price=10, cost=1)
        >>> found.value, found.low < 900 < found.high
        (900.0, True)
    """
    own, on, came = _offered(chosen, treated, bought, price=price, cost=cost)
    level_given(level)
    if not came.size:
        raise InputError("there is no customer; give those of the test")
    terms = np.where(own, np.where(on, price * came - cost, -price * came), 0.0)
    scale = terms.size if scaled_to is None else scaled_to
    mean = _worth(terms, level)
    return Worth(mean.value * scale, mean.low * scale, mean.high * scale)


def _offered(
    chosen: ArrayLike, treated: ArrayLike, bought: ArrayLike, *, price: float, cost: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    own, on = flags_given(chosen, "chosen"), flags_given(treated, "treated")
    came = floats_given(bought, "bought")
    require_one_length(chosen=own, treated=on, bought=came)
    number_given(price, "price")
    number_given(cost, "cost")
    return own, on, came


def _costs(cost: ArrayLike, arms: int) -> Floats:
    costs = floats_given(cost, "cost", axes=None)
    if costs.ndim == 0:
        costs = np.where(np.arange(arms) > 0, costs, 0.0)
    require_fit(cost=costs, arms=np.zeros(arms))
    return costs


def _chances(propensity: ArrayLike, customers: int) -> Floats:
    given = floats_given(propensity, "propensity", axes=None)
    if given.ndim not in {1, 2} or given.shape[-1] < 2 or not customers:
        raise InputError(
            f"propensity has shape {given.shape} for {customers} customers; give the probability "
            "of each arm, control first"
        )
    if not ((given > 0) & (given < 1)).all():
        raise InputError("propensity must hold numbers in (0, 1); leave out who had no choice")
    if given.ndim == 2 and len(given) != customers:
        raise InputError(
            f"propensity has {len(given)} rows for {customers} customers; give as many"
        )
    return np.broadcast_to(given, (customers, given.shape[-1]))


def _worth(terms: Floats, level: float) -> Worth:
    mean = float(terms.mean())
    if np.count_nonzero(terms) < LEAST_DIFFERENT:
        return Worth(mean, -np.inf, np.inf)
    error = float(terms.std(ddof=1) / np.sqrt(terms.size))
    radius = float(ndtri(0.5 + level / 2)) * error
    return Worth(mean, mean - radius, mean + radius)
