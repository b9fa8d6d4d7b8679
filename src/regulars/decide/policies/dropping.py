"""Drop what a draw put over a limit, and say how often what is drawn stays."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regulars.decide.policies.sharing import Floats, Integers, Shares

_OF_A_CENT = 1e-8
_FEWEST, _MOST = 32, 256
"""Draws tried at least and at most to learn how often what is drawn stays."""
_WORK = 4_000_000
"""Customers drawn for in all of them together, about."""


def drawn(draw: Floats, probabilities: Floats) -> Integers:
    """Draw an action for every customer.

    Args:
        draw: Numbers in (0, 1), shape (customers,).
        probabilities: Probability of each action, shape (customers, arms).

    Returns:
        The action, -1 for none; shape (customers,).

    Example:
        >>> drawn(np.array([0.1, 0.6, 0.9]), np.tile([0.5, 0.3], (3, 1))).tolist()
        [0, 1, -1]
    """
    arms = probabilities.shape[1]
    if not arms:
        return np.full(len(draw), -1)
    steps = probabilities.cumsum(axis=1)
    taken = draw < steps[:, -1]
    return np.where(taken, (draw[:, None] >= steps).sum(axis=1).clip(0, arms - 1), -1)


def over_limits(
    shares: Shares,
    arm: Integers,
    held: NDArray[np.bool_],
    cost: Floats,
    order: Floats,
) -> NDArray[np.str_]:
    """Drop the chosen, held out or not, from where those before them use a limit up.

    Args:
        shares: The limits.
        arm: Action drawn for each customer, -1 for none; shape (customers,).
        held: Who of them is held out: takes no money and no stock; shape (customers,).
        cost: What a contact takes from the budget; shape (arms,).
        order: Who comes first: ascending; shape (customers,).

    Returns:
        Why each is dropped: budget or stock, "" for those who stay; shape (customers,). What
        is left keeps every limit to the cent; who is held out stays as often as others.
    """
    rows = _in_order(arm, order)
    found = np.full(len(arm), "", dtype="U8")
    for limit, _running, is_over in _passed(shares, rows, arm, held, cost):
        found[rows[is_over]] = limit.reason
    return found


def kept_shares(
    shares: Shares,
    probabilities: Floats,
    cost: Floats,
    *,
    held_out: float,
    numbers: np.random.Generator,
) -> Floats:
    """Say how often what is drawn for a customer, and not held out, stays within the limits.

    Draw and drop are done many times. Each time the customer comes in at a random place among
    the others, and stays when he comes before the place at which a limit is full without him;
    so every draw tells of every customer, whatever was drawn for him.

    Args:
        shares: The limits.
        probabilities: Probability that each action is drawn; shape (customers, arms).
        cost: What a contact takes from the budget; shape (arms,).
        held_out: Share of the drawn who are left alone.
        numbers: What the draws are made of.

    Returns:
        Probability to stay, given that the action is drawn; shape (customers, arms). 1 where no
        draw passed a limit.

    Source:
        Inclusion probabilities of a draw that is cut, by simulation: Fattorini (2006), "Applying
        the Horvitz-Thompson criterion in complex designs", Biometrika 93(2); averaging over the
        customer's own place is Rao-Blackwell.

    Example:
        >>> shares = Shares(np.zeros(2, int), np.zeros((1, 1)), np.ones((1, 1)),
        ...     np.zeros(1, int), np.full(1, np.inf), 10.0)
        >>> draws = np.random.default_rng(1)
        >>> kept_shares(shares, np.ones((2, 1)), np.ones(1), held_out=0.0, numbers=draws).round(1)
        array([[0.5],
               [0.5]])
    """
    rounds = int(np.clip(_WORK / max(len(probabilities), 1), _FEWEST, _MOST))
    common, own = np.zeros(shares.least.shape), np.zeros(probabilities.shape)
    for _round in range(rounds):
        draw, order, hold = numbers.random((3, len(probabilities)))
        found = _tried(shares, drawn(draw, probabilities), hold < held_out, cost, order)
        common += found.others
        own[found.sent] += found.without - found.others[shares.segment[found.sent]]
    return np.clip((common[shares.segment] + own) / rounds, 0.0, 1.0)


class _Tried(NamedTuple):
    """Where the limits end in one draw.

    Attributes:
        others: Place in the order from which one contact more is too many; (segments, arms).
        sent: Who was sent to.
        without: The same place for each of them, had nothing been sent to him; (sent, arms).
    """

    others: Floats
    sent: Integers
    without: Floats


def _tried(
    shares: Shares, arm: Integers, held: NDArray[np.bool_], cost: Floats, order: Floats
) -> _Tried:
    rows = _in_order(arm, order)
    passed = list(_passed(shares, rows, arm, held, cost))
    others = [limit.ends(running, order[rows]) for limit, running, _is_over in passed]
    without = [limit.ends(running, order[rows], more=0) for limit, running, _is_over in passed]
    is_over = np.any([over for _limit, _running, over in passed], axis=0)
    sent = rows[~is_over & ~held[rows]]
    mine = _earliest_of_sent(shares, others, without, sent, arm[sent])
    return _Tried(_earliest(shares, others), sent, mine)


class _Limit(NamedTuple):
    """One kind of limit: of the money of cells, of stock, or of all money.

    Attributes:
        reason: Why who is over it is dropped.
        group: What each of the rows takes from; shape (rows,).
        used: What each of the rows takes if it is not held out; shape (rows,).
        most: Most of each group; shape (groups,).
        more: What one contact more takes from each group; shape (groups, 1), or (1, arms).
    """

    reason: str
    group: Integers
    used: Integers
    most: Floats
    more: Integers

    def ends(self, running: Integers, order: Floats, *, more: int | None = None) -> Floats:
        """Give the place in the order from which one contact more is too many; 1 for none."""
        extra = self.more if more is None else np.full((len(self.more), 1), more)
        found = np.ones(extra.shape)
        for column, each in enumerate(extra.T):
            is_full = running + each[self.group] > self.most[self.group]
            np.minimum.at(found[:, column], self.group[is_full], order[is_full])
        found[extra > self.most[:, None]] = 0.0
        return found


def _passed(
    shares: Shares, rows: Integers, arm: Integers, held: NDArray[np.bool_], cost: Floats
) -> Iterator[tuple[_Limit, Integers, NDArray[np.bool_]]]:
    """Go through the limits: what is used up to each row, in order, and which are over it."""
    gone = np.zeros(len(rows), bool)
    for limit in _limits(shares, rows, arm, cost):
        counts = ~held[rows] & ~gone
        running = _running(limit.group, np.where(counts, limit.used, 0))
        is_over = ~gone & (running + np.where(counts, 0, limit.used) > limit.most[limit.group])
        gone |= is_over
        yield limit, running, is_over


def _limits(shares: Shares, rows: Integers, arm: Integers, cost: Floats) -> list[_Limit]:
    segments, arms = shares.least.shape
    cents, mine = np.round(cost * 100).astype(np.int64), arm[rows]
    all_money = _cents(np.array([shares.budget]))
    return [
        _Limit(
            "budget",
            shares.segment[rows] * arms + mine,
            cents[mine],
            _cents(shares.most.ravel()),
            np.tile(cents, segments)[:, None],
        ),
        _Limit(
            "stock",
            shares.offer[mine],
            np.ones(len(rows), np.int64),
            np.floor(shares.stock),
            np.ones((len(shares.stock), 1), np.int64),
        ),
        _Limit("budget", np.zeros(len(rows), np.int64), cents[mine], all_money, cents[None]),
    ]


def _earliest(shares: Shares, ends: list[Floats]) -> Floats:
    """Give the first place in the order at which any limit ends; shape (segments, arms)."""
    cells, stock, budget = ends
    place = np.minimum(cells.reshape(shares.least.shape), stock[shares.offer, 0])
    return np.asarray(np.minimum(place, budget[0]))


def _earliest_of_sent(
    shares: Shares, others: list[Floats], without: list[Floats], sent: Integers, arm: Integers
) -> Floats:
    """Give the same for customers who use a part of the limits, as if they did not."""
    row, shape = np.arange(len(sent)), shares.least.shape
    cells = others[0].reshape(shape)[shares.segment[sent]]
    cells[row, arm] = without[0].reshape(shape)[shares.segment[sent], arm]
    is_mine = shares.offer[None] == shares.offer[arm][:, None]
    stock = np.where(is_mine, without[1][shares.offer, 0], others[1][shares.offer, 0])
    budget = np.tile(others[2], (len(sent), 1))
    budget[row, arm] = without[2][0, 0]
    return np.asarray(np.minimum(np.minimum(cells, stock), budget))


def _in_order(arm: Integers, order: Floats) -> Integers:
    """Give who was drawn, in order."""
    rows = np.flatnonzero(arm >= 0)
    return rows[np.argsort(order[rows], kind="stable")]


def _cents(money: Floats) -> Floats:
    return np.floor(money * 100 + _OF_A_CENT)


def _running(group: Integers, used: Integers) -> Integers:
    """Add up what was used within each group, in order."""
    line = np.argsort(group, kind="stable")
    total = used[line].cumsum()
    first = np.flatnonzero(np.diff(group[line], prepend=-1))
    begun = np.repeat(total[first] - used[line][first], np.diff([*first, len(line)]))
    found = np.empty_like(total)
    found[line] = total - begun
    return found
