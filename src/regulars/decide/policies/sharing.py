"""Limits several customers share, and the prices at which what they want fits them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS, _FREE = 12, 4
"""Rounds of prices at most, and those at the start in which a price may fall again."""
_BISECTIONS = 24
_NEAR = 1e-6
_CLOSED = 1e9


@dataclass(frozen=True)
class Shares:
    """Limits several customers share.

    Attributes:
        segment: Place of each customer's segment; shape (customers,).
        least: Least money of each segment and action; shape (segments, arms).
        most: Most money, inf for no limit; shape (segments, arms).
        offer: Place of the offer of each action; shape (arms,).
        stock: Most contacts of each offer, inf for no limit; shape (offers,).
        budget: Most money of all together.
        shadow_price: What one more unit of money would bring by the plan behind it.
    """

    segment: Integers
    least: Floats
    most: Floats
    offer: Integers
    stock: Floats
    budget: float
    shadow_price: float = 0.0

    def only(self, step: int) -> "Shares":
        """Take every so many customers, with as large a part of every limit."""
        part = len(self.segment[::step]) / max(len(self.segment), 1)
        return replace(
            self,
            segment=self.segment[::step],
            least=self.least * part,
            most=self.most * part,
            stock=self.stock * part,
            budget=self.budget * part,
        )

    def less(self, taken: Floats, cost: Floats, *, share: float) -> "Shares":
        """Give what is left when some is taken already, over the share it is left for.

        Args:
            taken: Expected contacts of each customer and action; shape (customers, arms).
            cost: What a contact takes from the budget; shape (arms,).
            share: Share of the decisions that is still open, above 0.

        Returns:
            The limits, none below 0.
        """
        money = self.by_segment(taken * cost)
        given = _by_offer(taken.sum(axis=0), self.offer, len(self.stock))
        return replace(
            self,
            least=np.maximum(self.least - money, 0) / share,
            most=np.maximum(self.most - money, 0) / share,
            stock=np.maximum(self.stock - given, 0) / share,
            budget=max(self.budget - float(money.sum()), 0.0) / share,
        )

    def scaled(self, money: float, contacts: float) -> "Shares":
        """Give limits times a factor, of money and of contacts."""
        return replace(
            self,
            least=self.least * money,
            most=self.most * money,
            stock=self.stock * contacts,
            budget=self.budget * money,
        )

    def by_segment(self, amounts: Floats) -> Floats:
        """Sum amounts of shape (customers, arms) by segment; shape (segments, arms)."""
        found = np.zeros(self.least.shape)
        np.add.at(found, self.segment, amounts)
        return found

    def fitting(self, even: Floats, cost: Floats) -> Floats:
        """Lower probabilities of an even choice where they alone would pass a limit.

        Args:
            even: Probabilities, shape (customers, arms).
            cost: What a contact takes from the budget; shape (arms,).

        Returns:
            Probabilities that keep within every limit; shape (customers, arms).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            cells = np.nan_to_num(self.most / self.by_segment(even * cost), nan=1.0, posinf=1.0)
            kept = even * np.minimum(cells, 1.0)[self.segment]
            given = _by_offer(kept.sum(axis=0), self.offer, len(self.stock))
            stock = np.nan_to_num(self.stock / given, nan=1.0, posinf=1.0)
        kept *= np.minimum(stock, 1.0)[self.offer]
        money = float((kept * cost).sum())
        return kept * min(1.0, self.budget / money) if money > 0 else kept


@dataclass(frozen=True)
class Prices:
    """Prices of what is short.

    Attributes:
        budget: Of one unit of money, above its own cost.
        cells: Of one unit of money in a segment and action, beside that; below 0 where a
            least is hard to reach; shape (segments, arms).
        stock: Of one contact of an offer; shape (offers,).
    """

    budget: float
    cells: Floats
    stock: Floats

    def of(self, shares: Shares, cost: Floats) -> Floats:
        """Give what each action costs each customer at the prices; shape (customers, arms)."""
        money = (self.budget + self.cells)[shares.segment] * cost
        return np.asarray(money + self.stock[shares.offer])


def shared_prices(worlds: Floats, cost: Floats, shares: Shares) -> Prices:
    """Find prices at which what is chosen fits the limits, on average over worlds.

    Each price in turn is set so that its own limit is met, given the others; where one limit
    is full its customers go on to what is next best for them, so prices are gone round until
    they rest. What is still a little over is dropped when actions are drawn.

    Args:
        worlds: Value of each action in each plausible world, -inf where it is closed; shape
            (worlds, customers, arms).
        cost: What a contact takes from the budget, above 0; shape (arms,).
        shares: The limits.

    Returns:
        The prices, 0 where a limit is not reached. A limit may be passed by one contact of one
        world, where the last customer is as well off by another.

    Source:
        The tatonnement of Demange, Gale & Sotomayor (1986), "Multi-item auctions", Journal of
        Political Economy 94(4); several limits by one dual as in `budget.assigning`.

    Example:
        >>> shares = Shares(np.zeros(2, int), np.zeros((1, 1)), np.ones((1, 1)),
        ...     np.zeros(1, int), np.full(1, np.inf), 10.0)
        >>> prices = shared_prices(np.array([[[5.0], [3.0]]]), np.ones(1), shares)
        >>> prices.cells.tolist(), prices.budget
        ([[3.000001]], 0.0)
    """
    segments, arms = shares.least.shape
    found = Prices(0.0, np.zeros((segments, arms)), np.zeros(len(shares.stock)))
    limited = np.isfinite(shares.most).any(axis=0) | (shares.least > 0).any(axis=0)
    for number in range(_ROUNDS):
        before = found
        for arm in np.flatnonzero(limited):
            cells = _cells(worlds, cost, shares, found, int(arm))
            found = replace(
                found, cells=cells if number < _FREE else np.maximum(cells, found.cells)
            )
        for offer in np.flatnonzero(np.isfinite(shares.stock)):
            found = replace(found, stock=_stock(worlds, cost, shares, found, int(offer)))
        found = replace(found, budget=_budget(worlds, cost, shares, found))
        moved = np.abs(found.cells - before.cells).max(initial=0.0)
        moved = max(moved, np.abs(found.stock - before.stock).max(initial=0.0))
        if max(moved, abs(found.budget - before.budget)) < _NEAR:
            break
    return found


def chosen(values: Floats, paid: Floats) -> Integers:
    """Give the action worth most after what it costs at the prices, -1 for none.

    Args:
        values: Value of each action, shape (..., arms).
        paid: What it costs at the prices, of the same shape.

    Returns:
        Place of the action, shape (...,).
    """
    net = values - paid
    best = net.argmax(axis=-1)
    top = np.take_along_axis(net, best[..., None], -1)[..., 0]
    return np.where(top > 0, best, -1)


def _cells(worlds: Floats, cost: Floats, shares: Shares, prices: Prices, arm: int) -> Floats:
    """Set the prices of one action in every segment, given all others."""
    cells = prices.cells.copy()
    cells[:, arm] = 0.0
    net = worlds - replace(prices, cells=cells).of(shares, cost)
    others = np.delete(net, arm, axis=-1).max(axis=-1, initial=0.0)
    with np.errstate(invalid="ignore"):
        leaves_at = (net[..., arm] - np.maximum(others, 0.0)) / cost[arm]
    use = cost[arm] / len(worlds)
    for segment in range(len(cells)):
        line = np.sort(leaves_at[:, shares.segment == segment].ravel())[::-1]
        line = line[np.isfinite(line)]
        wants = int(np.searchsorted(-line, 0.0))
        most, least = shares.most[segment, arm] / use, shares.least[segment, arm] / use
        if wants > most:
            kept = int(most + _NEAR)
            cells[segment, arm] = line[kept] + _NEAR if kept else _CLOSED
        elif wants < least and len(line):
            last = min(int(np.ceil(least - _NEAR)), len(line)) - 1
            cells[segment, arm] = min(line[last] - _NEAR, 0.0)
    return cells


def _stock(worlds: Floats, cost: Floats, shares: Shares, prices: Prices, offer: int) -> Floats:
    """Set the price of the stock of one offer, given all others."""

    def at(price: float) -> Floats:
        stock = prices.stock.copy()
        stock[offer] = price
        return stock

    def is_over(price: float) -> bool:
        taken = chosen(worlds, replace(prices, stock=at(price)).of(shares, cost))
        mine = (taken >= 0) & (shares.offer[taken] == offer)
        return float(mine.sum()) / len(worlds) > float(shares.stock[offer])

    return at(_least_price(is_over, float(np.max(worlds, initial=0.0))))


def _budget(worlds: Floats, cost: Floats, shares: Shares, prices: Prices) -> float:
    """Set the price of money, given all others."""

    def is_over(price: float) -> bool:
        taken = chosen(worlds, replace(prices, budget=price).of(shares, cost))
        spent = np.where(taken >= 0, cost[taken], 0.0).sum()
        return float(spent) / len(worlds) > shares.budget * (1 + _NEAR)

    return _least_price(is_over, float(np.max(worlds / cost, initial=0.0)))


def _least_price(is_over: Callable[[float], bool], highest: float) -> float:
    """Find the least price at which a limit is kept."""
    if not is_over(0.0):
        return 0.0
    low, high = 0.0, highest + 1.0
    for _halving in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_over(middle) else (low, middle)
    return high


def _by_offer(contacts: Floats, offer: Integers, offers: int) -> Floats:
    return np.asarray(np.bincount(offer, contacts, minlength=offers), np.float64)
