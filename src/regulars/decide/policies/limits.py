"""Limits of one turn: the plan of the money where it binds, stock that is short, the budget."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from regulars.decide.budget.curves.curve import UNSCORED
from regulars.decide.offers import Arm
from regulars.decide.policies.sharing import Shares

_OF_A_CONTACT = 1e-9
_LEAST_PLANNED = 0.9


def limits_of(
    bound: Sequence[Mapping[str, Any]],
    segment_of: Mapping[str, str],
    customer_ids: Sequence[str],
    arms: Sequence[Arm],
    *,
    budget: float,
    plain: Collection[str] = (),
) -> float | Shares:
    """Give what a turn may spend, and on what.

    Args:
        bound: Binding rows of table `budget_plans`.
        segment_of: Segment by customer, of those who have one.
        customer_ids: Everybody, in order.
        arms: The actions, in order.
        budget: Most the turn may spend.
        plain: Customers who let no feature be used: they have no segment, and share the
            unscored cells.

    Returns:
        The budget alone where neither plan nor person binds the turn and no stock is short.
        Most money of a cell is that of whole contacts: what is less than one more is left.
    """
    short = [arm for arm in arms if arm.stock is not None and arm.stock < len(customer_ids)]
    if not arms or not (bound or short):
        return budget
    known = segment_of.keys() - set(plain)
    mine = [segment_of[one] if one in known else UNSCORED for one in customer_ids]
    names = sorted({*mine, *(row["segment"] for row in bound)})
    place = {name: number for number, name in enumerate(names)}
    least, most = _ends(bound, place, arms)
    offers = sorted({arm.offer_id for arm in arms})
    stock = np.full(len(offers), np.inf)
    for arm in short:
        stock[offers.index(arm.offer_id)] = arm.stock
    return Shares(
        np.array([place[one] for one in mine], np.int64),
        least,
        most,
        np.array([offers.index(arm.offer_id) for arm in arms], np.int64),
        stock,
        min([budget, *(row["to_spend"] for row in bound)]),
        max((row["shadow_price"] for row in bound), default=0.0),
    )


def expected(limits: float | Shares, arms: Sequence[Arm], *, held_out: float) -> float | Shares:
    """Give limits to plan for, so that a draw seldom passes the budget.

    Stock and cells are planned whole: what is drawn beyond them is dropped, and logged
    propensities say how often.

    Args:
        limits: What `limits_of` gave.
        arms: The actions.
        held_out: Share of the chosen who are left alone and take nothing.

    Returns:
        The limits in expectation, before holdouts.
    """
    money = limits.budget if isinstance(limits, Shares) else limits
    safe, factor = safe_share(money, arms), 1 / (1 - held_out)
    if isinstance(limits, Shares):
        whole = limits.scaled(factor, factor)
        return replace(whole, budget=whole.budget * safe)
    return limits * factor * safe


def safe_share(money: float, arms: Sequence[Arm]) -> float:
    """Give the share of the money to plan for: one standard deviation of what is drawn below it.

    Whether a customer is contacted is drawn; where n contacts are expected their number varies
    by the square root of n at most, which is when each is unlikely.

    Args:
        money: Most that may be spent, 0 or more.
        arms: The actions it is spent on.

    Returns:
        The share, 0.9 to 1.

    Source:
        Ours, because a fixed reserve is too small for a hundred contacts and wasted on ten
        thousand. The variance of a sum of independent draws is at most its mean.

    Example:
        >>> from decimal import Decimal
        >>> arm = Arm("news", "sms", Decimal("0.50"), Decimal(0))
        >>> safe_share(5_000.0, [arm]), safe_share(50.0, [arm])
        (0.99, 0.9)
    """
    costs = [float(arm.cost) for arm in arms if arm.cost > 0]
    if not costs or money <= 0:
        return 1.0
    contacts = money / max(costs)
    return max(1 - 1 / math.sqrt(contacts), _LEAST_PLANNED)


def _ends(
    bound: Sequence[Mapping[str, Any]], place: dict[str, int], arms: Sequence[Arm]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the least and the most money by segment and action; no limit where nothing binds."""
    least, most = np.zeros((len(place), len(arms))), np.full((len(place), len(arms)), np.inf)
    action = {(arm.channel, arm.offer_id): number for number, arm in enumerate(arms)}
    for row in bound:
        number = action.get((row["channel"], row["offer_id"]))
        if number is None:
            continue
        cell = place[row["segment"]], number
        most[cell] = np.inf if row["most"] is None else _whole(row["most"], arms[number])
        least[cell] = min(row["least"], most[cell])
    return least, most


def _whole(money: float, arm: Arm) -> float:
    """Round money down to whole contacts."""
    cost = float(arm.cost)
    return math.floor(money / cost + _OF_A_CONTACT) * cost if cost > 0 else money
