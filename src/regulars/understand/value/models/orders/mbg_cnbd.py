"""MBG/CNBD-k: MBG/NBD for customers whose orders come more regularly than by chance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, digamma, gammaln

from regulars.errors import InputError
from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.fitted import (
    FittedOrders,
    Likelihood,
    fit_orders,
)

Numbers = NDArray[np.float64]

_STOP_AT = 1e-10


@dataclass(frozen=True)
class MBGCNBD(FittedOrders):
    """A fitted MBG/CNBD-k; answers what every `FittedOrders` does.

    Each order is preceded by `k` steps that come by chance; with k = 1 this is the MBG/NBD, the
    larger k, the more regular the orders. A customer may leave after any order, the first too.

    Attributes:
        r: Shape of the gamma over the rates of steps, no unit.
        alpha: Its rate, in the time unit of the data.
        a: First shape of the beta over the chance to leave after an order.
        b: Its second shape.
        log_likelihood: Of all customers together.
        customers: How many were fitted on.
        note: Why a parameter is at the edge of what was searched; empty when none is.
        k: Steps to an order, >= 1.

    Source:
        Orders ahead: ours; given the steps already gone towards the next order, steps to come
        are negative binomial, so the n-th order is a tail of theirs; the sum over n is taken
        until nothing is added. BTYDplus scales the sum of an approximation instead.

    Example:
        >>> fitted = MBGCNBD(1.329, 2.813, 0.425, 0.790, 0.0, 1, k=2)
        >>> x, t_x, T = np.array([5.0, 5.0]), np.array([12.0, 50.0]), np.full(2, 52.0)
        >>> fitted.p_alive(x, t_x, T).round(3).tolist()
        [0.0, 0.927]
        >>> fitted.expected_orders(x[1:], t_x[1:], T[1:], 52).round(2).tolist()
        [4.4]
    """

    NAME: ClassVar[str] = "MBG/CNBD-k"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    SCALES: ClassVar[tuple[bool, ...]] = (False, True, False, False)
    STARTS: ClassVar[tuple[tuple[float, ...], ...]] = (
        (1.0, 0.5, 0.5, 1.0),
        (0.5, 0.1, 0.5, 2.0),
        (2.0, 0.1, 0.1, 3.0),
    )
    BOUNDS: ClassVar[tuple[tuple[float, float], ...]] = (
        (1e-3, 1e3),
        (1e-5, 1e4),
        (1e-4, 1e2),
        (1e-3, 1e3),
    )

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: float
    note: str = ""
    k: int = 1

    def _alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        return np.asarray(self._steps(x, t_x, T).sum(axis=0))

    def _expected(self, x: Numbers, t_x: Numbers, T: Numbers, t: float) -> Numbers:
        steps = self._steps(x, t_x, T)
        shape = self.r + self.k * x + np.arange(self.k)[:, None]
        ahead, stays = t / (self.alpha + T + t), self.b + x + 1
        found, more = np.zeros(x.shape), np.arange(x.size)
        order = 1
        while more.size:
            missing = order * self.k - np.arange(self.k)[:, None]
            reached = betainc(missing, shape[:, more], ahead[more])
            still = np.exp(betaln(self.a, stays[more] + order - 1) - betaln(self.a, stays[more]))
            added = (steps[:, more] * reached).sum(axis=0) * still
            found[more] += added
            more, order = more[added > _STOP_AT], order + 1
        return found

    def _drawn(
        self, x: Numbers, t_x: Numbers, T: Numbers, t: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Numbers]:
        up_to = self._steps(x, t_x, T).cumsum(axis=0)
        gone = (rng.random(x.shape) * np.maximum(up_to[-1], 1e-300) >= up_to[:-1]).sum(axis=0)
        is_alive = rng.random(x.shape) < up_to[-1]
        rate = rng.gamma(self.r + self.k * x + gone, 1.0 / (self.alpha + T))
        wanted = (gone + rng.poisson(rate * t)) // self.k
        last = rng.geometric(np.clip(rng.beta(self.a, self.b + x + 1), 1e-12, 1.0))
        return is_alive, np.minimum(wanted, last)

    def likelihood(self, histories: OrderHistories, unit: float) -> Likelihood:
        """Give the mean negative log-likelihood and its gradient, time in units of `unit`.

        Args:
            histories: Distinct histories.
            unit: Time that counts as 1.

        Returns:
            A function of r, alpha, a and b, without what k alone decides.
        """
        return _Likelihood(histories, unit, self.k)

    def _steps(self, x: Numbers, t_x: Numbers, T: Numbers) -> Numbers:
        """Chance to be there still with so many steps gone to the next order, (k, customers)."""
        gone, steps = _ways(self.k, self.r, self.alpha, self.b, x, t_x, T)
        gone += np.log(self.a)
        peak = np.maximum(gone, steps.max(axis=0))
        parts = np.exp(steps - peak)
        return np.asarray(parts / (np.exp(gone - peak) + parts.sum(axis=0)))


def fit_mbg_cnbd(
    histories: OrderHistories, *, log_gaps: float, most_k: int = 12, k: int | None = None
) -> MBGCNBD:
    """Fit the MBG/CNBD-k by maximum likelihood, and find k where it is not given.

    Args:
        histories: Distinct histories with their numbers of customers.
        log_gaps: Sum of the logarithms of all times between one order of a customer and his
            next, in the time unit of the histories; see `log_gaps_of`. It tells which k, and
            changes no other parameter.
        most_k: Where the search for k ends, >= 1.
        k: Steps to an order; found when left out.

    Returns:
        The fitted model; `note` names a parameter the data leave open.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.
        InputError: k is below 1.

    Source:
        Platzer & Reutterer (2017), "Customer Base Analysis: The Case for a Central Variant of
        the Betageometric/NBD Model", equation 3; k is raised while the likelihood rises.

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> fit_mbg_cnbd(many, log_gaps=130 * np.log(12)).k
        2
    """
    if most_k < 1 or (k is not None and k < 1):
        raise InputError(f"k is {k} and most_k {most_k}; wanted whole numbers of 1 or more")
    if k is not None:
        return _fitted(histories, log_gaps, k)
    best = _fitted(histories, log_gaps, 1)
    for steps in range(2, most_k + 1):
        near = (best.r, best.alpha / histories.unit * best.k / steps, best.a, best.b)
        found = _fitted(histories, log_gaps, steps, (near,))
        if found.log_likelihood <= best.log_likelihood:
            break
        best = found
    return best


def log_gaps_of(customer: ArrayLike, time: ArrayLike) -> float:
    """Sum the logarithms of the times between one order of a customer and his next.

    Args:
        customer: Who ordered, shape (orders,).
        time: When, in the time unit of the fit, shape (orders,); orders of one moment are one.

    Returns:
        The sum; 0 where nobody ordered twice.

    Example:
        >>> round(log_gaps_of(["a", "a", "a", "b"], [0.0, 2.0, 5.0, 1.0]), 3)
        1.792
    """
    who, place = np.unique(np.asarray(customer), return_inverse=True)
    when = np.asarray(time, dtype=np.float64)
    order = np.lexsort((when, place))
    gaps = np.diff(when[order])[np.diff(place[order]) == 0] if who.size else np.zeros(0)
    return float(np.log(gaps[gaps > 0]).sum())


def _fitted(
    histories: OrderHistories,
    log_gaps: float,
    k: int,
    starts: tuple[tuple[float, ...], ...] = (),
) -> MBGCNBD:
    kept = fit_orders(
        MBGCNBD,
        histories,
        starts=starts,
        likelihood=lambda some, unit: _Likelihood(some, unit, k),
        stages=k,
    )
    orders = float((histories.weights * histories.x).sum())
    kept["log_likelihood"] += (k - 1) * log_gaps - orders * float(gammaln(k))
    return MBGCNBD(**kept, k=k)


class _Likelihood(Likelihood):
    """Of the MBG/CNBD-k, but for what k alone decides."""

    def __init__(self, histories: OrderHistories, unit: float, k: int) -> None:
        super().__init__(histories, unit)
        self.k, self.step = k, np.arange(k)[:, None]

    def __call__(self, values: Numbers) -> tuple[float, Numbers]:
        """Give the loss and its gradient at r, alpha, a, b.

        Returns:
            Both, the gradient of shape (4,).
        """
        r, alpha, a, b = (float(value) for value in values)
        x, shape = self.x, r + self.k * self.x
        gone, steps = _ways(self.k, r, alpha, b, x, self.t_x, self.T)
        gone += np.log(a)
        either = np.logaddexp(gone, np.logaddexp.reduce(steps, axis=0))
        level = gammaln(shape) - gammaln(r) + r * np.log(alpha) - shape * np.log(alpha + self.T)
        level += betaln(a, b + x + 1) - betaln(a, b) + either
        slopes = self._slopes(values, shape, np.exp(gone - either), np.exp(steps - either))
        return -float((self.share * level).sum()), -(slopes @ self.share)

    def _slopes(self, values: Numbers, shape: Numbers, left: Numbers, there: Numbers) -> Numbers:
        """Slopes at each history, given how likely each way to have it is, shape (4, histories)."""
        r, alpha, a, b = (float(value) for value in values)
        far, near = alpha + self.T, alpha + self.t_x
        rate = digamma(shape) - digamma(r) + np.log(alpha) - np.log(far)
        rate += (there * (digamma(shape + self.step) - digamma(shape))).sum(axis=0)
        scale = r / alpha - (shape + (there * self.step).sum(axis=0)) / far
        both = digamma(a + b) - digamma(a + b + self.x + 1)
        stays = digamma(b + self.x + 1) - digamma(b) - left / (b + self.x)
        return np.stack([
            rate + left * np.log(far / near),
            scale + left * shape * (1 / far - 1 / near),
            both + left / a,
            both + stays,
        ])


def _ways(
    k: int, r: float, alpha: float, b: float, x: Numbers, t_x: Numbers, T: Numbers
) -> tuple[Numbers, Numbers]:
    """Logs of the odds of each way to have this history, against no step since the last order.

    Returns:
        Of having left after the last order, but for the factor a, shape (histories,); of being
        there with 0 to k - 1 steps gone, shape (k, histories).
    """
    shape, step = r + k * x, np.arange(k)[:, None]
    gone = shape * (np.log(alpha + T) - np.log(alpha + t_x)) - np.log(b + x)
    with np.errstate(divide="ignore"):
        silent = np.log(T - t_x) - np.log(alpha + T)
    # Nobody has gone a step in no time, and 0 times minus infinity must stay 0.
    passed = np.where(step > 0, step * np.where(step > 0, silent, 0.0), 0.0)
    return gone, gammaln(shape + step) - gammaln(shape) - gammaln(step + 1) + passed
