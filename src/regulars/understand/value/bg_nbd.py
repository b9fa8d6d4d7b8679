"""BG/NBD: how often a customer still buys, when a customer may silently have left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

from regulars.errors import InputError, NotReady
from regulars.understand.value.positive_fit import fit_positive

Numbers = NDArray[np.float64]

LEAST_REPEATERS = 10
_STARTS = (
    (1.0, 1.0, 1.0, 1.0),
    (0.25, 0.25, 0.5, 2.0),
    (2.0, 0.2, 0.1, 5.0),
    (0.5, 2.0, 2.0, 2.0),
)
_BOUNDS = ((1e-3, 1e3), (1e-4, 1e4), (1e-4, 1e2), (1e-3, 1e3))


@dataclass(frozen=True)
class BGNBD:
    """A fitted BG/NBD.

    Attributes:
        r: Shape of the gamma over buying rates, no unit.
        alpha: Its rate, in the time unit of the data.
        a: First shape of the beta over the chance to leave after an order.
        b: Its second shape.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: float
    note: str = ""

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Give the probability that each customer has not left.

        Args:
            x: Repeat orders, >= 0, shape (customers,).
            t_x: Time from first to last order, shape (customers,).
            T: Time from the first order to now, shape (customers,).

        Returns:
            Probabilities in [0, 1]; always 1 for a customer with one order, because in this
            model nobody leaves before the second.

        Source:
            Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
        """
        return np.asarray(expit(-self._log_odds_left(x, t_x, T)))

    def expected_orders(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        """Give the orders each customer is expected to place in the next `t`.

        Args:
            x: Repeat orders, >= 0, shape (customers,).
            t_x: Time from first to last order, shape (customers,).
            T: Time from the first order to now, shape (customers,).
            t: Time ahead, > 0, in the same unit.

        Returns:
            Expected orders, shape (customers,), >= 0.

        Source:
            Fader, Hardie & Lee (2005), equation 10; with Euler's transformation of the
            hypergeometric function, ours, because it stays finite for hundreds of orders.

        Example:
            >>> fitted = BGNBD(0.243, 4.414, 0.793, 2.426, 0.0, 1)
            >>> x, t_x, T = np.array([2.0]), np.array([30.43]), np.array([38.86])
            >>> round(float(fitted.expected_orders(x, t_x, T, 39)[0]), 2)
            1.23
        """
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        z = t / (self.alpha + T + t)
        kept = (1 - z) ** (a - 1) * hyp2f1(a - 1, a + self.b - 1 - self.r, a + self.b + x - 1, z)
        born = (a + self.b + x - 1) / (a - 1) * (1 - kept)
        return np.asarray(np.maximum(born, 0.0) * self.p_alive(x, t_x, T))

    def expected_orders_of_new(self, t: float) -> float:
        """Give the repeat orders expected of a customer in the first `t` after the first order.

        Args:
            t: Time ahead, > 0.

        Returns:
            Expected orders.

        Source:
            Fader, Hardie & Lee (2005), equation 9.
        """
        nothing = np.zeros(1)
        return float(self.expected_orders(nothing, nothing, nothing, t)[0])

    def _log_odds_left(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        with np.errstate(divide="ignore"):
            repeat = np.where(x > 0, 0.0, -np.inf)
        rate = (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        return repeat + np.log(self.a / np.maximum(self.b + x - 1, 1e-12)) + rate


@dataclass(frozen=True)
class OrderHistories:
    """Customers with the same history counted together: all BG/NBD needs to know.

    Attributes:
        x: Repeat orders, shape (histories,).
        t_x: Time from first to last order, shape (histories,).
        T: Time from first order to now, shape (histories,).
        weights: Customers with that history, shape (histories,).
    """

    x: Numbers
    t_x: Numbers
    T: Numbers
    weights: Numbers


def group_histories(x: Numbers, t_x: Numbers, T: Numbers) -> OrderHistories:
    """Count customers that have the same history.

    Args:
        x: Repeat orders, >= 0, shape (customers,).
        t_x: Time from first to last order, 0 when x is 0, shape (customers,).
        T: Time from first order to now, >= t_x, shape (customers,).

    Returns:
        Distinct histories, in ascending order of x, T, t_x.

    Raises:
        InputError: A history cannot be, or there is none.

    Example:
        >>> x, t_x, T = np.array([0.0, 1, 0]), np.array([0.0, 2, 0]), np.array([9.0, 9, 9])
        >>> found = group_histories(x, t_x, T)
        >>> found.weights.tolist()
        [2.0, 1.0]
    """
    x, t_x, T = (np.asarray(part, dtype=np.float64) for part in (x, t_x, T))
    if not x.size:
        raise InputError("there is no customer with an order; import orders first")
    wrong = ~((x >= 0) & (t_x >= 0) & (t_x <= T) & np.isfinite(T)) | ((x == 0) & (t_x > 0))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"customer {at} has x {x[at]:g}, t_x {t_x[at]:g}, T {T[at]:g}; wanted x >= 0 and "
            "0 <= t_x <= T, and t_x 0 when x is 0; count repeat orders only"
        )
    order = np.lexsort((t_x, T, x))
    x, t_x, T = x[order], t_x[order], T[order]
    new = np.r_[True, (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)]
    starts = np.flatnonzero(new)
    weights = np.diff(np.r_[starts, x.size]).astype(np.float64)
    return OrderHistories(x[starts], t_x[starts], T[starts], weights)


def fit_bg_nbd(histories: OrderHistories) -> BGNBD:
    """Fit the BG/NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers.

    Returns:
        The fitted model. Where the data leave a parameter open (nobody seems to leave, or all
        buy at the same rate) it stops at the edge of the search and `note` says so.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to
        the Pareto/NBD Model", Marketing Science 24(2), equation 6.
    """
    repeaters = float(histories.weights[histories.x > 0].sum())
    if repeaters < LEAST_REPEATERS:
        raise NotReady(
            f"{repeaters:g} customers ordered on a second day, BG/NBD needs {LEAST_REPEATERS}; "
            "import a longer history"
        )
    unit = float(np.average(histories.T, weights=histories.weights)) or 1.0
    likelihood = _Likelihood(histories, unit)
    start = _coarse_start(histories, unit)
    found = fit_positive(likelihood, (start, *_STARTS), _BOUNDS, names=("r", "alpha", "a", "b"))
    r, alpha, a, b = found.values
    total = float(histories.weights.sum())
    log_likelihood = -found.loss * total - float((histories.weights * histories.x).sum()) * np.log(
        unit
    )
    return BGNBD(r, alpha * unit, a, b, float(log_likelihood), total, found.note)


def _coarse_start(histories: OrderHistories, unit: float) -> tuple[float, ...]:
    """Fit on coarser times first when there are many histories: a start next to the answer."""
    if histories.x.size < 20_000:
        return _STARTS[0]
    step = unit / 16
    T = np.ceil(histories.T / step) * step
    t_x = np.minimum(np.round(histories.t_x / step) * step, T)
    x = np.where(histories.x < 16, histories.x, np.round(histories.x / 4) * 4)
    t_x = np.where(x > 0, t_x, 0.0)
    order = np.lexsort((t_x, T, x))
    x, t_x, T, weights = x[order], t_x[order], T[order], histories.weights[order]
    starts = np.flatnonzero(
        np.r_[True, (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)]
    )
    coarse = OrderHistories(x[starts], t_x[starts], T[starts], np.add.reduceat(weights, starts))
    found = fit_positive(
        _Likelihood(coarse, unit), _STARTS, _BOUNDS, names=("r", "alpha", "a", "b")
    )
    return found.values


class _Likelihood:
    """Mean negative log-likelihood and its gradient, time in units of the mean T."""

    def __init__(self, histories: OrderHistories, unit: float) -> None:
        share = histories.weights / histories.weights.sum()
        self.counts, at = np.unique(histories.x, return_inverse=True)
        self.count_share = np.bincount(at, weights=share)
        self.lengths, length_at = np.unique(histories.T / unit, return_inverse=True)
        self.once = np.bincount(
            length_at, weights=np.where(histories.x == 0, share, 0.0), minlength=len(self.lengths)
        )
        again = histories.x > 0
        self.x, self.share = histories.x[again], share[again]
        self.count_at, self.length_at = at[again], length_at[again]
        self.lasts, self.last_at = np.unique(histories.t_x[again] / unit, return_inverse=True)

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        r, alpha, a, b = (float(value) for value in values)
        n, share = self.counts, self.count_share
        level = gammaln(r + n) - gammaln(r) + r * np.log(alpha)
        level += betaln(a, b + n) - betaln(a, b)
        # beta(a, b + x) / beta(a, b) is the chance of x orders without leaving
        both = digamma(a + b) - digamma(a + b + n)
        gradient = np.array([
            (share * (digamma(r + n) - digamma(r) + np.log(alpha))).sum(),
            r / alpha,
            (share * both).sum(),
            (share * (both + digamma(b + n) - digamma(b))).sum(),
        ])
        log_T, log_last = np.log(alpha + self.lengths), np.log(alpha + self.lasts)
        value = float((share * level).sum()) - r * float((self.once * log_T).sum())
        gradient[0] -= (self.once * log_T).sum()
        gradient[1] -= r * (self.once / (alpha + self.lengths)).sum()
        return -(value + self._repeaters(r, a, b, log_T, log_last, gradient)), -gradient

    def _repeaters(
        self, r: float, a: float, b: float, log_T: Numbers, log_last: Numbers, gradient: Numbers
    ) -> float:
        """Add what customers with repeat orders say; the gradient is changed in place."""
        rate = r + self.x
        log_T, log_last = log_T[self.length_at], log_last[self.last_at]
        hazard = (np.log(a) - np.log(b + self.counts - 1 + (self.counts == 0)))[self.count_at]
        gap = hazard + rate * (log_T - log_last)
        small = np.exp(-np.abs(gap))
        left = np.where(gap > 0, 1.0, small) / (1.0 + small)
        value = np.maximum(gap, 0.0) + np.log1p(small) - rate * log_T
        gone = self.share * left
        stayed = self.share - gone
        gradient[0] -= (stayed * log_T + gone * log_last).sum()
        gradient[1] -= (rate * (stayed * np.exp(-log_T) + gone * np.exp(-log_last))).sum()
        gradient[2] += gone.sum() / a
        by_count = np.bincount(self.count_at, weights=gone, minlength=len(self.counts))
        gradient[3] -= (by_count / (b + self.counts - 1 + (self.counts == 0))).sum()
        return float((self.share * value).sum())
