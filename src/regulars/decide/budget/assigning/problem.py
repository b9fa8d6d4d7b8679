"""What is assigned within which limits, and the best answer of every customer to given prices."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError, UnknownName
from regulars.numerics.given import floats_given, number_given

Floats = NDArray[np.float64]
Choices = NDArray[np.int16]

NOTHING = -1
_CHUNK = 1 << 15
_LEAST_MONEY = 1e-9


@dataclass(frozen=True)
class Problem:
    """Values and costs of actions, and what is short.

    The first limit is money; the others count contacts.

    Attributes:
        values: Value of each action, -inf where it is closed; shape (customers, actions).
        costs: What each takes from the budget; shape (customers, actions).
        counted: 1 where an action counts against a limit; shape (actions, limits - 1).
        limits: Most of each, above 0; shape (limits,).
    """

    values: Floats
    costs: Floats
    counted: Floats
    limits: Floats

    @property
    def customers(self) -> int:
        """How many."""
        return len(self.values)

    def only(self, rows: NDArray[np.int64], limits: Floats) -> "Problem":
        """Take some customers, with limits of their own."""
        return Problem(self.values[rows], self.costs[rows], self.counted, limits)

    def net(self, prices: Floats, rows: slice) -> Floats:
        """Give values less what is used at its price, for some customers."""
        paid = self.values[rows] - prices[0] * self.costs[rows]
        return np.asarray(paid - self.counted @ prices[1:])

    def chunks(self) -> list[slice]:
        """Cut the customers into pieces that fit the cache."""
        return [slice(i, i + _CHUNK) for i in range(0, self.customers, _CHUNK)]

    def value_of(self, choice: Choices) -> float:
        """Give the value of a choice."""
        rows = np.flatnonzero(choice >= 0)
        return float(self.values[rows, choice[rows]].sum())

    def use_of(self, choice: Choices) -> Floats:
        """Give what a choice uses of each limit."""
        rows = np.flatnonzero(choice >= 0)
        taken = np.bincount(choice[rows], minlength=self.values.shape[1])
        cost = float(self.costs[rows, choice[rows]].sum())
        return np.concatenate([[cost], self.counted.T @ taken])


@dataclass(frozen=True)
class Response:
    """What all customers together do at given prices.

    Attributes:
        choice: Best action of each, -1 for none; shape (customers,).
        value: Value of all.
        use: What is used of each limit.
    """

    choice: Choices
    value: float
    use: Floats


def respond(problem: Problem, prices: Floats) -> Response:
    """Let every customer have the action that is worth most at the prices, or none."""
    choice = np.empty(problem.customers, np.int16)
    for rows in problem.chunks():
        net = problem.net(prices, rows)
        best = net.argmax(axis=1)
        is_worth_it = net[np.arange(len(net)), best] > 0
        choice[rows] = np.where(is_worth_it, best, NOTHING)
    return Response(choice, problem.value_of(choice), problem.use_of(choice))


@dataclass(frozen=True)
class Named:
    """A problem and the names of its limits.

    Attributes:
        problem: The problem; limits nobody can reach are left out.
        names: ("budget", ""), ("stock", offer) or ("capacity", channel) of each limit.
    """

    problem: Problem
    names: list[tuple[str, Hashable]]


def pose(
    values: ArrayLike,
    costs: ArrayLike,
    *,
    budget: float | None,
    stock: Mapping[Hashable, float],
    capacity: Mapping[Hashable, float],
    offers: Sequence[Hashable],
    channels: Sequence[Hashable],
) -> Named:
    """Check what was given and put it as a problem.

    Args:
        values: Value of each action, -inf where it is closed; shape (customers, actions).
        costs: What each takes from the budget, 0 or more; shape (actions,) or
            (customers, actions).
        budget: Most that may be spent; None for no limit.
        stock: Most contacts by offer.
        capacity: Most contacts by channel.
        offers: Offer of each action.
        channels: Channel of each action.

    Returns:
        The problem. Actions without stock or capacity, or that cost more than there is, are
        closed.

    Raises:
        InputError: Shapes differ, a value is nan, a cost or a limit is negative.
        UnknownName: A limit names an offer or a channel no action has.
    """
    worth = floats_given(values, "values", axes=None, may_lack=True, may_be_infinite=True).copy()
    if worth.ndim != 2:
        raise InputError(f"values have {worth.ndim} dimensions, give (customers, actions)")
    paid = _costs(costs, worth)
    columns: list[Floats] = []
    names: list[tuple[str, Hashable]] = [("budget", "")]
    most = [_budget(budget, paid)]
    for kind, limits, own in (("stock", stock, offers), ("capacity", capacity, channels)):
        if len(own) != worth.shape[1]:
            raise InputError(
                f"{len(own)} names of offers or channels for {worth.shape[1]} actions; give one "
                "each"
            )
        for name, limit in limits.items():
            if name not in own:
                raise UnknownName(f"{kind} limit", str(name), sorted({str(o) for o in own}))
            number_given(limit, f"{kind} of {name}", least=0)
            counts = np.array([one == name for one in own], dtype=np.float64)
            if limit < 1:
                worth[:, counts > 0] = -np.inf
            elif limit < len(worth):
                columns.append(counts)
                names.append((kind, name))
                most.append(float(np.floor(limit)))
    if most[0] < _LEAST_MONEY:
        most[0] = 0.0
    worth[paid > most[0]] = -np.inf
    most[0] = most[0] or 1.0
    counted = np.stack(columns, axis=1) if columns else np.zeros((worth.shape[1], 0))
    return Named(Problem(worth, paid, counted, np.array(most)), names)


def _costs(costs: ArrayLike, worth: Floats) -> Floats:
    given = floats_given(costs, "costs", axes=None, may_lack=True, may_be_infinite=True)
    try:
        paid = np.broadcast_to(given, worth.shape)
    except ValueError as error:
        raise InputError(
            f"costs have shape {given.shape}, values {worth.shape}; give a cost per action, or "
            "per customer and action"
        ) from error
    if np.isnan(worth).any() or (worth == np.inf).any():
        raise InputError("a value is nan or inf; give a number, -inf where an action is closed")
    if not (np.isfinite(given) & (given >= 0)).all():
        raise InputError("a cost is negative or not a number; give what a contact costs, 0 or more")
    return paid


def _budget(budget: float | None, paid: Floats) -> float:
    if budget is None:
        return float(paid.max(axis=1, initial=0.0).sum()) + 1.0
    if number_given(budget, "budget", least=0) == np.inf:
        return _budget(None, paid)
    return float(budget)
