"""Posterior sampling under a budget: act as a plausible world would have it, and log how likely."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars.decide.offers import Arm
from regulars.decide.policies.sharing import Shares, chosen, shared_prices
from regulars.decide.uplift import arm_coefficients
from regulars.numerics.hashing import key_of
from regulars.numerics.linear_belief import LinearBelief

Floats = NDArray[np.float64]

_DRAWS = 24
NARROWED = 0.5
"""Spread of the worlds drawn over that of the belief: holdouts and the even choice explore too."""
_PRICED_CUSTOMERS = 8_000
_BISECTIONS = 20


@dataclass(frozen=True)
class Economics:
    """What an effect is worth, customer by customer.

    Attributes:
        margin_per_order: Margin one more order brings; shape (customers,).
        contact_cost: Cost of one contact; shape (arms,).
        budget_cost: What a contact takes from the budget; shape (arms,).
        fatigue_price: Expected loss by opt-out; shape (customers, arms).
        after_contact: Orders a contact causes after the window, whatever its effect.
        after_effect: Orders caused after the window per order caused within it; negative
            when contacts pull purchases forward.
        calibration: Factor from predicted to measured effects.
    """

    margin_per_order: Floats
    contact_cost: Floats
    budget_cost: Floats
    fatigue_price: Floats
    after_contact: float = 0.0
    after_effect: float = 0.0
    calibration: float = 1.0

    def values(self, effect: Floats) -> Floats:
        """Give the incremental value of effects, shape (customers, arms), after every cost."""
        lasting = effect * self.calibration * (1 + self.after_effect) + self.after_contact
        return self.margin_per_order[:, None] * lasting - self.contact_cost - self.fatigue_price


@dataclass(frozen=True)
class Policy:
    """What may happen to each customer.

    Attributes:
        probabilities: Probability of each action before holdouts; shape (customers, arms).
        values: Expected incremental value of each action; shape (customers, arms).
        effects: Expected net orders each action causes in the window; (customers, arms).
        shadow_price: Value the last unit of budget buys, 0 when it is not used up.
        paid: What each action costs each customer at the prices of limits they share; None
            where the budget is the only one. Shape (customers, arms).
    """

    probabilities: Floats
    values: Floats
    effects: Floats
    shadow_price: float
    paid: Floats | None = None


def drawn_worlds(belief: LinearBelief, arms: Sequence[Arm], *, seed: int, turn: int) -> Floats:
    """Draw coefficients of plausible worlds from a belief, half as far apart as it is unsure.

    Args:
        belief: What is believed; covers every arm.
        arms: The actions, in order.
        seed: The turn's seed.
        turn: Its number.

    Returns:
        Coefficients per arm, shape (worlds, arms, features); the same for the same turn.

    Source:
        Chapelle & Li (2011), "An empirical evaluation of Thompson sampling", NIPS 24, on
        posterior reshaping: a spread of half explores less and earns more.
    """
    random = np.random.Generator(np.random.Philox(key_of(seed, "beliefs", turn)))
    thetas = belief.draws(_DRAWS, NARROWED * random.standard_normal((_DRAWS, len(belief.terms))))
    return np.stack([arm_coefficients(belief.terms, arms, theta) for theta in thetas])


def sampling_policy(
    customers: Floats,
    *,
    mean: Floats,
    draws: Floats,
    economics: Economics,
    allowed: NDArray[np.bool_],
    budget: float | Shares,
    floor: float,
) -> Policy:
    """Choose by posterior sampling, at a price that keeps expected cost within the budget.

    Every draw of the coefficients is one plausible world; in it each customer gets the
    action of most value above price times cost, or none. The probability of an action is the
    share of worlds in which it is chosen, mixed with an even choice among what is allowed.

    Args:
        customers: Features, shape (customers, features).
        mean: Believed coefficients per arm, shape (arms, features).
        draws: Drawn coefficients per arm, shape (draws, arms, features).
        economics: What effects are worth and contacts cost.
        allowed: Actions open to the customer, shape (customers, arms).
        budget: Most the chosen actions may cost in expectation; or all the limits that
            customers share, of which it is one.
        floor: Probability of the even choice, 0 to 0.2; every open action and no contact
            have at least floor / (open actions + 1). Less when the even choice alone would
            cost more than the budget.

    Returns:
        The policy. Where nothing is allowed every probability is 0.

    Source:
        Thompson (1933), Biometrika 25; with a budget: Badanidiyuru, Kleinberg & Slivkins
        (2018), "Bandits with knapsacks", JACM 65(3).

    Example:
        >>> nobody = np.zeros((4, 1))
        >>> worth = Economics(np.full(4, 20.0), np.array([0.5]), np.array([0.5]), nobody)
        >>> features, believed = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([[0.1]])
        >>> worlds = np.random.default_rng(1).normal(0.1, 0.02, (200, 1, 1))
        >>> found = sampling_policy(
        ...     features, mean=believed, draws=worlds, economics=worth,
        ...     allowed=np.ones((4, 1), bool), budget=10.0, floor=0.1,
        ... )
        >>> found.probabilities[:, 0].round(2).tolist(), found.shadow_price
        ([0.05, 0.05, 0.95, 0.95], 0.0)
    """
    effects = customers @ mean.T
    values = np.where(allowed, economics.values(effects), -np.inf)
    even = floor * allowed / (allowed.sum(axis=1, keepdims=True) + 1)
    if isinstance(budget, Shares):
        worlds = np.stack([
            np.where(allowed, economics.values(customers @ t.T), -np.inf) for t in draws
        ])
        start = Policy(even, values, effects, 0.0)
        return _sharing(start, worlds, economics.budget_cost, budget, floor)
    cost = float((even * economics.budget_cost).sum())
    if cost > budget:
        floor, even, cost = floor * budget / cost, even * (budget / cost), budget
    left = budget - cost
    price = _price(customers, draws, economics, allowed, left / max(1 - floor, 1e-9))
    share = np.zeros_like(effects)
    for theta in draws:
        chosen = _chosen(customers, theta, economics, allowed, price)
        inside = np.flatnonzero(chosen >= 0)
        share[inside, chosen[inside]] += 1 / len(draws)
    return Policy((1 - floor) * share + even, values, effects, price)


def _sharing(start: Policy, worlds: Floats, cost: Floats, shares: Shares, floor: float) -> Policy:
    """Choose in every world at prices that keep every shared limit; what is even comes first."""
    even = shares.fitting(start.probabilities, cost)
    left = shares.less(even, cost, share=1 - floor)
    step = max(1, worlds.shape[1] // _PRICED_CUSTOMERS)
    prices = shared_prices(worlds[:, ::step], cost, left.only(step))
    paid = prices.of(shares, cost)
    taken = chosen(worlds, paid)
    share = np.zeros_like(even)
    for arm in range(even.shape[1]):
        share[:, arm] = (taken == arm).mean(axis=0)
    price = shares.shadow_price + prices.budget
    return replace(start, probabilities=(1 - floor) * share + even, shadow_price=price, paid=paid)


def _chosen(
    customers: Floats, theta: Floats, economics: Economics, allowed: NDArray[np.bool_], price: float
) -> NDArray[np.int64]:
    net = economics.values(customers @ theta.T) - price * economics.budget_cost
    net = np.where(allowed, net, -np.inf)
    if net.shape[1] == 0:
        return np.full(len(net), -1)
    best = net.argmax(axis=1)
    return np.where(net[np.arange(len(net)), best] > 0, best, -1)


def _price(
    customers: Floats,
    draws: Floats,
    economics: Economics,
    allowed: NDArray[np.bool_],
    budget: float,
) -> float:
    """Find the least price at which the expected cost fits the budget."""
    step = max(1, len(customers) // _PRICED_CUSTOMERS)
    some = slice(None, None, step)
    part = Economics(
        economics.margin_per_order[some],
        economics.contact_cost,
        economics.budget_cost,
        economics.fatigue_price[some],
        economics.after_contact,
        economics.after_effect,
        economics.calibration,
    )
    values = [np.where(allowed[some], part.values(customers[some] @ t.T), -np.inf) for t in draws]

    def cost(price: float) -> float:
        total = 0.0
        for value in values:
            net = value - price * part.budget_cost
            best = net.argmax(axis=1)
            total += float(
                np.where(net[np.arange(len(net)), best] > 0, part.budget_cost[best], 0.0).sum()
            )
        return total * step / len(draws)

    if not len(part.budget_cost) or cost(0.0) <= budget:
        return 0.0
    low, high = 0.0, 1.0
    while cost(high) > budget and high < 1e9:
        low, high = high, high * 4
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) > budget else (low, middle)
    return high
